/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Calls as their client sees them.
 *
 * Layer: L1.
 */
#ifndef _TERN_CALL_H
#define _TERN_CALL_H

#include <linux/completion.h>
#include <linux/refcount.h>
#include <linux/timer.h>
#include <linux/tern.h>

#include "assoc.h"
#include "message.h"
#include "peer.h"

struct sock;

/*
 * TERN_CALL_WAITING: for an association or a slot; nothing was ever sent on
 *	the present association
 * TERN_CALL_SENT: occupies a slot
 * TERN_CALL_ENDED: outcome known, no slot
 */
enum tern_call_state {
	TERN_CALL_NEW,
	TERN_CALL_WAITING,
	TERN_CALL_SENT,
	TERN_CALL_ENDED,
};

/**
 * struct tern_call - a call
 *
 * Lifetime: its user holds a reference until the outcome was taken, the peer's
 * waiting list or the slot until the state is ENDED, the timer while pending.
 *
 * The user gets the outcome once, through @report.  That may be before the
 * state is ENDED: at the deadline, or when the user goes away, a call whose
 * fate is open is reported UNKNOWN and stays on its slot, in quarantine, until
 * the server tells or the association ends.
 *
 * Locking: of the peer.  What the user set is constant after submission; what
 * the user reads is written before @report and constant after it.
 */
struct tern_call {
	/* set by the user */
	u32	program;
	u32	version;
	u32	procedure;
	u32	flags;			/* TERN_CALL_* */
	u32	extend_ms;		/* how far the deadline may move */
	struct tern_msg	*msg;
	void	(*report)(struct tern_call *call);
	struct sock	*sk;		/* only for @report and its limits */

	/* under the peer's lock */
	struct list_head	link;	/* waiting at the peer */
	struct tern_peer	*peer;	/* with a reference */
	struct tern_assoc	*assoc;	/* with a reference, while SENT */
	u64	seq;
	u16	slot;
	u8	state;			/* enum tern_call_state */
	bool	reported;
	bool	cancelling;		/* CANCEL was sent */
	bool	gone;			/* ... because its user is gone */
	bool	expired;		/* ... because of the deadline */
	bool	starved;		/* a reply was dropped for want of room */
	bool	replying;		/* part of the reply is here */
	bool	detached;		/* counts in detached_bytes */
	bool	busy;			/* the server said that it has the call */
	bool	may_have_run;		/* lost an association with it */
	u64	deadline_us;		/* set by the user */
	u64	began_us;		/* set by the user */
	u64	first_sent_us;
	u64	cancel_us;		/* when to send CANCEL */
	u64	retry_us;		/* when to send again */
	u32	rto;
	u32	retransmits;
	u32	resent_us;		/* see tern_segments_may_answer() */
	u8	fruitless;		/* probes since the last progress */
	u16	missing;		/* segments that the last RESEND named */
	u32	reply_charge;		/* in reply_bytes, until the reply is whole */
	struct timer_list	timer;

	/* what the user reads */
	u8	outcome;		/* enum tern_outcome */
	u8	cause;			/* enum tern_cause */
	u32	status;
	struct tern_assembly	reply;

	/* the user's own, under the socket's lock */
	struct list_head	sk_link;
	struct list_head	sk_ended;
	struct completion	done;
	u64	id;
	u32	charge;
	struct sockaddr_tern	dest;

	refcount_t	ref;
};

struct tern_call *tern_call_alloc(struct tern_net *tn);
void tern_call_put(struct tern_call *call);
int tern_call_submit(struct tern_call *call, struct tern_peer *peer,
		     struct tern_outbox *out);
void tern_calls_keep_alive(struct tern_assoc *assoc, struct tern_outbox *out);
void tern_call_cancel(struct tern_call *call, bool gone,
		      struct tern_outbox *out);
void tern_call_abandon(struct tern_call *call, struct tern_outbox *out);
void tern_call_retry(struct tern_call *call, struct tern_outbox *out);
void tern_call_timeout(struct tern_call *call, struct tern_outbox *out);

/* answer.c */
bool tern_call_input_reply(struct tern_assoc *assoc,
			   const struct tern_wire_pkt *pkt,
			   struct sk_buff *skb, struct tern_outbox *out);
void tern_call_input_busy(struct tern_assoc *assoc,
			  const struct tern_wire_pkt *pkt,
			  struct tern_outbox *out);
void tern_call_input_resend(struct tern_assoc *assoc,
			    const struct tern_wire_pkt *pkt, const u8 *bitmap,
			    struct tern_outbox *out);
void tern_call_input_ask(struct tern_assoc *assoc,
			 const struct tern_wire_pkt *pkt,
			 struct tern_outbox *out);
void tern_calls_ack_idle(struct tern_assoc *assoc, struct tern_outbox *out);

/* For answer.c, the association and the peer, which hold the lock. */
void __tern_call_drop_reply(struct tern_call *call);
void __tern_call_end(struct tern_call *call, u8 outcome, u8 cause,
		     bool unacked);
void __tern_call_arm(struct tern_call *call, u64 now);
void __tern_call_retry_later(struct tern_call *call, u64 now);
void __tern_call_probe(struct tern_call *call, u64 now,
		       struct tern_outbox *out);
void __tern_call_fill(struct tern_wire_pkt *pkt, const struct tern_call *call,
		      u64 now);
u16 __tern_call_why(const struct tern_call *call);
void __tern_calls_pump(struct tern_peer *peer, struct tern_outbox *out);
void __tern_calls_fail(struct tern_peer *peer, u8 cause, bool all);
void __tern_calls_assoc_ended(struct tern_assoc *assoc,
			      const struct tern_wire_pkt *stale, u8 cause);

static inline void tern_call_get(struct tern_call *call)
{
	refcount_inc(&call->ref);
}

#endif /* _TERN_CALL_H */
