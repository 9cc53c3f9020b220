// SPDX-License-Identifier: GPL-2.0
/*
 * The workers of a world: they execute, ask for time, reply and die.
 */
#include "virtual.h"
#include "world.h"
#include "../call.h"
#include "../message.h"
#include "../packet.h"
#include "../request.h"
#include "../service.h"

void world_worker_bind(struct worker *w)
{
	static const struct tern_service_key key = { PROGRAM, 1 };

	memset(&w->worker, 0, sizeof(w->worker));
	INIT_LIST_HEAD(&w->worker.link);
	INIT_LIST_HEAD(&w->worker.executing);
	w->worker.sk = w->sk;
	KUNIT_ASSERT_EQ(world.test, tern_service_bind(&world.tn[1], &w->worker,
						      &key, true,
						      world.trouble->orphans),
			0);
}

void world_worker_die(struct worker *w)
{
	struct tern_outbox out;

	tern_outbox_init(&out);
	tern_service_unbind(&w->worker, &out);
	world_flush(&out);
	if (w->req)
		tern_request_put(w->req);
	w->req = NULL;
}

/* Asks for more time. */
static void worker_ask(struct worker *w)
{
	struct tern_outbox out;
	struct tern_request *req;

	tern_outbox_init(&out);
	req = tern_worker_ask(&w->worker, tern_request_handle(w->req),
			      600, &out);
	world_flush(&out);
	if (req)
		tern_request_put(req);
}

static void worker_take(struct worker *w)
{
	struct tern_outbox out;

	tern_outbox_init(&out);
	w->req = tern_worker_take(&w->worker, &out);
	if (w->req) {
		struct record *record = &world.records[w->req->procedure];

		KUNIT_EXPECT_LT(world.test, w->req->procedure, world.n_calls);
		KUNIT_EXPECT_TRUE(world.test,
				  world_is_message(&w->req->in, w->req->procedure));
		record->executed++;
		w->until_us = virtual_now_us +
			      random_below(&world.rnd, 20000);
		w->slow = random_percent(&world.rnd, world.trouble->slow);
		if (w->slow)
			w->until_us += 500 * USEC_PER_MSEC;
		tern_request_consumed(w->req);
	}
	world_flush(&out);
	if (w->req && world.trouble->extend_ms)
		worker_ask(w);
}

/* A worker takes what is there, and does not reply. */
void world_worker_take_all(struct tern_worker *worker)
{
	struct tern_request *req;
	struct tern_outbox out;

	tern_outbox_init(&out);
	while ((req = tern_worker_take(worker, &out))) {
		KUNIT_ASSERT_FALSE(world.test, IS_ERR(req));
		tern_request_consumed(req);
		tern_request_put(req);
	}
	KUNIT_EXPECT_TRUE(world.test, skb_queue_empty(&out.q));
}

/* An event is for what the worker has, and comes before that is given up. */
static void worker_events(struct worker *w)
{
	struct tern_cmsg_event event;

	while (tern_worker_next_event(&w->worker, &event)) {
		KUNIT_ASSERT_NOT_NULL(world.test, w->req);
		KUNIT_EXPECT_EQ(world.test, event.handle,
				tern_request_handle(w->req));
		KUNIT_EXPECT_FALSE(world.test, w->req->given_up);
		KUNIT_EXPECT_NE(world.test, event.cause, 0U);
		world.records[w->req->procedure].told = true;
		world.n_told++;
	}
}

static void worker_reply(struct worker *w)
{
	u32 id = w->req->procedure;
	struct tern_outbox out;
	struct tern_msg *msg;
	bool given_up, off_slot;
	int err;

	tern_outbox_init(&out);
	if (!(w->req->flags & TERN_CALL_ONEWAY)) {
		msg = world_message(id, random_percent(&world.rnd, 80) ?
				  random_below(&world.rnd, 200) :
				  random_below(&world.rnd, LEN_MAX));
		given_up = w->req->given_up;
		off_slot = given_up || w->req->orphan;
		KUNIT_EXPECT_TRUE(world.test,
				  !given_up || world.records[id].told);
		world.n_given_up += given_up;
		world.records[id].slow = w->slow;
		world.records[id].replied = true;
		err = tern_request_reply(&world.tn[1], &w->worker,
					 tern_request_handle(w->req), 0, msg,
					 &out);
		KUNIT_EXPECT_EQ(world.test, err, off_slot ? -ENOENT : 0);
		if (err)
			tern_msg_put(msg);
	}
	tern_request_put(w->req);
	w->req = NULL;
	world_flush(&out);
}

void world_work(void)
{
	unsigned int i;

	for (i = 0; i < WORKERS; i++) {
		struct worker *w = &world.workers[i];

		worker_events(w);
		if (w->req && w->until_us <= virtual_now_us)
			worker_reply(w);
		if (!w->req)
			worker_take(w);
	}
}
