// SPDX-License-Identifier: GPL-2.0
/*
 * The node: what it is, its settings, and bringing it up and down.
 *
 * Layer: L3.
 */
#include <linux/in.h>
#include <linux/slab.h>
#include <linux/tern.h>
#include <net/ipv6.h>

#include "net.h"
#include "netlink.h"
#include "netlink_gen.h"
#include "node.h"

static int put_addresses(struct sk_buff *skb, const struct tern_net *tn)
{
	struct nlattr *nest;
	unsigned int i;

	nest = nla_nest_start(skb, TERN_A_SETTINGS_ADDRESSES);
	if (!nest)
		return -EMSGSIZE;
	for (i = 0; i < tn->n_addresses; i++)
		if (nla_put_in6_addr(skb, TERN_A_ADDRESSES_ADDRESS,
				     &tn->addresses[i]))
			return -EMSGSIZE;
	nla_nest_end(skb, nest);
	return 0;
}

static int put_prefix(struct sk_buff *skb, const struct tern_prefix *prefix)
{
	struct nlattr *nest;

	nest = nla_nest_start(skb, TERN_A_PREFIXES_PREFIX);
	if (!nest ||
	    nla_put_in6_addr(skb, TERN_A_PREFIX_ADDRESS, &prefix->addr) ||
	    nla_put_u8(skb, TERN_A_PREFIX_LENGTH, prefix->len))
		return -EMSGSIZE;
	nla_nest_end(skb, nest);
	return 0;
}

static int put_allow(struct sk_buff *skb, const struct tern_prefix_list *list)
{
	struct nlattr *nest;
	unsigned int i;

	nest = nla_nest_start(skb, TERN_A_SETTINGS_ALLOW);
	if (!nest)
		return -EMSGSIZE;
	for (i = 0; list && i < list->count; i++)
		if (put_prefix(skb, &list->prefix[i]))
			return -EMSGSIZE;
	nla_nest_end(skb, nest);
	return 0;
}

static int put_limits(struct sk_buff *skb, const struct tern_settings *set)
{
	if (nla_put_u32(skb, TERN_A_SETTINGS_TIMEOUT_MS, set->timeout_ms) ||
	    nla_put_u32(skb, TERN_A_SETTINGS_LEASE_MS, set->lease_ms) ||
	    nla_put_u32(skb, TERN_A_SETTINGS_GRACE_MS, set->grace_ms) ||
	    nla_put_u32(skb, TERN_A_SETTINGS_SLOTS_MAX, set->slots_max) ||
	    nla_put_u32(skb, TERN_A_SETTINGS_PEERS_MAX, set->peers_max) ||
	    nla_put_u64_64bit(skb, TERN_A_SETTINGS_CACHE_BYTES_PEER,
			      set->cache_peer, TERN_A_SETTINGS_PAD) ||
	    nla_put_u64_64bit(skb, TERN_A_SETTINGS_CACHE_BYTES_NET,
			      set->cache_net, TERN_A_SETTINGS_PAD) ||
	    nla_put_u64_64bit(skb, TERN_A_SETTINGS_QUEUE_BYTES_PEER,
			      set->queue_peer, TERN_A_SETTINGS_PAD) ||
	    nla_put_u64_64bit(skb, TERN_A_SETTINGS_QUEUE_BYTES_NET,
			      set->queue_net, TERN_A_SETTINGS_PAD))
		return -EMSGSIZE;
	return 0;
}

/* Under tn->config. */
static int put_settings(struct sk_buff *skb, const struct tern_net *tn)
{
	const struct tern_prefix_list *allow =
		rcu_dereference_protected(tn->allow,
					  lockdep_is_held(&tn->config));
	struct nlattr *nest;

	nest = nla_nest_start(skb, TERN_A_SETTINGS);
	if (!nest ||
	    nla_put_u16(skb, TERN_A_SETTINGS_PORT, tn->port) ||
	    put_addresses(skb, tn) ||
	    put_allow(skb, allow) ||
	    put_limits(skb, &tn->set))
		return -EMSGSIZE;
	nla_nest_end(skb, nest);
	return 0;
}

