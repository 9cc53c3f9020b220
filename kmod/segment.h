/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Messages on their way out, cut into segments.
 *
 * Layer: L1.
 */
#ifndef _TERN_SEGMENT_H
#define _TERN_SEGMENT_H

#include <linux/types.h>

struct tern_assembly;
struct tern_assoc;
struct tern_msg;
struct tern_outbox;
struct tern_wire_pkt;

void tern_segments_post(struct tern_outbox *out, struct tern_assoc *assoc,
			struct tern_wire_pkt *pkt, struct tern_msg *msg,
			u32 first, u32 end);
bool tern_segments_may_answer(struct tern_assoc *assoc, u32 *answered_us);
unsigned int tern_segments_asked(const struct tern_wire_pkt *pkt,
				 const u8 *bitmap);
void tern_segments_post_asked(struct tern_outbox *out, struct tern_assoc *assoc,
			      const struct tern_wire_pkt *ask, const u8 *bitmap,
			      struct tern_wire_pkt *pkt, struct tern_msg *msg);
void tern_segments_ask(struct tern_outbox *out, struct tern_assoc *assoc,
		       const struct tern_assembly *in, u16 flags, u16 slot,
		       u64 seq, u32 tsecr);

#endif /* _TERN_SEGMENT_H */
