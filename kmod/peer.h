/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Peers: other nodes as seen from here, by the address they are called at.
 *
 * Layer: L1.
 */
#ifndef _TERN_PEER_H
#define _TERN_PEER_H

#include <linux/refcount.h>
#include <linux/rhashtable-types.h>
#include <linux/spinlock.h>
#include <linux/timer.h>

#include "net.h"
#include "path.h"

struct tern_assoc;
struct tern_outbox;

/* What a node takes: anything, since IP puts fragments together. */
#define TERN_MTU_TAKEN		65000

/* Associations that one peer may have at a time. */
#define TERN_PEER_ASSOCS_MAX	8

/* struct tern_life - a life of a peer, by an association of it */
struct tern_life {
	u64	epoch;		/* 0: none */
	u64	began_us;
};

/**
 * struct tern_peer - another node, or this one
 *
 * Lifetime: the table holds a reference until the peer is dead, and so do each
 * association and each call.  A dead peer takes no new calls or associations;
 * whoever finds one looks again.  A peer of which something is kept here does
 * not die, so that it is counted in one place.
 *
 * Locking: @lock guards all below it, the client side of the peer's
 * associations, and the calls to it.  It is taken before the lock of a socket.
 */
struct tern_peer {
	struct rhash_head	node;
	struct tern_addr	key;
	struct tern_net	*tn;
	bool	self;			/* constant: this node itself */

	/* what its associations hold here together; no lock */
	atomic64_t	cache_bytes;
	atomic64_t	queue_bytes;

	spinlock_t	lock;		/* all below */
	bool	dead;
	struct tern_assoc	*assoc;	/* takes new calls; in assocs */
	struct tern_assoc	*hello;	/* handshake under way; in assocs */
	struct list_head	assocs;
	unsigned int	n_assocs;
	struct list_head	waiting;	/* calls without a slot */
	unsigned int	n_waiting;
	u8	trouble;		/* enum tern_cause, from ICMP */
	struct timer_list	timer;	/* HELLO again; holds a reference */
	u32	hello_rto;
	u32	hello_pause;		/* since the last HELLO, for a new handshake */
	u64	hello_sent_us;
	u64	cookie;			/* the peer's, 0: none yet */
	unsigned long	used;		/* jiffies */
	u32	addr_gen;		/* when it was found not to be this node */

	/* whose predecessors the sweep shall end; under the lock of the node */
	struct tern_life	begun;
	struct tern_life	named;	/* by the peer's word */

	/* cold */
	refcount_t	ref;
	struct rcu_head	rcu;
};

extern const struct rhashtable_params tern_peer_params;

struct tern_peer *tern_peer_lookup(struct tern_net *tn,
				   const struct tern_addr *key);
struct tern_peer *tern_peer_obtain(struct tern_net *tn,
				   const struct tern_addr *key, u32 max);
struct tern_peer *tern_peer_self(struct tern_net *tn);
void tern_peer_put(struct tern_peer *peer);
void tern_peer_has_life(const struct tern_assoc *assoc, bool named);
bool tern_peer_take_lives(struct tern_peer *peer, struct tern_life *begun,
			  struct tern_life *named);
bool tern_peer_reap(struct tern_peer *peer);
int __tern_peer_hello(struct tern_peer *peer, struct tern_outbox *out);
void __tern_peer_say_hello(struct tern_peer *peer, struct tern_outbox *out);
void tern_peer_timeout(struct tern_peer *peer, struct tern_outbox *out);
void tern_peer_trouble(struct tern_peer *peer, u8 cause, bool refused);

/* Counts bytes of requests for the limits; fewer, when @bytes is negative. */
static inline void tern_peer_queued(struct tern_peer *peer, s64 bytes)
{
	atomic64_add(bytes, &peer->queue_bytes);
	atomic64_add(bytes, &peer->tn->queue_bytes);
}

/* Counts bytes of replies that are kept. */
static inline void tern_peer_cached(struct tern_peer *peer, s64 bytes)
{
	atomic64_add(bytes, &peer->cache_bytes);
	atomic64_add(bytes, &peer->tn->cache_bytes);
}

static inline void tern_peer_get(struct tern_peer *peer)
{
	refcount_inc(&peer->ref);
}

#endif /* _TERN_PEER_H */
