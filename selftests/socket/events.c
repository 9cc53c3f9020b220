// SPDX-License-Identifier: GPL-2.0
/*
 * What a worker is told about the requests that it executes, what becomes of
 * those that nobody wants any more, and the time that it can ask for.
 */
#include <sys/epoll.h>

#include "tern_test.h"

/* From the event at a deadline until the request is given up, the default. */
#define GRACE_MS	1000

TERN_FIXTURE(events);

static char buf[64];

static uint64_t take(int fd)
{
	struct message m;

	if (receive(fd, &m, buf, sizeof(buf), 0) < 0 ||
	    m.type != TERN_CMSG_REQUEST)
		return 0;
	return m.request.handle;
}

/* recvmsg() of an event: 0, or -1 and errno. */
static int take_event(int fd, struct tern_cmsg_event *event)
{
	union {
		char buf[CONTROL_SPACE];
		struct cmsghdr align;
	} u;
	struct msghdr msg = {
		.msg_control = &u,
		.msg_controllen = sizeof(u),
	};
	struct cmsghdr *cmsg;

	if (recvmsg(fd, &msg, MSG_OOB) < 0)
		return -1;
	cmsg = CMSG_FIRSTHDR(&msg);
	errno = EPROTO;
	if (!(msg.msg_flags & MSG_OOB) || msg.msg_flags & MSG_CTRUNC || !cmsg ||
	    cmsg->cmsg_level != SOL_TERN ||
	    cmsg->cmsg_type != TERN_CMSG_EVENT ||
	    cmsg->cmsg_len != CMSG_LEN(sizeof(*event)))
		return -1;
	memcpy(event, CMSG_DATA(cmsg), sizeof(*event));
	return 0;
}

/* TERN_IOC_REQUEST; what it writes is in @query. */
static int ask(int fd, struct tern_ioc_request *query, uint64_t handle,
	       uint32_t extend_ms)
{
	*query = (struct tern_ioc_request){ .handle = handle,
					    .extend_ms = extend_ms };
	return ioctl(fd, TERN_IOC_REQUEST, query);
}

/* Wait until a request is given up. */
static bool is_given_up(int fd, uint64_t handle)
{
	int64_t end = now_ms() + PATIENCE_MS;
	struct tern_ioc_request query;

	while (!ask(fd, &query, handle, 0)) {
		if (now_ms() > end)
			return false;
		poll(NULL, 0, 1);
	}
	return errno == ENOENT;
}

static void start_call(struct __test_metadata *_metadata, int fd,
		       uint32_t timeout_ms, uint32_t extend_ms)
{
	struct tern_cmsg_call start = { .id = 1, .timeout_ms = timeout_ms,
					.extend_ms = extend_ms };

	ASSERT_EQ(4, send_call(fd, NULL, &start, "work", 4));
}

/* The one event of a request, which has to be there. */
#define EXPECT_EVENT(fd, wanted_handle, wanted_cause, least_ms, most_ms)	\
	do {									\
		struct tern_cmsg_event _event = { 0 };				\
										\
		EXPECT_EQ(POLLPRI, ready(fd, POLLPRI, PATIENCE_MS));		\
		EXPECT_EQ(0, take_event(fd, &_event));				\
		EXPECT_EQ(wanted_handle, _event.handle);			\
		EXPECT_EQ((uint32_t)(wanted_cause), _event.cause);		\
		EXPECT_LE((uint32_t)(least_ms), _event.time_left_ms);		\
		EXPECT_GE((uint32_t)(most_ms), _event.time_left_ms);		\
		EXPECT_EQ(0, ready(fd, POLLPRI, 0));				\
		EXPECT_ERRNO(EAGAIN, take_event(fd, &_event));			\
	} while (0)

