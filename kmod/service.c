// SPDX-License-Identifier: GPL-2.0
/*
 * Services, their workers, and what becomes of requests that are executing and
 * that nobody wants any more.
 *
 * Layer: L1.
 */
#include <linux/rhashtable.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/wait_bit.h>
#include <net/sock.h>

#include "cause.h"
#include "packet.h"
#include "peer.h"
#include "request.h"
#include "service.h"

/* The owner is asked again when it did not answer for this long. */
#define ASK_US		200000

/* A worker with so many requests that nobody waits for gets no others. */
#define OFF_SLOT_MAX	1024

const struct rhashtable_params tern_service_params = {
	.key_len		= sizeof(struct tern_service_key),
	.key_offset		= offsetof(struct tern_service, key),
	.head_offset		= offsetof(struct tern_service, node),
	.automatic_shrinking	= true,
};

void tern_service_put(struct tern_service *service)
{
	if (refcount_dec_and_test(&service->ref))
		kfree_rcu(service, rcu);
}

/**
 * tern_service_find - the service of a number pair
 * @tn: the node
 * @program: program number
 * @version: version number
 *
 * Context: under rcu_read_lock().
 * Return: the service without a reference, or NULL.
 */
struct tern_service *tern_service_find(struct tern_net *tn, u32 program,
				       u32 version)
{
	struct tern_service_key key = { .program = program,
					.version = version };

	return rhashtable_lookup(&tn->services, &key, tern_service_params);
}

/*
 * A request can be taken: wakes one worker, and all who poll.  An epoll that
 * watches a socket since before bind knows only the socket, and so does
 * whoever asked for SIGIO.
 *
 * Context: bottom halves disabled.
 */
static void wake(struct tern_service *service)
{
	struct tern_worker *worker;

	wake_up_interruptible_poll(&service->wq, EPOLLIN | EPOLLRDNORM);
	if (!READ_ONCE(service->wake_sockets))
		return;
	spin_lock(&service->lock);
	list_for_each_entry(worker, &service->workers, link) {
		if (READ_ONCE(worker->early_poller))
			worker->sk->sk_data_ready(worker->sk);
		else
			sk_wake_async(worker->sk, SOCK_WAKE_WAITD, POLL_IN);
	}
	spin_unlock(&service->lock);
}

static struct tern_service *service_create(struct tern_net *tn,
					   const struct tern_service_key *key,
					   bool share, u8 orphans)
{
	struct tern_service *service;
	int err;

	service = kzalloc(sizeof(*service), GFP_KERNEL_ACCOUNT);
	if (!service)
		return ERR_PTR(-ENOMEM);
	service->key = *key;
	service->tn = tn;
	service->owner = current_euid();
	service->share = share;
	service->orphans = orphans;
	service->timer_us = U64_MAX;
	timer_setup(&service->timer, tn->ops->service_timer, 0);
	spin_lock_init(&service->lock);
	INIT_LIST_HEAD(&service->queue);
	INIT_LIST_HEAD(&service->workers);
	init_waitqueue_head(&service->wq);
	refcount_set(&service->ref, 1);
	err = rhashtable_lookup_insert_fast(&tn->services, &service->node,
					    tern_service_params);
	if (err) {
		kfree(service);
		return ERR_PTR(err == -EEXIST ? -EADDRINUSE : err);
	}
	atomic_inc(&tn->n_services);
	return service;
}

/**
 * tern_service_bind - make a socket a receiver of a service
 * @tn: the node
 * @worker: of the socket, not bound
 * @key: the service
 * @share: whether the socket allows others
 * @orphans: enum tern_orphans
 *
 * Context: process; may sleep.
 * Return: 0, -EADDRINUSE, -ENOMEM.
 */
