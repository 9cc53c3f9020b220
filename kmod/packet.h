/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Packets on their way out.  Whoever holds a lock puts packets into an outbox;
 * they are sent by tern_output_flush() after the last lock is released, since
 * sending may come back at once as receiving on the same node.
 *
 * Layer: L1.
 */
#ifndef _TERN_PACKET_H
#define _TERN_PACKET_H

#include <linux/skbuff.h>
#include <net/udp.h>

#include "wire.h"

struct tern_assoc;

/* Room for everything that is put before a packet. */
#define TERN_HEADROOM	(LL_MAX_HEADER + sizeof(struct ipv6hdr) + \
			 sizeof(struct udphdr))

/*
 * struct tern_outbox - packets to be sent
 * @q: those with an skb, each with a reference to its association
 * @near: of one packet that the node sends to itself, and that needs none:
 *	its association, with a reference, or NULL
 * @pkt: that packet, with a reference to its message
 */
struct tern_outbox {
	struct sk_buff_head	q;
	struct tern_assoc	*near;
	struct tern_wire_pkt	pkt;
};

struct tern_packet_cb {
	struct tern_assoc	*assoc;
};

#define TERN_PACKET_CB(skb)	((struct tern_packet_cb *)(skb)->cb)

static inline void tern_outbox_init(struct tern_outbox *out)
{
	__skb_queue_head_init(&out->q);
	out->near = NULL;
}

struct sk_buff *tern_packet_alloc(const struct tern_wire_pkt *pkt,
				  const void *data, unsigned int len);
void tern_packet_post(struct tern_outbox *out, struct tern_assoc *assoc,
		      struct tern_wire_pkt *pkt, const void *data,
		      unsigned int len);

void tern_packet_seal(struct sk_buff *skb);
bool tern_packet_is_intact(const struct sk_buff *skb);

#endif /* _TERN_PACKET_H */
