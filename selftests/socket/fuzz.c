// SPDX-License-Identifier: GPL-2.0
/*
 * Test: timeout=300
 *
 * Random arguments to every system call of the family, from several processes
 * that share one network namespace.  The seeds are fixed.  Nothing is expected
 * of the single calls; afterwards a plain call has to work, and the kernel to
 * have reported nothing, which the machine that runs this watches.
 */
#include <sys/time.h>

#include "tern_test.h"

enum { PROCESSES = 4, STEPS = 20000, SOCKETS = 6 };

static uint32_t seed;
static int fds[SOCKETS];
static char data[TERN_MESSAGE_MAX + 64];
static uint64_t last_handle;

static uint32_t rnd(uint32_t below)
{
	seed = seed * 1664525 + 1013904223;
	return (uint64_t)(seed ^ seed >> 15) * below >> 32;
}

/* Numbers at the edges are more likely than others. */
static uint32_t number(void)
{
	static const uint32_t edges[] = {
		0, 0, 1, 2, 3, 8, 16, 24, 32, 255, 1024, 4000, 4096, 65535,
		65536, 65537, TERN_TIMEOUT_MAX, TERN_TIMEOUT_MAX + 1,
		INT32_MAX, 0x80000000, UINT32_MAX,
	};
	uint32_t i = rnd(sizeof(edges) / sizeof(edges[0]) + 1);

	return i ? edges[i - 1] : rnd(UINT32_MAX);
}

static void *pointer(void)
{
	switch (rnd(16)) {
	case 0:
		return NULL;
	case 1:
		return (void *)1;
	case 2:
		return (void *)-4096;
	case 3:
		return data + 63;
	}
	return data;
}

static int any_fd(void)
{
	return fds[rnd(SOCKETS)];
}

static struct sockaddr_tern address(void)
{
	struct sockaddr_tern addr = tern_addr(PROGRAM + rnd(3), 1);

	switch (rnd(10)) {
	case 0:
		addr.st_family = number();
		break;
	case 1:
		addr.st_port = number();
		break;
	case 2:
		addr.st_scope_id = number();
		break;
	case 3:
		addr.st_addr[rnd(16)] = number();
		break;
	case 4:
		addr.st_service = number();
		break;
	case 5:
		addr.st_version = number();
		break;
	case 6:
		addr.st_addr[15] = 1;
		break;
	}
	return addr;
}

/* Small times mostly, so that not every wait has to be interrupted. */
static uint32_t timeout(void)
{
	return rnd(20) ? rnd(5) : number();
}

static size_t control_fill(char *control)
{
	struct tern_cmsg_reply reply = {
		.handle = rnd(4) ? last_handle : number(),
		.status = number(),
		.__resv = rnd(20) ? 0 : number(),
	};
	struct tern_cmsg_call start = {
		.id = number(),
		.procedure = number(),
		.timeout_ms = 1 + timeout(),
		.flags = rnd(20) ? rnd(4) : number(),
		.__resv = rnd(20) ? 0 : number(),
	};
	struct cmsghdr cmsg = { .cmsg_level = SOL_TERN };
	bool is_reply = rnd(2);
	size_t len = is_reply ? sizeof(reply) : sizeof(start);

	cmsg.cmsg_type = is_reply ? TERN_CMSG_REPLY : TERN_CMSG_CALL;
	cmsg.cmsg_len = CMSG_LEN(len);
	len = CMSG_SPACE(len);
	switch (rnd(20)) {
	case 0:
		cmsg.cmsg_level = rnd(2) ? SOL_SOCKET : number();
		break;
	case 1:
		cmsg.cmsg_type = rnd(6);
		break;
	case 2:
		cmsg.cmsg_len = number();
		break;
	case 3:
		len = rnd(100);
		break;
	}
	memcpy(CMSG_DATA((struct cmsghdr *)control),
	       is_reply ? (void *)&reply : (void *)&start,
	       is_reply ? sizeof(reply) : sizeof(start));
	memcpy(control, &cmsg, sizeof(cmsg));
	return len;
}