int tern_service_bind(struct tern_net *tn, struct tern_worker *worker,
		      const struct tern_service_key *key, bool share,
		      u8 orphans)
{
	struct tern_service *service;
	int err = 0;

	/* config: no other bind, and no unbind, makes or kills a service */
	mutex_lock(&tn->config);
	rcu_read_lock();
	service = tern_service_find(tn, key->program, key->version);
	rcu_read_unlock();
	if (!service) {
		service = service_create(tn, key, share, orphans);
	} else if (!share || !service->share || orphans != service->orphans ||
		   !uid_eq(service->owner, current_euid())) {
		err = -EADDRINUSE;
		goto out;
	}
	if (IS_ERR(service)) {
		err = PTR_ERR(service);
		goto out;
	}
	spin_lock_bh(&service->lock);
	list_add_tail(&worker->link, &service->workers);
	service->n_workers++;
	spin_unlock_bh(&service->lock);
	refcount_inc(&service->ref);
	/* Pairs with the acquire in tern_sock_service(). */
	smp_store_release(&worker->service, service);
	/* Pairs with the barrier in tern_poll(): one of both sees the other. */
	smp_mb();
	if (READ_ONCE(worker->early_poller))
		WRITE_ONCE(service->wake_sockets, true);
out:
	mutex_unlock(&tn->config);
	return err;
}

static void unlink_queued(struct tern_service *service,
			  struct tern_request *req)
{
	list_del_init(&req->link);
	service->n_queued--;
	service->queued_bytes -= req->charge;
}

static void stop_asking(struct tern_request *req)
{
	if (!req->want_ms)
		return;
	WRITE_ONCE(req->want_ms, 0);
	/* Pairs with the barrier of who begins to wait. */
	smp_mb();
	wake_up_var(&req->want_ms);
}

/* Its reference belongs to the caller. */
static void unlink_executing(struct tern_service *service,
			     struct tern_request *req)
{
	struct tern_worker *worker = req->worker;

	list_del_init(&req->link);
	if (req->given_up || req->orphan)
		worker->n_off_slot--;
	if (!req->given_up)
		service->n_executing--;
	if (req->unseen)
		WRITE_ONCE(worker->n_events, worker->n_events - 1);
	req->unseen = false;
	stop_asking(req);
}

/* The timer goes off no later than @at. */
static void arm(struct tern_service *service, u64 at)
{
	u64 now;

	/* The last worker has stopped the timer for good. */
	if (service->dead || at >= service->timer_us)
		return;
	now = tern_now_us();
	service->timer_us = at;
	if (!mod_timer(&service->timer, tern_timer_at(at, now)))
		refcount_inc(&service->ref);
}

/**
 * tern_service_unbind - a socket goes away
 * @worker: of the socket
 * @out: for the outcomes of what it had
 *
 * What it was executing ends as UNKNOWN.  What is queued is left to the other
 * workers; without any, it ends as NOT_EXECUTED.
 *
 * Context: process; may sleep.
 */
void tern_service_unbind(struct tern_worker *worker, struct tern_outbox *out)
{
	struct tern_service *service = worker->service;
	struct tern_net *tn = service->tn;
	struct tern_request *req;
	bool last;

	mutex_lock(&tn->config);
	spin_lock_bh(&service->lock);
	list_del(&worker->link);
	last = !--service->n_workers;
	service->dead = last;
	spin_unlock_bh(&service->lock);
	if (last) {
		rhashtable_remove_fast(&tn->services, &service->node,
				       tern_service_params);
		atomic_dec(&tn->n_services);
	}
	mutex_unlock(&tn->config);

	spin_lock_bh(&service->lock);
	while ((req = list_first_entry_or_null(&worker->executing,
					       struct tern_request, link))) {
		unlink_executing(service, req);
		spin_unlock_bh(&service->lock);
		if (!req->given_up)
			TERN_COUNT(tn, OWNER_DIED);
		tern_request_fail(req, TERN_UNKNOWN, TERN_CAUSE_OWNER_DIED,
				  out);
		tern_request_put(req);
		spin_lock_bh(&service->lock);
	}
	while (last && (req = list_first_entry_or_null(&service->queue,
						       struct tern_request,
						       link))) {
		unlink_queued(service, req);
		WRITE_ONCE(req->state, TERN_SLOT_EXECUTING);
		spin_unlock_bh(&service->lock);
		TERN_COUNT(tn, REFUSED_SERVICE);
		tern_request_fail(req, TERN_NOT_EXECUTED,
				  TERN_CAUSE_REFUSED, out);
		tern_request_put(req);
		spin_lock_bh(&service->lock);
	}
	spin_unlock_bh(&service->lock);
	if (last) {
		if (timer_delete_sync(&service->timer))
			tern_service_put(service);
		tern_service_put(service);
	} else {
		tern_service_kick(service);
	}
	tern_service_put(service);
}

