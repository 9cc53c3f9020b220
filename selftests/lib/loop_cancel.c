// SPDX-License-Identifier: GPL-2.0
/*
 * How calls of event loops end before their time: withdrawn, or with the loop.
 *
 * Test: timeout=60
 */
#include <dlfcn.h>
#include <sys/syscall.h>

#include "loop_fixture.h"

TEST_F(loop, cancel_before_it_is_sent)
{
	ASSERT_EQ(0, tern_loop_call(self->loop, &self->call, &self->id));
	EXPECT_EQ(0, tern_loop_cancel(self->loop, self->id));
	EXPECT_EQ(0, self->ended.count);
	EXPECT_EQ(-ENOENT, tern_loop_cancel(self->loop, self->id));
	EXPECT_EQ(1, tern_loop_run_once(self->loop, LONG_MS));
	EXPECT_EQ(1, self->ended.count);
	EXPECT_RESULT(TERN_NOT_EXECUTED, ECANCELED, self->ended.result);
	EXPECT_TRUE(nothing_to_receive(self));
}

/* The service has it in its queue, and nobody executes it: it is taken out. */
TEST_F(loop, cancel_while_it_is_queued)
{
	ASSERT_EQ(0, start(self));
	EXPECT_EQ(0, tern_loop_cancel(self->loop, self->id));
	EXPECT_EQ(0, self->ended.count);
	EXPECT_EQ(-ENOENT, tern_loop_cancel(self->loop, self->id));
	ASSERT_EQ(0, run_to(self, 1));
	EXPECT_RESULT(TERN_NOT_EXECUTED, ECANCELED, self->ended.result);
	EXPECT_TRUE(nothing_to_receive(self));
	EXPECT_EQ(-ENOENT, tern_loop_cancel(self->loop, self->id));
	EXCHANGE("next", 2);
	EXPECT_RESULT(TERN_REPLIED, 0, self->ended.result);
}

/* Its worker is told, and what it replies is the outcome. */
TEST_F(loop, cancel_while_it_executes)
{
	struct tern_event event;
	uint64_t first;

	self->opts.calls = 1;
	ASSERT_EQ(0, reopen(self));
	START_AND_RECEIVE();
	first = self->id;
	EXPECT_EQ(0, tern_loop_cancel(self->loop, first));
	EXPECT_EQ(-ENOENT, tern_loop_cancel(self->loop, first));
	ASSERT_EQ(0, tern_recv_event(self->place.server, &event));
	EXPECT_EQ(self->request.handle, event.handle);
	EXPECT_EQ(ECANCELED, event.cause);
	EXPECT_EQ(0, tern_loop_run_once(self->loop, 0));
	EXPECT_EQ(0, self->ended.count);
	EXPECT_EQ(-EAGAIN, start(self));

	REPLY_AND_RUN("done", 1);
	EXPECT_RESULT(TERN_REPLIED, 0, self->ended.result);
	EXPECT_EQ(0, memcmp("done", self->ended.reply, 4));
	EXPECT_EQ(-ENOENT, tern_loop_cancel(self->loop, first));
	EXCHANGE("next", 2);
	EXPECT_NE(first, self->id);
	EXPECT_EQ(0, memcmp("next", self->ended.reply, 4));
}

/* Nobody can tell what has become of it. */
TEST_F(loop, cancel_what_is_never_replied_to)
{
	self->call.opts = &hasty;
	START_AND_RECEIVE();
	EXPECT_EQ(0, tern_loop_cancel(self->loop, self->id));
	ASSERT_EQ(0, run_to(self, 1));
	EXPECT_RESULT(TERN_UNKNOWN, ETIMEDOUT, self->ended.result);
}

TEST_F(loop, cancel_what_is_collected)
{
	self->call.done = NULL;
	ASSERT_EQ(0, start(self));
	EXPECT_EQ(0, tern_loop_cancel(self->loop, self->id));
	EXPECT_EQ(-ECANCELED, tern_loop_wait(self->loop, self->id, LONG_MS,
					     &self->result));
	EXPECT_RESULT(TERN_NOT_EXECUTED, ECANCELED, self->result);
	EXPECT_EQ(-ENOENT, tern_loop_wait(self->loop, self->id, 0, NULL));
}

/* Cancels a call just before the kernel gets it, as another thread might. */
static void *to_cancel;
static int cancelled;

static void cancel_now(void)
{
	data *self = to_cancel;

	to_cancel = NULL;
	if (self)
		cancelled = tern_loop_cancel(self->loop, self->id);
}

/* In front of that of the C library. */
int sendmmsg(int fd, struct mmsghdr *batch, unsigned int count, int flags)
{
	cancel_now();
	return syscall(SYS_sendmmsg, fd, batch, count, flags);
}

/* In front of that of liburing. */
struct io_uring;
int io_uring_submit(struct io_uring *ring)
{
	int (*submit)(struct io_uring *) = NULL;

	*(void **)&submit = dlsym(RTLD_NEXT, "io_uring_submit");
	cancel_now();
	return submit(ring);
}

TEST_F(loop, cancel_while_it_is_sent)
{
	ASSERT_EQ(0, tern_loop_call(self->loop, &self->call, &self->id));
	to_cancel = self;
	cancelled = -EINVAL;
	ASSERT_EQ(0, tern_loop_submit(self->loop));
	EXPECT_EQ(0, cancelled);
	EXPECT_EQ(0, self->ended.count);
	ASSERT_EQ(0, run_to(self, 1));
	EXPECT_RESULT(TERN_NOT_EXECUTED, ECANCELED, self->ended.result);
	EXPECT_TRUE(nothing_to_receive(self));
}

TEST_F(loop, close_ends_calls)
{
	struct ended queued = { 0 };

	START_AND_RECEIVE();
	self->call.context = &queued;
	ASSERT_EQ(0, tern_loop_call(self->loop, &self->call, NULL));
	tern_loop_close(self->loop);
	self->loop = NULL;
	EXPECT_EQ(1, self->ended.count);
	EXPECT_RESULT(TERN_UNKNOWN, ECANCELED, self->ended.result);
	EXPECT_EQ(1, queued.count);
	EXPECT_RESULT(TERN_NOT_EXECUTED, ECANCELED, queued.result);
}

/* What comes for a call of a loop that was closed is not taken for another's. */
TEST_F(loop, close_and_open_again)
{
	struct tern_request first;

	START_AND_RECEIVE();
	first = self->request;
	ASSERT_EQ(0, reopen(self));
	EXPECT_EQ(1, self->ended.count);
	START_AND_RECEIVE();
	EXPECT_EQ(0, tern_send_reply(self->place.server, first.handle, 0, "old",
				     3));
	REPLY_AND_RUN("new", 2);
	EXPECT_RESULT(TERN_REPLIED, 0, self->ended.result);
	EXPECT_EQ(0, memcmp("new", self->ended.reply, 3));
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
	EXPECT_TRUE(nothing_to_receive(self));
}

TEST_HARNESS_MAIN
