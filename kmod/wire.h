/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Wire format, version 1: the packets of Documentation/protocol.rst as
 * structures in host order, and the two functions that translate.
 *
 * Layer: L0.  Pure: no locks, no allocation; compiles in user space too.
 */
#ifndef _TERN_WIRE_H
#define _TERN_WIRE_H

#include <linux/types.h>

#define TERN_WIRE_VERSION	1

/* Longest header of any type, and the least size of a segment. */
#define TERN_WIRE_HDR_MAX	76
#define TERN_WIRE_SEG_MIN	256

/* Shortest lease, in milliseconds. */
#define TERN_WIRE_LEASE_MIN	5000

/* Most segments that one RESEND can name, and slots that one ACK can name. */
#define TERN_WIRE_BITMAP_MAX	512
#define TERN_WIRE_ACKS_MAX	64

enum tern_wire_type {
	TERN_PKT_HELLO = 1,	/* client node asks for an association */
	TERN_PKT_COOKIE,	/* stateless challenge to a HELLO */
	TERN_PKT_WELCOME,	/* association made */
	TERN_PKT_BYE,		/* association ended by its sender */
	TERN_PKT_STALE,		/* association unknown to its receiver */
	TERN_PKT_REQ,		/* segment of a request */
	TERN_PKT_REP,		/* segment of a reply, or a failed outcome */
	TERN_PKT_BUSY,		/* request is complete and queued or running */
	TERN_PKT_RESEND,	/* these segments are missing */
	TERN_PKT_CANCEL,	/* client withdraws a call */
	TERN_PKT_ACK,		/* client has these replies */
	TERN_PKT_ASK,		/* server: does somebody wait for this call? */
	TERN_PKT_OWN,		/* client: the answer */
	__TERN_PKT_MAX
};

/* Flags of REQ and REP. */
#define TERN_WIRE_PROBE		0x0001	/* REQ: tell me the state of this call */
#define TERN_WIRE_ONEWAY	0x0002	/* REQ: TERN_CALL_ONEWAY */
#define TERN_WIRE_IDEMPOTENT	0x0004	/* REQ: TERN_CALL_IDEMPOTENT */
#define TERN_WIRE_AGAIN		0x0008	/* REP: sent again; ask for the rest */
#define TERN_WIRE_MAYBE		0x0010	/* REQ: TERN_CALL_MAYBE */
/* Flags of RESEND. */
#define TERN_WIRE_OF_REPLY	0x0001	/* segments of the reply are missing */
/* Flags of CANCEL and OWN. */
#define TERN_WIRE_GONE		0x0001	/* CANCEL, OWN: the caller is gone */
#define TERN_WIRE_EXPIRED	0x0002	/* CANCEL, OWN: it is the deadline's */
#define TERN_WIRE_WITHDRAWN	0x0004	/* OWN: CANCEL was sent, as above */

/* Why a packet was not understood; also the order of the counters. */
enum tern_wire_error {
	TERN_WIRE_OK,
	TERN_WIRE_BAD_LENGTH,
	TERN_WIRE_BAD_VERSION,
	TERN_WIRE_BAD_TYPE,
	TERN_WIRE_BAD_RESERVED,
	TERN_WIRE_BAD_FIELD,
	__TERN_WIRE_ERRORS
};

struct tern_msg;

/* Fields that REQ and REP share: where a segment stands in its message. */
struct tern_wire_seg {
	__u32	total;		/* length of the whole message */
	__u32	offset;		/* of this segment, a multiple of size */
	__u32	digest;		/* REQ: CRC32C of identity and whole message */
	__u16	size;		/* of every segment but the last */
};

/**
 * struct tern_wire_pkt - one packet, decoded
 * @type: enum tern_wire_type
 * @flags: TERN_WIRE_*
 * @tsval: sender's clock when it sent this, microseconds
 * @dst: the receiver's id of the association, 0 in the first HELLO
 * @src: the sender's id of the association
 * @seq: sequence number of the call in its slot (types from REQ, and STALE)
 * @tsecr: @tsval of the packet that this answers, plus the time it was held
 * @slot: the slot of the call
 * @slots: number of slots that the sender offers to its peer
 * @msg: not on the wire: on the way from the node to itself the whole message of
 *	a REQ or REP, instead of content behind the header; else NULL
 */
struct tern_wire_pkt {
	__u8	type;
	__u16	flags;
	__u32	tsval;
	__u64	dst;
	__u64	src;
	__u64	seq;
	__u32	tsecr;
	__u16	slot;
	__u16	slots;
	struct tern_wire_seg	seg;	/* REQ, REP */
	struct tern_msg		*msg;
	union {
		struct {
			__u32	program;
			__u32	version;
			__u32	procedure;
			__u32	time_left_ms;
		} req;
		struct {
			__u32	status;
			__u8	outcome;	/* enum tern_outcome */
			__u8	cause;		/* enum tern_cause */
		} rep;
		struct {
			__u32	first;		/* segment of bit 0 */
			__u16	bits;		/* length of the bitmap */
		} resend;
		struct {
			__u16	count;
		} ack;
		struct {
			__u32	time_ms;	/* wanted, or left */
		} own;				/* ASK, OWN */
		struct {
			__u64	epoch;
			__u64	cookie;		/* HELLO, COOKIE */
			__u32	lease_ms;
			__u16	mtu;		/* largest packet it takes */
		} hello;			/* HELLO, COOKIE, WELCOME */
		struct {
			__u64	epoch;
			__u32	ended_age_ms;	/* ~0: not remembered */
		} stale;
	};
};

/* One entry of an ACK. */
struct tern_wire_ack {
	__u64	seq;		/* low 48 bits */
	__u16	slot;
};

/* The check of a packet covers all from here; what is before seeds it. */
#define TERN_WIRE_CHECK_FROM	8

#define TERN_WIRE_AGE_UNKNOWN	0xffffffffU
#define TERN_WIRE_SEQ_MAX	0xffffffffffffULL

unsigned int tern_wire_hdr_len(__u8 type);
unsigned int tern_wire_encode(const struct tern_wire_pkt *pkt, void *buf);
enum tern_wire_error tern_wire_decode(struct tern_wire_pkt *pkt,
				      const void *buf, unsigned int len);

__u32 tern_wire_check_seed(const void *buf);
__u32 tern_wire_get_check(const void *buf);
void tern_wire_set_check(void *buf, __u32 check);

void tern_wire_put_ack(void *buf, unsigned int i,
		       const struct tern_wire_ack *ack);
void tern_wire_get_ack(const void *buf, unsigned int i,
		       struct tern_wire_ack *ack);

#endif /* _TERN_WIRE_H */
