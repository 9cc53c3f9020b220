/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Taking a node up and down, and finding the peer for a destination.
 *
 * Layer: L2.
 */
#ifndef _TERN_NODE_H
#define _TERN_NODE_H

#include "net.h"

struct sockaddr_tern;
struct tern_peer;

/* struct tern_node_config - what a node listens on */
struct tern_node_config {
	u16	port;
	unsigned int	n_addresses;	/* 0: all */
	struct in6_addr	addresses[TERN_ADDRESSES_MAX];
};

int tern_node_up(struct tern_net *tn, const struct tern_node_config *config);
void tern_node_down(struct tern_net *tn);
void tern_node_disallow(struct tern_net *tn);
int tern_node_init(struct tern_net *tn, struct net *net,
		   const struct tern_net_ops *ops);
void tern_node_exit(struct tern_net *tn);
struct tern_peer *tern_node_peer(struct tern_net *tn,
				 const struct sockaddr_tern *dest);

#endif /* _TERN_NODE_H */
