// SPDX-License-Identifier: GPL-2.0
/*
 * The list of peers.
 *
 * Layer: L3.
 */
#include <linux/rhashtable.h>

#include "assoc.h"
#include "netlink.h"
#include "netlink_gen.h"
#include "peer.h"

static int compare_keys(const struct tern_addr *a, const struct tern_addr *b)
{
	return memcmp(a, b, sizeof(*a));
}

static int compare(const void *a, const void *b)
{
	const struct tern_peer *x = a, *y = b;

	return compare_keys(&x->key, &y->key);
}

static bool is_next(const struct tern_nl_peer_cursor *cursor,
		    const struct tern_addr *key)
{
	int order;

	if (!cursor->begun)
		return true;
	order = compare_keys(key, &cursor->key);
	return order > 0 || (!order && cursor->inside);
}

/**
 * tern_nl_peers_next - the peers that come next in a list, without this node
 * @tn: the node
 * @cursor: where the list has come to
 * @batch: receives them; full when there may be more
 */
void tern_nl_peers_next(struct tern_net *tn,
			const struct tern_nl_peer_cursor *cursor,
			struct tern_nl_batch *batch)
{
	struct rhashtable_iter iter;
	struct tern_peer *peer;

	batch->count = 0;
	rhashtable_walk_enter(&tn->peers, &iter);
	rhashtable_walk_start(&iter);
	while ((peer = rhashtable_walk_next(&iter))) {
		/* -EAGAIN: the table is resized, and walked from its start */
		if (IS_ERR(peer) || !is_next(cursor, &peer->key) ||
		    !refcount_inc_not_zero(&peer->ref))
			continue;
		peer = tern_nl_batch_add(batch, peer, compare);
		if (peer)
			tern_peer_put(peer);
	}
	rhashtable_walk_stop(&iter);
	rhashtable_walk_exit(&iter);
}

/* What the associations of a peer hold together. */
struct totals {
	unsigned int	used;
	unsigned int	quarantined;
	u32	cached;
};

static void add_client_side(struct totals *sum, const struct tern_tx *tx)
{
	sum->used += tx->in_use;
	sum->quarantined += tx->quarantined;
}

static void add_server_side(struct totals *sum, struct tern_rx *rx)
{
	spin_lock_bh(&rx->lock);
	sum->cached += rx->cached;
	spin_unlock_bh(&rx->lock);
}

/* The part that the lock of the peer guards, and the sums of the client. */
static int put_state(struct sk_buff *skb, struct tern_peer *peer,
		     const struct tern_assoc *assoc, struct totals *sum)
{
	u32 state = TERN_PEER_STATE_IDLE;

	if (assoc && assoc == peer->assoc)
		state = TERN_PEER_STATE_UP;
	else if (assoc)
		state = TERN_PEER_STATE_HANDSHAKE;
	if (nla_put_u32(skb, TERN_A_PEER_STATE, state) ||
	    nla_put_u32(skb, TERN_A_PEER_WAITING, peer->n_waiting) ||
	    nla_put_u32(skb, TERN_A_PEER_SLOTS_USED, sum->used) ||
	    nla_put_u32(skb, TERN_A_PEER_SLOTS_QUARANTINED, sum->quarantined))
		return -EMSGSIZE;
	if (state != TERN_PEER_STATE_UP)
		return 0;
	if (nla_put_u64_64bit(skb, TERN_A_PEER_REMOTE_EPOCH,
			      assoc->remote_epoch, TERN_A_PEER_PAD) ||
	    nla_put_u32(skb, TERN_A_PEER_SRTT_US, assoc->rtt.srtt) ||
	    nla_put_u32(skb, TERN_A_PEER_RTTVAR_US, assoc->rtt.rttvar) ||
	    nla_put_u32(skb, TERN_A_PEER_RTO_US, assoc->rtt.rto) ||
	    nla_put_u32(skb, TERN_A_PEER_SLOTS_GRANTED, assoc->tx.offer))
		return -EMSGSIZE;
	return 0;
}

