// SPDX-License-Identifier: GPL-2.0
/*
 * The socket: its life, its names, its options.  See tern(7).
 *
 * Layer: L3.
 */
#include <linux/module.h>
#include <linux/net.h>
#include <linux/poll.h>
#include <linux/tern.h>
#include <net/ipv6.h>

#include "af_tern.h"
#include "cause.h"
#include "output.h"
#include "timer.h"

/*
 * The socket lock is released.  fcntl() that sets O_ASYNC takes it, and tells
 * in no other way.
 */
static void tern_release_cb(struct sock *sk)
{
	struct tern_service *service = tern_sk(sk)->worker.service;

	if (service && sock_flag(sk, SOCK_FASYNC))
		WRITE_ONCE(service->wake_sockets, true);
}

static struct proto tern_proto = {
	.name		= "TERN",
	.owner		= THIS_MODULE,
	.release_cb	= tern_release_cb,
	.obj_size	= sizeof(struct tern_sock),
};

/*
 * The user of these calls is gone: they are withdrawn, and what the server
 * says is not waited for. Quiet ones go on without their socket, as long as the
 * node has room for them.
 */
static void drop_calls(struct tern_sock *ts, struct tern_outbox *out)
{
	struct tern_call *call;

	spin_lock_bh(&ts->lock);
	while ((call = list_first_entry_or_null(&ts->calls, struct tern_call,
						sk_link))) {
		if (call->flags & TERN_CALL_QUIET) {
			tern_call_get(call);
			spin_unlock_bh(&ts->lock);
			if (!tern_sock_detach(call)) {
				tern_call_cancel(call, true, out);
				tern_output_flush(out);
				/* Its report takes it off the socket. */
				tern_call_abandon(call, out);
				tern_output_flush(out);
			}
			tern_call_put(call);
			spin_lock_bh(&ts->lock);
			continue;
		}
		list_del_init(&call->sk_link);
		spin_unlock_bh(&ts->lock);
		tern_call_cancel(call, true, out);
		tern_output_flush(out);
		tern_call_abandon(call, out);
		spin_lock_bh(&ts->lock);
		if (!list_empty(&call->sk_ended)) {
			list_del_init(&call->sk_ended);
			atomic_sub(call->reply.truesize, &ts->sk.sk_rmem_alloc);
		}
		spin_unlock_bh(&ts->lock);
		tern_sock_uncharge(call);
		tern_call_put(call);
		spin_lock_bh(&ts->lock);
	}
	spin_unlock_bh(&ts->lock);
}

static int tern_release(struct socket *sock)
{
	struct sock *sk = sock->sk;
	struct tern_outbox out;
	struct tern_sock *ts;

	if (!sk)
		return 0;
	ts = tern_sk(sk);
	tern_outbox_init(&out);
	drop_calls(ts, &out);
	if (ts->worker.service)
		tern_service_unbind(&ts->worker, &out);
	tern_output_flush(&out);
	sock_orphan(sk);
	sock->sk = NULL;
	sock_put(sk);
	return 0;
}

static int bind_check(const struct net *net, const struct sockaddr_tern *addr,
		      int len)
{
	static const u8 any[sizeof(addr->st_addr)];

	if (len < (int)sizeof(*addr))
		return -EINVAL;
	if (addr->st_family != tern_proto_family())
		return -EAFNOSUPPORT;
	if (addr->st_port || addr->st_scope_id ||
	    memcmp(addr->st_addr, any, sizeof(any)))
		return -EADDRNOTAVAIL;
	if (addr->st_service < TERN_PROGRAM_USER)
		return -EACCES;
	if (addr->st_service < TERN_PROGRAM_UNPRIV &&
	    !ns_capable(net->user_ns, CAP_NET_BIND_SERVICE))
		return -EACCES;
	return 0;
}

