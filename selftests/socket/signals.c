// SPDX-License-Identifier: GPL-2.0
/* What a signal does to each of the waits. */
#include "tern_test.h"

/* Shared with the child process that waits and is interrupted. */
struct shared {
	int started;
	int handled;
	ssize_t ret;
	int error;
	uint32_t outcome, cause;
	uint64_t handle;
};

static struct shared *shared;
static char buf[16384];

FIXTURE(signals) {
	int server;
	int client;
};

FIXTURE_SETUP(signals)
{
	ASSERT_EQ(0, unshare(CLONE_NEWNET));
	self->server = service_open(PROGRAM, false, 0);
	ASSERT_LE(0, self->server);
	self->client = client_open(PROGRAM, 0);
	ASSERT_LE(0, self->client);
	shared = shared_alloc(sizeof(*shared));
	ASSERT_NE(NULL, shared);
}

FIXTURE_TEARDOWN(signals)
{
	close(self->client);
	close(self->server);
}

static void handler(int signal)
{
	(void)signal;
	__atomic_add_fetch(&shared->handled, 1, __ATOMIC_RELEASE);
}

/* Run @wait in a child that handles SIGUSR1, and come back when it sleeps. */
static pid_t start_waiting(int (*wait)(int), int fd, int sa_flags)
{
	struct sigaction action = {
		.sa_handler = handler, .sa_flags = sa_flags,
	};
	pid_t pid = fork_child();

	if (!pid) {
		sigaction(SIGUSR1, &action, NULL);
		__atomic_store_n(&shared->started, 1, __ATOMIC_RELEASE);
		shared->ret = wait(fd);
		shared->error = shared->ret < 0 ? errno : 0;
		_exit(0);
	}
	wait_asleep(pid, pid, &shared->started);
	return pid;
}

static void interrupt(pid_t pid)
{
	int handled = shared->handled;

	kill(pid, SIGUSR1);
	while (__atomic_load_n(&shared->handled, __ATOMIC_ACQUIRE) == handled)
		sched_yield();
}

static int wait_receive(int fd)
{
	struct message m;

	return receive(fd, &m, buf, sizeof(buf), 0);
}

TEST_F(signals, receive_is_interrupted)
{
	pid_t pid = start_waiting(wait_receive, self->server, 0);

	interrupt(pid);
	EXPECT_EQ(0, wait_child(pid));
	EXPECT_EQ(-1, shared->ret);
	EXPECT_EQ(EINTR, shared->error);
	EXPECT_TRUE(works(self->server, self->client));
}

TEST_F(signals, receive_is_restarted)
{
	struct tern_cmsg_call start = { .id = 1 };
	pid_t pid = start_waiting(wait_receive, self->server, SA_RESTART);

	for (int i = 0; i < 3; i++) {
		interrupt(pid);
		wait_asleep(pid, pid, NULL);
	}
	ASSERT_EQ(7, send_call(self->client, NULL, &start, "request", 7));
	EXPECT_EQ(0, wait_child(pid));
	EXPECT_EQ(7, shared->ret);
}

/* As for every socket: with a timeout there is no restart. */
TEST_F(signals, receive_with_timeout)
{
	pid_t pid;

	ASSERT_EQ(0, set_time(self->server, SO_RCVTIMEO, 20000));
	pid = start_waiting(wait_receive, self->server, SA_RESTART);
	interrupt(pid);
	EXPECT_EQ(0, wait_child(pid));
	EXPECT_EQ(-1, shared->ret);
	EXPECT_EQ(EINTR, shared->error);
}

static int wait_send(int fd)
{
	struct tern_cmsg_call start = { .id = 2 };

	return send_call(fd, NULL, &start, "second", 6);
}

static void fill_send_buffer(struct __test_metadata *_metadata, int client)
{
	struct tern_cmsg_call start = { .id = 1 };

	ASSERT_EQ(0, set_int(client, SOL_SOCKET, SO_SNDBUF, 1));
	ASSERT_EQ(9000, send_call(client, NULL, &start, buf, 9000));
}

