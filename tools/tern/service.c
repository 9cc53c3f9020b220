// SPDX-License-Identifier: GPL-2.0
/* The services that are bound here: tern service show. */
#include <linux/tern.h>

#include "field.h"
#include "tool.h"

const char *const orphan_policies[] = {
	[TERN_ORPHANS_EXPIRE] = "expire",
	[TERN_ORPHANS_REINCARNATE] = "reincarnate",
	[TERN_ORPHANS_GENTLE] = "gentle",
	[TERN_ORPHANS_EXTERMINATE] = "exterminate",
	NULL
};

static const struct field fields[] = {
	FIELD("program", TERN_A_SERVICE_PROGRAM, U32, INLINE),
	FIELD("version", TERN_A_SERVICE_VERSION, U32, INLINE),
	FIELD("sockets", TERN_A_SERVICE_SOCKETS, U32, INLINE),
	FIELD("workers", TERN_A_SERVICE_WORKERS, U32, INLINE),
	FIELD("executing", TERN_A_SERVICE_EXECUTING, U32, INLINE),
	FIELD("queued", TERN_A_SERVICE_QUEUED, U32, INLINE),
	FIELD("queued-bytes", TERN_A_SERVICE_QUEUED_BYTES, BYTES64, INLINE),
	FIELD("limit-bytes", TERN_A_SERVICE_LIMIT_BYTES, BYTES64, INLINE),
	FIELD_NAMED("orphans", TERN_A_SERVICE_ORPHANS, INLINE, orphan_policies),
	FIELD_END
};

int service_run(struct args *args)
{
	struct netlink_replies replies;

	args_show(args, "service");
	replies = netlink_dump(TERN_CMD_SERVICE_GET, "show the services");
	field_print_list(&replies, TERN_A_SERVICE, fields);
	netlink_replies_free(&replies);
	return 0;
}
