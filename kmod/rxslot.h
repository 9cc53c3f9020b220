/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Slots where this node is the server.  Who calls these holds rx.lock of the
 * association.
 *
 * Layer: L1.
 */
#ifndef _TERN_RXSLOT_H
#define _TERN_RXSLOT_H

#include "assoc.h"
#include "request.h"

struct tern_outbox;

void tern_rxslot_post(struct tern_assoc *assoc, u16 i, u32 tsecr,
		      struct tern_outbox *out);
void tern_rxslot_end(struct tern_rx *rx, struct tern_rxslot *slot, u8 outcome,
		     u8 cause);
void tern_rxslot_acked(struct tern_assoc *assoc, struct tern_rxslot *slot);
void tern_rxslot_drop(struct tern_assoc *assoc, struct tern_rxslot *slot,
		      enum tern_end why);
void tern_rxslot_refuse(struct tern_assoc *assoc,
			const struct tern_wire_pkt *pkt, u8 outcome, u8 cause,
			struct tern_outbox *out);

static inline enum tern_slot_state
tern_rxslot_state(const struct tern_rxslot *slot)
{
	return slot->req ? READ_ONCE(slot->req->state) : slot->state;
}

#endif /* _TERN_RXSLOT_H */