TEST_F(events, caller_closes)
{
	struct tern_ioc_request query;
	uint64_t handle;

	start_call(_metadata, self->client, 60000, 0);
	handle = take(self->server);
	ASSERT_NE(0, handle);
	EXPECT_EQ(0, ready(self->server, POLLPRI, 0));
	ASSERT_EQ(0, ask(self->server, &query, handle, 0));
	EXPECT_EQ(0U, query.cause);
	EXPECT_GE(60000U, query.time_left_ms);
	EXPECT_LT(50000U, query.time_left_ms);
	close(self->client);
	/* It is the worker's until its deadline. */
	EXPECT_EVENT(self->server, handle, EOWNERDEAD, 50000,
		     60000 + GRACE_MS);
	ASSERT_EQ(0, ask(self->server, &query, handle, 0));
	EXPECT_EQ((uint32_t)EOWNERDEAD, query.cause);
	EXPECT_LT(50000U, query.time_left_ms);
	EXPECT_EQ(0, send_reply(self->server, handle, 0, "", 0));
	EXPECT_ERRNO(ENOENT, ask(self->server, &query, handle, 0));
	EXPECT_ERRNO(ENOENT, send_reply(self->server, handle, 0, "", 0));
	self->client = client_open(PROGRAM, 0);
	EXPECT_TRUE(works(self->server, self->client));
}

/* An event that cannot be stored stays, and is received by the next call. */
TEST_F(events, wrong_memory)
{
	struct msghdr msg = {
		.msg_control = (void *)8,
		.msg_controllen = CONTROL_SPACE,
	};
	uint64_t handle;

	start_call(_metadata, self->client, 60000, 0);
	handle = take(self->server);
	ASSERT_NE(0, handle);
	close(self->client);
	EXPECT_EQ(POLLPRI, ready(self->server, POLLPRI, PATIENCE_MS));
	EXPECT_ERRNO(EFAULT, recvmsg(self->server, &msg, MSG_OOB));
	EXPECT_ERRNO(EFAULT, recvmsg(self->server, &msg, MSG_OOB));
	EXPECT_EVENT(self->server, handle, EOWNERDEAD, 50000,
		     60000 + GRACE_MS);
	self->client = client_open(PROGRAM, 0);
}

/* A child that makes a call, by ioctl or by sendmsg, and stays. */
static pid_t start_caller(int fd, bool waits)
{
	struct tern_cmsg_call start = { .timeout_ms = 60000 };
	struct tern_ioc_call c = { .timeout_ms = 60000 };
	pid_t pid = fork_child();

	if (pid)
		return pid;
	if (waits)
		call(fd, &c, 1, "work", 4, NULL, 0);
	else
		send_call(fd, NULL, &start, "work", 4);
	pause();
	_exit(1);
}

/* However a process ends that has the only descriptor of the socket. */
TEST_F(events, caller_is_killed)
{
	for (int waits = 0; waits < 2; waits++) {
		pid_t pid = start_caller(self->client, waits);
		uint64_t handle;

		close(self->client);
		handle = take(self->server);
		ASSERT_NE(0, handle);
		EXPECT_EQ(0, ready(self->server, POLLPRI, 0));
		kill(pid, SIGKILL);
		EXPECT_EQ(-SIGKILL, wait_child(pid));
		EXPECT_EVENT(self->server, handle, EOWNERDEAD, 50000,
			     60000 + GRACE_MS);
		EXPECT_EQ(0, send_reply(self->server, handle, 0, "", 0));
		self->client = client_open(PROGRAM, 0);
		EXPECT_TRUE(works(self->server, self->client));
	}
}

TEST_F(events, caller_exits)
{
	struct tern_cmsg_call start = { .timeout_ms = 60000 };
	pid_t pid = fork_child();
	uint64_t handle;

	if (!pid) {
		send_call(self->client, NULL, &start, "work", 4);
		/* not before it executes */
		while (ready(self->server, POLLIN, 0))
			sched_yield();
		_exit(0);
	}
	close(self->client);
	handle = take(self->server);
	ASSERT_NE(0, handle);
	EXPECT_EQ(0, wait_child(pid));
	EXPECT_EVENT(self->server, handle, EOWNERDEAD, 50000,
		     60000 + GRACE_MS);
	self->client = client_open(PROGRAM, 0);
	EXPECT_TRUE(works(self->server, self->client));
}

static void handler(int signal)
{
	(void)signal;
}

