// SPDX-License-Identifier: GPL-2.0
/* poll(), epoll, and which of several waiting threads wakes up. */
#include <sys/epoll.h>

#include "tern_test.h"

TERN_FIXTURE(polling);

static char buf[100];

TEST_F(polling, readable_and_writable)
{
	struct tern_cmsg_call start = { .id = 1 };
	int all = POLLIN | POLLOUT | POLLERR | POLLHUP;
	struct message m;

	EXPECT_EQ(POLLOUT, ready(self->client, all, 0));
	EXPECT_EQ(0, ready(self->server, POLLIN, 0));
	ASSERT_EQ(0, send_call(self->client, NULL, &start, "", 0));
	EXPECT_EQ(POLLIN, ready(self->server, POLLIN, 0));
	EXPECT_EQ(0, ready(self->client, POLLIN, 0));
	ASSERT_EQ(0, receive(self->server, &m, buf, 8, 0));
	EXPECT_EQ(0, ready(self->server, POLLIN, 0));
	ASSERT_EQ(0, send_reply(self->server, m.request.handle, 0, "", 0));
	EXPECT_EQ(POLLIN, ready(self->client, POLLIN, 0));
	EXPECT_EQ(POLLOUT, ready(self->server, all, 0));
	ASSERT_EQ(0, receive(self->client, &m, buf, 8, 0));
	EXPECT_EQ(POLLOUT, ready(self->client, all, 0));
}

TEST_F(polling, failed_calls_are_readable)
{
	struct sockaddr_tern nobody = tern_addr(NO_PROGRAM, 1);
	struct tern_cmsg_call start = { .id = 1 };
	struct message m;

	ASSERT_EQ(0, send_call(self->client, &nobody, &start, "", 0));
	EXPECT_EQ(POLLIN, ready(self->client, POLLIN, 5000));
	ASSERT_EQ(0, receive(self->client, &m, buf, 8, MSG_DONTWAIT));
	start.timeout_ms = 1000;
	ASSERT_EQ(0, send_call(self->client, NULL, &start, "", 0));
	EXPECT_EQ(POLLIN, ready(self->server, POLLIN, 0));
	EXPECT_EQ(0, ready(self->client, POLLIN, 0));
	EXPECT_EQ(POLLIN, ready(self->client, POLLIN, 5000));
	/* The expired request is gone. */
	EXPECT_EQ(0, ready(self->server, POLLIN, 0));
}

/*
 * A one-way call that is delivered stays in its queue until its deadline, and no
 * CANCEL takes it out before.
 */
TEST_F(polling, expired_is_not_readable)
{
	struct tern_cmsg_call oneway = {
		.id = 1,
		.timeout_ms = 100,
		.flags = TERN_CALL_ONEWAY,
	};
	struct tern_cmsg_call clock = { .id = 2, .timeout_ms = 200 };
	struct tern_cmsg_call start = { .id = 3 };
	struct message m;
	int len;

	/* The sweep, once a second, would take it out, too. */
	for (int i = 0; i < 10; i++) {
		ASSERT_EQ(3, send_call(self->client, NULL, &oneway, "old", 3));
		ASSERT_EQ(0, receive(self->client, &m, buf, 8, 0));
		ASSERT_EQ(1U, m.outcome.id);
		ASSERT_EQ((uint32_t)TERN_DELIVERED, m.outcome.outcome);
		/* Its end tells that the first one's deadline has passed. */
		ASSERT_EQ(0, send_call(self->client, NULL, &clock, "", 0));
		ASSERT_EQ(0, receive(self->client, &m, buf, 8, 0));
		ASSERT_EQ(2U, m.outcome.id);
		ASSERT_EQ((uint32_t)ETIMEDOUT, m.outcome.cause);
		EXPECT_EQ(0, ready(self->server, POLLIN, 0));
		EXPECT_EQ(0, ioctl(self->server, FIONREAD, &len));
		EXPECT_EQ(0, len);
		if (i % 2)
			continue;
		/* Another one behind it. */
		ASSERT_EQ(4, send_call(self->client, NULL, &start, "next", 4));
		EXPECT_EQ(POLLIN, ready(self->server, POLLIN, 0));
		EXPECT_EQ(0, ioctl(self->server, FIONREAD, &len));
		EXPECT_EQ(4, len);
		ASSERT_EQ(4, receive(self->server, &m, buf, 8, 0));
		ASSERT_EQ(0, send_reply(self->server, m.request.handle, 0, "",
					0));
		ASSERT_EQ(0, receive(self->client, &m, buf, 8, 0));
	}
}

