// SPDX-License-Identifier: GPL-2.0
/*
 * Replies: sent, kept until their client has them, and sent again.
 *
 * Layer: L1.  Lock: rx.lock of the association.
 */
#include <linux/tern.h>

#include "cause.h"
#include "packet.h"
#include "request.h"
#include "rxslot.h"
#include "segment.h"
#include "service.h"
#include "worker.h"

static void fill_reply(struct tern_wire_pkt *pkt,
		       const struct tern_request *req, u16 flags)
{
	*pkt = (struct tern_wire_pkt) {
		.type = TERN_PKT_REP,
		.flags = flags,
		.slot = req->slot,
		.seq = req->seq,
		.tsecr = tern_request_echo(req),
		.rep = { .status = req->status, .outcome = TERN_REPLIED },
	};
}

/**
 * __tern_reply_again - the reply or outcome of a call was lost, or is on its way
 * @assoc: the association, whose rx.lock is held
 * @pkt: the packet that asks for it
 * @out: for the answer
 */
void __tern_reply_again(struct tern_assoc *assoc,
			const struct tern_wire_pkt *pkt,
			struct tern_outbox *out)
{
	struct tern_rxslot *slot = tern_rx_slot(&assoc->rx, pkt->slot);
	struct tern_request *req = slot->req;
	struct tern_wire_pkt rep;

	TERN_COUNT(assoc->tn, CACHE_SERVED);
	if (!req) {
		tern_rxslot_post(assoc, pkt->slot, pkt->tsval, out);
		return;
	}
	req->tsoff = pkt->tsval - (u32)tern_now_us();
	fill_reply(&rep, req, TERN_WIRE_AGAIN);
	if (req->fruitless < TERN_FRUITLESS_MAX)
		req->fruitless++;
	else
		tern_assoc_narrow(assoc, req->reply);
	tern_segments_post(out, assoc, &rep, req->reply, 0, 1);
}

/**
 * tern_request_input_resend - the client asks for segments of a reply
 * @assoc: its association
 * @pkt: the packet
 * @bitmap: which segments
 * @out: for packets
 */
void tern_request_input_resend(struct tern_assoc *assoc,
			       const struct tern_wire_pkt *pkt,
			       const u8 *bitmap, struct tern_outbox *out)
{
	struct tern_rx *rx = &assoc->rx;
	struct tern_wire_pkt rep;
	struct tern_request *req;
	unsigned int missing;

	spin_lock_bh(&rx->lock);
	if (pkt->slot >= rx->limit) {
		TERN_COUNT(assoc->tn, BAD_SLOT);
		goto out;
	}
	req = tern_rx_slot(rx, pkt->slot)->req;
	if (!req || req->seq != pkt->seq || req->state != TERN_SLOT_DONE) {
		TERN_COUNT(assoc->tn, OLD_DUPLICATE);
		goto out;
	}
	if (!tern_segments_may_answer(assoc, &req->resent_us))
		goto out;
	TERN_COUNT(assoc->tn, RESEND_IN);
	req->tsoff = pkt->tsval - (u32)tern_now_us();
	fill_reply(&rep, req, 0);
	missing = tern_segments_asked(pkt, bitmap);
	if (!req->missing || missing < req->missing)
		req->fruitless = 0;
	else if (req->fruitless < TERN_FRUITLESS_MAX)
		req->fruitless++;
	req->missing = missing;
	if (req->fruitless >= TERN_FRUITLESS_MAX &&
	    tern_assoc_narrow(assoc, req->reply))
		tern_segments_post(out, assoc, &rep, req->reply, 0,
				   tern_msg_segments(req->reply));
	else
		tern_segments_post_asked(out, assoc, pkt, bitmap, &rep,
					 req->reply);
out:
	spin_unlock_bh(&rx->lock);
}

/**
 * tern_request_input_ack - the client has some replies
 * @assoc: its association
 * @pkt: the packet
 * @list: which
 */