TEST_F(events, caller_is_interrupted)
{
	struct sigaction action = { .sa_handler = handler };
	pid_t pid = fork_child();
	uint64_t handle;

	if (!pid) {
		struct tern_ioc_call c = { .timeout_ms = 60000 };

		sigaction(SIGUSR1, &action, NULL);
		call(self->client, &c, 1, "work", 4, NULL, 0);
		_exit(c.outcome != TERN_UNKNOWN || c.cause != EINTR);
	}
	handle = take(self->server);
	ASSERT_NE(0, handle);
	EXPECT_EQ(0, ready(self->server, POLLPRI, 0));
	wait_asleep(pid, pid, NULL);
	kill(pid, SIGUSR1);
	EXPECT_EQ(0, wait_child(pid));
	EXPECT_EVENT(self->server, handle, ECANCELED, 50000,
		     60000 + GRACE_MS);
	EXPECT_EQ(0, send_reply(self->server, handle, 0, "", 0));
	EXPECT_TRUE(works(self->server, self->client));
}

/* The policies differ in nothing while the node of the caller lives... */
TEST_F(events, policies)
{
	for (int policy = 0; policy <= TERN_ORPHANS_EXTERMINATE; policy++) {
		uint32_t least = 50000, most = 60000 + GRACE_MS;
		int fd = tern_open(0), value = -1;
		socklen_t len = sizeof(value);
		uint64_t handle;

		/* ...but in this. */
		if (policy == TERN_ORPHANS_EXTERMINATE)
			least = 1, most = GRACE_MS;
		ASSERT_EQ(0, set_int(fd, SOL_TERN, TERN_ORPHANS, policy));
		ASSERT_EQ(0, getsockopt(fd, SOL_TERN, TERN_ORPHANS, &value,
					&len));
		EXPECT_EQ(policy, value);
		ASSERT_EQ(0, tern_bind(fd, PROGRAM + 1));
		EXPECT_ERRNO(EINVAL, set_int(fd, SOL_TERN, TERN_ORPHANS, 0));
		ASSERT_EQ(0, tern_connect(self->client, PROGRAM + 1));
		start_call(_metadata, self->client, 60000, 0);
		handle = take(fd);
		ASSERT_NE(0, handle);
		close(self->client);
		EXPECT_EVENT(fd, handle, EOWNERDEAD, least, most);
		self->client = client_open(PROGRAM + 1, 0);
		if (policy == TERN_ORPHANS_EXTERMINATE) {
			EXPECT_TRUE(is_given_up(fd, handle));
			EXPECT_ERRNO(ENOENT, send_reply(fd, handle, 0, "", 0));
		} else {
			EXPECT_EQ(0, send_reply(fd, handle, 0, "", 0));
		}
		EXPECT_TRUE(works(fd, self->client));
		close(fd);
	}
	EXPECT_ERRNO(EINVAL, set_int(self->client, SOL_TERN, TERN_ORPHANS,
				     TERN_ORPHANS_EXTERMINATE + 1));
}

TEST_F(events, policies_are_alike)
{
	int fds[2] = { tern_open(0), tern_open(0) };

	for (int i = 0; i < 2; i++)
		ASSERT_EQ(0, set_int(fds[i], SOL_TERN, TERN_SHARE, 1));
	ASSERT_EQ(0, set_int(fds[0], SOL_TERN, TERN_ORPHANS,
			     TERN_ORPHANS_GENTLE));
	ASSERT_EQ(0, tern_bind(fds[0], PROGRAM + 1));
	EXPECT_ERRNO(EADDRINUSE, tern_bind(fds[1], PROGRAM + 1));
	ASSERT_EQ(0, set_int(fds[1], SOL_TERN, TERN_ORPHANS,
			     TERN_ORPHANS_GENTLE));
	EXPECT_EQ(0, tern_bind(fds[1], PROGRAM + 1));
	for (int i = 0; i < 2; i++)
		close(fds[i]);
}

