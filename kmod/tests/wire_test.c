// SPDX-License-Identifier: GPL-2.0
/*
 * The wire format: round trips, truncation, reserved bits, ranges, garbage.
 */
#include <kunit/test.h>

#include "../wire.c"
#include "random.h"

#define DATA_MAX	1024
#define PACKET_MAX	(TERN_WIRE_HDR_MAX + DATA_MAX)
#define ROUNDS		2000

static u64 random_id(struct rnd_state *rnd)
{
	return (u64)prandom_u32_state(rnd) << 32 | prandom_u32_state(rnd) | 1;
}

/* Fills in a valid segment; returns the length of its data. */
static unsigned int fill_seg(struct rnd_state *rnd, struct tern_wire_seg *seg)
{
	u32 count = random_below(rnd, 4);
	u32 i;

	seg->digest = prandom_u32_state(rnd);
	if (!count)
		return 0;
	if (count == 1) {
		seg->total = 1 + random_below(rnd, DATA_MAX);
		seg->size = seg->total;
		return seg->total;
	}
	seg->size = TERN_WIRE_SEG_MIN +
		    random_below(rnd, DATA_MAX - TERN_WIRE_SEG_MIN + 1);
	seg->total = seg->size * (count - 1) + 1 +
		     random_below(rnd, seg->size);
	i = random_below(rnd, count);
	seg->offset = i * seg->size;
	return min_t(u32, seg->size, seg->total - seg->offset);
}

/* Fills in a valid packet; returns the length of what follows the header. */
static unsigned int fill(struct rnd_state *rnd, u8 type,
			 struct tern_wire_pkt *pkt)
{
	unsigned int len;

	memset(pkt, 0, sizeof(*pkt));
	pkt->type = type;
	pkt->flags = prandom_u32_state(rnd) & wire_types[type].flags;
	pkt->tsval = prandom_u32_state(rnd);
	pkt->dst = random_id(rnd);
	pkt->src = random_id(rnd);
	if (type == TERN_PKT_BYE)
		return 0;
	pkt->slots = prandom_u32_state(rnd);
	pkt->tsecr = prandom_u32_state(rnd);

	switch (type) {
	case TERN_PKT_HELLO:
	case TERN_PKT_COOKIE:
	case TERN_PKT_WELCOME:
		if (type == TERN_PKT_HELLO && random_percent(rnd, 50))
			pkt->dst = 0;
		if (type == TERN_PKT_COOKIE && random_percent(rnd, 50))
			pkt->src = 0;
		pkt->hello.epoch = random_id(rnd);
		pkt->hello.cookie = random_id(rnd);
		pkt->hello.lease_ms = TERN_WIRE_LEASE_MIN +
				      random_below(rnd, 1U << 31);
		pkt->hello.mtu = prandom_u32_state(rnd);
		return 0;
	}

