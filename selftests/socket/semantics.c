// SPDX-License-Identifier: GPL-2.0
/*
 * The semantics that a call chooses by its flags, by ioctl and by sendmsg: what
 * is executed, and what the caller is told. What needs a network that loses is
 * in net/semantics.
 */
#include "tern_test.h"

FIXTURE(semantics) {
	int server;
	int client;
};

/* The way that a call is made. */
FIXTURE_VARIANT(semantics) {
	bool ioctl;
};

FIXTURE_VARIANT_ADD(semantics, ioctl) {
	.ioctl = true,
};

FIXTURE_VARIANT_ADD(semantics, sendmsg) {
	.ioctl = false,
};

FIXTURE_SETUP(semantics)
{
	ASSERT_EQ(0, unshare(CLONE_NEWNET));
	self->server = service_open(PROGRAM, false, 0);
	ASSERT_LE(0, self->server);
	self->client = client_open(PROGRAM, 0);
	ASSERT_LE(0, self->client);
}

FIXTURE_TEARDOWN(semantics)
{
	close(self->client);
	close(self->server);
}

static char buf[TERN_MESSAGE_MAX];

/* How a call ended, by whichever way it was made. */
struct result {
	uint32_t outcome, cause, status;
};

static int finish(int fd, struct result *result)
{
	struct message m;

	if (ready(fd, POLLIN, 20000) != POLLIN ||
	    receive(fd, &m, buf, sizeof(buf), MSG_DONTWAIT) < 0 ||
	    m.type != TERN_CMSG_OUTCOME || m.outcome.id != 1)
		return -1;
	*result = (struct result){ m.outcome.outcome, m.outcome.cause,
				   m.outcome.status };
	return 0;
}

/* Call and wait, for at most 20 s; -1 when there is no outcome. */
static int make(bool by_ioctl, int fd, uint32_t procedure,
		const struct tern_cmsg_call *how, struct result *result)
{
	struct tern_cmsg_call start = *how;
	struct tern_ioc_call c = {
		.timeout_ms = how->timeout_ms,
		.flags = how->flags,
		.limit_ms = how->limit_ms,
		.extend_ms = how->extend_ms,
	};

	if (by_ioctl) {
		call(fd, &c, procedure, "call", 4, buf, sizeof(buf));
		*result = (struct result){ c.outcome, c.cause, c.status };
		return 0;
	}
	start.id = 1;
	start.procedure = procedure;
	if (send_call(fd, NULL, &start, "call", 4) != 4)
		return -1;
	return finish(fd, result);
}

/* A child that takes @n requests, and replies their procedure as status. */
static pid_t start_worker(int fd, int n)
{
	pid_t pid = fork_child();
	struct message m;

	while (!pid && n--) {
		if (receive(fd, &m, buf, sizeof(buf), 0) != 4)
			_exit(1);
		if (!(m.request.flags & TERN_CALL_ONEWAY) &&
		    send_reply(fd, m.request.handle, m.request.procedure,
			       "", 0))
			_exit(2);
	}
	if (!pid)
		_exit(0);
	return pid;
}

static const uint32_t kinds[] = { 0, TERN_CALL_IDEMPOTENT, TERN_CALL_MAYBE };

TEST_F(semantics, each_is_replied_to)
{
	pid_t worker = start_worker(self->server, ARRAY_SIZE(kinds));
	struct result result;

	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		struct tern_cmsg_call how = { .flags = kinds[i] };

		ASSERT_EQ(0, make(variant->ioctl, self->client, 40 + i, &how,
				  &result));
		EXPECT_EQ((uint32_t)TERN_REPLIED, result.outcome);
		EXPECT_EQ(0U, result.cause);
		EXPECT_EQ(40 + i, result.status);
	}
	EXPECT_EQ(0, wait_child(worker));
	EXPECT_EQ(0, ready(self->server, POLLIN, 0));
	EXPECT_TRUE(works(self->server, self->client));
}

/* The server is told what kind of call it has. */
TEST_F(semantics, each_is_delivered)
{
	struct result result;
	struct message m;

	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		struct tern_cmsg_call how = {
			.flags = kinds[i] | TERN_CALL_ONEWAY,
		};

		ASSERT_EQ(0, make(variant->ioctl, self->client, 1, &how,
				  &result));
		EXPECT_EQ((uint32_t)TERN_DELIVERED, result.outcome);
		EXPECT_EQ(0U, result.cause);
		ASSERT_EQ(4, receive(self->server, &m, buf, sizeof(buf),
				     MSG_DONTWAIT));
		EXPECT_EQ(how.flags, m.request.flags);
		EXPECT_ERRNO(ENOENT, send_reply(self->server, m.request.handle,
						0, "", 0));
		EXPECT_EQ(0, ready(self->server, POLLIN, 0));
	}
	EXPECT_TRUE(works(self->server, self->client));
}

