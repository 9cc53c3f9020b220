// SPDX-License-Identifier: GPL-2.0
/*
 * The duplicate filter's decision.
 *
 * Layer: L0.  Pure: no locks, no allocation; compiles in user space too.
 */
#include "slot.h"

/**
 * tern_slot_verdict - judge a request or cancel that arrives at a slot
 * @last: the highest sequence number that the slot has seen, 0 for none
 * @state: what became of that call
 * @seq: the sequence number that arrives, not 0
 *
 * The idea is that of NFSv4.1's session slots (RFC 8881, 2.10.6).  A client
 * uses a slot again only when it knows the outcome of the slot's last call, so
 * a higher number at a slot with an open call comes from a broken client.
 */
enum tern_verdict tern_slot_verdict(__u64 last, enum tern_slot_state state,
				    __u64 seq)
{
	if (seq < last)
		return TERN_VERDICT_OLD;

	switch (state) {
	case TERN_SLOT_IDLE:
		return seq > last ? TERN_VERDICT_NEW : TERN_VERDICT_OLD;
	case TERN_SLOT_DONE:
	case TERN_SLOT_ENDED:
		return seq > last ? TERN_VERDICT_NEW : TERN_VERDICT_AGAIN;
	case TERN_SLOT_RAN:
		return seq > last ? TERN_VERDICT_NEW : TERN_VERDICT_RERUN;
	case TERN_SLOT_RECEIVING:
		return seq > last ? TERN_VERDICT_BROKEN : TERN_VERDICT_MORE;
	case TERN_SLOT_QUEUED:
	case TERN_SLOT_EXECUTING:
		return seq > last ? TERN_VERDICT_BROKEN : TERN_VERDICT_BUSY;
	}
	return TERN_VERDICT_BROKEN;
}
