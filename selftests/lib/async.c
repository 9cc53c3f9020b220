// SPDX-License-Identifier: GPL-2.0
/*
 * Calls whose outcome is received later.  A socket may call its own service, so
 * one thread plays both parts.
 */
#include "lib_test.h"

FIXTURE(async) {
	struct place place;
	char buf[64];
};

FIXTURE_SETUP(async)
{
	ASSERT_EQ(0, place_open(&self->place));
}

FIXTURE_TEARDOWN(async)
{
	place_close(&self->place);
}

TEST_F(async, outcomes_in_any_order)
{
	struct tern_request requests[3];
	struct tern_result result;
	uint64_t id;
	int i;

	for (i = 0; i < 3; i++) {
		ASSERT_EQ(0, tern_send_call(self->place.client, &self->place.to,
					    UINT64_MAX - i, 7 + i, "hello", 5,
					    &patient));
		ASSERT_EQ(5, tern_recv_request(self->place.server, &requests[i],
					       self->buf, sizeof(self->buf),
					       0));
		EXPECT_EQ(7 + i, requests[i].procedure);
	}
	EXPECT_EQ(-EAGAIN, tern_recv_outcome(self->place.client, &id, self->buf,
					     sizeof(self->buf), &result,
					     MSG_DONTWAIT));
	for (i = 2; i >= 0; i--) {
		ASSERT_EQ(0, tern_send_reply(self->place.server,
					     requests[i].handle, i, "reply",
					     i));
		ASSERT_EQ(i, tern_recv_outcome(self->place.client, &id,
					       self->buf, sizeof(self->buf),
					       &result, 0));
		EXPECT_EQ(UINT64_MAX - i, id);
		EXPECT_RESULT(TERN_REPLIED, 0, result);
		EXPECT_EQ(i, result.status);
		EXPECT_EQ(i, result.reply_len);
		EXPECT_EQ(0, memcmp("reply", self->buf, i));
		EXPECT_EQ(i ? -EREMOTEIO : 0, tern_result_error(&result));
	}
}

TEST_F(async, failed_call)
{
	struct tern_result result;
	uint64_t id = 0;

	self->place.to.st_version++;
	ASSERT_EQ(0, tern_send_call(self->place.client, &self->place.to, 5, 7,
				    "hello", 5, &patient));
	ASSERT_EQ(0, tern_recv_outcome(self->place.client, &id, self->buf,
				       sizeof(self->buf), &result, 0));
	EXPECT_EQ(5, id);
	EXPECT_RESULT(TERN_NOT_EXECUTED, ECONNREFUSED, result);
	EXPECT_EQ(0, result.reply_len);
	EXPECT_EQ(-ECONNREFUSED, tern_result_error(&result));
}

TEST_F(async, deadline)
{
	struct tern_result result;

	ASSERT_EQ(0, tern_send_call(self->place.client, &self->place.to, 5, 7,
				    "hello", 5, &hasty));
	ASSERT_EQ(0, tern_recv_outcome(self->place.client, NULL, NULL, 0,
				       &result, 0));
	EXPECT_RESULT(TERN_NOT_EXECUTED, ETIMEDOUT, result);
}

TEST_F(async, oneway)
{
	const struct tern_call_opts oneway = {
		.timeout_ms = LONG_MS,
		.flags = TERN_CALL_ONEWAY,
	};
	struct tern_message message;
	struct tern_result result;

	ASSERT_EQ(0, tern_send_call(self->place.client, &self->place.to, 5, 7,
				    "hello", 5, &oneway));
	ASSERT_EQ(0, tern_recv_outcome(self->place.client, NULL, NULL, 0,
				       &result, 0));
	EXPECT_RESULT(TERN_DELIVERED, 0, result);

	ASSERT_EQ(5, tern_recv(self->place.server, &message, self->buf,
			       sizeof(self->buf), 0));
	EXPECT_EQ(TERN_KIND_REQUEST, message.kind);
	EXPECT_EQ(TERN_CALL_ONEWAY, message.request.flags);
	EXPECT_EQ(0, message.request.handle);
}

TEST_F(async, not_sent)
{
	static char long_request[TERN_MESSAGE_MAX + 1];
	const struct tern_call_opts flags = { .flags = 0x80000000 };
	struct tern_result result;

	EXPECT_EQ(-EDESTADDRREQ, tern_send_call(self->place.client, NULL, 5, 7,
						"hello", 5, &patient));
	EXPECT_EQ(-EMSGSIZE, tern_send_call(self->place.client,
					    &self->place.to, 5, 7,
					    long_request, sizeof(long_request),
					    &patient));
	EXPECT_EQ(-EINVAL, tern_send_call(self->place.client, &self->place.to,
					  5, 7, "hello", 5, &flags));
	EXPECT_EQ(-EAGAIN, tern_recv_outcome(self->place.client, NULL, NULL, 0,
					     &result, MSG_DONTWAIT));
}

