/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Causes of failed calls: their numbers on the wire, which are the same on
 * every architecture, and the errno values that users see.
 *
 * Layer: L0.  Pure: no locks, no allocation; compiles in user space too.
 */
#ifndef _TERN_CAUSE_H
#define _TERN_CAUSE_H

#include <linux/types.h>
#include <linux/tern.h>

enum tern_cause {
	TERN_CAUSE_NONE,
	TERN_CAUSE_TIMEOUT,	/* the deadline passed */
	TERN_CAUSE_CANCELLED,	/* the client withdrew the call */
	TERN_CAUSE_REFUSED,	/* nobody serves there */
	TERN_CAUSE_NO_SPACE,	/* a limit or memory: try again */
	TERN_CAUSE_OWNER_DIED,	/* the worker closed its socket */
	TERN_CAUSE_TOO_BIG,	/* longer than the receiver takes */
	TERN_CAUSE_RESET,	/* association ended, peer rebooted */
	TERN_CAUSE_NET_DOWN,	/* a node is not up */
	TERN_CAUSE_UNREACH,	/* no way to the peer */
	TERN_CAUSE_NO_PROC,	/* the kernel has no such procedure */
	TERN_CAUSE_DENIED,	/* the server's node does not allow us */
	__TERN_CAUSES
};

int tern_cause_errno(__u8 cause);

#endif /* _TERN_CAUSE_H */
