// SPDX-License-Identifier: GPL-2.0
/* Calls that wait: TERN_IOC_CALL against TERN_IOC_REPLY_RECV. */
#include "tern_test.h"

static char request[TERN_MESSAGE_MAX], reply[TERN_MESSAGE_MAX];

static const uint32_t sizes[] = {
	0, 1, 2, 3, 7, 8, 63, 64, 65, 511, 512, 1023, 1400, 1472, 1500, 2048,
	4095, 4096, 4097, 8192, 16383, 32768, 40000, 65000, 65507, 65535, 65536,
};

/* Procedures of the test server, a child process. */
enum {
	ECHO = 1,	/* the request, status 0 */
	STATUS,		/* status is the length, no data */
	EXPAND,		/* as many bytes as the request's number says */
	FLAGS,		/* status is the flags */
	TIME,		/* status is the time left */
	HOLD,		/* never replied to */
};

static uint32_t make_reply(struct tern_ioc_reply_recv *rr, char *buf)
{
	uint32_t n = 0;

	rr->status = 0;
	switch (rr->procedure) {
	case ECHO:
		return rr->request_len;
	case STATUS:
		rr->status = rr->request_len;
		return 0;
	case EXPAND:
		memcpy(&n, buf, sizeof(n));
		fill(buf, n, n);
		return n;
	case FLAGS:
		rr->status = rr->call_flags;
		return 0;
	case TIME:
		rr->status = rr->time_left_ms;
		return 0;
	}
	return 0;
}

static void serve(int fd)
{
	static char buf[TERN_MESSAGE_MAX];
	struct tern_ioc_reply_recv rr = {
		.request = (uintptr_t)buf,
		.reply = (uintptr_t)buf,
	};

	for (;;) {
		rr.request_len = sizeof(buf);
		if (ioctl(fd, TERN_IOC_REPLY_RECV, &rr))
			_exit(1);
		if (rr.procedure == HOLD)
			rr.handle = 0;
		else
			rr.reply_len = make_reply(&rr, buf);
	}
}

FIXTURE(call) {
	int client;
	pid_t server;
};

FIXTURE_SETUP(call)
{
	int fd;

	ASSERT_EQ(0, unshare(CLONE_NEWNET));
	fd = service_open(PROGRAM, false, 0);
	ASSERT_LE(0, fd);
	self->client = client_open(PROGRAM, 0);
	ASSERT_LE(0, self->client);
	self->server = fork_child();
	if (!self->server)
		serve(fd);
	close(fd);
}

FIXTURE_TEARDOWN(call)
{
	kill(self->server, SIGKILL);
	wait_child(self->server);
	close(self->client);
}

#define EXPECT_RESULT(c, wanted, wanted_cause)				\
	do {								\
		EXPECT_EQ((uint32_t)(wanted), (c)->outcome);		\
		EXPECT_EQ((uint32_t)(wanted_cause), (c)->cause);	\
	} while (0)

TEST_F(call, sizes_there_and_back)
{
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		struct tern_ioc_call c = { 0 };
		uint32_t len = sizes[i];

		fill(request, len, i);
		memset(reply, 0, sizeof(reply));
		ASSERT_EQ(0, call(self->client, &c, ECHO, request, len, reply,
				  sizeof(reply)));
		EXPECT_RESULT(&c, TERN_REPLIED, 0);
		EXPECT_EQ(len, c.reply_len);
		EXPECT_TRUE(filled(reply, len, i));
	}
}

TEST_F(call, sizes_back)
{
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		struct tern_ioc_call c = { 0 };

		ASSERT_EQ(0, call(self->client, &c, EXPAND, &sizes[i],
				  sizeof(sizes[i]), reply, sizes[i]));
		EXPECT_EQ(sizes[i], c.reply_len);
		EXPECT_TRUE(filled(reply, sizes[i], sizes[i]));
	}
}

TEST_F(call, status)
{
	for (uint32_t len = 0; len < 5; len++) {
		struct tern_ioc_call c = { .status = 99 };

		ASSERT_EQ(0, call(self->client, &c, STATUS, request, len, NULL,
				  0));
		EXPECT_RESULT(&c, TERN_REPLIED, 0);
		EXPECT_EQ(len, c.status);
		EXPECT_EQ(0U, c.reply_len);
	}
}

