// SPDX-License-Identifier: GPL-2.0
/*
 * The calls of event loops. One thread plays both parts, but where it is about
 * threads.
 *
 * Test: timeout=180
 */
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <stddef.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/user.h>

#include "loop_test.h"

#define THREADS		4
#define MANY		300
#define PROC		7
/* Beyond what one small call is charged for. */
#define SMALL_BUFFER	1

FIXTURE(loop) {
	struct place		place;
	struct tern_loop	*loop;
	struct tern_loop_opts	opts;
	struct tern_submission	call;
	struct tern_request	request;
	struct tern_result	result;
	struct ended		ended;
	uint64_t		id;
	char			buf[64];
	char			reply[64];
};

EACH_BACKEND(loop);

typedef FIXTURE_DATA(loop) data;

FIXTURE_SETUP(loop)
{
	ASSERT_EQ(0, place_open(&self->place));
	self->opts.backend = variant->backend;
	ASSERT_EQ(0, tern_loop_open(&self->loop, self->place.client,
				    &self->opts));
	ASSERT_EQ(variant->backend, tern_loop_backend(self->loop));
	self->call = (struct tern_submission){
		.to = &self->place.to,
		.procedure = PROC,
		.request = "hello",
		.request_len = 5,
		.opts = &patient,
		.done = on_done,
		.context = &self->ended,
	};
}

FIXTURE_TEARDOWN(loop)
{
	tern_loop_close(self->loop);
	place_close(&self->place);
}

/* Opens the loop again, otherwise. */
static int reopen(data *self)
{
	tern_loop_close(self->loop);
	self->loop = NULL;
	return tern_loop_open(&self->loop, self->place.client, &self->opts);
}

static int start(data *self)
{
	int err = tern_loop_call(self->loop, &self->call, &self->id);

	return err ?: tern_loop_submit(self->loop);
}

/* Receives the request of a call that was started. */
static ssize_t receive(data *self)
{
	return tern_recv_request(self->place.server, &self->request, self->buf,
				 sizeof(self->buf), 0);
}

static int reply(data *self, uint32_t status, const char *text)
{
	return tern_send_reply(self->place.server, self->request.handle, status,
			       text, strlen(text));
}

TEST_F(loop, callback)
{
	ASSERT_EQ(0, start(self));
	EXPECT_EQ(0, tern_loop_run_once(self->loop, 0));
	ASSERT_EQ(5, receive(self));
	EXPECT_EQ(PROC, self->request.procedure);
	EXPECT_EQ(0, memcmp("hello", self->buf, 5));
	ASSERT_EQ(0, reply(self, 3, "reply"));
	ASSERT_EQ(0, run_until(self->loop, &self->ended.count, 1));
	EXPECT_RESULT(TERN_REPLIED, 0, self->ended.result);
	EXPECT_EQ(3, self->ended.result.status);
	EXPECT_EQ(5, self->ended.result.reply_len);
	EXPECT_EQ(0, memcmp("reply", self->ended.reply, 5));
	EXPECT_EQ(0, tern_loop_run_once(self->loop, 0));
	EXPECT_EQ(1, self->ended.count);
}

TEST_F(loop, callback_and_own_buffer)
{
	self->call.reply = self->reply;
	self->call.reply_size = 5;
	ASSERT_EQ(0, start(self));
	ASSERT_EQ(5, receive(self));
	ASSERT_EQ(0, reply(self, 0, "reply"));
	ASSERT_EQ(0, run_until(self->loop, &self->ended.count, 1));
	EXPECT_RESULT(TERN_REPLIED, 0, self->ended.result);
	EXPECT_EQ(0, memcmp("reply", self->reply, 6));
	EXPECT_EQ(0, memcmp("reply", self->ended.reply, 5));
}

/* Submitted now, collected later, in another order than they end. */
TEST_F(loop, collected_later)
{
	struct tern_request requests[3];
	char replies[3][8] = { 0 };
	uint64_t ids[3];
	int i;

	self->call.done = NULL;
	for (i = 0; i < 3; i++) {
		self->call.reply = replies[i];
		self->call.reply_size = sizeof(replies[i]);
		ASSERT_EQ(0, start(self));
		ids[i] = self->id;
		ASSERT_EQ(5, receive(self));
		requests[i] = self->request;
	}
	for (i = 2; i >= 0; i--) {
		self->request = requests[i];
		ASSERT_EQ(0, reply(self, i == 2 ? 9 : 0, "reply"));
	}
	for (i = 0; i < 3; i++) {
		EXPECT_EQ(i == 2 ? -EREMOTEIO : 5,
			  tern_loop_wait(self->loop, ids[i], -1,
					 &self->result));
		EXPECT_RESULT(TERN_REPLIED, 0, self->result);
		EXPECT_EQ(0, memcmp("reply", replies[i], 5));
		EXPECT_EQ(-ENOENT, tern_loop_wait(self->loop, ids[i], -1,
						  &self->result));
	}
}