TEST_F(signals, send_is_interrupted)
{
	struct message m;
	pid_t pid;

	fill_send_buffer(_metadata, self->client);
	pid = start_waiting(wait_send, self->client, 0);
	interrupt(pid);
	EXPECT_EQ(0, wait_child(pid));
	EXPECT_EQ(-1, shared->ret);
	EXPECT_EQ(EINTR, shared->error);
	ASSERT_EQ(9000, receive(self->server, &m, buf, sizeof(buf), 0));
	EXPECT_EQ(0, ready(self->server, POLLIN, 0));
}

TEST_F(signals, send_is_restarted)
{
	struct message m;
	pid_t pid;

	fill_send_buffer(_metadata, self->client);
	pid = start_waiting(wait_send, self->client, SA_RESTART);
	for (int i = 0; i < 3; i++) {
		interrupt(pid);
		wait_asleep(pid, pid, NULL);
	}
	ASSERT_EQ(9000, receive(self->server, &m, buf, sizeof(buf), 0));
	ASSERT_EQ(0, send_reply(self->server, m.request.handle, 0, "", 0));
	ASSERT_EQ(0, receive(self->client, &m, buf, sizeof(buf), 0));
	EXPECT_EQ(0, wait_child(pid));
	EXPECT_EQ(6, shared->ret);
	/* It was sent once. */
	ASSERT_EQ(6, receive(self->server, &m, buf, sizeof(buf), 0));
	EXPECT_EQ(0, ready(self->server, POLLIN, 0));
}

static int wait_call(int fd)
{
	struct tern_ioc_call c = { .timeout_ms = 60000 };
	int ret = call(fd, &c, 1, "call", 4, NULL, 0);
	int error = errno;

	shared->outcome = c.outcome;
	shared->cause = c.cause;
	errno = error;
	return ret;
}

/* Never restarted, even when the handler asks for it. */
TEST_F(signals, call_while_queued)
{
	struct message m;
	pid_t pid = start_waiting(wait_call, self->client, SA_RESTART);

	EXPECT_EQ(POLLIN, ready(self->server, POLLIN, 0));
	interrupt(pid);
	EXPECT_EQ(0, wait_child(pid));
	EXPECT_EQ(-1, shared->ret);
	EXPECT_EQ(EINTR, shared->error);
	EXPECT_EQ((uint32_t)TERN_NOT_EXECUTED, shared->outcome);
	EXPECT_EQ((uint32_t)EINTR, shared->cause);
	/* Certainly not executed: it is not there any longer. */
	EXPECT_ERRNO(EAGAIN, receive(self->server, &m, buf, sizeof(buf),
				     MSG_DONTWAIT));
	EXPECT_TRUE(works(self->server, self->client));
}

TEST_F(signals, call_while_executing)
{
	struct message m;
	pid_t pid = start_waiting(wait_call, self->client, SA_RESTART);

	ASSERT_EQ(4, receive(self->server, &m, buf, sizeof(buf), 0));
	interrupt(pid);
	EXPECT_EQ(0, wait_child(pid));
	EXPECT_EQ(-1, shared->ret);
	EXPECT_EQ(EINTR, shared->error);
	EXPECT_EQ((uint32_t)TERN_UNKNOWN, shared->outcome);
	EXPECT_EQ((uint32_t)EINTR, shared->cause);
	EXPECT_EQ(2, send_reply(self->server, m.request.handle, 0, "ok", 2));
	EXPECT_EQ(0, ready(self->client, POLLIN, 0));
	EXPECT_EQ(0, ready(self->server, POLLIN, 0));
	EXPECT_TRUE(works(self->server, self->client));
}

/* As signal(7) says of other calls: without a handler, too. */
TEST_F(signals, call_is_stopped)
{
	struct message m;
	pid_t pid = start_waiting(wait_call, self->client, SA_RESTART);
	int status;

	ASSERT_EQ(4, receive(self->server, &m, buf, sizeof(buf), 0));
	ASSERT_EQ(0, kill(pid, SIGSTOP));
	ASSERT_EQ(pid, waitpid(pid, &status, WUNTRACED));
	ASSERT_TRUE(WIFSTOPPED(status));
	ASSERT_EQ(0, kill(pid, SIGCONT));
	EXPECT_EQ(0, wait_child(pid));
	EXPECT_EQ(-1, shared->ret);
	EXPECT_EQ(EINTR, shared->error);
	EXPECT_EQ((uint32_t)TERN_UNKNOWN, shared->outcome);
	EXPECT_EQ(0, send_reply(self->server, m.request.handle, 0, "", 0));
	EXPECT_TRUE(works(self->server, self->client));
}