TEST_F(call, flags_reach_the_service)
{
	struct tern_ioc_call c = { .flags = TERN_CALL_IDEMPOTENT };

	ASSERT_EQ(0, call(self->client, &c, FLAGS, "", 0, NULL, 0));
	EXPECT_EQ((uint32_t)TERN_CALL_IDEMPOTENT, c.status);
}

TEST_F(call, reply_longer_than_buffer)
{
	struct tern_ioc_call c = { 0 };
	uint32_t len = 1000;

	memset(reply, 0x55, sizeof(reply));
	EXPECT_ERRNO(EMSGSIZE, call(self->client, &c, EXPAND, &len, sizeof(len),
				    reply, 999));
	EXPECT_EQ((uint32_t)TERN_REPLIED, c.outcome);
	EXPECT_EQ(1000U, c.reply_len);
	EXPECT_EQ(0x55, reply[999]);
	EXPECT_ERRNO(EMSGSIZE, call(self->client, &c, EXPAND, &len, sizeof(len),
				    NULL, 0));
	EXPECT_EQ((uint32_t)TERN_REPLIED, c.outcome);
	EXPECT_EQ(0, call(self->client, &c, EXPAND, &len, sizeof(len), reply,
			  1000));
}

/* The call ran: the fault in the reply buffer must not say otherwise. */
TEST_F(call, reply_buffer_is_wrong)
{
	struct tern_ioc_call c = { 0 };

	EXPECT_ERRNO(EFAULT, call(self->client, &c, ECHO, "abc", 3, (void *)1,
				  100));
	EXPECT_EQ((uint32_t)TERN_REPLIED, c.outcome);
	EXPECT_EQ(0, call(self->client, &c, ECHO, "abc", 3, reply, 3));
}

TEST_F(call, destinations)
{
	struct sockaddr_tern any = tern_addr(PROGRAM, 1);
	struct sockaddr_tern six = tern_loopback(PROGRAM);
	struct sockaddr_tern four = tern_addr(PROGRAM, 1);
	struct sockaddr_tern *all[] = { &any, &six, &four };
	int fd = tern_open(0);

	memcpy(four.st_addr, "\0\0\0\0\0\0\0\0\0\0\xff\xff\x7f\0\0\1", 16);
	for (int i = 0; i < 3; i++) {
		struct tern_ioc_call c = { .dest = (uintptr_t)all[i] };

		ASSERT_EQ(0, call(fd, &c, ECHO, "hello", 5, reply, 5));
		EXPECT_EQ(0, memcmp(reply, "hello", 5));
	}
	close(fd);
}

TEST_F(call, dest_overrides_connect)
{
	struct sockaddr_tern to = tern_addr(NO_PROGRAM, 1);
	struct tern_ioc_call c = { .dest = (uintptr_t)&to };

	EXPECT_ERRNO(ECONNREFUSED, call(self->client, &c, ECHO, "", 0, NULL,
					0));
	EXPECT_RESULT(&c, TERN_NOT_EXECUTED, ECONNREFUSED);
	to.st_service = PROGRAM;
	EXPECT_EQ(0, call(self->client, &c, ECHO, "", 0, NULL, 0));
	to.st_version = 2;
	EXPECT_ERRNO(ECONNREFUSED, call(self->client, &c, ECHO, "", 0, NULL,
					0));
	EXPECT_RESULT(&c, TERN_NOT_EXECUTED, ECONNREFUSED);
}

/* A node that is not up calls nobody but itself. */
TEST_F(call, node_not_up)
{
	struct sockaddr_tern to = tern_addr(PROGRAM, 1);
	struct tern_ioc_call c = { .dest = (uintptr_t)&to, .timeout_ms = 2000 };

	memcpy(to.st_addr, "\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\1", 16);
	EXPECT_ERRNO(ENETDOWN, call(self->client, &c, ECHO, "", 0, NULL, 0));
	EXPECT_RESULT(&c, TERN_NOT_EXECUTED, ENETDOWN);
	memcpy(to.st_addr, "\0\0\0\0\0\0\0\0\0\0\xff\xff\xc0\0\2\1", 16);
	EXPECT_ERRNO(ENETDOWN, call(self->client, &c, ECHO, "", 0, NULL, 0));
	EXPECT_RESULT(&c, TERN_NOT_EXECUTED, ENETDOWN);
}

