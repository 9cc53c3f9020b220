// SPDX-License-Identifier: GPL-2.0
/* Sockets, calls that wait, and the two halves of a server. */
#include "lib_test.h"

FIXTURE(call) {
	struct place place;
};

FIXTURE_SETUP(call)
{
	ASSERT_EQ(0, place_open(&self->place));
}

FIXTURE_TEARDOWN(call)
{
	place_close(&self->place);
}

TEST_F(call, socket_flags)
{
	int fd = tern_socket(SOCK_NONBLOCK);

	ASSERT_LE(0, fd);
	EXPECT_EQ(O_NONBLOCK, fcntl(fd, F_GETFL) & O_NONBLOCK);
	EXPECT_EQ(FD_CLOEXEC, fcntl(fd, F_GETFD));
	EXPECT_EQ(0, fcntl(self->place.client, F_GETFL) & O_NONBLOCK);
	EXPECT_EQ(FD_CLOEXEC, fcntl(self->place.client, F_GETFD));
	close(fd);
}

TEST_F(call, bind)
{
	int fd = tern_socket(0);

	EXPECT_EQ(-EINVAL, tern_bind(self->place.server, 5000, 1, 0));
	EXPECT_EQ(-EADDRINUSE, tern_bind(fd, PROGRAM, VERSION, 0));
	EXPECT_EQ(-EACCES, tern_bind(fd, TERN_PROGRAM_USER - 1, 1, 0));
	EXPECT_EQ(0, tern_bind(fd, PROGRAM, VERSION + 1, 0));
	close(fd);
}

TEST_F(call, bind_shared)
{
	int first = tern_socket(0);
	int second = tern_socket(0);
	int third = tern_socket(0);

	EXPECT_EQ(0, tern_bind(first, 5000, 1, 1));
	EXPECT_EQ(-EADDRINUSE, tern_bind(third, 5000, 1, 0));
	EXPECT_EQ(0, tern_bind(second, 5000, 1, 1));
	close(first);
	close(second);
	close(third);
}

TEST_F(call, connect)
{
	struct tern_request request;
	struct tern_result result;
	char buf[16];

	EXPECT_EQ(-EDESTADDRREQ, tern_call(self->place.client, NULL, 1, "x", 1,
					   NULL, 0, &patient, &result));
	EXPECT_RESULT(TERN_NOT_EXECUTED, EDESTADDRREQ, result);

	ASSERT_EQ(0, tern_connect(self->place.client, &self->place.to));
	EXPECT_EQ(0, tern_cast(self->place.client, NULL, 1, "x", 1, &patient,
			       &result));
	EXPECT_RESULT(TERN_DELIVERED, 0, result);

	ASSERT_EQ(0, tern_connect(self->place.client, NULL));
	EXPECT_EQ(-EDESTADDRREQ, tern_cast(self->place.client, NULL, 1, "x", 1,
					   &patient, &result));
	EXPECT_RESULT(TERN_NOT_EXECUTED, EDESTADDRREQ, result);

	/* exactly the one cast arrived */
	EXPECT_EQ(1, tern_recv_request(self->place.server, &request, buf,
				       sizeof(buf), 0));
	EXPECT_EQ(-EAGAIN, tern_recv_request(self->place.server, &request, buf,
					     sizeof(buf), TERN_RECV_DONTWAIT));
}

