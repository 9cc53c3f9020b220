// SPDX-License-Identifier: ((GPL-2.0 WITH Linux-syscall-note) OR BSD-3-Clause)
/* Do not edit directly, auto-generated from: */
/*	Documentation/netlink/specs/tern.yaml */
/* YNL-GEN kernel source */

#include <net/netlink.h>
#include <net/genetlink.h>

#include "netlink_gen.h"

#include <uapi/linux/tern_netlink.h>
#include <compat.h>

/* Integer value ranges */
static const struct netlink_range_validation tern_a_settings_timeout_ms_range = {
	.min	= 1ULL,
	.max	= 86400000ULL,
};

static const struct netlink_range_validation tern_a_settings_lease_ms_range = {
	.min	= 5000ULL,
	.max	= 3600000ULL,
};

static const struct netlink_range_validation tern_a_settings_grace_ms_range = {
	.max	= 60000ULL,
};

/* Common nested types */
const struct nla_policy tern_addresses_nl_policy[TERN_A_ADDRESSES_ADDRESS + 1] = {
	[TERN_A_ADDRESSES_ADDRESS] = NLA_POLICY_EXACT_LEN(16),
};

const struct nla_policy tern_prefix_nl_policy[TERN_A_PREFIX_LENGTH + 1] = {
	[TERN_A_PREFIX_ADDRESS] = NLA_POLICY_EXACT_LEN(16),
	[TERN_A_PREFIX_LENGTH] = NLA_POLICY_MAX(NLA_U8, 128),
};

const struct nla_policy tern_prefixes_nl_policy[TERN_A_PREFIXES_PREFIX + 1] = {
	[TERN_A_PREFIXES_PREFIX] = NLA_POLICY_NESTED(tern_prefix_nl_policy),
};

const struct nla_policy tern_settings_nl_policy[TERN_A_SETTINGS_QUEUE_BYTES_NET + 1] = {
	[TERN_A_SETTINGS_PORT] = NLA_POLICY_MIN(NLA_U16, 1),
	[TERN_A_SETTINGS_ADDRESSES] = NLA_POLICY_NESTED(tern_addresses_nl_policy),
	[TERN_A_SETTINGS_ALLOW] = NLA_POLICY_NESTED(tern_prefixes_nl_policy),
	[TERN_A_SETTINGS_TIMEOUT_MS] = NLA_POLICY_FULL_RANGE(NLA_U32, &tern_a_settings_timeout_ms_range),
	[TERN_A_SETTINGS_LEASE_MS] = NLA_POLICY_FULL_RANGE(NLA_U32, &tern_a_settings_lease_ms_range),
	[TERN_A_SETTINGS_GRACE_MS] = NLA_POLICY_FULL_RANGE(NLA_U32, &tern_a_settings_grace_ms_range),
	[TERN_A_SETTINGS_SLOTS_MAX] = NLA_POLICY_RANGE(NLA_U32, 64, 4096),
	[TERN_A_SETTINGS_PEERS_MAX] = NLA_POLICY_MIN(NLA_U32, 1),
	[TERN_A_SETTINGS_CACHE_BYTES_PEER] = { .type = NLA_U64, },
	[TERN_A_SETTINGS_CACHE_BYTES_NET] = { .type = NLA_U64, },
	[TERN_A_SETTINGS_QUEUE_BYTES_PEER] = { .type = NLA_U64, },
	[TERN_A_SETTINGS_QUEUE_BYTES_NET] = { .type = NLA_U64, },
};

/* Global operation policy for tern */
const struct nla_policy tern_main_nl_policy[TERN_A_SETTINGS + 1] = {
	[TERN_A_SETTINGS] = NLA_POLICY_NESTED(tern_settings_nl_policy),
};

/* Ops table for tern */
const struct genl_small_ops tern_nl_ops[7] = {
	{
		.cmd	= TERN_CMD_NODE_GET,
		.doit	= tern_nl_node_get_doit,
	},
	{
		.cmd	= TERN_CMD_NODE_SET,
		.doit	= tern_nl_node_set_doit,
		.flags	= GENL_UNS_ADMIN_PERM,
	},
	{
		.cmd	= TERN_CMD_NODE_DOWN,
		.doit	= tern_nl_node_down_doit,
		.flags	= GENL_UNS_ADMIN_PERM,
	},
	{
		.cmd	= TERN_CMD_PEER_GET,
		.dumpit	= tern_nl_peer_get_dumpit,
	},
	{
		.cmd	= TERN_CMD_SERVICE_GET,
		.dumpit	= tern_nl_service_get_dumpit,
	},
	{
		.cmd	= TERN_CMD_CALL_GET,
		.dumpit	= tern_nl_call_get_dumpit,
	},
	{
		.cmd	= TERN_CMD_STAT_GET,
		.dumpit	= tern_nl_stat_get_dumpit,
	},
};
