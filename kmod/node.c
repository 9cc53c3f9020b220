// SPDX-License-Identifier: GPL-2.0
/*
 * Taking a node up and down, and finding the peer for a destination.
 *
 * Layer: L2.
 */
#include <linux/rculist.h>
#include <linux/rhashtable.h>
#include <linux/tern.h>
#include <net/ipv6.h>

#include "assoc.h"
#include "bearer.h"
#include "cause.h"
#include "node.h"
#include "output.h"
#include "peer.h"
#include "timer.h"

static void close_bearers(struct list_head *bearers)
{
	struct tern_bearer *bearer, *next;

	list_for_each_entry_safe(bearer, next, bearers, link)
		tern_bearer_udp_close(bearer);
}

static int open_bearer(struct tern_net *tn, struct list_head *bearers,
		       const struct in6_addr *addr, u16 port)
{
	sa_family_t family = ipv6_addr_v4mapped(addr) ? AF_INET : AF_INET6;
	struct tern_bearer *bearer;

	bearer = tern_bearer_udp_open(tn, family, addr, port);
	if (IS_ERR(bearer))
		return PTR_ERR(bearer);
	list_add_tail(&bearer->link, bearers);
	return 0;
}

static int open_bearers(struct tern_net *tn, struct list_head *bearers,
			const struct tern_node_config *config)
{
	struct in6_addr any4;
	unsigned int i;
	int err = 0;

	for (i = 0; i < config->n_addresses && !err; i++)
		err = open_bearer(tn, bearers, &config->addresses[i],
				  config->port);
	if (!config->n_addresses) {
		ipv6_addr_set_v4mapped(htonl(INADDR_ANY), &any4);
		err = open_bearer(tn, bearers, &any4, config->port);
		/* A host may be without IPv6. */
		if (!err)
			err = open_bearer(tn, bearers, &in6addr_any,
					  config->port);
		if (err == -EAFNOSUPPORT)
			err = 0;
	}
	if (err)
		close_bearers(bearers);
	return err;
}

/**
 * tern_node_up - begin to exchange packets with other nodes
 * @tn: the node, which is down; its config lock is held
 * @config: what to listen on
 *
 * Context: process; may sleep.
 * Return: 0, or why a socket cannot be opened; then nothing has changed.
 */
int tern_node_up(struct tern_net *tn, const struct tern_node_config *config)
{
	LIST_HEAD(bearers);
	int err;

	lockdep_assert_held(&tn->config);
	err = open_bearers(tn, &bearers, config);
	if (err)
		return err;
	tern_net_new_epoch(tn);
	tn->n_addresses = config->n_addresses;
	memcpy(tn->addresses, config->addresses, sizeof(tn->addresses));
	WRITE_ONCE(tn->port, config->port);
	list_splice_init_rcu(&bearers, &tn->bearers, synchronize_rcu);
	/* Pairs with the acquire in tern_handshake_refuse(). */
	smp_store_release(&tn->up, true);
	return 0;
}

static bool is_remote(struct tern_assoc *assoc)
{
	return !assoc->peer->self;
}

static bool is_any(struct tern_assoc *assoc)
{
	return true;
}

/*
 * Whether the peer asked for the association, and may not do so any more.  One
 * that this node asked for stays, for its own calls.
 */
static bool is_disallowed(struct tern_assoc *assoc)
{
	const struct tern_route *route;
	struct in6_addr addr;
	bool may_call;

	rcu_read_lock();
	route = rcu_dereference(assoc->route);
	addr = route->path.peer.addr;
	rcu_read_unlock();
	may_call = assoc->peer->self || tern_net_allows(assoc->tn, &addr);
	WRITE_ONCE(assoc->may_call, may_call);
	return assoc->accepted && !may_call;
}

/* Ends the associations of which @which is true, and says so to the peers. */
static void end_assocs(struct tern_net *tn,
		       bool (*which)(struct tern_assoc *assoc), u8 cause)
{
	struct tern_assoc *assoc;
	struct tern_outbox out;
	unsigned long index;

	tern_outbox_init(&out);
	for (index = 0; (assoc = tern_assoc_next(tn, &index));) {
		if (which(assoc)) {
			if (!assoc->peer->self)
				tern_assoc_bye(assoc, &out);
			tern_output_flush(&out);
			tern_assoc_end(assoc, NULL, cause, TERN_END_SILENT,
				       &out);
			tern_output_flush(&out);
		}
		tern_assoc_put(assoc);
	}
}

