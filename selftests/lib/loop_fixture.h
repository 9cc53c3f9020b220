/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the tests of the calls of event loops share: a loop for each backend, and
 * a service whose part the same thread plays.
 */
#ifndef LOOP_FIXTURE_H
#define LOOP_FIXTURE_H

#include "loop_test.h"

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
static inline int reopen(data *self)
{
	tern_loop_close(self->loop);
	self->loop = NULL;
	return tern_loop_open(&self->loop, self->place.client, &self->opts);
}

static inline int start(data *self)
{
	int err = tern_loop_call(self->loop, &self->call, &self->id);

	return err ?: tern_loop_submit(self->loop);
}

/* Receives the request of a call that was started. */
static inline ssize_t receive(data *self)
{
	return tern_recv_request(self->place.server, &self->request, self->buf,
				 sizeof(self->buf), 0);
}

static inline int reply(data *self, uint32_t status, const char *text)
{
	return tern_send_reply(self->place.server, self->request.handle, status,
			       text, strlen(text));
}

/* Whether no request is there. */
static inline bool nothing_to_receive(data *self)
{
	return tern_recv_request(self->place.server, &self->request, self->buf,
				 sizeof(self->buf), TERN_RECV_DONTWAIT) ==
	       -EAGAIN;
}

/* Runs the loop until so many calls have ended. */
static inline int run_to(data *self, int count)
{
	return run_until(self->loop, &self->ended.count, count);
}

/*
 * Steps of a test, that end it when they fail: a call is started and its request
 * received; it is replied to, and the loop runs until so many calls have ended.
 */
#define START_AND_RECEIVE() do {					\
	ASSERT_EQ(0, start(self));					\
	ASSERT_EQ(5, receive(self));					\
} while (0)

#define REPLY_AND_RUN(text, count) do {					\
	ASSERT_EQ(0, reply(self, 0, text));				\
	ASSERT_EQ(0, run_to(self, count));				\
} while (0)

#define EXCHANGE(text, count) do {					\
	START_AND_RECEIVE();						\
	REPLY_AND_RUN(text, count);					\
} while (0)

#endif /* LOOP_FIXTURE_H */
