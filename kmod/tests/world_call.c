// SPDX-License-Identifier: GPL-2.0
/*
 * The calls of a world: what they send, and what becomes of them.
 */
#include "virtual.h"
#include "world.h"
#include "../call.h"
#include "../message.h"
#include "../packet.h"

static u8 content(u32 id, u32 i)
{
	return id * 31 + i * 7 + (i >> 8);
}

struct tern_msg *world_message(u32 id, u32 len)
{
	u8 *data = kmalloc(LEN_MAX, GFP_KERNEL);
	struct kvec vec = { data, len };
	struct tern_msg *msg;
	struct iov_iter from;
	u32 i;

	KUNIT_ASSERT_NOT_NULL(world.test, data);
	for (i = 0; i < len; i++)
		data[i] = content(id, i);
	iov_iter_kvec(&from, ITER_SOURCE, &vec, 1, len);
	msg = tern_msg_alloc(len, &from);
	kfree(data);
	KUNIT_ASSERT_FALSE(world.test, IS_ERR(msg));
	return msg;
}

bool world_is_message(const struct tern_assembly *in, u32 id)
{
	struct kvec vec = { kmalloc(LEN_MAX, GFP_KERNEL), in->total };
	u8 *data = vec.iov_base;
	struct iov_iter to;
	bool right;
	u32 i;

	KUNIT_ASSERT_NOT_NULL(world.test, data);
	iov_iter_kvec(&to, ITER_DEST, &vec, 1, in->total);
	right = !tern_assembly_copy(in, &to, in->total);
	for (i = 0; right && i < in->total; i++)
		right = data[i] == content(id, i);
	kfree(data);
	return right;
}

/* The procedure number is the call's place in the records. */
static void report(struct tern_call *call)
{
	struct record *record = &world.records[call->procedure];

	KUNIT_EXPECT_FALSE(world.test, record->reported);
	record->reported = true;
	record->outcome = call->outcome;
	world.n_reported++;
}

void world_submit(void)
{
	u32 id = world.n_calls++;
	struct record *record = &world.records[id];
	struct tern_call *call = tern_call_alloc(&world.tn[0]);
	u32 len = random_percent(&world.rnd, 70) ?
		  random_below(&world.rnd, 200) :
		  random_below(&world.rnd, LEN_MAX);
	struct tern_outbox out;

	KUNIT_ASSERT_NOT_NULL(world.test, call);
	call->program = PROGRAM;
	call->version = 1;
	call->procedure = id;
	call->flags = world.trouble->flags;
	call->extend_ms = world.trouble->extend_ms;
	call->deadline_us = virtual_now_us +
			    world.trouble->timeout_ms * USEC_PER_MSEC;
	call->msg = world_message(id, len);
	call->msg->digest =
		tern_digest_data(tern_digest_request(PROGRAM, 1, id, len),
				 call->msg->data, len);
	call->report = report;
	record->call = call;
	tern_outbox_init(&out);
	KUNIT_ASSERT_EQ(world.test,
			tern_call_submit(call, world.assoc[0]->peer, &out), 0);
	world_flush(&out);
}

void world_withdraw(void)
{
	struct record *record;
	struct tern_outbox out;

	if (!world.n_calls)
		return;
	record = &world.records[random_below(&world.rnd, world.n_calls)];
	if (record->reported)
		return;
	tern_outbox_init(&out);
	tern_call_cancel(record->call, random_percent(&world.rnd, 50), &out);
	world_flush(&out);
}

void world_collect(void)
{
	u32 id;

	for (id = 0; id < world.n_calls; id++) {
		struct record *record = &world.records[id];

		if (!record->call || !record->reported)
			continue;
		if (record->outcome == TERN_REPLIED)
			record->right = !record->call->status &&
					world_is_message(&record->call->reply, id);
		tern_call_put(record->call);
		record->call = NULL;
	}
}