static int wait_reply_recv(int fd)
{
	struct tern_ioc_reply_recv rr = {
		.handle = shared->handle,
		.reply = (uintptr_t)"reply",
		.reply_len = 5,
		.request = (uintptr_t)buf,
		.request_len = sizeof(buf),
	};
	int ret = ioctl(fd, TERN_IOC_REPLY_RECV, &rr);

	shared->handle = rr.handle;
	return ret;
}

static pid_t start_reply_recv(struct __test_metadata *_metadata, int server,
			      int client, int sa_flags)
{
	struct tern_cmsg_call start = { .id = 1 };
	struct message m;
	pid_t pid;

	ASSERT_EQ(0, send_call(client, NULL, &start, "", 0));
	ASSERT_EQ(0, receive(server, &m, buf, sizeof(buf), 0));
	shared->handle = m.request.handle;
	pid = start_waiting(wait_reply_recv, server, sa_flags);
	ASSERT_EQ(5, receive(client, &m, buf, sizeof(buf), 0));
	EXPECT_OUTCOME(&m, 1, TERN_REPLIED, 0);
	return pid;
}

TEST_F(signals, reply_recv_is_interrupted)
{
	pid_t pid = start_reply_recv(_metadata, self->server, self->client, 0);

	interrupt(pid);
	EXPECT_EQ(0, wait_child(pid));
	EXPECT_EQ(-1, shared->ret);
	EXPECT_EQ(EINTR, shared->error);
	EXPECT_EQ(0U, shared->handle);
	EXPECT_TRUE(works(self->server, self->client));
}

/* A restart that replied again would fail, since the handle is used up. */
TEST_F(signals, reply_recv_is_restarted)
{
	struct tern_cmsg_call start = { .id = 2 };
	pid_t pid = start_reply_recv(_metadata, self->server, self->client,
				     SA_RESTART);

	for (int i = 0; i < 3; i++) {
		interrupt(pid);
		wait_asleep(pid, pid, NULL);
	}
	ASSERT_EQ(4, send_call(self->client, NULL, &start, "next", 4));
	EXPECT_EQ(0, wait_child(pid));
	EXPECT_EQ(0, shared->ret);
	EXPECT_NE(0U, shared->handle);
	EXPECT_EQ(0, ready(self->client, POLLIN, 0));
	EXPECT_EQ(2, send_reply(self->server, shared->handle, 0, "ok", 2));
}

TEST_F(signals, reply_recv_times_out)
{
	struct tern_cmsg_call start = { .id = 1 };
	struct message m;

	ASSERT_EQ(0, set_time(self->server, SO_RCVTIMEO, 100));
	ASSERT_EQ(0, send_call(self->client, NULL, &start, "", 0));
	ASSERT_EQ(0, receive(self->server, &m, buf, sizeof(buf), 0));
	shared->handle = m.request.handle;
	EXPECT_ERRNO(EAGAIN, wait_reply_recv(self->server));
	EXPECT_EQ(0U, shared->handle);
	EXPECT_EQ(5, receive(self->client, &m, buf, sizeof(buf), 0));
}

TEST_F(signals, killed_while_waiting)
{
	struct message m;
	pid_t pid = start_waiting(wait_call, self->client, 0);

	kill(pid, SIGKILL);
	EXPECT_EQ(-SIGKILL, wait_child(pid));
	EXPECT_ERRNO(EAGAIN, receive(self->server, &m, buf, sizeof(buf),
				     MSG_DONTWAIT));
	shared->started = 0;
	pid = start_waiting(wait_receive, self->server, 0);
	kill(pid, SIGKILL);
	EXPECT_EQ(-SIGKILL, wait_child(pid));
	EXPECT_TRUE(works(self->server, self->client));
}

