// SPDX-License-Identifier: GPL-2.0
/* Calls that do not wait: requests and outcomes by sendmsg() and recvmsg(). */
#include "tern_test.h"

TERN_FIXTURE(async);

static char data[TERN_MESSAGE_MAX], buf[TERN_MESSAGE_MAX];

TEST_F(async, request_arrives)
{
	struct tern_cmsg_call start = {
		.id = 0x123456789abcdef0, .procedure = 42, .timeout_ms = 5000,
		.flags = TERN_CALL_IDEMPOTENT,
	};
	struct sockaddr_tern none = tern_addr(0, 0);
	struct message m;

	ASSERT_EQ(5, send_call(self->client, NULL, &start, "hello", 5));
	ASSERT_EQ(5, receive(self->server, &m, buf, sizeof(buf), 0));
	EXPECT_EQ(0, memcmp(buf, "hello", 5));
	EXPECT_EQ(0, m.flags);
	EXPECT_EQ(TERN_CMSG_REQUEST, m.type);
	EXPECT_NE(0U, m.request.handle);
	EXPECT_EQ(42U, m.request.procedure);
	EXPECT_EQ((uint32_t)TERN_CALL_IDEMPOTENT, m.request.flags);
	EXPECT_GE(5000U, m.request.time_left_ms);
	EXPECT_LT(2000U, m.request.time_left_ms);
	EXPECT_EQ(0U, m.request.__resv);
	EXPECT_EQ(none.st_family, m.source.st_family);
	EXPECT_EQ(0U, m.source.st_service);
	EXPECT_EQ(0U, m.source.st_version);
	/* No node is up: the client can only be here. */
	none.st_addr[15] = 1;
	EXPECT_EQ(0, memcmp(none.st_addr, m.source.st_addr, 16));
}

TEST_F(async, outcome_arrives)
{
	struct tern_cmsg_call start = { .id = UINT64_MAX, .procedure = 1 };
	struct sockaddr_tern to = tern_loopback(PROGRAM);
	struct message m;

	ASSERT_EQ(0, send_call(self->client, &to, &start, "", 0));
	ASSERT_EQ(0, receive(self->server, &m, buf, sizeof(buf), 0));
	ASSERT_EQ(4, send_reply(self->server, m.request.handle, 0xfedcba98,
				"done", 4));
	ASSERT_EQ(4, receive(self->client, &m, buf, sizeof(buf), 0));
	EXPECT_EQ(0, memcmp(buf, "done", 4));
	EXPECT_OUTCOME(&m, UINT64_MAX, TERN_REPLIED, 0);
	EXPECT_EQ(0xfedcba98, m.outcome.status);
	EXPECT_EQ(PROGRAM, (int)m.source.st_service);
	EXPECT_EQ(1U, m.source.st_version);
	EXPECT_EQ(0, memcmp(to.st_addr, m.source.st_addr, 16));
	EXPECT_ERRNO(EAGAIN, receive(self->client, &m, buf, sizeof(buf),
				     MSG_DONTWAIT));
}

TEST_F(async, sizes)
{
	for (int len = 0; len <= TERN_MESSAGE_MAX; len = len ? len * 2 : 1) {
		struct tern_cmsg_call start = { .id = len };
		struct message m;

		fill(data, len, len);
		ASSERT_EQ(len, send_call(self->client, NULL, &start, data,
					 len));
		ASSERT_EQ(len, receive(self->server, &m, buf, sizeof(buf), 0));
		EXPECT_TRUE(filled(buf, len, len));
		fill(data, len, len + 1);
		ASSERT_EQ(len, send_reply(self->server, m.request.handle, 0,
					  data, len));
		ASSERT_EQ(len, receive(self->client, &m, buf, sizeof(buf), 0));
		EXPECT_TRUE(filled(buf, len, len + 1));
		EXPECT_OUTCOME(&m, len, TERN_REPLIED, 0);
	}
}

