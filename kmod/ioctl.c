// SPDX-License-Identifier: GPL-2.0
/*
 * The two paths of one system call each: call, and reply-and-receive.
 *
 * Layer: L3.
 */
#include <linux/sched/signal.h>
#include <linux/sockios.h>
#include <linux/tern.h>
#include <linux/uaccess.h>
#include <linux/wait_bit.h>
#include <asm/ioctls.h>

#include "af_tern.h"
#include "cause.h"
#include "output.h"
#include "request.h"

static void user_iter(struct iov_iter *iter, unsigned int direction, u64 addr,
		      u32 len)
{
	iov_iter_ubuf(iter, direction, u64_to_user_ptr(addr), len);
}

/* The user was interrupted: end the call, and say what is known of it. */
static void interrupted(struct tern_call *call)
{
	struct tern_outbox out;

	tern_outbox_init(&out);
	tern_call_cancel(call, fatal_signal_pending(current), &out);
	tern_output_flush(&out);
	tern_call_abandon(call, &out);
	tern_output_flush(&out);
}

/* Waits for the outcome; 0 or the error of the ioctl, without sign. */
static int wait_outcome(struct tern_call *call, struct tern_ioc_call *arg)
{
	int cause;
	bool intr;

	intr = wait_for_completion_interruptible(&call->done);
	if (intr)
		interrupted(call);
	cause = tern_cause_errno(call->cause);
	if (intr && call->cause == TERN_CAUSE_CANCELLED)
		cause = EINTR;
	arg->outcome = call->outcome;
	arg->cause = cause;
	arg->status = call->status;
	return cause;
}

static int copy_reply(struct tern_call *call, struct tern_ioc_call *arg)
{
	const struct tern_assembly *in = &call->reply;
	u32 size = arg->reply_len;
	u32 len = in->segs ? in->total : 0;
	struct iov_iter to;
	int err;

	arg->reply_len = len;
	user_iter(&to, ITER_DEST, arg->reply, min(size, len));
	err = tern_assembly_copy(in, &to, min(size, len));
	if (!err && size < len)
		err = -EMSGSIZE;
	arg->cause = -err;
	return err;
}

static int do_call(struct tern_sock *ts, struct tern_ioc_call *arg)
{
	const struct tern_cmsg_call how = {
		.procedure = arg->procedure,
		.timeout_ms = arg->timeout_ms,
		.flags = arg->flags,
		.extend_ms = arg->extend_ms,
		.limit_ms = arg->limit_ms,
	};
	struct sockaddr_tern dest;
	struct tern_call *call;
	struct iov_iter from;
	int err;

	if (arg->dest) {
		if (copy_from_user(&dest, u64_to_user_ptr(arg->dest),
				   sizeof(dest)))
			return -EFAULT;
		err = tern_sock_check_dest(&dest, sizeof(dest));
		if (err)
			return err;
	}
	if (arg->flags & TERN_CALL_QUIET) {
		err = tern_sock_wait_room(&ts->sk, 0);
		if (err == -ERESTARTSYS)
			err = -EINTR;
		if (err)
			return err;
	}
	user_iter(&from, ITER_SOURCE, arg->request, arg->request_len);
	call = tern_sock_call(ts, arg->dest ? &dest : NULL, &how, &from,
			      arg->request_len);
	if (IS_ERR(call))
		return PTR_ERR(call);
	if (arg->flags & TERN_CALL_QUIET) {
		err = tern_sock_cast(ts, call);
		if (!err)
			arg->outcome = TERN_SUBMITTED;
		arg->reply_len = 0;
		return err;
	}
	err = tern_sock_submit(ts, call);
	if (!err)
		err = -wait_outcome(call, arg);
	if (arg->outcome == TERN_REPLIED)
		err = copy_reply(call, arg);
	else
		arg->reply_len = 0;
	tern_call_put(call);
	return err;
}

