// SPDX-License-Identifier: GPL-2.0
/*
 * Calls and replies on their way from the user.
 *
 * Layer: L3.
 */
#include <linux/net.h>
#include <linux/tern.h>
#include <net/ipv6.h>

#include "af_tern.h"
#include "output.h"
#include "node.h"
#include "request.h"
#include "timer.h"

/**
 * tern_sock_check_dest - whether an address can be called
 * @dest: the address
 * @len: its length
 *
 * Return: 0, -EINVAL, -EAFNOSUPPORT.
 */
int tern_sock_check_dest(const struct sockaddr_tern *dest, int len)
{
	struct in6_addr addr;

	if (len < (int)sizeof(*dest))
		return -EINVAL;
	if (dest->st_family != tern_proto_family())
		return -EAFNOSUPPORT;
	if (dest->st_service < TERN_PROGRAM_USER &&
	    (dest->st_service != TERN_PROGRAM_NODE || dest->st_version))
		return -EINVAL;
	memcpy(&addr, dest->st_addr, sizeof(addr));
	if (ipv6_addr_is_multicast(&addr) ||
	    (ipv6_addr_v4mapped(&addr) &&
	     (ipv4_is_multicast(addr.s6_addr32[3]) ||
	      ipv4_is_lbcast(addr.s6_addr32[3]) ||
	      ipv4_is_zeronet(addr.s6_addr32[3]))))
		return -EINVAL;
	if (dest->st_scope_id && !(ipv6_addr_type(&addr) & IPV6_ADDR_LINKLOCAL))
		return -EINVAL;
	return 0;
}

static void charge(struct tern_call *call)
{
	refcount_add(call->charge, &call->sk->sk_wmem_alloc);
}

/* The caller has the outcome of a call: others may be sent. */
void tern_sock_uncharge(struct tern_call *call)
{
	struct sock *sk = call->sk;

	/* The socket itself holds one, so that this does not reach zero. */
	WARN_ON_ONCE(refcount_sub_and_test(call->charge, &sk->sk_wmem_alloc));
	sk->sk_write_space(sk);
}

/* An asynchronous call ended; the lock of its peer is held. */
static void report_ended(struct tern_call *call)
{
	struct sock *sk = call->sk;
	struct tern_sock *ts = tern_sk(sk);

	spin_lock(&ts->lock);
	/* Once it is in the list it can be received, and the socket closed. */
	sock_hold(sk);
	list_add_tail(&call->sk_ended, &ts->ended);
	atomic_add(call->reply.truesize, &sk->sk_rmem_alloc);
	spin_unlock(&ts->lock);
	sk->sk_data_ready(sk);
	sock_put(sk);
}

/* A call that is waited for ended. */
static void report_done(struct tern_call *call)
{
	complete(&call->done);
}

static int check_call(const struct tern_cmsg_call *how, u32 len)
{
	const u32 kinds = TERN_CALL_IDEMPOTENT | TERN_CALL_MAYBE |
			  TERN_CALL_EXACTLY_ONCE;

	if (how->__resv || how->flags & ~(kinds | TERN_CALL_ONEWAY | TERN_CALL_QUIET) ||
	    hweight32(how->flags & kinds) > 1 ||
	    (how->flags & TERN_CALL_QUIET &&
	     !(how->flags & TERN_CALL_ONEWAY)) ||
	    how->timeout_ms > TERN_TIMEOUT_MAX ||
	    how->extend_ms > TERN_TIMEOUT_MAX)
		return -EINVAL;
	if (how->flags & TERN_CALL_EXACTLY_ONCE)
		return -EOPNOTSUPP;
	return len > TERN_MESSAGE_MAX ? -EMSGSIZE : 0;
}

static u32 timeout_of(const struct tern_sock *ts,
		      const struct tern_cmsg_call *how)
{
	u32 timeout_ms = how->timeout_ms ?: READ_ONCE(ts->timeout_ms) ?:
			 READ_ONCE(tern_sock_net(ts)->set.timeout_ms);

	return min(timeout_ms, how->limit_ms ?: U32_MAX);
}

/* Finds out where a call goes to, and whether this user may make it. */
static int find_dest(struct tern_sock *ts, const struct sockaddr_tern *dest,
		     struct tern_call *call, u32 procedure)
{
	bool connected = true;

	if (dest) {
		call->dest = *dest;
	} else {
		spin_lock_bh(&ts->lock);
		connected = ts->connected;
		call->dest = ts->dest;
		spin_unlock_bh(&ts->lock);
	}
	if (!connected)
		return -EDESTADDRREQ;
	/* That concerns the calls of all users of this node. */
	if (call->dest.st_service == TERN_PROGRAM_NODE &&
	    procedure == TERN_PROC_EXTERMINATE &&
	    !ns_capable(sock_net(&ts->sk)->user_ns, CAP_NET_ADMIN))
		return -EPERM;
	return 0;
}