/* The event comes before the end, and says when that is. */
TEST_F(events, given_up_after_the_deadline)
{
	int64_t start = now_ms(), told;
	struct tern_ioc_request query;
	struct message m;
	uint64_t handle;

	start_call(_metadata, self->client, 1000, 0);
	handle = take(self->server);
	ASSERT_NE(0, handle);
	EXPECT_EVENT(self->server, handle, ETIMEDOUT, GRACE_MS / 2,
		     GRACE_MS + 200);
	told = now_ms();
	EXPECT_LE(100, told - start);
	ASSERT_EQ(0, receive(self->client, &m, buf, sizeof(buf), 0));
	EXPECT_OUTCOME(&m, 1, TERN_UNKNOWN, ETIMEDOUT);
	ASSERT_EQ(0, ask(self->server, &query, handle, 0));
	EXPECT_EQ((uint32_t)ETIMEDOUT, query.cause);
	EXPECT_TRUE(is_given_up(self->server, handle));
	EXPECT_LE(1000 + GRACE_MS - 10, now_ms() - start);
	EXPECT_ERRNO(ENOENT, send_reply(self->server, handle, 0, "", 0));
	EXPECT_ERRNO(ENOENT, send_reply(self->server, handle, 0, "", 0));
	EXPECT_EQ(0, ready(self->server, POLLPRI, 0));
	EXPECT_EQ(0, ready(self->client, POLLIN, 0));
	EXPECT_TRUE(works(self->server, self->client));
}

/* Within the grace time a reply is taken. */
TEST_F(events, reply_within_the_grace_time)
{
	uint64_t handle;
	struct message m;

	start_call(_metadata, self->client, 1000, 0);
	handle = take(self->server);
	ASSERT_NE(0, handle);
	ASSERT_EQ(0, receive(self->client, &m, buf, sizeof(buf), 0));
	EXPECT_OUTCOME(&m, 1, TERN_UNKNOWN, ETIMEDOUT);
	EXPECT_EQ(POLLPRI, ready(self->server, POLLPRI, PATIENCE_MS));
	EXPECT_EQ(0, send_reply(self->server, handle, 0, "", 0));
	/* An event that was not received goes with its request. */
	EXPECT_EQ(0, ready(self->server, POLLPRI, 0));
	EXPECT_TRUE(works(self->server, self->client));
}

TEST_F(events, queued_work_is_removed)
{
	struct message m;
	uint64_t handle;
	int other;

	start_call(_metadata, self->client, 60000, 0);
	handle = take(self->server);
	ASSERT_NE(0, handle);
	other = client_open(PROGRAM, 0);
	start_call(_metadata, other, 60000, 0);
	EXPECT_EQ(POLLIN, ready(self->server, POLLIN, 0));
	close(other);
	EXPECT_EQ(0, ready(self->server, POLLIN | POLLPRI, 0));
	/* At the deadline it is not executed, without an event. */
	start_call(_metadata, self->client, 100, 0);
	ASSERT_EQ(0, receive(self->client, &m, buf, sizeof(buf), 0));
	EXPECT_OUTCOME(&m, 1, TERN_NOT_EXECUTED, ETIMEDOUT);
	EXPECT_EQ(0, ready(self->server, POLLIN | POLLPRI, 0));
	EXPECT_EQ(0, send_reply(self->server, handle, 0, "", 0));
}

TEST_F(events, oneway_has_none)
{
	struct tern_cmsg_call start = { .flags = TERN_CALL_ONEWAY,
					.timeout_ms = 1000 };
	struct tern_ioc_request query;
	int64_t end = now_ms() + 1000 + GRACE_MS + 200;
	uint64_t handle;

	ASSERT_EQ(0, send_call(self->client, NULL, &start, "", 0));
	handle = take(self->server);
	ASSERT_NE(0, handle);
	EXPECT_ERRNO(ENOENT, ask(self->server, &query, handle, 0));
	close(self->client);
	EXPECT_EQ(0, ready(self->server, POLLPRI, end - now_ms()));
	self->client = client_open(PROGRAM, 0);
}

TEST_F(events, request_errors)
{
	struct tern_ioc_request query;
	uint64_t handle;
	int other;

	EXPECT_ERRNO(ENOENT, ask(self->client, &query, 1, 0));
	EXPECT_ERRNO(ENOENT, ask(self->server, &query, 0, 0));
	EXPECT_ERRNO(ENOENT, ask(self->server, &query, 0, 1000));
	EXPECT_ERRNO(EFAULT, ioctl(self->server, TERN_IOC_REQUEST, 8));
	start_call(_metadata, self->client, 60000, 0);
	handle = take(self->server);
	ASSERT_NE(0, handle);
	EXPECT_ERRNO(ENOENT, ask(self->server, &query, handle + 1, 0));
	EXPECT_ERRNO(EINVAL, ask(self->server, &query, handle,
				 TERN_TIMEOUT_MAX + 1));
	query = (struct tern_ioc_request){ .handle = handle, .__resv = 1 };
	EXPECT_ERRNO(EINVAL, ioctl(self->server, TERN_IOC_REQUEST, &query));
	/* What another socket executes is not its business. */
	other = service_open(PROGRAM + 1, false, 0);
	EXPECT_ERRNO(ENOENT, ask(other, &query, handle, 0));
	EXPECT_ERRNO(ENOENT, ask(other, &query, handle, 1000));
	close(other);
	EXPECT_EQ(0, ask(self->server, &query, handle, 0));
}

