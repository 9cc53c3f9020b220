/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Requests as their server sees them: duplicate filter and reply cache.
 *
 * Layer: L1.
 */
#ifndef _TERN_REQUEST_H
#define _TERN_REQUEST_H

#include <linux/list.h>
#include <linux/refcount.h>
#include <linux/types.h>

#include "assoc.h"
#include "message.h"
#include "peer.h"

struct tern_outbox;
struct tern_service;
struct tern_worker;

/**
 * struct tern_request - a request, and later the record of it
 *
 * Lifetime: the slot holds a reference until the reply is acknowledged; the
 * service's queue or the worker's list of executing requests holds another.  A
 * one-way request leaves its slot when it is queued.
 *
 * Locking: rx.lock of the association guards what is on the slot, the lock of
 * the service @link and @worker.  @state goes from QUEUED to EXECUTING under
 * the service's lock, from RECEIVING to QUEUED under both, and otherwise under
 * rx.lock; who holds rx.lock alone reads it once.  @deadline_us of a request
 * that executes is guarded by the service's lock.
 */
struct tern_request {
	/* constant once queued */
	struct tern_assoc	*assoc;		/* with a reference */
	struct tern_service	*service;	/* with a reference */
	u64	seq;
	u64	deadline_us;	/* may be put off while executing */
	u64	arrived_us;
	u32	program;
	u32	version;
	u32	procedure;
	u32	flags;		/* TERN_CALL_* */
	u32	charge;		/* bytes that it counts for in the queue */
	u16	slot;

	/* under rx.lock */
	u8	state;		/* enum tern_slot_state */
	u32	tsoff;		/* client's clock less ours */
	u8	fruitless;	/* RESENDs of the reply without progress */
	u16	missing;	/* segments of the reply that the last named */
	u32	status;
	u32	resent_us;	/* see tern_segments_may_answer() */
	struct tern_msg	*reply;
	struct tern_assembly	in;	/* later of the worker */

	/* under the lock of the service; rx.lock while RECEIVING */
	struct list_head	link;
	struct tern_worker	*worker;
	u64	give_up_us;	/* when, 0: not decided */
	u64	ask_us;		/* when to ask the owner again */
	u32	want_ms;	/* what the worker asks for, 0: nothing */
	u8	told;		/* enum tern_cause of the worker's event */
	bool	unseen;		/* ... which it has not received */
	bool	given_up;
	bool	orphan;		/* off its slot, since nobody waits for it */

	refcount_t	ref;
};

bool tern_request_input(struct tern_assoc *assoc,
			const struct tern_wire_pkt *pkt, struct sk_buff *skb,
			struct tern_outbox *out, bool *newest);
void tern_request_input_cancel(struct tern_assoc *assoc,
			       const struct tern_wire_pkt *pkt,
			       struct tern_outbox *out, bool *newest);
void tern_request_fail(struct tern_request *req, u8 outcome, u8 cause,
		       struct tern_outbox *out);
void tern_request_consumed(struct tern_request *req);
void tern_requests_assoc_ended(struct tern_assoc *assoc, enum tern_end why);
bool tern_requests_ask(struct tern_assoc *assoc, struct tern_outbox *out);
void tern_request_post_ask(struct tern_request *req, u32 want_ms,
			   struct tern_outbox *out);
void tern_request_input_own(struct tern_assoc *assoc,
			    const struct tern_wire_pkt *pkt);
bool tern_requests_awaited(struct tern_assoc *assoc);
void tern_requests_expire(struct tern_assoc *assoc, struct tern_outbox *out);
void tern_request_put(struct tern_request *req);

/* reply.c */
int tern_request_reply(struct tern_net *tn, struct tern_worker *worker,
		       u64 handle, u32 status, struct tern_msg *msg,
		       struct tern_outbox *out);
void __tern_reply_again(struct tern_assoc *assoc,
			const struct tern_wire_pkt *pkt,
			struct tern_outbox *out);
void tern_request_input_resend(struct tern_assoc *assoc,
			       const struct tern_wire_pkt *pkt,
			       const u8 *bitmap, struct tern_outbox *out);
void tern_request_input_ack(struct tern_assoc *assoc,
			    const struct tern_wire_pkt *pkt, const u8 *list);

static inline void tern_request_get(struct tern_request *req)
{
	refcount_inc(&req->ref);
}

/* The name by which a worker replies; unique among what it can hold. */
static inline u64 tern_request_handle(const struct tern_request *req)
{
	return (u64)tern_assoc_index(req->assoc) << 32 |
	       (u32)req->slot << 16 | (u16)req->seq;
}

/*
 * The client's clock: its packets are answered with its own time stamp, which
 * tells the own node nothing.
 */
static inline u32 tern_request_echo(const struct tern_request *req)
{
	if (req->assoc->peer->self)
		return 1;
	return ((u32)tern_now_us() + req->tsoff) ?: 1;
}

static inline u32 tern_request_time_left_ms(const struct tern_request *req)
{
	u64 now = tern_now_us();

	return req->deadline_us > now ? tern_us_to_ms(req->deadline_us - now) :
					0;
}

#endif /* _TERN_REQUEST_H */