/* @signal, which is blocked, is queued when something happens to @fd. */
static int set_async(int fd, int signal)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, signal);
	if (sigprocmask(SIG_BLOCK, &set, NULL) ||
	    fcntl(fd, F_SETOWN, getpid()) || fcntl(fd, F_SETSIG, signal))
		return -1;
	return fcntl(fd, F_SETFL, O_ASYNC);
}

/* The poll() events of the next signal; 0 when none is queued. */
static int async_events(int fd, int signal)
{
	const struct timespec none = { 0 };
	siginfo_t info;
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, signal);
	if (sigtimedwait(&set, &info, &none) != signal)
		return 0;
	return info.si_fd == fd ? info.si_band : -1;
}

/* A request is queued before the system call that sends it returns. */
TEST_F(signals, async_request)
{
	const int events = POLLIN | POLLRDNORM, signal = SIGRTMIN;
	struct tern_cmsg_call start = { .id = 1 };
	struct message m;

	ASSERT_EQ(0, set_async(self->server, signal));
	EXPECT_EQ(0, async_events(self->server, signal));
	for (int i = 0; i < 3; i++) {
		ASSERT_EQ(0, send_call(self->client, NULL, &start, "", 0));
		EXPECT_EQ(events, async_events(self->server, signal));
		EXPECT_EQ(0, async_events(self->server, signal));
		ASSERT_EQ(0, receive(self->server, &m, buf, 8, 0));
	}
	ASSERT_EQ(0, fcntl(self->server, F_SETFL, 0));
	ASSERT_EQ(0, send_call(self->client, NULL, &start, "", 0));
	EXPECT_EQ(0, async_events(self->server, signal));
}

TEST_F(signals, async_before_bind)
{
	const int events = POLLIN | POLLRDNORM, signal = SIGRTMIN;
	struct tern_cmsg_call start = { .id = 1 };
	int fd = tern_open(0);

	ASSERT_LE(0, fd);
	ASSERT_EQ(0, set_async(fd, signal));
	ASSERT_EQ(0, tern_bind(fd, PROGRAM + 1));
	/* Whoever waited before bind must look again. */
	EXPECT_EQ(events, async_events(fd, signal));
	ASSERT_EQ(0, tern_connect(self->client, PROGRAM + 1));
	ASSERT_EQ(0, send_call(self->client, NULL, &start, "", 0));
	EXPECT_EQ(events, async_events(fd, signal));
	close(fd);
}

/* As poll() tells all who share the service. */
TEST_F(signals, async_shared)
{
	const int events = POLLIN | POLLRDNORM;
	struct tern_cmsg_call start = { .id = 1 };
	int fds[3];

	for (int i = 0; i < 3; i++) {
		fds[i] = service_open(PROGRAM + 1, true, 0);
		ASSERT_LE(0, fds[i]);
	}
	ASSERT_EQ(0, set_async(fds[0], SIGRTMIN));
	ASSERT_EQ(0, set_async(fds[2], SIGRTMIN + 2));
	ASSERT_EQ(0, tern_connect(self->client, PROGRAM + 1));
	ASSERT_EQ(0, send_call(self->client, NULL, &start, "", 0));
	EXPECT_EQ(events, async_events(fds[0], SIGRTMIN));
	EXPECT_EQ(events, async_events(fds[2], SIGRTMIN + 2));
	EXPECT_EQ(0, async_events(fds[0], SIGRTMIN));
	for (int i = 0; i < 3; i++)
		close(fds[i]);
}

TEST_F(signals, async_outcome)
{
	const int events = POLLIN | POLLRDNORM, signal = SIGRTMIN;
	struct tern_cmsg_call start = { .id = 1 };
	struct message m;

	ASSERT_EQ(0, set_async(self->client, signal));
	ASSERT_EQ(0, send_call(self->client, NULL, &start, "", 0));
	EXPECT_EQ(0, async_events(self->client, signal));
	ASSERT_EQ(0, receive(self->server, &m, buf, 8, 0));
	ASSERT_EQ(2, send_reply(self->server, m.request.handle, 0, "ok", 2));
	EXPECT_EQ(events, async_events(self->client, signal));
}

TEST_HARNESS_MAIN
