// SPDX-License-Identifier: GPL-2.0
/*
 * Messages: cut into segments and put together again in any order.
 */
#include <kunit/test.h>

#include "../message.c"
#include "../packet.h"
#include "random.h"

#define SEED	0x1234

static struct tern_msg *make(struct kunit *test, struct rnd_state *rnd, u32 len,
			     u16 seg)
{
	struct tern_msg *msg;
	struct kvec vec;
	struct iov_iter from;

	vec.iov_base = kvmalloc(max(len, 1U), GFP_KERNEL);
	vec.iov_len = len;
	KUNIT_ASSERT_NOT_NULL(test, vec.iov_base);
	prandom_bytes_state(rnd, vec.iov_base, len);
	iov_iter_kvec(&from, ITER_SOURCE, &vec, 1, len);
	msg = tern_msg_alloc(len, &from);
	kvfree(vec.iov_base);
	KUNIT_ASSERT_FALSE(test, IS_ERR(msg));
	KUNIT_ASSERT_EQ(test, msg->len, len);
	msg->digest = tern_digest_data(SEED, msg->data, len);
	tern_msg_set_segment(msg, seg);
	return msg;
}

static u32 seg_of(const struct tern_msg *msg, u32 i, struct tern_wire_seg *seg)
{
	seg->total = msg->len;
	seg->digest = msg->digest;
	seg->size = msg->seg;
	seg->offset = i * msg->seg;
	return min_t(u32, msg->seg, msg->len - seg->offset);
}

/* Adds segment @i as a packet; false when it was there. */
static bool add_segment(struct kunit *test, struct tern_assembly *in,
			const struct tern_msg *msg, u32 i)
{
	struct tern_wire_pkt pkt = {};
	u32 len = seg_of(msg, i, &pkt.seg);
	struct sk_buff *skb = alloc_skb(len, GFP_KERNEL);
	bool taken;

	KUNIT_ASSERT_NOT_NULL(test, skb);
	skb_put_data(skb, msg->data + pkt.seg.offset, len);
	KUNIT_ASSERT_TRUE(test, tern_assembly_matches(in, &pkt.seg));
	taken = tern_assembly_add(in, &pkt, skb);
	if (!taken)
		kfree_skb(skb);
	return taken;
}

static void copies_back(struct kunit *test, const struct tern_assembly *in,
			const struct tern_msg *msg, size_t len)
{
	struct kvec vec = { kvmalloc(len + 1, GFP_KERNEL), len };
	struct iov_iter to;
	u8 *back = vec.iov_base;

	KUNIT_ASSERT_NOT_NULL(test, back);
	back[len] = 0x5a;
	iov_iter_kvec(&to, ITER_DEST, &vec, 1, len);
	KUNIT_EXPECT_EQ(test, tern_assembly_copy(in, &to, len), 0);
	KUNIT_EXPECT_EQ(test, memcmp(back, msg->data, len), 0);
	KUNIT_EXPECT_EQ(test, back[len], 0x5a);
	kvfree(back);
}

/* The bitmap against one made naively from what was added. */
static void bitmap_fits(struct kunit *test, const struct tern_assembly *in,
			const bool *have)
{
	u8 bitmap[TERN_WIRE_BITMAP_MAX / 8];
	u32 first, want_first = 0, bits, want_bits = 0, i;

	bits = tern_assembly_missing(in, bitmap, &first);
	while (want_first < in->count && have[want_first])
		want_first++;
	KUNIT_ASSERT_EQ(test, first, want_first);
	for (i = 0; i < TERN_WIRE_BITMAP_MAX; i++) {
		bool missing = first + i < in->count && !have[first + i];

		if (missing)
			want_bits = i + 1;
		KUNIT_ASSERT_EQ(test, !!(bitmap[i / 8] & 0x80 >> i % 8),
				missing);
	}
	KUNIT_ASSERT_EQ(test, bits, want_bits);
}

