// SPDX-License-Identifier: GPL-2.0
/*
 * Grants: which messages come, in which order, and what is on its way at a time.
 * Senders that send what they are granted are all that there is beside them.
 */
#include <kunit/test.h>

#include "../grant.h"
#include "../packet.h"
#include "virtual.h"
#include "random.h"

#define SENDERS		64
#define SEGMENT		1400U
#define UNSCHEDULED	65536U

struct sender {
	struct tern_grant	grant;
	u32	total;
	u32	sent;		/* of what was granted */
	u32	here;
	u32	granted;	/* as its last packet said */
	bool	deaf;		/* sends no more than it has */
	bool	begun;
	bool	refused;	/* there is no memory for it */
	unsigned int	ended;	/* at which place; 0: not yet */
};

static struct {
	struct kunit	*test;
	struct tern_grants	grants;
	struct sender	senders[SENDERS];
	unsigned int	n_ended;
	u64	granted;	/* of all, beyond the first parts */
	u64	here;
	u32	burst;		/* granted since something came */
	u32	burst_most;
} all;

static bool reserve(struct tern_grant *grant)
{
	return !container_of(grant, struct sender, grant)->refused;
}

/* What is said grows by a step at a time, within the window and the message. */
static void said(struct tern_grant *grant, struct tern_outbox *out)
{
	struct sender *s = container_of(grant, struct sender, grant);
	u32 more = grant->granted - s->granted;

	KUNIT_EXPECT_FALSE(all.test, s->refused);
	KUNIT_EXPECT_GT(all.test, more, 0U);
	KUNIT_EXPECT_LE(all.test, more, TERN_GRANT_STEP);
	KUNIT_EXPECT_LE(all.test, grant->granted, s->total);
	KUNIT_EXPECT_LE(all.test, grant->granted - s->here,
			TERN_GRANT_WINDOW);
	/* more may fly, of what is sent unasked */
	KUNIT_EXPECT_LE(all.test, all.grants.flying, TERN_GRANT_FLYING);
	s->granted = grant->granted;
	all.granted += more;
	all.burst += more;
	all.burst_most = max(all.burst_most, all.burst);
}

static const struct tern_grant_ops ops = { .reserve = reserve, .send = said };

static void begin_all(struct kunit *test)
{
	memset(&all, 0, sizeof(all));
	all.test = test;
	virtual_begin(1000000000);
	tern_grants_init(&all.grants, &ops);
}

static void begin(unsigned int i, u32 total, u8 priority)
{
	struct sender *s = &all.senders[i];

	s->total = total;
	s->granted = UNSCHEDULED;
	s->begun = true;
	tern_grant_begin(&all.grants, &s->grant, total, UNSCHEDULED, priority);
}

static void end(struct sender *s, struct tern_outbox *out)
{
	s->begun = false;
	tern_grant_end(&all.grants, &s->grant, out);
}

/* One segment arrives; false when the sender has nothing to send. */
static bool arrive(struct sender *s)
{
	static struct tern_outbox out;
	u32 n = min(SEGMENT, s->granted - s->here);

	if (!s->begun || s->deaf || !n)
		return false;
	s->here += n;
	all.here += n;
	all.burst = 0;
	tern_grant_received(&all.grants, &s->grant, s->here, &out);
	KUNIT_EXPECT_LE(all.test, all.grants.credit, TERN_GRANT_STEP);
	if (s->here == s->total) {
		s->ended = ++all.n_ended;
		end(s, &out);
	}
	return true;
}

static u64 flying(void)
{
	u64 sum = 0;
	unsigned int i;

	for (i = 0; i < SENDERS; i++)
		if (all.senders[i].begun)
			sum += all.senders[i].granted - all.senders[i].here;
	return sum;
}

/* Segments arrive one by one, from whoever has any, until none has. */
static void run(void)
{
	unsigned int i, idle = 0;

	for (i = 0; idle < SENDERS; i++) {
		if (!arrive(&all.senders[i % SENDERS])) {
			idle++;
			continue;
		}
		idle = 0;
		KUNIT_EXPECT_LE(all.test, all.granted, 2 * all.here +
				(u64)TERN_GRANT_STEP);
		virtual_now_us += 10;
	}
}

static void is_empty(void)
{
	KUNIT_EXPECT_EQ(all.test, all.grants.flying, 0);
	KUNIT_EXPECT_TRUE(all.test, list_empty(&all.grants.ages));
	KUNIT_EXPECT_TRUE(all.test, list_empty(&all.grants.recent));
	KUNIT_EXPECT_NULL(all.test, rb_first_cached(&all.grants.wanting));
}

static void one(struct kunit *test)
{
	static const u32 totals[] = { 65537, 65536 + 1400, 131072, 131073,
				      1 << 20, 16 << 20, 64 << 20 };
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(totals); i++) {
		begin_all(test);
		begin(0, totals[i], 0);
		run();
		KUNIT_EXPECT_EQ(test, all.senders[0].here, totals[i]);
		is_empty();
	}
}

/* All at once: all end, and what is granted never comes at once. */
static void incast(struct kunit *test)
{
	unsigned int i;

	begin_all(test);
	for (i = 0; i < SENDERS; i++)
		begin(i, 1 << 20, 0);
	KUNIT_EXPECT_EQ(test, all.grants.flying, flying());
	for (i = 0; i < SENDERS * 300; i++)
		arrive(&all.senders[i % SENDERS]);
	KUNIT_EXPECT_EQ(test, all.grants.flying, flying());
	run();
	KUNIT_EXPECT_EQ(test, all.n_ended, SENDERS);
	KUNIT_EXPECT_LE(test, all.burst_most, 2 * TERN_GRANT_STEP);
	is_empty();
}

