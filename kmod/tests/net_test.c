// SPDX-License-Identifier: GPL-2.0
/*
 * A node: which addresses are its own, and how it begins.
 */
#include <kunit/test.h>
#include <linux/netdevice.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <net/netlink.h>

#include "../net.c"

/* Of documentation networks, so that no machine has them. */
static const struct in6_addr own4 = { .s6_addr = {
	[10] = 0xff, 0xff, 192, 0, 2, 5 } };
static const struct in6_addr other4 = { .s6_addr = {
	[10] = 0xff, 0xff, 192, 0, 2, 6 } };
static const struct in6_addr own6 = { .s6_addr = {
	0x20, 0x01, 0x0d, 0xb8, [15] = 5 } };
static const struct in6_addr other6 = { .s6_addr = {
	0x20, 0x01, 0x0d, 0xb8, [15] = 6 } };
/* The bytes of own4, and not mapped. */
static const struct in6_addr unmapped = { .s6_addr = {
	[12] = 192, 0, 2, 5 } };
static const struct in6_addr local6 = { .s6_addr = {
	0xfe, 0x80, [14] = 0xd, 5 } };

/* Adds or deletes an address of the loopback device, as "ip" does. */
static int change(u16 type, const struct in6_addr *addr)
{
	bool v4 = ipv6_addr_v4mapped(addr);
	struct sockaddr_nl kernel = { .nl_family = AF_NETLINK };
	struct msghdr msg = {
		.msg_name	= &kernel,
		.msg_namelen	= sizeof(kernel),
	};
	struct ifaddrmsg *header;
	struct nlmsghdr *nlh;
	struct socket *sock;
	struct sk_buff *skb;
	struct kvec vec;
	int err;

	skb = nlmsg_new(256, GFP_KERNEL);
	if (!skb)
		return -ENOMEM;
	nlh = nlmsg_put(skb, 0, 1, type, sizeof(*header),
			NLM_F_REQUEST | NLM_F_CREATE);
	header = nlmsg_data(nlh);
	*header = (struct ifaddrmsg) {
		.ifa_family	= v4 ? AF_INET : AF_INET6,
		.ifa_prefixlen	= v4 ? 32 : 128,
		.ifa_flags	= IFA_F_NODAD,
		.ifa_index	= init_net.loopback_dev->ifindex,
	};
	err = v4 ? nla_put(skb, IFA_LOCAL, 4, &addr->s6_addr32[3]) :
		   nla_put(skb, IFA_LOCAL, 16, addr);
	nlmsg_end(skb, nlh);
	if (!err)
		err = sock_create_kern(&init_net, AF_NETLINK, SOCK_RAW,
				       NETLINK_ROUTE, &sock);
	if (!err) {
		vec.iov_base = skb->data;
		vec.iov_len = skb->len;
		err = kernel_sendmsg(sock, &msg, &vec, 1, skb->len);
		sock_release(sock);
	}
	nlmsg_free(skb);
	return min(err, 0);
}

static const struct in6_addr * const added[] = { &own4, &own6, &local6 };

static struct tern_net node;

static bool has(const struct in6_addr *addr, u32 scope)
{
	return tern_net_has_addr(&node, addr, scope);
}

static void addresses(struct kunit *test)
{
	static const struct in6_addr loopback4 = { .s6_addr = {
		[10] = 0xff, 0xff, 127, 1, 2, 3 } };
	static const struct in6_addr any4 = { .s6_addr = {
		[10] = 0xff, 0xff } };
	u32 lo = init_net.loopback_dev->ifindex;
	unsigned int i;

	KUNIT_EXPECT_TRUE(test, has(&loopback4, 0));
	KUNIT_EXPECT_TRUE(test, has(&in6addr_loopback, 0));
	KUNIT_EXPECT_FALSE(test, has(&any4, 0));
	KUNIT_EXPECT_FALSE(test, has(&in6addr_any, 0));
	for (i = 0; i < ARRAY_SIZE(added); i++) {
		KUNIT_EXPECT_FALSE(test, has(added[i], 0));
		KUNIT_ASSERT_EQ(test, change(RTM_NEWADDR, added[i]), 0);
		KUNIT_EXPECT_TRUE(test, has(added[i], 0));
	}
	KUNIT_EXPECT_FALSE(test, has(&other4, 0));
	KUNIT_EXPECT_FALSE(test, has(&other6, 0));
	KUNIT_EXPECT_FALSE(test, has(&unmapped, 0));
	KUNIT_EXPECT_TRUE(test, has(&local6, lo));
	for (i = 0; i < ARRAY_SIZE(added); i++) {
		KUNIT_ASSERT_EQ(test, change(RTM_DELADDR, added[i]), 0);
		KUNIT_EXPECT_FALSE(test, has(added[i], 0));
	}
}

static void allowed(struct kunit *test)
{
	struct tern_prefix_list *list;

	KUNIT_EXPECT_FALSE(test, tern_net_allows(&node, &own4));
	list = kunit_kzalloc(test, struct_size(list, prefix, 1), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, list);
	RCU_INIT_POINTER(node.allow, list);
	KUNIT_EXPECT_FALSE(test, tern_net_allows(&node, &own4));
	list->prefix[0] = (struct tern_prefix) { .addr = own4, .len = 128 };
	list->count = 1;
	KUNIT_EXPECT_TRUE(test, tern_net_allows(&node, &own4));
	KUNIT_EXPECT_FALSE(test, tern_net_allows(&node, &other4));
	KUNIT_EXPECT_FALSE(test, tern_net_allows(&node, &unmapped));
}

static void epochs(struct kunit *test)
{
	u64 last = 0;
	int i;

	for (i = 0; i < 100; i++) {
		tern_net_new_epoch(&node);
		KUNIT_EXPECT_NE(test, node.epoch, 0ULL);
		KUNIT_EXPECT_NE(test, node.epoch, last);
		last = node.epoch;
	}
}

/* A packet that arrives while somebody looks is not an eternity ago. */
static void since(struct kunit *test)
{
	u64 now = tern_now_us();

	KUNIT_EXPECT_GE(test, tern_us_since(now - USEC_PER_SEC), USEC_PER_SEC);
	KUNIT_EXPECT_LT(test, tern_us_since(now), 3600 * USEC_PER_SEC);
	KUNIT_EXPECT_EQ(test, tern_us_since(now + 3600 * USEC_PER_SEC), 0ULL);
}

static int net_init(struct kunit *test)
{
	int err;

	memset(&node, 0, sizeof(node));
	node.net = &init_net;
	rtnl_lock();
	err = dev_open(init_net.loopback_dev, NULL);
	rtnl_unlock();
	return err;
}

static struct kunit_case net_cases[] = {
	KUNIT_CASE(addresses),
	KUNIT_CASE(allowed),
	KUNIT_CASE(epochs),
	KUNIT_CASE(since),
	{}
};

static struct kunit_suite net_suite = {
	.name = "tern_net",
	.init = net_init,
	.test_cases = net_cases,
};

kunit_test_suite(net_suite);
