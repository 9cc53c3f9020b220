// SPDX-License-Identifier: GPL-2.0
/*
 * Who holds a socket, and what becomes of its calls when nobody does: close,
 * dup, fork, exec, descriptor passing, death of workers and of clients.
 */
#include "tern_test.h"

TERN_FIXTURE(lifetime);

static char buf[64];

static void start_call(struct __test_metadata *_metadata, int fd, uint64_t id)
{
	struct tern_cmsg_call start = { .id = id, .timeout_ms = 60000 };

	ASSERT_EQ(4, send_call(fd, NULL, &start, "work", 4));
}

/* The next outcome, which has to be there at once. */
#define EXPECT_NEXT(fd, id, outcome, cause)				\
	do {								\
		struct message _m;					\
									\
		EXPECT_EQ(POLLIN, ready(fd, POLLIN, 5000));		\
		EXPECT_LE(0, receive(fd, &_m, buf, sizeof(buf),		\
				     MSG_DONTWAIT));			\
		EXPECT_OUTCOME(&_m, id, outcome, cause);		\
	} while (0)

static bool refused(int client)
{
	struct tern_ioc_call c = { 0 };

	return call(client, &c, 1, "", 0, NULL, 0) == -1 &&
	       errno == ECONNREFUSED && c.outcome == TERN_NOT_EXECUTED;
}

TEST_F(lifetime, worker_closes)
{
	struct message m;

	start_call(_metadata, self->client, 1);
	start_call(_metadata, self->client, 2);
	ASSERT_EQ(4, receive(self->server, &m, buf, sizeof(buf), 0));
	EXPECT_EQ(0, ready(self->client, POLLIN, 0));
	close(self->server);
	for (int i = 0; i < 2; i++) {
		EXPECT_EQ(POLLIN, ready(self->client, POLLIN, 5000));
		ASSERT_EQ(0, receive(self->client, &m, buf, sizeof(buf),
				     MSG_DONTWAIT));
		if (m.outcome.id == 1)
			EXPECT_OUTCOME(&m, 1, TERN_UNKNOWN, EOWNERDEAD);
		else
			EXPECT_OUTCOME(&m, 2, TERN_NOT_EXECUTED, ECONNREFUSED);
	}
	EXPECT_TRUE(refused(self->client));
	self->server = service_open(PROGRAM, false, 0);
	EXPECT_EQ(0, ready(self->server, POLLIN, 0));
	EXPECT_TRUE(works(self->server, self->client));
}

TEST_F(lifetime, worker_process_dies)
{
	int *taken = shared_alloc(sizeof(*taken));
	struct message m;
	pid_t pid = fork_child();

	if (!pid) {
		int n = 0;

		while (receive(self->server, &m, buf, sizeof(buf), 0) == 4)
			__atomic_store_n(taken, ++n, __ATOMIC_RELEASE);
		_exit(1);
	}
	close(self->server);
	start_call(_metadata, self->client, 1);
	start_call(_metadata, self->client, 2);
	while (__atomic_load_n(taken, __ATOMIC_ACQUIRE) < 2)
		sched_yield();
	EXPECT_EQ(0, ready(self->client, POLLIN, 0));
	kill(pid, SIGKILL);
	EXPECT_EQ(-SIGKILL, wait_child(pid));
	for (int i = 0; i < 2; i++) {
		EXPECT_EQ(POLLIN, ready(self->client, POLLIN, 5000));
		ASSERT_EQ(0, receive(self->client, &m, buf, sizeof(buf), 0));
		EXPECT_OUTCOME(&m, m.outcome.id, TERN_UNKNOWN, EOWNERDEAD);
	}
	EXPECT_TRUE(refused(self->client));
	self->server = service_open(PROGRAM, false, 0);
	EXPECT_TRUE(works(self->server, self->client));
}

/* A waiting call hears of it at once too. */
TEST_F(lifetime, waiting_call_and_dead_worker)
{
	struct tern_ioc_call c = { .timeout_ms = 60000 };
	pid_t pid = fork_child();
	int64_t start = now_ms();
	struct message m;

	if (!pid) {
		receive(self->server, &m, buf, sizeof(buf), 0);
		_exit(0);
	}
	close(self->server);
	EXPECT_ERRNO(EOWNERDEAD, call(self->client, &c, 1, "", 0, NULL, 0));
	EXPECT_EQ((uint32_t)TERN_UNKNOWN, c.outcome);
	EXPECT_EQ((uint32_t)EOWNERDEAD, c.cause);
	EXPECT_GT(10000, now_ms() - start);
	EXPECT_EQ(0, wait_child(pid));
	self->server = -1;
}

