// SPDX-License-Identifier: GPL-2.0
/*
 * Timers of calls and peers, and the sweep: once a second, while a node has
 * anything to look after, it acknowledges idle replies, drops expired requests
 * and ends associations whose lease is over.
 *
 * Layer: L2.
 */
#include <linux/rhashtable.h>

#include "assoc.h"
#include "call.h"
#include "cause.h"
#include "output.h"
#include "peer.h"
#include "request.h"
#include "service.h"
#include "worker.h"
#include "timer.h"

#define SWEEP_INTERVAL	HZ

/* An association that the peer asked for and does not use ends after this. */
#define NEW_US		10000000

/* When memory is short, one that nobody uses ends after this. */
#define IDLE_US		2000000

/* The timer of a call, which holds a reference. */
void tern_timer_call(struct timer_list *timer)
{
	struct tern_call *call = container_of(timer, struct tern_call, timer);
	struct tern_outbox out;

	tern_outbox_init(&out);
	tern_call_timeout(call, &out);
	tern_output_flush(&out);
	tern_call_put(call);
}

/* The timer of a handshake, which holds a reference to the peer. */
void tern_timer_peer(struct timer_list *timer)
{
	struct tern_peer *peer = container_of(timer, struct tern_peer, timer);
	struct tern_outbox out;

	tern_outbox_init(&out);
	tern_peer_timeout(peer, &out);
	tern_output_flush(&out);
	tern_peer_put(peer);
}

/* The timer of what a service executes, which holds a reference. */
void tern_timer_service(struct timer_list *timer)
{
	struct tern_service *service = container_of(timer, struct tern_service,
						    timer);
	struct tern_outbox out;

	tern_outbox_init(&out);
	tern_workers_timeout(service, &out);
	tern_output_flush(&out);
	tern_service_put(service);
}

/* Whether neither node uses an association now. */
static bool is_idle(const struct tern_assoc *assoc)
{
	return !READ_ONCE(assoc->tx.in_use) && !READ_ONCE(assoc->tx.unacked) &&
	       !READ_ONCE(assoc->rx.requests);
}

/* Whether nobody who is still waited for can use an association again. */
static bool is_over(struct tern_assoc *assoc)
{
	u64 silent = tern_us_since(READ_ONCE(assoc->heard_us));
	u64 lease = 1000ULL * READ_ONCE(assoc->tn->set.lease_ms);

	switch (READ_ONCE(assoc->state)) {
	case TERN_ASSOC_NEW:
		return silent > NEW_US;
	case TERN_ASSOC_UP:
		if (silent > IDLE_US && is_idle(assoc) &&
		    time_before(jiffies, READ_ONCE(assoc->tn->pressed_until)))
			return true;
		/* Calls that are waited for end at their deadline. */
		return silent > lease && READ_ONCE(assoc->tx.in_use) ==
					 READ_ONCE(assoc->tx.quarantined) &&
		       !tern_requests_awaited(assoc);
	}
	return false;
}

static void sweep_assocs(struct tern_net *tn)
{
	struct tern_assoc *assoc;
	unsigned long index = 0;
	struct tern_outbox out;

	tern_outbox_init(&out);
	while ((assoc = tern_assoc_next(tn, &index))) {
		tern_calls_ack_idle(assoc, &out);
		tern_calls_keep_alive(assoc, &out);
		tern_requests_expire(assoc, &out);
		if (!assoc->peer->self && is_over(assoc)) {
			tern_assoc_bye(assoc, &out);
			tern_output_flush(&out);
			tern_assoc_end(assoc, NULL, TERN_CAUSE_TIMEOUT,
				       TERN_END_SILENT, &out);
		} else if (READ_ONCE(assoc->superseded) &&
			   !tern_requests_ask(assoc, &out)) {
			tern_assoc_end(assoc, NULL, TERN_CAUSE_RESET,
				       TERN_END_REBORN, &out);
		}
		tern_output_flush(&out);
		tern_assoc_put(assoc);
		cond_resched();
	}
}

static void sweep_services(struct tern_net *tn)
{
	struct tern_service *service;
	struct rhashtable_iter iter;
	struct tern_outbox out;

	tern_outbox_init(&out);
	rhashtable_walk_enter(&tn->services, &iter);
	rhashtable_walk_start(&iter);
	while ((service = rhashtable_walk_next(&iter))) {
		if (IS_ERR(service))
			continue;
		tern_service_expire(service, &out);
		tern_output_flush(&out);
	}
	rhashtable_walk_stop(&iter);
	rhashtable_walk_exit(&iter);
}

/* What a peer has left in its earlier lives, now that it has another. */
static void end_old_lives(struct tern_peer *peer)
{
	struct tern_life begun, named;
	struct tern_service *service;
	struct rhashtable_iter iter;

	if (!tern_peer_take_lives(peer, &begun, &named))
		return;
	rhashtable_walk_enter(&peer->tn->services, &iter);
	rhashtable_walk_start(&iter);
	while ((service = rhashtable_walk_next(&iter)))
		if (!IS_ERR(service))
			tern_workers_end_old_lives(service, peer, &begun,
						   &named);
	rhashtable_walk_stop(&iter);
	rhashtable_walk_exit(&iter);
}

static void sweep_peers(struct tern_net *tn)
{
	struct rhashtable_iter iter;
	struct tern_peer *peer;

	rhashtable_walk_enter(&tn->peers, &iter);
	rhashtable_walk_start(&iter);
	while ((peer = rhashtable_walk_next(&iter))) {
		if (IS_ERR(peer))
			continue;
		end_old_lives(peer);
		tern_peer_reap(peer);
	}
	rhashtable_walk_stop(&iter);
	rhashtable_walk_exit(&iter);
}

static void sweep(struct work_struct *work)
{
	struct tern_net *tn = container_of(to_delayed_work(work),
					   struct tern_net, gc);

	sweep_assocs(tn);
	sweep_services(tn);
	sweep_peers(tn);
	tern_assoc_forget(tn);
	if (atomic_read(&tn->n_assocs) || atomic_read(&tn->n_peers) ||
	    atomic_read(&tn->n_services) || atomic_read(&tn->n_tombstones))
		queue_delayed_work(system_power_efficient_wq, &tn->gc,
				   SWEEP_INTERVAL);
}

void tern_timer_sweep_init(struct tern_net *tn)
{
	INIT_DELAYED_WORK(&tn->gc, sweep);
}

/* To be called where a node may get its first peer, association or service. */
void tern_timer_sweep_need(struct tern_net *tn)
{
	queue_delayed_work(system_power_efficient_wq, &tn->gc, SWEEP_INTERVAL);
}

void tern_timer_sweep_now(struct tern_net *tn)
{
	mod_delayed_work(system_power_efficient_wq, &tn->gc, 0);
}
