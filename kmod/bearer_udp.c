// SPDX-License-Identifier: GPL-2.0
/*
 * The UDP bearer: a tunnel socket of the kernel for each own address.
 *
 * A packet that is larger than the path takes is cut by IP; that happens only
 * when the path became narrower after the message was cut into segments.
 *
 * Layer: L2.
 */
#include <linux/icmp.h>
#include <linux/icmpv6.h>
#include <linux/inetdevice.h>
#include <linux/slab.h>
#include <net/addrconf.h>
#include <net/icmp.h>
#include <net/ip.h>
#include <net/ip6_route.h>
#include <net/ipv6.h>
#include <net/ipv6_stubs.h>
#include <net/route.h>
#include <net/udp.h>
#include <net/udp_tunnel.h>

#include "bearer.h"
#include "cause.h"
#include "compat.h"
#include "input.h"
#include "net.h"
#include "packet.h"

struct udp_bearer {
	struct tern_bearer	b;
	struct socket	*sock;
	__be16	port;
};

static struct udp_bearer *to_udp(struct tern_bearer *bearer)
{
	return container_of(bearer, struct udp_bearer, b);
}

static struct rtable *route4(struct udp_bearer *ub, struct tern_route *route,
			     __be32 *saddr)
{
	struct flowi4 fl4 = {
		.daddr = route->path.peer.addr.s6_addr32[3],
		.saddr = route->path.local.s6_addr32[3],
		.flowi4_proto = IPPROTO_UDP,
		.fl4_dport = route->path.peer.port,
		.fl4_sport = ub->port,
	};
	struct sock *sk = ub->sock->sk;
	struct rtable *rt;

	rt = dst_cache_get_ip4(&route->cache, saddr);
	if (rt)
		return rt;
	rt = ip_route_output_flow(ub->b.tn->net, &fl4, sk);
	if (IS_ERR(rt) && fl4.saddr) {
		/* The address that the peer knew is gone. */
		fl4.saddr = ub->b.addr.s6_addr32[3];
		rt = ip_route_output_flow(ub->b.tn->net, &fl4, sk);
	}
	if (IS_ERR(rt))
		return rt;
	/* One of many would answer, and each might execute. */
	if (rt->rt_flags & (RTCF_BROADCAST | RTCF_MULTICAST)) {
		ip_rt_put(rt);
		return ERR_PTR(-EACCES);
	}
	dst_cache_set_ip4(&route->cache, &rt->dst, fl4.saddr);
	*saddr = fl4.saddr;
	return rt;
}

static int xmit4(struct tern_bearer *bearer, struct tern_route *route,
		 struct sk_buff *skb, unsigned int *mtu)
{
	struct udp_bearer *ub = to_udp(bearer);
	struct rtable *rt;
	__be32 saddr;

	tern_packet_seal(skb);
	local_bh_disable();
	rt = route4(ub, route, &saddr);
	if (IS_ERR(rt)) {
		local_bh_enable();
		kfree_skb(skb);
		return PTR_ERR(rt);
	}
	*mtu = dst_mtu(&rt->dst) - sizeof(struct iphdr) - sizeof(struct udphdr);
	udp_tunnel_xmit_skb(rt, ub->sock->sk, skb, saddr,
			    route->path.peer.addr.s6_addr32[3], 0,
			    ip4_dst_hoplimit(&rt->dst),
			    skb->len > *mtu ? 0 : htons(IP_DF), ub->port,
			    route->path.peer.port, false, false);
	local_bh_enable();
	return 0;
}

static struct dst_entry *route6(struct udp_bearer *ub, struct tern_route *route,
				struct in6_addr *saddr)
{
	struct flowi6 fl6 = {
		.daddr = route->path.peer.addr,
		.saddr = route->path.local,
		.flowi6_oif = route->path.peer.scope,
		.flowi6_proto = IPPROTO_UDP,
		.fl6_dport = route->path.peer.port,
		.fl6_sport = ub->port,
	};
	struct net *net = ub->b.tn->net;
	struct sock *sk = ub->sock->sk;
	struct dst_entry *dst;

	dst = dst_cache_get_ip6(&route->cache, saddr);
	if (dst)
		return dst;
	if (!ipv6_addr_any(&fl6.saddr) &&
	    !tern_net_has_addr(ub->b.tn, &fl6.saddr, fl6.flowi6_oif))
		fl6.saddr = ub->b.addr;
	dst = ipv6_stub->ipv6_dst_lookup_flow(net, sk, &fl6, NULL);
	if (IS_ERR(dst))
		return dst;
	dst_cache_set_ip6(&route->cache, dst, &fl6.saddr);
	*saddr = fl6.saddr;
	return dst;
}

static int xmit6(struct tern_bearer *bearer, struct tern_route *route,
		 struct sk_buff *skb, unsigned int *mtu)
{
	struct in6_addr saddr, daddr = route->path.peer.addr;
	struct udp_bearer *ub = to_udp(bearer);
	struct dst_entry *dst;