/* Waiting for a request that comes while poll() sleeps. */
TEST_F(polling, wakes_the_sleeper)
{
	struct tern_cmsg_call start = { .id = 1 };
	int *started = shared_alloc(sizeof(*started));
	struct message m;
	pid_t pid;

	ASSERT_NE(NULL, started);
	pid = fork_child();
	if (!pid) {
		__atomic_store_n(started, 1, __ATOMIC_RELEASE);
		_exit(ready(self->server, POLLIN, 20000) != POLLIN);
	}
	wait_asleep(pid, pid, started);
	ASSERT_EQ(0, send_call(self->client, NULL, &start, "", 0));
	EXPECT_EQ(0, wait_child(pid));
	ASSERT_EQ(0, receive(self->server, &m, buf, 8, 0));

	*started = 0;
	pid = fork_child();
	if (!pid) {
		__atomic_store_n(started, 1, __ATOMIC_RELEASE);
		_exit(ready(self->client, POLLIN, 20000) != POLLIN);
	}
	wait_asleep(pid, pid, started);
	ASSERT_EQ(0, send_reply(self->server, m.request.handle, 0, "", 0));
	EXPECT_EQ(0, wait_child(pid));
}

static int epoll_one(int fd, uint32_t events)
{
	struct epoll_event event = { .events = events };
	int ep = epoll_create1(EPOLL_CLOEXEC);

	if (ep < 0 || epoll_ctl(ep, EPOLL_CTL_ADD, fd, &event))
		return -1;
	return ep;
}

static int epoll_ready(int ep, int ms)
{
	struct epoll_event event = { 0 };

	return epoll_wait(ep, &event, 1, ms) == 1 ? (int)event.events : 0;
}

TEST_F(polling, epoll_level)
{
	struct tern_cmsg_call start = { .id = 1 };
	int ep = epoll_one(self->server, EPOLLIN);
	struct message m;

	ASSERT_LE(0, ep);
	EXPECT_EQ(0, epoll_ready(ep, 0));
	for (int i = 0; i < 2; i++)
		ASSERT_EQ(0, send_call(self->client, NULL, &start, "", 0));
	EXPECT_EQ(EPOLLIN, epoll_ready(ep, 0));
	EXPECT_EQ(EPOLLIN, epoll_ready(ep, 0));
	ASSERT_EQ(0, receive(self->server, &m, buf, 8, 0));
	EXPECT_EQ(EPOLLIN, epoll_ready(ep, 0));
	ASSERT_EQ(0, receive(self->server, &m, buf, 8, 0));
	EXPECT_EQ(0, epoll_ready(ep, 0));
	close(ep);
}

TEST_F(polling, epoll_edge)
{
	struct tern_cmsg_call start = { .id = 1 };
	int server = epoll_one(self->server, EPOLLIN | EPOLLET);
	int client = epoll_one(self->client, EPOLLIN | EPOLLET);
	struct message m[2];

	ASSERT_LE(0, server);
	ASSERT_LE(0, client);
	for (int i = 0; i < 2; i++) {
		ASSERT_EQ(0, send_call(self->client, NULL, &start, "", 0));
		EXPECT_EQ(EPOLLIN, epoll_ready(server, 0));
		EXPECT_EQ(0, epoll_ready(server, 0));
	}
	for (int i = 0; i < 2; i++)
		ASSERT_EQ(0, receive(self->server, &m[i], buf, 8, 0));
	for (int i = 0; i < 2; i++) {
		ASSERT_EQ(0, send_reply(self->server, m[i].request.handle, 0,
					"", 0));
		EXPECT_EQ(EPOLLIN, epoll_ready(client, 0));
		EXPECT_EQ(0, epoll_ready(client, 0));
	}
	close(server);
	close(client);
}

