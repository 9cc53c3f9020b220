// SPDX-License-Identifier: GPL-2.0
/*
 * Slots where this node is the server: what they keep when a request ends.
 *
 * Layer: L1.  Lock: rx.lock of the association.
 */
#include "packet.h"
#include "request.h"
#include "rxslot.h"
#include "segment.h"
#include "service.h"
#include "worker.h"

/**
 * tern_rxslot_post - send the outcome that a slot keeps without a request
 * @assoc: the association
 * @i: which slot
 * @tsecr: time stamp of the packet that this answers
 * @out: for the packet
 */
void tern_rxslot_post(struct tern_assoc *assoc, u16 i, u32 tsecr,
		      struct tern_outbox *out)
{
	const struct tern_rxslot *slot = tern_rx_slot(&assoc->rx, i);
	struct tern_wire_pkt pkt = {
		.type = TERN_PKT_REP,
		.slot = i,
		.seq = slot->seq,
		.tsecr = tsecr ?: 1,
		.rep = { .outcome = slot->outcome, .cause = slot->cause },
	};

	tern_segments_post(out, assoc, &pkt, NULL, 0, 1);
}

/**
 * tern_rxslot_end - take the record off its slot and leave only an outcome
 * @rx: the server side
 * @slot: the slot
 * @outcome: enum tern_outcome
 * @cause: enum tern_cause
 */
void tern_rxslot_end(struct tern_rx *rx, struct tern_rxslot *slot, u8 outcome,
		     u8 cause)
{
	struct tern_request *req = slot->req;

	/* This copy was not executed, but another one was. */
	if (slot->ran && outcome == TERN_NOT_EXECUTED)
		outcome = TERN_UNKNOWN;
	slot->state = TERN_SLOT_ENDED;
	slot->outcome = outcome;
	slot->cause = cause;
	slot->req = NULL;
	if (!req)
		return;
	rx->requests--;
	tern_request_put(req);
}

/**
 * tern_rxslot_acked - the client has the reply: forget it
 * @assoc: the association
 * @slot: the slot, which keeps nothing or a reply
 */
void tern_rxslot_acked(struct tern_assoc *assoc, struct tern_rxslot *slot)
{
	struct tern_request *req = slot->req;
	s64 size;

	if (req) {
		size = sizeof(*req) + tern_msg_size(req->reply);
		tern_peer_cached(assoc->peer, -size);
		assoc->rx.cached--;
		tern_rxslot_end(&assoc->rx, slot, 0, 0);
	}
	slot->state = TERN_SLOT_IDLE;
}

/**
 * tern_rxslot_drop - empty a slot, since nobody waits for what it has any more
 * @assoc: the association
 * @slot: the slot
 * @why: why, for those that execute
 */
void tern_rxslot_drop(struct tern_assoc *assoc, struct tern_rxslot *slot,
		      enum tern_end why)
{
	struct tern_request *req = slot->req;

	if (!req)
		return;
	switch (READ_ONCE(req->state)) {
	case TERN_SLOT_RECEIVING:
		list_del_init(&req->link);
		tern_rxslot_end(&assoc->rx, slot, TERN_NOT_EXECUTED, 0);
		break;
	case TERN_SLOT_DONE:
		tern_rxslot_acked(assoc, slot);
		break;
	default:
		if (tern_worker_forget(req, why))
			TERN_COUNT(assoc->tn, ORPHANED);
		tern_rxslot_end(&assoc->rx, slot, TERN_UNKNOWN, 0);
	}
}

/**
 * tern_rxslot_refuse - end what a packet is for, and answer it
 * @assoc: the association
 * @pkt: the packet
 * @outcome: enum tern_outcome
 * @cause: enum tern_cause
 * @out: for the answer
 */
void tern_rxslot_refuse(struct tern_assoc *assoc,
			const struct tern_wire_pkt *pkt, u8 outcome, u8 cause,
			struct tern_outbox *out)
{
	struct tern_rxslot *slot = tern_rx_slot(&assoc->rx, pkt->slot);

	tern_rxslot_end(&assoc->rx, slot, outcome, cause);
	tern_rxslot_post(assoc, pkt->slot, pkt->tsval, out);
}
