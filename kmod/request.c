// SPDX-License-Identifier: GPL-2.0
/*
 * Requests as their server sees them: the duplicate filter, and the refusals
 * that keep what is queued and cached bounded.
 *
 * Layer: L1.  Lock: rx.lock of the association.
 */
#include <linux/slab.h>
#include <linux/tern.h>

#include "cause.h"
#include "net.h"
#include "packet.h"
#include "request.h"
#include "rxslot.h"
#include "segment.h"
#include "service.h"
#include "worker.h"

/* What a request may hold in memory while it is queued. */
static u32 charge_of(const struct tern_wire_seg *seg)
{
	return sizeof(struct tern_request) + tern_seg_charge(seg);
}

static bool has_room(const struct tern_assoc *assoc, u32 size)
{
	const struct tern_net *tn = assoc->tn;

	return atomic64_read(&tn->queue_bytes) + size <=
	       READ_ONCE(tn->set.queue_net) &&
	       atomic64_read(&assoc->peer->queue_bytes) + size <=
	       READ_ONCE(tn->set.queue_peer);
}

/* Raises what a request is charged with; false when there was no room for it. */
static bool charge(struct tern_request *req, u32 to)
{
	u32 more = to > req->charge ? to - req->charge : 0;
	bool room = !more || has_room(req->assoc, more);

	req->charge += more;
	tern_peer_queued(req->assoc->peer, more);
	return room;
}

/**
 * tern_request_consumed - the content of a request is not needed any more
 * @req: the request
 */
void tern_request_consumed(struct tern_request *req)
{
	tern_assembly_free(&req->in);
	tern_peer_queued(req->assoc->peer, -(s64)req->charge);
	req->charge = 0;
}

void tern_request_put(struct tern_request *req)
{
	if (!refcount_dec_and_test(&req->ref))
		return;
	tern_request_consumed(req);
	/* See leave_slot(). */
	if (req->given_up || req->orphan)
		tern_peer_queued(req->assoc->peer, -(s64)sizeof(*req));
	if (req->service)
		tern_service_put(req->service);
	tern_msg_put(req->reply);
	tern_assoc_put(req->assoc);
	kfree(req);
}

/* What a client says, but no longer than a caller can ask for. */
static u64 time_us(u32 ms)
{
	return min_t(u32, ms, TERN_TIMEOUT_MAX) * 1000ULL;
}

static struct tern_request *request_alloc(struct tern_assoc *assoc,
					  const struct tern_wire_pkt *pkt)
{
	struct tern_request *req = kzalloc(sizeof(*req), GFP_ATOMIC);

	if (!req)
		return NULL;
	if (tern_assembly_start(&req->in, &pkt->seg)) {
		kfree(req);
		return NULL;
	}
	tern_assoc_get(assoc);
	req->assoc = assoc;
	req->seq = pkt->seq;
	req->slot = pkt->slot;
	req->program = pkt->req.program;
	req->version = pkt->req.version;
	req->procedure = pkt->req.procedure;
	if (pkt->flags & TERN_WIRE_ONEWAY)
		req->flags |= TERN_CALL_ONEWAY;
	if (pkt->flags & TERN_WIRE_IDEMPOTENT)
		req->flags |= TERN_CALL_IDEMPOTENT;
	if (pkt->flags & TERN_WIRE_MAYBE)
		req->flags |= TERN_CALL_MAYBE;
	req->arrived_us = tern_now_us();
	req->deadline_us = req->arrived_us + time_us(pkt->req.time_left_ms);
	req->tsoff = pkt->tsval - (u32)req->arrived_us;
	req->state = TERN_SLOT_RECEIVING;
	INIT_LIST_HEAD(&req->link);
	refcount_set(&req->ref, 1);
	charge(req, charge_of(&pkt->seg));
	return req;
}

/* Whether a segment is of the request that the slot knows (a true duplicate) */
static bool is_same(const struct tern_request *req,
		    const struct tern_wire_pkt *pkt)
{
	return req->in.total == pkt->seg.total &&
	       req->in.digest == pkt->seg.digest &&
	       req->program == pkt->req.program &&
	       req->version == pkt->req.version &&
	       req->procedure == pkt->req.procedure;
}