/* Requests come in the order sent, replies in the order replied. */
TEST_F(async, replies_in_any_order)
{
	enum { CALLS = 64 };
	uint64_t handles[CALLS];
	struct message m;

	for (uint32_t i = 0; i < CALLS; i++) {
		struct tern_cmsg_call start = { .id = i + 1000 };

		ASSERT_EQ(4, send_call(self->client, NULL, &start, &i, 4));
	}
	for (uint32_t i = 0; i < CALLS; i++) {
		ASSERT_EQ(4, receive(self->server, &m, buf, sizeof(buf), 0));
		EXPECT_EQ(0, memcmp(buf, &i, 4));
		handles[i] = m.request.handle;
		for (uint32_t j = 0; j < i; j++)
			EXPECT_NE(handles[j], handles[i]);
	}
	for (uint32_t i = 0; i < CALLS; i++) {
		uint32_t n = i * 37 % CALLS;

		ASSERT_EQ(4, send_reply(self->server, handles[n], n, &n, 4));
	}
	for (uint32_t i = 0; i < CALLS; i++) {
		uint32_t n = i * 37 % CALLS;

		ASSERT_EQ(4, receive(self->client, &m, buf, sizeof(buf), 0));
		EXPECT_OUTCOME(&m, n + 1000, TERN_REPLIED, 0);
		EXPECT_EQ(n, m.outcome.status);
		EXPECT_EQ(0, memcmp(buf, &n, 4));
	}
}

/* The kernel does not interpret the caller's names. */
TEST_F(async, equal_ids)
{
	struct tern_cmsg_call start = { .id = 7 };
	struct message m;

	for (int i = 0; i < 3; i++)
		ASSERT_EQ(0, send_call(self->client, NULL, &start, "", 0));
	for (int i = 0; i < 3; i++) {
		ASSERT_EQ(0, receive(self->server, &m, buf, 8, 0));
		ASSERT_EQ(0, send_reply(self->server, m.request.handle, i, "",
					0));
	}
	for (uint32_t i = 0; i < 3; i++) {
		ASSERT_EQ(0, receive(self->client, &m, buf, 8, 0));
		EXPECT_OUTCOME(&m, 7, TERN_REPLIED, 0);
		EXPECT_EQ(i, m.outcome.status);
	}
}

static int withdraw(int fd, uint64_t id)
{
	return ioctl(fd, TERN_IOC_CANCEL, &id);
}

/* Nobody has it: it is withdrawn, and another of that id is not. */
TEST_F(async, cancel_queued)
{
	struct tern_cmsg_call start = { .id = 7 };
	struct message m;

	ASSERT_EQ(1, send_call(self->client, NULL, &start, "1", 1));
	ASSERT_EQ(1, send_call(self->client, NULL, &start, "2", 1));
	EXPECT_EQ(0, withdraw(self->client, 7));
	ASSERT_EQ(0, receive(self->client, &m, buf, 8, 0));
	EXPECT_OUTCOME(&m, 7, TERN_NOT_EXECUTED, ECANCELED);
	ASSERT_EQ(1, receive(self->server, &m, buf, 8, 0));
	EXPECT_EQ('2', buf[0]);
	EXPECT_ERRNO(EAGAIN, receive(self->server, &m, buf, 8, MSG_DONTWAIT));
	EXPECT_TRUE(works(self->server, self->client));
}

/* Its worker is told, and what it does is told. */
TEST_F(async, cancel_executing)
{
	struct tern_cmsg_call start = { .id = UINT64_MAX };
	struct tern_ioc_request query;
	struct message m;

	ASSERT_EQ(4, send_call(self->client, NULL, &start, "work", 4));
	ASSERT_EQ(4, receive(self->server, &m, buf, 8, 0));
	query = (struct tern_ioc_request){ .handle = m.request.handle };
	EXPECT_EQ(0, withdraw(self->client, UINT64_MAX));
	EXPECT_EQ(POLLPRI, ready(self->server, POLLPRI, PATIENCE_MS));
	ASSERT_EQ(0, ioctl(self->server, TERN_IOC_REQUEST, &query));
	EXPECT_EQ((uint32_t)ECANCELED, query.cause);
	EXPECT_ERRNO(ENOENT, withdraw(self->client, UINT64_MAX));
	EXPECT_ERRNO(EAGAIN, receive(self->client, &m, buf, 8, MSG_DONTWAIT));
	ASSERT_EQ(4, send_reply(self->server, query.handle, 0, "done", 4));
	ASSERT_EQ(4, receive(self->client, &m, buf, 8, 0));
	EXPECT_OUTCOME(&m, UINT64_MAX, TERN_REPLIED, 0);
}