TEST_F(lifetime, other_workers_go_on)
{
	struct message m[2];
	int second;

	close(self->server);
	self->server = service_open(PROGRAM, true, 0);
	second = service_open(PROGRAM, true, 0);
	ASSERT_LE(0, second);
	for (int i = 0; i < 4; i++)
		start_call(_metadata, self->client, i);
	ASSERT_EQ(4, receive(second, &m[0], buf, sizeof(buf), 0));
	ASSERT_EQ(4, receive(self->server, &m[1], buf, sizeof(buf), 0));
	close(second);
	EXPECT_NEXT(self->client, 0, TERN_UNKNOWN, EOWNERDEAD);
	ASSERT_EQ(0, send_reply(self->server, m[1].request.handle, 0, "", 0));
	EXPECT_NEXT(self->client, 1, TERN_REPLIED, 0);
	for (int i = 2; i < 4; i++) {
		ASSERT_EQ(4, receive(self->server, &m[0], buf, sizeof(buf),
				     MSG_DONTWAIT));
		ASSERT_EQ(0, send_reply(self->server, m[0].request.handle, 0,
					"", 0));
		EXPECT_NEXT(self->client, i, TERN_REPLIED, 0);
	}
	EXPECT_EQ(0, ready(self->server, POLLIN, 0));
}

/* A worker that dies in its sleep takes no wake-up with it. */
TEST_F(lifetime, sleeping_worker_dies)
{
	int *started = shared_alloc(sizeof(*started));
	struct message m;
	pid_t pid;

	close(self->server);
	self->server = service_open(PROGRAM, true, 0);
	pid = fork_child();
	if (!pid) {
		int fd = service_open(PROGRAM, true, 0);

		close(self->server);
		__atomic_store_n(started, 1, __ATOMIC_RELEASE);
		receive(fd, &m, buf, sizeof(buf), 0);
		_exit(1);
	}
	wait_asleep(pid, pid, started);
	kill(pid, SIGKILL);
	EXPECT_EQ(-SIGKILL, wait_child(pid));
	EXPECT_TRUE(works(self->server, self->client));
}

TEST_F(lifetime, duplicates_are_one_socket)
{
	int copy = dup(self->server);
	struct message m;

	ASSERT_LE(0, copy);
	start_call(_metadata, self->client, 1);
	ASSERT_EQ(4, receive(self->server, &m, buf, sizeof(buf), 0));
	close(self->server);
	EXPECT_EQ(0, ready(self->client, POLLIN, 0));
	EXPECT_EQ(2, send_reply(copy, m.request.handle, 0, "ok", 2));
	EXPECT_NEXT(self->client, 1, TERN_REPLIED, 0);
	EXPECT_TRUE(works(copy, self->client));
	self->server = copy;
}

/* Received by the parent, replied to by the child. */
TEST_F(lifetime, fork_shares_the_socket)
{
	struct message m;
	int go[2];
	pid_t pid;

	ASSERT_EQ(0, pipe(go));
	start_call(_metadata, self->client, 1);
	ASSERT_EQ(4, receive(self->server, &m, buf, sizeof(buf), 0));
	pid = fork_child();
	if (!pid) {
		char byte;

		if (read(go[0], &byte, 1) != 1)
			_exit(2);
		_exit(send_reply(self->server, m.request.handle, 0, "", 0));
	}
	close(self->server);
	EXPECT_EQ(0, ready(self->client, POLLIN, 0));
	EXPECT_EQ(1, write(go[1], "x", 1));
	EXPECT_EQ(0, wait_child(pid));
	EXPECT_NEXT(self->client, 1, TERN_REPLIED, 0);
	EXPECT_TRUE(refused(self->client));
	self->server = -1;
}

/*
 * Run cat in a child until @hold is closed; come back when exec() is done,
 * which closes the pipe end that the child had with FD_CLOEXEC.
 */
static pid_t exec_cat(int *hold)
{
	int in[2], done[2];
	pid_t pid;
	char byte;

	if (pipe2(in, O_CLOEXEC) || pipe2(done, O_CLOEXEC))
		return -1;
	pid = fork_child();
	if (!pid) {
		dup2(in[0], 0);
		execl("/bin/cat", "cat", NULL);
		_exit(127);
	}
	close(in[0]);
	close(done[1]);
	if (read(done[0], &byte, 1))
		pid = -1;
	close(done[0]);
	*hold = in[1];
	return pid;
}

