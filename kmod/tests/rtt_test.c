// SPDX-License-Identifier: GPL-2.0
/*
 * Round-trip time: the arithmetic of RFC 6298, bounds, back-off.
 */
#include <kunit/test.h>

#include "../rtt.c"
#include "random.h"

static void before_a_sample(struct kunit *test)
{
	struct tern_rtt rtt;

	tern_rtt_init(&rtt);
	KUNIT_EXPECT_EQ(test, rtt.rto, (u32)TERN_RTO_INIT_US);
	KUNIT_EXPECT_EQ(test, tern_rtt_trip(&rtt), (u32)TERN_RTO_INIT_US);
}

/*
 * RFC 6298, 2.2: SRTT = R, RTTVAR = R/2, RTO = SRTT + 4 RTTVAR.
 * 2.3: RTTVAR = 3/4 RTTVAR + 1/4 |SRTT - R'|, then SRTT = 7/8 SRTT + 1/8 R'.
 */
static void worked_example(struct kunit *test)
{
	static const struct {
		u32 sample, srtt, rttvar, rto;
	} steps[] = {
		{ 80000, 80000, 40000, 240000 },
		{ 80000, 80000, 30000, 200000 },
		{ 160000, 90000, 42500, 260000 },
		{ 10000, 80000, 51875, 287500 },
		{ 80000, 80000, 38907, 235628 },
	};
	struct tern_rtt rtt;
	unsigned int i;

	tern_rtt_init(&rtt);
	for (i = 0; i < ARRAY_SIZE(steps); i++) {
		tern_rtt_sample(&rtt, steps[i].sample);
		KUNIT_EXPECT_EQ(test, rtt.srtt, steps[i].srtt);
		KUNIT_EXPECT_EQ(test, rtt.rttvar, steps[i].rttvar);
		KUNIT_EXPECT_EQ(test, rtt.rto, steps[i].rto);
	}
}

/* Integer steps come as near to the exact recurrence as their rounding. */
static void follows_exact_recurrence(struct kunit *test)
{
	u64 srtt = 0, rttvar = 0;	/* in 1/4096 us */
	struct rnd_state rnd;
	struct tern_rtt rtt;
	unsigned int i;

	prandom_seed_state(&rnd, 1);
	tern_rtt_init(&rtt);
	for (i = 0; i < 10000; i++) {
		u32 us = 1000 + random_below(&rnd, 300000);
		u64 r = (u64)us << 12;

		tern_rtt_sample(&rtt, us);
		if (!i) {
			srtt = r;
			rttvar = r / 2;
		} else {
			rttvar = (3 * rttvar + abs_diff(srtt, r)) / 4;
			srtt = (7 * srtt + r) / 8;
		}
		KUNIT_ASSERT_LE(test, abs_diff((u64)rtt.srtt, srtt >> 12), 16ULL);
		KUNIT_ASSERT_LE(test, abs_diff((u64)rtt.rttvar, rttvar >> 12),
				16ULL);
	}
}

static void bounds(struct kunit *test)
{
	static const u32 samples[] = { 0, 1, 7, 1000, TERN_RTO_MAX_US,
				       TERN_RTO_MAX_US + 1, U32_MAX };
	struct rnd_state rnd;
	struct tern_rtt rtt;
	unsigned int i, n;

	for (i = 0; i < ARRAY_SIZE(samples); i++) {
		tern_rtt_init(&rtt);
		for (n = 0; n < 200; n++) {
			tern_rtt_sample(&rtt, samples[i]);
			KUNIT_ASSERT_GE(test, rtt.rto, (u32)TERN_RTO_MIN_US);
			KUNIT_ASSERT_LE(test, rtt.rto, (u32)TERN_RTO_MAX_US);
			KUNIT_ASSERT_NE(test, rtt.srtt, 0U);
		}
	}
	prandom_seed_state(&rnd, 2);
	tern_rtt_init(&rtt);
	for (n = 0; n < 100000; n++) {
		tern_rtt_sample(&rtt, prandom_u32_state(&rnd) >>
				      random_below(&rnd, 32));
		KUNIT_ASSERT_GE(test, rtt.rto, (u32)TERN_RTO_MIN_US);
		KUNIT_ASSERT_LE(test, rtt.rto, (u32)TERN_RTO_MAX_US);
		KUNIT_ASSERT_NE(test, rtt.srtt, 0U);
		KUNIT_ASSERT_LE(test, rtt.srtt, (u32)TERN_RTO_MAX_US);
	}
}

static void settles(struct kunit *test)
{
	struct tern_rtt rtt;
	unsigned int n;

	tern_rtt_init(&rtt);
	tern_rtt_sample(&rtt, 500000);
	for (n = 0; n < 200; n++)
		tern_rtt_sample(&rtt, 40000);
	KUNIT_EXPECT_LE(test, abs_diff(rtt.srtt, 40000U), 16U);
	KUNIT_EXPECT_LE(test, tern_rtt_trip(&rtt), 40000U + 100);
	/* a path without variation: the time-out stays above the trip */
	KUNIT_EXPECT_GE(test, tern_rtt_trip(&rtt), rtt.srtt);
}

static void backoff(struct kunit *test)
{
	u32 rto = 30000, want = 30000;
	unsigned int n;

	for (n = 0; n < 20; n++) {
		want = min(2 * want, (u32)TERN_RTO_MAX_US);
		rto = tern_rtt_backoff(rto);
		KUNIT_EXPECT_EQ(test, rto, want);
	}
	KUNIT_EXPECT_EQ(test, rto, (u32)TERN_RTO_MAX_US);
	KUNIT_EXPECT_EQ(test, tern_rtt_backoff(0), (u32)TERN_RTO_MIN_US);
	KUNIT_EXPECT_EQ(test, tern_rtt_backoff(U32_MAX), (u32)TERN_RTO_MAX_US);
}

/* Who asks again after its time-out, however short, is answered. */
static void pause_ends_before_a_timeout(struct kunit *test)
{
	struct tern_rtt rtt;
	u32 us;

	tern_rtt_init(&rtt);
	KUNIT_EXPECT_EQ(test, tern_rtt_pause(&rtt), TERN_RTO_MIN_US / 2);
	for (us = 1; us < 4 * TERN_RTO_MAX_US; us *= 2) {
		tern_rtt_init(&rtt);
		tern_rtt_sample(&rtt, us);
		KUNIT_EXPECT_GE(test, tern_rtt_pause(&rtt), rtt.srtt / 2);
		KUNIT_EXPECT_LE(test, tern_rtt_pause(&rtt), rtt.rto / 2);
	}
}

static struct kunit_case rtt_cases[] = {
	KUNIT_CASE(before_a_sample),
	KUNIT_CASE(worked_example),
	KUNIT_CASE(follows_exact_recurrence),
	KUNIT_CASE(bounds),
	KUNIT_CASE(settles),
	KUNIT_CASE(backoff),
	KUNIT_CASE(pause_ends_before_a_timeout),
	{}
};

static struct kunit_suite rtt_suite = {
	.name = "tern_rtt",
	.test_cases = rtt_cases,
};

kunit_test_suite(rtt_suite);
