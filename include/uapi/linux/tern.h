/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/*
 * Tern: remote procedure calls and message queues as a socket family.
 *
 * The socket interface is described in tern(7).  Every structure here has a
 * fixed layout without holes that is the same for 32-bit and 64-bit callers.
 * All integers are in host order unless their type says otherwise.  Fields
 * named __resv must be zero on input and are zero on output.
 */
#ifndef _UAPI_LINUX_TERN_H
#define _UAPI_LINUX_TERN_H

#include <linux/ioctl.h>
#include <linux/socket.h>
#include <linux/types.h>

/*
 * The default family number.  It can be changed by the parameter "family" of
 * the module; the number in use is in /sys/module/tern/parameters/family.
 */
#ifndef AF_TERN
#define AF_TERN		18
#endif
#ifndef PF_TERN
#define PF_TERN		AF_TERN
#endif

/* Level of socket options and control messages. */
#define SOL_TERN	318

/* Default UDP port of the bearer. */
#define TERN_PORT	18018

/* Longest request or reply, in bytes. */
#define TERN_MESSAGE_MAX	65536

/*
 * Program numbers.  Those below TERN_PROGRAM_USER are answered by the kernel
 * and cannot be bound.  Those below TERN_PROGRAM_UNPRIV can be bound only with
 * CAP_NET_BIND_SERVICE in the user namespace that owns the network namespace.
 */
#define TERN_PROGRAM_NODE	0	/* the node itself */
#define TERN_PROGRAM_USER	16
#define TERN_PROGRAM_UNPRIV	1024

/* Procedure 0 of every service takes nothing, does nothing, returns nothing. */
#define TERN_PROC_NULL		0

/*
 * Procedure 1 of the node: give up what the services with the policy
 * TERN_ORPHANS_EXTERMINATE execute for earlier lives of the calling node.  To
 * call it takes CAP_NET_ADMIN in the user namespace that owns the network
 * namespace.
 */
#define TERN_PROC_EXTERMINATE	1

/**
 * struct sockaddr_tern - a service on a node
 * @st_family: AF_TERN
 * @st_port: UDP port of the node's bearer, network order; 0 means the port
 *	that the local node uses itself
 * @st_scope_id: interface index for a link-local @st_addr, else 0
 * @st_addr: IPv6 address of the node, or a v4-mapped IPv4 address
 *	(::ffff:a.b.c.d), network order.  All zeroes means any node that
 *	is known to offer the service, which is this node or none.
 * @st_service: program number of the service
 * @st_version: version number of the service; versions match exactly
 *
 * For bind() @st_addr, @st_port and @st_scope_id must be 0: a service is
 * offered on every address of the node.
 */
struct sockaddr_tern {
	__kernel_sa_family_t	st_family;
	__be16			st_port;
	__u32			st_scope_id;
	__u8			st_addr[16];
	__u32			st_service;
	__u32			st_version;
};

/**
 * enum tern_outcome - what became of a call
 * @TERN_REPLIED: the service executed the call and this is its reply
 * @TERN_NOT_EXECUTED: the call certainly did not run and never will; it is
 *	safe to try again
 * @TERN_UNKNOWN: the call may have run, or may still be running
 * @TERN_DELIVERED: a one-way call is queued at its service, whose kernel
 *	will hand it to one worker at most once
 * @TERN_SUBMITTED: the kernel has a one-way call of which nothing more will be
 *	told (TERN_CALL_QUIET)
 */
enum tern_outcome {
	TERN_REPLIED,
	TERN_NOT_EXECUTED,
	TERN_UNKNOWN,
	TERN_DELIVERED,
	TERN_SUBMITTED,
};