TEST_F(loop, not_yet)
{
	self->call.done = NULL;
	ASSERT_EQ(0, start(self));
	EXPECT_EQ(-EAGAIN, tern_loop_wait(self->loop, self->id, 0, NULL));
	EXPECT_EQ(-EAGAIN, tern_loop_wait(self->loop, self->id, SHORT_MS, NULL));
	EXPECT_EQ(-ENOENT, tern_loop_wait(self->loop, self->id + 1, 0, NULL));
	EXPECT_EQ(-ENOENT, tern_loop_wait(self->loop, UINT64_MAX, 0, NULL));
	EXPECT_EQ(-ENOENT, tern_loop_cancel(self->loop, self->id + 1));
	ASSERT_EQ(5, receive(self));
	ASSERT_EQ(0, reply(self, 0, ""));
	EXPECT_EQ(0, tern_loop_wait(self->loop, self->id, LONG_MS, NULL));

	self->call.done = on_done;
	ASSERT_EQ(0, start(self));
	EXPECT_EQ(-EINVAL, tern_loop_wait(self->loop, self->id, 0, NULL));
}

/* Empty ones too, with which the kernel ends a multishot receive. */
TEST_F(loop, content_of_all_sizes)
{
	static const size_t sizes[] = {
		0, 1, 255, 0, 0, 1400, 4097, 65535, TERN_MESSAGE_MAX, 0,
	};
	static char request[TERN_MESSAGE_MAX], answer[TERN_MESSAGE_MAX];
	struct echo echo;
	size_t i, at;

	self->call.done = NULL;
	self->call.request = request;
	self->call.reply = answer;
	self->call.reply_size = sizeof(answer);
	ASSERT_EQ(0, echo_start(&echo, self->place.server));
	for (i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		for (at = 0; at < sizes[i]; at++)
			request[at] = at * 31 + i + (at >> 8);
		memset(answer, 0, sizeof(answer));
		self->call.request_len = sizes[i];
		ASSERT_EQ(0, tern_loop_call(self->loop, &self->call,
					    &self->id));
		EXPECT_EQ((ssize_t)sizes[i],
			  tern_loop_wait(self->loop, self->id, -1, NULL));
		EXPECT_EQ(0, memcmp(request, answer, sizes[i]));
	}
	echo_stop(&echo);
}

TEST_F(loop, reply_longer_than_buffer)
{
	self->call.reply = self->reply;
	self->call.reply_size = 2;
	ASSERT_EQ(0, start(self));
	ASSERT_EQ(5, receive(self));
	ASSERT_EQ(0, reply(self, 0, "reply"));
	ASSERT_EQ(0, run_until(self->loop, &self->ended.count, 1));
	EXPECT_RESULT(TERN_REPLIED, EMSGSIZE, self->ended.result);
	EXPECT_EQ(5, self->ended.result.reply_len);
	EXPECT_EQ(0, memcmp("re\0", self->reply, 3));

	self->call.done = NULL;
	self->call.reply = NULL;
	self->call.reply_size = 0;
	ASSERT_EQ(0, start(self));
	ASSERT_EQ(5, receive(self));
	ASSERT_EQ(0, reply(self, 0, "reply"));
	EXPECT_EQ(-EMSGSIZE, tern_loop_wait(self->loop, self->id, -1, NULL));
}

TEST_F(loop, reply_longer_than_the_loop_takes)
{
	self->opts.reply_size = 4;
	ASSERT_EQ(0, reopen(self));
	self->call.reply = self->reply;
	self->call.reply_size = sizeof(self->reply);
	ASSERT_EQ(0, start(self));
	ASSERT_EQ(5, receive(self));
	ASSERT_EQ(0, reply(self, 0, "reply"));
	ASSERT_EQ(0, run_until(self->loop, &self->ended.count, 1));
	EXPECT_RESULT(TERN_REPLIED, EMSGSIZE, self->ended.result);
	EXPECT_EQ(5, self->ended.result.reply_len);
	EXPECT_EQ(0, memcmp("repl\0", self->reply, 5));
}

TEST_F(loop, failed_calls)
{
	const struct tern_call_opts flags = { .flags = 0x80000000 };

	self->place.to.st_version++;
	ASSERT_EQ(0, start(self));
	ASSERT_EQ(0, run_until(self->loop, &self->ended.count, 1));
	EXPECT_RESULT(TERN_NOT_EXECUTED, ECONNREFUSED, self->ended.result);

	self->call.opts = &flags;
	ASSERT_EQ(0, start(self));
	ASSERT_EQ(0, run_until(self->loop, &self->ended.count, 2));
	EXPECT_RESULT(TERN_NOT_EXECUTED, EINVAL, self->ended.result);

	self->call.opts = NULL;
	self->call.to = NULL;
	ASSERT_EQ(0, start(self));
	ASSERT_EQ(0, run_until(self->loop, &self->ended.count, 3));
	EXPECT_RESULT(TERN_NOT_EXECUTED, EDESTADDRREQ, self->ended.result);
}

