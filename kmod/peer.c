// SPDX-License-Identifier: GPL-2.0
/*
 * Peers: their table, and the client's half of the handshake.
 *
 * Layer: L1.
 */
#include <linux/rhashtable.h>
#include <linux/slab.h>

#include "assoc.h"
#include "call.h"
#include "cause.h"
#include "packet.h"
#include "peer.h"

/* A peer without associations and calls is forgotten after this. */
#define PEER_IDLE	(30 * HZ)

const struct rhashtable_params tern_peer_params = {
	.key_len		= sizeof(struct tern_addr),
	.key_offset		= offsetof(struct tern_peer, key),
	.head_offset		= offsetof(struct tern_peer, node),
	.automatic_shrinking	= true,
};

void tern_peer_put(struct tern_peer *peer)
{
	if (refcount_dec_and_test(&peer->ref))
		kfree_rcu(peer, rcu);
}

/**
 * tern_peer_lookup - the peer of an address
 * @tn: the node
 * @key: the address
 *
 * Return: the peer with a reference, or NULL.
 */
struct tern_peer *tern_peer_lookup(struct tern_net *tn,
				   const struct tern_addr *key)
{
	struct tern_peer *peer;

	rcu_read_lock();
	peer = rhashtable_lookup(&tn->peers, key, tern_peer_params);
	if (peer && !refcount_inc_not_zero(&peer->ref))
		peer = NULL;
	rcu_read_unlock();
	return peer;
}

static struct tern_peer *peer_alloc(struct tern_net *tn)
{
	struct tern_peer *peer = kzalloc(sizeof(*peer), GFP_ATOMIC);

	if (!peer)
		return NULL;
	peer->tn = tn;
	spin_lock_init(&peer->lock);
	INIT_LIST_HEAD(&peer->assocs);
	INIT_LIST_HEAD(&peer->waiting);
	timer_setup(&peer->timer, tn->ops->peer_timer, 0);
	peer->used = jiffies;
	refcount_set(&peer->ref, 1);
	return peer;
}

/**
 * tern_peer_obtain - the peer of an address, made if it is not known
 * @tn: the node
 * @key: the address, without holes
 * @max: how many peers there may be then
 *
 * Context: any.
 * Return: the peer with a reference, or an error pointer: -ENOMEM, -ENOBUFS
 * beyond the limit of peers.
 */
struct tern_peer *tern_peer_obtain(struct tern_net *tn,
				   const struct tern_addr *key, u32 max)
{
	struct tern_peer *peer, *old;

	peer = tern_peer_lookup(tn, key);
	if (peer)
		return peer;
	if (atomic_inc_return(&tn->n_peers) > max) {
		atomic_dec(&tn->n_peers);
		return ERR_PTR(-ENOBUFS);
	}
	peer = peer_alloc(tn);
	if (!peer) {
		atomic_dec(&tn->n_peers);
		return ERR_PTR(-ENOMEM);
	}
	peer->key = *key;
	tern_peer_get(peer);
	rcu_read_lock();
	old = rhashtable_lookup_get_insert_fast(&tn->peers, &peer->node,
						tern_peer_params);
	if (!old) {
		rcu_read_unlock();
		return peer;
	}
	if (!IS_ERR(old) && !refcount_inc_not_zero(&old->ref))
		old = ERR_PTR(-ENOMEM);
	rcu_read_unlock();
	atomic_dec(&tn->n_peers);
	kfree(peer);
	return old;
}

/**
 * tern_peer_self - this node as a peer
 * @tn: the node
 *
 * Its one association has both ends here, and is made when first needed.
 *
 * Context: process; may sleep.
 * Return: the peer with a reference, or an error pointer: -ENOMEM.
 */
struct tern_peer *tern_peer_self(struct tern_net *tn)
{
	struct tern_path path = { .bearer = tn->local };
	struct tern_assoc *assoc = NULL;
	struct tern_route *route;
	struct tern_peer *peer;

