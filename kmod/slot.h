/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What a slot decides about an arriving sequence number: the table of
 * Documentation/protocol.rst, "Slots", as a function.
 *
 * Layer: L0.  Pure: no locks, no allocation; compiles in user space too.
 */
#ifndef _TERN_SLOT_H
#define _TERN_SLOT_H

#include <linux/types.h>

/*
 * TERN_SLOT_IDLE: nothing is kept, the last call was acknowledged
 * TERN_SLOT_DONE: the reply of the last call is kept
 * TERN_SLOT_ENDED: only the outcome of the last call is kept: it was cancelled,
 *	refused or delivered one-way, it expired, or its worker died
 * TERN_SLOT_RAN: an idempotent call was executed, whose reply is not kept
 */
enum tern_slot_state {
	TERN_SLOT_IDLE,
	TERN_SLOT_RECEIVING,
	TERN_SLOT_QUEUED,
	TERN_SLOT_EXECUTING,
	TERN_SLOT_DONE,
	TERN_SLOT_ENDED,
	TERN_SLOT_RAN,
};

enum tern_verdict {
	TERN_VERDICT_NEW,	/* a new call; the last reply is acknowledged */
	TERN_VERDICT_MORE,	/* part of a request that is incomplete */
	TERN_VERDICT_BUSY,	/* duplicate of a queued or running call */
	TERN_VERDICT_AGAIN,	/* reply or outcome was lost: send it again */
	TERN_VERDICT_RERUN,	/* idempotent: may be executed once more */
	TERN_VERDICT_OLD,	/* old duplicate: drop */
	TERN_VERDICT_BROKEN,	/* slot reused while its call is open: drop */
};

enum tern_verdict tern_slot_verdict(__u64 last, enum tern_slot_state state,
				    __u64 seq);

#endif /* _TERN_SLOT_H */