static void post_busy(const struct tern_request *req, struct tern_outbox *out)
{
	struct tern_wire_pkt pkt = {
		.type = TERN_PKT_BUSY,
		.slot = req->slot,
		.seq = req->seq,
		.tsecr = tern_request_echo(req),
	};

	tern_packet_post(out, req->assoc, &pkt, NULL, 0);
	TERN_COUNT(req->assoc->tn, BUSY_OUT);
}

/* Why a new request cannot be taken, enum tern_cause. */
static u8 refusal(struct tern_assoc *assoc, const struct tern_wire_pkt *pkt)
{
	const struct tern_settings *set = &assoc->tn->set;
	struct tern_net *tn = assoc->tn;

	if (READ_ONCE(assoc->superseded))
		return TERN_CAUSE_RESET;
	/* The association that we asked for carries the peer's calls too. */
	if (!READ_ONCE(assoc->may_call)) {
		TERN_COUNT(tn, NOT_ALLOWED);
		return TERN_CAUSE_DENIED;
	}
	if (pkt->seg.total > TERN_MESSAGE_MAX) {
		TERN_COUNT(tn, REFUSED_SIZE);
		return TERN_CAUSE_TOO_BIG;
	}
	if (atomic64_read(&tn->cache_bytes) >= READ_ONCE(set->cache_net) ||
	    atomic64_read(&assoc->peer->cache_bytes) >=
	    READ_ONCE(set->cache_peer)) {
		TERN_COUNT(tn, REFUSED_CACHE);
		return TERN_CAUSE_NO_SPACE;
	}
	if (!has_room(assoc, charge_of(&pkt->seg))) {
		TERN_COUNT(tn, REFUSED_QUEUE);
		return TERN_CAUSE_NO_SPACE;
	}
	return TERN_CAUSE_NONE;
}

/* A request is whole: give it to its service. */
static void deliver(struct tern_request *req, struct tern_outbox *out)
{
	struct tern_assoc *assoc = req->assoc;
	struct tern_rxslot *slot = tern_rx_slot(&assoc->rx, req->slot);
	bool oneway = req->flags & TERN_CALL_ONEWAY;
	struct tern_service *service;
	int cause = TERN_CAUSE_REFUSED;
	u8 outcome = TERN_NOT_EXECUTED;
	u16 i = req->slot;
	u32 tsecr;

	list_del_init(&req->link);
	service = tern_service_find(assoc->tn, req->program, req->version);
	if (service)
		cause = tern_service_queue(service, req);
	if (!cause && !oneway)
		return;

	/* The slot keeps only the outcome, and the queue a one-way request. */
	if (!cause)
		outcome = TERN_DELIVERED;
	else if (cause == TERN_CAUSE_REFUSED)
		TERN_COUNT(assoc->tn, REFUSED_SERVICE);
	else
		TERN_COUNT(assoc->tn, REFUSED_QUEUE);
	tsecr = tern_request_echo(req);
	tern_rxslot_end(&assoc->rx, slot, outcome, cause);
	tern_rxslot_post(assoc, i, tsecr, out);
}

/* What is missing of a request is not taken any more, nor asked for. */
static void refuse_rest(struct tern_request *req,
			const struct tern_wire_pkt *pkt,
			struct tern_outbox *out)
{
	list_del_init(&req->link);
	tern_request_consumed(req);
	tern_rxslot_refuse(req->assoc, pkt, TERN_NOT_EXECUTED,
			   TERN_CAUSE_NO_SPACE, out);
}

/* Adds a segment; delivers the request when that makes it whole. */
static bool add(struct tern_request *req, const struct tern_wire_pkt *pkt,
		struct sk_buff *skb, struct tern_outbox *out)
{
	struct tern_assembly *in = &req->in;
	bool room;

	if (tern_assembly_is_cut_anew(in, &pkt->seg)) {
		tern_assembly_free(in);
		if (tern_assembly_start(in, &pkt->seg)) {
			refuse_rest(req, pkt, out);
			return false;
		}
	}
	if (!tern_assembly_matches(in, &pkt->seg) ||
	    !tern_assembly_add(in, pkt, skb)) {
		TERN_COUNT(req->assoc->tn, DUPLICATES);
		return false;
	}
	/* Only now it is known what the packets that it comes in take. */
	room = charge(req, sizeof(*req) + in->truesize);
	if (tern_assembly_is_whole(in)) {
		deliver(req, out);
	} else if (!room) {
		TERN_COUNT(req->assoc->tn, REFUSED_QUEUE);
		refuse_rest(req, pkt, out);
	}
	return true;
}