static int ioc_call(struct tern_sock *ts, void __user *uarg)
{
	struct tern_ioc_call arg;
	int err;

	if (copy_from_user(&arg, uarg, sizeof(arg)))
		return -EFAULT;
	arg.outcome = TERN_NOT_EXECUTED;
	arg.cause = 0;
	arg.status = 0;
	err = do_call(ts, &arg);
	if (err && !arg.cause)
		arg.cause = -err;
	if (copy_to_user(uarg, &arg, sizeof(arg)))
		return -EFAULT;
	return err;
}

/* Hands a request to the user, or puts it back. */
static int give_request(struct tern_sock *ts, struct tern_request *req,
			struct tern_ioc_reply_recv *arg,
			struct tern_ioc_reply_recv __user *uarg)
{
	struct sockaddr_tern source;
	u32 size = arg->request_len;
	struct iov_iter to;

	arg->request_len = req->in.total;
	if (req->in.total > size) {
		tern_worker_return(&ts->worker, req);
		return put_user(arg->request_len, &uarg->request_len) ?
		       -EFAULT : -EMSGSIZE;
	}
	arg->handle = tern_request_handle(req);
	arg->procedure = req->procedure;
	arg->time_left_ms = tern_request_time_left_ms(req);
	arg->call_flags = req->flags;
	user_iter(&to, ITER_DEST, arg->request, size);
	if (arg->source)
		tern_sock_source(req, &source);
	if (tern_assembly_copy(&req->in, &to, req->in.total) ||
	    (arg->source && copy_to_user(u64_to_user_ptr(arg->source), &source,
					 sizeof(source))) ||
	    copy_to_user(uarg, arg, sizeof(*arg))) {
		tern_worker_return(&ts->worker, req);
		return -EFAULT;
	}
	tern_request_consumed(req);
	tern_request_put(req);
	return 0;
}

static int recv_next(struct tern_sock *ts, struct socket *sock,
		     struct tern_ioc_reply_recv *arg,
		     struct tern_ioc_reply_recv __user *uarg)
{
	bool nowait = arg->flags & TERN_RECV_DONTWAIT ||
		      sock->file->f_flags & O_NONBLOCK;
	long timeo = sock_rcvtimeo(&ts->sk, nowait);
	struct tern_request *req;
	struct tern_outbox out;
	int err;

	tern_outbox_init(&out);
	do {
		/* Who is about to die shall not take what others can do. */
		if (fatal_signal_pending(current)) {
			err = -EINTR;
			break;
		}
		req = tern_worker_take(&ts->worker, &out);
		tern_output_flush(&out);
		if (IS_ERR(req)) {
			err = PTR_ERR(req);
			break;
		}
		if (req)
			return give_request(ts, req, arg, uarg);
		err = tern_sock_wait(ts, false, &timeo);
	} while (!err);
	tern_service_kick(ts->worker.service);
	return err;
}

static int ioc_reply_recv(struct tern_sock *ts, struct socket *sock,
			  struct tern_ioc_reply_recv __user *uarg)
{
	struct tern_ioc_reply_recv arg;
	struct iov_iter from;
	int err;

	if (copy_from_user(&arg, uarg, sizeof(arg)))
		return -EFAULT;
	if (arg.flags & ~(TERN_RECV_NONE | TERN_RECV_DONTWAIT) || arg.__resv)
		return -EINVAL;
	if (!tern_sock_service(ts))
		return -EINVAL;
	if (arg.handle) {
		user_iter(&from, ITER_SOURCE, arg.reply, arg.reply_len);
		err = tern_sock_reply(ts, arg.handle, arg.status, &from,
				      arg.reply_len);
		if (err)
			return err;
		/* So that the ioctl can be repeated. */
		arg.handle = 0;
		if (put_user(arg.handle, &uarg->handle))
			return -EFAULT;
	}
	if (arg.flags & TERN_RECV_NONE)
		return 0;
	return recv_next(ts, sock, &arg, uarg);
}

