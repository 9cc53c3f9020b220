// SPDX-License-Identifier: GPL-2.0
/*
 * Round-trip time and retransmission time-out after RFC 6298.
 *
 * Layer: L0.  Pure: no locks, no allocation; compiles in user space too.
 */
#include "rtt.h"

static __u32 bound(__u64 us)
{
	if (us < TERN_RTO_MIN_US)
		return TERN_RTO_MIN_US;
	return us < TERN_RTO_MAX_US ? us : TERN_RTO_MAX_US;
}

/**
 * tern_rtt_init - start without any sample
 * @rtt: the estimate
 */
void tern_rtt_init(struct tern_rtt *rtt)
{
	rtt->srtt = 0;
	rtt->rttvar = 0;
	rtt->rto = TERN_RTO_INIT_US;
}

/**
 * tern_rtt_sample - take one measured round trip into account
 * @rtt: the estimate
 * @us: the round trip in microseconds
 *
 * RFC 6298, 2.2 and 2.3, with alpha = 1/8, beta = 1/4, K = 4.
 */
void tern_rtt_sample(struct tern_rtt *rtt, __u32 us)
{
	__u32 err;

	if (!us)
		us = 1;
	if (us > TERN_RTO_MAX_US)
		us = TERN_RTO_MAX_US;
	if (!rtt->srtt) {
		rtt->srtt = us;
		rtt->rttvar = us / 2;
	} else {
		err = us > rtt->srtt ? us - rtt->srtt : rtt->srtt - us;
		rtt->rttvar = rtt->rttvar - rtt->rttvar / 4 + err / 4;
		rtt->srtt = rtt->srtt - rtt->srtt / 8 + us / 8;
		if (!rtt->srtt)
			rtt->srtt = 1;
	}
	rtt->rto = bound(tern_rtt_trip(rtt));
}

/**
 * tern_rtt_trip - time within which a round trip very likely ends
 * @rtt: the estimate
 *
 * Return: microseconds, without the bounds of the time-out.
 */
__u32 tern_rtt_trip(const struct tern_rtt *rtt)
{
	return rtt->srtt ? rtt->srtt + 4 * rtt->rttvar : TERN_RTO_INIT_US;
}

/**
 * tern_rtt_pause - time within which nobody who keeps to the rules asks twice
 * @rtt: the estimate
 *
 * Half of the shortest time-out that the other side may have, since what it
 * sends may be held up on its way and then follow each other closely.
 *
 * Return: microseconds.
 */
__u32 tern_rtt_pause(const struct tern_rtt *rtt)
{
	return (rtt->srtt > TERN_RTO_MIN_US ? rtt->srtt : TERN_RTO_MIN_US) / 2;
}

/**
 * tern_rtt_backoff - the time-out after one that was in vain
 * @rto: the one that was in vain, microseconds
 *
 * Return: twice @rto within the bounds (RFC 6298, 5.5).
 */
__u32 tern_rtt_backoff(__u32 rto)
{
	return bound(2ULL * rto);
}
