/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The socket.
 *
 * Layer: L3.
 */
#ifndef _TERN_AF_TERN_H
#define _TERN_AF_TERN_H

#include <linux/tern.h>
#include <net/sock.h>

#include "call.h"
#include "net.h"
#include "request.h"
#include "service.h"
#include "worker.h"

struct iov_iter;

/**
 * struct tern_sock - a socket
 *
 * Locking: the socket lock serialises bind and options.  @lock guards the
 * default destination and the lists of calls; it is the innermost lock.
 */
struct tern_sock {
	struct sock	sk;		/* first */

	struct tern_worker	worker;	/* service is NULL until bound */
	u32	timeout_ms;		/* 0: the node's default */
	bool	share;
	u8	orphans;		/* enum tern_orphans */

	spinlock_t	lock;		/* all below */
	bool	connected;
	struct sockaddr_tern	dest;
	struct list_head	calls;	/* asynchronous ones, not yet received */
	struct list_head	ended;	/* of those, with their outcome */
};

static inline struct tern_sock *tern_sk(const struct sock *sk)
{
	return container_of(sk, struct tern_sock, sk);
}

static inline struct tern_net *tern_sock_net(const struct tern_sock *ts)
{
	return tern_net(sock_net(&ts->sk));
}

/* The service that a socket has bound, or NULL. */
static inline struct tern_service *tern_sock_service(const struct tern_sock *ts)
{
	/* Pairs with the release in tern_service_bind(). */
	return smp_load_acquire(&ts->worker.service);
}

/* Whether another call fits into the send buffer. */
static inline bool tern_sock_has_room(const struct sock *sk)
{
	return sk_wmem_alloc_get(sk) < READ_ONCE(sk->sk_sndbuf);
}

/* sendmsg.c */
struct tern_call *tern_sock_call(struct tern_sock *ts,
				 const struct sockaddr_tern *dest,
				 const struct tern_cmsg_call *how,
				 struct iov_iter *from, u32 len);
int tern_sock_cast(struct tern_sock *ts, struct tern_call *call);
int tern_sock_wait_room(struct sock *sk, int flags);
int tern_sock_submit(struct tern_sock *ts, struct tern_call *call);
int tern_sock_reply(struct tern_sock *ts, u64 handle, u32 status,
		    struct iov_iter *from, u32 len);
int tern_sock_check_dest(const struct sockaddr_tern *dest, int len);
int tern_sendmsg(struct socket *sock, struct msghdr *msg, size_t len);
void tern_sock_uncharge(struct tern_call *call);
bool tern_sock_detach(struct tern_call *call);

/* recvmsg.c */
int tern_recvmsg(struct socket *sock, struct msghdr *msg, size_t size,
		 int flags);
int tern_sock_wait(struct tern_sock *ts, bool outcomes, long *timeo);
struct tern_call *tern_sock_first_ended(struct tern_sock *ts);
void tern_sock_source(const struct tern_request *req,
		      struct sockaddr_tern *addr);

/* ioctl.c */
int tern_ioctl(struct socket *sock, unsigned int cmd, unsigned long arg);

/* af_tern.c */
int tern_proto_family(void);
int tern_family_register(int family);
void tern_family_unregister(int family);

#endif /* _TERN_AF_TERN_H */