/* Asks the owner of a request for more time, and waits for the answer. */
static int extend(struct tern_sock *ts, const struct tern_ioc_request *query)
{
	struct tern_request *req;
	struct tern_outbox out;
	int err;

	tern_outbox_init(&out);
	req = tern_worker_ask(&ts->worker, query->handle, query->extend_ms,
			      &out);
	tern_output_flush(&out);
	if (!req)
		return -ENOENT;
	err = wait_var_event_interruptible(&req->want_ms,
					   !READ_ONCE(req->want_ms));
	tern_request_put(req);
	return err ? -EINTR : 0;
}

static int ioc_request(struct tern_sock *ts,
		       struct tern_ioc_request __user *uarg)
{
	struct tern_ioc_request query;
	int err = 0;

	if (copy_from_user(&query, uarg, sizeof(query)))
		return -EFAULT;
	if (query.__resv || query.extend_ms > TERN_TIMEOUT_MAX)
		return -EINVAL;
	if (!tern_sock_service(ts))
		return -ENOENT;
	if (query.extend_ms)
		err = extend(ts, &query);
	if (!err)
		err = tern_worker_query(&ts->worker, &query);
	if (!err && copy_to_user(uarg, &query, sizeof(query)))
		err = -EFAULT;
	return err;
}

/* The first call of an id that can be withdrawn, with a reference, or NULL. */
static struct tern_call *find_call(struct tern_sock *ts, u64 id)
{
	struct tern_call *call;

	spin_lock_bh(&ts->lock);
	list_for_each_entry(call, &ts->calls, sk_link) {
		/* Without a peer it is just being submitted. */
		if (call->id != id || call->flags & TERN_CALL_QUIET ||
		    !READ_ONCE(call->peer) ||
		    READ_ONCE(call->reported) || READ_ONCE(call->cancelling))
			continue;
		tern_call_get(call);
		spin_unlock_bh(&ts->lock);
		return call;
	}
	spin_unlock_bh(&ts->lock);
	return NULL;
}

static int ioc_cancel(struct tern_sock *ts, u64 __user *uarg)
{
	struct tern_outbox out;
	struct tern_call *call;
	u64 id;

	if (get_user(id, uarg))
		return -EFAULT;
	call = find_call(ts, id);
	if (!call)
		return -ENOENT;
	tern_outbox_init(&out);
	tern_call_cancel(call, false, &out);
	tern_output_flush(&out);
	tern_call_put(call);
	return 0;
}

/* FIONREAD: length of what recvmsg() would give. */
static int next_len(struct tern_sock *ts)
{
	struct tern_service *service = tern_sock_service(ts);
	struct tern_call *call;
	int len = -EAGAIN;

	spin_lock_bh(&ts->lock);
	call = list_first_entry_or_null(&ts->ended, struct tern_call, sk_ended);
	if (call)
		len = call->outcome == TERN_REPLIED ? call->reply.total : 0;
	spin_unlock_bh(&ts->lock);
	if (len < 0 && service)
		len = tern_service_next_len(service);
	return max(len, 0);
}

/* ioctl(), the same for 32-bit and 64-bit callers. */
int tern_ioctl(struct socket *sock, unsigned int cmd, unsigned long arg)
{
	struct tern_sock *ts = tern_sk(sock->sk);
	void __user *uarg = (void __user *)arg;

	switch (cmd) {
	case TERN_IOC_CALL:
		return ioc_call(ts, uarg);
	case TERN_IOC_REPLY_RECV:
		return ioc_reply_recv(ts, sock, uarg);
	case TERN_IOC_REQUEST:
		return ioc_request(ts, uarg);
	case TERN_IOC_CANCEL:
		return ioc_cancel(ts, uarg);
	case SIOCINQ:
		return put_user(next_len(ts), (int __user *)uarg);
	case SIOCOUTQ:
		return put_user(sk_wmem_alloc_get(sock->sk),
				(int __user *)uarg);
	}
	return -ENOIOCTLCMD;
}
