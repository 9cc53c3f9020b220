// SPDX-License-Identifier: GPL-2.0
/*
 * Workers: what they execute, and what becomes of it when nobody wants it any
 * more.
 *
 * Layer: L1.  Lock: of the service.
 */
#include <linux/sched/signal.h>
#include <linux/wait_bit.h>
#include <net/sock.h>

#include "cause.h"
#include "packet.h"
#include "peer.h"
#include "request.h"
#include "service.h"
#include "worker.h"

/* The owner is asked again when it did not answer for this long. */
#define ASK_US		200000

/* A worker with so many requests that nobody waits for gets no others. */
#define OFF_SLOT_MAX	1024

/* Requests that are given up before the lock is released. */
#define GIVE_UP_MAX	32

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

/*
 * Nobody waits for it any more, while its worker goes on: what it takes is limited
 * with what is queued, until the last reference goes.
 */
static void leave_slot(struct tern_request *req)
{
	req->worker->n_off_slot++;
	tern_peer_queued(req->assoc->peer, sizeof(*req));
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
 * tern_worker_take - give the next request to a worker
 * @worker: of a bound socket
 * @out: for the outcome of expired ones
 *
 * Context: process.
 * Return: the request with a reference, NULL when none waits, or an error
 * pointer: -ENOBUFS when the worker has too many that nobody waits for.
 */
struct tern_request *tern_worker_take(struct tern_worker *worker,
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
		__tern_service_unlink(service, req);
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
 * tern_worker_return - put a request back that could not be handed out
 * @worker: who took it
 * @req: the request; the reference of tern_worker_take() is dropped
 */
void tern_worker_return(struct tern_worker *worker, struct tern_request *req)
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
 * __tern_worker_done - a worker wants to reply to a request
 * @worker: who replies
 * @req: the request, whose rx.lock is held
 *
 * Return: false when it does not execute the request.  Else the reference of
 * its list belongs to the caller.
 */
bool __tern_worker_done(struct tern_worker *worker, struct tern_request *req)
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
 * tern_worker_bury - a worker is done with a request that is off its slot
 * @worker: the worker
 * @handle: the request, which was given up or is an orphan
 *
 * Return: whether there was one.
 */
bool tern_worker_bury(struct tern_worker *worker, u64 handle)
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

/**
 * tern_worker_end - a worker goes away
 * @worker: the worker, which is none of its service's any more
 * @out: for the outcomes
 *
 * What it was executing ends as UNKNOWN.
 */
void tern_worker_end(struct tern_worker *worker, struct tern_outbox *out)
{
	struct tern_service *service = worker->service;
	struct tern_request *req;

	spin_lock_bh(&service->lock);
	while ((req = list_first_entry_or_null(&worker->executing,
					       struct tern_request, link))) {
		unlink_executing(service, req);
		spin_unlock_bh(&service->lock);
		if (!req->given_up)
			TERN_COUNT(service->tn, OWNER_DIED);
		tern_request_fail(req, TERN_UNKNOWN, TERN_CAUSE_OWNER_DIED,
				  out);
		tern_request_put(req);
		spin_lock_bh(&service->lock);
	}
	spin_unlock_bh(&service->lock);
}

/*
 * io_uring ignores wake-ups that are for EPOLLPRI alone.  The other bit is only
 * for those who ask for it: to report it would make select() take the socket for
 * readable.
 */
static void wake_event(struct sock *sk)
{
	struct socket_wq *wq;

	rcu_read_lock();
	wq = rcu_dereference(sk->sk_wq);
	if (skwq_has_sleeper(wq))
		wake_up_interruptible_poll(&wq->wait, EPOLLPRI | EPOLLRDBAND);
	rcu_read_unlock();
	/* The file is there: its socket still has what it executes. */
	sk_send_sigurg(sk);
}

/* An event of a request waits for its worker; the lock is held. */
static void __event_waits(struct tern_request *req)
{
	struct tern_worker *worker = req->worker;

	if (!req->unseen)
		WRITE_ONCE(worker->n_events, worker->n_events + 1);
	req->unseen = true;
	wake_event(worker->sk);
}

/*
 * Tells the worker that a request is not wanted any more, and decides when it
 * is given up.  The lock is held.
 *
 * It is told again when the end comes before the deadline, of which it was told.
 */
static bool __tell(struct tern_request *req, u8 cause, bool give_up)
{
	struct tern_service *service = req->service;
	bool ends = give_up && !req->give_up_us;

	if (req->given_up)
		return false;
	if (!req->told || (ends && cause != TERN_CAUSE_TIMEOUT)) {
		req->told = cause;
		TERN_COUNT(service->tn, TOLD);
		__event_waits(req);
	}
	if (ends) {
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
 * tern_worker_tell - tell a worker that a request is not wanted any more
 * @req: a request that was queued
 * @cause: why, enum tern_cause
 * @give_up: give it up after the grace time; otherwise at the deadline
 *
 * Context: rx.lock of the association is held.
 * Return: false when no worker executes it.
 */
bool tern_worker_tell(struct tern_request *req, u8 cause, bool give_up)
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
 * tern_worker_forget - a request leaves its slot before its worker has replied
 * @req: the request, which was queued
 * @why: why
 *
 * A queued request is not executed.  An executing one stays with its worker,
 * for as long as the service's policy and its deadline let it.
 *
 * Context: rx.lock of the association is held.
 * Return: whether it was executing.
 */
bool tern_worker_forget(struct tern_request *req, enum tern_end why)
{
	struct tern_service *service = req->service;
	bool executing, queued;

	spin_lock(&service->lock);
	queued = req->state == TERN_SLOT_QUEUED;
	executing = is_executing(req);
	if (queued) {
		__tern_service_unlink(service, req);
	} else if (executing) {
		if (!req->given_up && !req->orphan)
			leave_slot(req);
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
 * Gives up what executes and is due, as many as fit: of each a reference is in
 * @due.  Those whose deadline has come are told so on the way, and owners are
 * asked again.
 */
static unsigned int give_up(struct tern_service *service, u64 now,
			    struct tern_request **due, u64 *next,
			    struct tern_outbox *out)
{
	struct tern_request *req, *after;
	struct tern_worker *worker;
	unsigned int n = 0;

	*next = U64_MAX;
	list_for_each_entry(worker, &service->workers, link) {
		list_for_each_entry_safe(req, after, &worker->executing, link) {
			/* So are all behind it. */
			if (req->given_up)
				break;
			if (req->deadline_us <= now)
				__tell(req, TERN_CAUSE_TIMEOUT, true);
			if (req->give_up_us && req->give_up_us <= now) {
				if (!req->orphan)
					leave_slot(req);
				req->given_up = true;
				list_move_tail(&req->link, &worker->executing);
				service->n_executing--;
				stop_asking(req);
				tern_request_get(req);
				due[n++] = req;
				if (n == GIVE_UP_MAX)
					return n;
				continue;
			}
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
	return n;
}

/**
 * tern_workers_timeout - the timer of a service went off
 * @service: the service
 * @out: for packets
 */
void tern_workers_timeout(struct tern_service *service, struct tern_outbox *out)
{
	struct tern_request *due[GIVE_UP_MAX];
	u64 now = tern_now_us();
	unsigned int i, n;
	u64 next;

	do {
		spin_lock_bh(&service->lock);
		service->timer_us = U64_MAX;
		n = give_up(service, now, due, &next, out);
		if (n < GIVE_UP_MAX && next != U64_MAX)
			arm(service, next);
		spin_unlock_bh(&service->lock);
		for (i = 0; i < n; i++) {
			TERN_COUNT(service->tn, GIVEN_UP);
			tern_request_fail(due[i], TERN_UNKNOWN, due[i]->told,
					  out);
			tern_request_put(due[i]);
		}
	} while (n == GIVE_UP_MAX);
}

/* Whether a request that is executing was left by an earlier life of a peer. */
static bool is_of_old_life(const struct tern_request *req,
			   const struct tern_peer *peer,
			   const struct tern_life *life)
{
	const struct tern_assoc *old = req->assoc;

	if (!req->orphan && !READ_ONCE(old->superseded))
		return false;
	return old->remote_epoch != life->epoch &&
	       old->began_us < life->began_us && !tern_assoc_has_moved(old) &&
	       !memcmp(&old->peer->key, &peer->key, sizeof(peer->key));
}

/**
 * tern_workers_end_old_lives - end what a peer has left in its earlier lives
 * @service: the service
 * @peer: the peer
 * @begun: its present life, or none
 * @named: its life that wants those ended which wait for it to say so, or none
 *
 * Not what belongs to a node that was last heard at another address: it is not
 * the one that lives there now.  Also what has lost its association before the
 * present life began: of it there is nobody left to ask.
 */
void tern_workers_end_old_lives(struct tern_service *service,
				const struct tern_peer *peer,
				const struct tern_life *begun,
				const struct tern_life *named)
{
	const struct tern_life *life = begun;
	struct tern_worker *worker;
	struct tern_request *req;

	if (service->orphans == TERN_ORPHANS_EXTERMINATE)
		life = named;
	if (service->orphans == TERN_ORPHANS_EXPIRE || !life->epoch)
		return;
	spin_lock_bh(&service->lock);
	list_for_each_entry(worker, &service->workers, link)
		list_for_each_entry(req, &worker->executing, link)
			if (is_of_old_life(req, peer, life) &&
			    (req->orphan ||
			     service->orphans != TERN_ORPHANS_GENTLE))
				__tell(req, TERN_CAUSE_RESET, true);
	spin_unlock_bh(&service->lock);
}

/**
 * tern_worker_next_event - receive an event
 * @worker: the worker
 * @event: filled in
 *
 * Return: false when there is none.
 */
bool tern_worker_next_event(struct tern_worker *worker,
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

/**
 * tern_worker_return_event - put an event back that could not be handed out
 * @worker: who took it
 * @handle: its request, which may be gone meanwhile
 */
void tern_worker_return_event(struct tern_worker *worker, u64 handle)
{
	struct tern_service *service = worker->service;
	struct tern_request *req;

	spin_lock_bh(&service->lock);
	list_for_each_entry(req, &worker->executing, link) {
		if (tern_request_handle(req) != handle)
			continue;
		__event_waits(req);
		break;
	}
	spin_unlock_bh(&service->lock);
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
 * tern_worker_query - what is known of a request that is executing
 * @worker: who executes it
 * @query: the question, and the answer
 *
 * Return: 0 or -ENOENT.
 */
int tern_worker_query(struct tern_worker *worker,
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
 * tern_worker_ask - ask the owner of a request for more time
 * @worker: who executes it
 * @handle: the request
 * @want_ms: time from now, not 0
 * @out: for the question
 *
 * Return: the request with a reference, whose want_ms becomes 0 when the answer
 * is there or none will come; or NULL.
 */
struct tern_request *tern_worker_ask(struct tern_worker *worker, u64 handle,
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
 * tern_worker_answered - the owner of a request has answered
 * @req: a request that was queued
 * @left_us: the time that the owner waits from now on
 *
 * Context: rx.lock of the association is held.
 */
void tern_worker_answered(struct tern_request *req, u64 left_us)
{
	struct tern_service *service = req->service;
	u64 deadline_us = tern_now_us() + left_us;

	spin_lock(&service->lock);
	/* An answer that was delayed may be of before another one. */
	if (is_executing(req) && !req->give_up_us &&
	    deadline_us > req->deadline_us)
		req->deadline_us = deadline_us;
	stop_asking(req);
	spin_unlock(&service->lock);
}
