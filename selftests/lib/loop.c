// SPDX-License-Identifier: GPL-2.0
/*
 * The calls of event loops: what comes back, in which time, and at which cost.
 *
 * Test: timeout=120
 */
#include <stddef.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/user.h>

#include "loop_fixture.h"

#define MANY		300

TEST_F(loop, callback)
{
	ASSERT_EQ(0, start(self));
	EXPECT_EQ(0, tern_loop_run_once(self->loop, 0));
	ASSERT_EQ(5, receive(self));
	EXPECT_EQ(PROC, self->request.procedure);
	EXPECT_EQ(0, memcmp("hello", self->buf, 5));
	ASSERT_EQ(0, reply(self, 3, "reply"));
	ASSERT_EQ(0, run_to(self, 1));
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
	EXCHANGE("reply", 1);
	EXPECT_RESULT(TERN_REPLIED, 0, self->ended.result);
	EXPECT_EQ(0, memcmp("reply", self->reply, 6));
	EXPECT_EQ(0, memcmp("reply", self->ended.reply, 5));
}

TEST_F(loop, no_more_files)
{
	tern_loop_close(self->loop);
	self->loop = NULL;
	ASSERT_EQ(0, no_more_files());
	EXPECT_EQ(-EMFILE, reopen(self));
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
		START_AND_RECEIVE();
		ids[i] = self->id;
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
	EXCHANGE("reply", 1);
	EXPECT_RESULT(TERN_REPLIED, EMSGSIZE, self->ended.result);
	EXPECT_EQ(5, self->ended.result.reply_len);
	EXPECT_EQ(0, memcmp("re\0", self->reply, 3));

	self->call.done = NULL;
	self->call.reply = NULL;
	self->call.reply_size = 0;
	START_AND_RECEIVE();
	ASSERT_EQ(0, reply(self, 0, "reply"));
	EXPECT_EQ(-EMSGSIZE, tern_loop_wait(self->loop, self->id, -1, NULL));
}

TEST_F(loop, reply_longer_than_the_loop_takes)
{
	self->opts.reply_size = 4;
	ASSERT_EQ(0, reopen(self));
	self->call.reply = self->reply;
	self->call.reply_size = sizeof(self->reply);
	EXCHANGE("reply", 1);
	EXPECT_RESULT(TERN_REPLIED, EMSGSIZE, self->ended.result);
	EXPECT_EQ(5, self->ended.result.reply_len);
	EXPECT_EQ(0, memcmp("repl\0", self->reply, 5));
}

TEST_F(loop, failed_calls)
{
	const struct tern_call_opts flags = { .flags = 0x80000000 };

	self->place.to.st_version++;
	ASSERT_EQ(0, start(self));
	ASSERT_EQ(0, run_to(self, 1));
	EXPECT_RESULT(TERN_NOT_EXECUTED, ECONNREFUSED, self->ended.result);

	self->call.opts = &flags;
	ASSERT_EQ(0, start(self));
	ASSERT_EQ(0, run_to(self, 2));
	EXPECT_RESULT(TERN_NOT_EXECUTED, EINVAL, self->ended.result);

	self->call.opts = NULL;
	self->call.to = NULL;
	ASSERT_EQ(0, start(self));
	ASSERT_EQ(0, run_to(self, 3));
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
	START_AND_RECEIVE();
	EXPECT_EQ(TERN_CALL_IDEMPOTENT, self->request.flags);
	EXPECT_GE(5000, self->request.time_left_ms);
	EXPECT_LT(0, self->request.time_left_ms);
}

TEST_F(loop, deadline)
{
	self->call.opts = &hasty;
	ASSERT_EQ(0, start(self));
	ASSERT_EQ(0, run_to(self, 1));
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
	ASSERT_EQ(0, run_to(self, 1));
	EXPECT_RESULT(TERN_DELIVERED, 0, self->ended.result);
	ASSERT_EQ(5, receive(self));
	EXPECT_EQ(0, self->request.handle);

	self->call.opts = &quiet;
	ASSERT_EQ(0, start(self));
	ASSERT_EQ(0, run_to(self, 2));
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
	ASSERT_EQ(0, run_to(self, MANY));
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
	ASSERT_EQ(0, run_to(self, MANY));
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
		REPLY_AND_RUN("", i + 1);
		ASSERT_EQ(0, tern_loop_call(self->loop, &self->call, NULL));
		ASSERT_EQ(0, tern_loop_submit(self->loop));
	}
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
	START_AND_RECEIVE();
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

TEST_HARNESS_MAIN
