/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Packets on their way in.
 *
 * Layer: L2.
 */
#ifndef _TERN_INPUT_H
#define _TERN_INPUT_H

#include "path.h"

struct tern_net;

void tern_input(struct tern_net *tn, const struct tern_path *from,
		struct sk_buff *skb);
void tern_input_handed(struct tern_assoc *assoc,
		       const struct tern_wire_pkt *pkt);
void tern_input_trouble(struct tern_net *tn, const struct tern_addr *to,
			u8 cause, bool refused);

#endif /* _TERN_INPUT_H */