/* The shorter ends first, whatever was there before. */
static void shortest_first(struct kunit *test)
{
	unsigned int i;

	begin_all(test);
	for (i = 0; i < 8; i++)
		begin(i, 32U << 20 >> i, 0);
	run();
	KUNIT_EXPECT_EQ(test, all.n_ended, 8U);
	for (i = 2; i < 8; i++)
		KUNIT_EXPECT_LT(test, all.senders[i].ended,
				all.senders[i - 1].ended);
	is_empty();
}

/* Urgent ones come first, though they are longer. */
static void priorities(struct kunit *test)
{
	unsigned int i;

	begin_all(test);
	/* this one has the share of the oldest */
	begin(0, 64 << 20, 0);
	for (i = 1; i < 9; i++)
		begin(i, (2 + i % 2) << 20, i % 2 ? 3 : 2);
	run();
	KUNIT_EXPECT_EQ(test, all.n_ended, 9U);
	for (i = 1; i < 9; i += 2) {
		KUNIT_EXPECT_LE(test, all.senders[i].ended, 4U);
		KUNIT_EXPECT_GT(test, all.senders[i + 1].ended, 4U);
	}
	is_empty();
}

/* The oldest, which is the longest, ends while shorter ones come without end. */
static void nothing_starves(struct kunit *test)
{
	unsigned int i, rounds;

	begin_all(test);
	begin(0, 8 << 20, 0);
	for (rounds = 0; !all.senders[0].ended && rounds < 1000000; rounds++) {
		for (i = 1; i < 16; i++) {
			struct sender *s = &all.senders[i];

			if (!s->begun) {
				memset(s, 0, sizeof(*s));
				begin(i, 256 << 10, 7);
			}
			arrive(s);
		}
		arrive(&all.senders[0]);
		virtual_now_us += 10;
	}
	KUNIT_EXPECT_GT(test, all.senders[0].ended, 0U);
	/* it has a share, and no more */
	KUNIT_EXPECT_LE(test, (u64)all.senders[0].total * 2, all.here);
	KUNIT_EXPECT_GE(test, (u64)all.senders[0].total * 12, all.here);
}

/* What does not come keeps nobody waiting for long; when it comes, it goes on. */
static void stalled(struct kunit *test)
{
	static struct tern_outbox out;
	unsigned int i;

	begin_all(test);
	for (i = 0; i < SENDERS; i++) {
		begin(i, 1 << 20, 0);
		all.senders[i].deaf = i < 32;
	}
	run();
	KUNIT_EXPECT_EQ(test, all.n_ended, 0U);
	virtual_now_us += 2 * USEC_PER_SEC * TERN_GRANT_STALL / HZ;
	/* whoever waits asks after some time */
	tern_grant_received(&all.grants, &all.senders[63].grant,
			    all.senders[63].here, &out);
	run();
	KUNIT_EXPECT_EQ(test, all.n_ended, 32U);
	for (i = 0; i < 32; i++)
		all.senders[i].deaf = false;
	run();
	KUNIT_EXPECT_EQ(test, all.n_ended, SENDERS);
	is_empty();
}

/* Without memory nothing is granted; others go on; later it is. */
static void memory(struct kunit *test)
{
	static struct tern_outbox out;
	unsigned int i;

	begin_all(test);
	for (i = 0; i < SENDERS; i++) {
		all.senders[i].refused = i % 2;
		begin(i, 1 << 20, 0);
	}
	run();
	KUNIT_EXPECT_EQ(test, all.n_ended, SENDERS / 2);
	for (i = 0; i < SENDERS; i++)
		all.senders[i].refused = false;
	tern_grants_kick(&all.grants, &out);
	run();
	KUNIT_EXPECT_EQ(test, all.n_ended, SENDERS);
	is_empty();
}

/* Random lengths, arrivals, deaths and ends. */
static void any_order(struct kunit *test)
{
	static struct tern_outbox out;
	struct rnd_state rnd;
	unsigned int i, n;
	struct sender *s;

	begin_all(test);
	prandom_seed_state(&rnd, 1);
	for (n = 0; n < 300000; n++) {
		s = &all.senders[random_below(&rnd, SENDERS)];
		if (!s->begun) {
			memset(s, 0, sizeof(*s));
			begin(s - all.senders, UNSCHEDULED + 1 +
			      random_below(&rnd, 1 << 18),
			      random_below(&rnd, 8));
		} else if (!random_below(&rnd, 500)) {
			end(s, random_percent(&rnd, 50) ? &out : NULL);
		} else {
			arrive(s);
		}
		s->deaf = random_percent(&rnd, 10);
		virtual_now_us += random_below(&rnd, 100);
	}
	KUNIT_EXPECT_GT(test, all.n_ended, 100U);
	for (i = 0; i < SENDERS; i++)
		if (all.senders[i].begun)
			end(&all.senders[i], NULL);
	is_empty();
}

static struct kunit_case grant_cases[] = {
	KUNIT_CASE(one),
	KUNIT_CASE(incast),
	KUNIT_CASE(shortest_first),
	KUNIT_CASE(priorities),
	KUNIT_CASE(nothing_starves),
	KUNIT_CASE(stalled),
	KUNIT_CASE(memory),
	KUNIT_CASE(any_order),
	{}
};

static struct kunit_suite grant_suite = {
	.name = "tern_grant",
	.test_cases = grant_cases,
};

kunit_test_suite(grant_suite);
