// SPDX-License-Identifier: GPL-2.0
/*
 * Counters: their names, and their sums over all processors.
 */
#include <kunit/test.h>

#include "../mib.c"
#include "../wire.h"

/* As programs read them. */
static void names(struct kunit *test)
{
	unsigned int i, j;

	for (i = 0; i < __TERN_MIB_MAX; i++) {
		const char *name = tern_mib_names[i];

		KUNIT_ASSERT_NOT_NULL(test, name);
		KUNIT_EXPECT_NE_MSG(test, *name, '\0', "counter %u", i);
		KUNIT_EXPECT_EQ_MSG(test, strlen(name),
				    strspn(name, "abcdefghijklmnopqrstuvwxyz-"),
				    "%s", name);
		for (j = 0; j < i; j++)
			KUNIT_EXPECT_STRNEQ(test, name, tern_mib_names[j]);
	}
}

/* What is wrong with a packet finds its counter by its number. */
static void order_of_errors(struct kunit *test)
{
	static const char * const drops[] = {
		[TERN_WIRE_BAD_LENGTH]		= "drop-bad-length",
		[TERN_WIRE_BAD_VERSION]		= "drop-bad-version",
		[TERN_WIRE_BAD_TYPE]		= "drop-bad-type",
		[TERN_WIRE_BAD_RESERVED]	= "drop-bad-reserved",
		[TERN_WIRE_BAD_FIELD]		= "drop-bad-field",
	};
	unsigned int i;

	KUNIT_EXPECT_EQ(test, ARRAY_SIZE(drops), (size_t)__TERN_WIRE_ERRORS);
	for (i = TERN_WIRE_BAD_LENGTH; i < ARRAY_SIZE(drops); i++)
		KUNIT_EXPECT_STREQ(test, drops[i],
				   tern_mib_names[TERN_MIB_BAD_LENGTH + i -
						  TERN_WIRE_BAD_LENGTH]);
}

static void sums(struct kunit *test)
{
	struct {
		struct tern_mib __percpu	*mib;
	} node;
	u64 expected = 3;
	unsigned int i;
	int cpu;

	node.mib = alloc_percpu(struct tern_mib);
	KUNIT_ASSERT_TRUE(test, !!node.mib);
	TERN_COUNT(&node, CALLS);
	TERN_COUNT_N(&node, CALLS, 2);
	for_each_possible_cpu(cpu) {
		per_cpu_ptr(node.mib, cpu)->v[TERN_MIB_CALLS] += 10 + cpu;
		expected += 10 + cpu;
	}
	for (i = 0; i < __TERN_MIB_MAX; i++)
		KUNIT_EXPECT_EQ_MSG(test, tern_mib_sum(node.mib, i),
				    i == TERN_MIB_CALLS ? expected : 0,
				    "%s", tern_mib_names[i]);
	free_percpu(node.mib);
}

static struct kunit_case mib_cases[] = {
	KUNIT_CASE(names),
	KUNIT_CASE(order_of_errors),
	KUNIT_CASE(sums),
	{}
};

static struct kunit_suite mib_suite = {
	.name = "tern_mib",
	.test_cases = mib_cases,
};

kunit_test_suite(mib_suite);
