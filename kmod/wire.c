// SPDX-License-Identifier: GPL-2.0
/*
 * Encoding and decoding of packets.  Each type is a row of a table: how long
 * its header is, which flags it may carry, what may follow the header.
 *
 * Layer: L0.  Pure: no locks, no allocation; compiles in user space too.
 */
#include <linux/types.h>
#include <linux/string.h>
#include <asm/byteorder.h>

#include "cause.h"
#include "wire.h"

struct wire_common {
	__u8	version;
	__u8	type;
	__be16	flags;
	__be32	check;
	__be32	tsval;
	__be64	dst;
	__be64	src;
} __attribute__((packed, aligned(4)));

struct wire_call {
	struct wire_common	c;
	__be64	seq;
	__be16	slot;
	__be16	slots;
	__be32	tsecr;
} __attribute__((packed, aligned(4)));

struct wire_seg {
	__be32	total;
	__be32	offset;
	__be32	digest;
	__be16	size;
	__be16	resv;
} __attribute__((packed, aligned(4)));

struct wire_req {
	struct wire_call	h;
	__be32	program;
	__be32	version;
	__be32	procedure;
	__be32	time_left_ms;
	struct wire_seg		seg;
} __attribute__((packed, aligned(4)));

struct wire_rep {
	struct wire_call	h;
	__be32	status;
	__u8	outcome;
	__u8	cause;
	__be16	resv;
	struct wire_seg		seg;
} __attribute__((packed, aligned(4)));

struct wire_resend {
	struct wire_call	h;
	__be32	first;
	__be16	bits;
	__be16	resv;
} __attribute__((packed, aligned(4)));

struct wire_ack {
	struct wire_call	h;
	__be16	count;
	__be16	resv;
} __attribute__((packed, aligned(4)));

struct wire_own {
	struct wire_call	h;
	__be32	time_ms;
} __attribute__((packed, aligned(4)));

struct wire_hello {
	struct wire_common	c;
	__be64	epoch;
	__be64	cookie;
	__be32	lease_ms;
	__be16	slots;
	__be16	mtu;
	__be32	tsecr;
	__be32	resv;
} __attribute__((packed, aligned(4)));

struct wire_stale {
	struct wire_call	h;
	__be64	epoch;
	__be32	ended_age_ms;
} __attribute__((packed, aligned(4)));

enum wire_tail { TAIL_NONE, TAIL_DATA, TAIL_BITMAP, TAIL_ACKS };

static const struct {
	__u8	len;
	__u8	tail;
	__u16	flags;
} wire_types[__TERN_PKT_MAX] = {
	[TERN_PKT_HELLO]   = { sizeof(struct wire_hello), TAIL_NONE, 0 },
	[TERN_PKT_COOKIE]  = { sizeof(struct wire_hello), TAIL_NONE, 0 },
	[TERN_PKT_WELCOME] = { sizeof(struct wire_hello), TAIL_NONE, 0 },
	[TERN_PKT_BYE]     = { sizeof(struct wire_common), TAIL_NONE, 0 },
	[TERN_PKT_STALE]   = { sizeof(struct wire_stale), TAIL_NONE, 0 },
	[TERN_PKT_REQ]     = { sizeof(struct wire_req), TAIL_DATA,
			       TERN_WIRE_PROBE | TERN_WIRE_ONEWAY |
			       TERN_WIRE_IDEMPOTENT | TERN_WIRE_MAYBE },
	[TERN_PKT_REP]     = { sizeof(struct wire_rep), TAIL_DATA,
			       TERN_WIRE_AGAIN },
	[TERN_PKT_BUSY]    = { sizeof(struct wire_call), TAIL_NONE, 0 },
	[TERN_PKT_RESEND]  = { sizeof(struct wire_resend), TAIL_BITMAP,
			       TERN_WIRE_OF_REPLY },
	[TERN_PKT_CANCEL]  = { sizeof(struct wire_call), TAIL_NONE,
			       TERN_WIRE_GONE | TERN_WIRE_EXPIRED },
	[TERN_PKT_ACK]     = { sizeof(struct wire_ack), TAIL_ACKS, 0 },
	[TERN_PKT_ASK]     = { sizeof(struct wire_own), TAIL_NONE, 0 },
	[TERN_PKT_OWN]     = { sizeof(struct wire_own), TAIL_NONE,
			       TERN_WIRE_GONE | TERN_WIRE_EXPIRED |
			       TERN_WIRE_WITHDRAWN },
};

/**
 * tern_wire_hdr_len - length of the header of a packet type
 * @type: enum tern_wire_type
 */
unsigned int tern_wire_hdr_len(__u8 type)
{
	return wire_types[type].len;
}

