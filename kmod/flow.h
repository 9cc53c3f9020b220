/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Long messages on their way in: the memory that they wait for, and the packets
 * that let them come.
 *
 * Layer: L1.
 */
#ifndef _TERN_FLOW_H
#define _TERN_FLOW_H

#include <linux/types.h>

#include "grant.h"
#include "wire.h"

struct sk_buff;
struct tern_assembly;
struct tern_assoc;
struct tern_outbox;

/**
 * struct tern_flow - a long message that is not whole
 *
 * Lifetime: of its assembly, until the message is whole.
 */
struct tern_flow {
	struct tern_grant	grant;

	/* constant */
	struct tern_assoc	*assoc;	/* with a reference */
	u64	seq;
	u16	slot;
	u16	flags;		/* TERN_WIRE_OF_REPLY or 0 */
	u32	memory;		/* that has to be reserved before it is granted */

	/* under the lock of the assembly */
	u32	told;		/* bytes received, as far as the grants know */
};

extern const struct tern_grant_ops tern_flow_ops;

u32 tern_flow_memory(const struct tern_wire_seg *seg,
		     const struct sk_buff *skb);
int tern_flow_begin(struct tern_assembly *in, struct tern_assoc *assoc,
		    const struct tern_wire_pkt *pkt, u16 flags, u8 priority,
		    const struct sk_buff *skb);
void tern_flow_received(struct tern_assembly *in, struct tern_outbox *out);
void tern_flow_ask(struct tern_assembly *in, bool missing,
		   struct tern_outbox *out);
void tern_flow_end(struct tern_assembly *in, struct tern_outbox *out);
u32 tern_flow_granted(const struct tern_flow *flow);
u32 tern_flow_reserved(const struct tern_assembly *in);

/* Whether a part of a message is sent only when it is granted. */
static inline bool tern_flow_is_needed(const struct tern_wire_seg *seg)
{
	return seg->total > TERN_WIRE_UNSCHEDULED;
}

#endif /* _TERN_FLOW_H */
