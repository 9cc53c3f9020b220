/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Bearers: UDP over IPv4 and IPv6, and the short way back to the own node.
 *
 * Layer: L2.
 */
#ifndef _TERN_BEARER_H
#define _TERN_BEARER_H

#include "path.h"

struct tern_assoc;
struct tern_net;
struct tern_wire_pkt;

struct tern_bearer *tern_bearer_udp_open(struct tern_net *tn,
					 sa_family_t family,
					 const struct in6_addr *addr, u16 port);
void tern_bearer_udp_close(struct tern_bearer *bearer);

struct tern_bearer *tern_bearer_local_open(struct tern_net *tn);
void tern_bearer_local_close(struct tern_bearer *bearer);
void tern_bearer_local_hand(struct tern_assoc *assoc,
			    const struct tern_wire_pkt *pkt);
void tern_bearer_local_init(void);

#endif /* _TERN_BEARER_H */