	/* Pairs with the release below: the peer is complete. */
	peer = smp_load_acquire(&tn->self);
	if (peer)
		goto out;
	mutex_lock(&tn->config);
	peer = tn->self;
	if (peer)
		goto out_unlock;
	peer = peer_alloc(tn);
	if (!peer)
		goto out_unlock;
	peer->self = true;
	route = tern_route_alloc(&path);
	if (route) {
		spin_lock_bh(&peer->lock);
		assoc = tern_assoc_create(peer, route, TERN_ASSOC_UP);
		spin_unlock_bh(&peer->lock);
	}
	if (!assoc) {
		tern_peer_put(peer);
		peer = NULL;
		goto out_unlock;
	}
	assoc->remote_id = assoc->id;
	assoc->remote_epoch = tn->epoch;
	assoc->mtu = TERN_LOCAL_MTU;
	assoc->mtu_remote = TERN_LOCAL_MTU;
	/* Nothing is lost on the way, short of memory. */
	tern_rtt_sample(&assoc->rtt, 1);
	assoc->rtt.rto = TERN_RTO_MAX_US;
	spin_lock_bh(&peer->lock);
	peer->assoc = assoc;
	spin_unlock_bh(&peer->lock);
	/* Pairs with the acquire above. */
	smp_store_release(&tn->self, peer);
out_unlock:
	mutex_unlock(&tn->config);
out:
	if (!peer)
		return ERR_PTR(-ENOMEM);
	tern_peer_get(peer);
	return peer;
}

/**
 * tern_peer_has_life - end what a peer has left in its earlier lives
 * @assoc: an association of its present life
 * @named: also what waits for the peer to say so
 *
 * Left to the sweep, which may walk the services.  The association need not live
 * until then; the peer does.
 *
 * Context: any; the lock of a peer or rx.lock may be held.
 */
void tern_peer_has_life(const struct tern_assoc *assoc, bool named)
{
	struct tern_peer *peer = assoc->peer;
	struct tern_life *life = named ? &peer->named : &peer->begun;

	spin_lock_bh(&peer->tn->lock);
	if (assoc->began_us >= life->began_us) {
		life->epoch = assoc->remote_epoch;
		life->began_us = assoc->began_us;
	}
	spin_unlock_bh(&peer->tn->lock);
}

/**
 * tern_peer_take_lives - the lives of a peer whose predecessors shall end now
 * @peer: the peer
 * @begun: the newest that began since this was called
 * @named: the newest of which the peer said so
 *
 * Return: whether there is any.
 */
bool tern_peer_take_lives(struct tern_peer *peer, struct tern_life *begun,
			  struct tern_life *named)
{
	spin_lock_bh(&peer->tn->lock);
	*begun = peer->begun;
	*named = peer->named;
	peer->begun = (struct tern_life){};
	peer->named = (struct tern_life){};
	spin_unlock_bh(&peer->tn->lock);
	return begun->epoch || named->epoch;
}

/**
 * tern_peer_reap - take a peer that is not needed from the table
 * @peer: the peer, to which the caller holds a reference
 *
 * Return: true when it is dead now.
 */
bool tern_peer_reap(struct tern_peer *peer)
{
	bool reap;

	spin_lock_bh(&peer->lock);
	reap = !peer->dead && list_empty(&peer->assocs) &&
	       list_empty(&peer->waiting) &&
	       !atomic64_read(&peer->queue_bytes) &&
	       time_after(jiffies, peer->used + PEER_IDLE);
	if (reap)
		peer->dead = true;
	spin_unlock_bh(&peer->lock);
	if (!reap)
		return false;

	rhashtable_remove_fast(&peer->tn->peers, &peer->node, tern_peer_params);
	atomic_dec(&peer->tn->n_peers);
	tern_peer_put(peer);
	return true;
}

/* Has tern_peer_timeout() called after so many microseconds. */
static void arm(struct tern_peer *peer, u64 us)
{
	if (!mod_timer(&peer->timer, jiffies + usecs_to_jiffies(us)))
		tern_peer_get(peer);
}

