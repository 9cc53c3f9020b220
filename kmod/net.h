/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A node: the Tern of one network namespace, and its settings.
 *
 * Layer: L1.
 */
#ifndef _TERN_NET_H
#define _TERN_NET_H

#include <linux/in6.h>
#include <linux/ktime.h>
#include <linux/mutex.h>
#include <linux/ratelimit.h>
#include <linux/rhashtable-types.h>
#include <linux/siphash.h>
#include <linux/spinlock.h>
#include <linux/timer.h>
#include <linux/types.h>
#include <linux/workqueue.h>
#include <linux/xarray.h>
#include <net/net_namespace.h>

#include "mib.h"
#include "prefix.h"

struct tern_assoc;
struct tern_bearer;
struct tern_outbox;
struct tern_peer;

#define TERN_SLOT_CHUNK		64
#define TERN_SLOT_CHUNKS	64
#define TERN_SLOTS_MAX		(TERN_SLOT_CHUNK * TERN_SLOT_CHUNKS)
#define TERN_ADDRESSES_MAX	8
/* Largest packet on the way from the node to itself. */
#define TERN_LOCAL_MTU		16384

/* struct tern_settings - what "tern up" sets; see the netlink specification */
struct tern_settings {
	u32	timeout_ms;	/* default deadline of a call */
	u32	lease_ms;	/* how long a silent peer is remembered */
	u32	grace_ms;	/* from the event to giving a request up */
	u32	slots_max;	/* slots offered to one association */
	u32	peers_max;
	u64	cache_peer;	/* bytes of replies cached for one peer */
	u64	cache_net;	/* ... for the whole node */
	u64	queue_peer;	/* bytes of requests queued for one peer */
	u64	queue_net;	/* ... for the whole node */
};

/*
 * Lower layers call these, which are set by the layer that has the function.
 */
struct tern_net_ops {
	void	(*call_timer)(struct timer_list *timer);
	void	(*peer_timer)(struct timer_list *timer);
	void	(*service_timer)(struct timer_list *timer);
};

/**
 * struct tern_net - a node
 *
 * Lifetime: that of its network namespace.  Sockets hold the namespace; all
 * associations are ended before the namespace goes.
 *
 * Locking: @config serialises up, down and changes of settings, which readers
 * take with READ_ONCE() or RCU.  @lock guards the tables' writers.
 */
struct tern_net {
	struct net	*net;
	const struct tern_net_ops	*ops;
	struct tern_mib __percpu	*mib;

	/* tables; read under RCU, written under lock where not noted */
	spinlock_t	lock;
	struct xarray	assocs;		/* index of the id -> association */
	u32	assoc_next;		/* index of the next association */
	u32	assoc_left;		/* how many more ids this node has */
	struct rhashtable	peers;	/* own locks */
	struct rhashtable	services;	/* writers under lock */
	struct tern_peer	*self;	/* this node as its own peer */
	struct tern_bearer	*local;	/* leads back to this node */

	/* counts that limits bound */
	atomic_t	n_peers;
	atomic_t	n_assocs;
	atomic_t	n_services;
	atomic_t	n_tombstones;
	atomic64_t	cache_bytes;
	atomic64_t	queue_bytes;
	atomic64_t	detached_bytes;	/* quiet calls without a socket */
	atomic64_t	reply_bytes;	/* replies of which segments are missing */
	unsigned long	pressed_until;	/* jiffies: memory is short */

	/* identity; written under config */
	u64	epoch;
	u64	epoch_began_us;
	bool	up;
	u16	port;			/* of the UDP bearer, host order */
	u32	addr_gen;	/* from 1; bumped when local addresses change */
	siphash_key_t	cookie_key;
	struct ratelimit_state	stale_limit;

	struct mutex	config;		/* serialises up, down, settings */
	struct tern_settings	set;
	struct tern_prefix_list __rcu	*allow;
	struct list_head	bearers;	/* RCU */
	unsigned int	n_addresses;
	struct in6_addr	addresses[TERN_ADDRESSES_MAX];
	struct delayed_work	gc;
};

extern unsigned int tern_net_id;
extern const struct tern_settings tern_settings_default;

struct tern_net *tern_net(const struct net *net);
int tern_net_init(struct tern_net *tn, struct net *net,
		  const struct tern_net_ops *ops);
void tern_net_exit(struct tern_net *tn);
void tern_net_new_epoch(struct tern_net *tn);
bool tern_net_allows(struct tern_net *tn, const struct in6_addr *addr);
bool tern_net_has_addr(struct tern_net *tn, const struct in6_addr *addr,
		       u32 scope);

/* A timer that is set for longer goes off in between, and finds nothing to do. */
#define TERN_TIMER_MAX_US	3600000000U

/* Jiffies of a timer that shall go off at @at, and not before. */
#define tern_timer_at(at, now)						\
	(jiffies + 1 + usecs_to_jiffies((at) <= (now) ? 0 :		\
		min_t(u64, (at) - (now), TERN_TIMER_MAX_US)))

/* The clock of deadlines, leases and ages: it goes on during suspend. */
static inline u64 tern_now_us(void)
{
	return ktime_to_us(ktime_get_boottime());
}

/**
 * tern_us_since - how long ago something was
 * @us: when, read without the lock under which it is set
 *
 * It may have been set again after the clock was read here.
 *
 * Return: microseconds, not less than 0.
 */
static inline u64 tern_us_since(u64 us)
{
	u64 now = tern_now_us();

	return now > us ? now - us : 0;
}

/* Of the peers that a node may know, those that its users may call first. */
static inline u32 tern_net_calls_max(const struct tern_net *tn)
{
	u32 max = READ_ONCE(tn->set.peers_max);

	return max - max / 4;
}

static inline u32 tern_us_to_ms(u64 us)
{
	u64 ms = div_u64(us + 999, 1000);

	return ms < U32_MAX ? ms : U32_MAX - 1;
}

#endif /* _TERN_NET_H */