	pkt->seq = 1 + (random_id(rnd) & (TERN_WIRE_SEQ_MAX >> 1));
	pkt->slot = prandom_u32_state(rnd);
	switch (type) {
	case TERN_PKT_REQ:
		/* at most one of the two */
		if (pkt->flags & TERN_WIRE_MAYBE)
			pkt->flags &= ~TERN_WIRE_IDEMPOTENT;
		pkt->req.program = prandom_u32_state(rnd);
		pkt->req.version = prandom_u32_state(rnd);
		pkt->req.procedure = prandom_u32_state(rnd);
		pkt->req.time_left_ms = prandom_u32_state(rnd);
		return fill_seg(rnd, &pkt->seg);
	case TERN_PKT_REP:
		pkt->rep.outcome = random_below(rnd, TERN_DELIVERED + 1);
		if (pkt->rep.outcome == TERN_NOT_EXECUTED ||
		    pkt->rep.outcome == TERN_UNKNOWN)
			pkt->rep.cause = 1 + random_below(rnd, __TERN_CAUSES - 1);
		if (pkt->rep.outcome != TERN_REPLIED)
			return 0;
		pkt->rep.status = prandom_u32_state(rnd);
		len = fill_seg(rnd, &pkt->seg);
		pkt->seg.digest = 0;
		return len;
	case TERN_PKT_RESEND:
		pkt->resend.first = prandom_u32_state(rnd);
		pkt->resend.bits = 1 + random_below(rnd, TERN_WIRE_BITMAP_MAX);
		return DIV_ROUND_UP(pkt->resend.bits, 8);
	case TERN_PKT_ACK:
		pkt->ack.count = 1 + random_below(rnd, TERN_WIRE_ACKS_MAX);
		return pkt->ack.count * sizeof(u64);
	case TERN_PKT_ASK:
	case TERN_PKT_OWN:
		pkt->own.time_ms = prandom_u32_state(rnd);
		return 0;
	case TERN_PKT_STALE:
		pkt->stale.epoch = random_id(rnd);
		pkt->stale.ended_age_ms = prandom_u32_state(rnd);
		return 0;
	}
	return 0;
}

/* A copy without a byte of slack, so that KASAN sees what reads too far. */
static enum tern_wire_error decode_exactly(struct kunit *test,
					   struct tern_wire_pkt *pkt,
					   const void *buf, unsigned int len)
{
	enum tern_wire_error err;
	void *copy = kmalloc(max(len, 1U), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, copy);
	memcpy(copy, buf, len);
	memset(pkt, 0, sizeof(*pkt));
	err = tern_wire_decode(pkt, copy, len);
	kfree(copy);
	return err;
}

static void round_trip(struct kunit *test)
{
	struct tern_wire_pkt pkt, back;
	u8 *buf = kunit_kzalloc(test, PACKET_MAX, GFP_KERNEL);
	struct rnd_state rnd;
	unsigned int len, i;
	u8 type;

	KUNIT_ASSERT_NOT_NULL(test, buf);
	prandom_seed_state(&rnd, 1);
	for (type = 1; type < __TERN_PKT_MAX; type++) {
		for (i = 0; i < ROUNDS; i++) {
			len = fill(&rnd, type, &pkt);
			memset(buf, 0xa5, PACKET_MAX);
			KUNIT_ASSERT_EQ(test, tern_wire_encode(&pkt, buf),
					tern_wire_hdr_len(type));
			KUNIT_ASSERT_LE(test, tern_wire_hdr_len(type),
					TERN_WIRE_HDR_MAX + 0U);
			len += tern_wire_hdr_len(type);
			KUNIT_ASSERT_EQ_MSG(test,
					    decode_exactly(test, &back, buf, len),
					    TERN_WIRE_OK, "type %u", type);
			KUNIT_ASSERT_EQ_MSG(test,
					    memcmp(&pkt, &back, sizeof(pkt)), 0,
					    "type %u", type);
		}
	}
}

static void length(struct kunit *test)
{
	struct tern_wire_pkt pkt, back;
	u8 *buf = kunit_kzalloc(test, PACKET_MAX + 1, GFP_KERNEL);
	unsigned int len, cut, i;
	struct rnd_state rnd;
	u8 type;

	KUNIT_ASSERT_NOT_NULL(test, buf);
	prandom_seed_state(&rnd, 2);
	for (type = 1; type < __TERN_PKT_MAX; type++) {
		for (i = 0; i < 20; i++) {
			len = fill(&rnd, type, &pkt);
			len += tern_wire_encode(&pkt, buf);
			for (cut = 0; cut <= len + 1; cut++) {
				enum tern_wire_error err;

				err = decode_exactly(test, &back, buf, cut);
				if (cut < len)
					KUNIT_ASSERT_EQ_MSG(test, err,
							    TERN_WIRE_BAD_LENGTH,
							    "type %u, %u of %u",
							    type, cut, len);
				else
					KUNIT_ASSERT_EQ_MSG(test, !err,
							    cut == len,
							    "type %u, %u of %u",
							    type, cut, len);
			}
		}
	}
}

