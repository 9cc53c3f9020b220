// SPDX-License-Identifier: GPL-2.0
/*
 * Packets on their way out.
 *
 * Layer: L1.
 */
#include <linux/crc32c.h>

#include "assoc.h"
#include "message.h"
#include "net.h"
#include "packet.h"
#include "peer.h"

/**
 * tern_packet_alloc - make a packet
 * @pkt: its header
 * @data: what follows the header
 * @len: length of @data
 *
 * Context: any.
 * Return: the packet, or NULL without memory.
 */
struct sk_buff *tern_packet_alloc(const struct tern_wire_pkt *pkt,
				  const void *data, unsigned int len)
{
	unsigned int hdr = tern_wire_hdr_len(pkt->type);
	struct sk_buff *skb;

	skb = alloc_skb(TERN_HEADROOM + hdr + len, GFP_ATOMIC);
	if (!skb)
		return NULL;
	skb_reserve(skb, TERN_HEADROOM);
	tern_wire_encode(pkt, skb_put(skb, hdr));
	if (len)
		skb_put_data(skb, data, len);
	return skb;
}

/* A packet to the own node, which is not encoded; it has no clock either. */
static void post_near(struct tern_outbox *out, struct tern_assoc *assoc,
		      const struct tern_wire_pkt *pkt)
{
	out->pkt = *pkt;
	if (pkt->msg)
		refcount_inc(&pkt->msg->ref);
	tern_assoc_get(assoc);
	out->near = assoc;
}

/**
 * tern_packet_post - put a packet of an association into an outbox
 * @out: the outbox
 * @assoc: the association
 * @pkt: header; ids and clock are filled in here
 * @data: what follows the header
 * @len: length of @data
 *
 * Without memory the packet is counted as lost, as it might be on its way.
 *
 * Context: any, locks may be held.
 */
void tern_packet_post(struct tern_outbox *out, struct tern_assoc *assoc,
		      struct tern_wire_pkt *pkt, const void *data,
		      unsigned int len)
{
	struct sk_buff *skb;

	pkt->slots = READ_ONCE(assoc->rx.offer);
	if (assoc->peer->self && !out->near && (pkt->msg || !len)) {
		post_near(out, assoc, pkt);
		return;
	}
	pkt->src = assoc->id;
	pkt->dst = assoc->remote_id;
	pkt->tsval = (u32)tern_now_us();
	skb = tern_packet_alloc(pkt, data, len);
	if (!skb) {
		TERN_COUNT(assoc->tn, PKT_NO_MEMORY);
		return;
	}
	tern_assoc_get(assoc);
	TERN_PACKET_CB(skb)->assoc = assoc;
	__skb_queue_tail(&out->q, skb);
}

static u32 check_of(const struct sk_buff *skb)
{
	return crc32c(tern_wire_check_seed(skb->data),
		      skb->data + TERN_WIRE_CHECK_FROM,
		      skb->len - TERN_WIRE_CHECK_FROM);
}

/**
 * tern_packet_seal - set the check of a packet
 * @skb: the packet, linear
 *
 * The checksum of UDP has 16 bits, and is made anew by whatever changes a
 * packet on its way.  This one is between the two nodes.
 */
void tern_packet_seal(struct sk_buff *skb)
{
	tern_wire_set_check(skb->data, check_of(skb));
}

/**
 * tern_packet_is_intact - verify the check of a packet
 * @skb: the packet, linear
 */
bool tern_packet_is_intact(const struct sk_buff *skb)
{
	return skb->len >= TERN_WIRE_CHECK_FROM &&
	       tern_wire_get_check(skb->data) == check_of(skb);
}