TEST_F(call, the_node_itself)
{
	struct sockaddr_tern to = tern_addr(TERN_PROGRAM_NODE, 0);
	struct tern_ioc_call c = { .dest = (uintptr_t)&to };

	ASSERT_EQ(0, call(self->client, &c, TERN_PROC_NULL, "", 0, reply,
			  sizeof(reply)));
	EXPECT_RESULT(&c, TERN_REPLIED, 0);
	EXPECT_EQ(0U, c.reply_len);
	EXPECT_EQ(0U, c.status);
	ASSERT_EQ(0, call(self->client, &c, TERN_PROC_EXTERMINATE, "", 0,
			  reply, sizeof(reply)));
	EXPECT_RESULT(&c, TERN_REPLIED, 0);
	EXPECT_ERRNO(ENOSYS, call(self->client, &c, 2, "", 0, NULL, 0));
	EXPECT_RESULT(&c, TERN_NOT_EXECUTED, ENOSYS);
}

/* What is a matter of the node's administrator, tried by nobody. */
static int exterminate(int fd, bool connected)
{
	struct sockaddr_tern to = tern_addr(TERN_PROGRAM_NODE, 0);
	struct tern_ioc_call c = { .dest = connected ? 0 : (uintptr_t)&to };
	struct tern_cmsg_call start = { .procedure = TERN_PROC_EXTERMINATE };

	if (setgid(65534) || setuid(65534) ||
	    (connected && connect(fd, (void *)&to, sizeof(to))))
		return 1;
	if (!call(fd, &c, TERN_PROC_EXTERMINATE, "", 0, NULL, 0) ||
	    errno != EPERM || c.outcome != TERN_NOT_EXECUTED)
		return 2;
	if (!send_call(fd, connected ? NULL : &to, &start, "", 0) ||
	    errno != EPERM)
		return 3;
	return call(fd, &c, TERN_PROC_NULL, "", 0, NULL, 0) ? 4 : 0;
}

TEST_F(call, exterminate_is_privileged)
{
	for (int connected = 0; connected < 2; connected++) {
		pid_t pid = fork_child();

		if (!pid)
			_exit(exterminate(self->client, connected));
		EXPECT_EQ(0, wait_child(pid));
	}
}

TEST_F(call, oneway)
{
	struct tern_ioc_call c = { .flags = TERN_CALL_ONEWAY };

	ASSERT_EQ(0, call(self->client, &c, HOLD, "x", 1, NULL, 0));
	EXPECT_RESULT(&c, TERN_DELIVERED, 0);
	EXPECT_EQ(0U, c.reply_len);
	c.flags = 0;
	ASSERT_EQ(0, call(self->client, &c, ECHO, "x", 1, reply, 1));
}

/* An executing call: nobody can tell what it has done by the deadline. */
TEST_F(call, deadline_while_executing)
{
	struct tern_ioc_call c = { .timeout_ms = 200 };
	int64_t start = now_ms();

	EXPECT_ERRNO(ETIMEDOUT, call(self->client, &c, HOLD, "", 0, NULL, 0));
	EXPECT_RESULT(&c, TERN_UNKNOWN, ETIMEDOUT);
	EXPECT_LE(190, now_ms() - start);
	EXPECT_GT(5000, now_ms() - start);
	EXPECT_EQ(0, call(self->client, &c, ECHO, "", 0, NULL, 0));
}

/* A queued call: the kernel takes it back and knows that it did not run. */
TEST_F(call, deadline_while_queued)
{
	int queue = service_open(PROGRAM + 1, false, 0);
	struct sockaddr_tern to = tern_addr(PROGRAM + 1, 1);
	struct tern_ioc_call c = { .dest = (uintptr_t)&to, .timeout_ms = 200 };
	struct message m;
	int64_t start = now_ms();
	char buf[8];

	EXPECT_ERRNO(ETIMEDOUT, call(self->client, &c, HOLD, "", 0, NULL, 0));
	EXPECT_RESULT(&c, TERN_NOT_EXECUTED, ETIMEDOUT);
	EXPECT_LE(190, now_ms() - start);
	EXPECT_GT(5000, now_ms() - start);
	EXPECT_ERRNO(EAGAIN, receive(queue, &m, buf, 8, MSG_DONTWAIT));
	close(queue);
}

