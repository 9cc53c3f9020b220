// SPDX-License-Identifier: GPL-2.0
/*
 * Whole messages.
 *
 * Layer: L1.  No locks: each message belongs to one call or request.
 */
#include <linux/crc32c.h>
#include <linux/mm.h>
#include <linux/slab.h>

#include "message.h"

/**
 * tern_msg_alloc - take a message from its sender
 * @len: its length
 * @from: where it is
 *
 * Context: process; may sleep.  The memory is charged to the caller's cgroup;
 * when that is full, this fails instead of having a process of it killed.
 * Return: the message, or an error pointer: -ENOMEM, -EFAULT.
 */
struct tern_msg *tern_msg_alloc(u32 len, struct iov_iter *from)
{
	struct tern_msg *msg;

	msg = kvmalloc(struct_size(msg, data, len),
		       GFP_KERNEL_ACCOUNT | __GFP_RETRY_MAYFAIL);
	if (!msg)
		return ERR_PTR(-ENOMEM);
	refcount_set(&msg->ref, 1);
	msg->len = len;
	msg->digest = 0;
	msg->seg = 0;
	if (!copy_from_iter_full(msg->data, len, from)) {
		kvfree(msg);
		return ERR_PTR(-EFAULT);
	}
	return msg;
}

void tern_msg_put(struct tern_msg *msg)
{
	if (msg && refcount_dec_and_test(&msg->ref))
		kvfree(msg);
}

/* Bytes of memory that a message is charged with. */
unsigned int tern_msg_size(const struct tern_msg *msg)
{
	return msg ? struct_size(msg, data, msg->len) : 0;
}

/**
 * tern_msg_set_segment - set how a message is cut
 * @msg: the message
 * @room: content that fits into one packet
 *
 * Return: true when the segments are smaller now than they were before.
 */
bool tern_msg_set_segment(struct tern_msg *msg, unsigned int room)
{
	u16 was = msg->seg;

	msg->seg = min3(msg->len, max(room, TERN_WIRE_SEG_MIN + 0U),
			U16_MAX + 0U);
	return msg->seg < was;
}

unsigned int tern_msg_segments(const struct tern_msg *msg)
{
	return msg->len ? DIV_ROUND_UP(msg->len, msg->seg) : 1;
}

/**
 * tern_digest_request - start the digest of a request
 * @program: program number
 * @version: version number
 * @procedure: procedure number
 * @total: length of the request
 *
 * A duplicate with the same number and other content is told from a true one
 * by this: CRC32C over what identifies the procedure, and the content.
 *
 * Return: the seed for tern_digest_data().
 */
u32 tern_digest_request(u32 program, u32 version, u32 procedure, u32 total)
{
	__be32 w[] = { cpu_to_be32(program), cpu_to_be32(version),
		       cpu_to_be32(procedure), cpu_to_be32(total) };

	return crc32c(~0U, w, sizeof(w));
}

u32 tern_digest_data(u32 seed, const void *data, u32 len)
{
	return len ? crc32c(seed, data, len) : seed;
}

/* What an incoming message may hold in memory, going by one of its segments. */
u32 tern_seg_charge(const struct tern_wire_seg *seg)
{
	u32 count = seg->size ? DIV_ROUND_UP(seg->total, seg->size) : 1;

	return seg->total + count * SKB_TRUESIZE(0);
}

/* Whether a segment is of the message that is being assembled. */
bool tern_assembly_matches(const struct tern_assembly *in,
			   const struct tern_wire_seg *seg)
{
	return in->total == seg->total && in->digest == seg->digest &&
	       in->size == seg->size;
}

/**
 * tern_assembly_start - begin with an incoming message
 * @in: the assembly, zeroed
 * @seg: its first segment to arrive, checked by tern_wire_decode()
 *
 * Context: any.
 * Return: 0 or -ENOMEM.
 */
int tern_assembly_start(struct tern_assembly *in,
			const struct tern_wire_seg *seg)
{
	in->total = seg->total;
	in->digest = seg->digest;
	in->size = seg->size;
	in->count = seg->total ? DIV_ROUND_UP(seg->total, seg->size) : 1;
	in->have = 0;
	in->truesize = 0;
	if (in->count == 1) {
		in->one = NULL;
		in->segs = &in->one;
		return 0;
	}
	in->segs = kcalloc(in->count, sizeof(*in->segs), GFP_ATOMIC);
	return in->segs ? 0 : -ENOMEM;
}

/**
 * tern_assembly_add - add a segment
 * @in: the assembly
 * @pkt: where it stands, which matches the assembly; without @skb also the whole
 *	message, if it is not empty, whose reference then belongs to the assembly
 * @skb: the segment without headers, which then does; or NULL
 *
 * Return: false when the segment is here already; the caller keeps both then.
 */
bool tern_assembly_add(struct tern_assembly *in,
		       const struct tern_wire_pkt *pkt, struct sk_buff *skb)
{
	const struct tern_wire_seg *seg = &pkt->seg;
	u32 i = seg->size ? seg->offset / seg->size : 0;

	if (in->have == in->count || in->segs[i])
		return false;
	if (skb) {
		skb_orphan(skb);
		in->segs[i] = skb;
		in->truesize += skb->truesize;
	} else if (pkt->msg) {
		in->msg = pkt->msg;
		in->truesize += tern_msg_size(pkt->msg);
	}
	in->have++;
	return true;
}

/**
 * tern_assembly_missing - which segments are not here
 * @in: the assembly
 * @bitmap: TERN_WIRE_BITMAP_MAX bits; a bit is set for a missing segment, the
 *	first in the most significant bit of the first byte
 * @first: set to the number of the first missing segment, which is bit 0
 *
 * Return: the length of the bitmap in bits, 0 when nothing is missing.
 */
unsigned int tern_assembly_missing(const struct tern_assembly *in,
				   u8 *bitmap, u32 *first)
{
	unsigned int bits = 0;
	u32 i, n;

	if (!in->segs || in->msg)
		return 0;
	memset(bitmap, 0, TERN_WIRE_BITMAP_MAX / 8);
	for (i = 0; i < in->count && in->segs[i]; i++)
		;
	*first = i;
	for (n = 0; i + n < in->count && n < TERN_WIRE_BITMAP_MAX; n++) {
		if (in->segs[i + n])
			continue;
		bitmap[n / 8] |= 0x80 >> n % 8;
		bits = n + 1;
	}
	return bits;
}

/**
 * tern_assembly_copy - copy a whole message to its receiver
 * @in: the assembly
 * @to: where to
 * @len: how much of it, at most its length
 *
 * Context: process; may sleep.
 * Return: 0 or -EFAULT.
 */
int tern_assembly_copy(const struct tern_assembly *in, struct iov_iter *to,
		       size_t len)
{
	u32 i;

	if (in->msg)
		return copy_to_iter(in->msg->data, len, to) == len ? 0 :
								     -EFAULT;
	for (i = 0; len; i++) {
		size_t n = min_t(size_t, len, in->segs[i]->len);

		if (copy_to_iter(in->segs[i]->data, n, to) != n)
			return -EFAULT;
		len -= n;
	}
	return 0;
}

/* Frees what was received; the assembly can be started again. */
void tern_assembly_free(struct tern_assembly *in)
{
	u32 i;

	if (!in->segs)
		return;
	for (i = 0; i < in->count; i++)
		kfree_skb(in->segs[i]);
	if (in->segs != &in->one)
		kfree(in->segs);
	tern_msg_put(in->msg);
	in->msg = NULL;
	in->segs = NULL;
	in->truesize = 0;
}