	tern_packet_seal(skb);
	local_bh_disable();
	dst = route6(ub, route, &saddr);
	if (IS_ERR(dst)) {
		local_bh_enable();
		kfree_skb(skb);
		return PTR_ERR(dst);
	}
	*mtu = dst_mtu(dst) - sizeof(struct ipv6hdr) - sizeof(struct udphdr);
	skb->ignore_df = skb->len > *mtu;
	udp_tunnel6_xmit_skb(dst, ub->sock->sk, skb, NULL, &saddr, &daddr, 0,
			     ip6_dst_hoplimit(dst), 0, ub->port,
			     route->path.peer.port, false);
	local_bh_enable();
	return 0;
}

static enum tern_suits suits4(struct tern_bearer *bearer,
			      const struct tern_addr *peer)
{
	__be32 own = bearer->addr.s6_addr32[3];
	enum tern_suits suits = TERN_SUITS_SOMEHOW;
	struct flowi4 fl4 = {
		.daddr = peer->addr.s6_addr32[3],
		.flowi4_proto = IPPROTO_UDP,
		.fl4_dport = peer->port,
		.fl4_sport = to_udp(bearer)->port,
	};
	struct in_device *in_dev;
	struct rtable *rt;

	if (inet_addr_type(bearer->tn->net, own) != RTN_LOCAL)
		return TERN_SUITS_GONE;
	rt = ip_route_output_key(bearer->tn->net, &fl4);
	if (IS_ERR(rt))
		return suits;
	in_dev = __in_dev_get_rcu(rt->dst.dev);
	if (fl4.saddr == own)
		suits = TERN_SUITS_SOURCE;
	else if (in_dev && inet_confirm_addr(bearer->tn->net, in_dev, 0, own,
					     RT_SCOPE_HOST))
		suits = TERN_SUITS_DEVICE;
	ip_rt_put(rt);
	return suits;
}

static enum tern_suits suits6(struct tern_bearer *bearer,
			      const struct tern_addr *peer)
{
	enum tern_suits suits = TERN_SUITS_SOMEHOW;
	struct net *net = bearer->tn->net;
	struct flowi6 fl6 = {
		.daddr = peer->addr,
		.flowi6_oif = peer->scope,
		.flowi6_proto = IPPROTO_UDP,
		.fl6_dport = peer->port,
		.fl6_sport = to_udp(bearer)->port,
	};
	struct dst_entry *dst;

	if (!ipv6_chk_addr(net, &bearer->addr, NULL, 0))
		return TERN_SUITS_GONE;
	dst = ipv6_stub->ipv6_dst_lookup_flow(net, to_udp(bearer)->sock->sk,
					      &fl6, NULL);
	if (IS_ERR(dst))
		return suits;
	if (ipv6_addr_equal(&fl6.saddr, &bearer->addr))
		suits = TERN_SUITS_SOURCE;
	else if (ipv6_chk_addr(net, &bearer->addr, dst->dev, 1))
		suits = TERN_SUITS_DEVICE;
	dst_release(dst);
	return suits;
}

static int udp_receive(struct sock *sk, struct sk_buff *skb)
{
	struct tern_path from = {};
	struct udp_bearer *ub;

	rcu_read_lock();
	ub = rcu_dereference_sk_user_data(sk);
	if (!ub) {
		kfree_skb(skb);
		goto out;
	}
	/* Not by broadcast or multicast, of this host either. */
	if (skb->pkt_type != PACKET_HOST) {
		TERN_COUNT(ub->b.tn, NOT_UNICAST);
		kfree_skb(skb);
		goto out;
	}
	from.bearer = &ub->b;
	from.peer.port = udp_hdr(skb)->source;
	if (ub->b.family == AF_INET) {
		ipv6_addr_set_v4mapped(ip_hdr(skb)->saddr, &from.peer.addr);
		ipv6_addr_set_v4mapped(ip_hdr(skb)->daddr, &from.local);
	} else {
		from.peer.addr = ipv6_hdr(skb)->saddr;
		from.local = ipv6_hdr(skb)->daddr;
		from.peer.scope = ipv6_iface_scope_id(&from.peer.addr,
						      inet6_iif(skb));
	}
	__skb_pull(skb, sizeof(struct udphdr));
	if (skb_linearize(skb)) {
		TERN_COUNT(ub->b.tn, PKT_NO_MEMORY);
		kfree_skb(skb);
		goto out;
	}
	if (!tern_packet_is_intact(skb)) {
		TERN_COUNT(ub->b.tn, BAD_CHECK);
		kfree_skb(skb);
		goto out;
	}
	memset(skb->cb, 0, sizeof(skb->cb));
	skb_dst_drop(skb);
	nf_reset_ct(skb);
	tern_input(ub->b.tn, &from, skb);
out:
	rcu_read_unlock();
	return 0;
}