TEST_F(call, reply)
{
	struct tern_request request;
	struct caller caller;
	char buf[16];

	ASSERT_EQ(0, caller_start(&caller, &self->place, 7, &patient));
	ASSERT_EQ(5, tern_recv_request(self->place.server, &request, buf,
				       sizeof(buf), 0));
	EXPECT_EQ(0, memcmp("hello", buf, 5));
	EXPECT_NE(0, request.handle);
	EXPECT_EQ(7, request.procedure);
	EXPECT_EQ(0, request.flags);
	EXPECT_EQ(5, request.len);
	EXPECT_LT(0, request.time_left_ms);
	EXPECT_GE(LONG_MS, request.time_left_ms);
	EXPECT_EQ(tern_family(), request.source.st_family);
	EXPECT_EQ(0, request.source.st_service);

	EXPECT_EQ(0, tern_send_reply(self->place.server, request.handle, 0,
				     "bye", 3));
	caller_wait(&caller);
	EXPECT_EQ(3, caller.returned);
	EXPECT_RESULT(TERN_REPLIED, 0, caller.result);
	EXPECT_EQ(0, caller.result.status);
	EXPECT_EQ(3, caller.result.reply_len);
	EXPECT_EQ(0, memcmp("bye", caller.reply, 3));

	/* a second reply, and one to nothing */
	EXPECT_EQ(-ENOENT, tern_send_reply(self->place.server, request.handle,
					   0, "bye", 3));
	EXPECT_EQ(-ENOENT, tern_send_reply(self->place.server, UINT64_MAX, 0,
					   "bye", 3));
}

TEST_F(call, status)
{
	struct tern_request request;
	struct caller caller;
	char buf[16];

	ASSERT_EQ(0, caller_start(&caller, &self->place, 7, &patient));
	ASSERT_EQ(5, tern_recv_request(self->place.server, &request, buf,
				       sizeof(buf), 0));
	EXPECT_EQ(0, tern_send_reply(self->place.server, request.handle,
				     UINT32_MAX, "why", 3));
	caller_wait(&caller);
	EXPECT_EQ(-EREMOTEIO, caller.returned);
	EXPECT_RESULT(TERN_REPLIED, 0, caller.result);
	EXPECT_EQ(UINT32_MAX, caller.result.status);
	EXPECT_EQ(3, caller.result.reply_len);
	EXPECT_EQ(0, memcmp("why", caller.reply, 3));
}

TEST_F(call, reply_longer_than_buffer)
{
	const char *long_reply = "0123456789abcdefghij";
	struct tern_request request;
	struct caller caller;
	char buf[16];

	ASSERT_EQ(0, caller_start(&caller, &self->place, 7, &patient));
	ASSERT_EQ(5, tern_recv_request(self->place.server, &request, buf,
				       sizeof(buf), 0));
	EXPECT_EQ(0, tern_send_reply(self->place.server, request.handle, 0,
				     long_reply, 20));
	caller_wait(&caller);
	EXPECT_EQ(-EMSGSIZE, caller.returned);
	EXPECT_RESULT(TERN_REPLIED, EMSGSIZE, caller.result);
	EXPECT_EQ(20, caller.result.reply_len);
	EXPECT_EQ(0, memcmp(long_reply, caller.reply, sizeof(caller.reply)));
}

TEST_F(call, reply_recv)
{
	struct tern_request request;
	struct caller first, second;
	char buf[16];

	ASSERT_EQ(0, caller_start(&first, &self->place, 7, &patient));
	ASSERT_EQ(5, tern_recv_request(self->place.server, &request, buf,
				       sizeof(buf), 0));
	ASSERT_EQ(0, caller_start(&second, &self->place, 8, &patient));
	ASSERT_EQ(5, tern_reply_recv(self->place.server, &request, 0, "one", 3,
				     buf, sizeof(buf), 0));
	EXPECT_EQ(8, request.procedure);
	caller_wait(&first);
	EXPECT_EQ(3, first.returned);
	EXPECT_EQ(0, memcmp("one", first.reply, 3));

	EXPECT_EQ(-EAGAIN, tern_reply_recv(self->place.server, &request, 0,
					   "two", 3, buf, sizeof(buf),
					   TERN_RECV_DONTWAIT));
	EXPECT_EQ(0, request.handle);
	caller_wait(&second);
	EXPECT_EQ(3, second.returned);
	EXPECT_EQ(0, memcmp("two", second.reply, 3));

	/* a reply that cannot be sent leaves its handle */
	request.handle = UINT64_MAX;
	EXPECT_EQ(-ENOENT, tern_reply_recv(self->place.server, &request, 0,
					   "two", 3, buf, sizeof(buf), 0));
	EXPECT_EQ(UINT64_MAX, request.handle);
}