TEST_F(loop, wrong_calls)
{
	const struct tern_call_opts opts = { .resv = { 1 } };
	struct tern_loop *other;

	self->call.request_len = TERN_MESSAGE_MAX + 1;
	EXPECT_EQ(-EMSGSIZE, start(self));
	self->call.request_len = 5;
	self->call.opts = &opts;
	EXPECT_EQ(-EINVAL, start(self));
	self->call.opts = NULL;
	self->call.resv = 1;
	EXPECT_EQ(-EINVAL, start(self));
	self->call.resv = 0;
	self->call.reply_size = 1;
	EXPECT_EQ(-EINVAL, start(self));
	self->call.reply_size = 0;
	EXPECT_EQ(-EINVAL, tern_loop_open(&other, self->place.server,
					  &self->opts));
	EXPECT_EQ(-EBADF, tern_loop_open(&other, 999, &self->opts));
	self->opts.resv[4] = 1;
	EXPECT_EQ(-EINVAL, tern_loop_open(&other, self->place.client,
					  &self->opts));
	self->opts.resv[4] = 0;
	self->opts.backend = 3;
	EXPECT_EQ(-EINVAL, tern_loop_open(&other, self->place.client,
					  &self->opts));
	self->opts.backend = variant->backend;
	ASSERT_EQ(0, tern_loop_open(&other, -1, &self->opts));
	EXPECT_EQ(-EINVAL, tern_loop_call(other, &self->call, NULL));
	EXPECT_EQ(-ENOENT, tern_loop_cancel(other, 0));
	EXPECT_EQ(0, tern_loop_run_once(other, 0));
	tern_loop_close(other);
	tern_loop_close(NULL);
}

/* Flags, deadline and extension reach the service. */
TEST_F(loop, options)
{
	const struct tern_call_opts opts = {
		.timeout_ms = 5000,
		.flags = TERN_CALL_IDEMPOTENT,
	};

	self->call.opts = &opts;
	ASSERT_EQ(0, start(self));
	ASSERT_EQ(5, receive(self));
	EXPECT_EQ(TERN_CALL_IDEMPOTENT, self->request.flags);
	EXPECT_GE(5000, self->request.time_left_ms);
	EXPECT_LT(0, self->request.time_left_ms);
}

TEST_F(loop, deadline)
{
	self->call.opts = &hasty;
	ASSERT_EQ(0, start(self));
	ASSERT_EQ(0, run_until(self->loop, &self->ended.count, 1));
	EXPECT_RESULT(TERN_NOT_EXECUTED, ETIMEDOUT, self->ended.result);
}

TEST_F(loop, inherited_deadline)
{
	const struct tern_request brief = { .time_left_ms = LONG_MS / 2 };
	const struct tern_request over = { 0 };

	tern_inherit_deadline(&brief);
	ASSERT_EQ(0, start(self));
	tern_inherit_deadline(&over);
	EXPECT_EQ(-ETIMEDOUT, start(self));
	tern_inherit_deadline(NULL);
	ASSERT_EQ(5, receive(self));
	EXPECT_GE(LONG_MS / 2, self->request.time_left_ms);
}

TEST_F(loop, oneway)
{
	const struct tern_call_opts oneway = { .flags = TERN_CALL_ONEWAY };
	const struct tern_call_opts quiet = {
		.flags = TERN_CALL_ONEWAY | TERN_CALL_QUIET,
	};

	self->call.opts = &oneway;
	ASSERT_EQ(0, start(self));
	ASSERT_EQ(0, run_until(self->loop, &self->ended.count, 1));
	EXPECT_RESULT(TERN_DELIVERED, 0, self->ended.result);
	ASSERT_EQ(5, receive(self));
	EXPECT_EQ(0, self->request.handle);

	self->call.opts = &quiet;
	ASSERT_EQ(0, start(self));
	ASSERT_EQ(0, run_until(self->loop, &self->ended.count, 2));
	EXPECT_RESULT(TERN_SUBMITTED, 0, self->ended.result);
	ASSERT_EQ(5, receive(self));
	EXPECT_EQ(0, self->request.handle);
}

/* More outcomes at once than the loop has buffers for. */
/* Also those without a reply: they have no content. */
TEST_F(loop, outcomes_in_one_turn)
{
	const struct tern_call_opts oneway = { .flags = TERN_CALL_ONEWAY };
	enum { COUNT = 8 };

	self->call.opts = &oneway;
	for (int i = 0; i < COUNT; i++)
		ASSERT_EQ(0, start(self));
	ASSERT_EQ(0, tern_loop_submit(self->loop));
	for (int i = 0; i < COUNT; i++)
		ASSERT_EQ(5, receive(self));
	EXPECT_EQ(COUNT, tern_loop_run_once(self->loop, LONG_MS));
	EXPECT_EQ(COUNT, self->ended.count);
}

