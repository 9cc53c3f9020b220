/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Lists of address prefixes: from where a node accepts associations.
 *
 * Layer: L0.  A list is constant once made; its owner publishes it by RCU.
 */
#ifndef _TERN_PREFIX_H
#define _TERN_PREFIX_H

#include <linux/in6.h>
#include <linux/rcupdate.h>
#include <linux/types.h>

#define TERN_PREFIXES_MAX	256

/* struct tern_prefix - @len leading bits of @addr; IPv4 is v4-mapped */
struct tern_prefix {
	struct in6_addr	addr;
	u8	len;
};

struct tern_prefix_list {
	struct rcu_head	rcu;
	unsigned int	count;
	struct tern_prefix	prefix[];
};

bool tern_prefix_is_valid(const struct tern_prefix *prefix);
bool tern_prefix_list_has(const struct tern_prefix_list *list,
			  const struct in6_addr *addr);

#endif /* _TERN_PREFIX_H */