/*
 * Flags of a call.  Of IDEMPOTENT, MAYBE and EXACTLY_ONCE at most one may be
 * given; without any the call runs at most once.
 *
 * TERN_CALL_ONEWAY: no reply is wanted; the call ends when it is delivered.
 * TERN_CALL_QUIET: with TERN_CALL_ONEWAY: nor is its outcome.  Closing the
 *	socket does not withdraw it, unless the node keeps as many bytes of
 *	such calls as it may queue ("tern up queue-net").
 * TERN_CALL_IDEMPOTENT: at-least-once.  Running the call twice does no harm, so
 *	the kernel sends it again, also to a server that has rebooted, until a
 *	reply comes or the deadline passes, and the server keeps no reply.
 * TERN_CALL_MAYBE: the request is sent once and the reply is sent once.
 * TERN_CALL_EXACTLY_ONCE: not there yet, fails with EOPNOTSUPP.
 */
#define TERN_CALL_ONEWAY	0x1
#define TERN_CALL_IDEMPOTENT	0x2
#define TERN_CALL_MAYBE		0x4
#define TERN_CALL_EXACTLY_ONCE	0x8
#define TERN_CALL_QUIET		0x10

/*
 * Socket options of level SOL_TERN.
 *
 * TERN_SHARE (int, 0 or 1): lets several sockets bind the same service, when
 *	all of them set this before bind() and belong to one effective user.
 * TERN_TIMEOUT (__u32): the time that a call of this socket may take when it
 *	does not name one itself, in ms; 0 means the default of the node.
 * TERN_ORPHANS (__u32, enum tern_orphans): when the calls that this service
 *	executes are given up, because their client is gone; to be set before
 *	bind(), and alike by all sockets that share a service.
 */
#define TERN_SHARE		1
#define TERN_TIMEOUT		2
#define TERN_ORPHANS		3

/**
 * enum tern_orphans - when a call that is executing is given up
 * @TERN_ORPHANS_EXPIRE: at its deadline, which is so with the others too
 * @TERN_ORPHANS_REINCARNATE: when the client's node shows up with a new epoch
 * @TERN_ORPHANS_GENTLE: when the client's node, asked because it shows up with
 *	a new epoch, does not know the call
 * @TERN_ORPHANS_EXTERMINATE: when the client's node says so: because the caller
 *	closed its socket or died, because the node goes down, or because its
 *	administrator says that it restarted ("tern peer exterminate")
 *
 * To be given up means: the worker is told by an event at once, and after the
 * node's grace time the call ends as TERN_UNKNOWN, its slot is free, and what
 * the worker then replies is refused with ENOENT.
 */
enum tern_orphans {
	TERN_ORPHANS_EXPIRE,
	TERN_ORPHANS_REINCARNATE,
	TERN_ORPHANS_GENTLE,
	TERN_ORPHANS_EXTERMINATE,
};

/* The longest time that a call may be given, in ms (one day). */
#define TERN_TIMEOUT_MAX	86400000

/* Types of control messages of level SOL_TERN. */
enum {
	TERN_CMSG_CALL = 1,	/* sendmsg: struct tern_cmsg_call */
	TERN_CMSG_REQUEST,	/* recvmsg: struct tern_cmsg_request */
	TERN_CMSG_REPLY,	/* sendmsg: struct tern_cmsg_reply */
	TERN_CMSG_OUTCOME,	/* recvmsg: struct tern_cmsg_outcome */
	TERN_CMSG_EVENT,	/* recvmsg, MSG_OOB: struct tern_cmsg_event */
};

/**
 * struct tern_cmsg_call - start a call; the data sent is the request
 * @id: the caller's name for the call, given back with its outcome
 * @procedure: which procedure of the service
 * @timeout_ms: time until the deadline in ms; 0 means the default of the
 *	socket
 * @flags: TERN_CALL_*
 * @extend_ms: by how much the deadline may be put off when the server asks for
 *	more time, in ms
 * @limit_ms: 0, or the time that the call may take at most, in ms, whatever
 *	@timeout_ms and the default say: what is left to the request in whose
 *	execution the call is made
 * @__resv: 0
 *
 * sendmsg() returns once the kernel has the request; the outcome is received
 * later from the same socket, with TERN_CMSG_OUTCOME, but for TERN_CALL_QUIET.
 */