TEST_F(async, connected)
{
	struct tern_result result;

	ASSERT_EQ(0, tern_connect(self->place.client, &self->place.to));
	ASSERT_EQ(0, tern_send_call(self->place.client, NULL, 5, 7, NULL, 0,
				    &hasty));
	ASSERT_EQ(0, tern_recv_outcome(self->place.client, NULL, NULL, 0,
				       &result, 0));
	EXPECT_RESULT(TERN_NOT_EXECUTED, ETIMEDOUT, result);
}

/* Requests and outcomes on one socket. */
TEST_F(async, recv_tells_them_apart)
{
	struct tern_message message;
	int fd = self->place.server;

	ASSERT_EQ(0, tern_send_call(fd, &self->place.to, 5, 7, "hello", 5,
				    &patient));
	ASSERT_EQ(5, tern_recv(fd, &message, self->buf, sizeof(self->buf), 0));
	ASSERT_EQ(TERN_KIND_REQUEST, message.kind);
	EXPECT_EQ(5, message.len);
	EXPECT_EQ(5, message.request.len);
	EXPECT_EQ(7, message.request.procedure);
	EXPECT_EQ(0, message.request.flags);
	EXPECT_LT(0, message.request.time_left_ms);
	EXPECT_GE(LONG_MS, message.request.time_left_ms);
	EXPECT_EQ(tern_family(), message.request.source.st_family);
	EXPECT_EQ(0, memcmp("hello", self->buf, 5));
	EXPECT_EQ(-EAGAIN, tern_recv(fd, &message, self->buf, sizeof(self->buf),
				     MSG_DONTWAIT));

	ASSERT_EQ(0, tern_send_reply(fd, message.request.handle, 0, "bye", 3));
	ASSERT_EQ(3, tern_recv(fd, &message, self->buf, sizeof(self->buf), 0));
	ASSERT_EQ(TERN_KIND_OUTCOME, message.kind);
	EXPECT_EQ(3, message.len);
	EXPECT_EQ(5, message.outcome.id);
	EXPECT_RESULT(TERN_REPLIED, 0, message.outcome.result);
	EXPECT_EQ(3, message.outcome.result.reply_len);
	EXPECT_EQ(0, memcmp(&self->place.to, &message.outcome.service,
			    sizeof(self->place.to)));
	EXPECT_EQ(0, memcmp("bye", self->buf, 3));
}

TEST_F(async, request_instead_of_outcome)
{
	struct tern_result result;

	ASSERT_EQ(0, tern_send_call(self->place.client, &self->place.to, 5, 7,
				    "hello", 5, &patient));
	EXPECT_EQ(-EPROTO, tern_recv_outcome(self->place.server, NULL,
					     self->buf, sizeof(self->buf),
					     &result, 0));
}

TEST_F(async, message_longer_than_buffer)
{
	struct tern_message message;
	struct tern_result result;

	ASSERT_EQ(0, tern_send_call(self->place.client, &self->place.to, 5, 7,
				    "hello", 5, &patient));
	memset(self->buf, '#', sizeof(self->buf));
	ASSERT_EQ(5, tern_recv(self->place.server, &message, self->buf, 2, 0));
	EXPECT_EQ(5, message.len);
	EXPECT_EQ(5, message.request.len);
	EXPECT_EQ(0, memcmp("he#", self->buf, 3));

	ASSERT_EQ(0, tern_send_reply(self->place.server, message.request.handle,
				     0, "goodbye", 7));
	ASSERT_EQ(7, tern_recv_outcome(self->place.client, NULL, self->buf, 4,
				       &result, 0));
	EXPECT_RESULT(TERN_REPLIED, 0, result);
	EXPECT_EQ(7, result.reply_len);
	EXPECT_EQ(0, memcmp("good#", self->buf, 5));
}

TEST_F(async, peek)
{
	struct tern_message message;
	int fd = self->place.server;

	ASSERT_EQ(0, tern_send_call(self->place.client, &self->place.to, 5, 7,
				    "hello", 5, &patient));
	ASSERT_EQ(5, tern_recv(fd, &message, NULL, 0, MSG_PEEK));
	EXPECT_EQ(TERN_KIND_REQUEST, message.kind);
	ASSERT_EQ(5, tern_recv(fd, &message, self->buf, sizeof(self->buf),
			       MSG_DONTWAIT));
	EXPECT_EQ(0, memcmp("hello", self->buf, 5));
}

TEST_HARNESS_MAIN
