/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Round-trip time and retransmission time-out after RFC 6298.
 *
 * Layer: L0.  Pure: no locks, no allocation; compiles in user space too.
 */
#ifndef _TERN_RTT_H
#define _TERN_RTT_H

#include <linux/types.h>

/*
 * Bounds in microseconds.  RFC 6298 asks for 1 s to start with and at least
 * 1 s ever after, for the Internet of 2011 with delayed acknowledgements of
 * TCP.  Here the peer answers at once and says how long it held an answer, so
 * that the estimate is of the network alone; see Documentation/protocol.rst.
 */
#define TERN_RTO_INIT_US	250000
#define TERN_RTO_MIN_US		10000
#define TERN_RTO_MAX_US		2000000

/* struct tern_rtt - estimate for one association, in microseconds */
struct tern_rtt {
	__u32	srtt;		/* smoothed round-trip time, 0: no sample yet */
	__u32	rttvar;		/* its variation */
	__u32	rto;		/* time-out that follows from both */
};

void tern_rtt_init(struct tern_rtt *rtt);
void tern_rtt_sample(struct tern_rtt *rtt, __u32 us);
__u32 tern_rtt_trip(const struct tern_rtt *rtt);
__u32 tern_rtt_pause(const struct tern_rtt *rtt);
__u32 tern_rtt_backoff(__u32 rto);

#endif /* _TERN_RTT_H */