static int tern_bind(struct socket *sock, struct sockaddr *uaddr, int len)
{
	const struct sockaddr_tern *addr = (struct sockaddr_tern *)uaddr;
	struct tern_sock *ts = tern_sk(sock->sk);
	struct tern_net *tn = tern_sock_net(ts);
	struct tern_service_key key;
	int err;

	err = bind_check(sock_net(sock->sk), addr, len);
	if (err)
		return err;
	key.program = addr->st_service;
	key.version = addr->st_version;
	lock_sock(sock->sk);
	err = -EINVAL;
	if (!ts->worker.service)
		err = tern_service_bind(tn, &ts->worker, &key, ts->share,
					ts->orphans);
	release_sock(sock->sk);
	if (err)
		return err;
	tern_timer_sweep_need(tn);
	/* Whoever receives already must wait for requests too. */
	sock->sk->sk_data_ready(sock->sk);
	return 0;
}

static int tern_connect(struct socket *sock, struct sockaddr *uaddr, int len,
			int flags)
{
	const struct sockaddr_tern *addr = (struct sockaddr_tern *)uaddr;
	struct tern_sock *ts = tern_sk(sock->sk);
	bool connect;
	int err;

	if (len < (int)sizeof(addr->st_family))
		return -EINVAL;
	connect = addr->st_family != AF_UNSPEC;
	if (connect) {
		err = tern_sock_check_dest(addr, len);
		if (err)
			return err;
	}
	spin_lock_bh(&ts->lock);
	ts->connected = connect;
	if (connect)
		ts->dest = *addr;
	spin_unlock_bh(&ts->lock);
	sock->state = connect ? SS_CONNECTED : SS_UNCONNECTED;
	return 0;
}

static int tern_getname(struct socket *sock, struct sockaddr *uaddr, int peer)
{
	struct sockaddr_tern *addr = (struct sockaddr_tern *)uaddr;
	struct tern_sock *ts = tern_sk(sock->sk);
	const struct tern_service *service;
	int err = sizeof(*addr);

	if (peer) {
		spin_lock_bh(&ts->lock);
		if (ts->connected)
			*addr = ts->dest;
		else
			err = -ENOTCONN;
		spin_unlock_bh(&ts->lock);
		return err;
	}
	memset(addr, 0, sizeof(*addr));
	addr->st_family = tern_proto_family();
	service = tern_sock_service(ts);
	if (service) {
		addr->st_service = service->key.program;
		addr->st_version = service->key.version;
	}
	return err;
}

static __poll_t tern_poll(struct file *file, struct socket *sock,
			  poll_table *wait)
{
	struct tern_sock *ts = tern_sk(sock->sk);
	struct tern_service *service = tern_sock_service(ts);
	__poll_t mask = 0;

	if (!service && !poll_does_not_wait(wait)) {
		WRITE_ONCE(ts->worker.early_poller, true);
		/* Pairs with the barrier in tern_service_bind(). */
		smp_mb();
		service = tern_sock_service(ts);
	}
	sock_poll_wait(file, sock, wait);
	if (service)
		poll_wait(file, &service->wq, wait);
	/* sock_poll_wait() has the barrier for both. */
	if (!list_empty_careful(&ts->ended) ||
	    (service && tern_service_has_requests(service)))
		mask |= EPOLLIN | EPOLLRDNORM;
	if (READ_ONCE(ts->worker.n_events))
		mask |= EPOLLPRI;
	if (tern_sock_has_room(sock->sk))
		mask |= EPOLLOUT | EPOLLWRNORM | EPOLLWRBAND;
	else
		set_bit(SOCK_NOSPACE, &sock->flags);
	return mask;
}

static int tern_setsockopt(struct socket *sock, int level, int name,
			   sockptr_t optval, unsigned int len)
{
	struct tern_sock *ts = tern_sk(sock->sk);
	int err = 0;
	u32 val;

	if (level != SOL_TERN)
		return -ENOPROTOOPT;
	if (name != TERN_SHARE && name != TERN_TIMEOUT && name != TERN_ORPHANS)
		return -ENOPROTOOPT;
	if (len != sizeof(val))
		return -EINVAL;
	if (copy_from_sockptr(&val, optval, sizeof(val)))
		return -EFAULT;

	lock_sock(sock->sk);
	if (name == TERN_TIMEOUT && val <= TERN_TIMEOUT_MAX)
		WRITE_ONCE(ts->timeout_ms, val);
	else if (name == TERN_SHARE && val <= 1 && !ts->worker.service)
		ts->share = val;
	else if (name == TERN_ORPHANS && val <= TERN_ORPHANS_EXTERMINATE &&
		 !ts->worker.service)
		ts->orphans = val;
	else
		err = -EINVAL;
	release_sock(sock->sk);
	return err;
}