/* What the receive buffers of all workers take together. */
static u64 queue_limit(const struct tern_service *service)
{
	const struct tern_worker *worker;
	u64 sum = 0;

	list_for_each_entry(worker, &service->workers, link)
		sum += READ_ONCE(worker->sk->sk_rcvbuf);
	return sum;
}

/**
 * tern_service_queue - add a request to the queue and wake one worker
 * @service: the service
 * @req: the request, of which the queue takes a reference
 *
 * A queue that is empty takes a request of any size.
 *
 * Context: rx.lock of the association is held.
 * Return: 0 or why not, enum tern_cause.
 */
int tern_service_queue(struct tern_service *service, struct tern_request *req)
{
	int cause = 0;

	spin_lock(&service->lock);
	if (service->dead) {
		cause = TERN_CAUSE_REFUSED;
	} else if (service->n_queued &&
		   service->queued_bytes + req->charge > queue_limit(service)) {
		cause = TERN_CAUSE_NO_SPACE;
	} else {
		refcount_inc(&service->ref);
		req->service = service;
		tern_request_get(req);
		WRITE_ONCE(req->state, TERN_SLOT_QUEUED);
		list_add_tail(&req->link, &service->queue);
		WRITE_ONCE(service->n_queued, service->n_queued + 1);
		service->queued_bytes += req->charge;
	}
	spin_unlock(&service->lock);
	if (cause)
		return cause;
	wake(service);
	return 0;
}

/**
 * tern_service_unqueue - take a request out of the queue
 * @req: a request that was queued
 *
 * Context: rx.lock of the association is held.
 * Return: false when a worker was faster.  Else the queue's reference belongs
 * to the caller.
 */
bool tern_service_unqueue(struct tern_request *req)
{
	struct tern_service *service = req->service;
	bool queued;

	spin_lock(&service->lock);
	queued = req->state == TERN_SLOT_QUEUED;
	if (queued)
		unlink_queued(service, req);
	spin_unlock(&service->lock);
	return queued;
}

/* Whether a worker has a request of the same name that nobody waits for. */
static bool is_ambiguous(const struct tern_worker *worker,
			 const struct tern_request *req)
{
	const struct tern_request *other;

	if (!worker->n_off_slot)
		return false;
	list_for_each_entry(other, &worker->executing, link)
		if (tern_request_handle(other) == tern_request_handle(req))
			return true;
	return false;
}

/* Why a worker shall not get a request, enum tern_cause. */
static u8 not_to_run(const struct tern_worker *worker,
		     const struct tern_request *req, u64 now)
{
	if (req->deadline_us <= now)
		return TERN_CAUSE_TIMEOUT;
	/* What has no reply needs no name. */
	if (!(req->flags & TERN_CALL_ONEWAY) && is_ambiguous(worker, req))
		return TERN_CAUSE_NO_SPACE;
	return TERN_CAUSE_NONE;
}

/**
 * tern_service_take - give the next request to a worker
 * @worker: of a bound socket
 * @out: for the outcome of expired ones
 *
 * Context: process.
 * Return: the request with a reference, NULL when none waits, or an error
 * pointer: -ENOBUFS when the worker has too many that nobody waits for.
 */
struct tern_request *tern_service_take(struct tern_worker *worker,
				       struct tern_outbox *out)
{
	struct tern_service *service = worker->service;
	u64 now = tern_now_us();
	struct tern_request *req;
	u8 cause;

