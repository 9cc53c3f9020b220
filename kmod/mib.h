/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Counters of a node: one row each, with the name that "tern stat" shows.
 * Every refusal, drop and repair has its own.
 *
 * Layer: L0.
 */
#ifndef _TERN_MIB_H
#define _TERN_MIB_H

#include <linux/percpu.h>
#include <linux/types.h>

#define TERN_MIB_ROWS(X)						\
	X(PKT_IN,		"packets-in")				\
	X(PKT_OUT,		"packets-out")				\
	X(PKT_OUT_ERROR,	"packets-out-failed")			\
	X(PKT_NO_MEMORY,	"packets-no-memory")			\
	/* in the order of enum tern_wire_error, from BAD_LENGTH */	\
	X(BAD_LENGTH,		"drop-bad-length")			\
	X(BAD_VERSION,		"drop-bad-version")			\
	X(BAD_TYPE,		"drop-bad-type")			\
	X(BAD_RESERVED,		"drop-bad-reserved")			\
	X(BAD_FIELD,		"drop-bad-field")			\
	X(BAD_SLOT,		"drop-bad-slot")			\
	X(BAD_CHECK,		"drop-bad-check")			\
	X(BAD_SEGMENT,		"drop-bad-segment")			\
	X(NOT_UNICAST,		"drop-not-unicast")			\
	X(NOT_ALLOWED,		"drop-not-allowed")			\
	X(BAD_COOKIE,		"drop-bad-cookie")			\
	X(UNKNOWN_ASSOC,	"drop-unknown-association")		\
	X(OLD_DUPLICATE,	"drop-old-duplicate")			\
	X(FALSE_RETRY,		"drop-false-retry")			\
	X(SLOT_BUSY,		"drop-slot-busy")			\
	X(LATE_REPLY,		"drop-late-reply")			\
	X(REPLY_NO_ROOM,	"drop-reply-no-room")			\
	X(RESEND_TOO_SOON,	"drop-resend-too-soon")			\
	X(HELLO_OUT,		"hellos-sent")				\
	X(HELLO_IN,		"hellos-received")			\
	X(COOKIE_OUT,		"cookies-sent")				\
	X(WELCOME_OUT,		"welcomes-sent")			\
	X(ASSOC_MADE,		"associations-made")			\
	X(ASSOC_ENDED,		"associations-ended")			\
	X(ASSOC_REFUSED,	"associations-refused")			\
	X(PEER_REBOOT,		"peer-reboots")				\
	X(STALE_OUT,		"stales-sent")				\
	X(STALE_IN,		"stales-received")			\
	X(CALLS,		"calls")				\
	X(CALLS_REPLIED,	"calls-replied")			\
	X(CALLS_DELIVERED,	"calls-delivered")			\
	X(CALLS_NOT_EXECUTED,	"calls-not-executed")			\
	X(CALLS_UNKNOWN,	"calls-unknown")			\
	X(CALLS_QUARANTINED,	"calls-quarantined")			\
	X(RETRANSMITS,		"retransmissions")			\
	X(RESEND_OUT,		"resends-asked")			\
	X(RESEND_IN,		"resends-served")			\
	X(CANCEL_OUT,		"cancels-sent")				\
	X(ACK_OUT,		"acks-sent")				\
	X(ICMP_ERRORS,		"icmp-errors")				\
	X(PRESSED,		"memory-pressed")			\
	X(REQUESTS,		"requests")				\
	X(REQUESTS_EXECUTED,	"requests-executed")			\
	X(DUPLICATES,		"duplicates-filtered")			\
	X(CACHE_SERVED,		"replies-from-cache")			\
	X(BUSY_OUT,		"busy-sent")				\
	X(CANCELLED,		"requests-cancelled")			\
	X(EXPIRED,		"requests-expired")			\
	X(OWNER_DIED,		"requests-owner-died")			\
	X(ORPHANED,		"requests-orphaned")			\
	X(TOLD,			"requests-events")			\
	X(GIVEN_UP,		"requests-given-up")			\
	X(ASK_OUT,		"owners-asked")				\
	X(OWN_OUT,		"owners-answered")			\
	X(REFUSED_SERVICE,	"refused-no-service")			\
	X(REFUSED_QUEUE,	"refused-queue-full")			\
	X(REFUSED_CACHE,	"refused-cache-full")			\
	X(REFUSED_MEMORY,	"refused-no-memory")			\
	X(REFUSED_SIZE,		"refused-too-big")

enum tern_mib_counter {
#define X(id, name) TERN_MIB_##id,
	TERN_MIB_ROWS(X)
#undef X
	__TERN_MIB_MAX
};

struct tern_mib {
	unsigned long	v[__TERN_MIB_MAX];
};

extern const char * const tern_mib_names[__TERN_MIB_MAX];

/* Counts in any context; @tn is a struct tern_net. */
#define TERN_COUNT(tn, id)	this_cpu_inc((tn)->mib->v[TERN_MIB_##id])
#define TERN_COUNT_N(tn, id, n)	this_cpu_add((tn)->mib->v[TERN_MIB_##id], n)

u64 tern_mib_sum(const struct tern_mib __percpu *mib, unsigned int i);

#endif /* _TERN_MIB_H */