static int tern_getsockopt(struct socket *sock, int level, int name,
			   char __user *optval, int __user *optlen)
{
	struct tern_sock *ts = tern_sk(sock->sk);
	int len;
	u32 val;

	if (level != SOL_TERN)
		return -ENOPROTOOPT;
	switch (name) {
	case TERN_SHARE:
		val = ts->share;
		break;
	case TERN_TIMEOUT:
		val = READ_ONCE(ts->timeout_ms);
		break;
	case TERN_ORPHANS:
		val = ts->orphans;
		break;
	default:
		return -ENOPROTOOPT;
	}
	if (get_user(len, optlen))
		return -EFAULT;
	if (len < (int)sizeof(val))
		return -EINVAL;
	if (put_user((int)sizeof(val), optlen) ||
	    copy_to_user(optval, &val, sizeof(val)))
		return -EFAULT;
	return 0;
}

static const struct proto_ops tern_ops = {
	.owner		= THIS_MODULE,
	.release	= tern_release,
	.bind		= tern_bind,
	.connect	= tern_connect,
	.socketpair	= sock_no_socketpair,
	.accept		= sock_no_accept,
	.getname	= tern_getname,
	.poll		= tern_poll,
	.ioctl		= tern_ioctl,
#ifdef CONFIG_COMPAT
	.compat_ioctl	= tern_ioctl,
#endif
	.listen		= sock_no_listen,
	.shutdown	= sock_no_shutdown,
	.setsockopt	= tern_setsockopt,
	.getsockopt	= tern_getsockopt,
	.sendmsg	= tern_sendmsg,
	.recvmsg	= tern_recvmsg,
	.mmap		= sock_no_mmap,
};

static void tern_write_space(struct sock *sk)
{
	struct socket_wq *wq;

	if (!tern_sock_has_room(sk))
		return;
	rcu_read_lock();
	wq = rcu_dereference(sk->sk_wq);
	if (skwq_has_sleeper(wq))
		wake_up_interruptible_poll(&wq->wait, EPOLLOUT | EPOLLWRNORM |
						      EPOLLWRBAND);
	sk_wake_async(sk, SOCK_WAKE_SPACE, POLL_OUT);
	rcu_read_unlock();
}

static int tern_create(struct net *net, struct socket *sock, int protocol,
		       int kern)
{
	struct tern_sock *ts;
	struct sock *sk;

	if (sock->type != SOCK_RDM)
		return -ESOCKTNOSUPPORT;
	if (protocol)
		return -EPROTONOSUPPORT;
	sk = sk_alloc(net, tern_proto_family(), GFP_KERNEL, &tern_proto, kern);
	if (!sk)
		return -ENOMEM;
	sock->ops = &tern_ops;
	sock_init_data(sock, sk);
	sk->sk_write_space = tern_write_space;
	ts = tern_sk(sk);
	ts->worker.sk = sk;
	INIT_LIST_HEAD(&ts->worker.executing);
	spin_lock_init(&ts->lock);
	INIT_LIST_HEAD(&ts->calls);
	INIT_LIST_HEAD(&ts->ended);
	return 0;
}

static struct net_proto_family tern_family = {
	.create	= tern_create,
	.owner	= THIS_MODULE,
};

/* The family number in use, which addresses must have. */
int tern_proto_family(void)
{
	return tern_family.family;
}

/**
 * tern_family_register - let sockets be made, as the last step of loading
 * @family: the family number
 *
 * Return: 0, or -EBUSY when another module has the number.
 */
int tern_family_register(int family)
{
	int err;

	err = proto_register(&tern_proto, 1);
	if (err)
		return err;
	tern_family.family = family;
	err = sock_register(&tern_family);
	if (err)
		proto_unregister(&tern_proto);
	/* modprobe takes EEXIST for success */
	return err == -EEXIST ? -EBUSY : err;
}

void tern_family_unregister(int family)
{
	sock_unregister(family);
	proto_unregister(&tern_proto);
}