	spin_lock_bh(&service->lock);
	while ((req = list_first_entry_or_null(&service->queue,
					       struct tern_request, link))) {
		if (worker->n_off_slot >= OFF_SLOT_MAX) {
			spin_unlock_bh(&service->lock);
			return ERR_PTR(-ENOBUFS);
		}
		unlink_queued(service, req);
		WRITE_ONCE(req->state, TERN_SLOT_EXECUTING);
		cause = not_to_run(worker, req, now);
		if (!cause)
			break;
		spin_unlock_bh(&service->lock);
		if (cause == TERN_CAUSE_TIMEOUT)
			TERN_COUNT(service->tn, EXPIRED);
		tern_request_fail(req, TERN_NOT_EXECUTED, cause, out);
		tern_request_put(req);
		spin_lock_bh(&service->lock);
	}
	if (req && !(req->flags & TERN_CALL_ONEWAY)) {
		tern_request_get(req);
		req->worker = worker;
		/* In front of those that were given up. */
		list_add(&req->link, &worker->executing);
		service->n_executing++;
		arm(service, req->deadline_us);
	}
	spin_unlock_bh(&service->lock);
	return req;
}

/**
 * tern_service_return - put a request back that could not be handed out
 * @worker: who took it
 * @req: the request; the reference of tern_service_take() is dropped
 */
void tern_service_return(struct tern_worker *worker, struct tern_request *req)
{
	struct tern_service *service = worker->service;
	bool oneway = req->flags & TERN_CALL_ONEWAY;
	bool wanted = oneway;

	spin_lock_bh(&service->lock);
	if (oneway) {
		tern_request_get(req);
	} else if (!list_empty(&req->link)) {
		wanted = !req->given_up && !req->orphan;
		unlink_executing(service, req);
		if (!wanted)
			tern_request_put(req);
	}
	if (wanted) {
		req->worker = NULL;
		/* A client that has withdrawn it says so again. */
		req->told = TERN_CAUSE_NONE;
		req->give_up_us = 0;
		WRITE_ONCE(req->state, TERN_SLOT_QUEUED);
		list_add(&req->link, &service->queue);
		WRITE_ONCE(service->n_queued, service->n_queued + 1);
		service->queued_bytes += req->charge;
	}
	spin_unlock_bh(&service->lock);
	tern_request_put(req);
	tern_service_kick(service);
}

/**
 * __tern_service_done - a worker wants to reply to a request
 * @worker: who replies
 * @req: the request, whose rx.lock is held
 *
 * Return: false when it does not execute the request.  Else the reference of
 * its list belongs to the caller.
 */
bool __tern_service_done(struct tern_worker *worker, struct tern_request *req)
{
	struct tern_service *service = req->service;
	bool mine;

	spin_lock(&service->lock);
	mine = req->worker == worker && !list_empty(&req->link) &&
	       !req->given_up;
	if (mine)
		unlink_executing(service, req);
	spin_unlock(&service->lock);
	return mine;
}

/**
 * tern_service_bury - a worker is done with a request that is off its slot
 * @worker: the worker
 * @handle: the request, which was given up or is an orphan
 *
 * Return: whether there was one.
 */
bool tern_service_bury(struct tern_worker *worker, u64 handle)
{
	struct tern_service *service = worker->service;
	struct tern_request *req, *found = NULL;

	spin_lock_bh(&service->lock);
	list_for_each_entry(req, &worker->executing, link) {
		if ((!req->given_up && !req->orphan) ||
		    tern_request_handle(req) != handle)
			continue;
		found = req;
		unlink_executing(service, req);
		break;
	}
	spin_unlock_bh(&service->lock);
	if (found)
		tern_request_put(found);
	return found;
}

static void wake_event(struct sock *sk)
{
	struct socket_wq *wq;

	rcu_read_lock();
	wq = rcu_dereference(sk->sk_wq);
	if (skwq_has_sleeper(wq))
		wake_up_interruptible_poll(&wq->wait, EPOLLPRI);
	rcu_read_unlock();
	/* The file is there: its socket still has what it executes. */
	sk_send_sigurg(sk);
}

/*
 * Tells the worker that a request is not wanted any more, and decides when it
 * is given up.  The lock is held.
 */