/* A segment of a request that is incomplete; tells what is missing if asked */
static bool input_more(struct tern_request *req,
		       const struct tern_wire_pkt *pkt, struct sk_buff *skb,
		       struct tern_outbox *out)
{
	bool taken;

	tern_request_get(req);
	taken = add(req, pkt, skb, out);
	if (pkt->flags & TERN_WIRE_PROBE && req->in.segs &&
	    READ_ONCE(req->state) == TERN_SLOT_RECEIVING)
		tern_segments_ask(out, req->assoc, &req->in, 0, req->slot,
				  req->seq, tern_request_echo(req));
	tern_request_put(req);
	return taken;
}

/* The kernel's own service: the node, whose procedures reply nothing. */
static void input_node(struct tern_assoc *assoc,
		       const struct tern_wire_pkt *pkt, struct tern_outbox *out)
{
	bool oneway = pkt->flags & TERN_WIRE_ONEWAY;

	if (pkt->req.version || pkt->req.procedure > TERN_PROC_EXTERMINATE) {
		tern_rxslot_refuse(assoc, pkt, TERN_NOT_EXECUTED, TERN_CAUSE_NO_PROC, out);
		return;
	}
	if (pkt->req.procedure == TERN_PROC_EXTERMINATE)
		tern_peer_has_life(assoc, true);
	tern_rxslot_refuse(assoc, pkt, oneway ? TERN_DELIVERED : TERN_REPLIED,
			   TERN_CAUSE_NONE, out);
}

/*
 * Whether memory is short: the system's, or three quarters of what may be
 * cached.  Fewer calls at a time then keep it below the limit, past which calls
 * are refused.
 */
static bool is_pressed(const struct tern_assoc *assoc)
{
	const struct tern_net *tn = assoc->tn;
	u64 node = READ_ONCE(tn->set.cache_net);
	u64 peer = READ_ONCE(tn->set.cache_peer);

	return time_before(jiffies, READ_ONCE(tn->pressed_until)) ||
	       atomic64_read(&tn->cache_bytes) > node - node / 4 ||
	       atomic64_read(&assoc->peer->cache_bytes) > peer - peer / 4;
}

static bool input_new(struct tern_assoc *assoc, const struct tern_wire_pkt *pkt,
		      struct sk_buff *skb, struct tern_outbox *out)
{
	struct tern_rx *rx = &assoc->rx;
	struct tern_rxslot *slot = tern_rx_slot(rx, pkt->slot);
	struct tern_net *tn = assoc->tn;
	struct tern_request *req;
	bool grown, taken;
	u8 cause;

	TERN_COUNT(tn, REQUESTS);
	slot->ran = slot->seq == pkt->seq;
	tern_rxslot_acked(assoc, slot);
	slot->seq = pkt->seq;
	grown = tern_rx_set_offer(rx, pkt->slot, is_pressed(assoc),
				  min_t(u32, READ_ONCE(tn->set.slots_max),
					TERN_SLOTS_MAX));

	cause = refusal(assoc, pkt);
	if (cause) {
		tern_rxslot_refuse(assoc, pkt, TERN_NOT_EXECUTED, cause, out);
		return false;
	}
	if (pkt->req.program == TERN_PROGRAM_NODE) {
		input_node(assoc, pkt, out);
		return false;
	}
	req = request_alloc(assoc, pkt);
	if (!req) {
		TERN_COUNT(tn, REFUSED_MEMORY);
		tern_rxslot_refuse(assoc, pkt, TERN_NOT_EXECUTED, TERN_CAUSE_NO_SPACE, out);
		return false;
	}
	slot->req = req;
	rx->requests++;
	list_add_tail(&req->link, &rx->receiving);
	taken = input_more(req, pkt, skb, out);
	/* The client may have calls that wait for a slot. */
	if (grown && slot->req)
		post_busy(slot->req, out);
	return taken;
}

/*
 * Finds the slot that a REQ or CANCEL is for, and judges the packet; counts
 * those that are to be dropped.
 */
static enum tern_verdict judge(struct tern_assoc *assoc,
			       const struct tern_wire_pkt *pkt,
			       struct tern_rxslot **slot, bool *newest)
{
	struct tern_rx *rx = &assoc->rx;
	enum tern_verdict verdict;