static void assemble(struct kunit *test, struct rnd_state *rnd, u32 len,
		     u16 size)
{
	struct tern_msg *msg = make(test, rnd, len, size);
	u32 count = tern_msg_segments(msg), left = count;
	struct tern_assembly in = {};
	struct tern_wire_seg seg;
	bool *have = kcalloc(count, sizeof(*have), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, have);
	seg_of(msg, 0, &seg);
	KUNIT_ASSERT_EQ(test, tern_assembly_start(&in, &seg), 0);
	KUNIT_ASSERT_EQ(test, in.count, count);
	while (left) {
		u32 i = random_below(rnd, count);

		KUNIT_ASSERT_FALSE(test, tern_assembly_is_whole(&in));
		KUNIT_ASSERT_EQ(test, add_segment(test, &in, msg, i), !have[i]);
		left -= !have[i];
		have[i] = true;
		KUNIT_ASSERT_EQ(test, in.have, count - left);
		if (left % 32 == 1 || !left)
			bitmap_fits(test, &in, have);
	}
	KUNIT_EXPECT_TRUE(test, tern_assembly_is_whole(&in));
	copies_back(test, &in, msg, len);
	copies_back(test, &in, msg, len / 2);
	tern_assembly_free(&in);
	KUNIT_EXPECT_FALSE(test, tern_assembly_is_whole(&in));
	tern_assembly_free(&in);
	kfree(have);
	tern_msg_put(msg);
}

static void any_order(struct kunit *test)
{
	static const u32 lens[] = { 0, 1, 255, 256, 257, 511, 512, 513, 4096,
				    65535, 65536 };
	static const u16 sizes[] = { 256, 1160, 16384, 65535 };
	struct rnd_state rnd;
	unsigned int i, j;

	prandom_seed_state(&rnd, 1);
	for (i = 0; i < ARRAY_SIZE(lens); i++)
		for (j = 0; j < ARRAY_SIZE(sizes); j++)
			assemble(test, &rnd, lens[i], sizes[j]);
	for (i = 0; i < 200; i++)
		assemble(test, &rnd, random_below(&rnd, 20000),
			 256 + random_below(&rnd, 2000));
}

/* One wrong bit anywhere in a packet, or a missing end, is found. */
static void wrong_bit(struct kunit *test)
{
	static const struct tern_wire_pkt pkt = { .type = TERN_PKT_REQ };
	struct rnd_state rnd;
	struct sk_buff *skb;
	unsigned int i;
	u8 data[700];

	prandom_seed_state(&rnd, 2);
	prandom_bytes_state(&rnd, data, sizeof(data));
	skb = tern_packet_alloc(&pkt, data, sizeof(data));
	KUNIT_ASSERT_NOT_NULL(test, skb);
	KUNIT_EXPECT_FALSE(test, tern_packet_is_intact(skb));
	tern_packet_seal(skb);
	KUNIT_EXPECT_TRUE(test, tern_packet_is_intact(skb));
	for (i = 0; i < skb->len * 8; i++) {
		skb->data[i / 8] ^= 1 << i % 8;
		KUNIT_ASSERT_FALSE(test, tern_packet_is_intact(skb));
		skb->data[i / 8] ^= 1 << i % 8;
	}
	KUNIT_EXPECT_TRUE(test, tern_packet_is_intact(skb));
	while (skb->len) {
		__skb_trim(skb, skb->len - 1);
		KUNIT_ASSERT_FALSE(test, tern_packet_is_intact(skb));
	}
	kfree_skb(skb);
}