static bool __tell(struct tern_request *req, u8 cause, bool give_up)
{
	struct tern_worker *worker = req->worker;
	struct tern_service *service = req->service;
	bool first = !req->told;

	if (req->given_up)
		return false;
	if (first) {
		req->told = cause;
		req->unseen = true;
		WRITE_ONCE(worker->n_events, worker->n_events + 1);
		TERN_COUNT(service->tn, TOLD);
		wake_event(worker->sk);
	}
	if (give_up && !req->give_up_us) {
		req->give_up_us = tern_now_us() +
				  1000ULL * READ_ONCE(service->tn->set.grace_ms);
		arm(service, req->give_up_us);
	}
	return true;
}

static bool is_executing(const struct tern_request *req)
{
	return req->worker && !list_empty(&req->link) &&
	       req->state == TERN_SLOT_EXECUTING;
}

/**
 * tern_service_tell - tell a worker that a request is not wanted any more
 * @req: a request that was queued
 * @cause: why, enum tern_cause
 * @give_up: give it up after the grace time; otherwise at the deadline
 *
 * Context: rx.lock of the association is held.
 * Return: false when no worker executes it.
 */
bool tern_service_tell(struct tern_request *req, u8 cause, bool give_up)
{
	struct tern_service *service = req->service;
	bool told;

	spin_lock(&service->lock);
	told = is_executing(req) && __tell(req, cause, give_up);
	spin_unlock(&service->lock);
	return told;
}

/* Whether the end of an association is the end of what executes, by policy. */
static bool ends_orphans(const struct tern_service *service, enum tern_end why)
{
	switch (service->orphans) {
	case TERN_ORPHANS_REINCARNATE:
		return why == TERN_END_REBORN;
	case TERN_ORPHANS_GENTLE:
		return why != TERN_END_SILENT;
	case TERN_ORPHANS_EXTERMINATE:
		return why == TERN_END_TOLD;
	}
	return false;
}

/**
 * tern_service_forget - a request leaves its slot before its worker has replied
 * @req: the request, which was queued
 * @why: why
 *
 * A queued request is not executed.  An executing one stays with its worker,
 * for as long as the service's policy and its deadline let it.
 *
 * Context: rx.lock of the association is held.
 * Return: whether it was executing.
 */
bool tern_service_forget(struct tern_request *req, enum tern_end why)
{
	struct tern_service *service = req->service;
	bool executing, queued;

	spin_lock(&service->lock);
	queued = req->state == TERN_SLOT_QUEUED;
	executing = is_executing(req);
	if (queued) {
		unlink_queued(service, req);
	} else if (executing) {
		if (!req->given_up && !req->orphan)
			req->worker->n_off_slot++;
		req->orphan = true;
		stop_asking(req);
		if (ends_orphans(service, why))
			__tell(req, TERN_CAUSE_RESET, true);
	}
	spin_unlock(&service->lock);
	if (queued)
		tern_request_put(req);
	return executing;
}

/*
 * The next executing request that is to be given up now.  Those whose deadline
 * has come are told so on the way, and owners are asked again.
 */
static struct tern_request *next_given_up(struct tern_service *service, u64 now,
					  u64 *next, struct tern_outbox *out)
{
	struct tern_worker *worker;
	struct tern_request *req;

	*next = U64_MAX;
	list_for_each_entry(worker, &service->workers, link) {
		list_for_each_entry(req, &worker->executing, link) {
			/* So are all behind it. */
			if (req->given_up)
				break;
			if (req->deadline_us <= now)
				__tell(req, TERN_CAUSE_TIMEOUT, true);
			if (req->give_up_us && req->give_up_us <= now)
				return req;
			*next = min(*next, req->give_up_us ?: req->deadline_us);
			if (!req->want_ms)
				continue;
			if (req->ask_us <= now) {
				tern_request_post_ask(req, req->want_ms, out);
				req->ask_us = now + ASK_US;
			}
			*next = min(*next, req->ask_us);
		}
	}
	return NULL;
}

