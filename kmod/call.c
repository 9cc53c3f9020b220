// SPDX-License-Identifier: GPL-2.0
/*
 * Calls as their client sees them: slot, retransmission, deadline, cancel,
 * quarantine, outcome.
 *
 * Layer: L1.  Lock: of the peer.
 */
#include <linux/slab.h>

#include "call.h"
#include "cause.h"
#include "packet.h"
#include "segment.h"

/**
 * tern_call_alloc - make a call, to be filled in by its user
 * @tn: the node
 *
 * Context: process; may sleep.
 * Return: the call, with a reference for the user, or NULL without memory.
 */
struct tern_call *tern_call_alloc(struct tern_net *tn)
{
	struct tern_call *call = kzalloc(sizeof(*call), GFP_KERNEL_ACCOUNT);

	if (!call)
		return NULL;
	INIT_LIST_HEAD(&call->link);
	INIT_LIST_HEAD(&call->sk_link);
	INIT_LIST_HEAD(&call->sk_ended);
	init_completion(&call->done);
	timer_setup(&call->timer, tn->ops->call_timer, 0);
	refcount_set(&call->ref, 1);
	return call;
}

/* Nothing more is missing of a reply: the receive buffer counts it. */
static void uncharge_reply(struct tern_call *call)
{
	if (!call->reply_charge)
		return;
	atomic64_sub(call->reply_charge, &call->peer->tn->reply_bytes);
	call->reply_charge = 0;
}

/**
 * __tern_call_drop_reply - free what is here of a reply
 * @call: the call, whose peer's lock is held
 */
void __tern_call_drop_reply(struct tern_call *call)
{
	tern_assembly_free(&call->reply);
	uncharge_reply(call);
	call->replying = false;
}

void tern_call_put(struct tern_call *call)
{
	if (!refcount_dec_and_test(&call->ref))
		return;
	tern_msg_put(call->msg);
	tern_assembly_free(&call->reply);
	if (call->detached)
		atomic64_sub(call->charge, &call->peer->tn->detached_bytes);
	if (call->peer)
		tern_peer_put(call->peer);
	kfree(call);
}

/**
 * __tern_call_retry_later - when a call's packet is sent again
 * @call: the call
 * @now: the time
 *
 * A call of the kind "maybe" is sent once, but its CANCEL is sent again.
 */
void __tern_call_retry_later(struct tern_call *call, u64 now)
{
	if (call->flags & TERN_CALL_MAYBE && !call->cancelling)
		call->retry_us = U64_MAX;
	else
		call->retry_us = now + call->rto;
}

/**
 * __tern_call_arm - see to it that the timer of a call goes off in time
 * @call: the call
 * @now: the time
 *
 * It may go off too early, but is never put off: packets without end would keep
 * it from ever going off.
 */
void __tern_call_arm(struct tern_call *call, u64 now)
{
	u64 at = call->retry_us;

	if (call->state == TERN_CALL_WAITING)
		at = call->deadline_us;
	else if (!call->reported)
		at = min(at, call->cancelling ? call->deadline_us :
						call->cancel_us);
	if (!timer_reduce(&call->timer, tern_timer_at(at, now)))
		tern_call_get(call);
}

static void disarm(struct tern_call *call)
{
	if (timer_delete(&call->timer))
		tern_call_put(call);
}

/* Tells the user the outcome, unless that was done before. */
static void report(struct tern_call *call, u8 outcome, u8 cause)
{
	struct tern_net *tn = call->peer->tn;

	if (call->reported)
		return;
	WRITE_ONCE(call->reported, true);
	call->outcome = outcome;
	call->cause = cause;
	if (outcome == TERN_REPLIED)
		uncharge_reply(call);
	else
		__tern_call_drop_reply(call);
	switch (outcome) {
	case TERN_REPLIED:
		TERN_COUNT(tn, CALLS_REPLIED);
		break;
	case TERN_NOT_EXECUTED:
		TERN_COUNT(tn, CALLS_NOT_EXECUTED);
		break;
	case TERN_UNKNOWN:
		TERN_COUNT(tn, CALLS_UNKNOWN);
		break;
	case TERN_DELIVERED:
		TERN_COUNT(tn, CALLS_DELIVERED);
		break;
	}
	call->report(call);
}

/* The call's fate is open, and its user shall wait no longer. */
static void quarantine(struct tern_call *call, u8 cause)
{
	if (call->reported)
		return;
	call->assoc->tx.quarantined++;
	TERN_COUNT(call->peer->tn, CALLS_QUARANTINED);
	report(call, TERN_UNKNOWN, cause);
}