TEST_F(call, request_longer_than_buffer)
{
	struct tern_request request;
	struct caller caller;
	char buf[16];

	ASSERT_EQ(0, caller_start(&caller, &self->place, 7, &patient));
	EXPECT_EQ(-EMSGSIZE, tern_recv_request(self->place.server, &request,
					       buf, 4, 0));
	EXPECT_EQ(5, request.len);
	EXPECT_EQ(0, request.handle);
	/* it is still there */
	ASSERT_EQ(5, tern_recv_request(self->place.server, &request, buf,
				       request.len, TERN_RECV_DONTWAIT));
	EXPECT_EQ(0, tern_send_reply(self->place.server, request.handle, 0,
				     NULL, 0));
	caller_wait(&caller);
	EXPECT_EQ(0, caller.returned);
}

TEST_F(call, cast)
{
	struct tern_request request;
	struct tern_result result;
	char buf[16];

	ASSERT_EQ(0, tern_cast(self->place.client, &self->place.to, 7,
			       "hello", 5, &patient, &result));
	EXPECT_RESULT(TERN_DELIVERED, 0, result);
	ASSERT_EQ(5, tern_recv_request(self->place.server, &request, buf,
				       sizeof(buf), 0));
	EXPECT_EQ(0, memcmp("hello", buf, 5));
	EXPECT_EQ(TERN_CALL_ONEWAY, request.flags);
	/* so that it can be passed on to tern_reply_recv() like any other */
	EXPECT_EQ(0, request.handle);
}

TEST_F(call, no_such_service)
{
	char text[TERN_RESULT_TEXT_SIZE];
	struct tern_result result;

	self->place.to.st_version++;
	EXPECT_EQ(-ECONNREFUSED, tern_call(self->place.client, &self->place.to,
					   7, "x", 1, NULL, 0, &patient,
					   &result));
	EXPECT_RESULT(TERN_NOT_EXECUTED, ECONNREFUSED, result);
	EXPECT_STREQ("not executed: connection refused",
		     tern_result_text(&result, text, sizeof(text)));

	EXPECT_EQ(-ECONNREFUSED, tern_cast(self->place.client, &self->place.to,
					   7, "x", 1, &patient, &result));
	EXPECT_RESULT(TERN_NOT_EXECUTED, ECONNREFUSED, result);
	EXPECT_EQ(-ECONNREFUSED, tern_call(self->place.client, &self->place.to,
					   7, "x", 1, NULL, 0, &patient, NULL));
}

TEST_F(call, deadline_while_queued)
{
	struct tern_request request;
	struct tern_result result;
	char buf[16];

	EXPECT_EQ(-ETIMEDOUT, tern_call(self->place.client, &self->place.to, 7,
					"x", 1, NULL, 0, &hasty, &result));
	EXPECT_RESULT(TERN_NOT_EXECUTED, ETIMEDOUT, result);
	EXPECT_EQ(-EAGAIN, tern_recv_request(self->place.server, &request, buf,
					     sizeof(buf), TERN_RECV_DONTWAIT));
}

TEST_F(call, deadline_while_executing)
{
	static const struct tern_call_opts a_second = { .timeout_ms = 1000 };
	struct tern_request request;
	struct caller caller;
	char buf[16];

	ASSERT_EQ(0, caller_start(&caller, &self->place, 7, &a_second));
	ASSERT_EQ(5, tern_recv_request(self->place.server, &request, buf,
				       sizeof(buf), 0));
	caller_wait(&caller);
	EXPECT_EQ(-ETIMEDOUT, caller.returned);
	EXPECT_RESULT(TERN_UNKNOWN, ETIMEDOUT, caller.result);
	/* nobody waits for the reply any more */
	EXPECT_EQ(0, tern_send_reply(self->place.server, request.handle, 0,
				     "late", 4));
}