/**
 * tern_service_timeout - the timer of a service went off
 * @service: the service
 * @out: for packets
 */
void tern_service_timeout(struct tern_service *service, struct tern_outbox *out)
{
	u64 now = tern_now_us();
	struct tern_request *req;
	u64 next;

	spin_lock_bh(&service->lock);
	service->timer_us = U64_MAX;
	while ((req = next_given_up(service, now, &next, out))) {
		if (!req->orphan)
			req->worker->n_off_slot++;
		req->given_up = true;
		list_move_tail(&req->link, &req->worker->executing);
		service->n_executing--;
		stop_asking(req);
		tern_request_get(req);
		spin_unlock_bh(&service->lock);
		TERN_COUNT(service->tn, GIVEN_UP);
		tern_request_fail(req, TERN_UNKNOWN, req->told, out);
		tern_request_put(req);
		spin_lock_bh(&service->lock);
	}
	if (next != U64_MAX)
		arm(service, next);
	spin_unlock_bh(&service->lock);
}

/* Whether a request that is executing was left by an earlier life of a peer. */
static bool is_of_old_life(const struct tern_request *req,
			   const struct tern_assoc *assoc)
{
	const struct tern_assoc *old = req->assoc;

	if (!req->orphan && !READ_ONCE(old->superseded))
		return false;
	return old->remote_epoch != assoc->remote_epoch &&
	       old->began_us < assoc->began_us &&
	       !memcmp(&old->peer->key, &assoc->peer->key,
		       sizeof(old->peer->key));
}

/**
 * tern_service_end_old_lives - end what a peer has left in its earlier lives
 * @service: the service
 * @assoc: the association of its present life
 * @named: the peer wants those ended that wait for it to say so
 *
 * Also what has lost its association before the present life began: of it there
 * is nobody left to ask.
 */
void tern_service_end_old_lives(struct tern_service *service,
				const struct tern_assoc *assoc, bool named)
{
	struct tern_worker *worker;
	struct tern_request *req;

	if (service->orphans == TERN_ORPHANS_EXPIRE ||
	    (service->orphans == TERN_ORPHANS_EXTERMINATE && !named))
		return;
	spin_lock_bh(&service->lock);
	list_for_each_entry(worker, &service->workers, link)
		list_for_each_entry(req, &worker->executing, link)
			if (is_of_old_life(req, assoc) &&
			    (req->orphan ||
			     service->orphans != TERN_ORPHANS_GENTLE))
				__tell(req, TERN_CAUSE_RESET, true);
	spin_unlock_bh(&service->lock);
}

/**
 * tern_service_next_event - receive an event
 * @worker: the worker
 * @event: filled in
 *
 * Return: false when there is none.
 */
bool tern_service_next_event(struct tern_worker *worker,
			     struct tern_cmsg_event *event)
{
	struct tern_service *service = worker->service;
	u64 grace_us = 1000ULL * READ_ONCE(service->tn->set.grace_ms);
	u64 now = tern_now_us();
	struct tern_request *req;
	bool found = false;
	u64 end;

	spin_lock_bh(&service->lock);
	list_for_each_entry(req, &worker->executing, link) {
		if (!req->unseen)
			continue;
		req->unseen = false;
		WRITE_ONCE(worker->n_events, worker->n_events - 1);
		end = req->give_up_us ?: req->deadline_us + grace_us;
		event->handle = tern_request_handle(req);
		event->cause = tern_cause_errno(req->told);
		event->time_left_ms = end > now ? tern_us_to_ms(end - now) : 0;
		found = true;
		break;
	}
	spin_unlock_bh(&service->lock);
	return found;
}

static struct tern_request *find_executing(struct tern_worker *worker,
					   u64 handle)
{
	struct tern_request *req;

	list_for_each_entry(req, &worker->executing, link)
		if (!req->given_up && tern_request_handle(req) == handle)
			return req;
	return NULL;
}

/**
 * tern_service_query - what is known of a request that is executing
 * @worker: who executes it
 * @query: the question, and the answer
 *
 * Return: 0 or -ENOENT.
 */
