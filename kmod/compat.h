/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What differs between the supported kernels, and nothing else.
 *
 * Layer: L0.
 */
#ifndef _TERN_COMPAT_H
#define _TERN_COMPAT_H

#include <linux/version.h>

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

#endif /* _TERN_COMPAT_H */
