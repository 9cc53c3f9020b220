// SPDX-License-Identifier: GPL-2.0
/*
 * Sockets of the module that is loaded: what is held while they are told that a
 * call has ended. From then on a user may receive its outcome and close the
 * socket, on another processor and at once, so that whoever tells needs a
 * reference of its own.
 */
#include <kunit/test.h>
#include <linux/net.h>
#include <linux/tern.h>
#include <net/sock.h>

/* A service that nobody offers, so that a call ends while it is made. */
#define NOBODY		4999

static unsigned int references;

static void look(struct sock *sk)
{
	references = refcount_read(&sk->sk_refcnt);
}

static void call_nobody(struct kunit *test, struct socket *sock, u32 flags)
{
	struct sockaddr_tern to = {
		.st_family	= AF_TERN,
		.st_service	= NOBODY,
		.st_version	= 1,
	};
	struct {
		struct cmsghdr	head;
		struct tern_cmsg_call	how __aligned(sizeof(size_t));
	} control = {
		.head = {
			.cmsg_len	= CMSG_LEN(sizeof(control.how)),
			.cmsg_level	= SOL_TERN,
			.cmsg_type	= TERN_CMSG_CALL,
		},
		.how.flags	= flags,
	};
	struct msghdr msg = {
		.msg_name	= &to,
		.msg_namelen	= sizeof(to),
		.msg_control	= &control,
		.msg_controllen	= sizeof(control),
	};
	struct kvec nothing = {};

	references = 0;
	KUNIT_EXPECT_EQ(test, kernel_sendmsg(sock, &msg, &nothing, 1, 0), 0);
}

static void held_while_told(struct kunit *test)
{
	struct socket *sock;

	KUNIT_ASSERT_EQ(test, sock_create_kern(&init_net, AF_TERN, SOCK_RDM, 0,
					       &sock), 0);
	KUNIT_EXPECT_EQ(test, refcount_read(&sock->sk->sk_refcnt), 1U);

	sock->sk->sk_data_ready = look;
	call_nobody(test, sock, 0);
	KUNIT_EXPECT_EQ(test, references, 2U);

	/* A quiet call leaves its socket, which has room again. */
	sock->sk->sk_write_space = look;
	call_nobody(test, sock, TERN_CALL_ONEWAY | TERN_CALL_QUIET);
	KUNIT_EXPECT_EQ(test, references, 2U);

	KUNIT_EXPECT_EQ(test, refcount_read(&sock->sk->sk_refcnt), 1U);
	sock_release(sock);
}

static struct kunit_case socket_cases[] = {
	KUNIT_CASE(held_while_told),
	{}
};

static struct kunit_suite socket_suite = {
	.name = "tern_socket",
	.test_cases = socket_cases,
};

kunit_test_suite(socket_suite);
