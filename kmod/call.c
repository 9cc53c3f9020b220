// SPDX-License-Identifier: GPL-2.0
/*
 * Calls as their client sees them: slot, retransmission, deadline, cancel,
 * quarantine, outcome.
 *
 * Layer: L1.  Lock: of the peer.
 */
#include <linux/slab.h>
#include <net/sock.h>

#include "call.h"
#include "cause.h"
#include "packet.h"
#include "segment.h"

/* A reply of more segments than this is acknowledged at once. */
#define ACK_SEGMENTS	1

/* An idle slot acknowledges its reply after this. */
#define ACK_IDLE	HZ

/* A round trip longer than this is not believed. */
#define TRIP_MAX_US	60000000U

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

void tern_call_put(struct tern_call *call)
{
	if (!refcount_dec_and_test(&call->ref))
		return;
	tern_msg_free(call->msg);
	tern_assembly_free(&call->reply);
	if (call->detached)
		atomic64_sub(call->charge, &call->peer->tn->detached_bytes);
	if (call->peer)
		tern_peer_put(call->peer);
	kfree(call);
}

/* A call of the kind "maybe" is sent once, but its CANCEL is sent again. */
static void retry_later(struct tern_call *call, u64 now)
{
	if (call->flags & TERN_CALL_MAYBE && !call->cancelling)
		call->retry_us = U64_MAX;
	else
		call->retry_us = now + call->rto;
}

static void arm(struct tern_call *call, u64 now)
{
	u64 at = call->retry_us;

	if (call->state == TERN_CALL_WAITING)
		at = call->deadline_us;
	else if (!call->reported)
		at = min(at, call->cancelling ? call->deadline_us :
						call->cancel_us);
	if (!mod_timer(&call->timer, tern_timer_at(at, now)))
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
	call->reported = true;
	call->outcome = outcome;
	call->cause = cause;
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

/* Ends a call that waits or has a slot; may free it. */
static void end(struct tern_call *call, u8 outcome, u8 cause, bool unacked)
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
	end(call, call->may_have_run ? TERN_UNKNOWN : TERN_NOT_EXECUTED, cause,
	    false);
}