static void slot_take(struct tern_call *call, struct tern_assoc *assoc)
{
	struct tern_tx *tx = &assoc->tx;
	struct tern_txslot *slot = tern_tx_slot(tx, tx->free);

	call->slot = tx->free;
	tx->free = slot->next;
	tx->in_use++;
	if (slot->unacked) {
		slot->unacked = false;
		tx->unacked--;
	}
	call->seq = ++slot->seq;
	slot->call = call;
	tern_assoc_get(assoc);
	call->assoc = assoc;
}

/* The caller drops the slot's reference to the call. */
static void slot_release(struct tern_call *call, bool unacked)
{
	struct tern_assoc *assoc = call->assoc;
	struct tern_tx *tx = &assoc->tx;
	struct tern_txslot *slot = tern_tx_slot(tx, call->slot);

	if (call->reported)
		tx->quarantined--;
	if (unacked) {
		slot->unacked = true;
		slot->freed = jiffies;
		tx->unacked++;
	}
	slot->call = NULL;
	tern_tx_add_free(tx, call->slot);
	tx->in_use--;
	call->assoc = NULL;
	tern_assoc_put(assoc);
}

/**
 * __tern_call_end - end a call that waits or has a slot; may free it
 * @call: the call
 * @outcome: enum tern_outcome
 * @cause: enum tern_cause
 * @unacked: the server keeps a reply that is to be acknowledged
 */
void __tern_call_end(struct tern_call *call, u8 outcome, u8 cause,
		     bool unacked)
{
	if (call->state == TERN_CALL_SENT)
		slot_release(call, unacked);
	else
		call->peer->n_waiting--;
	list_del_init(&call->link);
	call->state = TERN_CALL_ENDED;
	disarm(call);
	report(call, outcome, cause);
	tern_call_put(call);
}

/* Ends a call of which no copy can be on its way. */
static void end_unsent(struct tern_call *call, u8 cause)
{
	u8 outcome = call->may_have_run ? TERN_UNKNOWN : TERN_NOT_EXECUTED;

	__tern_call_end(call, outcome, cause, false);
}

/**
 * __tern_call_fill - the head of a call's request
 * @pkt: filled in
 * @call: the call, which has a slot
 * @now: the time
 */
void __tern_call_fill(struct tern_wire_pkt *pkt, const struct tern_call *call,
		      u64 now)
{
	*pkt = (struct tern_wire_pkt) {
		.type = TERN_PKT_REQ,
		.slot = call->slot,
		.seq = call->seq,
		.req = {
			.program = call->program,
			.version = call->version,
			.procedure = call->procedure,
		},
	};
	if (call->deadline_us > now)
		pkt->req.time_left_ms = tern_us_to_ms(call->deadline_us - now);
	if (call->flags & TERN_CALL_ONEWAY)
		pkt->flags |= TERN_WIRE_ONEWAY;
	if (call->flags & TERN_CALL_IDEMPOTENT)
		pkt->flags |= TERN_WIRE_IDEMPOTENT;
	if (call->flags & TERN_CALL_MAYBE)
		pkt->flags |= TERN_WIRE_MAYBE;
}

/**
 * __tern_call_why - why a call is withdrawn
 * @call: the call, which is cancelling
 *
 * Return: the flags of CANCEL and OWN.
 */
u16 __tern_call_why(const struct tern_call *call)
{
	return (call->gone ? TERN_WIRE_GONE : 0) |
	       (call->expired ? TERN_WIRE_EXPIRED : 0);
}

static void post_cancel(struct tern_call *call, struct tern_outbox *out)
{
	struct tern_wire_pkt pkt = {
		.type = TERN_PKT_CANCEL,
		.flags = __tern_call_why(call),
		.slot = call->slot,
		.seq = call->seq,
	};

	tern_packet_post(out, call->assoc, &pkt, NULL, 0);
	TERN_COUNT(call->peer->tn, CANCEL_OUT);
}

/**
 * __tern_call_probe - ask about a call that should have had an answer
 * @call: the call
 * @now: the time
 * @out: for the packet
 *
 * The last segment does that: it makes the server tell what is missing, whether
 * it is busy, or the reply.
 */
void __tern_call_probe(struct tern_call *call, u64 now,
		       struct tern_outbox *out)
{
	u32 n = tern_msg_segments(call->msg);
	struct tern_wire_pkt pkt;