TEST_F(call, timeout_of_the_socket)
{
	struct tern_result result;

	ASSERT_EQ(0, tern_set_timeout(self->place.client, SHORT_MS));
	EXPECT_EQ(-ETIMEDOUT, tern_call(self->place.client, &self->place.to, 7,
					"x", 1, NULL, 0, NULL, &result));
	EXPECT_RESULT(TERN_NOT_EXECUTED, ETIMEDOUT, result);
	EXPECT_EQ(-EINVAL, tern_set_timeout(self->place.client,
					    TERN_TIMEOUT_MAX + 1));
	EXPECT_EQ(0, tern_set_timeout(self->place.client, 0));
}

TEST_F(call, worker_gone)
{
	struct tern_request request;
	struct caller caller;
	char buf[16];

	ASSERT_EQ(0, caller_start(&caller, &self->place, 7, &patient));
	ASSERT_EQ(5, tern_recv_request(self->place.server, &request, buf,
				       sizeof(buf), 0));
	close(self->place.server);
	caller_wait(&caller);
	EXPECT_EQ(-EOWNERDEAD, caller.returned);
	EXPECT_RESULT(TERN_UNKNOWN, EOWNERDEAD, caller.result);
}

TEST_F(call, mistakes)
{
	static const struct tern_call_opts flags = { .flags = 0x80000000 };
	static const struct tern_call_opts timeout = {
		.timeout_ms = TERN_TIMEOUT_MAX + 1,
	};
	struct tern_request request;
	struct tern_result result;
	char buf[16];

	EXPECT_EQ(-EINVAL, tern_call(self->place.client, &self->place.to, 7,
				     "x", 1, NULL, 0, &flags, &result));
	EXPECT_RESULT(TERN_NOT_EXECUTED, EINVAL, result);
	EXPECT_EQ(-EINVAL, tern_cast(self->place.client, &self->place.to, 7,
				     "x", 1, &timeout, &result));
	EXPECT_RESULT(TERN_NOT_EXECUTED, EINVAL, result);
	EXPECT_EQ(-EFAULT, tern_call(self->place.client, &self->place.to, 7,
				     (void *)8, 1, NULL, 0, &patient,
				     &result));
	EXPECT_RESULT(TERN_NOT_EXECUTED, EFAULT, result);
	EXPECT_EQ(-EFAULT, tern_call(self->place.client, (void *)8, 7,
				     "x", 1, NULL, 0, &patient, &result));
	EXPECT_RESULT(TERN_NOT_EXECUTED, EFAULT, result);
	EXPECT_EQ(-EAGAIN, tern_recv_request(self->place.server, &request, buf,
					     sizeof(buf), TERN_RECV_DONTWAIT));
	EXPECT_EQ(-EINVAL, tern_recv_request(self->place.client, &request, buf,
					     sizeof(buf), TERN_RECV_DONTWAIT));
}

static void *reply_once(void *arg)
{
	struct place *place = arg;
	struct tern_request request;
	char buf[16];

	if (tern_recv_request(place->server, &request, buf, sizeof(buf), 0) > 0)
		tern_send_reply(place->server, request.handle, 0, "reply", 5);
	return NULL;
}

/* The service did execute it, though its reply cannot be stored. */
TEST_F(call, reply_to_a_wrong_address)
{
	struct tern_result result;
	pthread_t thread;

	ASSERT_EQ(0, pthread_create(&thread, NULL, reply_once, &self->place));
	EXPECT_EQ(-EFAULT, tern_call(self->place.client, &self->place.to, 7,
				     "x", 1, (void *)8, 100, &patient,
				     &result));
	EXPECT_RESULT(TERN_REPLIED, EFAULT, result);
	pthread_join(thread, NULL);
}

TEST_HARNESS_MAIN
