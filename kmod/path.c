// SPDX-License-Identifier: GPL-2.0
/*
 * Paths and the choice of a bearer.
 *
 * Layer: L1.  No lock of its own: RCU.
 */
#include <linux/rculist.h>
#include <linux/slab.h>
#include <net/ipv6.h>

#include "net.h"
#include "path.h"

/**
 * tern_bearer_find - which bearer leads to an address
 * @tn: the node
 * @peer: the address
 *
 * Of several, that whose address other traffic to there would come from.
 *
 * Context: under rcu_read_lock().
 * Return: the bearer, or NULL when the node is down or lacks the family.
 */
struct tern_bearer *tern_bearer_find(struct tern_net *tn,
				     const struct tern_addr *peer)
{
	sa_family_t family = ipv6_addr_v4mapped(&peer->addr) ? AF_INET : AF_INET6;
	struct tern_bearer *bearer, *best = NULL;
	enum tern_suits suits, most = TERN_SUITS_GONE;

	list_for_each_entry_rcu(bearer, &tn->bearers, link) {
		if (bearer->family != family)
			continue;
		suits = bearer->suits(bearer, peer);
		if (best && suits <= most)
			continue;
		best = bearer;
		most = suits;
	}
	return best;
}

bool tern_path_is_same(const struct tern_path *a, const struct tern_path *b)
{
	return a->bearer == b->bearer && a->peer.port == b->peer.port &&
	       a->peer.scope == b->peer.scope &&
	       ipv6_addr_equal(&a->peer.addr, &b->peer.addr) &&
	       ipv6_addr_equal(&a->local, &b->local);
}

/**
 * tern_route_alloc - a path with an empty cache
 * @path: the path; its bearer may be NULL only for a path that never sends
 *
 * Context: any.
 * Return: the route or NULL without memory.
 */
struct tern_route *tern_route_alloc(const struct tern_path *path)
{
	struct tern_route *route = kmalloc(sizeof(*route), GFP_ATOMIC);

	if (!route)
		return NULL;
	route->path = *path;
	if (dst_cache_init(&route->cache, GFP_ATOMIC)) {
		kfree(route);
		return NULL;
	}
	return route;
}

void tern_route_free(struct tern_route *route)
{
	if (!route)
		return;
	dst_cache_destroy(&route->cache);
	kfree(route);
}

static void route_free_rcu(struct rcu_head *rcu)
{
	tern_route_free(container_of(rcu, struct tern_route, rcu));
}

void tern_route_free_rcu(struct tern_route *route)
{
	call_rcu(&route->rcu, route_free_rcu);
}
