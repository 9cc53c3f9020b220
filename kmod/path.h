/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Paths: from which address of this node to which address of a peer, and the
 * bearer that takes packets there.
 *
 * Layer: L1.
 */
#ifndef _TERN_PATH_H
#define _TERN_PATH_H

#include <linux/in6.h>
#include <linux/list.h>
#include <linux/netdevice.h>
#include <linux/skbuff.h>
#include <net/dst_cache.h>

struct tern_net;
struct tern_route;

/* struct tern_addr - a node's bearer; also the key of a peer, so no holes */
struct tern_addr {
	struct in6_addr	addr;	/* IPv4 is v4-mapped */
	u32	scope;		/* interface of a link-local address, else 0 */
	__be16	port;
	u16	__pad;
};

/* How well a bearer suits a peer. */
enum tern_suits {
	TERN_SUITS_GONE,	/* its address is none of the host's any more */
	TERN_SUITS_SOMEHOW,
	TERN_SUITS_DEVICE,	/* its address is of the device towards it */
	TERN_SUITS_SOURCE,	/* ... and what the routes prefer */
};

/**
 * struct tern_bearer - one way for packets to leave and enter a node
 * @link: in the node's list; RCU
 * @suits: how well it suits a peer of its family, by the routes as they are; any
 *	context
 * @xmit: sends @skb, which it consumes, and tells the largest packet that the
 *	path takes without fragmentation, headers of the bearer not counted;
 *	0 or -errno
 *
 * Lifetime: until the node goes down; freed after an RCU grace period that
 * begins when no association uses it any more.
 */
struct tern_bearer {
	struct list_head	link;
	struct tern_net	*tn;
	enum tern_suits	(*suits)(struct tern_bearer *bearer,
				 const struct tern_addr *peer);
	int	(*xmit)(struct tern_bearer *bearer, struct tern_route *route,
			struct sk_buff *skb, unsigned int *mtu);
	sa_family_t	family;		/* AF_UNSPEC: the node itself */
	struct in6_addr	addr;		/* own address; :: or ::ffff:0.0.0.0 for all */
	struct rcu_head	rcu;
};

/* struct tern_path - constant once made */
struct tern_path {
	struct tern_addr	peer;
	struct in6_addr	local;		/* :: until the peer told */
	struct tern_bearer	*bearer;
};

/*
 * struct tern_route - a path with its cached destination
 *
 * Lifetime: of the association that points to it; replaced as a whole when the
 * peer moves, freed after an RCU grace period.
 */
struct tern_route {
	struct tern_path	path;
	struct dst_cache	cache;
	struct rcu_head	rcu;
};

struct tern_bearer *tern_bearer_find(struct tern_net *tn,
				     const struct tern_addr *peer);
bool tern_path_is_same(const struct tern_path *a, const struct tern_path *b);
struct tern_route *tern_route_alloc(const struct tern_path *path);
void tern_route_free(struct tern_route *route);
void tern_route_free_rcu(struct tern_route *route);

#endif /* _TERN_PATH_H */