	if (READ_ONCE(assoc->state) == TERN_ASSOC_ENDED)
		return TERN_VERDICT_OLD;
	*slot = tern_rx_obtain(rx, pkt->slot);
	if (!*slot) {
		TERN_COUNT(assoc->tn, BAD_SLOT);
		return TERN_VERDICT_BROKEN;
	}
	*newest = pkt->seq >= (*slot)->seq;
	verdict = tern_slot_verdict((*slot)->seq, tern_rxslot_state(*slot), pkt->seq);
	if (verdict == TERN_VERDICT_BROKEN && (*slot)->ran) {
		/* A late copy runs again, whose client has its reply. */
		tern_rxslot_drop(assoc, *slot, TERN_END_SILENT);
		return TERN_VERDICT_NEW;
	}
	if (verdict == TERN_VERDICT_OLD)
		TERN_COUNT(assoc->tn, OLD_DUPLICATE);
	else if (verdict == TERN_VERDICT_BROKEN)
		TERN_COUNT(assoc->tn, SLOT_BUSY);
	return verdict;
}

/**
 * tern_request_input - a REQ packet arrived
 * @assoc: its association
 * @pkt: the packet
 * @skb: the segment of the request
 * @out: for packets
 * @newest: set when the packet is not an old duplicate
 *
 * Context: under rcu_read_lock().
 * Return: true when @skb was taken.
 */
bool tern_request_input(struct tern_assoc *assoc,
			const struct tern_wire_pkt *pkt, struct sk_buff *skb,
			struct tern_outbox *out, bool *newest)
{
	struct tern_net *tn = assoc->tn;
	struct tern_rx *rx = &assoc->rx;
	struct tern_rxslot *slot;
	bool taken = false;
	/* Many segments have one answer. */
	bool answer = !pkt->seg.offset || pkt->flags & TERN_WIRE_PROBE;

	spin_lock_bh(&rx->lock);
	switch (judge(assoc, pkt, &slot, newest)) {
	case TERN_VERDICT_RERUN:
		if (slot->digest != pkt->seg.digest) {
			TERN_COUNT(tn, FALSE_RETRY);
			break;
		}
		taken = input_new(assoc, pkt, skb, out);
		break;
	case TERN_VERDICT_NEW:
		taken = input_new(assoc, pkt, skb, out);
		break;
	case TERN_VERDICT_MORE:
		if (!is_same(slot->req, pkt)) {
			TERN_COUNT(tn, FALSE_RETRY);
			break;
		}
		slot->req->tsoff = pkt->tsval - (u32)tern_now_us();
		taken = input_more(slot->req, pkt, skb, out);
		break;
	case TERN_VERDICT_BUSY:
		if (!is_same(slot->req, pkt)) {
			TERN_COUNT(tn, FALSE_RETRY);
			break;
		}
		TERN_COUNT(tn, DUPLICATES);
		slot->req->tsoff = pkt->tsval - (u32)tern_now_us();
		if (answer)
			post_busy(slot->req, out);
		break;
	case TERN_VERDICT_AGAIN:
		if (slot->req && !is_same(slot->req, pkt)) {
			TERN_COUNT(tn, FALSE_RETRY);
			break;
		}
		TERN_COUNT(tn, DUPLICATES);
		/* An answer might overtake the reply, which is not kept. */
		if (answer && !(pkt->flags & TERN_WIRE_MAYBE))
			__tern_reply_again(assoc, pkt, out);
		break;
	case TERN_VERDICT_OLD:
	case TERN_VERDICT_BROKEN:
		break;
	}
	spin_unlock_bh(&rx->lock);
	return taken;
}

/* Why nobody wants a request any more: what CANCEL and OWN say of that. */
static u8 cause_of(u16 flags)
{
	if (flags & TERN_WIRE_GONE)
		return TERN_CAUSE_OWNER_DIED;
	if (flags & TERN_WIRE_EXPIRED)
		return TERN_CAUSE_TIMEOUT;
	return TERN_CAUSE_CANCELLED;
}

/* The client withdraws a request that is here. */
static void withdraw(struct tern_assoc *assoc, const struct tern_wire_pkt *pkt,
		     struct tern_outbox *out)
{
	struct tern_request *req = tern_rx_slot(&assoc->rx, pkt->slot)->req;
	u8 cause = cause_of(pkt->flags);