/* Bytes that must be zero, in the header of one type */
static const struct {
	u8	type;
	u8	offset;
	u8	len;
} reserved[] = {
	{ TERN_PKT_HELLO, 56, 4 },
	{ TERN_PKT_COOKIE, 56, 4 },
	{ TERN_PKT_WELCOME, 56, 4 },
	{ TERN_PKT_REQ, 74, 2 },
	{ TERN_PKT_REP, 50, 2 },
	{ TERN_PKT_REP, 66, 2 },
	{ TERN_PKT_RESEND, 50, 2 },
	{ TERN_PKT_ACK, 46, 2 },
};

static const u16 flags_of[__TERN_PKT_MAX] = {
	[TERN_PKT_REQ] = 0x0017,
	[TERN_PKT_REP] = 0x0008,
	[TERN_PKT_RESEND] = 0x0001,
	[TERN_PKT_CANCEL] = 0x0003,
	[TERN_PKT_OWN] = 0x0007,
};

static void flip_is_refused(struct kunit *test, u8 *buf, unsigned int len,
			    unsigned int bit)
{
	struct tern_wire_pkt back;

	buf[bit / 8] ^= 0x80 >> bit % 8;
	KUNIT_EXPECT_EQ_MSG(test, decode_exactly(test, &back, buf, len),
			    TERN_WIRE_BAD_RESERVED, "type %u, bit %u", buf[1],
			    bit);
	buf[bit / 8] ^= 0x80 >> bit % 8;
}

static void reserved_bits(struct kunit *test)
{
	u8 *buf = kunit_kzalloc(test, PACKET_MAX, GFP_KERNEL);
	struct tern_wire_pkt pkt;
	unsigned int len, i, bit;
	struct rnd_state rnd;
	u8 type;

	KUNIT_ASSERT_NOT_NULL(test, buf);
	prandom_seed_state(&rnd, 3);
	for (type = 1; type < __TERN_PKT_MAX; type++) {
		len = fill(&rnd, type, &pkt);
		len += tern_wire_encode(&pkt, buf);
		for (bit = 0; bit < 16; bit++)
			if (!(flags_of[type] & 0x8000 >> bit))
				flip_is_refused(test, buf, len, 16 + bit);
	}
	for (i = 0; i < ARRAY_SIZE(reserved); i++) {
		len = fill(&rnd, reserved[i].type, &pkt);
		len += tern_wire_encode(&pkt, buf);
		for (bit = 0; bit < reserved[i].len * 8; bit++)
			flip_is_refused(test, buf, len,
					reserved[i].offset * 8 + bit);
	}
}

/*
 * Fields out of range: what a valid packet with a message of three segments, of
 * which it carries the second, becomes with one field overwritten.
 */
struct field_case {
	const char	*what;
	u8	type;
	u8	offset;
	u8	len;
	u64	value;
	enum tern_wire_error	err;
};