static void put_seg(struct wire_seg *w, const struct tern_wire_seg *seg)
{
	w->total = __cpu_to_be32(seg->total);
	w->offset = __cpu_to_be32(seg->offset);
	w->digest = __cpu_to_be32(seg->digest);
	w->size = __cpu_to_be16(seg->size);
	w->resv = 0;
}

/**
 * tern_wire_encode - write the header of a packet
 * @pkt: what to write
 * @buf: room for TERN_WIRE_HDR_MAX bytes, aligned to 4
 *
 * Return: the length of the header.
 */
unsigned int tern_wire_encode(const struct tern_wire_pkt *pkt, void *buf)
{
	struct wire_common *c = buf;
	struct wire_call *h = buf;

	c->version = TERN_WIRE_VERSION;
	c->type = pkt->type;
	c->flags = __cpu_to_be16(pkt->flags);
	c->check = 0;
	c->tsval = __cpu_to_be32(pkt->tsval);
	c->dst = __cpu_to_be64(pkt->dst);
	c->src = __cpu_to_be64(pkt->src);

	switch (pkt->type) {
	case TERN_PKT_HELLO:
	case TERN_PKT_COOKIE:
	case TERN_PKT_WELCOME: {
		struct wire_hello *w = buf;

		w->epoch = __cpu_to_be64(pkt->hello.epoch);
		w->cookie = __cpu_to_be64(pkt->hello.cookie);
		w->lease_ms = __cpu_to_be32(pkt->hello.lease_ms);
		w->slots = __cpu_to_be16(pkt->slots);
		w->mtu = __cpu_to_be16(pkt->hello.mtu);
		w->tsecr = __cpu_to_be32(pkt->tsecr);
		w->resv = 0;
		return sizeof(*w);
	}
	case TERN_PKT_BYE:
		return sizeof(*c);
	}

	h->seq = __cpu_to_be64(pkt->seq);
	h->slot = __cpu_to_be16(pkt->slot);
	h->slots = __cpu_to_be16(pkt->slots);
	h->tsecr = __cpu_to_be32(pkt->tsecr);

	switch (pkt->type) {
	case TERN_PKT_REQ: {
		struct wire_req *w = buf;

		w->program = __cpu_to_be32(pkt->req.program);
		w->version = __cpu_to_be32(pkt->req.version);
		w->procedure = __cpu_to_be32(pkt->req.procedure);
		w->time_left_ms = __cpu_to_be32(pkt->req.time_left_ms);
		put_seg(&w->seg, &pkt->seg);
		break;
	}
	case TERN_PKT_REP: {
		struct wire_rep *w = buf;

		w->status = __cpu_to_be32(pkt->rep.status);
		w->outcome = pkt->rep.outcome;
		w->cause = pkt->rep.cause;
		w->resv = 0;
		put_seg(&w->seg, &pkt->seg);
		break;
	}
	case TERN_PKT_RESEND: {
		struct wire_resend *w = buf;

		w->first = __cpu_to_be32(pkt->resend.first);
		w->bits = __cpu_to_be16(pkt->resend.bits);
		w->resv = 0;
		break;
	}
	case TERN_PKT_ACK: {
		struct wire_ack *w = buf;

		w->count = __cpu_to_be16(pkt->ack.count);
		w->resv = 0;
		break;
	}
	case TERN_PKT_ASK:
	case TERN_PKT_OWN: {
		struct wire_own *w = buf;

		w->time_ms = __cpu_to_be32(pkt->own.time_ms);
		break;
	}
	case TERN_PKT_STALE: {
		struct wire_stale *w = buf;

		w->epoch = __cpu_to_be64(pkt->stale.epoch);
		w->ended_age_ms = __cpu_to_be32(pkt->stale.ended_age_ms);
		break;
	}
	}
	return wire_types[pkt->type].len;
}

static enum tern_wire_error get_seg(struct tern_wire_seg *seg,
				    const struct wire_seg *w, unsigned int len)
{
	seg->total = __be32_to_cpu(w->total);
	seg->offset = __be32_to_cpu(w->offset);
	seg->digest = __be32_to_cpu(w->digest);
	seg->size = __be16_to_cpu(w->size);
	if (w->resv)
		return TERN_WIRE_BAD_RESERVED;

	if (!seg->total)	/* an empty message is one empty segment */
		return seg->offset || seg->size || len ?
		       TERN_WIRE_BAD_FIELD : TERN_WIRE_OK;
	if (!seg->size || seg->offset >= seg->total ||
	    seg->offset % seg->size || seg->size > seg->total)
		return TERN_WIRE_BAD_FIELD;
	if (seg->size < TERN_WIRE_SEG_MIN && seg->size != seg->total)
		return TERN_WIRE_BAD_FIELD;
	if (seg->total - seg->offset > seg->size)
		return len == seg->size ? TERN_WIRE_OK : TERN_WIRE_BAD_LENGTH;
	return len == seg->total - seg->offset ?
	       TERN_WIRE_OK : TERN_WIRE_BAD_LENGTH;
}