TEST_F(call, deadline_of_the_socket)
{
	struct tern_ioc_call c = { 0 };
	int64_t start = now_ms();

	ASSERT_EQ(0, set_int(self->client, SOL_TERN, TERN_TIMEOUT, 150));
	EXPECT_ERRNO(ETIMEDOUT, call(self->client, &c, HOLD, "", 0, NULL, 0));
	EXPECT_LE(140, now_ms() - start);
	EXPECT_GT(5000, now_ms() - start);
	ASSERT_EQ(0, set_int(self->client, SOL_TERN, TERN_TIMEOUT, 0));
}

TEST_F(call, time_left)
{
	struct tern_ioc_call c = { 0 };

	ASSERT_EQ(0, call(self->client, &c, TIME, "", 0, NULL, 0));
	EXPECT_GE(10000U, c.status);
	EXPECT_LT(5000U, c.status);
	ASSERT_EQ(0, set_int(self->client, SOL_TERN, TERN_TIMEOUT, 60000));
	ASSERT_EQ(0, call(self->client, &c, TIME, "", 0, NULL, 0));
	EXPECT_GE(60000U, c.status);
	EXPECT_LT(55000U, c.status);
	c.timeout_ms = TERN_TIMEOUT_MAX;
	ASSERT_EQ(0, call(self->client, &c, TIME, "", 0, NULL, 0));
	EXPECT_GE((uint32_t)TERN_TIMEOUT_MAX, c.status);
	EXPECT_LT(TERN_TIMEOUT_MAX - 5000U, c.status);
}

/* It waits whatever the file's mode is. */
TEST_F(call, waits_in_nonblocking_mode)
{
	struct tern_ioc_call c = { .timeout_ms = 1000 };

	ASSERT_EQ(0, fcntl(self->client, F_SETFL, O_NONBLOCK));
	EXPECT_EQ(0, call(self->client, &c, ECHO, "abc", 3, reply, 3));
	EXPECT_ERRNO(ETIMEDOUT, call(self->client, &c, HOLD, "", 0, NULL, 0));
}

/* Outcomes of other calls neither disturb it nor are lost by it. */
TEST_F(call, beside_asynchronous_calls)
{
	struct tern_cmsg_call start = { .id = 5, .procedure = ECHO };
	struct tern_ioc_call c = { 0 };
	struct message m;
	char buf[8];

	ASSERT_EQ(3, send_call(self->client, NULL, &start, "one", 3));
	EXPECT_EQ(0, call(self->client, &c, ECHO, "two", 3, buf, 3));
	EXPECT_EQ(0, memcmp(buf, "two", 3));
	EXPECT_EQ(3, receive(self->client, &m, buf, 8, 0));
	EXPECT_OUTCOME(&m, 5, TERN_REPLIED, 0);
	EXPECT_EQ(0, memcmp(buf, "one", 3));
	EXPECT_EQ(0, ready(self->client, POLLIN, 0));
}

struct caller {
	pthread_t thread;
	int fd;
	uint32_t number;
	bool good;
};

static void *caller_run(void *arg)
{
	struct caller *caller = arg;

	caller->good = true;
	for (uint32_t i = 0; i < 50; i++) {
		uint32_t out[2] = { caller->number, i }, in[2] = { 0 };
		struct tern_ioc_call c = { 0 };

		if (call(caller->fd, &c, ECHO, out, sizeof(out), in,
			 sizeof(in)) || c.reply_len != sizeof(in) ||
		    memcmp(in, out, sizeof(in)))
			caller->good = false;
	}
	return NULL;
}

TEST_F(call, threads_on_one_socket)
{
	struct caller callers[16];

	for (int i = 0; i < 16; i++) {
		callers[i].fd = self->client;
		callers[i].number = i;
		ASSERT_EQ(0, pthread_create(&callers[i].thread, NULL,
					    caller_run, &callers[i]));
	}
	for (int i = 0; i < 16; i++) {
		pthread_join(callers[i].thread, NULL);
		EXPECT_TRUE(callers[i].good);
	}
}

TEST_HARNESS_MAIN