TEST_F(async, cancel_what_is_not_there)
{
	struct tern_cmsg_call start = { .id = 3 };
	struct message m;

	EXPECT_ERRNO(ENOENT, withdraw(self->client, 3));
	EXPECT_ERRNO(EFAULT, ioctl(self->client, TERN_IOC_CANCEL, 8));
	ASSERT_EQ(4, send_call(self->client, NULL, &start, "work", 4));
	EXPECT_ERRNO(ENOENT, withdraw(self->client, 4));
	EXPECT_ERRNO(ENOENT, withdraw(self->server, 3));
	ASSERT_EQ(4, receive(self->server, &m, buf, 8, 0));
	ASSERT_EQ(0, send_reply(self->server, m.request.handle, 0, "", 0));
	EXPECT_EQ(POLLIN, ready(self->client, POLLIN, PATIENCE_MS));
	EXPECT_ERRNO(ENOENT, withdraw(self->client, 3));
	ASSERT_EQ(0, receive(self->client, &m, buf, 8, 0));
	EXPECT_OUTCOME(&m, 3, TERN_REPLIED, 0);
	EXPECT_ERRNO(ENOENT, withdraw(self->client, 3));
}

TEST_F(async, no_such_service)
{
	struct tern_cmsg_call start = { .id = 9 };
	struct sockaddr_tern to = tern_addr(NO_PROGRAM, 1);
	struct message m;

	ASSERT_EQ(3, send_call(self->client, &to, &start, "abc", 3));
	ASSERT_EQ(0, receive(self->client, &m, buf, 8, 0));
	EXPECT_OUTCOME(&m, 9, TERN_NOT_EXECUTED, ECONNREFUSED);
	EXPECT_EQ(0U, m.outcome.status);
	EXPECT_EQ(NO_PROGRAM, (int)m.source.st_service);
	start.flags = TERN_CALL_ONEWAY;
	ASSERT_EQ(3, send_call(self->client, &to, &start, "abc", 3));
	ASSERT_EQ(0, receive(self->client, &m, buf, 8, 0));
	EXPECT_OUTCOME(&m, 9, TERN_NOT_EXECUTED, ECONNREFUSED);
}

/* One-way: delivered means queued, before any worker has it. */
TEST_F(async, oneway)
{
	struct tern_cmsg_call start = { .id = 4, .flags = TERN_CALL_ONEWAY };
	struct message m;

	ASSERT_EQ(4, send_call(self->client, NULL, &start, "cast", 4));
	ASSERT_EQ(0, receive(self->client, &m, buf, 8, 0));
	EXPECT_OUTCOME(&m, 4, TERN_DELIVERED, 0);
	ASSERT_EQ(4, receive(self->server, &m, buf, 8, 0));
	EXPECT_EQ(0, memcmp(buf, "cast", 4));
	EXPECT_EQ((uint32_t)TERN_CALL_ONEWAY, m.request.flags);
	EXPECT_EQ(0, ready(self->client, POLLIN, 0));
	EXPECT_EQ(0, ready(self->server, POLLIN, 0));
}

TEST_F(async, client_and_server_in_one_socket)
{
	struct tern_cmsg_call start = { .id = 11, .procedure = 12 };
	struct message m;

	ASSERT_EQ(0, tern_connect(self->server, PROGRAM));
	ASSERT_EQ(4, send_call(self->server, NULL, &start, "self", 4));
	ASSERT_EQ(4, receive(self->server, &m, buf, 8, 0));
	EXPECT_EQ(TERN_CMSG_REQUEST, m.type);
	EXPECT_EQ(12U, m.request.procedure);
	ASSERT_EQ(2, send_reply(self->server, m.request.handle, 0, "me", 2));
	ASSERT_EQ(2, receive(self->server, &m, buf, 8, 0));
	EXPECT_OUTCOME(&m, 11, TERN_REPLIED, 0);
}