static enum tern_wire_error get_hello(struct tern_wire_pkt *pkt,
				      const struct wire_hello *w)
{
	pkt->hello.epoch = __be64_to_cpu(w->epoch);
	pkt->hello.cookie = __be64_to_cpu(w->cookie);
	pkt->hello.lease_ms = __be32_to_cpu(w->lease_ms);
	pkt->slots = __be16_to_cpu(w->slots);
	pkt->hello.mtu = __be16_to_cpu(w->mtu);
	pkt->tsecr = __be32_to_cpu(w->tsecr);
	if (w->resv)
		return TERN_WIRE_BAD_RESERVED;
	if (!pkt->src && pkt->type != TERN_PKT_COOKIE)
		return TERN_WIRE_BAD_FIELD;
	if (!pkt->dst && pkt->type != TERN_PKT_HELLO)
		return TERN_WIRE_BAD_FIELD;
	if (pkt->hello.lease_ms < TERN_WIRE_LEASE_MIN &&
	    pkt->type != TERN_PKT_COOKIE)
		return TERN_WIRE_BAD_FIELD;
	return TERN_WIRE_OK;
}

static enum tern_wire_error get_rep(struct tern_wire_pkt *pkt,
				    const struct wire_rep *w, unsigned int len)
{
	int ended_well;

	pkt->rep.status = __be32_to_cpu(w->status);
	pkt->rep.outcome = w->outcome;
	pkt->rep.cause = w->cause;
	if (w->resv)
		return TERN_WIRE_BAD_RESERVED;
	if (w->outcome > TERN_DELIVERED || w->cause >= __TERN_CAUSES)
		return TERN_WIRE_BAD_FIELD;
	ended_well = w->outcome == TERN_REPLIED || w->outcome == TERN_DELIVERED;
	if (ended_well != !w->cause)
		return TERN_WIRE_BAD_FIELD;
	if (w->outcome != TERN_REPLIED && (w->seg.total || w->status))
		return TERN_WIRE_BAD_FIELD;
	if (w->seg.digest)
		return TERN_WIRE_BAD_RESERVED;
	return get_seg(&pkt->seg, &w->seg, len);
}

static enum tern_wire_error get_resend(struct tern_wire_pkt *pkt,
				       const struct wire_resend *w,
				       unsigned int len)
{
	pkt->resend.first = __be32_to_cpu(w->first);
	pkt->resend.bits = __be16_to_cpu(w->bits);
	if (w->resv)
		return TERN_WIRE_BAD_RESERVED;
	if (!pkt->resend.bits || pkt->resend.bits > TERN_WIRE_BITMAP_MAX)
		return TERN_WIRE_BAD_FIELD;
	return len == (pkt->resend.bits + 7U) / 8 ?
	       TERN_WIRE_OK : TERN_WIRE_BAD_LENGTH;
}

static enum tern_wire_error get_ack(struct tern_wire_pkt *pkt,
				    const struct wire_ack *w, unsigned int len)
{
	pkt->ack.count = __be16_to_cpu(w->count);
	if (w->resv)
		return TERN_WIRE_BAD_RESERVED;
	if (!pkt->ack.count || pkt->ack.count > TERN_WIRE_ACKS_MAX)
		return TERN_WIRE_BAD_FIELD;
	return len == pkt->ack.count * sizeof(__be64) ?
	       TERN_WIRE_OK : TERN_WIRE_BAD_LENGTH;
}

/**
 * tern_wire_decode - read and check a packet
 * @pkt: filled in; undefined after an error
 * @buf: the whole packet without its UDP header, aligned to 4
 * @len: its length
 *
 * Every field is checked as far as that needs no state: length, version, type,
 * reserved bits, ranges.  What follows the header starts at
 * tern_wire_hdr_len() and has the length that the header says.
 *
 * Return: TERN_WIRE_OK or why the packet must be dropped.
 */