TEST_F(loop, many_at_once)
{
	int i, size = 1 << 22;

	ASSERT_EQ(0, setsockopt(self->place.client, SOL_SOCKET, SO_SNDBUFFORCE,
				&size, sizeof(size)));
	ASSERT_EQ(0, setsockopt(self->place.client, SOL_SOCKET, SO_RCVBUFFORCE,
				&size, sizeof(size)));
	ASSERT_EQ(0, setsockopt(self->place.server, SOL_SOCKET, SO_RCVBUFFORCE,
				&size, sizeof(size)));
	for (i = 0; i < MANY; i++)
		ASSERT_EQ(0, tern_loop_call(self->loop, &self->call, NULL));
	ASSERT_EQ(0, tern_loop_submit(self->loop));
	for (i = 0; i < MANY; i++) {
		ASSERT_EQ(5, receive(self));
		ASSERT_EQ(0, reply(self, 0, "reply"));
	}
	ASSERT_EQ(0, run_until(self->loop, &self->ended.count, MANY));
	EXPECT_EQ(0, self->ended.failed);
}

/* The send buffer takes a few of them at a time. */
TEST_F(loop, little_room)
{
	int i, size = SMALL_BUFFER;
	struct echo echo;

	ASSERT_EQ(0, setsockopt(self->place.client, SOL_SOCKET, SO_SNDBUF,
				&size, sizeof(size)));
	ASSERT_EQ(0, echo_start(&echo, self->place.server));
	for (i = 0; i < MANY; i++)
		ASSERT_EQ(0, tern_loop_call(self->loop, &self->call, NULL));
	ASSERT_EQ(0, run_until(self->loop, &self->ended.count, MANY));
	EXPECT_EQ(0, self->ended.failed);
	echo_stop(&echo);
}

/* A call that waits for room in the loop has its deadline, too. */
TEST_F(loop, deadline_without_room)
{
	const struct tern_call_opts later = { .timeout_ms = 40 * SHORT_MS };
	struct ended last = { 0 }, ended = { 0 };
	int i, sent, size = SMALL_BUFFER;

	ASSERT_EQ(0, setsockopt(self->place.client, SOL_SOCKET, SO_SNDBUF,
				&size, sizeof(size)));
	/* No call of this is answered. */
	for (i = 0; i < 100; i++)
		ASSERT_EQ(0, tern_loop_call(self->loop, &self->call, NULL));
	EXPECT_EQ(0, tern_loop_run_once(self->loop, 0));
	self->call.context = &last;
	self->call.procedure++;
	self->call.opts = &later;
	ASSERT_EQ(0, tern_loop_call(self->loop, &self->call, NULL));
	EXPECT_EQ(0, tern_loop_run_once(self->loop, 0));
	/* The loop waits for the deadline of that one already. */
	self->call.context = &ended;
	self->call.opts = &hasty;
	ASSERT_EQ(0, tern_loop_call(self->loop, &self->call, NULL));
	ASSERT_EQ(0, run_until(self->loop, &ended.count, 1));
	EXPECT_RESULT(TERN_NOT_EXECUTED, ETIMEDOUT, ended.result);
	EXPECT_EQ(0, last.count);
	ASSERT_EQ(0, run_until(self->loop, &last.count, 1));
	EXPECT_RESULT(TERN_NOT_EXECUTED, ETIMEDOUT, last.result);
	EXPECT_EQ(0, self->ended.count);
	for (sent = 0; tern_recv_request(self->place.server, &self->request,
					 self->buf, sizeof(self->buf),
					 TERN_RECV_DONTWAIT) == 5; sent++)
		EXPECT_EQ(PROC, self->request.procedure);
	EXPECT_LT(0, sent);
	EXPECT_GT(100, sent);
}

TEST_F(loop, limit)
{
	int i;

	self->opts.calls = 2;
	ASSERT_EQ(0, reopen(self));
	for (i = 0; i < 2; i++)
		ASSERT_EQ(0, start(self));
	EXPECT_EQ(-EAGAIN, start(self));
	for (i = 0; i < 2; i++) {
		ASSERT_EQ(5, receive(self));
		ASSERT_EQ(0, reply(self, 0, ""));
		ASSERT_EQ(0, run_until(self->loop, &self->ended.count, i + 1));
		ASSERT_EQ(0, tern_loop_call(self->loop, &self->call, NULL));
		ASSERT_EQ(0, tern_loop_submit(self->loop));
	}
}

