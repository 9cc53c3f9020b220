// SPDX-License-Identifier: GPL-2.0
/*
 * Requests and outcomes on their way to the user.
 *
 * Layer: L3.
 */
#include <linux/net.h>
#include <linux/sched/signal.h>
#include <linux/sched/stat.h>
#include <linux/tern.h>
#include <net/compat.h>
#include <net/ipv6.h>

#include "af_tern.h"
#include "cause.h"
#include "output.h"
#include "request.h"

#define DOZE_MAX	1023

static bool is_ready(struct tern_sock *ts, struct tern_service *service,
		     bool outcomes)
{
	return (outcomes && !list_empty_careful(&ts->ended)) ||
	       (service && tern_service_has_requests(service));
}

/*
 * Before a worker sleeps it lets others run.  Clients with many calls then make
 * several, for which it is not woken one by one: each wake-up would preempt them.
 *
 * Where that does not bring more than one request, or takes long, since what runs
 * is no client, the worker sleeps at once the next times, up to DOZE_MAX of them.
 *
 * Return: whether requests came.
 */
static bool let_others_run(struct tern_worker *worker)
{
	struct tern_service *service = worker->service;
	unsigned long began = jiffies;
	u16 doze = READ_ONCE(worker->doze);

	if (single_task_running())
		return false;
	if (worker->dozes < doze) {
		worker->dozes++;
		return false;
	}
	worker->dozes = 0;
	yield();
	if (READ_ONCE(service->n_queued) > 1 && !time_after(jiffies, began + 1))
		doze = 0;
	else
		doze = min(2 * doze + 1, DOZE_MAX);
	WRITE_ONCE(worker->doze, doze);
	return tern_service_has_requests(service);
}

/**
 * tern_sock_wait - wait for a request or an outcome
 * @ts: the socket
 * @outcomes: wait for outcomes too
 * @timeo: time to wait in jiffies; the rest is written back
 *
 * Return: 0 when there may be something, -EAGAIN, or why the wait was
 * interrupted.  After an error the caller passes the wake-up on, which may
 * have been meant for a request, by tern_service_kick().
 */
int tern_sock_wait(struct tern_sock *ts, bool outcomes, long *timeo)
{
	struct tern_service *service = tern_sock_service(ts);
	struct sock *sk = &ts->sk;
	DEFINE_WAIT(outcome);
	DEFINE_WAIT(request);
	int err = 0;

	if (!*timeo)
		return -EAGAIN;
	if (service && let_others_run(&ts->worker))
		return 0;
	if (outcomes)
		prepare_to_wait(sk_sleep(sk), &outcome, TASK_INTERRUPTIBLE);
	if (service)
		prepare_to_wait_exclusive(&service->wq, &request,
					  TASK_INTERRUPTIBLE);
	if (!is_ready(ts, service, outcomes) &&
	    service == tern_sock_service(ts)) {
		if (signal_pending(current))
			err = sock_intr_errno(*timeo);
		else
			*timeo = schedule_timeout(*timeo);
	}
	if (service)
		finish_wait(&service->wq, &request);
	if (outcomes)
		finish_wait(sk_sleep(sk), &outcome);
	return err;
}

/* The first call whose outcome was not received, taken off the list. */
struct tern_call *tern_sock_first_ended(struct tern_sock *ts)
{
	struct tern_call *call;

	spin_lock_bh(&ts->lock);
	call = list_first_entry_or_null(&ts->ended, struct tern_call, sk_ended);
	if (call)
		list_del_init(&call->sk_ended);
	spin_unlock_bh(&ts->lock);
	return call;
}

static void put_back(struct tern_sock *ts, struct tern_call *call)
{
	spin_lock_bh(&ts->lock);
	list_add(&call->sk_ended, &ts->ended);
	spin_unlock_bh(&ts->lock);
	ts->sk.sk_data_ready(&ts->sk);
}

/* Fetches a reply that was dropped because the receive buffer was full. */
static void fetch_reply(struct tern_sock *ts)
{
	struct tern_call *call, *starved = NULL;
	struct tern_outbox out;

	spin_lock_bh(&ts->lock);
	list_for_each_entry(call, &ts->calls, sk_link) {
		if (!READ_ONCE(call->starved))
			continue;
		starved = call;
		tern_call_get(starved);
		break;
	}
	spin_unlock_bh(&ts->lock);
	if (!starved)
		return;
	tern_outbox_init(&out);
	tern_call_retry(starved, &out);
	tern_output_flush(&out);
	tern_call_put(starved);
}

/* Copies content as for any datagram; the length to return, or an error. */
static int copy_content(const struct tern_assembly *in, struct msghdr *msg,
			size_t size, int flags)
{
	u32 len = in->segs ? in->total : 0;
	int err;

	if (size < len)
		msg->msg_flags |= MSG_TRUNC;
	err = tern_assembly_copy(in, &msg->msg_iter, min_t(size_t, size, len));
	if (err)
		return err;
	return flags & MSG_TRUNC ? len : min_t(size_t, size, len);
}

static int recv_outcome(struct tern_sock *ts, struct tern_call *call,
			struct msghdr *msg, size_t size, int flags)
{
	struct tern_cmsg_outcome how = {
		.id = call->id,
		.outcome = call->outcome,
		.cause = tern_cause_errno(call->cause),
		.status = call->status,
	};
	bool replied = call->outcome == TERN_REPLIED;
	bool was_full;
	static const struct tern_assembly none;
	int len;