	req->tsoff = pkt->tsval - (u32)tern_now_us();
	if (req->state == TERN_SLOT_RECEIVING) {
		list_del_init(&req->link);
	} else if (tern_service_unqueue(req)) {
		tern_request_put(req);
	} else {
		tern_worker_tell(req, cause, cause == TERN_CAUSE_OWNER_DIED &&
				 req->service->orphans ==
				 TERN_ORPHANS_EXTERMINATE);
		post_busy(req, out);
		return;
	}
	TERN_COUNT(assoc->tn, CANCELLED);
	tern_rxslot_refuse(assoc, pkt, TERN_NOT_EXECUTED, TERN_CAUSE_CANCELLED, out);
}

/**
 * tern_request_input_cancel - a CANCEL packet arrived
 * @assoc: its association
 * @pkt: the packet
 * @out: for packets
 * @newest: set when the packet is not an old duplicate
 *
 * A cancel that overtakes its request leaves a record, so that the request is
 * refused when it comes; only then is NOT_EXECUTED true.
 */
void tern_request_input_cancel(struct tern_assoc *assoc,
			       const struct tern_wire_pkt *pkt,
			       struct tern_outbox *out, bool *newest)
{
	struct tern_net *tn = assoc->tn;
	struct tern_rx *rx = &assoc->rx;
	struct tern_rxslot *slot;

	spin_lock_bh(&rx->lock);
	switch (judge(assoc, pkt, &slot, newest)) {
	case TERN_VERDICT_RERUN:
		tern_rxslot_refuse(assoc, pkt, TERN_UNKNOWN, TERN_CAUSE_CANCELLED, out);
		break;
	case TERN_VERDICT_NEW:
		slot->ran = false;
		tern_rxslot_acked(assoc, slot);
		slot->seq = pkt->seq;
		TERN_COUNT(tn, CANCELLED);
		tern_rxslot_refuse(assoc, pkt, TERN_NOT_EXECUTED,
				   TERN_CAUSE_CANCELLED, out);
		break;
	case TERN_VERDICT_MORE:
	case TERN_VERDICT_BUSY:
		withdraw(assoc, pkt, out);
		break;
	case TERN_VERDICT_AGAIN:
		__tern_reply_again(assoc, pkt, out);
		break;
	case TERN_VERDICT_OLD:
	case TERN_VERDICT_BROKEN:
		break;
	}
	spin_unlock_bh(&rx->lock);
}

/**
 * tern_request_fail - end a request without a reply
 * @req: the request, taken off the list where it was
 * @outcome: enum tern_outcome
 * @cause: enum tern_cause
 * @out: for packets
 */
void tern_request_fail(struct tern_request *req, u8 outcome, u8 cause,
		       struct tern_outbox *out)
{
	struct tern_assoc *assoc = req->assoc;
	struct tern_rx *rx = &assoc->rx;
	struct tern_rxslot *slot;

	spin_lock_bh(&rx->lock);
	slot = tern_rx_slot(rx, req->slot);
	if (slot->req == req) {
		u32 tsecr = tern_request_echo(req);

		tern_rxslot_end(rx, slot, outcome, cause);
		tern_rxslot_post(assoc, req->slot, tsecr, out);
	}
	spin_unlock_bh(&rx->lock);
}

/**
 * tern_requests_assoc_ended - drop what an association's slots hold
 * @assoc: the association, whose state is TERN_ASSOC_ENDED
 * @why: why it ended
 */
void tern_requests_assoc_ended(struct tern_assoc *assoc, enum tern_end why)
{
	struct tern_rx *rx = &assoc->rx;
	u16 i;

	spin_lock_bh(&rx->lock);
	for (i = 0; i < rx->limit; i++)
		tern_rxslot_drop(assoc, tern_rx_slot(rx, i), why);
	spin_unlock_bh(&rx->lock);
}

static bool is_awaited_in_silence(struct tern_request *req, u64 now)
{
	/* Written under the lock of the service. */
	return req && req->flags & TERN_CALL_MAYBE &&
	       (READ_ONCE(req->state) == TERN_SLOT_QUEUED ||
		READ_ONCE(req->state) == TERN_SLOT_EXECUTING) &&
	       READ_ONCE(req->deadline_us) > now;
}

/**
 * tern_requests_awaited - whether a client waits that gives no sign of it
 * @assoc: the association
 *
 * A call with TERN_CALL_MAYBE is sent once, and its client is silent until the
 * reply comes.
 *
 * Return: whether such a call is queued or executes before its deadline.
 */