	if (call->replying) {
		tern_segments_ask(out, call->assoc, &call->reply,
				  TERN_WIRE_OF_REPLY, call->slot, call->seq, 0);
		return;
	}
	__tern_call_fill(&pkt, call, now);
	pkt.flags |= TERN_WIRE_PROBE;
	tern_segments_post(out, call->assoc, &pkt, call->msg, n - 1, n);
}

/* The timer of a probe: after some in vain the message is cut smaller. */
static void probe(struct tern_call *call, u64 now, struct tern_outbox *out)
{
	if (call->fruitless < TERN_FRUITLESS_MAX)
		call->fruitless++;
	else if (!call->replying)
		tern_assoc_narrow(call->assoc, call->msg);
	__tern_call_probe(call, now, out);
}

/* How long a CANCEL and its answer take, timers included. */
static u64 cancel_time(const struct tern_call *call)
{
	return tern_rtt_trip(&call->assoc->rtt) + jiffies_to_usecs(1);
}

/*
 * When to ask for a reply for the first time: services take their time, and to
 * ask before they usually reply would only cost both ends.  A quarter of the
 * time that is left, since the request itself may be lost.
 */
static u32 first_timeout(const struct tern_assoc *assoc, u64 left)
{
	u32 usual = assoc->answer.srtt ? assoc->answer.rto : 0;

	return max_t(u32, assoc->rtt.rto, min_t(u64, usual, left / 4));
}

/* Gives a call the next free slot and sends it for the first time. */
static void start(struct tern_call *call, struct tern_assoc *assoc,
		  struct tern_outbox *out)
{
	struct tern_msg *msg = call->msg;
	struct tern_wire_pkt pkt;
	u64 now = tern_now_us();
	u64 left = call->deadline_us > now ? call->deadline_us - now : 0;

	list_del_init(&call->link);
	call->peer->n_waiting--;
	slot_take(call, assoc);
	call->state = TERN_CALL_SENT;
	call->first_sent_us = now;
	call->cancel_us = call->deadline_us - min(cancel_time(call), left / 2);
	call->rto = first_timeout(assoc, left);
	__tern_call_retry_later(call, now);

	call->fruitless = 0;
	call->missing = 0;
	call->resent_us = 0;
	tern_msg_set_segment(msg, tern_assoc_room(assoc));
	__tern_call_fill(&pkt, call, now);
	tern_segments_post(out, assoc, &pkt, msg, 0, tern_msg_segments(msg));
	__tern_call_arm(call, now);
}

/**
 * __tern_calls_pump - let waiting calls go on
 * @peer: the peer, whose lock is held
 * @out: for their packets
 */
void __tern_calls_pump(struct tern_peer *peer, struct tern_outbox *out)
{
	struct tern_call *call;
	int cause;

	lockdep_assert_held(&peer->lock);
	while ((call = list_first_entry_or_null(&peer->waiting,
						struct tern_call, link))) {
		struct tern_assoc *assoc = peer->assoc;

		if (assoc && !tern_assoc_is_usable(assoc)) {
			assoc = NULL;
			peer->assoc = NULL;
		}
		if (assoc && !tern_tx_has_free(&assoc->tx))
			return;
		if (assoc) {
			start(call, assoc, out);
			continue;
		}
		if (peer->hello)
			return;
		cause = __tern_peer_hello(peer, out);
		if (!cause)
			return;
		__tern_calls_fail(peer, cause, true);
	}
}

/**
 * __tern_calls_fail - end the calls that wait for a handshake
 * @peer: the peer, whose lock is held
 * @cause: why, enum tern_cause
 * @all: idempotent calls too, which otherwise go on trying
 */
void __tern_calls_fail(struct tern_peer *peer, u8 cause, bool all)
{
	struct tern_call *call, *next;

	lockdep_assert_held(&peer->lock);
	list_for_each_entry_safe(call, next, &peer->waiting, link)
		if (all || !(call->flags & TERN_CALL_IDEMPOTENT))
			end_unsent(call, cause);
}

/* An age that a clock measured which may run faster than ours. */
static u64 with_drift(u64 ms)
{
	return ms + ms / 1000 + 10;
}

/*
 * Whether no copy of a call can have met the association while it lived: it was
 * first sent after the server had ended it.  The times are ages, so that clocks
 * need not agree.
 *
 * Another epoch proves nothing of the kind: it may be that of another node, which
 * took over the address of one that lives and does what it was asked to.
 */
static bool was_too_late_to_run(const struct tern_call *call,
				const struct tern_wire_pkt *stale, u64 now)
{
	u64 age_ms = with_drift(tern_us_to_ms(now - call->first_sent_us));

	return stale->stale.epoch == call->assoc->remote_epoch &&
	       stale->stale.ended_age_ms != TERN_WIRE_AGE_UNKNOWN &&
	       age_ms < stale->stale.ended_age_ms;
}