void tern_request_input_ack(struct tern_assoc *assoc,
			    const struct tern_wire_pkt *pkt, const u8 *list)
{
	struct tern_rx *rx = &assoc->rx;
	struct tern_rxslot *slot;
	struct tern_wire_ack ack;
	unsigned int i;

	spin_lock_bh(&rx->lock);
	for (i = 0; i < pkt->ack.count; i++) {
		tern_wire_get_ack(list, i, &ack);
		if (ack.slot >= rx->limit) {
			TERN_COUNT(assoc->tn, BAD_SLOT);
			continue;
		}
		slot = tern_rx_slot(rx, ack.slot);
		if (slot->seq == ack.seq && tern_rxslot_state(slot) == TERN_SLOT_DONE)
			tern_rxslot_acked(assoc, slot);
	}
	spin_unlock_bh(&rx->lock);
}

/*
 * Whether a reply is kept until the client has it.  That of an idempotent call
 * need not be, unless segments of it may have to be sent again.
 */
static bool is_kept(const struct tern_request *req)
{
	if (req->flags & TERN_CALL_MAYBE)
		return false;
	return !(req->flags & TERN_CALL_IDEMPOTENT) ||
	       tern_msg_segments(req->reply) > 1;
}

static void keep_reply(struct tern_request *req)
{
	req->state = TERN_SLOT_DONE;
	tern_peer_cached(req->assoc->peer,
			 sizeof(*req) + tern_msg_size(req->reply));
	req->assoc->rx.cached++;
}

/* Only that the call was executed is kept. */
static void forget_reply(struct tern_request *req)
{
	struct tern_rx *rx = &req->assoc->rx;
	struct tern_rxslot *slot = tern_rx_slot(rx, req->slot);
	bool again = req->flags & TERN_CALL_IDEMPOTENT;

	slot->digest = req->in.digest;
	tern_rxslot_end(rx, slot, TERN_UNKNOWN, TERN_CAUSE_CANCELLED);
	if (again)
		slot->state = TERN_SLOT_RAN;
}

/**
 * tern_request_reply - a worker replies
 * @tn: the node
 * @worker: who
 * @handle: to what
 * @status: status of the reply
 * @msg: the reply; belongs to the request afterwards, unless this fails
 * @out: for packets
 *
 * Return: 0, or -ENOENT when the worker does not execute such a request.
 */
int tern_request_reply(struct tern_net *tn, struct tern_worker *worker,
		       u64 handle, u32 status, struct tern_msg *msg,
		       struct tern_outbox *out)
{
	struct tern_request *req = NULL;
	struct tern_wire_pkt pkt;
	struct tern_assoc *assoc;
	u16 i = handle >> 16;
	struct tern_rx *rx;

	assoc = tern_assoc_lookup_index(tn, handle >> 32);
	if (!assoc) {
		tern_worker_bury(worker, handle);
		return -ENOENT;
	}
	rx = &assoc->rx;

	spin_lock_bh(&rx->lock);
	if (i < rx->limit)
		req = tern_rx_slot(rx, i)->req;
	if (!req || (u16)req->seq != (u16)handle ||
	    READ_ONCE(req->state) != TERN_SLOT_EXECUTING ||
	    !__tern_worker_done(worker, req)) {
		spin_unlock_bh(&rx->lock);
		tern_assoc_put(assoc);
		tern_worker_bury(worker, handle);
		return -ENOENT;
	}
	req->status = status;
	req->reply = msg;
	TERN_COUNT(tn, REQUESTS_EXECUTED);
	tern_msg_set_segment(msg, tern_assoc_room(assoc));
	fill_reply(&pkt, req, 0);
	tern_segments_post(out, assoc, &pkt, msg, 0, tern_msg_segments(msg));
	if (is_kept(req))
		keep_reply(req);
	else
		forget_reply(req);
	spin_unlock_bh(&rx->lock);

	tern_request_put(req);
	tern_assoc_put(assoc);
	return 0;
}