static const struct field_case field_cases[] = {
	{ "version 0", TERN_PKT_REQ, 0, 1, 0, TERN_WIRE_BAD_VERSION },
	{ "version 2", TERN_PKT_REQ, 0, 1, 2, TERN_WIRE_BAD_VERSION },
	{ "type 0", TERN_PKT_REQ, 1, 1, 0, TERN_WIRE_BAD_TYPE },
	{ "type beyond", TERN_PKT_REQ, 1, 1, __TERN_PKT_MAX,
	  TERN_WIRE_BAD_TYPE },
	{ "type 255", TERN_PKT_REQ, 1, 1, 255, TERN_WIRE_BAD_TYPE },
	{ "dst 0", TERN_PKT_REQ, 12, 8, 0, TERN_WIRE_BAD_FIELD },
	{ "src 0", TERN_PKT_REQ, 20, 8, 0, TERN_WIRE_BAD_FIELD },
	{ "dst 0", TERN_PKT_BYE, 12, 8, 0, TERN_WIRE_BAD_FIELD },
	{ "src 0", TERN_PKT_BYE, 20, 8, 0, TERN_WIRE_BAD_FIELD },
	{ "dst 0", TERN_PKT_STALE, 12, 8, 0, TERN_WIRE_BAD_FIELD },
	{ "dst 0", TERN_PKT_BUSY, 12, 8, 0, TERN_WIRE_BAD_FIELD },
	{ "src 0", TERN_PKT_HELLO, 20, 8, 0, TERN_WIRE_BAD_FIELD },
	{ "dst 0", TERN_PKT_COOKIE, 12, 8, 0, TERN_WIRE_BAD_FIELD },
	{ "dst 0", TERN_PKT_WELCOME, 12, 8, 0, TERN_WIRE_BAD_FIELD },
	{ "src 0", TERN_PKT_WELCOME, 20, 8, 0, TERN_WIRE_BAD_FIELD },
	{ "seq 0", TERN_PKT_REQ, 28, 8, 0, TERN_WIRE_BAD_FIELD },
	{ "seq 0", TERN_PKT_CANCEL, 28, 8, 0, TERN_WIRE_BAD_FIELD },
	{ "seq 0", TERN_PKT_ASK, 28, 8, 0, TERN_WIRE_BAD_FIELD },
	{ "seq 0", TERN_PKT_OWN, 28, 8, 0, TERN_WIRE_BAD_FIELD },
	{ "two kinds at once", TERN_PKT_REQ, 2, 2,
	  TERN_WIRE_IDEMPOTENT | TERN_WIRE_MAYBE, TERN_WIRE_BAD_FIELD },
	{ "greatest seq", TERN_PKT_REQ, 28, 8, TERN_WIRE_SEQ_MAX,
	  TERN_WIRE_OK },
	{ "seq beyond", TERN_PKT_REQ, 28, 8, TERN_WIRE_SEQ_MAX + 1,
	  TERN_WIRE_BAD_FIELD },
	{ "seq ~0", TERN_PKT_REP, 28, 8, U64_MAX, TERN_WIRE_BAD_FIELD },
	{ "seq beyond", TERN_PKT_ACK, 28, 8, TERN_WIRE_SEQ_MAX + 1,
	  TERN_WIRE_BAD_FIELD },
	{ "total 0", TERN_PKT_REQ, 60, 4, 0, TERN_WIRE_BAD_FIELD },
	{ "total at the offset", TERN_PKT_REQ, 60, 4, 256,
	  TERN_WIRE_BAD_FIELD },
	{ "total below the size", TERN_PKT_REQ, 60, 4, 255,
	  TERN_WIRE_BAD_FIELD },
	{ "total that ends in the segment", TERN_PKT_REQ, 60, 4, 257,
	  TERN_WIRE_BAD_LENGTH },
	{ "offset between two", TERN_PKT_REQ, 64, 4, 255, TERN_WIRE_BAD_FIELD },
	{ "offset behind the end", TERN_PKT_REQ, 64, 4, 1024,
	  TERN_WIRE_BAD_FIELD },
	{ "offset ~0", TERN_PKT_REQ, 64, 4, U32_MAX, TERN_WIRE_BAD_FIELD },
	{ "offset of the short last", TERN_PKT_REQ, 64, 4, 512,
	  TERN_WIRE_BAD_LENGTH },
	{ "size 0", TERN_PKT_REQ, 72, 2, 0, TERN_WIRE_BAD_FIELD },
	{ "size 1", TERN_PKT_REQ, 72, 2, 1, TERN_WIRE_BAD_FIELD },
	{ "size 128", TERN_PKT_REQ, 72, 2, 128, TERN_WIRE_BAD_FIELD },
	{ "size beyond the total", TERN_PKT_REQ, 72, 2, 65535,
	  TERN_WIRE_BAD_FIELD },
	{ "outcome beyond", TERN_PKT_REP, 48, 1, TERN_DELIVERED + 1,
	  TERN_WIRE_BAD_FIELD },
	{ "cause beyond", TERN_PKT_REP, 49, 1, __TERN_CAUSES,
	  TERN_WIRE_BAD_FIELD },
	{ "outcome with a message", TERN_PKT_REP, 48, 1, TERN_UNKNOWN,
	  TERN_WIRE_BAD_FIELD },
	{ "digest of a reply", TERN_PKT_REP, 60, 4, 1, TERN_WIRE_BAD_RESERVED },
	{ "short lease", TERN_PKT_HELLO, 44, 4, 4999, TERN_WIRE_BAD_FIELD },
	{ "short lease", TERN_PKT_WELCOME, 44, 4, 0, TERN_WIRE_BAD_FIELD },
	{ "no lease", TERN_PKT_COOKIE, 44, 4, 0, TERN_WIRE_OK },
	{ "reply with a cause", TERN_PKT_REP, 49, 1, 1, TERN_WIRE_BAD_FIELD },
	{ "no bits", TERN_PKT_RESEND, 48, 2, 0, TERN_WIRE_BAD_FIELD },
	{ "too many bits", TERN_PKT_RESEND, 48, 2, TERN_WIRE_BITMAP_MAX + 1,
	  TERN_WIRE_BAD_FIELD },
	{ "more bits than bytes", TERN_PKT_RESEND, 48, 2, 17,
	  TERN_WIRE_BAD_LENGTH },
	{ "fewer bits than bytes", TERN_PKT_RESEND, 48, 2, 8,
	  TERN_WIRE_BAD_LENGTH },
	{ "no acks", TERN_PKT_ACK, 44, 2, 0, TERN_WIRE_BAD_FIELD },
	{ "too many acks", TERN_PKT_ACK, 44, 2, TERN_WIRE_ACKS_MAX + 1,
	  TERN_WIRE_BAD_FIELD },
	{ "more acks than bytes", TERN_PKT_ACK, 44, 2, 3,
	  TERN_WIRE_BAD_LENGTH },
};

