// SPDX-License-Identifier: GPL-2.0
/*
 * What a client can make a server hold by calls of which it gives no sign: those
 * with TERN_CALL_MAYBE hold the association beyond its lease.
 */
#include "virtual.h"
#include "world.h"
#include "../packet.h"
#include "../request.h"
#include "../service.h"

#define QUEUE_MAX	(64 << 10)
#define SUBMITTED	400
#define DAY_US		(86400ULL * USEC_PER_SEC)

static const struct trouble silent = {
	.name		= "a silent client",
	.flags		= TERN_CALL_MAYBE,
	.timeout_ms	= U32_MAX,
};

static unsigned int count_outcome(u8 outcome)
{
	unsigned int n = 0;
	u32 id;

	for (id = 0; id < world.n_calls; id++)
		n += world.records[id].reported &&
		     world.records[id].outcome == outcome;
	return n;
}

static void submit_all(struct kunit *test)
{
	struct tern_rx *rx = &world.assoc[1]->rx;
	unsigned int i;

	for (i = 0; i < SUBMITTED; i++) {
		world_submit();
		world_pass_time();
		/* the last one that fits may take more than it said */
		KUNIT_EXPECT_LE(test, atomic64_read(&rx->queue_bytes),
				QUEUE_MAX + 2 * LEN_MAX);
		KUNIT_EXPECT_LE(test, rx->requests,
				world.tn[1].set.slots_max);
		if (i == SUBMITTED / 8)
			world_worker_take_all(&world.workers[0].worker);
	}
	for (i = 0; i < 100; i++)
		world_pass_time();
}

/*
 * Beyond the limits calls are refused, and what is held is let go after a day,
 * whatever the client has said.
 */
static void held_within_limits(struct kunit *test)
{
	struct tern_assoc *assoc;
	unsigned int held, i;

	world_begin(test, &silent);
	assoc = world.assoc[1];
	world.tn[1].set.queue_peer = QUEUE_MAX;
	submit_all(test);
	held = assoc->rx.requests;
	KUNIT_EXPECT_GT(test, atomic64_read(&assoc->rx.queue_bytes), 0);
	KUNIT_EXPECT_GT(test, held, 20U);
	KUNIT_EXPECT_GT(test, count_outcome(TERN_NOT_EXECUTED), 0U);
	KUNIT_EXPECT_TRUE(test, tern_requests_awaited(assoc));

	virtual_now_us += DAY_US - USEC_PER_SEC;
	world_sweep();
	world_pass_time();
	KUNIT_EXPECT_EQ(test, assoc->rx.requests, held);
	KUNIT_EXPECT_TRUE(test, tern_requests_awaited(assoc));

	virtual_now_us += 2 * USEC_PER_SEC;
	KUNIT_EXPECT_FALSE(test, tern_requests_awaited(assoc));
	world_sweep();
	for (i = 0; i < 1000; i++)
		world_pass_time();
	KUNIT_EXPECT_EQ(test, assoc->rx.requests, 0U);
	KUNIT_EXPECT_EQ(test, atomic64_read(&assoc->rx.queue_bytes), 0);
	KUNIT_EXPECT_EQ(test, count_outcome(TERN_NOT_EXECUTED) +
			count_outcome(TERN_UNKNOWN), world.n_calls);
	world_collect();
	world_finish();
}

static struct kunit_case held_cases[] = {
	KUNIT_CASE(held_within_limits),
	{}
};

static struct kunit_suite held_suite = {
	.name = "tern_held",
	.test_cases = held_cases,
};

kunit_test_suite(held_suite);