static int put_node(struct sk_buff *skb, const struct tern_net *tn)
{
	/* That of the node with itself is no business of the user. */
	int n_assocs = atomic_read(&tn->n_assocs) - !!tn->self;
	struct nlattr *nest;

	nest = nla_nest_start(skb, TERN_A_NODE);
	if (!nest ||
	    nla_put_u32(skb, TERN_A_NODE_MESSAGE_MAX, TERN_MESSAGE_MAX) ||
	    nla_put_u32(skb, TERN_A_NODE_PEERS, atomic_read(&tn->n_peers)) ||
	    nla_put_u32(skb, TERN_A_NODE_ASSOCIATIONS, n_assocs) ||
	    nla_put_u32(skb, TERN_A_NODE_SERVICES,
			atomic_read(&tn->n_services)))
		return -EMSGSIZE;
	if (tn->up &&
	    (nla_put_flag(skb, TERN_A_NODE_UP) ||
	     nla_put_u64_64bit(skb, TERN_A_NODE_EPOCH, tn->epoch,
			       TERN_A_NODE_PAD) ||
	     nla_put_u64_64bit(skb, TERN_A_NODE_UPTIME_MS,
			       tern_nl_ms_since(tn->epoch_began_us),
			       TERN_A_NODE_PAD)))
		return -EMSGSIZE;
	nla_nest_end(skb, nest);
	return 0;
}

int tern_nl_node_get_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct tern_net *tn = tern_net(genl_info_net(info));
	struct sk_buff *reply;
	void *header;
	int err;

	/* Room for the longest lists. */
	reply = genlmsg_new(NLMSG_GOODSIZE + TERN_PREFIXES_MAX *
			    nla_total_size(nla_total_size(16) +
					   nla_total_size(1)), GFP_KERNEL);
	if (!reply)
		return -ENOMEM;
	header = genlmsg_put_reply(reply, info, &tern_nl_family, 0,
				   TERN_CMD_NODE_GET);
	if (!header) {
		nlmsg_free(reply);
		return -EMSGSIZE;
	}
	mutex_lock(&tn->config);
	err = put_node(reply, tn);
	if (!err)
		err = put_settings(reply, tn);
	mutex_unlock(&tn->config);
	if (err) {
		nlmsg_free(reply);
		return err;
	}
	genlmsg_end(reply, header);
	return genlmsg_reply(reply, info);
}

/* What a node is to be after NODE_SET. */
struct node_set {
	struct sk_buff	*request;
	struct tern_node_config	config;
	struct tern_settings	limits;
	struct tern_prefix_list	*allow;
};

static bool is_host(const struct in6_addr *addr)
{
	__be32 v4 = addr->s6_addr32[3];

	if (ipv6_addr_v4mapped(addr))
		return v4 && !ipv4_is_multicast(v4) && !ipv4_is_lbcast(v4);
	return !ipv6_addr_any(addr) && !ipv6_addr_is_multicast(addr);
}

static bool has_address(const struct tern_node_config *config,
			const struct in6_addr *addr)
{
	unsigned int i;

	for (i = 0; i < config->n_addresses; i++)
		if (ipv6_addr_equal(&config->addresses[i], addr))
			return true;
	return false;
}

static int parse_addresses(struct genl_info *info, const struct nlattr *list,
			   struct tern_node_config *config)
{
	const struct nlattr *attr;
	struct in6_addr addr;
	int rest;

	config->n_addresses = 0;
	nla_for_each_nested(attr, list, rest) {
		addr = nla_get_in6_addr(attr);
		if (!is_host(&addr)) {
			NL_SET_ERR_MSG_ATTR(info->extack, attr,
					    "not the address of a host");
			return -EINVAL;
		}
		/* It would need an interface, and is for one link only. */
		if (ipv6_addr_type(&addr) & IPV6_ADDR_LINKLOCAL) {
			NL_SET_ERR_MSG_ATTR(info->extack, attr,
					    "link-local addresses cannot be chosen");
			return -EINVAL;
		}
		if (has_address(config, &addr)) {
			NL_SET_ERR_MSG_ATTR(info->extack, attr, "given twice");
			return -EINVAL;
		}
		if (config->n_addresses == ARRAY_SIZE(config->addresses)) {
			NL_SET_ERR_MSG_ATTR(info->extack, attr,
					    "too many addresses");
			return -E2BIG;
		}
		config->addresses[config->n_addresses++] = addr;
	}
	return 0;
}

static int parse_prefix(struct genl_info *info, const struct nlattr *nest,
			struct tern_prefix *prefix)
{
	struct nlattr *tb[TERN_A_PREFIX_LENGTH + 1];
	int err;

	err = nla_parse_nested(tb, TERN_A_PREFIX_LENGTH, nest,
			       tern_prefix_nl_policy, info->extack);
	if (err)
		return err;
	if (!tb[TERN_A_PREFIX_ADDRESS] || !tb[TERN_A_PREFIX_LENGTH]) {
		NL_SET_ERR_MSG_ATTR(info->extack, nest,
				    "address or length is missing");
		return -EINVAL;
	}
	prefix->addr = nla_get_in6_addr(tb[TERN_A_PREFIX_ADDRESS]);
	prefix->len = nla_get_u8(tb[TERN_A_PREFIX_LENGTH]);
	if (!tern_prefix_is_valid(prefix)) {
		NL_SET_ERR_MSG_ATTR(info->extack, nest,
				    "address has bits beyond the length");
		return -EINVAL;
	}
	return 0;
}

