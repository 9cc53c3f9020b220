// SPDX-License-Identifier: GPL-2.0
/* SO_SNDBUF and SO_RCVBUF: work beyond them is refused, nothing is lost. */
#include "tern_test.h"

TERN_FIXTURE(limits);

enum { MANY = 100000 };

static char buf[TERN_MESSAGE_MAX];

static int outq(int fd)
{
	int n = -1;

	return ioctl(fd, SIOCOUTQ, &n) ? -1 : n;
}

static int get_int(int fd, int option)
{
	int value = -1;
	socklen_t len = sizeof(value);

	getsockopt(fd, SOL_SOCKET, option, &value, &len);
	return value;
}

/* Send calls of @len bytes until one fails; how many were taken. */
static int send_until_full(int fd, const struct sockaddr_tern *to, size_t len)
{
	struct tern_cmsg_call start = { .id = 0 };

	while (start.id < MANY && send_call(fd, to, &start, buf, len) >= 0)
		start.id++;
	return start.id;
}

/* Reply to every queued request with @len bytes; how many there were. */
static int reply_to_all(int fd, size_t len)
{
	struct message m;
	int n = 0;

	while (receive(fd, &m, buf, sizeof(buf), MSG_DONTWAIT) >= 0) {
		if (send_reply(fd, m.request.handle, 0, buf, len) < 0)
			return -1;
		n++;
	}
	return n;
}

TEST_F(limits, send_buffer_refuses)
{
	struct tern_cmsg_call start = { .id = 99 };
	struct message m;
	int n;

	ASSERT_EQ(0, set_int(self->client, SOL_SOCKET, SO_SNDBUF, 20000));
	ASSERT_EQ(0, fcntl(self->client, F_SETFL, O_NONBLOCK));
	n = send_until_full(self->client, NULL, 1000);
	EXPECT_EQ(EAGAIN, errno);
	EXPECT_LE(2, n);
	EXPECT_GE(get_int(self->client, SO_SNDBUF) / 1000 + 1, n);
	EXPECT_LE(n * 1000, outq(self->client));
	EXPECT_EQ(0, ready(self->client, POLLOUT, 0));
	/* Delivered and replied to is not yet received. */
	EXPECT_EQ(n, reply_to_all(self->server, 0));
	EXPECT_ERRNO(EAGAIN, send_call(self->client, NULL, &start, buf, 1000));
	for (int i = 0; i < n; i++) {
		ASSERT_EQ(0, receive(self->client, &m, buf, 8, 0));
		EXPECT_OUTCOME(&m, i, TERN_REPLIED, 0);
	}
	EXPECT_EQ(0, outq(self->client));
	EXPECT_EQ(POLLOUT, ready(self->client, POLLOUT, 0));
	EXPECT_EQ(1000, send_call(self->client, NULL, &start, buf, 1000));
}

TEST_F(limits, send_buffer_always_takes_one)
{
	struct tern_cmsg_call start = { .id = 1 };
	struct message m;

	ASSERT_EQ(0, set_int(self->client, SOL_SOCKET, SO_SNDBUF, 1));
	ASSERT_EQ(0, fcntl(self->client, F_SETFL, O_NONBLOCK));
	for (int i = 0; i < 2; i++) {
		ASSERT_EQ(TERN_MESSAGE_MAX,
			  send_call(self->client, NULL, &start, buf,
				    TERN_MESSAGE_MAX));
		EXPECT_ERRNO(EAGAIN, send_call(self->client, NULL, &start, "",
					       0));
		EXPECT_EQ(0, ready(self->client, POLLOUT, 0));
		EXPECT_EQ(1, reply_to_all(self->server, 0));
		ASSERT_EQ(0, receive(self->client, &m, buf, 8, 0));
		EXPECT_EQ(POLLOUT, ready(self->client, POLLOUT, 0));
	}
}