/* Sends HELLO and sets the timer for the next; the lock is held. */
void __tern_peer_say_hello(struct tern_peer *peer, struct tern_outbox *out)
{
	struct tern_assoc *assoc = peer->hello;
	struct tern_net *tn = peer->tn;
	struct tern_wire_pkt pkt = {
		.type = TERN_PKT_HELLO,
		.hello = {
			.epoch = READ_ONCE(tn->epoch),
			.cookie = peer->cookie,
			.lease_ms = READ_ONCE(tn->set.lease_ms),
			.mtu = TERN_MTU_TAKEN,
		},
	};

	lockdep_assert_held(&peer->lock);
	peer->hello_sent_us = tern_now_us();
	tern_packet_post(out, assoc, &pkt, NULL, 0);
	TERN_COUNT(tn, HELLO_OUT);
	arm(peer, peer->hello_rto);
}

/**
 * __tern_peer_hello - begin a handshake
 * @peer: the peer, whose lock is held, without a handshake under way
 * @out: for the packet
 *
 * Associations that come to nothing one after another are made more and more
 * slowly.
 *
 * Return: 0 or why not, enum tern_cause.
 */
int __tern_peer_hello(struct tern_peer *peer, struct tern_outbox *out)
{
	struct tern_path path = { .peer = peer->key };
	struct tern_assoc *assoc = NULL;
	struct tern_route *route;
	int cause = TERN_CAUSE_NO_SPACE;
	u64 at, now;

	lockdep_assert_held(&peer->lock);
	rcu_read_lock();
	path.bearer = tern_bearer_find(peer->tn, &peer->key);
	if (!path.bearer) {
		cause = READ_ONCE(peer->tn->up) ? TERN_CAUSE_UNREACH :
						  TERN_CAUSE_NET_DOWN;
		goto out;
	}
	path.local = path.bearer->addr;
	route = tern_route_alloc(&path);
	if (route)
		assoc = tern_assoc_create(peer, route, TERN_ASSOC_HELLO);
	if (!assoc)
		goto out;
	peer->hello = assoc;
	peer->trouble = TERN_CAUSE_NONE;
	peer->cookie = 0;
	peer->hello_rto = TERN_RTO_INIT_US;
	at = peer->hello_sent_us + peer->hello_pause;
	now = tern_now_us();
	if (at > now) {
		peer->hello_rto /= 2;	/* as if one had been sent before */
		arm(peer, at - now);
	} else {
		__tern_peer_say_hello(peer, out);
	}
	cause = 0;
out:
	rcu_read_unlock();
	return cause;
}

/**
 * tern_peer_timeout - nothing came back for a HELLO
 * @peer: the peer
 * @out: for the next one
 */
void tern_peer_timeout(struct tern_peer *peer, struct tern_outbox *out)
{
	struct tern_assoc *in_vain = NULL;

	spin_lock_bh(&peer->lock);
	if (peer->hello && list_empty(&peer->waiting)) {
		in_vain = peer->hello;
		peer->hello = NULL;
		tern_assoc_get(in_vain);
	} else if (peer->hello) {
		peer->hello_rto = tern_rtt_backoff(peer->hello_rto);
		__tern_peer_say_hello(peer, out);
	}
	spin_unlock_bh(&peer->lock);
	if (!in_vain)
		return;
	tern_assoc_end(in_vain, NULL, TERN_CAUSE_TIMEOUT, TERN_END_SILENT, out);
	tern_assoc_put(in_vain);
}

/**
 * tern_peer_trouble - the network reports that a peer cannot be reached
 * @peer: the peer
 * @cause: enum tern_cause
 * @refused: the report is final, as far as a handshake goes
 *
 * Such reports can be forged, and can be wrong a moment later.  So they end
 * only calls of which nothing was sent, and become the cause of those that
 * time out without a word from the peer.
 */
void tern_peer_trouble(struct tern_peer *peer, u8 cause, bool refused)
{
	spin_lock_bh(&peer->lock);
	peer->trouble = cause;
	if (refused && peer->hello)
		__tern_calls_fail(peer, cause, false);
	spin_unlock_bh(&peer->lock);
}