TEST_F(async, outcomes_come_before_requests)
{
	struct tern_cmsg_call start = { .id = 1 };
	struct sockaddr_tern nobody = tern_addr(NO_PROGRAM, 1);
	struct message m;

	ASSERT_EQ(3, send_call(self->client, NULL, &start, "req", 3));
	start.id = 2;
	ASSERT_EQ(0, send_call(self->server, &nobody, &start, "", 0));
	ASSERT_EQ(0, receive(self->server, &m, buf, 8, 0));
	EXPECT_OUTCOME(&m, 2, TERN_NOT_EXECUTED, ECONNREFUSED);
	ASSERT_EQ(3, receive(self->server, &m, buf, 8, 0));
	EXPECT_EQ(TERN_CMSG_REQUEST, m.type);
}

/* TERN_IOC_REPLY_RECV is for requests only. */
TEST_F(async, reply_recv_leaves_outcomes)
{
	struct tern_cmsg_call start = { .id = 2 };
	struct sockaddr_tern nobody = tern_addr(NO_PROGRAM, 1), source;
	struct tern_ioc_reply_recv rr = {
		.request = (uintptr_t)buf, .request_len = sizeof(buf),
		.source = (uintptr_t)&source, .flags = TERN_RECV_DONTWAIT,
	};
	struct message m;

	ASSERT_EQ(0, send_call(self->server, &nobody, &start, "", 0));
	EXPECT_ERRNO(EAGAIN, ioctl(self->server, TERN_IOC_REPLY_RECV, &rr));
	start = (struct tern_cmsg_call){ .procedure = 3, .timeout_ms = 9000,
					 .flags = TERN_CALL_IDEMPOTENT };
	ASSERT_EQ(4, send_call(self->client, NULL, &start, "work", 4));
	rr.request_len = sizeof(buf);
	ASSERT_EQ(0, ioctl(self->server, TERN_IOC_REPLY_RECV, &rr));
	EXPECT_NE(0U, rr.handle);
	EXPECT_EQ(4U, rr.request_len);
	EXPECT_EQ(3U, rr.procedure);
	EXPECT_EQ((uint32_t)TERN_CALL_IDEMPOTENT, rr.call_flags);
	EXPECT_GE(9000U, rr.time_left_ms);
	EXPECT_LT(5000U, rr.time_left_ms);
	EXPECT_EQ(tern_family(), source.st_family);
	EXPECT_EQ(0U, source.st_service);
	ASSERT_EQ(0, receive(self->server, &m, buf, 8, 0));
	EXPECT_OUTCOME(&m, 2, TERN_NOT_EXECUTED, ECONNREFUSED);
}

TEST_F(async, deadlines)
{
	struct tern_cmsg_call start = { .timeout_ms = 1000 };
	bool seen[2] = { false };
	struct message m;

	/* The first will be executing, the second queued. */
	ASSERT_EQ(0, send_call(self->client, NULL, &start, "", 0));
	start.id = 1;
	ASSERT_EQ(0, send_call(self->client, NULL, &start, "", 0));
	ASSERT_EQ(0, receive(self->server, &m, buf, 8, 0));
	for (int i = 0; i < 2; i++) {
		struct message o;

		ASSERT_EQ(0, receive(self->client, &o, buf, 8, 0));
		EXPECT_OUTCOME(&o, o.outcome.id, o.outcome.id ?
			       TERN_NOT_EXECUTED : TERN_UNKNOWN, ETIMEDOUT);
		ASSERT_GT(2U, o.outcome.id);
		EXPECT_FALSE(seen[o.outcome.id]);
		seen[o.outcome.id] = true;
	}
	EXPECT_ERRNO(EAGAIN, receive(self->server, &m, buf, 8, MSG_DONTWAIT));
	EXPECT_EQ(0, ready(self->client, POLLIN, 0));
}