/* Whether a call may be sent again on another association. */
static bool may_move(const struct tern_call *call)
{
	return call->flags & TERN_CALL_IDEMPOTENT && !call->reported &&
	       !call->cancelling;
}

/* A call that was about to end anyway ends for its own reason. */
static u8 own_cause(const struct tern_call *call, u8 cause)
{
	if (!call->cancelling)
		return cause;
	return call->expired ? TERN_CAUSE_TIMEOUT : TERN_CAUSE_CANCELLED;
}

/**
 * __tern_calls_assoc_ended - end or move the calls of an association
 * @assoc: the association, which is not usable any more; its peer's lock is
 *	held
 * @stale: the STALE packet that ended it, or NULL
 * @cause: why, enum tern_cause
 */
void __tern_calls_assoc_ended(struct tern_assoc *assoc,
			      const struct tern_wire_pkt *stale, u8 cause)
{
	struct tern_peer *peer = assoc->peer;
	u64 now = tern_now_us();
	u16 i;

	lockdep_assert_held(&peer->lock);
	for (i = 0; i < assoc->tx.limit; i++) {
		struct tern_call *call = tern_tx_slot(&assoc->tx, i)->call;

		if (!call)
			continue;
		if (!stale || !was_too_late_to_run(call, stale, now))
			call->may_have_run = true;
		if (!may_move(call)) {
			end_unsent(call, own_cause(call, cause));
			continue;
		}
		slot_release(call, false);
		__tern_call_drop_reply(call);
		call->state = TERN_CALL_WAITING;
		list_add_tail(&call->link, &peer->waiting);
		peer->n_waiting++;
		__tern_call_arm(call, now);
	}
}

/**
 * tern_call_submit - hand a call to the kernel
 * @call: the call, filled in
 * @peer: where to
 * @out: for its packets
 *
 * Return: 0, and the outcome comes by @call->report; or -ESTALE when the peer
 * is dead and must be looked up again.
 */
int tern_call_submit(struct tern_call *call, struct tern_peer *peer,
		     struct tern_outbox *out)
{
	spin_lock_bh(&peer->lock);
	if (peer->dead) {
		spin_unlock_bh(&peer->lock);
		return -ESTALE;
	}
	TERN_COUNT(peer->tn, CALLS);
	tern_peer_get(peer);
	/* A call is looked up by its socket without the lock. */
	WRITE_ONCE(call->peer, peer);
	call->state = TERN_CALL_WAITING;
	tern_call_get(call);
	list_add_tail(&call->link, &peer->waiting);
	peer->n_waiting++;
	__tern_calls_pump(peer, out);
	if (call->state == TERN_CALL_WAITING)
		__tern_call_arm(call, tern_now_us());
	spin_unlock_bh(&peer->lock);
	return 0;
}

static void report_to_nobody(struct tern_call *call)
{
}

/* Whether a call is executing, perhaps, that is not asked about. */
static bool has_silent_call(struct tern_tx *tx)
{
	struct tern_call *call;
	u16 i;

	for (i = 0; i < tx->limit; i++) {
		call = tern_tx_slot(tx, i)->call;
		if (call && !call->reported && call->flags & TERN_CALL_MAYBE &&
		    call->report != report_to_nobody)
			return true;
	}
	return false;
}

/**
 * tern_calls_keep_alive - see to it that the peer is heard while calls execute
 * @assoc: the association
 * @out: for packets
 *
 * Calls with TERN_CALL_MAYBE are not asked about, so that in the end nothing else
 * could use the association, while they hold it: the node itself makes a call.
 *
 * Context: process; may sleep.
 */
void tern_calls_keep_alive(struct tern_assoc *assoc, struct tern_outbox *out)
{
	u64 half_us = assoc->lease_ms * 1000ULL / 2, now;
	struct tern_peer *peer = assoc->peer;
	struct tern_call *call;
	struct iov_iter none;
	struct tern_msg *msg;
	bool needed;

	spin_lock_bh(&peer->lock);
	now = tern_now_us();
	needed = peer->assoc == assoc && tern_assoc_is_usable(assoc) &&
		 now - assoc->confirmed_us > half_us && !peer->self &&
		 has_silent_call(&assoc->tx);
	spin_unlock_bh(&peer->lock);
	if (!needed)
		return;
	iov_iter_kvec(&none, ITER_SOURCE, NULL, 0, 0);
	msg = tern_msg_alloc(0, &none);
	if (IS_ERR(msg))
		return;
	msg->digest = tern_digest_request(0, 0, TERN_PROC_NULL, 0);
	call = tern_call_alloc(assoc->tn);
	if (!call) {
		tern_msg_put(msg);
		return;
	}
	call->msg = msg;
	call->procedure = TERN_PROC_NULL;
	/* The next one follows in a second. */
	call->flags = TERN_CALL_MAYBE;
	call->began_us = now;
	/* It is not usable for longer. */
	call->deadline_us = now + half_us / 2;
	call->report = report_to_nobody;
	tern_call_submit(call, peer, out);
	tern_call_put(call);
}