TEST_F(lifetime, exec_closes)
{
	int hold;
	pid_t pid = exec_cat(&hold);

	ASSERT_LT(0, pid);
	close(self->server);
	EXPECT_TRUE(refused(self->client));
	close(hold);
	EXPECT_EQ(0, wait_child(pid));
	self->server = -1;
}

TEST_F(lifetime, exec_keeps)
{
	struct message m;
	int hold;
	pid_t pid;

	start_call(_metadata, self->client, 1);
	ASSERT_EQ(4, receive(self->server, &m, buf, sizeof(buf), 0));
	ASSERT_EQ(0, fcntl(self->server, F_SETFD, 0));
	pid = exec_cat(&hold);
	ASSERT_LT(0, pid);
	close(self->server);
	/* The program does not know, but holds the socket. */
	EXPECT_EQ(0, ready(self->client, POLLIN, 0));
	start_call(_metadata, self->client, 2);
	EXPECT_EQ(0, ready(self->client, POLLIN, 0));
	close(hold);
	EXPECT_EQ(0, wait_child(pid));
	for (int i = 0; i < 2; i++) {
		EXPECT_EQ(POLLIN, ready(self->client, POLLIN, 5000));
		ASSERT_EQ(0, receive(self->client, &m, buf, sizeof(buf), 0));
		EXPECT_OUTCOME(&m, m.outcome.id, m.outcome.id == 1 ?
			       TERN_UNKNOWN : TERN_NOT_EXECUTED,
			       m.outcome.id == 1 ? EOWNERDEAD : ECONNREFUSED);
	}
	self->server = -1;
}

static ssize_t pass(int via, int fd)
{
	union {
		char buf[CMSG_SPACE(sizeof(int))];
		struct cmsghdr align;
	} u = { 0 };
	struct iovec iov = { "x", 1 };
	struct msghdr msg = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = &u,
		.msg_controllen = sizeof(u),
	};
	struct cmsghdr *cmsg = CMSG_FIRSTHDR(&msg);

	cmsg->cmsg_level = SOL_SOCKET;
	cmsg->cmsg_type = SCM_RIGHTS;
	cmsg->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(cmsg), &fd, sizeof(fd));
	return sendmsg(via, &msg, 0);
}

static int take(int via)
{
	union {
		char buf[CMSG_SPACE(sizeof(int))];
		struct cmsghdr align;
	} u = { 0 };
	char byte;
	struct iovec iov = { &byte, 1 };
	struct msghdr msg = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = &u,
		.msg_controllen = sizeof(u),
	};
	int fd = -1;

	if (recvmsg(via, &msg, 0) == 1 && CMSG_FIRSTHDR(&msg))
		memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&msg)), sizeof(fd));
	return fd;
}

TEST_F(lifetime, passed_to_another_process)
{
	struct message m;
	int pair[2];
	pid_t pid;

	ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair));
	pid = fork_child();
	if (!pid) {
		int fd;

		close(self->server);
		close(self->client);
		fd = take(pair[1]);
		while (receive(fd, &m, buf, sizeof(buf), 0) == 4)
			send_reply(fd, m.request.handle, 0, "child", 5);
		_exit(1);
	}
	ASSERT_EQ(1, pass(pair[0], self->server));
	close(self->server);
	for (int i = 0; i < 10; i++) {
		start_call(_metadata, self->client, i);
		EXPECT_NEXT(self->client, i, TERN_REPLIED, 0);
	}
	kill(pid, SIGKILL);
	EXPECT_EQ(-SIGKILL, wait_child(pid));
	EXPECT_TRUE(refused(self->client));
	self->server = -1;
}

/* A descriptor on its way is a reference. */
TEST_F(lifetime, passed_and_not_taken)
{
	struct message m;
	int pair[2];

	ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair));
	start_call(_metadata, self->client, 1);
	ASSERT_EQ(4, receive(self->server, &m, buf, sizeof(buf), 0));
	ASSERT_EQ(1, pass(pair[0], self->server));
	close(self->server);
	start_call(_metadata, self->client, 2);
	EXPECT_EQ(0, ready(self->client, POLLIN, 0));
	close(pair[1]);
	for (int i = 0; i < 2; i++) {
		EXPECT_EQ(POLLIN, ready(self->client, POLLIN, 5000));
		ASSERT_EQ(0, receive(self->client, &m, buf, sizeof(buf), 0));
		EXPECT_OUTCOME(&m, m.outcome.id, m.outcome.id == 1 ?
			       TERN_UNKNOWN : TERN_NOT_EXECUTED,
			       m.outcome.id == 1 ? EOWNERDEAD : ECONNREFUSED);
	}
	close(pair[0]);
	self->server = -1;
}