/* What the caller has granted beforehand, and no more. */
TEST_F(events, more_time)
{
	static const struct {
		uint32_t timeout, extend, limit, wanted, least, most;
	} rows[] = {
		{ 5000, 60000, 0, 30000, 29000, 30000 },	/* granted */
		{ 5000, 10000, 0, 60000, 10001, 15000 },	/* in part */
		{ 5000, 0, 0, 60000, 1000, 5000 },		/* refused */
		{ 5000, 60000, 8000, 60000, 5001, 8000 },	/* limited */
		{ 5000, 60000, 4000, 60000, 1000, 4000 },
		{ 30000, 60000, 0, 5000, 25000, 30000 },	/* not needed */
	};
	struct tern_ioc_request query;
	struct message m;

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct tern_cmsg_call start = { .id = 1,
						.timeout_ms = rows[i].timeout,
						.extend_ms = rows[i].extend,
						.limit_ms = rows[i].limit };
		uint64_t handle;

		ASSERT_EQ(4, send_call(self->client, NULL, &start, "work", 4));
		handle = take(self->server);
		ASSERT_NE(0, handle);
		ASSERT_EQ(0, ask(self->server, &query, handle, rows[i].wanted));
		EXPECT_EQ(0U, query.cause);
		EXPECT_LE(rows[i].least, query.time_left_ms);
		EXPECT_GE(rows[i].most, query.time_left_ms);
		ASSERT_EQ(0, send_reply(self->server, handle, 0, "", 0));
		ASSERT_EQ(0, receive(self->client, &m, buf, sizeof(buf), 0));
		EXPECT_OUTCOME(&m, 1, TERN_REPLIED, 0);
	}
}

/* Both ends stay until the new deadline, in several steps, then end. */
TEST_F(events, more_time_is_used)
{
	struct tern_ioc_request query;
	int64_t start = now_ms();
	struct message m;
	uint64_t handle;

	start_call(_metadata, self->client, 1500, 1500);
	handle = take(self->server);
	ASSERT_NE(0, handle);
	ASSERT_EQ(0, ask(self->server, &query, handle, 2000));
	EXPECT_LE(1500U, query.time_left_ms);
	ASSERT_EQ(0, ask(self->server, &query, handle, 60000));
	EXPECT_GE(3000U, query.time_left_ms);
	ASSERT_EQ(0, receive(self->client, &m, buf, sizeof(buf), 0));
	EXPECT_OUTCOME(&m, 1, TERN_UNKNOWN, ETIMEDOUT);
	EXPECT_LE(2990, now_ms() - start);
	EXPECT_EVENT(self->server, handle, ETIMEDOUT, 0, GRACE_MS + 200);
	/* It is too late for more. */
	ASSERT_EQ(0, ask(self->server, &query, handle, 60000));
	EXPECT_EQ((uint32_t)ETIMEDOUT, query.cause);
	EXPECT_EQ(0U, query.time_left_ms);
	EXPECT_EQ(0, send_reply(self->server, handle, 0, "", 0));
	EXPECT_TRUE(works(self->server, self->client));
}

/* Nobody grants time to a call that was withdrawn. */
TEST_F(events, more_time_for_nobody)
{
	struct tern_ioc_request query;
	uint64_t handle;

	start_call(_metadata, self->client, 5000, 60000);
	handle = take(self->server);
	ASSERT_NE(0, handle);
	close(self->client);
	ASSERT_EQ(0, ask(self->server, &query, handle, 60000));
	EXPECT_EQ((uint32_t)EOWNERDEAD, query.cause);
	EXPECT_GE(5000U, query.time_left_ms);
	self->client = client_open(PROGRAM, 0);
}