	len = copy_content(replied ? &call->reply : &none, msg, size, flags);
	if (len < 0) {
		put_back(ts, call);
		return len;
	}
	if (put_cmsg(msg, SOL_TERN, TERN_CMSG_OUTCOME, sizeof(how), &how)) {
		put_back(ts, call);
		return -EFAULT;
	}
	if (msg->msg_name) {
		memcpy(msg->msg_name, &call->dest, sizeof(call->dest));
		msg->msg_namelen = sizeof(call->dest);
	}
	if (flags & MSG_PEEK) {
		put_back(ts, call);
		return len;
	}
	spin_lock_bh(&ts->lock);
	list_del_init(&call->sk_link);
	spin_unlock_bh(&ts->lock);
	was_full = atomic_read(&ts->sk.sk_rmem_alloc) >=
		   READ_ONCE(ts->sk.sk_rcvbuf);
	atomic_sub(call->reply.truesize, &ts->sk.sk_rmem_alloc);
	tern_sock_uncharge(call);
	tern_call_put(call);
	if (was_full)
		fetch_reply(ts);
	return len;
}

/* The address that a request came from. */
void tern_sock_source(const struct tern_request *req,
		      struct sockaddr_tern *addr)
{
	const struct tern_route *route;

	memset(addr, 0, sizeof(*addr));
	addr->st_family = tern_proto_family();
	if (req->assoc->peer->self) {
		memcpy(addr->st_addr, &in6addr_loopback, sizeof(addr->st_addr));
		addr->st_port = htons(READ_ONCE(req->assoc->tn->port));
		return;
	}
	rcu_read_lock();
	route = rcu_dereference(req->assoc->route);
	memcpy(addr->st_addr, &route->path.peer.addr, sizeof(addr->st_addr));
	addr->st_port = route->path.peer.port;
	addr->st_scope_id = route->path.peer.scope;
	rcu_read_unlock();
}

static int recv_request(struct tern_sock *ts, struct tern_request *req,
			struct msghdr *msg, size_t size, int flags)
{
	struct tern_cmsg_request how = {
		.handle = tern_request_handle(req),
		.procedure = req->procedure,
		.time_left_ms = tern_request_time_left_ms(req),
		.flags = req->flags,
	};
	int len;

	len = copy_content(&req->in, msg, size, flags);
	if (len >= 0 &&
	    put_cmsg(msg, SOL_TERN, TERN_CMSG_REQUEST, sizeof(how), &how))
		len = -EFAULT;
	if (len < 0) {
		tern_worker_return(&ts->worker, req);
		return len;
	}
	if (msg->msg_name) {
		tern_sock_source(req, msg->msg_name);
		msg->msg_namelen = sizeof(struct sockaddr_tern);
	}
	if (flags & MSG_PEEK) {
		tern_worker_return(&ts->worker, req);
		return len;
	}
	tern_request_consumed(req);
	tern_request_put(req);
	return len;
}

/* Without its control message a request could not be replied to. */
static bool has_control_room(const struct msghdr *msg, int flags)
{
	BUILD_BUG_ON(sizeof(struct tern_cmsg_request) !=
		     sizeof(struct tern_cmsg_outcome) ||
		     sizeof(struct tern_cmsg_request) <
		     sizeof(struct tern_cmsg_event));
#ifdef CONFIG_COMPAT
	if (flags & MSG_CMSG_COMPAT)
		return msg->msg_controllen >=
		       sizeof(struct compat_cmsghdr) +
		       sizeof(struct tern_cmsg_request);
#endif
	return msg->msg_controllen >= CMSG_LEN(sizeof(struct tern_cmsg_request));
}

/* recvmsg() with MSG_OOB: the next event, which is not waited for. */
static int recv_event(struct tern_sock *ts, struct msghdr *msg, int flags)
{
	struct tern_cmsg_event event;

	if (flags & MSG_PEEK)
		return -EOPNOTSUPP;
	if (!has_control_room(msg, flags))
		return -EINVAL;
	if (!tern_sock_service(ts) ||
	    !tern_worker_next_event(&ts->worker, &event))
		return -EAGAIN;
	msg->msg_flags |= MSG_OOB;
	if (put_cmsg(msg, SOL_TERN, TERN_CMSG_EVENT, sizeof(event), &event)) {
		tern_worker_return_event(&ts->worker, event.handle);
		return -EFAULT;
	}
	return 0;
}

/* recvmsg(): the next outcome, else the next request. */
int tern_recvmsg(struct socket *sock, struct msghdr *msg, size_t size,
		 int flags)
{
	struct tern_sock *ts = tern_sk(sock->sk);
	struct tern_service *service;
	struct tern_request *req;
	struct tern_call *call;
	struct tern_outbox out;
	long timeo;
	int err;

	if (flags & MSG_ERRQUEUE)
		return -EOPNOTSUPP;
	if (flags & MSG_OOB)
		return recv_event(ts, msg, flags);
	if (!has_control_room(msg, flags))
		return -EINVAL;
	timeo = sock_rcvtimeo(sock->sk, flags & MSG_DONTWAIT);
	tern_outbox_init(&out);
	do {
		service = tern_sock_service(ts);
		/* Who is about to die shall not take what others can do. */
		if (fatal_signal_pending(current)) {
			err = -EINTR;
			break;
		}
		call = tern_sock_first_ended(ts);
		if (call) {
			if (service)
				tern_service_kick(service);
			return recv_outcome(ts, call, msg, size, flags);
		}
		if (service) {
			req = tern_worker_take(&ts->worker, &out);
			tern_output_flush(&out);
			if (IS_ERR(req)) {
				err = PTR_ERR(req);
				break;
			}
			if (req)
				return recv_request(ts, req, msg, size, flags);
		}
		err = tern_sock_wait(ts, true, &timeo);
	} while (!err);
	if (service)
		tern_service_kick(service);
	return err;
}
