// SPDX-License-Identifier: GPL-2.0
/*
 * A node: its tables, identity and settings.
 *
 * Layer: L1.
 */
#include <linux/inetdevice.h>
#include <linux/random.h>
#include <linux/rhashtable.h>
#include <linux/slab.h>
#include <net/addrconf.h>
#include <net/ipv6.h>
#include <net/netns/generic.h>
#include <net/route.h>

#include "assoc.h"
#include "net.h"
#include "peer.h"
#include "service.h"

/* Answers to packets of unknown associations. */
#define STALES_PER_SECOND	1000

unsigned int tern_net_id;

const struct tern_settings tern_settings_default = {
	.timeout_ms	= 10000,
	.lease_ms	= 60000,
	.grace_ms	= 1000,
	.slots_max	= 1024,
	.peers_max	= 16384,
	.cache_peer	= 16 << 20,
	.cache_net	= 256 << 20,
	.queue_peer	= 16 << 20,
	.queue_net	= 256 << 20,
};

struct tern_net *tern_net(const struct net *net)
{
	return net_generic(net, tern_net_id);
}

/**
 * tern_net_new_epoch - begin a new life of the node
 * @tn: the node
 *
 * An epoch is 64 random bits, so that none is met twice.
 */
void tern_net_new_epoch(struct tern_net *tn)
{
	u64 epoch;

	do {
		epoch = get_random_u64();
	} while (!epoch);
	WRITE_ONCE(tn->epoch, epoch);
	WRITE_ONCE(tn->epoch_began_us, tern_now_us());
}

/**
 * tern_net_init - set up a node that is down
 * @tn: the node, zeroed
 * @net: its network namespace
 * @ops: what lower layers call
 *
 * Return: 0 or -ENOMEM.
 */
int tern_net_init(struct tern_net *tn, struct net *net,
		  const struct tern_net_ops *ops)
{
	int err;

	tn->net = net;
	tn->ops = ops;
	tn->set = tern_settings_default;
	spin_lock_init(&tn->lock);
	mutex_init(&tn->config);
	INIT_LIST_HEAD(&tn->bearers);
	xa_init_flags(&tn->assocs, XA_FLAGS_LOCK_BH);
	tn->assoc_next = get_random_u32();
	tn->assoc_left = U32_MAX;
	tn->addr_gen = 1;
	tn->pressed_until = jiffies;
	ratelimit_state_init(&tn->stale_limit, HZ, STALES_PER_SECOND);
	ratelimit_set_flags(&tn->stale_limit, RATELIMIT_MSG_ON_RELEASE);
	get_random_bytes(&tn->cookie_key, sizeof(tn->cookie_key));
	tern_net_new_epoch(tn);

	tn->mib = alloc_percpu(struct tern_mib);
	if (!tn->mib)
		return -ENOMEM;
	err = rhashtable_init(&tn->peers, &tern_peer_params);
	if (err)
		goto err_mib;
	err = rhashtable_init(&tn->services, &tern_service_params);
	if (err)
		goto err_peers;
	return 0;

err_peers:
	rhashtable_destroy(&tn->peers);
err_mib:
	free_percpu(tn->mib);
	return err;
}

static void free_peer(void *ptr, void *arg)
{
	struct tern_peer *peer = ptr;

	WARN_ON_ONCE(!list_empty(&peer->assocs) || !list_empty(&peer->waiting));
	tern_peer_put(peer);
}

/**
 * tern_net_exit - free a node that is down and has no sockets
 * @tn: the node, whose associations have been ended
 */
void tern_net_exit(struct tern_net *tn)
{
	rhashtable_free_and_destroy(&tn->peers, free_peer, NULL);
	rhashtable_destroy(&tn->services);
	if (tn->self)
		tern_peer_put(tn->self);
	xa_destroy(&tn->assocs);
	kfree(rcu_dereference_protected(tn->allow, true));
	free_percpu(tn->mib);
}

/* Whether the node may associate with an address. */
bool tern_net_allows(struct tern_net *tn, const struct in6_addr *addr)
{
	bool allows;

	rcu_read_lock();
	allows = tern_prefix_list_has(rcu_dereference(tn->allow), addr);
	rcu_read_unlock();
	return allows;
}

/**
 * tern_net_has_addr - whether an address is one of the node's own
 * @tn: the node
 * @addr: the address
 * @scope: interface of a link-local address
 */
bool tern_net_has_addr(struct tern_net *tn, const struct in6_addr *addr,
		       u32 scope)
{
	struct net_device *dev = NULL;
	bool own;

	if (ipv6_addr_v4mapped(addr)) {
		__be32 v4 = addr->s6_addr32[3];

		return ipv4_is_loopback(v4) ||
		       inet_addr_type(tn->net, v4) == RTN_LOCAL;
	}
	if (ipv6_addr_loopback(addr))
		return true;
	rcu_read_lock();
	if (scope)
		dev = dev_get_by_index_rcu(tn->net, scope);
	own = ipv6_chk_addr(tn->net, addr, dev, dev ? 1 : 0);
	rcu_read_unlock();
	return own;
}