TEST_F(loop, cancel_before_it_is_sent)
{
	ASSERT_EQ(0, tern_loop_call(self->loop, &self->call, &self->id));
	EXPECT_EQ(0, tern_loop_cancel(self->loop, self->id));
	EXPECT_EQ(0, self->ended.count);
	EXPECT_EQ(-ENOENT, tern_loop_cancel(self->loop, self->id));
	EXPECT_EQ(1, tern_loop_run_once(self->loop, LONG_MS));
	EXPECT_EQ(1, self->ended.count);
	EXPECT_RESULT(TERN_NOT_EXECUTED, ECANCELED, self->ended.result);
	EXPECT_EQ(-EAGAIN, tern_recv_request(self->place.server, &self->request,
					     self->buf, sizeof(self->buf),
					     TERN_RECV_DONTWAIT));
}

/* The kernel goes on with it, and its outcome is for nobody. */
TEST_F(loop, cancel_after_it_is_sent)
{
	uint64_t first;

	self->opts.calls = 1;
	ASSERT_EQ(0, reopen(self));
	ASSERT_EQ(0, start(self));
	first = self->id;
	ASSERT_EQ(5, receive(self));
	EXPECT_EQ(0, tern_loop_cancel(self->loop, first));
	ASSERT_EQ(0, run_until(self->loop, &self->ended.count, 1));
	EXPECT_RESULT(TERN_UNKNOWN, ECANCELED, self->ended.result);
	EXPECT_EQ(-ENOENT, tern_loop_cancel(self->loop, first));
	EXPECT_EQ(-EAGAIN, start(self));

	ASSERT_EQ(0, reply(self, 0, "late"));
	while (start(self) == -EAGAIN)
		ASSERT_LE(0, tern_loop_run_once(self->loop, LONG_MS));
	EXPECT_NE(first, self->id);
	ASSERT_EQ(5, receive(self));
	ASSERT_EQ(0, reply(self, 0, "new"));
	ASSERT_EQ(0, run_until(self->loop, &self->ended.count, 2));
	EXPECT_EQ(3, self->ended.result.reply_len);
	EXPECT_EQ(0, memcmp("new", self->ended.reply, 3));
	EXPECT_EQ(-ENOENT, tern_loop_cancel(self->loop, self->id));
}

TEST_F(loop, cancel_what_is_collected)
{
	self->call.done = NULL;
	ASSERT_EQ(0, start(self));
	EXPECT_EQ(0, tern_loop_cancel(self->loop, self->id));
	EXPECT_EQ(-ECANCELED, tern_loop_wait(self->loop, self->id, LONG_MS,
					     &self->result));
	EXPECT_RESULT(TERN_UNKNOWN, ECANCELED, self->result);
	EXPECT_EQ(-ENOENT, tern_loop_wait(self->loop, self->id, 0, NULL));
}

TEST_F(loop, close_ends_calls)
{
	struct ended queued = { 0 };

	ASSERT_EQ(0, start(self));
	ASSERT_EQ(5, receive(self));
	self->call.context = &queued;
	ASSERT_EQ(0, tern_loop_call(self->loop, &self->call, NULL));
	tern_loop_close(self->loop);
	self->loop = NULL;
	EXPECT_EQ(1, self->ended.count);
	EXPECT_RESULT(TERN_UNKNOWN, ECANCELED, self->ended.result);
	EXPECT_EQ(1, queued.count);
	EXPECT_RESULT(TERN_NOT_EXECUTED, ECANCELED, queued.result);
}

/* Nothing of the loop holds the socket, which withdraws its calls. */
TEST_F(loop, close_lets_the_socket_go)
{
	ASSERT_EQ(0, start(self));
	EXPECT_EQ(0, tern_loop_run_once(self->loop, 0));
	tern_loop_close(self->loop);
	self->loop = NULL;
	ASSERT_EQ(0, close(self->place.client));
	self->place.client = tern_socket(0);
	EXPECT_EQ(-EAGAIN, tern_recv_request(self->place.server, &self->request,
					     self->buf, sizeof(self->buf),
					     TERN_RECV_DONTWAIT));
}

struct again {
	struct ended	ended;
	data		*self;
	int		run_once;
	int		wait;
	int		closed;
};

static void call_again(struct tern_loop *loop, const struct tern_result *result,
		       const void *reply, void *context)
{
	struct again *again = context;

	on_done(loop, result, reply, &again->ended);
	if (again->ended.count > 3)
		return;
	again->run_once = tern_loop_run_once(loop, 0);
	again->wait = tern_loop_wait(loop, again->self->id, 0, NULL);
	again->closed = tern_loop_call(loop, &again->self->call, NULL);
}

