// SPDX-License-Identifier: GPL-2.0
/*
 * The network of a world: it loses, repeats, delays and reorders.
 */
#include "virtual.h"
#include "world.h"
#include "../call.h"
#include "../packet.h"
#include "../request.h"

static u32 flight_time(void)
{
	return 100 + random_below(&world.rnd, world.trouble->delay_us + 1);
}

static void take_off(struct sk_buff *skb, struct tern_assoc *to)
{
	struct flight *flight = &world.flights[world.n_flights];

	if (!skb || world.n_flights == IN_FLIGHT) {
		kfree_skb(skb);
		return;
	}
	flight->skb = skb;
	flight->to = to;
	flight->at_us = virtual_now_us + flight_time();
	world.n_flights++;
}

/* All that a node sends goes through this network. */
void world_flush(struct tern_outbox *out)
{
	struct sk_buff *skb;

	while ((skb = __skb_dequeue(&out->q))) {
		struct tern_assoc *from = TERN_PACKET_CB(skb)->assoc;
		struct tern_assoc *to = world.assoc[from == world.assoc[0]];

		tern_assoc_put(from);
		memset(skb->cb, 0, sizeof(skb->cb));
		if (random_percent(&world.rnd, world.trouble->duplicate))
			take_off(skb_copy(skb, GFP_KERNEL), to);
		if (random_percent(&world.rnd, world.trouble->loss))
			kfree_skb(skb);
		else
			take_off(skb, to);
	}
}

static void land(struct flight *flight)
{
	struct sk_buff *skb = flight->skb;
	struct tern_assoc *assoc = flight->to;
	bool taken = false, newest = false;
	struct tern_wire_pkt pkt;
	struct tern_outbox out;

	*flight = world.flights[--world.n_flights];
	tern_outbox_init(&out);
	KUNIT_ASSERT_EQ(world.test, tern_wire_decode(&pkt, skb->data, skb->len),
			TERN_WIRE_OK);
	KUNIT_ASSERT_EQ(world.test, pkt.dst, assoc->id);
	__skb_pull(skb, tern_wire_hdr_len(pkt.type));
	rcu_read_lock();
	switch (pkt.type) {
	case TERN_PKT_REQ:
		taken = tern_request_input(assoc, &pkt, skb, &out, &newest);
		break;
	case TERN_PKT_CANCEL:
		tern_request_input_cancel(assoc, &pkt, &out, &newest);
		break;
	case TERN_PKT_ACK:
		tern_request_input_ack(assoc, &pkt, skb->data);
		break;
	case TERN_PKT_REP:
		taken = tern_call_input_reply(assoc, &pkt, skb, &out);
		break;
	case TERN_PKT_BUSY:
		tern_call_input_busy(assoc, &pkt, &out);
		break;
	case TERN_PKT_ASK:
		tern_call_input_ask(assoc, &pkt, &out);
		break;
	case TERN_PKT_OWN:
		tern_request_input_own(assoc, &pkt);
		break;
	case TERN_PKT_RESEND:
		if (pkt.flags & TERN_WIRE_OF_REPLY)
			tern_request_input_resend(assoc, &pkt, skb->data, &out);
		else
			tern_call_input_resend(assoc, &pkt, skb->data, &out);
		break;
	default:
		KUNIT_FAIL(world.test, "type %u", pkt.type);
	}
	rcu_read_unlock();
	if (!taken)
		consume_skb(skb);
	world_flush(&out);
}

/* Lets all packets arrive that are due. */
void world_land(void)
{
	unsigned int i = 0;

	while (i < world.n_flights) {
		if (world.flights[i].at_us <= virtual_now_us)
			land(&world.flights[i]);
		else
			i++;
	}
}