/* One-way calls and calls that fail count until their outcome is read. */
TEST_F(limits, send_buffer_until_outcome_is_read)
{
	struct sockaddr_tern nobody = tern_addr(NO_PROGRAM, 1);
	struct tern_cmsg_call start = { .flags = TERN_CALL_ONEWAY };
	struct message m;

	ASSERT_EQ(0, set_int(self->client, SOL_SOCKET, SO_SNDBUF, 1));
	ASSERT_EQ(0, fcntl(self->client, F_SETFL, O_NONBLOCK));
	ASSERT_EQ(8000, send_call(self->client, NULL, &start, buf, 8000));
	EXPECT_ERRNO(EAGAIN, send_call(self->client, NULL, &start, "", 0));
	ASSERT_EQ(0, receive(self->client, &m, buf, 8, MSG_PEEK));
	EXPECT_LE(8000, outq(self->client));
	ASSERT_EQ(0, receive(self->client, &m, buf, 8, 0));
	EXPECT_EQ(0, outq(self->client));
	ASSERT_EQ(8000, send_call(self->client, &nobody, &start, buf, 8000));
	EXPECT_ERRNO(EAGAIN, send_call(self->client, NULL, &start, "", 0));
	ASSERT_EQ(0, receive(self->client, &m, buf, 8, 0));
	EXPECT_EQ(0, outq(self->client));
}

TEST_F(limits, send_timeout)
{
	struct tern_cmsg_call start = { .id = 1 };
	int64_t begin;

	ASSERT_EQ(0, set_int(self->client, SOL_SOCKET, SO_SNDBUF, 1));
	ASSERT_EQ(0, set_time(self->client, SO_SNDTIMEO, 100));
	ASSERT_EQ(9000, send_call(self->client, NULL, &start, buf, 9000));
	begin = now_ms();
	EXPECT_ERRNO(EAGAIN, send_call(self->client, NULL, &start, buf, 9000));
	EXPECT_LE(90, now_ms() - begin);
	EXPECT_EQ(1, reply_to_all(self->server, 0));
}

struct sender {
	int fd;
	pid_t tid;
	int started;
	ssize_t ret;
};

static void *sender_run(void *arg)
{
	struct tern_cmsg_call start = { .id = 2 };
	struct sender *sender = arg;

	sender->tid = syscall(SYS_gettid);
	__atomic_store_n(&sender->started, 1, __ATOMIC_RELEASE);
	sender->ret = send_call(sender->fd, NULL, &start, "second", 6);
	return NULL;
}

TEST_F(limits, blocked_sender_goes_on)
{
	struct tern_cmsg_call start = { .id = 1 };
	struct sender sender = { .fd = self->client };
	struct message m;
	pthread_t thread;

	ASSERT_EQ(0, set_int(self->client, SOL_SOCKET, SO_SNDBUF, 1));
	ASSERT_EQ(9000, send_call(self->client, NULL, &start, buf, 9000));
	ASSERT_EQ(0, pthread_create(&thread, NULL, sender_run, &sender));
	while (!__atomic_load_n(&sender.started, __ATOMIC_ACQUIRE))
		sched_yield();
	wait_asleep(getpid(), sender.tid, NULL);
	EXPECT_EQ(1, reply_to_all(self->server, 0));
	ASSERT_EQ(0, receive(self->client, &m, buf, 8, 0));
	EXPECT_OUTCOME(&m, 1, TERN_REPLIED, 0);
	pthread_join(thread, NULL);
	EXPECT_EQ(6, sender.ret);
	ASSERT_EQ(6, receive(self->server, &m, buf, 8, 0));
	EXPECT_EQ(0, memcmp(buf, "second", 6));
}

/*
 * Fill the queue of the service with one-way requests, each of which is
 * delivered or refused; how many it took.
 */
static int fill_queue(struct __test_metadata *_metadata, int client)
{
	struct tern_cmsg_call start = { .flags = TERN_CALL_ONEWAY };
	struct message m;
	int n = 0;

	for (;;) {
		start.id = n;
		ASSERT_EQ(1000, send_call(client, NULL, &start, buf, 1000));
		ASSERT_EQ(0, receive(client, &m, buf, 8, 0));
		if (m.outcome.outcome != TERN_DELIVERED || n == MANY)
			break;
		EXPECT_OUTCOME(&m, n, TERN_DELIVERED, 0);
		n++;
	}
	EXPECT_OUTCOME(&m, n, TERN_NOT_EXECUTED, ENOBUFS);
	return n;
}