static void cancel(struct tern_call *call, u64 now, struct tern_outbox *out)
{
	WRITE_ONCE(call->cancelling, true);
	call->rto = call->assoc->rtt.rto;
	__tern_call_retry_later(call, now);
	post_cancel(call, out);
	__tern_call_arm(call, now);
}

/**
 * tern_call_cancel - withdraw a call
 * @call: the call
 * @gone: its user goes away, or is about to die
 * @out: for packets
 *
 * A call that was not sent ends as NOT_EXECUTED.  For another the server is
 * asked, whose answer becomes the outcome.
 */
void tern_call_cancel(struct tern_call *call, bool gone,
		      struct tern_outbox *out)
{
	struct tern_peer *peer = call->peer;

	spin_lock_bh(&peer->lock);
	call->gone = gone;
	if (call->state == TERN_CALL_WAITING)
		end_unsent(call, TERN_CAUSE_CANCELLED);
	else if (call->state == TERN_CALL_SENT && !call->cancelling)
		cancel(call, tern_now_us(), out);
	spin_unlock_bh(&peer->lock);
}

/**
 * tern_call_abandon - the user goes away
 * @call: the call, which was cancelled
 * @out: for packets
 *
 * Afterwards the call does not touch its user any more.
 */
void tern_call_abandon(struct tern_call *call, struct tern_outbox *out)
{
	struct tern_peer *peer = call->peer;

	spin_lock_bh(&peer->lock);
	if (call->state == TERN_CALL_WAITING)
		end_unsent(call, TERN_CAUSE_CANCELLED);
	else if (call->state == TERN_CALL_SENT)
		quarantine(call, TERN_CAUSE_CANCELLED);
	spin_unlock_bh(&peer->lock);
}

/**
 * tern_call_retry - the user has room for a reply again
 * @call: the call, whose reply was dropped
 * @out: for packets
 */
void tern_call_retry(struct tern_call *call, struct tern_outbox *out)
{
	struct tern_peer *peer = call->peer;

	spin_lock_bh(&peer->lock);
	call->starved = false;
	if (call->state == TERN_CALL_SENT && !call->cancelling &&
	    !(call->flags & TERN_CALL_MAYBE))
		__tern_call_probe(call, tern_now_us(), out);
	spin_unlock_bh(&peer->lock);
}

/**
 * tern_call_timeout - the timer of a call went off
 * @call: the call
 * @out: for packets
 */
void tern_call_timeout(struct tern_call *call, struct tern_outbox *out)
{
	struct tern_peer *peer = call->peer;
	u64 now = tern_now_us();
	u8 cause;

	spin_lock_bh(&peer->lock);
	cause = peer->trouble ?: TERN_CAUSE_TIMEOUT;
	/* Who had an association and refuses packets now is not up any more. */
	if (call->state == TERN_CALL_SENT && cause == TERN_CAUSE_REFUSED)
		cause = TERN_CAUSE_NET_DOWN;
	switch (call->state) {
	case TERN_CALL_WAITING:
		if (now >= call->deadline_us)
			end_unsent(call, cause);
		else
			__tern_call_arm(call, now);
		break;
	case TERN_CALL_SENT:
		if (!call->cancelling && now >= call->cancel_us) {
			/* A definite answer is worth a late timer, no more. */
			call->deadline_us += now - call->cancel_us;
			call->expired = true;
			cancel(call, now, out);
			break;
		}
		if (now >= call->deadline_us)
			quarantine(call, cause);
		if (now >= call->retry_us) {
			if (call->cancelling)
				post_cancel(call, out);
			else
				probe(call, now, out);
			call->rto = tern_rtt_backoff(call->rto);
			__tern_call_retry_later(call, now);
			call->retransmits++;
			TERN_COUNT(peer->tn, RETRANSMITS);
		}
		__tern_call_arm(call, now);
		break;
	}
	spin_unlock_bh(&peer->lock);
}
