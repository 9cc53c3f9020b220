/* SPDX-License-Identifier: GPL-2.0 */
/*
 * HELLO, COOKIE, WELCOME, BYE and STALE.
 *
 * Layer: L2.
 */
#ifndef _TERN_HANDSHAKE_H
#define _TERN_HANDSHAKE_H

#include "assoc.h"
#include "wire.h"

struct tern_outbox;
struct tern_path;

void tern_handshake_hello(struct tern_net *tn, const struct tern_path *from,
			  const struct tern_wire_pkt *pkt,
			  struct tern_outbox *out);
void tern_handshake_cookie(struct tern_assoc *assoc,
			   const struct tern_wire_pkt *pkt,
			   struct tern_outbox *out);
void tern_handshake_welcome(struct tern_assoc *assoc,
			    const struct tern_wire_pkt *pkt,
			    struct tern_outbox *out);
void tern_handshake_confirm(struct tern_assoc *assoc, struct tern_outbox *out);
void tern_handshake_refuse(struct tern_net *tn, const struct tern_path *from,
			   const struct tern_wire_pkt *pkt);

#endif /* _TERN_HANDSHAKE_H */
