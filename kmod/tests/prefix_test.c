// SPDX-License-Identifier: GPL-2.0
/*
 * Prefixes: the allow-list against a bit-by-bit comparison.
 */
#include <kunit/test.h>

#include "../prefix.c"
#include "random.h"

#define V4(a, b, c, d)	{ .s6_addr = { [10] = 0xff, 0xff, a, b, c, d } }
#define V6(a, b)	{ .s6_addr = { a, b } }

static void valid(struct kunit *test)
{
	static const struct {
		struct tern_prefix	prefix;
		bool	valid;
	} cases[] = {
		{ { V6(0, 0), 0 }, true },
		{ { V6(0xfd, 0x08), 16 }, true },
		{ { V6(0xfd, 0x08), 13 }, true },
		{ { V6(0xfd, 0x08), 12 }, false },
		{ { V6(0xfd, 0x08), 128 }, true },
		{ { V6(0xfd, 0x08), 129 }, false },
		{ { V6(0xfd, 0x08), 255 }, false },
		{ { V4(0, 0, 0, 0), 96 }, true },
		{ { V4(0, 0, 0, 0), 95 }, false },
		{ { V4(10, 8, 0, 0), 120 }, true },
		{ { V4(10, 8, 0, 1), 120 }, false },
		{ { V4(10, 8, 0, 1), 128 }, true },
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(cases); i++)
		KUNIT_EXPECT_EQ_MSG(test,
				    tern_prefix_is_valid(&cases[i].prefix),
				    cases[i].valid, "case %u", i);
}

static void lists(struct kunit *test)
{
	static const struct tern_prefix prefixes[] = {
		{ V4(10, 8, 0, 0), 120 },
		{ V4(10, 9, 0, 1), 128 },
		{ V6(0xfd, 0x08), 64 },
	};
	static const struct {
		struct in6_addr	addr;
		bool	has;
	} cases[] = {
		{ V4(10, 8, 0, 0), true },
		{ V4(10, 8, 0, 255), true },
		{ V4(10, 8, 1, 0), false },
		{ V4(10, 9, 0, 1), true },
		{ V4(10, 9, 0, 0), false },
		{ V4(10, 9, 0, 2), false },
		{ { .s6_addr = { 0xfd, 0x08, [15] = 1 } }, true },
		{ { .s6_addr = { 0xfd, 0x08, [7] = 1 } }, false },
		{ { .s6_addr = { 0xfd, 0x09 } }, false },
		{ V6(0, 0), false },
	};
	struct tern_prefix_list *list;
	unsigned int i;

	list = kunit_kzalloc(test, struct_size(list, prefix, 3), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, list);
	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		list->count = 0;
		KUNIT_EXPECT_FALSE(test,
				   tern_prefix_list_has(list, &cases[i].addr));
		KUNIT_EXPECT_FALSE(test,
				   tern_prefix_list_has(NULL, &cases[i].addr));
		list->count = ARRAY_SIZE(prefixes);
		memcpy(list->prefix, prefixes, sizeof(prefixes));
		KUNIT_EXPECT_EQ_MSG(test,
				    tern_prefix_list_has(list, &cases[i].addr),
				    cases[i].has, "case %u", i);
	}
}

/* ::/0 is every IPv6 address and no IPv4 address; 0.0.0.0/0 the other way. */
static void families(struct kunit *test)
{
	static const struct tern_prefix all_v6 = { V6(0, 0), 0 };
	static const struct tern_prefix all_v4 = { V4(0, 0, 0, 0), 96 };
	static const struct in6_addr v4 = V4(192, 0, 2, 1);
	static const struct in6_addr v6 = V6(0x20, 0x01);
	struct tern_prefix_list *list;

	list = kunit_kzalloc(test, struct_size(list, prefix, 1), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, list);
	list->count = 1;
	list->prefix[0] = all_v6;
	KUNIT_EXPECT_TRUE(test, tern_prefix_list_has(list, &v6));
	KUNIT_EXPECT_FALSE(test, tern_prefix_list_has(list, &v4));
	list->prefix[0] = all_v4;
	KUNIT_EXPECT_FALSE(test, tern_prefix_list_has(list, &v6));
	KUNIT_EXPECT_TRUE(test, tern_prefix_list_has(list, &v4));
}

static bool bits_equal(const u8 *a, const u8 *b, unsigned int len)
{
	unsigned int i;

	for (i = 0; i < len; i++)
		if ((a[i / 8] ^ b[i / 8]) & 0x80 >> i % 8)
			return false;
	return true;
}

static void random_prefixes(struct kunit *test)
{
	struct tern_prefix_list *list;
	struct rnd_state rnd;
	unsigned int i, hits = 0;

	list = kunit_kzalloc(test, struct_size(list, prefix, 1), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, list);
	prandom_seed_state(&rnd, 1);
	list->count = 1;
	for (i = 0; i < 20000; i++) {
		struct tern_prefix *p = &list->prefix[0];
		struct in6_addr addr;
		unsigned int bit;
		bool has;

		prandom_bytes_state(&rnd, &addr, sizeof(addr));
		addr.s6_addr[0] = 0x20;
		p->len = random_below(&rnd, 129);
		ipv6_addr_prefix(&p->addr, &addr, p->len);
		bit = random_below(&rnd, 128);
		addr.s6_addr[bit / 8] ^= 0x80 >> bit % 8;
		KUNIT_ASSERT_TRUE(test, tern_prefix_is_valid(p));
		has = tern_prefix_list_has(list, &addr);
		KUNIT_ASSERT_EQ(test, has, bits_equal(addr.s6_addr,
						      p->addr.s6_addr, p->len));
		hits += has;
	}
	KUNIT_EXPECT_GT(test, hits, 1000U);
	KUNIT_EXPECT_LT(test, hits, 19000U);
}

static struct kunit_case prefix_cases[] = {
	KUNIT_CASE(valid),
	KUNIT_CASE(lists),
	KUNIT_CASE(families),
	KUNIT_CASE(random_prefixes),
	{}
};

static struct kunit_suite prefix_suite = {
	.name = "tern_prefix",
	.test_cases = prefix_cases,
};

kunit_test_suite(prefix_suite);