static int parse_allow(struct genl_info *info, const struct nlattr *list,
		       struct node_set *set)
{
	struct tern_prefix_list *allow;
	const struct nlattr *attr;
	unsigned int count = 0;
	int rest, err;

	nla_for_each_nested(attr, list, rest) {
		if (count++ < TERN_PREFIXES_MAX)
			continue;
		NL_SET_ERR_MSG_ATTR(info->extack, attr, "too many prefixes");
		return -E2BIG;
	}
	allow = kzalloc(struct_size(allow, prefix, count), GFP_KERNEL_ACCOUNT);
	if (!allow)
		return -ENOMEM;
	set->allow = allow;
	nla_for_each_nested(attr, list, rest) {
		err = parse_prefix(info, attr, &allow->prefix[allow->count]);
		if (err)
			return err;
		allow->count++;
	}
	return 0;
}

static void parse_u32(const struct nlattr *attr, u32 *value)
{
	if (attr)
		*value = nla_get_u32(attr);
}

static void parse_u64(const struct nlattr *attr, u64 *value)
{
	if (attr)
		*value = nla_get_u64(attr);
}

/* The ranges are those of the policy. */
static int parse_limits(struct genl_info *info, struct nlattr **tb,
			struct tern_settings *set)
{
	const struct nlattr *slots = tb[TERN_A_SETTINGS_SLOTS_MAX];

	if (slots && nla_get_u32(slots) % TERN_SLOT_CHUNK) {
		NL_SET_ERR_MSG_ATTR(info->extack, slots,
				    "not a multiple of 64");
		return -EINVAL;
	}
	parse_u32(slots, &set->slots_max);
	parse_u32(tb[TERN_A_SETTINGS_TIMEOUT_MS], &set->timeout_ms);
	parse_u32(tb[TERN_A_SETTINGS_LEASE_MS], &set->lease_ms);
	parse_u32(tb[TERN_A_SETTINGS_GRACE_MS], &set->grace_ms);
	parse_u32(tb[TERN_A_SETTINGS_PEERS_MAX], &set->peers_max);
	parse_u64(tb[TERN_A_SETTINGS_CACHE_BYTES_PEER], &set->cache_peer);
	parse_u64(tb[TERN_A_SETTINGS_CACHE_BYTES_NET], &set->cache_net);
	parse_u64(tb[TERN_A_SETTINGS_QUEUE_BYTES_PEER], &set->queue_peer);
	parse_u64(tb[TERN_A_SETTINGS_QUEUE_BYTES_NET], &set->queue_net);
	return 0;
}

static int parse_settings(struct genl_info *info, struct nlattr **tb,
			  struct node_set *set)
{
	int err = 0;

	if (tb[TERN_A_SETTINGS_PORT])
		set->config.port = nla_get_u16(tb[TERN_A_SETTINGS_PORT]);
	if (tb[TERN_A_SETTINGS_ADDRESSES])
		err = parse_addresses(info, tb[TERN_A_SETTINGS_ADDRESSES],
				      &set->config);
	if (!err && tb[TERN_A_SETTINGS_ALLOW])
		err = parse_allow(info, tb[TERN_A_SETTINGS_ALLOW], set);
	if (!err)
		err = parse_limits(info, tb, &set->limits);
	return err;
}

/*
 * What bounds the memory of a node is above its default only where somebody said
 * so whom the host trusts: the root of any user namespace has nodes of its own.
 */
static int check_raised(struct genl_info *info, struct nlattr **tb,
			const struct tern_net *tn, const struct node_set *set)
{
	const struct tern_settings *usual = &tern_settings_default;
	const struct tern_settings *now = &tn->set, *then = &set->limits;
	const struct {
		int	attr;
		u64	then;
		u64	most;
	} rows[] = {
		{ TERN_A_SETTINGS_PEERS_MAX, then->peers_max,
		  max(now->peers_max, usual->peers_max) },
		{ TERN_A_SETTINGS_CACHE_BYTES_PEER, then->cache_peer,
		  max(now->cache_peer, usual->cache_peer) },
		{ TERN_A_SETTINGS_CACHE_BYTES_NET, then->cache_net,
		  max(now->cache_net, usual->cache_net) },
		{ TERN_A_SETTINGS_QUEUE_BYTES_PEER, then->queue_peer,
		  max(now->queue_peer, usual->queue_peer) },
		{ TERN_A_SETTINGS_QUEUE_BYTES_NET, then->queue_net,
		  max(now->queue_net, usual->queue_net) },
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		if (rows[i].then <= rows[i].most ||
		    netlink_capable(set->request, CAP_NET_ADMIN))
			continue;
		NL_SET_ERR_MSG_ATTR(info->extack, tb[rows[i].attr],
				    "above the default it takes CAP_NET_ADMIN in the initial user namespace");
		return -EPERM;
	}
	return 0;
}

