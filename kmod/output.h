/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Sending what outboxes hold.
 *
 * Layer: L2.
 */
#ifndef _TERN_OUTPUT_H
#define _TERN_OUTPUT_H

#include "packet.h"
#include "path.h"

void tern_output_flush(struct tern_outbox *out);
void tern_output_to(struct tern_net *tn, const struct tern_path *path,
		    struct tern_wire_pkt *pkt);

#endif /* _TERN_OUTPUT_H */
