// SPDX-License-Identifier: GPL-2.0
/*
 * Long messages on their way in: the memory that they wait for, and the packets
 * that let them come.
 *
 * Memory for the first part of a message is charged by who receives it; for the
 * rest it is reserved here, all of it before any of it is granted.  So those that
 * were granted some need not wait for each other.
 *
 * Layer: L1.  Lock: who owns the message holds its own.
 */
#include <linux/slab.h>

#include "assoc.h"
#include "flow.h"
#include "message.h"
#include "packet.h"
#include "peer.h"
#include "request.h"

/* The grants are told when so much is here that they do not know of. */
#define TELL	(TERN_GRANT_STEP / 4)

static struct tern_flow *to_flow(struct tern_grant *grant)
{
	return container_of(grant, struct tern_flow, grant);
}

static bool reserve(struct tern_grant *grant)
{
	struct tern_flow *flow = to_flow(grant);
	struct tern_assoc *assoc = flow->assoc;
	struct tern_net *tn = assoc->tn;

	if (!(flow->flags & TERN_WIRE_OF_REPLY)) {
		if (!tern_request_has_room(assoc, flow->memory))
			return false;
		tern_peer_queued(assoc->peer, flow->memory);
		return true;
	}
	if (atomic64_add_return(flow->memory, &tn->reply_bytes) <=
	    READ_ONCE(tn->set.queue_net))
		return true;
	atomic64_sub(flow->memory, &tn->reply_bytes);
	return false;
}

static void unreserve(struct tern_flow *flow)
{
	struct tern_assoc *assoc = flow->assoc;

	if (!flow->grant.reserved)
		return;
	if (flow->flags & TERN_WIRE_OF_REPLY)
		atomic64_sub(flow->memory, &assoc->tn->reply_bytes);
	else
		tern_peer_queued(assoc->peer, -(s64)flow->memory);
}

static void send(struct tern_grant *grant, struct tern_outbox *out)
{
	struct tern_flow *flow = to_flow(grant);
	struct tern_wire_pkt pkt = {
		.type = TERN_PKT_GRANT,
		.flags = flow->flags,
		.slot = flow->slot,
		.seq = flow->seq,
		.grant = { .until = READ_ONCE(grant->granted) },
	};

	tern_packet_post(out, flow->assoc, &pkt, NULL, 0);
	TERN_COUNT(flow->assoc->tn, GRANT_OUT);
}

const struct tern_grant_ops tern_flow_ops = {
	.reserve	= reserve,
	.send		= send,
};

/**
 * tern_flow_memory - what a long message takes, beyond tern_seg_charge()
 * @seg: one of its segments
 * @skb: that segment
 */
u32 tern_flow_memory(const struct tern_wire_seg *seg, const struct sk_buff *skb)
{
	u64 each = max_t(u64, skb->truesize, SKB_TRUESIZE(seg->size));
	u64 all = DIV_ROUND_UP(seg->total, seg->size) * each;

	return min_t(u64, all, U32_MAX) - tern_seg_charge(seg);
}

/**
 * tern_flow_begin - a long message begins to arrive
 * @in: its assembly
 * @assoc: its association
 * @pkt: its first segment to arrive
 * @flags: TERN_WIRE_OF_REPLY or 0
 * @priority: of its call
 * @skb: the segment
 *
 * Context: any.
 * Return: 0 or -ENOMEM.
 */
int tern_flow_begin(struct tern_assembly *in, struct tern_assoc *assoc,
		    const struct tern_wire_pkt *pkt, u16 flags, u8 priority,
		    const struct sk_buff *skb)
{
	struct tern_flow *flow = kzalloc(sizeof(*flow), GFP_ATOMIC);

	if (!flow)
		return -ENOMEM;
	tern_assoc_get(assoc);
	flow->assoc = assoc;
	flow->seq = pkt->seq;
	flow->slot = pkt->slot;
	flow->flags = flags;
	flow->memory = tern_flow_memory(&pkt->seg, skb);
	in->flow = flow;
	tern_grant_begin(&assoc->tn->grants, &flow->grant, pkt->seg.total,
			 TERN_WIRE_UNSCHEDULED, priority);
	return 0;
}

/* How much of a message is here; the last segment may be shorter. */
static u32 received(const struct tern_assembly *in)
{
	return min_t(u64, in->total, (u64)in->have * in->size);
}

/**
 * tern_flow_received - a segment of a long message is here
 * @in: its assembly
 * @out: for packets
 */
void tern_flow_received(struct tern_assembly *in, struct tern_outbox *out)
{
	struct tern_flow *flow = in->flow;
	u32 here = received(in);

	if (here - flow->told < TELL && here < tern_flow_granted(flow))
		return;
	flow->told = here;
	tern_grant_received(&flow->assoc->tn->grants, &flow->grant, here, out);
}

/**
 * tern_flow_ask - the sender does not send, or it is time that it did
 * @in: the assembly of a long message
 * @missing: it was told what is missing of what it was granted
 * @out: for packets
 */
void tern_flow_ask(struct tern_assembly *in, bool missing,
		   struct tern_outbox *out)
{
	struct tern_flow *flow = in->flow;
	u32 granted = tern_flow_granted(flow);

	flow->told = received(in);
	tern_grant_received(&flow->assoc->tn->grants, &flow->grant, flow->told,
			    out);
	/* Otherwise the last GRANT may be lost. */
	if (!missing && tern_flow_granted(flow) == granted)
		send(&flow->grant, out);
}

/**
 * tern_flow_end - a long message is whole, or is not wanted any more
 * @in: its assembly, which has one
 * @out: for packets, or NULL
 */
void tern_flow_end(struct tern_assembly *in, struct tern_outbox *out)
{
	struct tern_flow *flow = in->flow;
	struct tern_assoc *assoc = flow->assoc;

	in->flow = NULL;
	unreserve(flow);
	tern_grant_end(&assoc->tn->grants, &flow->grant, out);
	kfree(flow);
	tern_assoc_put(assoc);
}

/* How much of a message its sender may send. */
u32 tern_flow_granted(const struct tern_flow *flow)
{
	return READ_ONCE(flow->grant.granted);
}

/* Memory that is reserved for a message, beyond what its owner is charged with. */
u32 tern_flow_reserved(const struct tern_assembly *in)
{
	return in->flow && READ_ONCE(in->flow->grant.reserved) ?
	       in->flow->memory : 0;
}