static void fill_request(struct tern_wire_pkt *pkt, struct tern_call *call,
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

static void post_cancel(struct tern_call *call, struct tern_outbox *out)
{
	struct tern_wire_pkt pkt = {
		.type = TERN_PKT_CANCEL,
		.flags = (call->gone ? TERN_WIRE_GONE : 0) |
			 (call->expired ? TERN_WIRE_EXPIRED : 0),
		.slot = call->slot,
		.seq = call->seq,
	};

	tern_packet_post(out, call->assoc, &pkt, NULL, 0);
	TERN_COUNT(call->peer->tn, CANCEL_OUT);
}

/*
 * Asks the server about a call that should have had an answer.  The last
 * segment does that: it makes the server tell what is missing, whether it is
 * busy, or the reply.
 */
static void post_probe(struct tern_call *call, u64 now,
		       struct tern_outbox *out)
{
	u32 n = tern_msg_segments(call->msg);
	struct tern_wire_pkt pkt;

	if (call->replying) {
		tern_segments_ask(out, call->assoc, &call->reply,
				  TERN_WIRE_OF_REPLY, call->slot, call->seq, 0);
		return;
	}
	fill_request(&pkt, call, now);
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
	post_probe(call, now, out);
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
	retry_later(call, now);

	call->fruitless = 0;
	call->missing = 0;
	tern_msg_set_segment(msg, tern_assoc_room(assoc));
	fill_request(&pkt, call, now);
	tern_segments_post(out, assoc, &pkt, msg, 0, tern_msg_segments(msg));
	arm(call, now);
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
 * Whether no copy of a call can have met the life of the server in which the
 * association was: it was first sent after that life ended.  The times are
 * ages, so that clocks need not agree.
 *
 * A new epoch proves that only if the old one was not heard after it began:
 * else they are of two nodes, one of which took over the other's address.
 */
static bool was_too_late_to_run(const struct tern_call *call,
				const struct tern_wire_pkt *stale, u64 now)
{
	u64 age_ms = with_drift(tern_us_to_ms(now - call->first_sent_us));
	u64 silent_ms;

	if (stale->stale.epoch != call->assoc->remote_epoch) {
		silent_ms = div_u64(now - READ_ONCE(call->assoc->heard_us),
				    1000);
		return age_ms < stale->stale.epoch_age_ms &&
		       silent_ms > with_drift(stale->stale.epoch_age_ms);
	}
	return stale->stale.ended_age_ms != TERN_WIRE_AGE_UNKNOWN &&
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
		tern_assembly_free(&call->reply);
		call->replying = false;
		call->state = TERN_CALL_WAITING;
		list_add_tail(&call->link, &peer->waiting);
		peer->n_waiting++;
		arm(call, now);
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
	call->peer = peer;
	call->state = TERN_CALL_WAITING;
	call->began_us = tern_now_us();
	tern_call_get(call);
	list_add_tail(&call->link, &peer->waiting);
	peer->n_waiting++;
	__tern_calls_pump(peer, out);
	if (call->state == TERN_CALL_WAITING)
		arm(call, tern_now_us());
	spin_unlock_bh(&peer->lock);
	return 0;
}

static void cancel(struct tern_call *call, u64 now, struct tern_outbox *out)
{
	call->cancelling = true;
	call->rto = call->assoc->rtt.rto;
	retry_later(call, now);
	post_cancel(call, out);
	arm(call, now);
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
		post_probe(call, tern_now_us(), out);
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
			arm(call, now);
		break;
	case TERN_CALL_SENT:
		if (!call->cancelling && now >= call->cancel_us) {
			/* A definite answer is worth a late timer. */
			call->deadline_us = max(call->deadline_us,
						now + cancel_time(call));
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
			retry_later(call, now);
			call->retransmits++;
			TERN_COUNT(peer->tn, RETRANSMITS);
		}
		arm(call, now);
		break;
	}
	spin_unlock_bh(&peer->lock);
}

static struct tern_call *find(struct tern_assoc *assoc,
			      const struct tern_wire_pkt *pkt)
{
	struct tern_call *call = NULL;

	if (pkt->slot < assoc->tx.limit)
		call = tern_tx_slot(&assoc->tx, pkt->slot)->call;
	if (call && call->seq == pkt->seq)
		return call;
	TERN_COUNT(assoc->tn, LATE_REPLY);
	return NULL;
}

/* The server answered: it lives, was this far away, and offers slots. */
static void learn(struct tern_call *call, const struct tern_wire_pkt *pkt)
{
	struct tern_assoc *assoc = call->assoc;
	u64 now = tern_now_us();
	u32 trip = (u32)now - pkt->tsecr;
	u64 heard = now - trip;

	/* A reply may have been held for long: the first copy was heard. */
	if (pkt->type == TERN_PKT_REP)
		heard = min(heard, call->first_sent_us);
	assoc->peer->trouble = TERN_CAUSE_NONE;
	if (pkt->tsecr && trip < TRIP_MAX_US && !assoc->peer->self) {
		tern_rtt_sample(&assoc->rtt, trip);
		assoc->confirmed_us = max(assoc->confirmed_us, heard);
	}
	if (pkt->slots != assoc->tx.offer)
		tern_tx_set_offer(&assoc->tx, pkt->slots);
}

static void post_ack(struct tern_assoc *assoc, const struct tern_wire_ack *acks,
		     unsigned int count, struct tern_outbox *out)
{
	u8 list[TERN_WIRE_ACKS_MAX * sizeof(u64)];
	struct tern_wire_pkt pkt = {
		.type = TERN_PKT_ACK,
		.ack = { .count = count },
	};
	unsigned int i;

	for (i = 0; i < count; i++)
		tern_wire_put_ack(list, i, &acks[i]);
	tern_packet_post(out, assoc, &pkt, list, count * sizeof(u64));
	TERN_COUNT(assoc->tn, ACK_OUT);
}

/* Whether the user can take the reply; at the deadline it has to. */
static bool has_room(const struct tern_call *call, u32 total)
{
	return !total || !call->sk || call->cancelling ||
	       atomic_read(&call->sk->sk_rmem_alloc) <
	       READ_ONCE(call->sk->sk_rcvbuf);
}

/* Adds a segment of a reply; true when the reply is whole. */
static bool collect(struct tern_call *call, const struct tern_wire_pkt *pkt,
		    struct sk_buff *skb, bool *taken)
{
	struct tern_net *tn = call->peer->tn;
	struct tern_assembly *in = &call->reply;

	if (tern_assembly_is_cut_anew(in, &pkt->seg)) {
		tern_assembly_free(in);
		call->replying = false;
	}
	if (in->segs && !tern_assembly_matches(in, &pkt->seg)) {
		TERN_COUNT(tn, BAD_SEGMENT);
		return false;
	}
	if (!in->segs && tern_assembly_start(in, &pkt->seg)) {
		TERN_COUNT(tn, PKT_NO_MEMORY);
		return false;
	}
	*taken = tern_assembly_add(in, &pkt->seg, skb);
	call->replying = true;
	if (*taken)
		call->fruitless = 0;
	return tern_assembly_is_whole(in);
}

static void replied(struct tern_call *call, const struct tern_wire_pkt *pkt,
		    struct tern_outbox *out)
{
	struct tern_assoc *assoc = call->assoc;
	bool ack = call->reply.count > ACK_SEGMENTS;
	bool kept = !(call->flags & (TERN_CALL_IDEMPOTENT | TERN_CALL_MAYBE)) ||
		    ack;
	u64 took = tern_now_us() - call->first_sent_us;

	call->status = pkt->rep.status;
	/* Else nobody knows which copy this answers (Karn). */
	if (!call->retransmits || call->busy)
		tern_rtt_sample(&assoc->answer, min_t(u64, took, TERN_RTO_MAX_US));
	if (ack) {
		struct tern_wire_ack one = { .seq = call->seq,
					     .slot = call->slot };

		post_ack(assoc, &one, 1, out);
	}
	/* What is kept is acknowledged once more when the slot idles. */
	end(call, TERN_REPLIED, TERN_CAUSE_NONE, kept);
}

/* The server has no room: what it keeps may be due to acks that were lost. */
static void ack_again(struct tern_assoc *assoc)
{
	struct tern_txslot *slot;
	u16 i;

	for (i = 0; i < assoc->tx.limit; i++) {
		slot = tern_tx_slot(&assoc->tx, i);
		if (slot->call || slot->unacked || !slot->seq)
			continue;
		slot->unacked = true;
		slot->freed = jiffies - ACK_IDLE;
		assoc->tx.unacked++;
	}
}

/* The server tells that there is no reply, and why. */
static void failed(struct tern_call *call, const struct tern_wire_pkt *pkt)
{
	u8 outcome = pkt->rep.outcome;
	u8 cause = pkt->rep.cause;

	if (outcome == TERN_NOT_EXECUTED && call->may_have_run)
		outcome = TERN_UNKNOWN;
	if (cause == TERN_CAUSE_CANCELLED && call->expired)
		cause = TERN_CAUSE_TIMEOUT;
	if (cause == TERN_CAUSE_NO_SPACE)
		ack_again(call->assoc);
	end(call, outcome, cause, false);
}

/**
 * tern_call_input_reply - a REP packet arrived
 * @assoc: its association
 * @pkt: the packet
 * @skb: the segment of the reply
 * @out: for packets
 *
 * Context: under rcu_read_lock().
 * Return: true when @skb was taken.
 */
bool tern_call_input_reply(struct tern_assoc *assoc,
			   const struct tern_wire_pkt *pkt,
			   struct sk_buff *skb, struct tern_outbox *out)
{
	struct tern_peer *peer = assoc->peer;
	bool oneway, taken = false;
	struct tern_call *call;

	spin_lock_bh(&peer->lock);
	call = find(assoc, pkt);
	if (!call)
		goto out;
	learn(call, pkt);
	oneway = call->flags & TERN_CALL_ONEWAY;
	if (pkt->seg.total > TERN_MESSAGE_MAX) {
		TERN_COUNT(peer->tn, BAD_SEGMENT);
		goto out;
	}
	if (pkt->rep.outcome == (oneway ? TERN_REPLIED : TERN_DELIVERED)) {
		TERN_COUNT(peer->tn, BAD_FIELD);
		goto out;
	}
	if (pkt->rep.outcome != TERN_REPLIED) {
		failed(call, pkt);
	} else if (call->reported) {
		end(call, TERN_REPLIED, TERN_CAUSE_NONE, true);
	} else if (!has_room(call, pkt->seg.total)) {
		TERN_COUNT(peer->tn, REPLY_NO_ROOM);
		call->starved = true;
		goto out;
	} else if (collect(call, pkt, skb, &taken)) {
		replied(call, pkt, out);
	} else {
		u64 now = tern_now_us();

		/* Segments follow each other: wait for the last of them. */
		call->rto = assoc->rtt.rto;
		retry_later(call, now);
		if (pkt->flags & TERN_WIRE_AGAIN)
			post_probe(call, now, out);
		arm(call, now);
		goto out;
	}
	__tern_calls_pump(peer, out);
out:
	spin_unlock_bh(&peer->lock);
	return taken;
}

/**
 * tern_call_input_busy - a BUSY packet arrived
 * @assoc: its association
 * @pkt: the packet
 * @out: for packets
 *
 * The server has the call, so that asking again can take its time.
 */
void tern_call_input_busy(struct tern_assoc *assoc,
			  const struct tern_wire_pkt *pkt,
			  struct tern_outbox *out)
{
	struct tern_peer *peer = assoc->peer;
	struct tern_call *call;
	u64 now = tern_now_us();

	spin_lock_bh(&peer->lock);
	call = find(assoc, pkt);
	if (call) {
		learn(call, pkt);
		call->fruitless = 0;
		call->busy = true;
		retry_later(call, now);
		arm(call, now);
		__tern_calls_pump(peer, out);
	}
	spin_unlock_bh(&peer->lock);
}

/**
 * tern_call_input_resend - the server asks for segments of a request
 * @assoc: its association
 * @pkt: the packet
 * @bitmap: which segments
 * @out: for packets
 */
void tern_call_input_resend(struct tern_assoc *assoc,
			    const struct tern_wire_pkt *pkt, const u8 *bitmap,
			    struct tern_outbox *out)
{
	struct tern_peer *peer = assoc->peer;
	struct tern_wire_pkt req;
	struct tern_call *call;
	u64 now = tern_now_us();
	unsigned int missing;

	spin_lock_bh(&peer->lock);
	call = find(assoc, pkt);
	if (call) {
		learn(call, pkt);
		TERN_COUNT(peer->tn, RESEND_IN);
		fill_request(&req, call, now);
		tern_segments_post_asked(out, assoc, pkt, bitmap, &req,
					 call->msg);
		missing = tern_segments_asked(pkt, bitmap);
		if (!call->missing || missing < call->missing) {
			call->fruitless = 0;
			call->rto = assoc->rtt.rto;
		}
		call->missing = missing;
		retry_later(call, now);
		arm(call, now);
	}
	spin_unlock_bh(&peer->lock);
}

/* The server asks for more time: it gets what the user has granted before. */
static void extend(struct tern_call *call, u32 want_ms, u64 now)
{
	u64 until = now + 1000ULL * want_ms;
	u64 more;

	if (until <= call->deadline_us)
		return;
	more = min(until - call->deadline_us, 1000ULL * call->extend_ms);
	call->extend_ms -= min_t(u64, call->extend_ms, div_u64(more + 999, 1000));
	call->deadline_us += more;
	call->cancel_us += more;
	arm(call, now);
}

/**
 * tern_call_input_ask - the server asks whether somebody waits for a call
 * @assoc: its association
 * @pkt: the packet
 * @out: for the answer
 */
void tern_call_input_ask(struct tern_assoc *assoc,
			 const struct tern_wire_pkt *pkt,
			 struct tern_outbox *out)
{
	struct tern_peer *peer = assoc->peer;
	struct tern_wire_pkt own = {
		.type = TERN_PKT_OWN,
		.flags = TERN_WIRE_GONE,
		.slot = pkt->slot,
		.seq = pkt->seq,
		.tsecr = pkt->tsval ?: 1,
	};
	struct tern_call *call;
	u64 now = tern_now_us();

	spin_lock_bh(&peer->lock);
	call = find(assoc, pkt);
	if (call && !call->reported && !call->cancelling) {
		extend(call, pkt->own.time_ms, now);
		own.flags = 0;
		if (call->deadline_us > now)
			own.own.time_ms = tern_us_to_ms(call->deadline_us - now);
	}
	tern_packet_post(out, assoc, &own, NULL, 0);
	TERN_COUNT(peer->tn, OWN_OUT);
	spin_unlock_bh(&peer->lock);
}

/**
 * tern_calls_ack_idle - acknowledge replies whose slots are not used again
 * @assoc: the association
 * @out: for packets
 */
void tern_calls_ack_idle(struct tern_assoc *assoc, struct tern_outbox *out)
{
	struct tern_wire_ack acks[16];
	unsigned int n = 0;
	u16 i;

	spin_lock_bh(&assoc->peer->lock);
	for (i = 0; i < assoc->tx.limit && assoc->tx.unacked; i++) {
		struct tern_txslot *slot = tern_tx_slot(&assoc->tx, i);

		if (!slot->unacked ||
		    time_before(jiffies, slot->freed + ACK_IDLE))
			continue;
		slot->unacked = false;
		assoc->tx.unacked--;
		acks[n].slot = i;
		acks[n].seq = slot->seq;
		if (++n < ARRAY_SIZE(acks))
			continue;
		post_ack(assoc, acks, n, out);
		n = 0;
	}
	if (n)
		post_ack(assoc, acks, n, out);
	spin_unlock_bh(&assoc->peer->lock);
}
