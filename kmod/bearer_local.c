// SPDX-License-Identifier: GPL-2.0
/*
 * The way from a node back to itself: a packet that is sent is received at
 * once, in the sender's context, without the network stack.
 *
 * What is sent while another packet is being received waits in a queue of the
 * CPU until that is done, so that the stack does not grow.
 *
 * Layer: L2.
 */
#include <linux/percpu.h>
#include <linux/slab.h>

#include "bearer.h"
#include "input.h"
#include "net.h"

struct local_queue {
	struct sk_buff_head	q;
	bool	busy;
};

static DEFINE_PER_CPU(struct local_queue, local_queues);

struct local_cb {
	struct tern_net	*tn;
};

static int local_xmit(struct tern_bearer *bearer, struct tern_route *route,
		      struct sk_buff *skb, unsigned int *mtu)
{
	struct local_cb *cb = (struct local_cb *)skb->cb;
	struct local_queue *lq;

	*mtu = TERN_LOCAL_MTU;
	cb->tn = bearer->tn;
	local_bh_disable();
	lq = this_cpu_ptr(&local_queues);
	__skb_queue_tail(&lq->q, skb);
	if (!lq->busy) {
		lq->busy = true;
		while ((skb = __skb_dequeue(&lq->q))) {
			cb = (struct local_cb *)skb->cb;
			tern_input(cb->tn, NULL, skb);
		}
		lq->busy = false;
	}
	local_bh_enable();
	return 0;
}

/**
 * tern_bearer_local_open - make the bearer of a node to itself
 * @tn: the node
 *
 * Return: the bearer or NULL without memory.
 */
struct tern_bearer *tern_bearer_local_open(struct tern_net *tn)
{
	struct tern_bearer *bearer = kzalloc(sizeof(*bearer), GFP_KERNEL);

	if (!bearer)
		return NULL;
	bearer->tn = tn;
	bearer->xmit = local_xmit;
	bearer->family = AF_UNSPEC;
	return bearer;
}

void tern_bearer_local_close(struct tern_bearer *bearer)
{
	kfree(bearer);
}

/* Before the first node. */
void __init tern_bearer_local_init(void)
{
	int cpu;

	for_each_possible_cpu(cpu)
		__skb_queue_head_init(&per_cpu_ptr(&local_queues, cpu)->q);
}