/* A child without @client that waits by @wait, and must find POLLPRI. */
static pid_t start_wait(int (*wait)(int), int fd, int client, int *started)
{
	pid_t pid = fork_child();

	if (!pid) {
		close(client);
		__atomic_store_n(started, 1, __ATOMIC_RELEASE);
		_exit(wait(fd));
	}
	wait_asleep(pid, pid, started);
	return pid;
}

static int wait_poll(int fd)
{
	return ready(fd, POLLPRI, PATIENCE_MS) != POLLPRI;
}

static int wait_epoll(int fd)
{
	struct epoll_event event = { .events = EPOLLPRI | EPOLLET };
	int epoll = epoll_create1(EPOLL_CLOEXEC);

	if (epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event))
		return 2;
	if (epoll_wait(epoll, &event, 1, PATIENCE_MS) != 1)
		return 3;
	return event.events != EPOLLPRI;
}

TEST_F(events, wakes_the_sleeper)
{
	int (*const waits[])(int) = { wait_poll, wait_epoll };
	int *started = shared_alloc(sizeof(*started));

	for (size_t i = 0; i < ARRAY_SIZE(waits); i++) {
		uint64_t handle;
		pid_t pid;

		start_call(_metadata, self->client, 60000, 0);
		handle = take(self->server);
		ASSERT_NE(0, handle);
		*started = 0;
		pid = start_wait(waits[i], self->server, self->client,
				 started);
		close(self->client);
		EXPECT_EQ(0, wait_child(pid));
		EXPECT_EVENT(self->server, handle, EOWNERDEAD, 50000,
			     60000 + GRACE_MS);
		self->client = client_open(PROGRAM, 0);
	}
}

/* Whoever watches the socket since before it was bound is told, too. */
TEST_F(events, poll_before_bind)
{
	struct epoll_event event = { .events = EPOLLPRI };
	int epoll = epoll_create1(EPOLL_CLOEXEC), fd = tern_open(0);
	uint64_t handle;

	ASSERT_LE(0, fd);
	ASSERT_EQ(0, epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event));
	EXPECT_EQ(0, epoll_wait(epoll, &event, 1, 0));
	ASSERT_EQ(0, tern_bind(fd, PROGRAM + 1));
	ASSERT_EQ(0, tern_connect(self->client, PROGRAM + 1));
	start_call(_metadata, self->client, 60000, 0);
	handle = take(fd);
	ASSERT_NE(0, handle);
	EXPECT_EQ(0, epoll_wait(epoll, &event, 1, 0));
	close(self->client);
	EXPECT_EQ(1, epoll_wait(epoll, &event, 1, PATIENCE_MS));
	EXPECT_EQ((uint32_t)EPOLLPRI, event.events);
	EXPECT_EVENT(fd, handle, EOWNERDEAD, 50000, 60000 + GRACE_MS);
	self->client = client_open(PROGRAM, 0);
	close(epoll);
	close(fd);
}

/* Only the worker that executes the request is told. */
TEST_F(events, of_others_nothing)
{
	int fds[2] = { service_open(PROGRAM + 1, true, 0),
		       service_open(PROGRAM + 1, true, 0) };
	uint64_t handle;

	ASSERT_EQ(0, tern_connect(self->client, PROGRAM + 1));
	start_call(_metadata, self->client, 60000, 0);
	handle = take(fds[1]);
	ASSERT_NE(0, handle);
	close(self->client);
	EXPECT_EQ(0, ready(fds[0], POLLPRI, 0));
	EXPECT_EVENT(fds[1], handle, EOWNERDEAD, 50000, 60000 + GRACE_MS);
	self->client = client_open(PROGRAM, 0);
	close(fds[0]);
	close(fds[1]);
}

/* The next signal of those that are blocked, 0 for none. */
static int next_signal(const sigset_t *set, siginfo_t *info)
{
	const struct timespec none = { 0 };
	int signal = sigtimedwait(set, info, &none);

	return signal < 0 ? 0 : signal;
}

