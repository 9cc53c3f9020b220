// SPDX-License-Identifier: GPL-2.0
/*
 * Requests that were given up, with a worker that hangs.
 */
#include "virtual.h"
#include "world.h"
#include "../packet.h"
#include "../request.h"

/* How many a worker has that were given up; those are behind the others. */
static unsigned int count_given_up(const struct tern_worker *worker)
{
	const struct tern_request *req;
	unsigned int n = 0;

	list_for_each_entry(req, &worker->executing, link) {
		KUNIT_EXPECT_TRUE(world.test, req->given_up || !n);
		n += req->given_up;
	}
	return n;
}

/*
 * What was given up costs the timer nothing any more: it looks at the first of
 * those and not behind it.
 */
static void given_up_is_left_alone(struct kunit *test)
{
	struct trouble calm = { .name = "a worker that hangs" };
	struct worker *w = &world.workers[0];
	struct tern_request *last;
	struct tern_outbox out;
	unsigned int i, steps;

	world_begin(test, &calm);
	/* some at the beginning; as many 60 ms later, which are given up first */
	for (steps = 0; !count_given_up(&w->worker); steps++) {
		KUNIT_ASSERT_LT(test, steps, 1500U);
		calm.timeout_ms = steps ? 60 : 200;
		for (i = 0; i < 20 && steps % 300 == 0 && steps < 600; i++)
			world_submit();
		world_pass_time();
		world_worker_take_all(&w->worker);
	}
	KUNIT_EXPECT_EQ(test, count_given_up(&w->worker), 20U);
	KUNIT_EXPECT_FALSE(test, list_first_entry(&w->worker.executing,
						  struct tern_request,
						  link)->given_up);

	last = list_last_entry(&w->worker.executing, struct tern_request, link);
	last->given_up = false;
	tern_outbox_init(&out);
	tern_workers_timeout(w->worker.service, &out);
	world_flush(&out);
	KUNIT_EXPECT_FALSE(test, last->given_up);
	last->given_up = true;

	/* until no fate is open */
	while (count_given_up(&w->worker) < 40 || world.assoc[0]->tx.in_use) {
		KUNIT_ASSERT_LT(test, steps++, 5000U);
		world_pass_time();
	}
	world_collect();
	world_finish();
}

static struct kunit_case given_up_cases[] = {
	KUNIT_CASE(given_up_is_left_alone),
	{}
};

static struct kunit_suite given_up_suite = {
	.name = "tern_given_up",
	.test_cases = given_up_cases,
};

kunit_test_suite(given_up_suite);