static size_t message_length(void)
{
	return rnd(4) ? rnd(2000) : rnd(sizeof(data) + 1);
}

static void fuzz_send(void)
{
	char control[256] __attribute__((aligned(8))) = "";
	struct sockaddr_tern to = address();
	struct iovec iov = { pointer(), message_length() };
	struct msghdr msg = {
		.msg_name = rnd(2) ? &to : NULL,
		.msg_namelen = rnd(10) ? sizeof(to) : rnd(200),
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control,
		.msg_controllen = control_fill(control),
	};

	sendmsg(any_fd(), &msg, rnd(10) ? MSG_DONTWAIT : number());
}

static void fuzz_receive(void)
{
	char control[64] __attribute__((aligned(8)));
	char name[64];
	struct iovec iov = { pointer(), message_length() };
	struct msghdr msg = {
		.msg_name = rnd(2) ? name : NULL,
		.msg_namelen = rnd(10) ? sizeof(name) : rnd(64),
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control,
		.msg_controllen = rnd(10) ? CONTROL_SPACE : rnd(64),
	};
	struct cmsghdr *cmsg;

	if (recvmsg(any_fd(), &msg, rnd(10) ? MSG_DONTWAIT :
		    number()) < 0)
		return;
	cmsg = CMSG_FIRSTHDR(&msg);
	if (cmsg && cmsg->cmsg_type == TERN_CMSG_REQUEST)
		memcpy(&last_handle, CMSG_DATA(cmsg), sizeof(last_handle));
}

static void fuzz_call(void)
{
	struct sockaddr_tern to = address();
	struct tern_ioc_call c = {
		.request = (uintptr_t)pointer(),
		.reply = (uintptr_t)pointer(),
		.dest = rnd(2) ? (uintptr_t)&to : rnd(2) ? 0 : number(),
		.request_len = rnd(10) ? message_length() : number(),
		.reply_len = rnd(10) ? message_length() : number(),
		.procedure = number(),
		.timeout_ms = 1 + timeout(),
		.flags = rnd(20) ? rnd(4) : number(),
	};

	ioctl(any_fd(), TERN_IOC_CALL, rnd(50) ? &c : pointer());
}

static void fuzz_reply_recv(void)
{
	struct tern_ioc_reply_recv rr = {
		.reply = (uintptr_t)pointer(),
		.request = (uintptr_t)pointer(),
		.source = rnd(3) ? 0 : (uintptr_t)pointer(),
		.handle = rnd(4) ? last_handle : number(),
		.reply_len = rnd(10) ? message_length() : number(),
		.request_len = rnd(10) ? message_length() : number(),
		.status = number(),
		.flags = rnd(20) ? TERN_RECV_DONTWAIT | rnd(2) : number(),
		.__resv = rnd(20) ? 0 : number(),
	};

	if (!ioctl(any_fd(), TERN_IOC_REPLY_RECV, rnd(50) ? &rr : pointer()))
		last_handle = rr.handle;
}

static void fuzz_option(void)
{
	static const int options[] = {
		SO_SNDBUF, SO_RCVBUF, SO_SNDTIMEO, SO_RCVTIMEO, SO_LINGER,
		SO_PRIORITY, SO_BROADCAST, SO_RCVLOWAT, SO_PASSCRED,
		SO_TIMESTAMP, SO_BUSY_POLL, SO_KEEPALIVE, SO_REUSEADDR,
	};
	uint32_t value[4] = { number(), number(), 0, 0 };
	socklen_t len = rnd(4) ? sizeof(int) : rnd(2) ? 16 : rnd(32);
	int level = rnd(10) ? SOL_TERN : (int)number();
	int option = rnd(10) ? rnd(4) : number();

	if (rnd(3) == 0) {
		level = SOL_SOCKET;
		option = options[rnd(sizeof(options) / sizeof(options[0]))];
	}
	if (rnd(2))
		setsockopt(any_fd(), level, option,
			   rnd(10) ? (void *)value : pointer(),
			   len > sizeof(value) ? sizeof(value) : len);
	else
		getsockopt(any_fd(), level, option, data, &len);
}