TEST_F(semantics, nobody_offers_the_service)
{
	struct result result;

	ASSERT_EQ(0, tern_connect(self->client, NO_PROGRAM));
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		struct tern_cmsg_call how = { .flags = kinds[i] };

		ASSERT_EQ(0, make(variant->ioctl, self->client, 1, &how,
				  &result));
		EXPECT_EQ((uint32_t)TERN_NOT_EXECUTED, result.outcome);
		EXPECT_EQ((uint32_t)ECONNREFUSED, result.cause);
	}
}

/* Each ends at its deadline as what is true. */
TEST_F(semantics, each_has_a_deadline)
{
	struct result result;
	struct message m;
	int64_t start;

	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		struct tern_cmsg_call how = { .flags = kinds[i],
					      .timeout_ms = 1000 };
		pid_t pid;

		start = now_ms();
		ASSERT_EQ(0, make(variant->ioctl, self->client, 1, &how,
				  &result));
		EXPECT_EQ((uint32_t)TERN_NOT_EXECUTED, result.outcome);
		EXPECT_EQ((uint32_t)ETIMEDOUT, result.cause);
		EXPECT_LE(990, now_ms() - start);
		EXPECT_EQ(0, ready(self->server, POLLIN, 0));

		pid = fork_child();
		if (!pid)
			_exit(make(variant->ioctl, self->client, 1, &how,
				   &result) ||
			      result.outcome != TERN_UNKNOWN ||
			      result.cause != ETIMEDOUT);
		ASSERT_EQ(4, receive(self->server, &m, buf, sizeof(buf), 0));
		EXPECT_EQ(0, wait_child(pid));
		EXPECT_EQ(0, send_reply(self->server, m.request.handle, 0, "",
					0));
		EXPECT_TRUE(works(self->server, self->client));
	}
}

TEST_F(semantics, exactly_once_is_refused)
{
	struct tern_cmsg_call how = { .id = 1,
				      .flags = TERN_CALL_EXACTLY_ONCE };
	struct tern_ioc_call c = { .flags = TERN_CALL_EXACTLY_ONCE };

	if (variant->ioctl) {
		EXPECT_ERRNO(EOPNOTSUPP, call(self->client, &c, 1, "", 0, NULL,
					      0));
		EXPECT_EQ((uint32_t)TERN_NOT_EXECUTED, c.outcome);
		EXPECT_EQ((uint32_t)EOPNOTSUPP, c.cause);
	} else {
		EXPECT_ERRNO(EOPNOTSUPP, send_call(self->client, NULL, &how,
						   "", 0));
	}
	EXPECT_EQ(0, ready(self->server, POLLIN, 0));
	EXPECT_EQ(0, ready(self->client, POLLIN, 0));
}

/* What is limited is the time that a request has left, and the wait. */
TEST_F(semantics, limit_is_the_least)
{
	static const struct {
		uint32_t timeout, limit, most;
	} rows[] = {
		{ 0, 1000, 1000 },	/* the default is 10 s */
		{ 60000, 1000, 1000 },
		{ 1000, 60000, 1000 },
		{ TERN_TIMEOUT_MAX, 1, 1 },
	};
	struct result result;
	struct message m;

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct tern_cmsg_call how = { .timeout_ms = rows[i].timeout,
					      .limit_ms = rows[i].limit };
		int64_t start = now_ms();

		ASSERT_EQ(0, make(variant->ioctl, self->client, 1, &how,
				  &result));
		EXPECT_EQ((uint32_t)TERN_NOT_EXECUTED, result.outcome);
		EXPECT_EQ((uint32_t)ETIMEDOUT, result.cause);
		EXPECT_LE(rows[i].most - 1, now_ms() - start);
		EXPECT_GT(10000, now_ms() - start);
	}
	for (size_t i = 0; i < 3; i++) {
		struct tern_cmsg_call how = { .timeout_ms = rows[i].timeout,
					      .limit_ms = rows[i].limit };
		pid_t pid = fork_child();

		if (!pid)
			_exit(make(variant->ioctl, self->client, 1, &how,
				   &result));
		ASSERT_EQ(4, receive(self->server, &m, buf, sizeof(buf), 0));
		EXPECT_GE(rows[i].most, m.request.time_left_ms);
		EXPECT_LE(0, send_reply(self->server, m.request.handle, 0, "",
					0));
		EXPECT_EQ(0, wait_child(pid));
	}
}

