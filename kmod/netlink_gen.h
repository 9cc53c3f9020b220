/* SPDX-License-Identifier: ((GPL-2.0 WITH Linux-syscall-note) OR BSD-3-Clause) */
/* Do not edit directly, auto-generated from: */
/*	Documentation/netlink/specs/tern.yaml */
/* YNL-GEN kernel header */

#ifndef _LINUX_TERN_GEN_H
#define _LINUX_TERN_GEN_H

#include <net/netlink.h>
#include <net/genetlink.h>

#include <uapi/linux/tern_netlink.h>
#include <compat.h>

/* Common nested types */
extern const struct nla_policy tern_addresses_nl_policy[TERN_A_ADDRESSES_ADDRESS + 1];
extern const struct nla_policy tern_prefix_nl_policy[TERN_A_PREFIX_LENGTH + 1];
extern const struct nla_policy tern_prefixes_nl_policy[TERN_A_PREFIXES_PREFIX + 1];
extern const struct nla_policy tern_settings_nl_policy[TERN_A_SETTINGS_QUEUE_BYTES_NET + 1];

/* Global operation policy for tern */
extern const struct nla_policy tern_main_nl_policy[TERN_A_SETTINGS + 1];

/* Ops table for tern */
extern const struct genl_small_ops tern_nl_ops[7];

int tern_nl_node_get_doit(struct sk_buff *skb, struct genl_info *info);
int tern_nl_node_set_doit(struct sk_buff *skb, struct genl_info *info);
int tern_nl_node_down_doit(struct sk_buff *skb, struct genl_info *info);
int tern_nl_peer_get_dumpit(struct sk_buff *skb, struct netlink_callback *cb);
int tern_nl_service_get_dumpit(struct sk_buff *skb,
			       struct netlink_callback *cb);
int tern_nl_call_get_dumpit(struct sk_buff *skb, struct netlink_callback *cb);
int tern_nl_stat_get_dumpit(struct sk_buff *skb, struct netlink_callback *cb);

#endif /* _LINUX_TERN_GEN_H */