/* The part of an association that is read without a lock. */
static int put_assoc(struct sk_buff *skb, const struct tern_assoc *assoc)
{
	if (nla_put_u64_64bit(skb, TERN_A_PEER_LOCAL_EPOCH,
			      READ_ONCE(assoc->tn->epoch), TERN_A_PEER_PAD) ||
	    nla_put_u64_64bit(skb, TERN_A_PEER_AGE_MS,
			      tern_nl_ms_since(assoc->began_us),
			      TERN_A_PEER_PAD) ||
	    nla_put_u64_64bit(skb, TERN_A_PEER_HEARD_MS,
			      tern_nl_ms_since(READ_ONCE(assoc->heard_us)),
			      TERN_A_PEER_PAD) ||
	    nla_put_u32(skb, TERN_A_PEER_SEGMENT_SIZE, tern_assoc_room(assoc)) ||
	    nla_put_u32(skb, TERN_A_PEER_SLOTS_OFFERED,
			READ_ONCE(assoc->rx.offer)))
		return -EMSGSIZE;
	return 0;
}

static int put_kept(struct sk_buff *skb, const struct tern_peer *peer,
		    u32 cached)
{
	if (nla_put_u32(skb, TERN_A_PEER_CACHED, cached) ||
	    nla_put_u64_64bit(skb, TERN_A_PEER_CACHED_BYTES,
			      atomic64_read(&peer->cache_bytes),
			      TERN_A_PEER_PAD) ||
	    nla_put_u64_64bit(skb, TERN_A_PEER_QUEUED_BYTES,
			      atomic64_read(&peer->queue_bytes),
			      TERN_A_PEER_PAD))
		return -EMSGSIZE;
	return 0;
}

static int put_address(struct sk_buff *skb, const struct tern_addr *addr)
{
	if (nla_put_in6_addr(skb, TERN_A_PEER_ADDRESS, &addr->addr) ||
	    nla_put_u16(skb, TERN_A_PEER_PORT, ntohs(addr->port)) ||
	    nla_put_u32(skb, TERN_A_PEER_SCOPE_ID, addr->scope))
		return -EMSGSIZE;
	return 0;
}

static int put_attributes(struct sk_buff *skb, struct tern_peer *peer)
{
	struct tern_assoc *assocs[TERN_PEER_ASSOCS_MAX];
	struct tern_assoc *assoc, *main;
	struct totals sum = {};
	unsigned int i, n = 0;
	int err;

	err = put_address(skb, &peer->key);
	if (err)
		return err;

	spin_lock_bh(&peer->lock);
	list_for_each_entry(assoc, &peer->assocs, link) {
		add_client_side(&sum, &assoc->tx);
		tern_assoc_get(assoc);
		assocs[n++] = assoc;
	}
	main = peer->assoc ? peer->assoc : peer->hello;
	err = put_state(skb, peer, main, &sum);
	spin_unlock_bh(&peer->lock);

	/* References to all of them, main included, are held. */
	if (!err && main)
		err = put_assoc(skb, main);
	for (i = 0; i < n; i++) {
		add_server_side(&sum, &assocs[i]->rx);
		tern_assoc_put(assocs[i]);
	}
	return err ? err : put_kept(skb, peer, sum.cached);
}

static int put_peer(struct sk_buff *skb, struct netlink_callback *cb,
		    struct tern_peer *peer)
{
	struct tern_nl_object object;
	int err;

	err = tern_nl_begin(skb, cb, &object, TERN_CMD_PEER_GET, TERN_A_PEER);
	if (err)
		return err;
	err = put_attributes(skb, peer);
	return tern_nl_end(skb, &object, err);
}

int tern_nl_peer_get_dumpit(struct sk_buff *skb, struct netlink_callback *cb)
{
	struct tern_nl_peer_cursor *cursor = (void *)cb->ctx;
	struct tern_net *tn = tern_nl_net(cb);
	struct tern_nl_batch *batch;
	unsigned int i;
	int err = 0;

	BUILD_BUG_ON(sizeof(*cursor) > sizeof(cb->ctx));
	batch = kmalloc(sizeof(*batch), GFP_KERNEL);
	if (!batch)
		return -ENOMEM;
	do {
		tern_nl_peers_next(tn, cursor, batch);
		for (i = 0; i < batch->count; i++) {
			struct tern_peer *peer = batch->object[i];

			if (!err)
				err = put_peer(skb, cb, peer);
			if (!err) {
				cursor->key = peer->key;
				cursor->begun = true;
			}
			tern_peer_put(peer);
		}
	} while (!err && batch->count == TERN_NL_BATCH);
	kfree(batch);
	return tern_nl_dumped(skb, err);
}