struct tern_cmsg_call {
	__u64	id;
	__u32	procedure;
	__u32	timeout_ms;
	__u32	flags;
	__u32	extend_ms;
	__u32	limit_ms;
	__u32	__resv;
};

/**
 * struct tern_cmsg_request - a request; the data received is its content
 * @handle: names the request in the reply to it; meaningful only on the
 *	socket that received it; never 0
 * @procedure: which procedure of the service
 * @time_left_ms: time until the caller's deadline in ms
 * @flags: TERN_CALL_* as the caller gave them, but for TERN_CALL_QUIET, which
 *	concerns the caller's node alone; no reply may be sent to a request with
 *	TERN_CALL_ONEWAY
 * @__resv: 0
 */
struct tern_cmsg_request {
	__u64	handle;
	__u32	procedure;
	__u32	time_left_ms;
	__u32	flags;
	__u32	__resv;
};

/**
 * struct tern_cmsg_reply - reply to a request; the data sent is the content
 * @handle: from struct tern_cmsg_request
 * @status: 0, or a number that tells the caller of a failure, whose meaning
 *	is the service's own
 * @__resv: 0
 */
struct tern_cmsg_reply {
	__u64	handle;
	__u32	status;
	__u32	__resv;
};

/**
 * struct tern_cmsg_outcome - how a call ended; the data received is the reply
 * @id: from struct tern_cmsg_call
 * @outcome: enum tern_outcome
 * @cause: 0 with TERN_REPLIED and TERN_DELIVERED, else an errno value that
 *	says why; see tern(7)
 * @status: with TERN_REPLIED the status that the service replied, else 0
 * @__resv: 0
 */
struct tern_cmsg_outcome {
	__u64	id;
	__u32	outcome;
	__u32	cause;
	__u32	status;
	__u32	__resv;
};

/**
 * struct tern_cmsg_event - a request that is executing is not wanted any more
 * @handle: from struct tern_cmsg_request
 * @cause: errno value: ECANCELED when the caller withdrew the call, EOWNERDEAD
 *	when the caller closed its socket or died, ETIMEDOUT at the deadline,
 *	ECONNRESET when the caller's node restarted or went down
 * @time_left_ms: time until the request is given up, in ms
 *
 * poll() tells by POLLPRI that recvmsg() with MSG_OOB has one.  It comes at most
 * once for a request, and never for a one-way one.
 */
struct tern_cmsg_event {
	__u64	handle;
	__u32	cause;
	__u32	time_left_ms;
};

/**
 * struct tern_ioc_call - argument of TERN_IOC_CALL: call and wait
 * @request: address of the request
 * @reply: address of the buffer for the reply
 * @dest: address of a struct sockaddr_tern, or 0 for a connected socket
 * @request_len: length of the request
 * @reply_len: in: size of the buffer; out: length of the reply, which may be
 *	more than the size, and then the rest is lost and the ioctl fails with
 *	EMSGSIZE and the outcome TERN_REPLIED
 * @procedure: which procedure of the service
 * @timeout_ms: time until the deadline in ms; 0 means the socket's default
 * @flags: TERN_CALL_*
 * @extend_ms: as in struct tern_cmsg_call
 * @limit_ms: as in struct tern_cmsg_call
 * @outcome: out: enum tern_outcome; written also when the ioctl fails, except
 *	with EFAULT for this structure itself
 * @cause: out: as in struct tern_cmsg_outcome, or the error of the ioctl
 * @status: out: as in struct tern_cmsg_outcome
 *
 * The ioctl returns 0 with TERN_REPLIED, TERN_DELIVERED and TERN_SUBMITTED, for
 * which it only waits until there is room in the send buffer.  Otherwise it
 * fails with errno set to @cause.  It always waits, whether or not the file
 * is in non-blocking mode, until the deadline or a signal (EINTR; it is never
 * restarted, since the call may have run).
 */
struct tern_ioc_call {
	__u64	request;
	__u64	reply;
	__u64	dest;
	__u32	request_len;
	__u32	reply_len;
	__u32	procedure;
	__u32	timeout_ms;
	__u32	flags;
	__u32	extend_ms;
	__u32	limit_ms;
	__u32	outcome;
	__u32	cause;
	__u32	status;
};

