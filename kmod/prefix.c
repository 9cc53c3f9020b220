// SPDX-License-Identifier: GPL-2.0
/*
 * Lists of address prefixes.
 *
 * Layer: L0.
 */
#include <net/ipv6.h>

#include "prefix.h"

/**
 * tern_prefix_is_valid - whether a prefix is written in its plain form
 * @prefix: the prefix
 *
 * Return: true when the length is at most 128, no bit is set behind it, and a
 * v4-mapped address has a length of at least 96.
 */
bool tern_prefix_is_valid(const struct tern_prefix *prefix)
{
	struct in6_addr masked;

	if (prefix->len > 128)
		return false;
	if (ipv6_addr_v4mapped(&prefix->addr) && prefix->len < 96)
		return false;
	ipv6_addr_prefix(&masked, &prefix->addr, prefix->len);
	return ipv6_addr_equal(&masked, &prefix->addr);
}

/**
 * tern_prefix_list_has - whether an address is in one of the prefixes
 * @list: the list, NULL for an empty one
 * @addr: the address
 *
 * Prefixes shorter than ::ffff:0:0/96 are of IPv6 and do not cover IPv4.
 */
bool tern_prefix_list_has(const struct tern_prefix_list *list,
			  const struct in6_addr *addr)
{
	bool v4 = ipv6_addr_v4mapped(addr);
	unsigned int i;

	for (i = 0; list && i < list->count; i++) {
		const struct tern_prefix *p = &list->prefix[i];

		if (v4 == ipv6_addr_v4mapped(&p->addr) &&
		    ipv6_prefix_equal(addr, &p->addr, p->len))
			return true;
	}
	return false;
}
