/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What differs between the supported kernels, and nothing else.
 *
 * Layer: L0.
 */
#ifndef _TERN_COMPAT_H
#define _TERN_COMPAT_H

#include <linux/shrinker.h>
#include <linux/slab.h>
#include <linux/version.h>
#include <net/netlink.h>

#if KERNEL_VERSION(6, 7, 0) > LINUX_VERSION_CODE
/* Ranges are const since "netlink: make range pointers in policies const". */
#undef NLA_POLICY_FULL_RANGE
#define NLA_POLICY_FULL_RANGE(tp, _range) {				\
	.type = NLA_ENSURE_UINT_OR_BINARY_TYPE(tp),			\
	.validation_type = NLA_VALIDATE_RANGE_PTR,			\
	.range = (struct netlink_range_validation *)(_range),		\
}
#endif

#if KERNEL_VERSION(6, 3, 0) <= LINUX_VERSION_CODE
/* encap_err_rcv() is told the error since "rxrpc: Fix ICMP error handling". */
#define TERN_ENCAP_ERR_ARGS \
	struct sock *sk, struct sk_buff *skb, int err, __be16 port, \
	u32 info, u8 *payload
#else
#define TERN_ENCAP_ERR_ARGS \
	struct sock *sk, struct sk_buff *skb, unsigned int udp_offset
#define TERN_ENCAP_ERR_OLD
#endif

/* Shrinkers are allocated since "mm: shrinker: add infrastructure". */
static inline struct shrinker *
tern_shrinker_register(unsigned long (*count)(struct shrinker *,
					      struct shrink_control *),
		       unsigned long (*scan)(struct shrinker *,
					     struct shrink_control *))
{
	struct shrinker *shrinker;

#if KERNEL_VERSION(6, 7, 0) <= LINUX_VERSION_CODE
	shrinker = shrinker_alloc(0, "tern");
#else
	shrinker = kzalloc(sizeof(*shrinker), GFP_KERNEL);
#endif
	if (!shrinker)
		return NULL;
	shrinker->count_objects = count;
	shrinker->scan_objects = scan;
	shrinker->seeks = DEFAULT_SEEKS;
#if KERNEL_VERSION(6, 7, 0) <= LINUX_VERSION_CODE
	shrinker_register(shrinker);
#else
	if (register_shrinker(shrinker, "tern")) {
		kfree(shrinker);
		return NULL;
	}
#endif
	return shrinker;
}

static inline void tern_shrinker_unregister(struct shrinker *shrinker)
{
#if KERNEL_VERSION(6, 7, 0) <= LINUX_VERSION_CODE
	shrinker_free(shrinker);
#else
	unregister_shrinker(shrinker);
	kfree(shrinker);
#endif
}

#endif /* _TERN_COMPAT_H */