/* More than the smallest send buffer. */
#define CAST_LEN	8000

/*
 * Makes a quiet call by either way; -1 and errno when it is refused. Without an
 * answer it holds the module until its deadline, which is short therefore.
 */
static int cast(bool by_ioctl, int fd, uint32_t timeout_ms, int flags)
{
	uint32_t kind = TERN_CALL_ONEWAY | TERN_CALL_QUIET;
	struct tern_cmsg_call start = { .id = 9, .timeout_ms = timeout_ms,
					.flags = kind };
	struct tern_ioc_call c = { .timeout_ms = timeout_ms, .flags = kind };
	int ret;

	if (!by_ioctl) {
		ret = send_control(fd, NULL, TERN_CMSG_CALL, &start,
				   sizeof(start), buf, CAST_LEN, flags);
		return ret == CAST_LEN ? 0 : -1;
	}
	ret = call(fd, &c, 0, buf, CAST_LEN, NULL, 0);
	if (c.outcome != (ret ? TERN_NOT_EXECUTED : TERN_SUBMITTED) ||
	    (int)c.cause != (ret ? errno : 0)) {
		errno = EPROTO;
		return -1;
	}
	return ret;
}

static int outq(int fd)
{
	int n = -1;

	return ioctl(fd, SIOCOUTQ, &n) ? -1 : n;
}

TEST_F(semantics, quiet_is_delivered)
{
	struct message m;

	fill(buf, CAST_LEN, 1);
	EXPECT_EQ(0, cast(variant->ioctl, self->client, 0, 0));
	ASSERT_EQ(CAST_LEN, receive(self->server, &m, buf, sizeof(buf),
				    MSG_DONTWAIT));
	EXPECT_TRUE(filled(buf, CAST_LEN, 1));
	EXPECT_EQ((uint32_t)TERN_CALL_ONEWAY, m.request.flags);
	EXPECT_ERRNO(ENOENT, send_reply(self->server, m.request.handle, 0, "",
					0));
	EXPECT_EQ(0, ready(self->client, POLLIN, 0));
	EXPECT_EQ(0, outq(self->client));
	EXPECT_TRUE(works(self->server, self->client));
}

/* Many more than the send buffer takes at a time. */
TEST_F(semantics, quiet_leaves_nothing)
{
	ASSERT_EQ(0, set_int(self->client, SOL_SOCKET, SO_SNDBUF, 1));
	for (int i = 0; i < 1000; i++) {
		struct message m;

		ASSERT_EQ(0, cast(variant->ioctl, self->client, 0,
				  MSG_DONTWAIT));
		ASSERT_EQ(CAST_LEN, receive(self->server, &m, buf,
					    sizeof(buf), MSG_DONTWAIT));
	}
	EXPECT_EQ(0, outq(self->client));
	EXPECT_EQ(0, ready(self->client, POLLIN, 0));
}

TEST_F(semantics, quiet_fails_quietly)
{
	ASSERT_EQ(0, tern_connect(self->client, NO_PROGRAM));
	EXPECT_EQ(0, cast(variant->ioctl, self->client, 0, 0));
	EXPECT_EQ(0, ready(self->client, POLLIN, 0));
	EXPECT_EQ(0, outq(self->client));
}

/* Those that are queued are not withdrawn when their socket goes. */
TEST_F(semantics, quiet_survives_close)
{
	struct message m;

	EXPECT_EQ(0, cast(variant->ioctl, self->client, 3000, 0));
	EXPECT_EQ(0, cast(variant->ioctl, self->client, 3000, 0));
	close(self->client);
	for (int i = 0; i < 2; i++)
		EXPECT_EQ(CAST_LEN, receive(self->server, &m, buf,
					    sizeof(buf), MSG_DONTWAIT));
	self->client = client_open(PROGRAM, 0);
	EXPECT_TRUE(works(self->server, self->client));
}

/* A node up on a link where nothing answers, and @fd connected to there. */
static int connect_to_nobody(int fd)
{
	static const char * const commands[] = {
		"ip link add eth0 type veth peer name eth1",
		"ip addr add 10.7.0.1/24 dev eth0",
		"ip link set eth0 up",
		"ip link set eth1 up",
		"ip neigh add 10.7.0.2 lladdr 02:00:00:00:00:77 dev eth0",
		"tern up",
	};
	static const uint8_t addr[] = { 0xff, 0xff, 10, 7, 0, 2 };
	struct sockaddr_tern to = tern_addr(PROGRAM, 1);

	for (size_t i = 0; i < ARRAY_SIZE(commands); i++)
		if (system(commands[i]))
			return -1;
	memcpy(to.st_addr + 10, addr, sizeof(addr));
	return connect(fd, (struct sockaddr *)&to, sizeof(to));
}

