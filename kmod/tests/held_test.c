// SPDX-License-Identifier: GPL-2.0
/*
 * What a client can make a server hold: by calls of which it gives no sign, since
 * those with TERN_CALL_MAYBE hold the association beyond its lease, and by
 * requests that it does not complete. What a server can make a client hold: by
 * replies that it does not complete, and by packets without end.
 */
#include "virtual.h"
#include "world.h"
#include "../call.h"
#include "../cause.h"
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

/* Bytes of the client's requests that the server counts. */
static u64 queued(void)
{
	return atomic64_read(&world.assoc[1]->peer->queue_bytes);
}

static void submit_all(struct kunit *test)
{
	struct tern_rx *rx = &world.assoc[1]->rx;
	unsigned int i;

	for (i = 0; i < SUBMITTED; i++) {
		world_submit();
		world_pass_time();
		/* the last one that fits may take more than it said */
		KUNIT_EXPECT_LE(test, queued(), QUEUE_MAX + 2 * LEN_MAX);
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
	KUNIT_EXPECT_GT(test, queued(), 0);
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
	/* what was given up counts until its worker is done with it */
	KUNIT_EXPECT_EQ(test, queued(), sizeof(struct tern_request) *
			world.workers[0].worker.n_off_slot);
	KUNIT_EXPECT_EQ(test, count_outcome(TERN_NOT_EXECUTED) +
			count_outcome(TERN_UNKNOWN), world.n_calls);
	world_collect();
	world_finish();
}

static const struct trouble hostile = { .name = "a hostile client" };

#define LARGE		65000	/* one segment, and a bit of a second one */
#define HOSTILE		14

/* Segment @i of a request of 64 KiB in @slot that is cut into those of @size. */
static void send_segment(struct kunit *test, struct tern_assoc *assoc, u16 slot,
			 u16 size, u32 i)
{
	struct tern_wire_pkt pkt = {
		.type = TERN_PKT_REQ,
		.flags = TERN_WIRE_MAYBE,
		.seq = 1,
		.slot = slot,
		.seg = {
			.total = TERN_MESSAGE_MAX,
			.offset = i * size,
			.size = size,
		},
		.req = { .program = PROGRAM, .time_left_ms = 60000 },
	};
	u32 len = min_t(u32, size, pkt.seg.total - pkt.seg.offset);
	struct sk_buff *skb = alloc_skb(len, GFP_KERNEL);
	struct tern_outbox out;
	bool newest;

	KUNIT_ASSERT_NOT_NULL(test, skb);
	skb_put_zero(skb, len);
	tern_outbox_init(&out);
	rcu_read_lock();
	if (!tern_request_input(assoc, &pkt, skb, &out, &newest))
		kfree_skb(skb);
	rcu_read_unlock();
	world_flush(&out);
}

/* What the segments that are here take. */
static u64 taken(struct tern_rx *rx)
{
	struct tern_rxslot *slot;
	u64 bytes = 0;
	u16 i;

	for (i = 0; i < HOSTILE; i++) {
		slot = tern_rx_slot(rx, i);
		if (slot && slot->req)
			bytes += slot->req->in.truesize;
	}
	return bytes;
}

/* Also when they are cut anew, into segments that take more than their content. */
static void incomplete_within_limits(struct kunit *test)
{
	const u64 limit = 1 << 20;
	struct tern_rx *rx;
	u64 most = 0;
	u16 slot;
	u32 i;

	world_begin(test, &hostile);
	rx = &world.assoc[1]->rx;
	world.tn[1].set.queue_peer = limit;
	for (slot = 0; slot < HOSTILE; slot++)
		send_segment(test, world.assoc[1], slot, LARGE, 1);
	KUNIT_EXPECT_EQ(test, rx->requests, HOSTILE);
	for (i = 0; i < TERN_MESSAGE_MAX / TERN_WIRE_SEG_MIN - 1; i++) {
		for (slot = 0; slot < HOSTILE; slot++)
			send_segment(test, world.assoc[1], slot,
				     TERN_WIRE_SEG_MIN, i);
		KUNIT_EXPECT_LE(test, taken(rx), queued());
		most = max(most, taken(rx));
	}
	KUNIT_EXPECT_GT(test, most, limit / 2);
	/* the one that finds no room any more is counted first */
	KUNIT_EXPECT_LE(test, most, limit + SKB_TRUESIZE(2 * TERN_WIRE_SEG_MIN));
	KUNIT_EXPECT_LT(test, rx->requests, HOSTILE);
	KUNIT_EXPECT_GT(test, rx->requests, 0U);
	world_finish();
}

/* A further association of the server with its client. */
static struct tern_assoc *associate_again(struct kunit *test)
{
	static const struct tern_path path;
	struct tern_peer *peer = world.assoc[1]->peer;
	struct tern_assoc *assoc;

	spin_lock_bh(&peer->lock);
	assoc = tern_assoc_create(peer, tern_route_alloc(&path), TERN_ASSOC_UP);
	spin_unlock_bh(&peer->lock);
	KUNIT_ASSERT_NOT_NULL(test, assoc);
	/* the client has nothing that its answers are for */
	assoc->remote_id = world.assoc[0]->id;
	return assoc;
}

static void end_association(struct tern_assoc *assoc)
{
	struct tern_outbox out;

	tern_outbox_init(&out);
	tern_assoc_end(assoc, NULL, TERN_CAUSE_RESET, TERN_END_TOLD, &out);
	world_flush(&out);
}

/*
 * What the associations of a peer hold counts together, and what one of them
 * held is free again when it ends.
 */
static void queue_of_a_peer(struct kunit *test)
{
	struct tern_assoc *second;
	u64 held;

	world_begin(test, &hostile);
	second = associate_again(test);
	send_segment(test, second, 0, LARGE, 1);
	KUNIT_EXPECT_EQ(test, second->rx.requests, 1U);
	held = queued();
	KUNIT_EXPECT_GT(test, held, 0);
	world.tn[1].set.queue_peer = held;
	send_segment(test, world.assoc[1], 0, LARGE, 1);
	KUNIT_EXPECT_EQ(test, world.assoc[1]->rx.requests, 0U);
	KUNIT_EXPECT_EQ(test, queued(), held);

	end_association(second);
	KUNIT_EXPECT_EQ(test, queued(), 0);
	send_segment(test, world.assoc[1], 1, LARGE, 1);
	KUNIT_EXPECT_EQ(test, world.assoc[1]->rx.requests, 1U);
	world_finish();
}

static const struct trouble good = {
	.name		= "a good network",
	.timeout_ms	= 10000,
};

/* Lets all calls have their replies. */
static void run_until_replied(struct kunit *test)
{
	unsigned int i;

	for (i = 0; i < 20000 && world.n_reported < world.n_calls; i++) {
		world_pass_time();
		world_work();
	}
	KUNIT_EXPECT_EQ(test, count_outcome(TERN_REPLIED), world.n_calls);
}

static void cache_of_a_peer(struct kunit *test)
{
	struct tern_assoc *second;
	struct tern_peer *peer;

	world_begin(test, &good);
	peer = world.assoc[1]->peer;
	world_submit();
	run_until_replied(test);
	KUNIT_EXPECT_EQ(test, world.assoc[1]->rx.cached, 1U);
	KUNIT_EXPECT_GT(test, atomic64_read(&peer->cache_bytes), 0);
	world.tn[1].set.cache_peer = atomic64_read(&peer->cache_bytes);
	second = associate_again(test);
	send_segment(test, second, 1, LARGE, 1);
	KUNIT_EXPECT_EQ(test, second->rx.requests, 0U);

	/* acknowledges the reply */
	end_association(second);
	world_submit();
	world_pass_time();
	KUNIT_EXPECT_EQ(test, atomic64_read(&peer->cache_bytes), 0);
	run_until_replied(test);
	world_collect();
	world_finish();
}

static const struct trouble cut_off = {
	.name		= "nothing arrives",
	.loss		= 100,
};

/* All of the reply to the first call is asked for. */
static void send_resend(void)
{
	struct tern_wire_pkt pkt = {
		.type = TERN_PKT_RESEND,
		.flags = TERN_WIRE_OF_REPLY,
		.seq = 1,
		.slot = world.records[0].call->slot,
		.resend = { .bits = 8 },
	};
	static const u8 bitmap = 0xff;
	struct tern_outbox out;

	tern_outbox_init(&out);
	rcu_read_lock();
	tern_request_input_resend(world.assoc[1], &pkt, &bitmap, &out);
	rcu_read_unlock();
	world_flush(&out);
}

/* Who knows the ids of a call cannot make its server send without end. */
static void asked_in_a_storm(struct kunit *test)
{
	struct tern_worker *worker;
	struct tern_request *req;
	struct tern_outbox out;
	u64 begin, answers;
	u32 asked;
	int err;

	world_begin(test, &good);
	world_submit();
	world_pass_time();
	world.trouble = &cut_off;
	worker = &world.workers[0].worker;
	tern_outbox_init(&out);
	req = tern_worker_take(worker, &out);
	KUNIT_ASSERT_FALSE(test, IS_ERR_OR_NULL(req));
	tern_request_consumed(req);
	err = tern_request_reply(&world.tn[1], worker, tern_request_handle(req),
				 0, world_message(0, LEN_MAX), &out);
	KUNIT_EXPECT_EQ(test, err, 0);
	tern_request_put(req);
	world_flush(&out);

	begin = virtual_now_us;
	for (asked = 0; virtual_now_us < begin + USEC_PER_SEC; asked++) {
		send_resend();
		world_pass_time();
	}
	answers = tern_mib_sum(world.tn[1].mib, TERN_MIB_RESEND_IN);
	KUNIT_EXPECT_GT(test, answers, 10);
	KUNIT_EXPECT_LE(test, answers, 2 * USEC_PER_SEC / TERN_RTO_MIN_US + 1);
	KUNIT_EXPECT_EQ(test, asked - answers,
			tern_mib_sum(world.tn[1].mib, TERN_MIB_RESEND_TOO_SOON));

	world.trouble = &good;
	run_until_replied(test);
	world_collect();
	world_finish();
}

static const struct trouble deaf = {
	.name		= "a server that hears nothing",
	.loss		= 100,
	.timeout_ms	= 1000,
};

/* The call in @slot is executing, says the server. */
static void send_busy(u16 slot)
{
	struct tern_wire_pkt pkt = {
		.type = TERN_PKT_BUSY,
		.seq = 1,
		.slot = slot,
		.slots = world.assoc[0]->tx.offer,
	};
	struct tern_outbox out;

	tern_outbox_init(&out);
	rcu_read_lock();
	tern_call_input_busy(world.assoc[0], &pkt, &out);
	rcu_read_unlock();
	world_flush(&out);
}

/* Packets without end do not put off a deadline. */
static void deadline_in_a_storm(struct kunit *test)
{
	u64 begin;

	world_begin(test, &deaf);
	begin = virtual_now_us;
	world_submit();
	while (!world.n_reported &&
	       virtual_now_us < begin + 10 * USEC_PER_SEC) {
		send_busy(world.records[0].call->slot);
		world_pass_time();
	}
	KUNIT_EXPECT_EQ(test, count_outcome(TERN_UNKNOWN), 1U);
	KUNIT_EXPECT_LT(test, virtual_now_us,
			begin + (deaf.timeout_ms + 100) * USEC_PER_MSEC);
	world_collect();
	world_finish();
}

/* Segment @i of a large reply to the call in @slot. */
static void send_reply(struct kunit *test, u16 slot, u32 i)
{
	struct tern_wire_pkt pkt = {
		.type = TERN_PKT_REP,
		.seq = 1,
		.slot = slot,
		.slots = world.assoc[0]->tx.offer,
		.seg = {
			.total = TERN_MESSAGE_MAX,
			.offset = i * TERN_WIRE_SEG_MIN,
			.size = TERN_WIRE_SEG_MIN,
		},
	};
	struct sk_buff *skb = alloc_skb(TERN_WIRE_SEG_MIN, GFP_KERNEL);
	struct tern_outbox out;

	KUNIT_ASSERT_NOT_NULL(test, skb);
	skb_put_zero(skb, TERN_WIRE_SEG_MIN);
	tern_outbox_init(&out);
	rcu_read_lock();
	if (!tern_call_input_reply(world.assoc[0], &pkt, skb, &out))
		kfree_skb(skb);
	rcu_read_unlock();
	world_flush(&out);
}

/* What the parts of replies take that are here. */
static u64 replies(void)
{
	u64 bytes = 0;
	u32 id;

	for (id = 0; id < world.n_calls; id++)
		bytes += world.records[id].call->reply.truesize;
	return bytes;
}

/* A server cannot fill its client either, nor beyond the deadlines. */
static void replies_within_limits(struct kunit *test)
{
	const u64 limit = 1 << 20;
	u64 most = 0;
	u32 i, id;

	world_begin(test, &deaf);
	world.tn[0].set.queue_net = limit;
	for (i = 0; i < HOSTILE; i++)
		world_submit();
	for (i = 0; i < TERN_MESSAGE_MAX / TERN_WIRE_SEG_MIN - 1; i++) {
		for (id = 0; id < HOSTILE; id++)
			send_reply(test, world.records[id].call->slot, i);
		most = max(most, replies());
	}
	KUNIT_EXPECT_GT(test, most, limit / 2);
	KUNIT_EXPECT_LE(test, most, limit);
	KUNIT_EXPECT_LE(test, (u64)atomic64_read(&world.tn[0].reply_bytes),
			limit);
	for (i = 0; i < 10000 && world.n_reported < HOSTILE; i++)
		world_pass_time();
	KUNIT_EXPECT_EQ(test, count_outcome(TERN_UNKNOWN), HOSTILE);
	KUNIT_EXPECT_EQ(test, replies(), 0);
	KUNIT_EXPECT_EQ(test, atomic64_read(&world.tn[0].reply_bytes), 0);
	world_collect();
	world_finish();
}

static struct kunit_case held_cases[] = {
	KUNIT_CASE(held_within_limits),
	KUNIT_CASE(incomplete_within_limits),
	KUNIT_CASE(queue_of_a_peer),
	KUNIT_CASE(cache_of_a_peer),
	KUNIT_CASE(asked_in_a_storm),
	KUNIT_CASE(replies_within_limits),
	KUNIT_CASE(deadline_in_a_storm),
	{}
};

static struct kunit_suite held_suite = {
	.name = "tern_held",
	.test_cases = held_cases,
};

kunit_test_suite(held_suite);