/**
 * tern_sock_call - make a call of what the user gave
 * @ts: the socket
 * @dest: where to, or NULL for where it is connected to
 * @how: procedure, time-out, flags; the id of an asynchronous call
 * @from: the request
 * @len: its length
 *
 * Context: process; may sleep.
 * Return: the call, which is waited for by its completion, or an error pointer.
 */
struct tern_call *tern_sock_call(struct tern_sock *ts,
				 const struct sockaddr_tern *dest,
				 const struct tern_cmsg_call *how,
				 struct iov_iter *from, u32 len)
{
	struct tern_net *tn = tern_sock_net(ts);
	struct tern_call *call;
	struct tern_msg *msg;
	u32 timeout_ms;
	int err;

	err = check_call(how, len);
	if (err)
		return ERR_PTR(err);
	call = tern_call_alloc(tn);
	if (!call)
		return ERR_PTR(-ENOMEM);
	err = find_dest(ts, dest, call, how->procedure);
	if (err) {
		tern_call_put(call);
		return ERR_PTR(err);
	}
	msg = tern_msg_alloc(len, from);
	if (IS_ERR(msg)) {
		tern_call_put(call);
		return ERR_CAST(msg);
	}
	call->msg = msg;
	call->program = call->dest.st_service;
	call->version = call->dest.st_version;
	call->procedure = how->procedure;
	call->flags = how->flags;
	call->id = how->id;
	timeout_ms = timeout_of(ts, how);
	call->began_us = tern_now_us();
	call->deadline_us = call->began_us + 1000ULL * timeout_ms;
	call->extend_ms = min(how->extend_ms,
			      (how->limit_ms ?: U32_MAX) - timeout_ms);
	call->report = report_done;
	call->charge = sizeof(*call) + tern_msg_size(msg);
	return call;
}

/* So that another node can tell a true duplicate from a false one. */
static void make_digest(struct tern_call *call)
{
	struct tern_msg *msg = call->msg;
	u32 seed = tern_digest_request(call->program, call->version,
				       call->procedure, msg->len);

	msg->digest = tern_digest_data(seed, msg->data, msg->len);
}

/**
 * tern_sock_submit - hand a call to its peer
 * @ts: the socket
 * @call: the call
 *
 * Return: 0, or an error, and then the call was not sent.
 */
int tern_sock_submit(struct tern_sock *ts, struct tern_call *call)
{
	struct tern_net *tn = tern_sock_net(ts);
	struct tern_peer *peer;
	struct tern_outbox out;
	int err;

	tern_outbox_init(&out);
	do {
		peer = tern_node_peer(tn, &call->dest);
		if (IS_ERR(peer))
			return PTR_ERR(peer);
		if (!peer->self)
			make_digest(call);
		err = tern_call_submit(call, peer, &out);
		tern_peer_put(peer);
	} while (err == -ESTALE);
	tern_output_flush(&out);
	tern_timer_sweep_need(tn);
	return 0;
}

/* Enters a call into the list of its socket, which gets a reference. */
static void enlist(struct tern_sock *ts, struct tern_call *call)
{
	call->sk = &ts->sk;
	charge(call);
	tern_call_get(call);
	spin_lock_bh(&ts->lock);
	list_add_tail(&call->sk_link, &ts->calls);
	spin_unlock_bh(&ts->lock);
}

/* Takes a call that was not submitted out again. */
static void delist(struct tern_sock *ts, struct tern_call *call)
{
	spin_lock_bh(&ts->lock);
	list_del_init(&call->sk_link);
	spin_unlock_bh(&ts->lock);
	tern_sock_uncharge(call);
	tern_call_put(call);
}

/* Takes a quiet call from its socket's list; the lock of its peer is held. */
static void leave_socket(struct tern_call *call)
{
	struct sock *sk = call->sk;
	struct tern_sock *ts;

	if (!sk)
		return;
	ts = tern_sk(sk);
	spin_lock(&ts->lock);
	/* close() does not wait for calls that are off the list. */
	sock_hold(sk);
	list_del_init(&call->sk_link);
	spin_unlock(&ts->lock);
	tern_sock_uncharge(call);
	call->sk = NULL;
	sock_put(sk);
	tern_call_put(call);
}

/**
 * tern_sock_detach - let a quiet call go on without its socket
 * @call: the call
 *
 * Return: false when the node has too many of those.
 */
bool tern_sock_detach(struct tern_call *call)
{
	struct tern_peer *peer = call->peer;
	struct tern_net *tn = peer->tn;
	bool room = true;

	spin_lock_bh(&peer->lock);
	if (call->sk) {
		room = atomic64_add_return(call->charge, &tn->detached_bytes) <=
		       READ_ONCE(tn->set.queue_net);
		call->detached = true;
		if (room)
			leave_socket(call);
	}
	spin_unlock_bh(&peer->lock);
	return room;
}