/* poll() says what sendmsg() would do, and wakes as soon as one more fits. */
TEST_F(polling, room_is_the_same_for_all)
{
	struct tern_cmsg_call start = { .id = 1 };
	static char large[60000];
	struct message m;
	int ep;

	ASSERT_EQ(0, set_int(self->client, SOL_SOCKET, SO_SNDBUF, 80000));
	ASSERT_EQ(0, fcntl(self->client, F_SETFL, O_NONBLOCK));
	while (ready(self->client, POLLOUT, 0) == POLLOUT)
		ASSERT_LE(0, send_call(self->client, NULL, &start, large,
				       sizeof(large)));
	ASSERT_EQ(-1, send_call(self->client, NULL, &start, buf, 1));
	EXPECT_EQ(EAGAIN, errno);
	ep = epoll_one(self->client, EPOLLOUT | EPOLLET);
	ASSERT_LE(0, ep);
	EXPECT_EQ(0, epoll_ready(ep, 0));

	/* One of several is enough, however much the others take. */
	ASSERT_LE(0, receive(self->server, &m, buf, 8, 0));
	ASSERT_EQ(0, send_reply(self->server, m.request.handle, 0, "", 0));
	ASSERT_EQ(0, receive(self->client, &m, buf, 8, 0));
	EXPECT_EQ(EPOLLOUT, epoll_ready(ep, 0));
	EXPECT_EQ(1, send_call(self->client, NULL, &start, buf, 1));
	close(ep);
}

/* An epoll that is older than bind() hears of requests all the same. */
TEST_F(polling, epoll_before_bind)
{
	struct tern_cmsg_call start = { .id = 1 };
	struct sockaddr_tern to = tern_addr(NO_PROGRAM, 1);
	int server = tern_open(0), ep;

	ASSERT_LE(0, server);
	ep = epoll_one(server, EPOLLIN | EPOLLET);
	ASSERT_LE(0, ep);
	ASSERT_EQ(0, tern_bind(server, NO_PROGRAM));
	epoll_ready(ep, 0);
	ASSERT_EQ(0, send_call(self->client, &to, &start, "", 0));
	EXPECT_EQ(EPOLLIN, epoll_ready(ep, 5000));
	close(ep);
	close(server);
}

TEST_F(polling, epoll_edge_of_room)
{
	struct tern_cmsg_call start = { .id = 1 };
	struct message m;
	int ep;

	ASSERT_EQ(0, set_int(self->client, SOL_SOCKET, SO_SNDBUF, 1));
	ASSERT_EQ(0, fcntl(self->client, F_SETFL, O_NONBLOCK));
	ep = epoll_one(self->client, EPOLLOUT | EPOLLET);
	ASSERT_LE(0, ep);
	EXPECT_EQ(EPOLLOUT, epoll_ready(ep, 0));
	while (send_call(self->client, NULL, &start, buf, sizeof(buf)) >= 0)
		;
	EXPECT_EQ(EAGAIN, errno);
	EXPECT_EQ(0, epoll_ready(ep, 0));
	while (receive(self->server, &m, buf, 8, MSG_DONTWAIT) >= 0)
		ASSERT_EQ(0, send_reply(self->server, m.request.handle, 0, "",
					0));
	while (receive(self->client, &m, buf, 8, MSG_DONTWAIT) >= 0)
		;
	EXPECT_EQ(EPOLLOUT, epoll_ready(ep, 0));
	EXPECT_EQ(0, epoll_ready(ep, 0));
	close(ep);
}

/* A request makes every sharing socket readable, and one receives it. */
TEST_F(polling, shared_service)
{
	struct tern_cmsg_call start = { .id = 1 };
	struct message m;
	int fds[3];

	close(self->server);
	for (int i = 0; i < 3; i++) {
		fds[i] = service_open(PROGRAM, true, SOCK_NONBLOCK);
		ASSERT_LE(0, fds[i]);
	}
	ASSERT_EQ(0, send_call(self->client, NULL, &start, "", 0));
	for (int i = 0; i < 3; i++)
		EXPECT_EQ(POLLIN, ready(fds[i], POLLIN, 0));
	EXPECT_EQ(0, receive(fds[1], &m, buf, 8, 0));
	for (int i = 0; i < 3; i++) {
		EXPECT_EQ(0, ready(fds[i], POLLIN, 0));
		EXPECT_ERRNO(EAGAIN, receive(fds[i], &m, buf, 8, 0));
	}
	self->server = fds[0];
}

