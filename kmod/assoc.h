/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Associations: the live relation of two nodes' epochs, with the slots of both
 * directions.
 *
 * Layer: L1.
 */
#ifndef _TERN_ASSOC_H
#define _TERN_ASSOC_H

#include <linux/refcount.h>
#include <linux/spinlock.h>
#include <net/ipv6.h>

#include "net.h"
#include "path.h"
#include "rtt.h"
#include "slot.h"
#include "wire.h"

struct tern_call;
struct tern_msg;
struct tern_outbox;
struct tern_peer;
struct tern_request;

/* What every path carries: the least of IPv6, less the headers of the bearer. */
#define TERN_MTU_SAFE		(IPV6_MIN_MTU - 48)

/* Answers in vain after which a path is believed to swallow large packets. */
#define TERN_FRUITLESS_MAX	3

#define TERN_SLOT_NONE		0xffff
#define TERN_SLOTS_FIRST	TERN_SLOT_CHUNK

/* A slot where this node is the client. */
struct tern_txslot {
	u64	seq;		/* of the last call */
	struct tern_call	*call;	/* outstanding, with a reference */
	unsigned long	freed;	/* jiffies, when unacked */
	u16	next;		/* free list */
	bool	unacked;	/* the server may still cache the reply */
	bool	parked;		/* free, but not offered now */
};

/* A slot where this node is the server; req holds a reference. */
struct tern_rxslot {
	u64	seq;		/* highest seen */
	struct tern_request	*req;
	u32	digest;		/* with TERN_SLOT_RAN, of the request */
	u8	state;		/* enum tern_slot_state, when req is NULL */
	u8	outcome;	/* enum tern_outcome, with TERN_SLOT_ENDED */
	u8	cause;		/* enum tern_cause */
	bool	ran;		/* the call was executed before, idempotent */
};

/* Client side of an association; all under the peer's lock. */
struct tern_tx {
	struct tern_txslot	*chunk[TERN_SLOT_CHUNKS];
	u16	offer;		/* slots that the peer lets us use now */
	u16	limit;		/* slots that exist here, may be more */
	u16	free;		/* head of the list of free ones, newest first */
	u16	in_use;
	u16	quarantined;	/* of those in use */
	u16	unacked;
};

/* Server side of an association; all under lock. */
struct tern_rx {
	spinlock_t	lock;		/* all below, and the route's change */
	struct tern_rxslot	*chunk[TERN_SLOT_CHUNKS];
	u16	offer;		/* slots that the peer shall use now */
	u16	most;		/* the highest offer ever */
	u16	limit;		/* slots that exist here, at most that */
	u32	requests;	/* on slots, in any state */
	u32	cached;		/* of those, with a reply */
	struct list_head	receiving;	/* requests that are incomplete */
};

/*
 * TERN_ASSOC_HELLO: this node asked for it and waits for the answer
 * TERN_ASSOC_NEW: the peer asked for it and has not used it yet
 * TERN_ASSOC_UP: usable
 * TERN_ASSOC_ENDED: neither in the table nor usable any more
 */
enum tern_assoc_state {
	TERN_ASSOC_HELLO,
	TERN_ASSOC_NEW,
	TERN_ASSOC_UP,
	TERN_ASSOC_ENDED,
};

/*
 * Why an association ends, as far as the calls matter that are executing here.
 *
 * TERN_END_SILENT: nothing was heard of the peer, or this node ends it
 * TERN_END_TOLD: the peer goes down, and says so
 * TERN_END_FORGOTTEN: the peer, asked for it, does not know it any more
 * TERN_END_REBORN: the peer has begun a new life
 */
enum tern_end {
	TERN_END_SILENT,
	TERN_END_TOLD,
	TERN_END_FORGOTTEN,
	TERN_END_REBORN,
};