/* What an ICMP error means for calls: the cause, and whether it is final. */
static u8 cause_of_icmp(u8 type, u8 code, bool *refused)
{
	*refused = false;
	if (type == ICMP_TIME_EXCEEDED)
		return TERN_CAUSE_UNREACH;
	if (type != ICMP_DEST_UNREACH || code == ICMP_FRAG_NEEDED)
		return TERN_CAUSE_NONE;
	*refused = true;
	return code == ICMP_PORT_UNREACH ? TERN_CAUSE_REFUSED :
					   TERN_CAUSE_UNREACH;
}

static u8 cause_of_icmp6(u8 type, u8 code, bool *refused)
{
	*refused = false;
	if (type == ICMPV6_TIME_EXCEED)
		return TERN_CAUSE_UNREACH;
	if (type != ICMPV6_DEST_UNREACH)
		return TERN_CAUSE_NONE;
	*refused = true;
	return code == ICMPV6_PORT_UNREACH ? TERN_CAUSE_REFUSED :
					     TERN_CAUSE_UNREACH;
}

/*
 * An ICMP error came for a packet that we sent, whose IP header is at
 * skb->data, and whose UDP header is known by what the kernel passes.
 */
static void udp_error(TERN_ENCAP_ERR_ARGS)
{
#ifdef TERN_ENCAP_ERR_OLD
	const struct udphdr *uh = (struct udphdr *)(skb->data + udp_offset);
#else
	const struct udphdr *uh = (struct udphdr *)payload - 1;
#endif
	struct tern_addr to = { .port = uh->dest };
	struct udp_bearer *ub;
	bool refused;
	u8 cause;

	rcu_read_lock();
	ub = rcu_dereference_sk_user_data(sk);
	if (!ub)
		goto out;
	if (ub->b.family == AF_INET) {
		const struct iphdr *iph = (struct iphdr *)skb->data;

		ipv6_addr_set_v4mapped(iph->daddr, &to.addr);
		cause = cause_of_icmp(icmp_hdr(skb)->type, icmp_hdr(skb)->code,
				      &refused);
	} else {
		const struct ipv6hdr *iph = (struct ipv6hdr *)skb->data;

		to.addr = iph->daddr;
		to.scope = ipv6_iface_scope_id(&to.addr, inet6_iif(skb));
		cause = cause_of_icmp6(icmp6_hdr(skb)->icmp6_type,
				       icmp6_hdr(skb)->icmp6_code, &refused);
	}
	if (cause != TERN_CAUSE_NONE)
		tern_input_trouble(ub->b.tn, &to, cause, refused);
out:
	rcu_read_unlock();
}

/**
 * tern_bearer_udp_open - open a UDP socket
 * @tn: the node
 * @family: AF_INET or AF_INET6
 * @addr: own address, v4-mapped for AF_INET; any for all of the family
 * @port: own port, host order
 *
 * Context: process; may sleep.
 * Return: the bearer, to be entered into the node's list, or an error pointer
 * (-EADDRINUSE, -EADDRNOTAVAIL, -ENOMEM, ...).
 */
struct tern_bearer *tern_bearer_udp_open(struct tern_net *tn,
					 sa_family_t family,
					 const struct in6_addr *addr, u16 port)
{
	struct udp_port_cfg cfg = {
		.family = family,
		.local_udp_port = htons(port),
		.use_udp_checksums = 1,
		.use_udp6_tx_checksums = 1,
		.use_udp6_rx_checksums = 1,
		.ipv6_v6only = 1,
	};
	struct udp_tunnel_sock_cfg tunnel = {
		.encap_type = 1,
		.encap_rcv = udp_receive,
		.encap_err_rcv = udp_error,
	};
	struct udp_bearer *ub;
	int err;

	ub = kzalloc(sizeof(*ub), GFP_KERNEL);
	if (!ub)
		return ERR_PTR(-ENOMEM);
	if (family == AF_INET)
		cfg.local_ip.s_addr = addr->s6_addr32[3];
	else
		cfg.local_ip6 = *addr;
	err = udp_sock_create(tn->net, &cfg, &ub->sock);
	if (err) {
		kfree(ub);
		return ERR_PTR(err);
	}
	ub->b.tn = tn;
	ub->b.family = family;
	ub->b.addr = *addr;
	ub->b.suits = family == AF_INET ? suits4 : suits6;
	ub->b.xmit = family == AF_INET ? xmit4 : xmit6;
	ub->port = htons(port);
	tunnel.sk_user_data = ub;
	setup_udp_tunnel_sock(tn->net, ub->sock, &tunnel);
	return &ub->b;
}

/**
 * tern_bearer_udp_close - close a UDP socket
 * @bearer: the bearer, off the node's list, and not used by any association
 *
 * Context: process; may sleep.
 */
void tern_bearer_udp_close(struct tern_bearer *bearer)
{
	struct udp_bearer *ub = to_udp(bearer);

	udp_tunnel_sock_release(ub->sock);
	kfree_rcu(ub, b.rcu);
}