/* Two calls that differ in any number or length have other digests. */
static void digests(struct kunit *test)
{
	u32 base = tern_digest_request(1, 2, 3, 4);

	KUNIT_EXPECT_NE(test, base, tern_digest_request(2, 2, 3, 4));
	KUNIT_EXPECT_NE(test, base, tern_digest_request(1, 1, 3, 4));
	KUNIT_EXPECT_NE(test, base, tern_digest_request(1, 2, 4, 4));
	KUNIT_EXPECT_NE(test, base, tern_digest_request(1, 2, 3, 5));
	KUNIT_EXPECT_NE(test, base, tern_digest_request(2, 1, 3, 4));
	/* CRC32C of "123456789" (RFC 3720), without the final inversion */
	KUNIT_EXPECT_EQ(test, ~tern_digest_data(~0U, "123456789", 9),
			0xe3069283U);
	KUNIT_EXPECT_EQ(test, tern_digest_data(base, NULL, 0), base);
}

static void segment_size(struct kunit *test)
{
	static const struct {
		u32 len, room, seg, count;
	} cases[] = {
		{ 0, 1000, 0, 1 },
		{ 1, 1000, 1, 1 },
		{ 1000, 1000, 1000, 1 },
		{ 1001, 1000, 1000, 2 },
		{ 65536, 1160, 1160, 57 },
		{ 65536, 65536, 65535, 2 },
		{ 1000, 1, TERN_WIRE_SEG_MIN, 4 },
		{ 100, 1, 100, 1 },
	};
	struct rnd_state rnd;
	unsigned int i;

	prandom_seed_state(&rnd, 3);
	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		struct tern_msg *msg = make(test, &rnd, cases[i].len, 0);

		msg->seg = 0;
		tern_msg_set_segment(msg, cases[i].room);
		KUNIT_EXPECT_EQ(test, msg->seg, cases[i].seg);
		KUNIT_EXPECT_EQ(test, tern_msg_segments(msg), cases[i].count);
		/* tells when the segments get smaller */
		KUNIT_EXPECT_FALSE(test, tern_msg_set_segment(msg, 65535));
		KUNIT_EXPECT_EQ(test, tern_msg_set_segment(msg, 256),
				cases[i].len > 256);
		tern_msg_put(msg);
	}
}

/* A message of the own node, which its sender and its receiver share. */
static void shared(struct kunit *test)
{
	u8 bitmap[TERN_WIRE_BITMAP_MAX / 8];
	struct tern_assembly in = {};
	struct tern_wire_pkt pkt = {};
	struct rnd_state rnd;
	struct tern_msg *msg;
	u32 first;

	prandom_seed_state(&rnd, 4);
	msg = make(test, &rnd, 1000, 16384);
	seg_of(msg, 0, &pkt.seg);
	pkt.msg = msg;
	KUNIT_ASSERT_EQ(test, tern_assembly_start(&in, &pkt.seg), 0);
	refcount_inc(&msg->ref);
	KUNIT_EXPECT_TRUE(test, tern_assembly_add(&in, &pkt, NULL));
	KUNIT_EXPECT_TRUE(test, tern_assembly_is_whole(&in));
	KUNIT_EXPECT_EQ(test, in.truesize, tern_msg_size(msg));
	KUNIT_EXPECT_EQ(test, tern_assembly_missing(&in, bitmap, &first), 0);
	/* the same once more, also by a packet */
	KUNIT_EXPECT_FALSE(test, tern_assembly_add(&in, &pkt, NULL));
	KUNIT_EXPECT_FALSE(test, add_segment(test, &in, msg, 0));
	copies_back(test, &in, msg, 1000);
	copies_back(test, &in, msg, 1);
	tern_assembly_free(&in);
	KUNIT_EXPECT_FALSE(test, tern_assembly_is_whole(&in));
	KUNIT_EXPECT_EQ(test, refcount_read(&msg->ref), 1);
	tern_msg_put(msg);
}

static struct kunit_case message_cases[] = {
	KUNIT_CASE(any_order),
	KUNIT_CASE(shared),
	KUNIT_CASE(wrong_bit),
	KUNIT_CASE(digests),
	KUNIT_CASE(segment_size),
	{}
};

static struct kunit_suite message_suite = {
	.name = "tern_message",
	.test_cases = message_cases,
};

kunit_test_suite(message_suite);
