// SPDX-License-Identifier: GPL-2.0
/*
 * Whole exchanges in virtual time: the module's calls, requests, services,
 * slots and messages, between the nodes of a world in which all goes wrong that
 * can.  A record of every call says what must be true of it.
 */
#include "virtual.h"
#include "world.h"
#include "../call.h"
#include "../service.h"

static void step(unsigned int n)
{
	const struct trouble *trouble = world.trouble;

	world_pass_time();
	world_work();
	if (n % 5000 == 0)
		world_sweep();
	if (world.n_calls < CALLS && random_percent(&world.rnd, 5))
		world_submit();
	if (world.n_calls < CALLS && random_percent(&world.rnd, 10) &&
	    random_percent(&world.rnd, trouble->cancel))
		world_withdraw();
	if (world.n_calls < CALLS &&
	    random_below(&world.rnd, 1000) < trouble->deaths) {
		struct worker *w = &world.workers[1 + random_below(&world.rnd,
								   WORKERS - 1)];

		world_worker_die(w);
		world_worker_bind(w);
	}
	if (n % 256 == 0)
		world_collect();
}

static unsigned int check_records(struct kunit *test)
{
	unsigned int ended[TERN_DELIVERED + 1] = {};
	bool oneway = world.trouble->flags & TERN_CALL_ONEWAY;
	bool idempotent = world.trouble->flags & TERN_CALL_IDEMPOTENT;
	unsigned int again = 0, slow = 0;
	u32 id;

	for (id = 0; id < world.n_calls; id++) {
		struct record *r = &world.records[id];

		KUNIT_EXPECT_TRUE_MSG(test, r->reported, "call %u", id);
		if (!idempotent)
			KUNIT_EXPECT_LE_MSG(test, r->executed, 1U, "call %u",
					    id);
		else if (r->executed > 1)
			again++;
		switch (r->outcome) {
		case TERN_REPLIED:
			KUNIT_EXPECT_TRUE_MSG(test, r->replied && r->right &&
					      !oneway, "call %u", id);
			slow += r->slow;
			break;
		case TERN_DELIVERED:
			KUNIT_EXPECT_TRUE_MSG(test, oneway, "call %u", id);
			break;
		case TERN_NOT_EXECUTED:
			KUNIT_EXPECT_EQ_MSG(test, r->executed, 0U, "call %u",
					    id);
			break;
		case TERN_UNKNOWN:
			break;
		}
		if (r->outcome <= TERN_DELIVERED)
			ended[r->outcome]++;
	}
	kunit_info(test, "%s: %u replied, %u not executed, %u unknown, %u delivered, %u ran again, %u events, %u given up",
		   world.trouble->name, ended[TERN_REPLIED],
		   ended[TERN_NOT_EXECUTED], ended[TERN_UNKNOWN],
		   ended[TERN_DELIVERED], again, world.n_told,
		   world.n_given_up);
	/* The network was bad enough to show it. */
	KUNIT_EXPECT_EQ(test, again > 0, idempotent);
	KUNIT_EXPECT_EQ(test, world.n_given_up > 0, world.trouble->slow > 0);
	KUNIT_EXPECT_EQ(test, slow > 0, world.trouble->extend_ms > 0);
	return ended[oneway ? TERN_DELIVERED : TERN_REPLIED];
}

static const struct trouble troubles[] = {
	{ .name = "a perfect network", .delay_us = 100, .timeout_ms = 60000 },
	{ .name = "loss", .loss = 20, .delay_us = 1000, .timeout_ms = 60000 },
	{ .name = "duplicates", .duplicate = 60, .delay_us = 5000,
	  .timeout_ms = 60000 },
	{ .name = "reordering", .delay_us = 30000, .duplicate = 20,
	  .timeout_ms = 60000 },
	{ .name = "all of it", .loss = 20, .duplicate = 30, .delay_us = 20000,
	  .timeout_ms = 60000 },
	{ .name = "all of it, withdrawn", .loss = 20, .duplicate = 30,
	  .delay_us = 20000, .cancel = 50, .timeout_ms = 60000 },
	{ .name = "all of it, short deadlines", .loss = 20, .duplicate = 30,
	  .delay_us = 20000, .timeout_ms = 60 },
	{ .name = "all of it, workers die", .loss = 10, .duplicate = 30,
	  .delay_us = 10000, .deaths = 5, .cancel = 20, .timeout_ms = 500 },
	{ .name = "one-way, all of it", .loss = 20, .duplicate = 30,
	  .delay_us = 20000, .deaths = 5, .cancel = 20,
	  .flags = TERN_CALL_ONEWAY, .timeout_ms = 1000 },
	{ .name = "idempotent, all of it", .loss = 20, .duplicate = 30,
	  .delay_us = 20000, .deaths = 5, .cancel = 20,
	  .flags = TERN_CALL_IDEMPOTENT, .timeout_ms = 1000 },
	{ .name = "maybe, all of it", .loss = 20, .duplicate = 30,
	  .delay_us = 20000, .deaths = 5, .cancel = 20,
	  .flags = TERN_CALL_MAYBE, .timeout_ms = 1000 },
	{ .name = "slow workers", .loss = 10, .duplicate = 30,
	  .delay_us = 10000, .slow = 10, .timeout_ms = 300 },
	{ .name = "slow workers, withdrawn", .loss = 10, .duplicate = 30,
	  .delay_us = 10000, .slow = 10, .cancel = 80, .deaths = 1,
	  .orphans = TERN_ORPHANS_EXTERMINATE, .timeout_ms = 300 },
	{ .name = "slow workers get time", .loss = 10, .duplicate = 30,
	  .delay_us = 10000, .slow = 10, .extend_ms = 2000,
	  .timeout_ms = 300 },
};

static void trouble_name(const struct trouble *trouble, char *name)
{
	strscpy(name, trouble->name, KUNIT_PARAM_DESC_SIZE);
}

KUNIT_ARRAY_PARAM(trouble, troubles, trouble_name);

static void history(struct kunit *test)
{
	const struct trouble *trouble = test->param_value;
	unsigned int n, good;

	world_begin(test, trouble);
	for (n = 0; n < 1500000; n++) {
		step(n);
		/* all reported, and all slots free: no fate is open */
		if (world.n_calls == CALLS && world.n_reported == CALLS &&
		    !world.assoc[0]->tx.in_use)
			break;
	}
	world_collect();
	/* one-way requests are still in the queue */
	while (trouble->flags & TERN_CALL_ONEWAY &&
	       tern_service_has_requests(world.workers[0].worker.service))
		step(n++);
	KUNIT_EXPECT_EQ(test, world.n_reported, (unsigned int)CALLS);
	KUNIT_EXPECT_EQ(test, world.assoc[0]->tx.in_use, 0);
	KUNIT_EXPECT_EQ(test, world.assoc[0]->tx.quarantined, 0);
	good = check_records(test);
	if (trouble->timeout_ms == 60000 && !trouble->cancel)
		KUNIT_EXPECT_EQ(test, good, (unsigned int)CALLS);
	else
		KUNIT_EXPECT_GT(test, good, 100U);
	world_finish();
}

static struct kunit_case exchange_cases[] = {
	KUNIT_CASE_PARAM(history, trouble_gen_params),
	{}
};

static struct kunit_suite exchange_suite = {
	.name = "tern_exchange",
	.test_cases = exchange_cases,
};

kunit_test_suite(exchange_suite);
