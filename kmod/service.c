// SPDX-License-Identifier: GPL-2.0
/*
 * Services: who receives for them, and their queues.
 *
 * Layer: L1.  Lock: of the service.
 */
#include <linux/rhashtable.h>
#include <linux/slab.h>
#include <net/sock.h>

#include "cause.h"
#include "request.h"
#include "service.h"
#include "worker.h"

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

/**
 * __tern_service_unlink - take a request off the queue
 * @service: the service, whose lock is held
 * @req: the request; the queue's reference belongs to the caller
 */
void __tern_service_unlink(struct tern_service *service,
			   struct tern_request *req)
{
	list_del_init(&req->link);
	service->n_queued--;
	service->queued_bytes -= req->charge;
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

	tern_worker_end(worker, out);
	spin_lock_bh(&service->lock);
	while (last && (req = list_first_entry_or_null(&service->queue,
						       struct tern_request,
						       link))) {
		__tern_service_unlink(service, req);
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
		__tern_service_unlink(service, req);
	spin_unlock(&service->lock);
	return queued;
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
		__tern_service_unlink(service, req);
		WRITE_ONCE(req->state, TERN_SLOT_EXECUTING);
		list_add_tail(&req->link, &expired);
	}
	spin_unlock_bh(&service->lock);
	list_for_each_entry_safe(req, next, &expired, link) {
		list_del_init(&req->link);
		TERN_COUNT(service->tn, EXPIRED);
		tern_request_fail(req, TERN_NOT_EXECUTED, TERN_CAUSE_TIMEOUT,
				  out);
		tern_request_put(req);
	}
}

/**
 * tern_service_next_len - what a worker would get
 * @service: the service
 *
 * What has expired waits for the sweep, or for the next worker, which drop it.
 *
 * Return: length of the next request, or -EAGAIN when none waits.
 */
int tern_service_next_len(struct tern_service *service)
{
	struct tern_request *req;
	int len = -EAGAIN;
	u64 now;

	if (!READ_ONCE(service->n_queued))
		return len;
	now = tern_now_us();
	spin_lock_bh(&service->lock);
	list_for_each_entry(req, &service->queue, link) {
		if (req->deadline_us <= now)
			continue;
		len = req->in.total;
		break;
	}
	spin_unlock_bh(&service->lock);
	return len;
}

/**
 * tern_service_has_requests - whether a worker would get one
 * @service: the service
 */
bool tern_service_has_requests(struct tern_service *service)
{
	return tern_service_next_len(service) >= 0;
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