/* Its place is free by then, so that there can be one call for ever. */
TEST_F(loop, callback_calls_again)
{
	struct again again = { .self = self };
	int i;

	self->opts.calls = 2;
	ASSERT_EQ(0, reopen(self));
	self->call.done = NULL;
	ASSERT_EQ(0, start(self));
	ASSERT_EQ(5, receive(self));
	self->call.done = call_again;
	self->call.context = &again;
	ASSERT_EQ(0, tern_loop_call(self->loop, &self->call, NULL));
	ASSERT_EQ(0, tern_loop_submit(self->loop));
	for (i = 1; i <= 3; i++) {
		ASSERT_EQ(5, receive(self));
		ASSERT_EQ(0, reply(self, 0, ""));
		ASSERT_EQ(0, run_until(self->loop, &again.ended.count, i));
		EXPECT_EQ(-EDEADLK, again.run_once);
		EXPECT_EQ(-EDEADLK, again.wait);
		EXPECT_EQ(0, again.closed);
		ASSERT_EQ(0, tern_loop_submit(self->loop));
	}
	again.ended.count = 0;
	tern_loop_close(self->loop);
	self->loop = NULL;
	EXPECT_EQ(1, again.ended.count);
	EXPECT_EQ(-ESHUTDOWN, again.closed);
}

TEST_F(loop, no_allocation)
{
	unsigned long before;
	struct echo echo;
	int i;

	ASSERT_EQ(0, echo_start(&echo, self->place.server));
	for (i = 0; i < 200; i++) {
		if (i == 10)
			before = allocations;
		self->call.done = i & 1 ? on_done : NULL;
		self->call.reply = self->reply;
		self->call.reply_size = sizeof(self->reply);
		ASSERT_EQ(0, tern_loop_call(self->loop, &self->call,
					    &self->id));
		if (i & 1) {
			ASSERT_EQ(0, run_until(self->loop, &self->ended.count,
					       i / 2 + 1));
		} else {
			ASSERT_EQ(5, tern_loop_wait(self->loop, self->id, -1,
						    NULL));
		}
	}
	EXPECT_EQ(before, allocations);
	EXPECT_LT(0, before);
	echo_stop(&echo);
}

/* What is traced: MANY calls and their submission, between two getppid(). */
static int submit_many(data *self)
{
	int i, size = 1 << 22;

	/* A loop is of one process. */
	if (tern_loop_open(&self->loop, self->place.client, &self->opts) ||
	    setsockopt(self->place.client, SOL_SOCKET, SO_SNDBUFFORCE, &size,
		       sizeof(size)) ||
	    setsockopt(self->place.server, SOL_SOCKET, SO_RCVBUFFORCE, &size,
		       sizeof(size)) ||
	    ptrace(PTRACE_TRACEME) || raise(SIGSTOP))
		return 1;
	syscall(SYS_getppid);
	for (i = 0; i < MANY; i++)
		if (tern_loop_call(self->loop, &self->call, NULL))
			return 1;
	if (tern_loop_submit(self->loop))
		return 1;
	syscall(SYS_getppid);
	for (i = 0; i < MANY; i++)
		if (tern_recv_request(self->place.server, &self->request,
				      self->buf, sizeof(self->buf),
				      TERN_RECV_DONTWAIT) != 5)
			return 1;
	return 0;
}

/* How many system calls a process makes between two getppid(); its status. */
static int count_calls(pid_t pid, int *status)
{
	bool entry = true, counting = false;
	int count = 0;
	long number;

	waitpid(pid, status, 0);
	while (WIFSTOPPED(*status)) {
		ptrace(PTRACE_SYSCALL, pid, NULL, NULL);
		waitpid(pid, status, 0);
		if (!WIFSTOPPED(*status) || WSTOPSIG(*status) != SIGTRAP)
			continue;
		number = ptrace(PTRACE_PEEKUSER, pid,
				offsetof(struct user_regs_struct, orig_rax),
				NULL);
		if (entry && number == SYS_getppid)
			counting = !counting;
		/* The clock is one only where there is no vdso for it. */
		else if (entry && counting && number != SYS_clock_gettime)
			count++;
		entry = !entry;
	}
	return count;
}

TEST_F(loop, batch_in_one_system_call)
{
	int status;
	pid_t pid;

	self->opts.calls = 512;
	pid = fork();
	if (!pid)
		_exit(submit_many(self));
	EXPECT_EQ(1, count_calls(pid, &status));
	ASSERT_TRUE(WIFEXITED(status));
	EXPECT_EQ(0, WEXITSTATUS(status));
}

/* Threads that call and wait, while the loop runs in this one. */
struct member {
	pthread_t		thread;
	data			*self;
	int			good;
	atomic_int		*ready;
};

static void *user_thread(void *arg)
{
	struct member *user = arg;
	struct tern_submission call = user->self->call;
	struct tern_result result;
	char request[16], answer[16];
	uint64_t id;
	int i;

	call.done = NULL;
	call.request = request;
	call.reply = answer;
	call.reply_size = sizeof(answer);
	for (i = 0; i < 50; i++) {
		call.request_len = snprintf(request, sizeof(request), "%p%d",
					    (void *)(uintptr_t)(user->thread & 0xffff), i);
		if (tern_loop_call(user->self->loop, &call, &id))
			continue;
		/* Some of them are given up, by whoever comes first. */
		if (i % 10 == 9)
			tern_loop_cancel(user->self->loop, id);
		if (tern_loop_wait(user->self->loop, id, LONG_MS, &result) ==
		    (ssize_t)call.request_len)
			user->good += !memcmp(request, answer,
					      call.request_len);
		else
			user->good += i % 10 == 9 &&
				      result.cause == ECANCELED;
	}
	if (atomic_fetch_add(user->ready, 1) == THREADS - 1)
		tern_loop_stop(user->self->loop);
	return NULL;
}