/**
 * tern_node_down - end what there is with other nodes
 * @tn: the node; its config lock is held
 *
 * Four steps, each of which closes a door: no handshake is accepted and no new
 * path finds a bearer; whoever did before is done; all associations are ended
 * and so is every call on them; whoever still sends on them is done.
 *
 * Context: process; may sleep.
 */
void tern_node_down(struct tern_net *tn)
{
	struct tern_bearer *bearer;
	LIST_HEAD(bearers);

	lockdep_assert_held(&tn->config);
	if (!tn->up)
		return;
	WRITE_ONCE(tn->up, false);
	while ((bearer = list_first_entry_or_null(&tn->bearers,
						  struct tern_bearer, link))) {
		list_del_rcu(&bearer->link);
		synchronize_net();
		list_add_tail(&bearer->link, &bearers);
	}
	end_assocs(tn, is_remote, TERN_CAUSE_NET_DOWN);
	synchronize_net();
	close_bearers(&bearers);
}

/**
 * tern_node_disallow - end what other nodes may not have any more
 * @tn: the node, whose list of prefixes was replaced
 *
 * Context: process; may sleep.
 */
void tern_node_disallow(struct tern_net *tn)
{
	end_assocs(tn, is_disallowed, TERN_CAUSE_RESET);
}

/**
 * tern_node_init - set up the node of a new network namespace
 * @tn: the node, zeroed
 * @net: its network namespace
 * @ops: what lower layers call
 *
 * Return: 0 or -ENOMEM.
 */
int tern_node_init(struct tern_net *tn, struct net *net,
		   const struct tern_net_ops *ops)
{
	int err;

	err = tern_net_init(tn, net, ops);
	if (err)
		return err;
	tern_timer_sweep_init(tn);
	tn->port = TERN_PORT;
	tn->local = tern_bearer_local_open(tn);
	if (!tn->local) {
		tern_net_exit(tn);
		return -ENOMEM;
	}
	return 0;
}

/**
 * tern_node_exit - free the node of a network namespace that ends
 * @tn: the node; no socket is left
 *
 * Context: process; may sleep.
 */
void tern_node_exit(struct tern_net *tn)
{
	mutex_lock(&tn->config);
	tern_node_down(tn);
	mutex_unlock(&tn->config);
	end_assocs(tn, is_any, TERN_CAUSE_NET_DOWN);
	cancel_delayed_work_sync(&tn->gc);
	/* Timers that are running, and packets on the way to the own node. */
	if (tn->self || atomic_read(&tn->n_peers))
		synchronize_net();
	tern_bearer_local_close(tn->local);
	tern_net_exit(tn);
}

static bool is_loopback(const struct in6_addr *addr)
{
	return ipv6_addr_loopback(addr) ||
	       (ipv6_addr_v4mapped(addr) &&
		ipv4_is_loopback(addr->s6_addr32[3]));
}

/**
 * tern_node_peer - the peer for a destination
 * @tn: the node
 * @dest: the destination
 *
 * Own addresses, and those of the loopback, lead to the node itself, with the port
 * of the node or none; the unspecified address always does.
 *
 * Context: process; may sleep.
 * Return: the peer with a reference, or an error pointer.
 */
struct tern_peer *tern_node_peer(struct tern_net *tn,
				 const struct sockaddr_tern *dest)
{
	u32 gen = READ_ONCE(tn->addr_gen);
	struct tern_peer *peer;
	struct tern_addr key = {
		.scope = dest->st_scope_id,
		.port = dest->st_port ?: htons(READ_ONCE(tn->port)),
	};
	bool own_port = key.port == htons(READ_ONCE(tn->port));

	memcpy(&key.addr, dest->st_addr, sizeof(key.addr));
	if (ipv6_addr_any(&key.addr) || (own_port && is_loopback(&key.addr)))
		return tern_peer_self(tn);
	peer = tern_peer_lookup(tn, &key);
	if (peer && READ_ONCE(peer->addr_gen) == gen)
		return peer;
	if (own_port && tern_net_has_addr(tn, &key.addr, key.scope)) {
		if (peer)
			tern_peer_put(peer);
		return tern_peer_self(tn);
	}
	if (!peer)
		peer = tern_peer_obtain(tn, &key, tern_net_calls_max(tn));
	if (!IS_ERR(peer))
		WRITE_ONCE(peer->addr_gen, gen);
	return peer;
}
