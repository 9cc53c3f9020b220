// SPDX-License-Identifier: GPL-2.0
/*
 * Causes: each has an errno value of its own.
 */
#include <kunit/test.h>

#include "../cause.c"

static void values(struct kunit *test)
{
	static const struct {
		u8	cause;
		int	err;
	} cases[] = {
		{ TERN_CAUSE_NONE, 0 },
		{ TERN_CAUSE_TIMEOUT, ETIMEDOUT },
		{ TERN_CAUSE_CANCELLED, ECANCELED },
		{ TERN_CAUSE_REFUSED, ECONNREFUSED },
		{ TERN_CAUSE_NO_SPACE, ENOBUFS },
		{ TERN_CAUSE_OWNER_DIED, EOWNERDEAD },
		{ TERN_CAUSE_TOO_BIG, EMSGSIZE },
		{ TERN_CAUSE_RESET, ECONNRESET },
		{ TERN_CAUSE_NET_DOWN, ENETDOWN },
		{ TERN_CAUSE_UNREACH, EHOSTUNREACH },
		{ TERN_CAUSE_NO_PROC, ENOSYS },
		{ TERN_CAUSE_DENIED, EACCES },
	};
	unsigned int i;

	KUNIT_EXPECT_EQ(test, (size_t)__TERN_CAUSES, ARRAY_SIZE(cases));
	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		/* numbers on the wire never change */
		KUNIT_EXPECT_EQ(test, (unsigned int)cases[i].cause, i);
		KUNIT_EXPECT_EQ(test, tern_cause_errno(i), cases[i].err);
	}
	for (i = __TERN_CAUSES; i <= U8_MAX; i++)
		KUNIT_EXPECT_EQ(test, tern_cause_errno(i), EPROTO);
}

static struct kunit_case cause_cases[] = {
	KUNIT_CASE(values),
	{}
};

static struct kunit_suite cause_suite = {
	.name = "tern_cause",
	.test_cases = cause_cases,
};

kunit_test_suite(cause_suite);