static void fuzz_name(void)
{
	struct sockaddr_tern addr = address();
	socklen_t len = rnd(10) ? sizeof(addr) : rnd(129);
	char name[256];

	memset(name, 0, sizeof(name));
	memcpy(name, &addr, sizeof(addr));
	switch (rnd(4)) {
	case 0:
		bind(any_fd(), (void *)name, len);
		break;
	case 1:
		connect(any_fd(), (void *)name, len);
		break;
	case 2:
		getsockname(any_fd(), rnd(10) ? (void *)name : pointer(), &len);
		break;
	case 3:
		getpeername(any_fd(), rnd(10) ? (void *)name : pointer(), &len);
		break;
	}
}

static void fuzz_other(void)
{
	int n;

	switch (rnd(7)) {
	case 0:
		ioctl(any_fd(), rnd(2) ? FIONREAD : SIOCOUTQ, &n);
		break;
	case 1:
		ioctl(any_fd(), rnd(2) ? number() & 0xffff :
		      _IOC(rnd(4), TERN_IOC_MAGIC, rnd(6), rnd(128)), data);
		break;
	case 2:
		ready(any_fd(), rnd(0xffff), 0);
		break;
	case 3:
		listen(any_fd(), number());
		break;
	case 4:
		shutdown(any_fd(), rnd(4));
		break;
	case 5:
		accept4(any_fd(), NULL, NULL, SOCK_NONBLOCK);
		break;
	case 6:
		n = read(any_fd(), data, rnd(100));
		n = write(any_fd(), data, rnd(100));
		break;
	}
}

static void fuzz_reopen(void)
{
	int i = rnd(SOCKETS);

	close(fds[i]);
	fds[i] = rnd(4) ? tern_open(SOCK_NONBLOCK) :
		 rnd(2) ? service_open(PROGRAM + rnd(3), rnd(2), SOCK_NONBLOCK) :
			  client_open(PROGRAM + rnd(3), SOCK_NONBLOCK);
}

static void (*const steps[])(void) = {
	fuzz_send, fuzz_send, fuzz_send, fuzz_receive, fuzz_receive,
	fuzz_receive, fuzz_call, fuzz_reply_recv, fuzz_reply_recv,
	fuzz_option, fuzz_name, fuzz_other, fuzz_reopen,
};

static void on_alarm(int signal)
{
	(void)signal;
}

static int fuzz(uint32_t first_seed)
{
	struct sigaction action = { .sa_handler = on_alarm };
	struct itimerval timer = { { 0, 20000 }, { 0, 20000 } };

	seed = first_seed;
	/* Waits that would be long end with EINTR. */
	sigaction(SIGALRM, &action, NULL);
	setitimer(ITIMER_REAL, &timer, NULL);
	for (int i = 0; i < SOCKETS; i++)
		fds[i] = tern_open(SOCK_NONBLOCK);
	for (int i = 0; i < STEPS; i++)
		steps[rnd(sizeof(steps) / sizeof(steps[0]))]();
	return 0;
}

TERN_FIXTURE(fuzz);

TEST_F_TIMEOUT(fuzz, random_arguments, 240)
{
	pid_t pids[PROCESSES];

	close(self->server);
	for (int i = 0; i < PROCESSES; i++) {
		pids[i] = fork_child();
		if (!pids[i])
			_exit(fuzz(1000 + i));
	}
	for (int i = 0; i < PROCESSES; i++)
		EXPECT_EQ(0, wait_child(pids[i]));
	self->server = service_open(PROGRAM, false, 0);
	ASSERT_LE(0, self->server);
	EXPECT_TRUE(works(self->server, self->client));
}

TEST_HARNESS_MAIN