/* Take everything out of the queue; how many requests there were. */
static int empty_queue(int fd)
{
	struct message m;
	int n = 0;

	while (receive(fd, &m, buf, sizeof(buf), MSG_DONTWAIT) == 1000)
		n++;
	return n;
}

TEST_F(limits, queue_of_service_refuses)
{
	struct tern_cmsg_call start = { .id = MANY };
	struct message m;
	int n;

	ASSERT_EQ(0, set_int(self->server, SOL_SOCKET, SO_RCVBUF, 10000));
	n = fill_queue(_metadata, self->client);
	EXPECT_LE(1, n);
	EXPECT_GE(get_int(self->server, SO_RCVBUF) / 1000 + 1, n);
	ASSERT_EQ(1000, send_call(self->client, NULL, &start, buf, 1000));
	ASSERT_EQ(0, receive(self->client, &m, buf, 8, 0));
	EXPECT_OUTCOME(&m, MANY, TERN_NOT_EXECUTED, ENOBUFS);
	/* What was taken is there. */
	EXPECT_EQ(n, empty_queue(self->server));
	EXPECT_TRUE(works(self->server, self->client));
}

TEST_F(limits, shared_queues_add_up)
{
	int workers[4], one, four;

	close(self->server);
	for (int i = 0; i < 4; i++) {
		workers[i] = tern_open(0);
		ASSERT_EQ(0, set_int(workers[i], SOL_TERN, TERN_SHARE, 1));
		ASSERT_EQ(0, set_int(workers[i], SOL_SOCKET, SO_RCVBUF,
				     20000));
	}
	ASSERT_EQ(0, tern_bind(workers[0], PROGRAM));
	one = fill_queue(_metadata, self->client);
	EXPECT_LE(4, one);
	EXPECT_EQ(one, empty_queue(workers[0]));
	for (int i = 1; i < 4; i++)
		ASSERT_EQ(0, tern_bind(workers[i], PROGRAM));
	four = fill_queue(_metadata, self->client);
	EXPECT_LE(4 * one - 4, four);
	EXPECT_GE(4 * one + 4, four);
	/* Those that joined may leave; nothing that was taken is dropped. */
	for (int i = 1; i < 4; i++)
		close(workers[i]);
	EXPECT_EQ(four, empty_queue(workers[0]));
	self->server = workers[0];
}

/* More replies than the client has room for: each arrives all the same. */
TEST_F(limits, replies_wait_for_room)
{
	enum { CALLS = 32, SIZE = 8000 };
	bool seen[CALLS] = { false };
	struct message m;

	ASSERT_EQ(0, set_int(self->client, SOL_SOCKET, SO_RCVBUF, 1));
	for (int i = 0; i < CALLS; i++) {
		struct tern_cmsg_call start = { .id = i };

		ASSERT_EQ(0, send_call(self->client, NULL, &start, "", 0));
	}
	for (int i = 0; i < CALLS; i++) {
		ASSERT_EQ(0, receive(self->server, &m, buf, sizeof(buf), 0));
		fill(buf, SIZE, i);
		ASSERT_EQ(SIZE, send_reply(self->server, m.request.handle, i,
					   buf, SIZE));
	}
	for (int i = 0; i < CALLS; i++) {
		ASSERT_EQ(SIZE, receive(self->client, &m, buf, sizeof(buf),
					0));
		ASSERT_GT((uint64_t)CALLS, m.outcome.id);
		EXPECT_OUTCOME(&m, m.outcome.id, TERN_REPLIED, 0);
		EXPECT_TRUE(filled(buf, SIZE, m.outcome.status));
		EXPECT_EQ(m.outcome.id, m.outcome.status);
		EXPECT_FALSE(seen[m.outcome.id]);
		seen[m.outcome.id] = true;
	}
}

TEST_HARNESS_MAIN