/**
 * tern_sock_cast - submit a call whose outcome nobody wants
 * @ts: the socket
 * @call: the call, which belongs to the kernel afterwards
 *
 * Return: 0, or an error, and then the call was not sent.
 */
int tern_sock_cast(struct tern_sock *ts, struct tern_call *call)
{
	int err;

	call->report = leave_socket;
	enlist(ts, call);
	err = tern_sock_submit(ts, call);
	if (err)
		delist(ts, call);
	tern_call_put(call);
	return err;
}

/**
 * tern_sock_wait_room - wait until the send buffer has room
 * @sk: the socket
 * @flags: of sendmsg()
 *
 * Return: 0, -EAGAIN, or why the wait was interrupted.
 */
int tern_sock_wait_room(struct sock *sk, int flags)
{
	long timeo = sock_sndtimeo(sk, flags & MSG_DONTWAIT);
	long left;

	if (tern_sock_has_room(sk))
		return 0;
	set_bit(SOCK_NOSPACE, &sk->sk_socket->flags);
	if (!timeo)
		return -EAGAIN;
	left = wait_event_interruptible_timeout(*sk_sleep(sk),
						tern_sock_has_room(sk), timeo);
	if (left < 0)
		return sock_intr_errno(timeo);
	return left ? 0 : -EAGAIN;
}

static int send_call(struct socket *sock, struct msghdr *msg, size_t len,
		     const struct tern_cmsg_call *how)
{
	const struct sockaddr_tern *dest = msg->msg_name;
	struct tern_sock *ts = tern_sk(sock->sk);
	struct tern_call *call;
	int err;

	if (dest) {
		err = tern_sock_check_dest(dest, msg->msg_namelen);
		if (err)
			return err;
	}
	if (len > TERN_MESSAGE_MAX)
		return -EMSGSIZE;
	err = tern_sock_wait_room(sock->sk, msg->msg_flags);
	if (err)
		return err;
	call = tern_sock_call(ts, dest, how, &msg->msg_iter, len);
	if (IS_ERR(call))
		return PTR_ERR(call);
	if (how->flags & TERN_CALL_QUIET)
		return tern_sock_cast(ts, call) ?: len;

	call->report = report_ended;
	enlist(ts, call);
	err = tern_sock_submit(ts, call);
	if (err)
		delist(ts, call);
	tern_call_put(call);
	return err ?: len;
}

/**
 * tern_sock_reply - reply to a request
 * @ts: the socket that received it
 * @handle: the request
 * @status: status of the reply
 * @from: the reply
 * @len: its length
 *
 * Return: 0, or an error, and then nothing was sent.
 */
int tern_sock_reply(struct tern_sock *ts, u64 handle, u32 status,
		    struct iov_iter *from, u32 len)
{
	struct tern_outbox out;
	struct tern_msg *msg;
	int err;

	if (len > TERN_MESSAGE_MAX)
		return -EMSGSIZE;
	if (!tern_sock_service(ts))
		return -ENOENT;
	msg = tern_msg_alloc(len, from);
	if (IS_ERR(msg))
		return PTR_ERR(msg);
	tern_outbox_init(&out);
	err = tern_request_reply(tern_sock_net(ts), &ts->worker, handle, status,
				 msg, &out);
	if (err)
		tern_msg_put(msg);
	tern_output_flush(&out);
	return err;
}

static int send_reply(struct socket *sock, struct msghdr *msg, size_t len,
		      const struct tern_cmsg_reply *how)
{
	int err;

	if (how->__resv || msg->msg_name)
		return -EINVAL;
	if (len > TERN_MESSAGE_MAX)
		return -EMSGSIZE;
	err = tern_sock_reply(tern_sk(sock->sk), how->handle, how->status,
			      &msg->msg_iter, len);
	return err ?: len;
}

/* sendmsg(): a call or a reply, as its one control message says. */
int tern_sendmsg(struct socket *sock, struct msghdr *msg, size_t len)
{
	struct cmsghdr *cmsg, *ours = NULL;

	if (msg->msg_flags & MSG_OOB)
		return -EOPNOTSUPP;
	for_each_cmsghdr(cmsg, msg) {
		if (!CMSG_OK(msg, cmsg))
			return -EINVAL;
		if (cmsg->cmsg_level != SOL_TERN || ours)
			return -EINVAL;
		ours = cmsg;
	}
	if (!ours)
		return -EINVAL;
	if (ours->cmsg_type == TERN_CMSG_CALL &&
	    ours->cmsg_len == CMSG_LEN(sizeof(struct tern_cmsg_call)))
		return send_call(sock, msg, len, CMSG_DATA(ours));
	if (ours->cmsg_type == TERN_CMSG_REPLY &&
	    ours->cmsg_len == CMSG_LEN(sizeof(struct tern_cmsg_reply)))
		return send_reply(sock, msg, len, CMSG_DATA(ours));
	return -EINVAL;
}