int tern_service_query(struct tern_worker *worker,
		       struct tern_ioc_request *query)
{
	struct tern_service *service = worker->service;
	struct tern_request *req;

	spin_lock_bh(&service->lock);
	req = find_executing(worker, query->handle);
	if (req) {
		query->time_left_ms = tern_request_time_left_ms(req);
		query->cause = tern_cause_errno(req->told);
	}
	spin_unlock_bh(&service->lock);
	return req ? 0 : -ENOENT;
}

/**
 * tern_service_ask - ask the owner of a request for more time
 * @worker: who executes it
 * @handle: the request
 * @want_ms: time from now, not 0
 * @out: for the question
 *
 * Return: the request with a reference, whose want_ms becomes 0 when the answer
 * is there or none will come; or NULL.
 */
struct tern_request *tern_service_ask(struct tern_worker *worker, u64 handle,
				      u32 want_ms, struct tern_outbox *out)
{
	struct tern_service *service = worker->service;
	struct tern_request *req;

	spin_lock_bh(&service->lock);
	req = find_executing(worker, handle);
	if (req)
		tern_request_get(req);
	if (req && !req->orphan && !req->give_up_us) {
		WRITE_ONCE(req->want_ms, want_ms);
		req->ask_us = tern_now_us() + ASK_US;
		tern_request_post_ask(req, want_ms, out);
		arm(service, req->ask_us);
	}
	spin_unlock_bh(&service->lock);
	return req;
}

/**
 * tern_service_answered - the owner of a request has answered
 * @req: a request that was queued
 * @left_ms: the time that the owner waits from now on
 *
 * Context: rx.lock of the association is held.
 */
void tern_service_answered(struct tern_request *req, u32 left_ms)
{
	struct tern_service *service = req->service;
	u64 deadline_us = tern_now_us() + 1000ULL * left_ms;

	spin_lock(&service->lock);
	/* An answer that was delayed may be of before another one. */
	if (is_executing(req) && !req->give_up_us &&
	    deadline_us > req->deadline_us)
		req->deadline_us = deadline_us;
	stop_asking(req);
	spin_unlock(&service->lock);
}

/**
 * tern_service_expire - drop queued requests whose deadline has passed
 * @service: the service
 * @out: for their outcome
 */
void tern_service_expire(struct tern_service *service, struct tern_outbox *out)
{
	struct tern_request *req, *next;
	u64 now = tern_now_us();
	LIST_HEAD(expired);

	spin_lock_bh(&service->lock);
	list_for_each_entry_safe(req, next, &service->queue, link) {
		if (req->deadline_us > now)
			continue;
		unlink_queued(service, req);
		WRITE_ONCE(req->state, TERN_SLOT_EXECUTING);
		list_add_tail(&req->link, &expired);
		service->n_executing++;
	}
	while ((req = list_first_entry_or_null(&expired, struct tern_request,
					       link))) {
		unlink_executing(service, req);
		spin_unlock_bh(&service->lock);
		TERN_COUNT(service->tn, EXPIRED);
		tern_request_fail(req, TERN_NOT_EXECUTED, TERN_CAUSE_TIMEOUT,
				  out);
		tern_request_put(req);
		spin_lock_bh(&service->lock);
	}
	spin_unlock_bh(&service->lock);
}

bool tern_service_has_requests(const struct tern_service *service)
{
	return READ_ONCE(service->n_queued);
}

/* Length of the next request, or -EAGAIN when none waits. */
int tern_service_next_len(struct tern_service *service)
{
	struct tern_request *req;
	int len = -EAGAIN;

	spin_lock_bh(&service->lock);
	req = list_first_entry_or_null(&service->queue, struct tern_request,
				       link);
	if (req)
		len = req->in.total;
	spin_unlock_bh(&service->lock);
	return len;
}

/*
 * Passes a wake-up on: for a worker that was woken for a request and goes away
 * without it.
 */
void tern_service_kick(struct tern_service *service)
{
	if (!tern_service_has_requests(service))
		return;
	local_bh_disable();
	wake(service);
	local_bh_enable();
}