static void fields(struct kunit *test)
{
	u8 *buf = kunit_kzalloc(test, PACKET_MAX, GFP_KERNEL);
	struct tern_wire_pkt back;
	unsigned int i, j, len;

	KUNIT_ASSERT_NOT_NULL(test, buf);
	for (i = 0; i < ARRAY_SIZE(field_cases); i++) {
		const struct field_case *c = &field_cases[i];
		struct tern_wire_pkt pkt = {
			.type = c->type,
			.dst = 1,
			.src = 2,
			.seq = 3,
		};

		len = 0;
		switch (c->type) {
		case TERN_PKT_REQ:
		case TERN_PKT_REP:
			pkt.seg.total = 700;
			pkt.seg.offset = 256;
			pkt.seg.size = 256;
			len = 256;
			break;
		case TERN_PKT_RESEND:
			pkt.resend.bits = 16;
			len = 2;
			break;
		case TERN_PKT_ACK:
			pkt.ack.count = 2;
			len = 16;
			break;
		}
		if (c->type <= TERN_PKT_WELCOME)
			pkt.hello.lease_ms = TERN_WIRE_LEASE_MIN;
		memset(buf, 0, PACKET_MAX);
		len += tern_wire_encode(&pkt, buf);
		KUNIT_ASSERT_EQ_MSG(test,
				    decode_exactly(test, &back, buf, len),
				    TERN_WIRE_OK, "type %u", c->type);
		for (j = 0; j < c->len; j++)
			buf[c->offset + j] = c->value >> 8 * (c->len - 1 - j);
		KUNIT_EXPECT_EQ_MSG(test,
				    decode_exactly(test, &back, buf, len),
				    c->err, "type %u, %s", c->type, c->what);
	}
}