/* As other sockets: SIGURG for the owner, or the signal that it chose. */
TEST_F(events, signals)
{
	siginfo_t info;
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGURG);
	sigaddset(&set, SIGRTMIN);
	ASSERT_EQ(0, sigprocmask(SIG_BLOCK, &set, NULL));
	ASSERT_EQ(0, fcntl(self->server, F_SETOWN, getpid()));
	start_call(_metadata, self->client, 60000, 0);
	ASSERT_NE(0, take(self->server));
	EXPECT_EQ(0, next_signal(&set, &info));
	close(self->client);
	EXPECT_EQ(SIGURG, next_signal(&set, &info));
	EXPECT_EQ(0, next_signal(&set, &info));

	self->client = client_open(PROGRAM, 0);
	ASSERT_EQ(0, fcntl(self->server, F_SETSIG, SIGRTMIN));
	start_call(_metadata, self->client, 60000, 0);
	ASSERT_NE(0, take(self->server));
	ASSERT_EQ(0, fcntl(self->server, F_SETFL, O_ASYNC));
	while (next_signal(&set, &info))
		;
	close(self->client);
	EXPECT_EQ(SIGURG, next_signal(&set, &info));
	EXPECT_EQ(SIGRTMIN, next_signal(&set, &info));
	EXPECT_EQ(self->server, info.si_fd);
	EXPECT_EQ(POLLPRI | POLLRDBAND, info.si_band);
	self->client = client_open(PROGRAM, 0);
}

/* Many requests: each event once, in any order, none is lost. */
TEST_F(events, many)
{
	enum { MANY = 200 };
	uint64_t handles[MANY];
	struct tern_cmsg_event event;
	int known = 0, n = 0;

	for (int i = 0; i < MANY; i++) {
		start_call(_metadata, self->client, 60000, 0);
		handles[i] = take(self->server);
		ASSERT_NE(0, handles[i]);
	}
	close(self->client);
	while (!take_event(self->server, &event)) {
		n++;
		for (int i = 0; i < MANY; i++) {
			if (handles[i] != event.handle)
				continue;
			known++;
			EXPECT_EQ(0, send_reply(self->server, handles[i], 0,
						"", 0));
			handles[i] = 0;
		}
	}
	EXPECT_EQ(MANY, n);
	EXPECT_EQ(MANY, known);
	self->client = client_open(PROGRAM, 0);
	EXPECT_TRUE(works(self->server, self->client));
}

/*
 * A worker that never replies gets no more than it can be held to; when it has
 * replied to one it gets another.
 */
TEST_F_TIMEOUT(events, worker_that_never_replies, 100)
{
	enum { MOST = 1024, AT_ONCE = 64 };
	static uint64_t handles[MOST];
	struct tern_ioc_reply_recv rr = { .request = (uintptr_t)buf,
					  .request_len = sizeof(buf) };
	struct message m;
	int n = 0;

	/* On a busy machine some have expired before they are taken. */
	while (n < MOST) {
		int calls = MOST - n < AT_ONCE ? MOST - n : AT_ONCE;

		for (int i = 0; i < calls; i++)
			start_call(_metadata, self->client, 500, 0);
		while (receive(self->server, &m, buf, sizeof(buf),
			       MSG_DONTWAIT) >= 0)
			handles[n++] = m.request.handle;
		for (int i = 0; i < calls; i++)
			ASSERT_EQ(0, receive(self->client, &m, buf, 4, 0));
	}
	for (int i = 0; i < MOST; i++)
		ASSERT_TRUE(is_given_up(self->server, handles[i]));
	start_call(_metadata, self->client, 60000, 0);
	EXPECT_EQ(POLLIN, ready(self->server, POLLIN, 0));
	EXPECT_ERRNO(ENOBUFS, receive(self->server, &m, buf, sizeof(buf), 0));
	EXPECT_ERRNO(ENOBUFS, ioctl(self->server, TERN_IOC_REPLY_RECV, &rr));
	EXPECT_ERRNO(ENOENT, send_reply(self->server, handles[MOST / 2], 0, "",
					0));
	ASSERT_EQ(4, receive(self->server, &m, buf, sizeof(buf), 0));
	EXPECT_EQ(0, send_reply(self->server, m.request.handle, 0, "", 0));
	ASSERT_EQ(0, receive(self->client, &m, buf, sizeof(buf), 0));
	EXPECT_OUTCOME(&m, 1, TERN_REPLIED, 0);
}

TEST_HARNESS_MAIN