bool tern_requests_awaited(struct tern_assoc *assoc)
{
	struct tern_rx *rx = &assoc->rx;
	u64 now = tern_now_us();
	bool awaited = false;
	u16 i;

	spin_lock_bh(&rx->lock);
	for (i = 0; i < rx->limit && !awaited; i++)
		awaited = is_awaited_in_silence(tern_rx_slot(rx, i)->req, now);
	spin_unlock_bh(&rx->lock);
	return awaited;
}

/**
 * tern_requests_expire - drop incomplete requests whose deadline has passed
 * @assoc: the association
 * @out: for their outcome
 */
void tern_requests_expire(struct tern_assoc *assoc, struct tern_outbox *out)
{
	struct tern_rx *rx = &assoc->rx;
	struct tern_request *req, *next;
	u64 now = tern_now_us();

	spin_lock_bh(&rx->lock);
	list_for_each_entry_safe(req, next, &rx->receiving, link) {
		u16 i = req->slot;
		u32 tsecr;

		if (req->deadline_us > now)
			continue;
		TERN_COUNT(assoc->tn, EXPIRED);
		tsecr = tern_request_echo(req);
		list_del_init(&req->link);
		tern_rxslot_end(rx, tern_rx_slot(rx, i), TERN_NOT_EXECUTED,
				TERN_CAUSE_TIMEOUT);
		tern_rxslot_post(assoc, i, tsecr, out);
	}
	spin_unlock_bh(&rx->lock);
}

/**
 * tern_request_post_ask - ask the owner of a request
 * @req: the request, which executes; the lock of its service or rx.lock is held
 * @want_ms: how much time from now the worker wants, 0: no more than it has
 * @out: for the packet
 */
void tern_request_post_ask(struct tern_request *req, u32 want_ms,
			   struct tern_outbox *out)
{
	struct tern_wire_pkt pkt = {
		.type = TERN_PKT_ASK,
		.slot = req->slot,
		.seq = req->seq,
		.own = { .time_ms = want_ms },
	};

	tern_packet_post(out, req->assoc, &pkt, NULL, 0);
	TERN_COUNT(req->assoc->tn, ASK_OUT);
}

/**
 * tern_requests_ask - ask for the owners of what a former life of a peer left
 * @assoc: the association of that life
 * @out: for packets
 *
 * Return: false when nobody has to be asked, so that it can be ended.
 */
bool tern_requests_ask(struct tern_assoc *assoc, struct tern_outbox *out)
{
	struct tern_rx *rx = &assoc->rx;
	bool asked = false;
	u16 i;

	spin_lock_bh(&rx->lock);
	for (i = 0; i < rx->limit; i++) {
		struct tern_request *req = tern_rx_slot(rx, i)->req;

		if (!req || READ_ONCE(req->state) != TERN_SLOT_EXECUTING ||
		    req->service->orphans != TERN_ORPHANS_GENTLE)
			continue;
		tern_request_post_ask(req, 0, out);
		asked = true;
	}
	spin_unlock_bh(&rx->lock);
	return asked;
}

/**
 * tern_request_input_own - an OWN packet arrived: what the owner says
 * @assoc: its association
 * @pkt: the packet
 */
void tern_request_input_own(struct tern_assoc *assoc,
			    const struct tern_wire_pkt *pkt)
{
	struct tern_rx *rx = &assoc->rx;
	struct tern_request *req = NULL;
	u8 cause = cause_of(pkt->flags);

	spin_lock_bh(&rx->lock);
	if (pkt->slot < rx->limit)
		req = tern_rx_slot(rx, pkt->slot)->req;
	if (!req || req->seq != pkt->seq ||
	    READ_ONCE(req->state) != TERN_SLOT_EXECUTING) {
		TERN_COUNT(assoc->tn, OLD_DUPLICATE);
		goto out;
	}
	if (pkt->flags & (TERN_WIRE_GONE | TERN_WIRE_WITHDRAWN))
		tern_worker_tell(req, cause, cause == TERN_CAUSE_OWNER_DIED &&
				 req->service->orphans == TERN_ORPHANS_GENTLE);
	tern_worker_answered(req, time_us(pkt->own.time_ms));
out:
	spin_unlock_bh(&rx->lock);
}