enum { WAITERS = 8 };

struct waiter {
	pthread_t thread;
	pid_t tid;
	int fd;
	int started;
	int woken;
	bool ioctl;
};

static void *waiter_run(void *arg)
{
	struct tern_ioc_reply_recv rr = { 0 };
	struct waiter *waiter = arg;
	struct message m;
	char byte;

	waiter->tid = syscall(SYS_gettid);
	__atomic_store_n(&waiter->started, 1, __ATOMIC_RELEASE);
	if (waiter->ioctl) {
		if (ioctl(waiter->fd, TERN_IOC_REPLY_RECV, &rr))
			return NULL;
		rr.flags = TERN_RECV_NONE;
		ioctl(waiter->fd, TERN_IOC_REPLY_RECV, &rr);
	} else {
		if (receive(waiter->fd, &m, &byte, 1, 0) < 0)
			return NULL;
		send_reply(waiter->fd, m.request.handle, 0, "", 0);
	}
	__atomic_add_fetch(&waiter->woken, 1, __ATOMIC_RELEASE);
	return NULL;
}

/* How often a thread has slept, which a futile wake-up would add to. */
static long sleeps(pid_t tid)
{
	char path[64], line[128];
	long n = -1;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/self/task/%d/status", tid);
	file = fopen(path, "re");
	while (file && fgets(line, sizeof(line), file))
		if (sscanf(line, "voluntary_ctxt_switches: %ld", &n) == 1)
			break;
	if (file)
		fclose(file);
	return n;
}

static void one_wakes(struct __test_metadata *_metadata, int client,
		      const int *fds, bool with_ioctl)
{
	struct waiter waiters[WAITERS] = { 0 };
	bool gone[WAITERS] = { false };
	long slept[WAITERS];

	for (int i = 0; i < WAITERS; i++) {
		waiters[i].fd = fds[i];
		waiters[i].ioctl = with_ioctl;
		ASSERT_EQ(0, pthread_create(&waiters[i].thread, NULL,
					    waiter_run, &waiters[i]));
		while (!__atomic_load_n(&waiters[i].started, __ATOMIC_ACQUIRE))
			sched_yield();
	}
	for (int round = 0; round < WAITERS; round++) {
		struct tern_ioc_call c = { 0 };
		int woken = -1;

		for (int i = 0; i < WAITERS; i++) {
			if (gone[i])
				continue;
			wait_asleep(getpid(), waiters[i].tid, NULL);
			slept[i] = sleeps(waiters[i].tid);
		}
		ASSERT_EQ(0, call(client, &c, 1, "", 0, NULL, 0));
		while (woken < 0) {
			sched_yield();
			for (int i = 0; i < WAITERS; i++)
				if (!gone[i] &&
				    __atomic_load_n(&waiters[i].woken,
						    __ATOMIC_ACQUIRE))
					woken = i;
		}
		pthread_join(waiters[woken].thread, NULL);
		gone[woken] = true;
		for (int i = 0; i < WAITERS; i++) {
			if (gone[i])
				continue;
			EXPECT_EQ(0, waiters[i].woken);
			EXPECT_EQ(slept[i], sleeps(waiters[i].tid));
		}
	}
}

TEST_F(polling, one_thread_wakes)
{
	int fds[WAITERS];

	for (int i = 0; i < WAITERS; i++)
		fds[i] = self->server;
	one_wakes(_metadata, self->client, fds, false);
	one_wakes(_metadata, self->client, fds, true);
}

TEST_F(polling, one_worker_wakes)
{
	int fds[WAITERS];

	close(self->server);
	for (int i = 0; i < WAITERS; i++) {
		fds[i] = service_open(PROGRAM, true, 0);
		ASSERT_LE(0, fds[i]);
	}
	one_wakes(_metadata, self->client, fds, false);
	one_wakes(_metadata, self->client, fds, true);
	self->server = fds[0];
}

TEST_HARNESS_MAIN