TEST_F(loop, threads)
{
	struct member users[THREADS];
	atomic_int ready = 0;
	struct echo echo;
	int i;

	ASSERT_EQ(0, echo_start(&echo, self->place.server));
	for (i = 0; i < THREADS; i++) {
		users[i] = (struct member){ .self = self, .ready = &ready };
		ASSERT_EQ(0, pthread_create(&users[i].thread, NULL, user_thread,
					    &users[i]));
	}
	EXPECT_EQ(0, tern_loop_run(self->loop));
	for (i = 0; i < THREADS; i++) {
		pthread_join(users[i].thread, NULL);
		EXPECT_EQ(50, users[i].good);
	}
	echo_stop(&echo);
}

static void *other_thread(void *arg)
{
	data *self = arg;
	struct tern_loop_service service = { .handler = NULL };
	bool refused;

	refused = tern_loop_run(self->loop) == -EPERM &&
		  tern_loop_run_once(self->loop, 0) == -EPERM &&
		  tern_loop_submit(self->loop) == -EPERM &&
		  tern_loop_serve(self->loop, self->place.server, &service) ==
		  -EPERM &&
		  tern_loop_wait(self->loop, self->id, 0, NULL) == -EAGAIN;
	return refused ? self : NULL;
}

TEST_F(loop, other_thread)
{
	pthread_t thread;
	void *returned;

	self->call.done = NULL;
	ASSERT_EQ(0, start(self));
	ASSERT_EQ(0, pthread_create(&thread, NULL, other_thread, self));
	pthread_join(thread, &returned);
	EXPECT_EQ(self, returned);
}

static struct tern_loop *signalled;

static void on_signal(int number)
{
	(void)number;
	tern_loop_stop(signalled);
}

static void on_other_signal(int number)
{
	(void)number;
}

/* Until the main thread of this process sleeps. */
static void wait_for_sleep(void)
{
	char path[64], line[256], state = 0;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/self/task/%d/stat", getpid());
	while (state != 'S') {
		file = fopen(path, "r");
		if (file && fgets(line, sizeof(line), file))
			sscanf(line, "%*d (%*[^)]) %c", &state);
		if (file)
			fclose(file);
		sched_yield();
	}
}

static void *signal_thread(void *arg)
{
	pthread_t *thread = arg;

	/* What was submitted before the first wait hides that it was ended. */
	for (int i = 0; i < 3; i++) {
		wait_for_sleep();
		pthread_kill(*thread, SIGUSR2);
	}
	wait_for_sleep();
	pthread_kill(*thread, SIGUSR1);
	return NULL;
}

TEST_F(loop, stop_by_signal)
{
	struct sigaction stop = { .sa_handler = on_signal };
	struct sigaction other = { .sa_handler = on_other_signal };
	pthread_t thread, main_thread = pthread_self();

	signalled = self->loop;
	ASSERT_EQ(0, sigaction(SIGUSR1, &stop, NULL));
	ASSERT_EQ(0, sigaction(SIGUSR2, &other, NULL));
	ASSERT_EQ(0, pthread_create(&thread, NULL, signal_thread,
				    &main_thread));
	EXPECT_EQ(0, tern_loop_run(self->loop));
	pthread_join(thread, NULL);
	tern_loop_stop(self->loop);
	EXPECT_EQ(0, tern_loop_run(self->loop));
}

static void *calling_thread(void *arg)
{
	data *self = arg;

	tern_loop_call(self->loop, &self->call, NULL);
	return NULL;
}

/* A loop within a loop. */
TEST_F(loop, file_descriptor)
{
	struct pollfd fd = { .fd = tern_loop_fd(self->loop), .events = POLLIN };
	pthread_t thread;

	ASSERT_EQ(0, start(self));
	EXPECT_EQ(0, poll(&fd, 1, 0));
	ASSERT_EQ(5, receive(self));
	EXPECT_EQ(0, poll(&fd, 1, 0));
	ASSERT_EQ(0, reply(self, 0, "reply"));
	ASSERT_EQ(1, poll(&fd, 1, LONG_MS));
	EXPECT_EQ(1, tern_loop_run_once(self->loop, 0));
	EXPECT_EQ(1, self->ended.count);
	ASSERT_EQ(0, tern_loop_submit(self->loop));
	EXPECT_EQ(0, poll(&fd, 1, 0));

	/* Another thread wakes it. */
	ASSERT_EQ(0, pthread_create(&thread, NULL, calling_thread, self));
	ASSERT_EQ(1, poll(&fd, 1, LONG_MS));
	pthread_join(thread, NULL);
	EXPECT_EQ(0, tern_loop_run_once(self->loop, 0));
	ASSERT_EQ(0, tern_loop_submit(self->loop));
	EXPECT_EQ(0, poll(&fd, 1, 0));
	ASSERT_EQ(5, receive(self));

	/* So does what fails when it is submitted. */
	self->call.to = NULL;
	ASSERT_EQ(0, start(self));
	ASSERT_EQ(1, poll(&fd, 1, LONG_MS));
	EXPECT_EQ(1, tern_loop_run_once(self->loop, 0));
	EXPECT_EQ(2, self->ended.count);
}

