// SPDX-License-Identifier: GPL-2.0
/*
 * The list of services.
 *
 * Layer: L3.
 */
#include <linux/rhashtable.h>
#include <linux/tern.h>
#include <net/sock.h>

#include "net.h"
#include "netlink.h"
#include "netlink_gen.h"
#include "service.h"
#include "worker.h"

static int compare_keys(const struct tern_service_key *a,
			const struct tern_service_key *b)
{
	if (a->program != b->program)
		return a->program < b->program ? -1 : 1;
	if (a->version != b->version)
		return a->version < b->version ? -1 : 1;
	return 0;
}

static int compare(const void *a, const void *b)
{
	const struct tern_service *x = a, *y = b;

	return compare_keys(&x->key, &y->key);
}

static bool is_next(const struct tern_nl_service_cursor *cursor,
		    const struct tern_service_key *key)
{
	int order;

	if (!cursor->begun)
		return true;
	order = compare_keys(key, &cursor->key);
	return order > 0 || (!order && cursor->inside);
}

/**
 * tern_nl_services_next - the services that come next in a list
 * @tn: the node
 * @cursor: where the list has come to
 * @batch: receives them; full when there may be more
 */
void tern_nl_services_next(struct tern_net *tn,
			   const struct tern_nl_service_cursor *cursor,
			   struct tern_nl_batch *batch)
{
	struct tern_service *service;
	struct rhashtable_iter iter;

	batch->count = 0;
	rhashtable_walk_enter(&tn->services, &iter);
	rhashtable_walk_start(&iter);
	while ((service = rhashtable_walk_next(&iter))) {
		/* -EAGAIN: the table is resized, and walked from its start */
		if (IS_ERR(service) || !is_next(cursor, &service->key) ||
		    !refcount_inc_not_zero(&service->ref))
			continue;
		service = tern_nl_batch_add(batch, service, compare);
		if (service)
			tern_service_put(service);
	}
	rhashtable_walk_stop(&iter);
	rhashtable_walk_exit(&iter);
}

/* Threads that wait in a receiving system call, not in poll(). */
static unsigned int count_waiting(struct tern_service *service)
{
	struct wait_queue_entry *entry;
	unsigned int n = 0;

	spin_lock_bh(&service->wq.lock);
	list_for_each_entry(entry, &service->wq.head, entry)
		if (entry->flags & WQ_FLAG_EXCLUSIVE)
			n++;
	spin_unlock_bh(&service->wq.lock);
	return n;
}

static u64 limit_bytes(const struct tern_service *service)
{
	const struct tern_worker *worker;
	u64 limit = 0;

	list_for_each_entry(worker, &service->workers, link)
		limit += READ_ONCE(worker->sk->sk_rcvbuf);
	return limit;
}

static int put_attributes(struct sk_buff *skb, struct tern_service *service)
{
	unsigned int waiting = count_waiting(service);
	int err = 0;

	BUILD_BUG_ON((int)TERN_ORPHAN_POLICY_EXTERMINATE !=
		     TERN_ORPHANS_EXTERMINATE);
	if (nla_put_u32(skb, TERN_A_SERVICE_PROGRAM, service->key.program) ||
	    nla_put_u32(skb, TERN_A_SERVICE_VERSION, service->key.version) ||
	    nla_put_u32(skb, TERN_A_SERVICE_WORKERS, waiting) ||
	    nla_put_u32(skb, TERN_A_SERVICE_ORPHANS, service->orphans))
		return -EMSGSIZE;
	spin_lock_bh(&service->lock);
	if (nla_put_u32(skb, TERN_A_SERVICE_SOCKETS, service->n_workers) ||
	    nla_put_u32(skb, TERN_A_SERVICE_QUEUED, service->n_queued) ||
	    nla_put_u32(skb, TERN_A_SERVICE_EXECUTING, service->n_executing) ||
	    nla_put_u64_64bit(skb, TERN_A_SERVICE_QUEUED_BYTES,
			      service->queued_bytes, TERN_A_SERVICE_PAD) ||
	    nla_put_u64_64bit(skb, TERN_A_SERVICE_LIMIT_BYTES,
			      limit_bytes(service), TERN_A_SERVICE_PAD))
		err = -EMSGSIZE;
	spin_unlock_bh(&service->lock);
	return err;
}

static int put_service(struct sk_buff *skb, struct netlink_callback *cb,
		       struct tern_service *service)
{
	struct tern_nl_object object;
	int err;

	err = tern_nl_begin(skb, cb, &object, TERN_CMD_SERVICE_GET,
			    TERN_A_SERVICE);
	if (err)
		return err;
	err = put_attributes(skb, service);
	return tern_nl_end(skb, &object, err);
}

int tern_nl_service_get_dumpit(struct sk_buff *skb,
			       struct netlink_callback *cb)
{
	struct tern_nl_service_cursor *cursor = (void *)cb->ctx;
	struct tern_net *tn = tern_nl_net(cb);
	struct tern_nl_batch *batch;
	unsigned int i;
	int err = 0;

	BUILD_BUG_ON(sizeof(*cursor) > sizeof(cb->ctx));
	batch = kmalloc(sizeof(*batch), GFP_KERNEL);
	if (!batch)
		return -ENOMEM;
	do {
		tern_nl_services_next(tn, cursor, batch);
		for (i = 0; i < batch->count; i++) {
			struct tern_service *service = batch->object[i];

			if (!err)
				err = put_service(skb, cb, service);
			if (!err) {
				cursor->key = service->key;
				cursor->begun = true;
			}
			tern_service_put(service);
		}
	} while (!err && batch->count == TERN_NL_BATCH);
	kfree(batch);
	return tern_nl_dumped(skb, err);
}