/* What is accepted means exactly its bytes. */
static void accepts_only_own(struct kunit *test, const u8 *buf,
			     unsigned int len, unsigned int *accepted)
{
	u8 again[TERN_WIRE_HDR_MAX] __aligned(4);
	struct tern_wire_pkt pkt;
	unsigned int hdr;

	if (decode_exactly(test, &pkt, buf, len))
		return;
	hdr = tern_wire_encode(&pkt, again);
	tern_wire_set_check(again, tern_wire_get_check(buf));
	KUNIT_ASSERT_LE(test, hdr, len);
	KUNIT_ASSERT_EQ_MSG(test, memcmp(buf, again, hdr), 0, "type %u",
			    pkt.type);
	++*accepted;
}

static void garbage(struct kunit *test)
{
	u8 *buf = kunit_kzalloc(test, PACKET_MAX, GFP_KERNEL);
	unsigned int len, i, n, flips, accepted = 0;
	struct tern_wire_pkt pkt;
	struct rnd_state rnd;

	KUNIT_ASSERT_NOT_NULL(test, buf);
	prandom_seed_state(&rnd, 4);
	for (i = 0; i < 5 * ROUNDS; i++) {
		len = random_below(&rnd, 2 * TERN_WIRE_HDR_MAX);
		prandom_bytes_state(&rnd, buf, len);
		if (i % 2) {
			buf[0] = TERN_WIRE_VERSION;
			buf[1] %= __TERN_PKT_MAX + 1;
			memset(buf + 2, 0, 2);
		}
		accepts_only_own(test, buf, len, &accepted);
	}
	for (i = 0; i < 5 * ROUNDS; i++) {
		len = fill(&rnd, 1 + random_below(&rnd, __TERN_PKT_MAX - 1),
			   &pkt);
		prandom_bytes_state(&rnd, buf, PACKET_MAX);
		len += tern_wire_encode(&pkt, buf);
		flips = random_below(&rnd, 4);
		for (n = 0; n < flips; n++)
			buf[random_below(&rnd, min(len, TERN_WIRE_HDR_MAX + 0U))] ^=
				1 << random_below(&rnd, 8);
		accepts_only_own(test, buf, len, &accepted);
	}
	KUNIT_EXPECT_GT(test, accepted, 1U * ROUNDS);
}

static void acks(struct kunit *test)
{
	struct tern_wire_ack ack, back;
	struct rnd_state rnd;
	u8 list[3 * sizeof(u64) + 1];
	unsigned int i;

	prandom_seed_state(&rnd, 5);
	for (i = 0; i < ROUNDS; i++) {
		memset(list, 0x5a, sizeof(list));
		ack.slot = prandom_u32_state(&rnd);
		ack.seq = random_id(&rnd) & TERN_WIRE_SEQ_MAX;
		/* lists follow headers of any length: no alignment */
		tern_wire_put_ack(list + 1, 1, &ack);
		tern_wire_get_ack(list + 1, 1, &back);
		KUNIT_ASSERT_EQ(test, back.slot, ack.slot);
		KUNIT_ASSERT_EQ(test, back.seq, ack.seq);
		KUNIT_ASSERT_EQ(test, list[8], 0x5a);
		KUNIT_ASSERT_EQ(test, list[17], 0x5a);
	}
}

static struct kunit_case wire_cases[] = {
	KUNIT_CASE(round_trip),
	KUNIT_CASE(length),
	KUNIT_CASE(reserved_bits),
	KUNIT_CASE(fields),
	KUNIT_CASE(garbage),
	KUNIT_CASE(acks),
	{}
};

static struct kunit_suite wire_suite = {
	.name = "tern_wire",
	.test_cases = wire_cases,
};

kunit_test_suite(wire_suite);

MODULE_DESCRIPTION("Tests of Tern");
MODULE_LICENSE("GPL");
