// SPDX-License-Identifier: GPL-2.0
/*
 * Messages on their way out, cut into segments: all, some, or those that the
 * other side misses.
 *
 * Layer: L1.  No locks: the caller holds the one of the call or the request.
 */
#include <linux/bitops.h>

#include "assoc.h"
#include "message.h"
#include "packet.h"
#include "segment.h"

/**
 * tern_segments_post - send some segments of a message
 * @out: the outbox
 * @assoc: the association
 * @pkt: header of type REQ or REP; its segment is filled in here
 * @msg: the message, or NULL for one of length 0 without digest
 * @first: number of the first segment
 * @end: number behind the last
 */
void tern_segments_post(struct tern_outbox *out, struct tern_assoc *assoc,
			struct tern_wire_pkt *pkt, struct tern_msg *msg,
			u32 first, u32 end)
{
	u32 i;

	if (!msg) {
		tern_packet_post(out, assoc, pkt, NULL, 0);
		return;
	}
	for (i = first; i < end; i++) {
		u32 offset = i * msg->seg;

		pkt->seg.total = msg->len;
		pkt->seg.offset = offset;
		pkt->seg.digest = msg->digest;
		pkt->seg.size = msg->seg;
		pkt->msg = tern_msg_segments(msg) == 1 ? msg : NULL;
		tern_packet_post(out, assoc, pkt, msg->data + offset,
				 min_t(u32, msg->seg, msg->len - offset));
	}
}

/**
 * tern_segments_may_answer - whether it is time to answer a RESEND
 * @assoc: the association
 * @answered_us: when one for the same message was answered last, the lower half
 *	of the clock; 0: never
 *
 * A small packet asks for many large ones, so that who knows the ids of a call
 * could make its sender send without end.
 *
 * Return: false when the RESEND is to be dropped, which is counted.
 */
bool tern_segments_may_answer(struct tern_assoc *assoc, u32 *answered_us)
{
	u32 now = (u32)tern_now_us() ?: 1;

	if (*answered_us && now - *answered_us < tern_rtt_pause(&assoc->rtt)) {
		TERN_COUNT(assoc->tn, RESEND_TOO_SOON);
		return false;
	}
	*answered_us = now;
	return true;
}

/**
 * tern_segments_asked - number of segments that a RESEND names
 * @pkt: the RESEND
 * @bitmap: its bitmap
 */
unsigned int tern_segments_asked(const struct tern_wire_pkt *pkt,
				 const u8 *bitmap)
{
	unsigned int i, n = 0;

	for (i = 0; i < DIV_ROUND_UP(pkt->resend.bits, 8); i++)
		n += hweight8(bitmap[i]);
	return n;
}

/**
 * tern_segments_post_asked - send the segments that a RESEND names
 * @out: the outbox
 * @assoc: the association
 * @ask: the RESEND
 * @bitmap: its bitmap
 * @pkt: header of type REQ or REP
 * @msg: the message
 */
void tern_segments_post_asked(struct tern_outbox *out, struct tern_assoc *assoc,
			      const struct tern_wire_pkt *ask, const u8 *bitmap,
			      struct tern_wire_pkt *pkt, struct tern_msg *msg)
{
	u32 count = tern_msg_segments(msg);
	u32 bit, i;

	for (bit = 0; bit < ask->resend.bits; bit++) {
		if (!(bitmap[bit / 8] & 0x80 >> bit % 8))
			continue;
		i = ask->resend.first + bit;
		if (i < ask->resend.first || i >= count)
			break;
		tern_segments_post(out, assoc, pkt, msg, i, i + 1);
	}
}

/**
 * tern_segments_ask - ask for what is missing of a message
 * @out: the outbox
 * @assoc: the association
 * @in: the message
 * @flags: TERN_WIRE_OF_REPLY or 0
 * @slot: slot of the call
 * @seq: sequence number of the call
 * @tsecr: echo of the peer's clock
 */
void tern_segments_ask(struct tern_outbox *out, struct tern_assoc *assoc,
		       const struct tern_assembly *in, u16 flags, u16 slot,
		       u64 seq, u32 tsecr)
{
	u8 bitmap[TERN_WIRE_BITMAP_MAX / 8];
	struct tern_wire_pkt pkt = {
		.type = TERN_PKT_RESEND,
		.flags = flags,
		.slot = slot,
		.seq = seq,
		.tsecr = tsecr,
	};

	pkt.resend.bits = tern_assembly_missing(in, bitmap, &pkt.resend.first);
	if (!pkt.resend.bits)
		return;
	tern_packet_post(out, assoc, &pkt, bitmap,
			 DIV_ROUND_UP(pkt.resend.bits, 8));
	TERN_COUNT(assoc->tn, RESEND_OUT);
}