/* A call that expires in the loop makes it readable. */
TEST_F(loop, file_descriptor_without_room)
{
	struct pollfd fd = { .fd = tern_loop_fd(self->loop), .events = POLLIN };
	struct ended ended = { 0 };
	int i, size = SMALL_BUFFER;

	ASSERT_EQ(0, setsockopt(self->place.client, SOL_SOCKET, SO_SNDBUF,
				&size, sizeof(size)));
	for (i = 0; i < 100; i++)
		ASSERT_EQ(0, tern_loop_call(self->loop, &self->call, NULL));
	EXPECT_EQ(0, tern_loop_run_once(self->loop, 0));
	self->call.context = &ended;
	self->call.opts = &hasty;
	ASSERT_EQ(0, start(self));
	while (!ended.count) {
		ASSERT_EQ(1, poll(&fd, 1, LONG_MS));
		ASSERT_LE(0, tern_loop_run_once(self->loop, 0));
		ASSERT_EQ(0, tern_loop_submit(self->loop));
	}
	EXPECT_RESULT(TERN_NOT_EXECUTED, ETIMEDOUT, ended.result);
}

/* io_uring is forbidden, by one way or another. */
FIXTURE(forbidden) {
	struct place		place;
	struct tern_loop_opts	opts;
	struct tern_submission	call;
};

typedef FIXTURE_DATA(forbidden) forbidden_data;

FIXTURE_SETUP(forbidden)
{
	ASSERT_EQ(0, place_open(&self->place));
	self->call = (struct tern_submission){
		.to = &self->place.to,
		.opts = &patient,
	};
}

FIXTURE_TEARDOWN(forbidden)
{
	place_close(&self->place);
}

/* Uses a loop in a child, which returns 0. */
static int use_loop(forbidden_data *self)
{
	struct tern_request request;
	struct tern_loop *loop;
	uint64_t id;

	self->opts.backend = TERN_BACKEND_URING;
	if (tern_loop_open(&loop, self->place.client, &self->opts) != -EPERM)
		return 1;
	self->opts.backend = TERN_BACKEND_ANY;
	if (tern_loop_open(&loop, self->place.client, &self->opts))
		return 2;
	if (tern_loop_backend(loop) != TERN_BACKEND_POLL)
		return 3;
	if (tern_loop_call(loop, &self->call, &id) || tern_loop_submit(loop))
		return 4;
	if (tern_recv_request(self->place.server, &request, NULL, 0, 0) ||
	    tern_send_reply(self->place.server, request.handle, 0, NULL, 0))
		return 5;
	if (tern_loop_wait(loop, id, LONG_MS, NULL))
		return 6;
	tern_loop_close(loop);
	return 0;
}

static int forbid_by_seccomp(void)
{
	static struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
			 offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, __NR_io_uring_setup, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	static struct sock_fprog program = {
		.len = sizeof(code) / sizeof(code[0]),
		.filter = code,
	};

	return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) ||
	       prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program);
}

TEST_F(forbidden, by_seccomp)
{
	int status;
	pid_t pid = fork();

	if (!pid)
		_exit(forbid_by_seccomp() ? 99 : use_loop(self));
	waitpid(pid, &status, 0);
	ASSERT_TRUE(WIFEXITED(status));
	EXPECT_EQ(0, WEXITSTATUS(status));
}

/* Kernels before 6.6 have no such setting, and there is nothing to test. */
TEST_F(forbidden, by_sysctl)
{
	int fd = open("/proc/sys/kernel/io_uring_disabled", O_WRONLY | O_CLOEXEC);

	if (fd < 0) {
		ASSERT_EQ(ENOENT, errno);
		return;
	}
	ASSERT_EQ(1, pwrite(fd, "2", 1, 0));
	EXPECT_EQ(0, use_loop(self));
	EXPECT_EQ(1, pwrite(fd, "0", 1, 0));
	close(fd);
}

/* Otherwise that is what it works with. */
TEST_F(forbidden, not_forbidden)
{
	struct tern_loop *loop;

	ASSERT_EQ(0, tern_loop_open(&loop, self->place.client, NULL));
	EXPECT_EQ(TERN_BACKEND_URING, tern_loop_backend(loop));
	tern_loop_close(loop);
}

TEST_HARNESS_MAIN