/**
 * struct tern_assoc - an association
 *
 * Lifetime: the table holds a reference until tern_assoc_end(), and so do each
 * outstanding call, each request on a slot and each packet in an outbox.
 * Freed after an RCU grace period, since lookup is by RCU alone.
 *
 * Locking: the client side and the state are guarded by the lock of the peer,
 * the server side by rx.lock; neither is taken inside the other.
 */
struct tern_assoc {
	/* constant, but may_call */
	struct tern_net	*tn;
	struct tern_peer	*peer;		/* with a reference */
	u64	id;
	u64	began_us;
	bool	accepted;		/* the peer asked for it */
	bool	may_call;		/* the peer may call us */
	bool	superseded;		/* its peer has begun a new life */

	/* hot, read without lock */
	u64	remote_id;	/* constant once up */
	struct tern_route __rcu	*route;
	u32	mtu;		/* largest packet of the path */
	u32	mtu_remote;	/* largest packet that the peer takes */
	u8	state;		/* enum tern_assoc_state */
	u64	heard_us;	/* when the peer was last heard */

	/* under the peer's lock */
	struct list_head	link;		/* in the peer */
	struct tern_rtt	rtt;		/* of the network alone */
	struct tern_rtt	answer;		/* from request to reply */
	u64	remote_epoch;
	u64	confirmed_us;	/* the peer heard something sent then */
	u32	lease_ms;	/* the shorter of both nodes' */
	struct tern_tx	tx;

	struct tern_rx	rx;

	/* cold */
	refcount_t	ref;
	struct rcu_head	rcu;
};

struct tern_assoc *tern_assoc_create(struct tern_peer *peer,
				     struct tern_route *route,
				     enum tern_assoc_state state);
struct tern_assoc *tern_assoc_find(struct tern_net *tn, u64 id);
struct tern_assoc *tern_assoc_lookup_index(struct tern_net *tn, u32 index);
u32 tern_assoc_ended_age_ms(struct tern_net *tn, u64 id);
void tern_assoc_end(struct tern_assoc *assoc, const struct tern_wire_pkt *stale,
		    u8 cause, enum tern_end why, struct tern_outbox *out);
void tern_assoc_bye(struct tern_assoc *assoc, struct tern_outbox *out);
struct tern_assoc *tern_assoc_next(struct tern_net *tn, unsigned long *index);
void tern_assoc_forget(struct tern_net *tn);
void tern_assoc_heard(struct tern_assoc *assoc, const struct tern_path *from,
		      bool newest);
bool tern_assoc_has_moved(const struct tern_assoc *assoc);
void tern_assoc_put(struct tern_assoc *assoc);
bool tern_assoc_is_usable(const struct tern_assoc *assoc);
unsigned int tern_assoc_room(const struct tern_assoc *assoc);
bool tern_assoc_narrow(struct tern_assoc *assoc, struct tern_msg *msg);
void tern_tx_set_offer(struct tern_tx *tx, u16 offer);
bool tern_tx_has_free(struct tern_tx *tx);
void tern_tx_add_free(struct tern_tx *tx, u16 i);
struct tern_rxslot *tern_rx_obtain(struct tern_rx *rx, u16 i);
bool tern_rx_set_offer(struct tern_rx *rx, u16 used, bool pressure, u16 max);

static inline void tern_assoc_get(struct tern_assoc *assoc)
{
	refcount_inc(&assoc->ref);
}

static inline u32 tern_assoc_index(const struct tern_assoc *assoc)
{
	return assoc->id >> 32;
}

/* Caller holds the lock of the peer; @i is below the limit. */
static inline struct tern_txslot *tern_tx_slot(struct tern_tx *tx, u16 i)
{
	return &tx->chunk[i / TERN_SLOT_CHUNK][i % TERN_SLOT_CHUNK];
}

/* Caller holds rx->lock; @i is below the limit. */
static inline struct tern_rxslot *tern_rx_slot(struct tern_rx *rx, u16 i)
{
	return &rx->chunk[i / TERN_SLOT_CHUNK][i % TERN_SLOT_CHUNK];
}

#endif /* _TERN_ASSOC_H */
