// SPDX-License-Identifier: GPL-2.0
/* The calls that are outstanding: tern call show. */
#include "field.h"
#include "tool.h"

static const char *const sides[] = {
	[TERN_CALL_SIDE_CLIENT] = "client",
	[TERN_CALL_SIDE_SERVER] = "server",
	NULL
};

static const char *const states[] = {
	[TERN_CALL_STATE_WAITING] = "waiting",
	[TERN_CALL_STATE_SENT] = "sent",
	[TERN_CALL_STATE_REPLYING] = "replying",
	[TERN_CALL_STATE_CANCELLING] = "cancelling",
	[TERN_CALL_STATE_RECEIVING] = "receiving",
	[TERN_CALL_STATE_QUEUED] = "queued",
	[TERN_CALL_STATE_EXECUTING] = "executing",
	[TERN_CALL_STATE_DONE] = "done",
	[TERN_CALL_STATE_CANCELLED] = "cancelled",
	NULL
};

static const struct field fields[] = {
	FIELD_NAMED("side", TERN_A_CALL_SIDE, BARE, sides),
	FIELD("peer", TERN_A_CALL_ADDRESS, ADDRESS, INLINE),
	FIELD("dev", TERN_A_CALL_SCOPE_ID, DEVICE, INLINE),
	FIELD("port", TERN_A_CALL_PORT, U16, INLINE),
	FIELD("program", TERN_A_CALL_PROGRAM, U32, INLINE),
	FIELD("version", TERN_A_CALL_VERSION, U32, INLINE),
	FIELD("procedure", TERN_A_CALL_PROCEDURE, U32, INLINE),
	FIELD_NAMED("state", TERN_A_CALL_STATE, INLINE, states),
	FIELD("slot", TERN_A_CALL_SLOT, U32, NEWLINE),
	FIELD("seq", TERN_A_CALL_SEQ, U64, INLINE),
	FIELD("age", TERN_A_CALL_AGE_MS, MS64, INLINE),
	FIELD("left", TERN_A_CALL_LEFT_MS, MS64, INLINE),
	FIELD("retransmissions", TERN_A_CALL_RETRANSMISSIONS, U32, INLINE),
	FIELD("request-bytes", TERN_A_CALL_REQUEST_BYTES, BYTES32, INLINE),
	FIELD("reply-bytes", TERN_A_CALL_REPLY_BYTES, BYTES32, INLINE),
	FIELD_END
};

int call_show(struct args *args)
{
	struct netlink_replies replies;

	args_end(args);
	replies = netlink_dump(TERN_CMD_CALL_GET, "show the calls");
	field_print_list(&replies, TERN_A_CALL, fields);
	netlink_replies_free(&replies);
	return 0;
}
