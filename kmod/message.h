/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Whole messages: outgoing ones as flat memory, from which segments are cut as
 * often as needed, and incoming ones as the packets they came in.
 *
 * Layer: L1.  No locks: each message belongs to one call or request.
 */
#ifndef _TERN_MESSAGE_H
#define _TERN_MESSAGE_H

#include <linux/refcount.h>
#include <linux/skbuff.h>
#include <linux/uio.h>

#include "wire.h"

/*
 * struct tern_msg - an outgoing request or reply
 *
 * Lifetime: of its call or request, and within the node also of who receives it.
 * Its content is constant.
 */
struct tern_msg {
	refcount_t	ref;
	u32	len;
	u32	digest;		/* of a request: identity and content */
	u16	seg;		/* segment size, 0 until first sent */
	u8	data[] __aligned(8);
};

struct tern_msg *tern_msg_alloc(u32 len, struct iov_iter *from);
void tern_msg_put(struct tern_msg *msg);
unsigned int tern_msg_size(const struct tern_msg *msg);
bool tern_msg_set_segment(struct tern_msg *msg, unsigned int room);
unsigned int tern_msg_segments(const struct tern_msg *msg);
u32 tern_digest_request(u32 program, u32 version, u32 procedure, u32 total);
u32 tern_digest_data(u32 seed, const void *data, u32 len);

/**
 * struct tern_assembly - an incoming message
 * @segs: the segments that are here, NULL elsewhere; points at @one for a
 *	message of one segment; NULL before the first segment
 * @msg: instead of segments, a whole message of the own node, with a reference
 */
struct tern_assembly {
	struct sk_buff	**segs;
	struct sk_buff	*one;
	struct tern_msg	*msg;
	u32	total;
	u32	digest;
	u32	count;		/* segments in the message */
	u32	have;		/* segments that are here */
	u32	truesize;	/* memory held */
	u16	size;		/* of every segment but the last */
};

static inline bool tern_assembly_is_whole(const struct tern_assembly *in)
{
	return in->segs && in->have == in->count;
}

/* Whether the sender has cut the message that is assembled into smaller parts. */
static inline bool tern_assembly_is_cut_anew(const struct tern_assembly *in,
					     const struct tern_wire_seg *seg)
{
	return in->segs && in->total == seg->total &&
	       in->digest == seg->digest && seg->size < in->size;
}

u32 tern_seg_charge(const struct tern_wire_seg *seg);
bool tern_assembly_matches(const struct tern_assembly *in,
			   const struct tern_wire_seg *seg);
int tern_assembly_start(struct tern_assembly *in,
			const struct tern_wire_seg *seg);
bool tern_assembly_add(struct tern_assembly *in,
		       const struct tern_wire_pkt *pkt, struct sk_buff *skb);
unsigned int tern_assembly_missing(const struct tern_assembly *in,
				   u8 *bitmap, u32 *first);
int tern_assembly_copy(const struct tern_assembly *in, struct iov_iter *to,
		       size_t len);
void tern_assembly_free(struct tern_assembly *in);

#endif /* _TERN_MESSAGE_H */
