// SPDX-License-Identifier: GPL-2.0
/*
 * Event loops whose calls are made by several threads, and what ends or wakes them.
 *
 * Test: timeout=60
 */
#include <poll.h>

#include "loop_fixture.h"

#define THREADS		4

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

TEST_HARNESS_MAIN
