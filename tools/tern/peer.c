// SPDX-License-Identifier: GPL-2.0
/* The nodes that this one knows: tern peer. */
#include <string.h>
#include <unistd.h>

#include "field.h"
#include "remote.h"
#include "tool.h"

static const char *const states[] = {
	[TERN_PEER_STATE_IDLE] = "idle",
	[TERN_PEER_STATE_HANDSHAKE] = "handshake",
	[TERN_PEER_STATE_UP] = "up",
	NULL
};

static const struct field fields[] = {
	FIELD("address", TERN_A_PEER_ADDRESS, ADDRESS, BARE),
	FIELD("dev", TERN_A_PEER_SCOPE_ID, DEVICE, INLINE),
	FIELD("port", TERN_A_PEER_PORT, U16, INLINE),
	FIELD_NAMED("state", TERN_A_PEER_STATE, INLINE, states),
	FIELD("age", TERN_A_PEER_AGE_MS, MS64, INLINE),
	FIELD("heard", TERN_A_PEER_HEARD_MS, MS64, INLINE),
	FIELD("local-epoch", TERN_A_PEER_LOCAL_EPOCH, HEX64, NEWLINE),
	FIELD("remote-epoch", TERN_A_PEER_REMOTE_EPOCH, HEX64, INLINE),
	FIELD("srtt", TERN_A_PEER_SRTT_US, US32, NEWLINE),
	FIELD("rttvar", TERN_A_PEER_RTTVAR_US, US32, INLINE),
	FIELD("rto", TERN_A_PEER_RTO_US, US32, INLINE),
	FIELD("segment-size", TERN_A_PEER_SEGMENT_SIZE, U32, INLINE),
	FIELD("slots-used", TERN_A_PEER_SLOTS_USED, U32, NEWLINE),
	FIELD("quarantined", TERN_A_PEER_SLOTS_QUARANTINED, U32, INLINE),
	FIELD("granted", TERN_A_PEER_SLOTS_GRANTED, U32, INLINE),
	FIELD("offered", TERN_A_PEER_SLOTS_OFFERED, U32, INLINE),
	FIELD("waiting", TERN_A_PEER_WAITING, U32, INLINE),
	FIELD("cached", TERN_A_PEER_CACHED, U32, NEWLINE),
	FIELD("cached-bytes", TERN_A_PEER_CACHED_BYTES, BYTES64, INLINE),
	FIELD("queued-bytes", TERN_A_PEER_QUEUED_BYTES, BYTES64, INLINE),
	FIELD_END
};

/* Asks a node to end what it executes for earlier lives of this one. */
static int exterminate(struct args *args)
{
	const char *node = args_value(args, "exterminate", "HOST");
	struct tern_result result;
	struct sockaddr_tern to;
	int fd;

	args_end(args);
	if (strchr(node, '/'))
		fail_usage("bad node '%s': it is not HOST[:PORT]", node);
	remote_parse_node(node, &to);
	fd = remote_socket();
	tern_call(fd, &to, TERN_PROC_EXTERMINATE, NULL, 0, NULL, 0, NULL,
		  &result);
	close(fd);
	return remote_report(&result, &to);
}

static int list_peers(struct args *args)
{
	struct netlink_replies replies;

	args_end(args);
	replies = netlink_dump(TERN_CMD_PEER_GET, "show the peers");
	field_print_list(&replies, TERN_A_PEER, fields);
	netlink_replies_free(&replies);
	return 0;
}

int peer_run(struct args *args)
{
	const char *verb = args_value(args, "peer",
				      "'show' or 'exterminate'");

	if (!strcmp(verb, "show"))
		return list_peers(args);
	if (!strcmp(verb, "exterminate"))
		return exterminate(args);
	fail_usage("unknown verb '%s' of 'peer'", verb);
}