TEST_F(lifetime, client_closes)
{
	struct message m;
	int other = client_open(PROGRAM, 0);

	start_call(_metadata, self->client, 1);
	start_call(_metadata, self->client, 2);
	start_call(_metadata, other, 3);
	ASSERT_EQ(4, receive(self->server, &m, buf, sizeof(buf), 0));
	close(self->client);
	/* Accepted and dropped. */
	EXPECT_EQ(2, send_reply(self->server, m.request.handle, 0, "ok", 2));
	/* The second was withdrawn, the third belongs to somebody else. */
	ASSERT_EQ(4, receive(self->server, &m, buf, sizeof(buf),
			     MSG_DONTWAIT));
	EXPECT_EQ(2, send_reply(self->server, m.request.handle, 0, "ok", 2));
	EXPECT_NEXT(other, 3, TERN_REPLIED, 0);
	EXPECT_EQ(0, ready(self->server, POLLIN, 0));
	self->client = other;
	EXPECT_TRUE(works(self->server, self->client));
}

TEST_F(lifetime, client_process_dies)
{
	int *started = shared_alloc(sizeof(*started));
	struct message m;
	pid_t pids[3];

	for (int i = 0; i < 3; i++) {
		*started = 0;
		pids[i] = fork_child();
		if (!pids[i]) {
			int fd = client_open(PROGRAM, 0);
			struct tern_ioc_call c = { .timeout_ms = 60000 };

			__atomic_store_n(started, 1, __ATOMIC_RELEASE);
			call(fd, &c, i, "", 0, NULL, 0);
			_exit(1);
		}
		wait_asleep(pids[i], pids[i], started);
	}
	ASSERT_EQ(0, receive(self->server, &m, buf, sizeof(buf), 0));
	EXPECT_EQ(0U, m.request.procedure);
	for (int i = 0; i < 2; i++) {
		kill(pids[i], SIGKILL);
		EXPECT_EQ(-SIGKILL, wait_child(pids[i]));
	}
	EXPECT_EQ(0, send_reply(self->server, m.request.handle, 0, "", 0));
	ASSERT_EQ(0, receive(self->server, &m, buf, sizeof(buf), 0));
	EXPECT_EQ(2U, m.request.procedure);
	kill(pids[2], SIGKILL);
	EXPECT_EQ(-SIGKILL, wait_child(pids[2]));
	EXPECT_EQ(0, ready(self->server, POLLIN, 0));
}

/* A one-way call that was delivered does not need its caller. */
TEST_F(lifetime, delivered_call_outlives_client)
{
	struct tern_ioc_call c = { .flags = TERN_CALL_ONEWAY };
	struct message m;

	ASSERT_EQ(0, call(self->client, &c, 1, "stay", 4, NULL, 0));
	close(self->client);
	ASSERT_EQ(4, receive(self->server, &m, buf, sizeof(buf),
			     MSG_DONTWAIT));
	self->client = -1;
}

/* Everything at once goes away with the last process in the namespace. */
TEST_F(lifetime, namespace_dies_with_calls)
{
	for (int i = 0; i < 20; i++) {
		pid_t pid = fork_child();

		if (!pid) {
			struct tern_cmsg_call start = { .id = 1 };
			struct message m;
			int server, client;

			if (unshare(CLONE_NEWNET))
				_exit(1);
			server = service_open(PROGRAM, false, 0);
			client = client_open(PROGRAM, 0);
			for (int j = 0; j < 3; j++)
				if (send_call(client, NULL, &start, "", 0))
					_exit(2);
			for (int j = 0; j < 2; j++)
				if (receive(server, &m, buf, 8, 0))
					_exit(3);
			if (send_reply(server, m.request.handle, 0, "", 0))
				_exit(4);
			if (i & 1)
				close(server);
			_exit(0);
		}
		EXPECT_EQ(0, wait_child(pid));
	}
	EXPECT_TRUE(works(self->server, self->client));
}

TEST_HARNESS_MAIN