/* A late reply is accepted, dropped, and matches no other call. */
TEST_F(async, late_reply)
{
	struct tern_cmsg_call start = { .id = 1, .timeout_ms = 1000 };
	struct message late, m;

	ASSERT_EQ(0, send_call(self->client, NULL, &start, "", 0));
	ASSERT_EQ(0, receive(self->server, &late, buf, 8, 0));
	ASSERT_EQ(0, receive(self->client, &m, buf, 8, 0));
	EXPECT_OUTCOME(&m, 1, TERN_UNKNOWN, ETIMEDOUT);
	start.id = 2;
	start.timeout_ms = 0;
	ASSERT_EQ(0, send_call(self->client, NULL, &start, "", 0));
	EXPECT_EQ(4, send_reply(self->server, late.request.handle, 0, "late",
				4));
	EXPECT_EQ(0, ready(self->client, POLLIN, 0));
	ASSERT_EQ(0, receive(self->server, &m, buf, 8, 0));
	ASSERT_EQ(4, send_reply(self->server, m.request.handle, 0, "good", 4));
	ASSERT_EQ(4, receive(self->client, &m, buf, 8, 0));
	EXPECT_OUTCOME(&m, 2, TERN_REPLIED, 0);
	EXPECT_EQ(0, memcmp(buf, "good", 4));
}

/* Many services from one socket. */
TEST_F(async, many_destinations)
{
	enum { SERVICES = 20 };
	int fds[SERVICES];
	struct message m;

	for (int i = 0; i < SERVICES; i++) {
		struct tern_cmsg_call start = { .id = i };
		struct sockaddr_tern to = tern_addr(PROGRAM + 1 + i, 1);

		fds[i] = service_open(PROGRAM + 1 + i, false, 0);
		ASSERT_LE(0, fds[i]);
		ASSERT_EQ(0, send_call(self->client, &to, &start, "", 0));
	}
	for (int i = SERVICES - 1; i >= 0; i--) {
		ASSERT_EQ(0, receive(fds[i], &m, buf, 8, 0));
		ASSERT_EQ(0, send_reply(fds[i], m.request.handle, i, "", 0));
		ASSERT_EQ(0, receive(self->client, &m, buf, 8, 0));
		EXPECT_OUTCOME(&m, i, TERN_REPLIED, 0);
		EXPECT_EQ((uint32_t)i, m.outcome.status);
		EXPECT_EQ(PROGRAM + 1U + i, m.source.st_service);
		close(fds[i]);
	}
}

/* A batch of calls by sendmmsg(). */
TEST_F(async, batch)
{
	enum { CALLS = 8 };
	union {
		char buf[CMSG_SPACE(sizeof(struct tern_cmsg_call))];
		struct cmsghdr align;
	} control[CALLS] = { 0 };
	struct mmsghdr batch[CALLS] = { 0 };
	struct message m;

	for (int i = 0; i < CALLS; i++) {
		struct tern_cmsg_call start = { .id = i };
		struct msghdr *msg = &batch[i].msg_hdr;
		struct cmsghdr *cmsg;

		msg->msg_control = &control[i];
		msg->msg_controllen = sizeof(control[i]);
		cmsg = CMSG_FIRSTHDR(msg);
		cmsg->cmsg_level = SOL_TERN;
		cmsg->cmsg_type = TERN_CMSG_CALL;
		cmsg->cmsg_len = CMSG_LEN(sizeof(start));
		memcpy(CMSG_DATA(cmsg), &start, sizeof(start));
	}
	ASSERT_EQ(CALLS, sendmmsg(self->client, batch, CALLS, 0));
	for (int i = 0; i < CALLS; i++) {
		ASSERT_EQ(0, receive(self->server, &m, buf, 8, 0));
		ASSERT_EQ(0, send_reply(self->server, m.request.handle, 0, "",
					0));
		ASSERT_EQ(0, receive(self->client, &m, buf, 8, 0));
		EXPECT_OUTCOME(&m, i, TERN_REPLIED, 0);
	}
}

TEST_HARNESS_MAIN
