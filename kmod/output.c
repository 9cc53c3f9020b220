// SPDX-License-Identifier: GPL-2.0
/*
 * Sending what outboxes hold.
 *
 * Layer: L2.  Called without any lock.
 */
#include "assoc.h"
#include "bearer.h"
#include "cause.h"
#include "net.h"
#include "output.h"
#include "peer.h"

/* Less than this is not believed of a path. */
#define MTU_MIN		(TERN_WIRE_HDR_MAX + TERN_WIRE_SEG_MIN)

static void output(struct tern_assoc *assoc, struct sk_buff *skb)
{
	struct tern_net *tn = assoc->tn;
	struct tern_route *route;
	unsigned int mtu = 0;
	int err;

	rcu_read_lock();
	/* The bearer lives until a grace period after the association. */
	if (READ_ONCE(assoc->state) == TERN_ASSOC_ENDED) {
		rcu_read_unlock();
		kfree_skb(skb);
		return;
	}
	route = rcu_dereference(assoc->route);
	err = route->path.bearer->xmit(route->path.bearer, route, skb, &mtu);
	rcu_read_unlock();
	if (err) {
		TERN_COUNT(tn, PKT_OUT_ERROR);
		tern_peer_trouble(assoc->peer, TERN_CAUSE_UNREACH, true);
	} else {
		TERN_COUNT(tn, PKT_OUT);
	}
	mtu = mtu ? max_t(unsigned int, mtu, MTU_MIN) : 0;
	if (mtu && mtu != READ_ONCE(assoc->mtu))
		WRITE_ONCE(assoc->mtu, mtu);
}

/**
 * tern_output_flush - send all packets of an outbox
 * @out: the outbox, empty afterwards
 *
 * Context: any but hard interrupts; no lock held.
 */
void tern_output_flush(struct tern_outbox *out)
{
	struct tern_assoc *near = out->near;
	struct sk_buff *skb;

	if (near) {
		out->near = NULL;
		tern_bearer_local_hand(near, &out->pkt);
	}
	while ((skb = __skb_dequeue(&out->q))) {
		struct tern_assoc *assoc = TERN_PACKET_CB(skb)->assoc;

		memset(skb->cb, 0, sizeof(skb->cb));
		output(assoc, skb);
		tern_assoc_put(assoc);
	}
}

/**
 * tern_output_to - send a packet that belongs to no association
 * @tn: the node
 * @path: the way
 * @pkt: its header; the clock is filled in here
 *
 * Context: under rcu_read_lock(); no lock held.
 */
void tern_output_to(struct tern_net *tn, const struct tern_path *path,
		    struct tern_wire_pkt *pkt)
{
	/* Without a cache, which would cost more than it saves. */
	struct tern_route route = { .path = *path };
	unsigned int mtu;
	struct sk_buff *skb;

	pkt->tsval = (u32)tern_now_us();
	skb = tern_packet_alloc(pkt, NULL, 0);
	if (!skb)
		TERN_COUNT(tn, PKT_NO_MEMORY);
	else if (path->bearer->xmit(path->bearer, &route, skb, &mtu))
		TERN_COUNT(tn, PKT_OUT_ERROR);
	else
		TERN_COUNT(tn, PKT_OUT);
}