TEST_F(semantics, quiet_is_bounded)
{
	ASSERT_EQ(0, connect_to_nobody(self->client));
	ASSERT_EQ(0, set_int(self->client, SOL_SOCKET, SO_SNDBUF, 1));
	EXPECT_EQ(POLLOUT, ready(self->client, POLLOUT, 0));
	EXPECT_EQ(0, cast(variant->ioctl, self->client, 3000, 0));
	EXPECT_LT(0, outq(self->client));
	EXPECT_EQ(0, ready(self->client, POLLOUT, 0));
	EXPECT_ERRNO(EAGAIN, cast(false, self->client, 3000, MSG_DONTWAIT));
	ASSERT_EQ(0, fcntl(self->client, F_SETFL, O_NONBLOCK));
	EXPECT_ERRNO(EAGAIN, cast(false, self->client, 3000, 0));
	EXPECT_EQ(0, ready(self->client, POLLIN, 0));
}

/* Its deadline makes room for whoever waits. */
TEST_F(semantics, quiet_waits_for_room)
{
	int64_t start = now_ms();

	ASSERT_EQ(0, connect_to_nobody(self->client));
	ASSERT_EQ(0, set_int(self->client, SOL_SOCKET, SO_SNDBUF, 1));
	EXPECT_EQ(0, cast(variant->ioctl, self->client, 700, 0));
	EXPECT_EQ(0, cast(variant->ioctl, self->client, 700, 0));
	EXPECT_LE(690, now_ms() - start);
	EXPECT_EQ(0, ready(self->client, POLLIN, 0));
	EXPECT_EQ(POLLOUT, ready(self->client, POLLOUT, 20000));
	EXPECT_EQ(0, outq(self->client));
}

/* It is reported already, so that another one of that id is withdrawn. */
TEST_F(semantics, quiet_is_not_withdrawn)
{
	struct tern_cmsg_call start = { .id = variant->ioctl ? 0 : 9 };
	struct message m;

	ASSERT_EQ(0, connect_to_nobody(self->client));
	EXPECT_EQ(0, cast(variant->ioctl, self->client, 3000, 0));
	EXPECT_ERRNO(ENOENT, ioctl(self->client, TERN_IOC_CANCEL, &start.id));
	ASSERT_EQ(4, send_call(self->client, NULL, &start, "work", 4));
	EXPECT_EQ(0, ioctl(self->client, TERN_IOC_CANCEL, &start.id));
	ASSERT_EQ(0, receive(self->client, &m, buf, sizeof(buf), 0));
	EXPECT_OUTCOME(&m, start.id, TERN_NOT_EXECUTED, ECANCELED);
	EXPECT_LT(0, outq(self->client));
	EXPECT_ERRNO(ENOENT, ioctl(self->client, TERN_IOC_CANCEL, &start.id));
}

static void handler(int signal)
{
	(void)signal;
}

TEST_F(semantics, quiet_is_interrupted)
{
	struct sigaction action = { .sa_handler = handler };
	int *started = shared_alloc(sizeof(*started));
	pid_t pid;

	ASSERT_EQ(0, connect_to_nobody(self->client));
	ASSERT_EQ(0, set_int(self->client, SOL_SOCKET, SO_SNDBUF, 1));
	EXPECT_EQ(0, cast(variant->ioctl, self->client, 3000, 0));
	pid = fork_child();
	if (!pid) {
		sigaction(SIGUSR1, &action, NULL);
		__atomic_store_n(started, 1, __ATOMIC_RELEASE);
		_exit(cast(variant->ioctl, self->client, 3000, 0) ? errno : 0);
	}
	wait_asleep(pid, pid, started);
	kill(pid, SIGUSR1);
	EXPECT_EQ(EINTR, wait_child(pid));
}

/* It holds the socket's memory until its deadline, and no longer. */
TEST_F(semantics, quiet_is_closed_while_it_waits)
{
	ASSERT_EQ(0, connect_to_nobody(self->client));
	EXPECT_EQ(0, cast(variant->ioctl, self->client, 300, 0));
	close(self->client);
	self->client = client_open(PROGRAM, 0);
	EXPECT_TRUE(works(self->server, self->client));
}

TEST_HARNESS_MAIN