/* Flags of struct tern_ioc_reply_recv. */
#define TERN_RECV_NONE		0x1	/* reply only, receive nothing */
#define TERN_RECV_DONTWAIT	0x2	/* fail with EAGAIN instead of waiting */

/**
 * struct tern_ioc_reply_recv - argument of TERN_IOC_REPLY_RECV: reply to one
 *	request and wait for the next
 * @reply: address of the reply
 * @request: address of the buffer for the next request
 * @source: address of a struct sockaddr_tern that is to receive the address
 *	of the next request's sender, or 0
 * @handle: in: the request that is replied to, or 0 for none; out: the next
 *	request, or 0 when none was received
 * @reply_len: length of the reply
 * @request_len: in: size of the buffer; out: length of the next request.
 *	When that is more than the size, the ioctl fails with EMSGSIZE and the
 *	request stays in the queue.
 * @status: in: status of the reply, see struct tern_cmsg_reply
 * @flags: in: TERN_RECV_*
 * @procedure: out: which procedure of the service
 * @time_left_ms: out: time until the caller's deadline in ms
 * @call_flags: out: TERN_CALL_*
 * @__resv: 0
 *
 * When the reply cannot be sent the ioctl fails, @handle is unchanged and
 * nothing is received.  Once it has been sent @handle is 0 in the caller's
 * memory, also when the wait is then interrupted or times out (SO_RCVTIMEO),
 * so that the ioctl can be repeated as it is.
 */
struct tern_ioc_reply_recv {
	__u64	reply;
	__u64	request;
	__u64	source;
	__u64	handle;
	__u32	reply_len;
	__u32	request_len;
	__u32	status;
	__u32	flags;
	__u32	procedure;
	__u32	time_left_ms;
	__u32	call_flags;
	__u32	__resv;
};

/**
 * struct tern_ioc_request - argument of TERN_IOC_REQUEST: is a request still
 *	wanted, and may it take longer?
 * @handle: the request, which this socket is executing
 * @extend_ms: 0, or ask the caller for this much time from now, in ms, and wait
 *	for the answer
 * @time_left_ms: out: time until the deadline in ms, which the caller may have
 *	put off by as much as was asked for, by less, or not at all
 * @cause: out: 0 while the request is wanted, else as in struct tern_cmsg_event
 * @__resv: 0
 *
 * Fails with ENOENT when the socket is not executing such a request, which is
 * also so when it was given up.  With @extend_ms it fails with EINTR after a
 * signal.
 */
struct tern_ioc_request {
	__u64	handle;
	__u32	extend_ms;
	__u32	time_left_ms;
	__u32	cause;
	__u32	__resv;
};

#define TERN_IOC_MAGIC		0xb6
#define TERN_IOC_CALL		_IOWR(TERN_IOC_MAGIC, 1, struct tern_ioc_call)
#define TERN_IOC_REPLY_RECV	_IOWR(TERN_IOC_MAGIC, 2, \
				      struct tern_ioc_reply_recv)
#define TERN_IOC_REQUEST	_IOWR(TERN_IOC_MAGIC, 3, \
				      struct tern_ioc_request)

/**
 * TERN_IOC_CANCEL - withdraw an asynchronous call
 *
 * The argument is the address of a __u64, the id from struct tern_cmsg_call.
 * Of several calls with this id the one that was made first is withdrawn, of
 * those that have not ended and are not withdrawn yet.
 *
 * The outcome comes as that of any call, once the server has told it, and at the
 * latest at the deadline: TERN_NOT_EXECUTED with ECANCELED when the call was not
 * sent, or was still queued; otherwise whatever becomes of it, while the worker
 * that executes it gets an event (see struct tern_cmsg_event).
 *
 * Fails with ENOENT when there is no such call.
 */
#define TERN_IOC_CANCEL		_IOW(TERN_IOC_MAGIC, 4, __u64)

#endif /* _UAPI_LINUX_TERN_H */