enum tern_wire_error tern_wire_decode(struct tern_wire_pkt *pkt,
				      const void *buf, unsigned int len)
{
	const struct wire_common *c = buf;
	const struct wire_call *h = buf;
	unsigned int hdr;

	if (len < sizeof(*c))
		return TERN_WIRE_BAD_LENGTH;
	if (c->version != TERN_WIRE_VERSION)
		return TERN_WIRE_BAD_VERSION;
	if (!c->type || c->type >= __TERN_PKT_MAX)
		return TERN_WIRE_BAD_TYPE;
	hdr = wire_types[c->type].len;
	if (len < hdr)
		return TERN_WIRE_BAD_LENGTH;
	if (wire_types[c->type].tail == TAIL_NONE && len != hdr)
		return TERN_WIRE_BAD_LENGTH;

	pkt->type = c->type;
	pkt->flags = __be16_to_cpu(c->flags);
	pkt->tsval = __be32_to_cpu(c->tsval);
	pkt->dst = __be64_to_cpu(c->dst);
	pkt->src = __be64_to_cpu(c->src);
	pkt->msg = NULL;
	if (pkt->flags & ~wire_types[c->type].flags)
		return TERN_WIRE_BAD_RESERVED;

	switch (pkt->type) {
	case TERN_PKT_HELLO:
	case TERN_PKT_COOKIE:
	case TERN_PKT_WELCOME:
		return get_hello(pkt, buf);
	}

	if (!pkt->dst || !pkt->src)
		return TERN_WIRE_BAD_FIELD;
	if (pkt->type == TERN_PKT_BYE)
		return TERN_WIRE_OK;

	pkt->seq = __be64_to_cpu(h->seq);
	pkt->slot = __be16_to_cpu(h->slot);
	pkt->slots = __be16_to_cpu(h->slots);
	pkt->tsecr = __be32_to_cpu(h->tsecr);
	if (pkt->seq > TERN_WIRE_SEQ_MAX)
		return TERN_WIRE_BAD_FIELD;

	len -= hdr;
	switch (pkt->type) {
	case TERN_PKT_REQ: {
		const struct wire_req *w = buf;

		pkt->req.program = __be32_to_cpu(w->program);
		pkt->req.version = __be32_to_cpu(w->version);
		pkt->req.procedure = __be32_to_cpu(w->procedure);
		pkt->req.time_left_ms = __be32_to_cpu(w->time_left_ms);
		if (!pkt->seq)
			return TERN_WIRE_BAD_FIELD;
		if (pkt->flags & TERN_WIRE_IDEMPOTENT &&
		    pkt->flags & TERN_WIRE_MAYBE)
			return TERN_WIRE_BAD_FIELD;
		return get_seg(&pkt->seg, &w->seg, len);
	}
	case TERN_PKT_REP:
		return get_rep(pkt, buf, len);
	case TERN_PKT_RESEND:
		return get_resend(pkt, buf, len);
	case TERN_PKT_ACK:
		return get_ack(pkt, buf, len);
	case TERN_PKT_STALE: {
		const struct wire_stale *w = buf;

		pkt->stale.epoch = __be64_to_cpu(w->epoch);
		pkt->stale.ended_age_ms = __be32_to_cpu(w->ended_age_ms);
		break;
	}
	case TERN_PKT_ASK:
	case TERN_PKT_OWN: {
		const struct wire_own *w = buf;

		pkt->own.time_ms = __be32_to_cpu(w->time_ms);
		return pkt->seq ? TERN_WIRE_OK : TERN_WIRE_BAD_FIELD;
	}
	case TERN_PKT_CANCEL:
		if (!pkt->seq)
			return TERN_WIRE_BAD_FIELD;
		break;
	}
	return TERN_WIRE_OK;
}

/*
 * The check of a packet, which bearers that may damage packets set and verify:
 * CRC32C of all that follows the first eight bytes, begun with the first four
 * (version, type, flags) as a number in network order.
 */

/**
 * tern_wire_check_seed - what the check begins with
 * @buf: the packet, of at least eight bytes
 */
__u32 tern_wire_check_seed(const void *buf)
{
	__be32 word;

	memcpy(&word, buf, sizeof(word));
	return __be32_to_cpu(word);
}

__u32 tern_wire_get_check(const void *buf)
{
	return __be32_to_cpu(((const struct wire_common *)buf)->check);
}

void tern_wire_set_check(void *buf, __u32 check)
{
	((struct wire_common *)buf)->check = __cpu_to_be32(check);
}

/**
 * tern_wire_put_ack - write one entry of an ACK
 * @buf: what follows the header
 * @i: which entry
 * @ack: what to write
 */
void tern_wire_put_ack(void *buf, unsigned int i,
		       const struct tern_wire_ack *ack)
{
	__be64 v = __cpu_to_be64((__u64)ack->slot << 48 |
				 (ack->seq & TERN_WIRE_SEQ_MAX));

	memcpy((__u8 *)buf + i * sizeof(v), &v, sizeof(v));
}

/**
 * tern_wire_get_ack - read one entry of an ACK
 * @buf: what follows the header
 * @i: which entry, less than the count in the header
 * @ack: filled in
 */
void tern_wire_get_ack(const void *buf, unsigned int i,
		       struct tern_wire_ack *ack)
{
	__be64 w;
	__u64 v;

	memcpy(&w, (const __u8 *)buf + i * sizeof(w), sizeof(w));
	v = __be64_to_cpu(w);
	ack->slot = v >> 48;
	ack->seq = v & TERN_WIRE_SEQ_MAX;
}
