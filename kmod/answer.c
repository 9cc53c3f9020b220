// SPDX-License-Identifier: GPL-2.0
/*
 * What a server answers to calls, and what their client acknowledges.
 *
 * Layer: L1.  Lock: of the peer.
 */
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

/* The server is short of room: what it keeps may be due to acks that were lost */
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

/* Another node answered: it lives, and was this far away. */
static void learn_path(struct tern_call *call, const struct tern_wire_pkt *pkt)
{
	struct tern_assoc *assoc = call->assoc;
	u64 now = tern_now_us();
	u32 trip = (u32)now - pkt->tsecr;
	u64 heard = now - trip;

	/* A reply may have been held for long: the first copy was heard. */
	if (pkt->type == TERN_PKT_REP)
		heard = min(heard, call->first_sent_us);
	assoc->peer->trouble = TERN_CAUSE_NONE;
	assoc->peer->hello_pause = 0;
	if (pkt->tsecr && trip < TRIP_MAX_US) {
		tern_rtt_sample(&assoc->rtt, trip);
		assoc->confirmed_us = max(assoc->confirmed_us, heard);
	}
}

/* The server answered, and offers slots. */
static void learn(struct tern_call *call, const struct tern_wire_pkt *pkt)
{
	struct tern_assoc *assoc = call->assoc;

	if (!assoc->peer->self)
		learn_path(call, pkt);
	if (pkt->slots < assoc->tx.offer)
		ack_again(assoc);
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

/*
 * Raises what a reply in segments is charged with; false when there is no room
 * for it, so that it has to wait where it is cached.
 */
static bool charge(struct tern_call *call, u32 to)
{
	u32 more = to > call->reply_charge ? to - call->reply_charge : 0;
	struct tern_net *tn = call->peer->tn;

	if (atomic64_add_return(more, &tn->reply_bytes) >
	    READ_ONCE(tn->set.queue_net)) {
		atomic64_sub(more, &tn->reply_bytes);
		TERN_COUNT(tn, REPLY_NO_ROOM);
		return false;
	}
	call->reply_charge += more;
	return true;
}

/* Begins with a reply. */
static bool begin(struct tern_call *call, const struct tern_wire_seg *seg)
{
	if (seg->total > seg->size && !charge(call, tern_seg_charge(seg)))
		return false;
	if (!tern_assembly_start(&call->reply, seg))
		return true;
	__tern_call_drop_reply(call);
	TERN_COUNT(call->peer->tn, PKT_NO_MEMORY);
	return false;
}

/* Adds a segment of a reply; true when the reply is whole. */
static bool collect(struct tern_call *call, const struct tern_wire_pkt *pkt,
		    struct sk_buff *skb, bool *taken)
{
	struct tern_assembly *in = &call->reply;

	if (tern_assembly_is_cut_anew(in, &pkt->seg))
		__tern_call_drop_reply(call);
	if (in->segs && !tern_assembly_matches(in, &pkt->seg)) {
		TERN_COUNT(call->peer->tn, BAD_SEGMENT);
		return false;
	}
	if (!in->segs && !begin(call, &pkt->seg))
		return false;
	*taken = tern_assembly_add(in, pkt, skb);
	call->replying = true;
	if (*taken)
		call->fruitless = 0;
	if (tern_assembly_is_whole(in))
		return true;
	/* Only now it is known what the packets that it comes in take. */
	if (!charge(call, in->truesize))
		__tern_call_drop_reply(call);
	return false;
}

static void replied(struct tern_call *call, const struct tern_wire_pkt *pkt,
		    struct tern_outbox *out)
{
	struct tern_assoc *assoc = call->assoc;
	bool ack = call->reply.count > ACK_SEGMENTS;
	bool kept = !(call->flags & (TERN_CALL_IDEMPOTENT | TERN_CALL_MAYBE)) ||
		    ack;

	call->status = pkt->rep.status;
	/* Else nobody knows which copy this answers (Karn). */
	if ((!call->retransmits || call->busy) && !assoc->peer->self)
		tern_rtt_sample(&assoc->answer,
				min_t(u64, tern_now_us() - call->first_sent_us,
				      TERN_RTO_MAX_US));
	if (ack) {
		struct tern_wire_ack one = { .seq = call->seq,
					     .slot = call->slot };

		post_ack(assoc, &one, 1, out);
	}
	/* What is kept is acknowledged once more when the slot idles. */
	__tern_call_end(call, TERN_REPLIED, TERN_CAUSE_NONE, kept);
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
	__tern_call_end(call, outcome, cause, false);
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
		__tern_call_end(call, TERN_REPLIED, TERN_CAUSE_NONE, true);
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
		__tern_call_retry_later(call, now);
		if (pkt->flags & TERN_WIRE_AGAIN)
			__tern_call_probe(call, now, out);
		__tern_call_arm(call, now);
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
		__tern_call_retry_later(call, now);
		__tern_call_arm(call, now);
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
	if (call && tern_segments_may_answer(assoc, &call->resent_us)) {
		learn(call, pkt);
		TERN_COUNT(peer->tn, RESEND_IN);
		__tern_call_fill(&req, call, now);
		tern_segments_post_asked(out, assoc, pkt, bitmap, &req,
					 call->msg);
		missing = tern_segments_asked(pkt, bitmap);
		if (!call->missing || missing < call->missing) {
			call->fruitless = 0;
			call->rto = assoc->rtt.rto;
		}
		call->missing = missing;
		__tern_call_retry_later(call, now);
		__tern_call_arm(call, now);
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
	__tern_call_arm(call, now);
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
	if (call && call->cancelling) {
		own.flags = TERN_WIRE_WITHDRAWN | __tern_call_why(call);
	} else if (call) {
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
