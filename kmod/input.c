// SPDX-License-Identifier: GPL-2.0
/*
 * Packets on their way in: decode, find the association, hand on by type.
 *
 * Layer: L2.  In softirq, or in the sender's context on the same node.
 */
#include "assoc.h"
#include "call.h"
#include "cause.h"
#include "handshake.h"
#include "input.h"
#include "message.h"
#include "net.h"
#include "output.h"
#include "peer.h"
#include "request.h"

/* A packet of an association; true when @skb was taken. */
static bool input_assoc(struct tern_assoc *assoc, const struct tern_path *from,
			const struct tern_wire_pkt *pkt, struct sk_buff *skb,
			struct tern_outbox *out)
{
	bool taken = false, newest = true;

	if (READ_ONCE(assoc->state) == TERN_ASSOC_NEW)
		tern_handshake_confirm(assoc, out);
	switch (pkt->type) {
	case TERN_PKT_REQ:
		taken = tern_request_input(assoc, pkt, skb, out, &newest);
		break;
	case TERN_PKT_CANCEL:
		tern_request_input_cancel(assoc, pkt, out, &newest);
		break;
	case TERN_PKT_ACK:
		tern_request_input_ack(assoc, pkt, skb->data);
		newest = false;
		break;
	case TERN_PKT_REP:
		taken = tern_call_input_reply(assoc, pkt, skb, out);
		break;
	case TERN_PKT_BUSY:
		tern_call_input_busy(assoc, pkt, out);
		break;
	case TERN_PKT_RESEND:
		if (pkt->flags & TERN_WIRE_OF_REPLY)
			tern_request_input_resend(assoc, pkt, skb->data, out);
		else
			tern_call_input_resend(assoc, pkt, skb->data, out);
		break;
	case TERN_PKT_ASK:
		tern_call_input_ask(assoc, pkt, out);
		newest = false;
		break;
	case TERN_PKT_OWN:
		tern_request_input_own(assoc, pkt);
		newest = false;
		break;
	case TERN_PKT_STALE:
		TERN_COUNT(assoc->tn, STALE_IN);
		tern_assoc_end(assoc, pkt, TERN_CAUSE_RESET,
			       pkt->stale.epoch == assoc->remote_epoch ?
			       TERN_END_FORGOTTEN : TERN_END_REBORN, out);
		return false;
	case TERN_PKT_BYE:
		tern_assoc_end(assoc, NULL, TERN_CAUSE_RESET, TERN_END_TOLD,
			       out);
		return false;
	}
	tern_assoc_heard(assoc, from, newest);
	return taken;
}

/* Whether who sends this waits for an answer, and has to know that none comes. */
static bool wants_answer(const struct tern_wire_pkt *pkt)
{
	switch (pkt->type) {
	case TERN_PKT_REQ:
	case TERN_PKT_CANCEL:
	case TERN_PKT_ASK:
		return true;
	case TERN_PKT_RESEND:
		return pkt->flags & TERN_WIRE_OF_REPLY;
	}
	return false;
}

static void dispatch(struct tern_net *tn, const struct tern_path *from,
		     const struct tern_wire_pkt *pkt, struct sk_buff *skb)
{
	struct tern_assoc *assoc;
	struct tern_outbox out;
	bool taken = false;

	tern_outbox_init(&out);
	if (pkt->type == TERN_PKT_HELLO) {
		if (from)
			tern_handshake_hello(tn, from, pkt, &out);
		goto out;
	}

	assoc = tern_assoc_find(tn, pkt->dst);
	if (!assoc) {
		TERN_COUNT(tn, UNKNOWN_ASSOC);
		if (from && wants_answer(pkt))
			tern_handshake_refuse(tn, from, pkt);
	} else if (pkt->type == TERN_PKT_COOKIE) {
		tern_handshake_cookie(assoc, pkt, &out);
	} else if (pkt->type == TERN_PKT_WELCOME) {
		tern_handshake_welcome(assoc, pkt, &out);
	} else if (pkt->src != READ_ONCE(assoc->remote_id)) {
		TERN_COUNT(tn, UNKNOWN_ASSOC);
	} else {
		taken = input_assoc(assoc, from, pkt, skb, &out);
	}
out:
	if (!taken)
		consume_skb(skb);
	tern_output_flush(&out);
}

/**
 * tern_input - a packet arrived
 * @tn: the node
 * @from: the way it came, seen from here; NULL from the own node
 * @skb: the packet without the headers of its bearer, linear; consumed
 *
 * Context: under rcu_read_lock(), bottom halves disabled, no lock held.
 */
void tern_input(struct tern_net *tn, const struct tern_path *from,
		struct sk_buff *skb)
{
	struct tern_wire_pkt pkt;
	enum tern_wire_error err;

	TERN_COUNT(tn, PKT_IN);
	err = tern_wire_decode(&pkt, skb->data, skb->len);
	if (err != TERN_WIRE_OK) {
		this_cpu_inc(tn->mib->v[TERN_MIB_BAD_LENGTH + err -
					TERN_WIRE_BAD_LENGTH]);
		kfree_skb(skb);
		return;
	}
	__skb_pull(skb, tern_wire_hdr_len(pkt.type));
	dispatch(tn, from, &pkt, skb);
}

/**
 * tern_input_handed - a packet of the own node arrived, without an skb
 * @assoc: its association
 * @pkt: the packet; the reference to its message is taken over
 *
 * Context: as tern_input().
 */
void tern_input_handed(struct tern_assoc *assoc,
		       const struct tern_wire_pkt *pkt)
{
	struct tern_outbox out;
	bool taken = false;

	TERN_COUNT(assoc->tn, PKT_IN);
	tern_outbox_init(&out);
	if (READ_ONCE(assoc->state) != TERN_ASSOC_ENDED)
		taken = input_assoc(assoc, NULL, pkt, NULL, &out);
	if (!taken)
		tern_msg_put(pkt->msg);
	tern_output_flush(&out);
}

/**
 * tern_input_trouble - the network reports that a packet did not arrive
 * @tn: the node
 * @to: where it went
 * @cause: enum tern_cause
 * @refused: the report is final, as far as a handshake goes
 */
void tern_input_trouble(struct tern_net *tn, const struct tern_addr *to,
			u8 cause, bool refused)
{
	struct tern_peer *peer = tern_peer_lookup(tn, to);

	TERN_COUNT(tn, ICMP_ERRORS);
	if (!peer)
		return;
	tern_peer_trouble(peer, cause, refused);
	tern_peer_put(peer);
}