static bool has_addresses(const struct tern_net *tn,
			  const struct tern_node_config *config)
{
	return tn->n_addresses == config->n_addresses &&
	       !memcmp(tn->addresses, config->addresses,
		       config->n_addresses * sizeof(tn->addresses[0]));
}

/* What a node that is up listens on stays as it is. */
static int check_up(struct genl_info *info, struct nlattr **tb,
		    const struct tern_net *tn,
		    const struct tern_node_config *config)
{
	if (config->port != tn->port) {
		NL_SET_ERR_MSG_ATTR(info->extack, tb[TERN_A_SETTINGS_PORT],
				    "the node must be down to change this");
		return -EBUSY;
	}
	if (!has_addresses(tn, config)) {
		NL_SET_ERR_MSG_ATTR(info->extack, tb[TERN_A_SETTINGS_ADDRESSES],
				    "the node must be down to change this");
		return -EBUSY;
	}
	return 0;
}

/* An address or port that cannot be had is told by the attribute, if any. */
static int bring_up(struct genl_info *info, struct nlattr **tb,
		    struct tern_net *tn, const struct tern_node_config *config)
{
	int err = tern_node_up(tn, config);

	if (err == -EADDRINUSE)
		NL_SET_ERR_MSG_ATTR(info->extack, tb[TERN_A_SETTINGS_PORT],
				    "the UDP port is in use");
	else if (err == -EADDRNOTAVAIL)
		NL_SET_ERR_MSG_ATTR(info->extack, tb[TERN_A_SETTINGS_ADDRESSES],
				    "not an address of this host");
	else if (err)
		NL_SET_ERR_MSG(info->extack, "cannot open the UDP sockets");
	return err;
}

static void set_limits(struct tern_net *tn, const struct tern_settings *limits)
{
	WRITE_ONCE(tn->set.timeout_ms, limits->timeout_ms);
	WRITE_ONCE(tn->set.lease_ms, limits->lease_ms);
	WRITE_ONCE(tn->set.grace_ms, limits->grace_ms);
	WRITE_ONCE(tn->set.slots_max, limits->slots_max);
	WRITE_ONCE(tn->set.peers_max, limits->peers_max);
	WRITE_ONCE(tn->set.cache_peer, limits->cache_peer);
	WRITE_ONCE(tn->set.cache_net, limits->cache_net);
	WRITE_ONCE(tn->set.queue_peer, limits->queue_peer);
	WRITE_ONCE(tn->set.queue_net, limits->queue_net);
}

/* Under tn->config; consumes set->allow when it succeeds. */
static int __set(struct genl_info *info, struct nlattr **tb,
		 struct tern_net *tn, struct node_set *set)
{
	int err;

	set->limits = tn->set;
	set->config.port = tn->port;
	set->config.n_addresses = tn->n_addresses;
	memcpy(set->config.addresses, tn->addresses, sizeof(tn->addresses));
	err = parse_settings(info, tb, set);
	if (!err)
		err = check_raised(info, tb, tn, set);
	if (err)
		return err;
	if (tn->up)
		err = check_up(info, tb, tn, &set->config);
	else
		err = bring_up(info, tb, tn, &set->config);
	if (err)
		return err;
	set_limits(tn, &set->limits);
	if (set->allow) {
		set->allow = rcu_replace_pointer(tn->allow, set->allow,
						 lockdep_is_held(&tn->config));
		if (set->allow)
			kfree_rcu(set->allow, rcu);
		tern_node_disallow(tn);
	}
	return 0;
}

int tern_nl_node_set_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct nlattr *tb[ARRAY_SIZE(tern_settings_nl_policy)] = {};
	struct tern_net *tn = tern_net(genl_info_net(info));
	struct node_set *set;
	int err = 0;

	if (info->attrs[TERN_A_SETTINGS])
		err = nla_parse_nested(tb, ARRAY_SIZE(tb) - 1,
				       info->attrs[TERN_A_SETTINGS],
				       tern_settings_nl_policy, info->extack);
	if (err)
		return err;
	set = kzalloc(sizeof(*set), GFP_KERNEL);
	if (!set)
		return -ENOMEM;
	set->request = skb;
	mutex_lock(&tn->config);
	err = __set(info, tb, tn, set);
	mutex_unlock(&tn->config);
	if (err)
		kfree(set->allow);
	kfree(set);
	return err;
}

int tern_nl_node_down_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct tern_net *tn = tern_net(genl_info_net(info));

	mutex_lock(&tn->config);
	tern_node_down(tn);
	mutex_unlock(&tn->config);
	return 0;
}
