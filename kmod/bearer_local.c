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

#include "assoc.h"
#include "bearer.h"
#include "input.h"
#include "message.h"
#include "net.h"

/* Else another task of the same CPU may come in between. */
#ifdef CONFIG_PREEMPT_RT
#error "Tern needs bottom halves that are not preempted: no PREEMPT_RT"
#endif

struct local_queue {
	struct sk_buff_head	q;
	struct list_head	handed;
	bool	busy;
};

/* A packet without an skb that waits. */
struct handed {
	struct list_head	link;
	struct tern_assoc	*assoc;	/* with a reference */
	struct tern_wire_pkt	pkt;	/* with a reference to its message */
};

static DEFINE_PER_CPU(struct local_queue, local_queues);

struct local_cb {
	struct tern_net	*tn;
};

static void input_handed(struct tern_assoc *assoc,
			 const struct tern_wire_pkt *pkt)
{
	tern_input_handed(assoc, pkt);
	tern_assoc_put(assoc);
}

/* Receives what came while another packet was received.  Under rcu_read_lock(). */
static void drain(struct local_queue *lq)
{
	struct handed *handed;
	struct sk_buff *skb;

	for (;;) {
		while ((skb = __skb_dequeue(&lq->q))) {
			struct local_cb *cb = (struct local_cb *)skb->cb;

			tern_input(cb->tn, NULL, skb);
		}
		handed = list_first_entry_or_null(&lq->handed, struct handed,
						  link);
		if (!handed)
			break;
		list_del(&handed->link);
		input_handed(handed->assoc, &handed->pkt);
		kfree(handed);
	}
	lq->busy = false;
}

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
		drain(lq);
	}
	local_bh_enable();
	return 0;
}

/* Keeps a packet until the present one has been received. */
static void keep(struct local_queue *lq, struct tern_assoc *assoc,
		 const struct tern_wire_pkt *pkt)
{
	struct handed *handed = kmalloc(sizeof(*handed), GFP_ATOMIC);

	if (!handed) {
		TERN_COUNT(assoc->tn, PKT_NO_MEMORY);
		tern_msg_put(pkt->msg);
		tern_assoc_put(assoc);
		return;
	}
	handed->assoc = assoc;
	handed->pkt = *pkt;
	list_add_tail(&handed->link, &lq->handed);
}

/**
 * tern_bearer_local_hand - hand a packet of the node to itself over
 * @assoc: the association, whose reference is taken over
 * @pkt: the packet, and so is that to its message
 *
 * As by tern_bearer::xmit, without encoding the packet and copying its content.
 *
 * Context: any but hard interrupts; no lock held.
 */
void tern_bearer_local_hand(struct tern_assoc *assoc,
			    const struct tern_wire_pkt *pkt)
{
	struct local_queue *lq;

	local_bh_disable();
	rcu_read_lock();
	TERN_COUNT(assoc->tn, PKT_OUT);
	lq = this_cpu_ptr(&local_queues);
	if (lq->busy) {
		keep(lq, assoc, pkt);
	} else {
		lq->busy = true;
		input_handed(assoc, pkt);
		drain(lq);
	}
	rcu_read_unlock();
	local_bh_enable();
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
	struct local_queue *lq;
	int cpu;

	for_each_possible_cpu(cpu) {
		lq = per_cpu_ptr(&local_queues, cpu);
		__skb_queue_head_init(&lq->q);
		INIT_LIST_HEAD(&lq->handed);
	}
}
