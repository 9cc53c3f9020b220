// SPDX-License-Identifier: GPL-2.0
/* Calls that are made in the execution of a request end with its deadline. */
#include "lib_test.h"

/* Without an inherited deadline the calls below take longer than the first. */
#define NESTED_MS	(10 * LONG_MS)

enum {
	PROC_CALL = 1,	/* makes calls of all kinds */
	PROC_EXTEND,	/* gets more time first */
	PROC_END,	/* ends the inheritance first */
};

static const struct tern_call_opts nested = { .timeout_ms = NESTED_MS };
static const struct tern_call_opts nested_oneway = {
	.timeout_ms = NESTED_MS,
	.flags = TERN_CALL_ONEWAY,
};

/* Two services: the front calls the back while it executes. */
FIXTURE(inherit) {
	struct place		front;
	int			back;
	int			stop_fd;
	struct sockaddr_tern	to_back;
	pthread_t		thread;
	struct caller		caller;
	struct tern_request	request;
	char			buf[16];
};

FIXTURE_SETUP(inherit)
{
	ASSERT_EQ(0, place_open(&self->front));
	self->back = tern_socket(0);
	ASSERT_EQ(0, tern_bind(self->back, PROGRAM + 1, VERSION, 0));
	ASSERT_EQ(0, tern_addr_set(&self->to_back, NULL, PROGRAM + 1,
				   VERSION));
	self->stop_fd = eventfd(0, EFD_CLOEXEC);
}

FIXTURE_TEARDOWN(inherit)
{
	close(self->stop_fd);
	close(self->back);
	place_close(&self->front);
}

static uint32_t handle(struct tern_job *job, void *context)
{
	FIXTURE_DATA(inherit) *self = context;
	uint32_t left_ms;
	int fd = tern_socket(0);

	if (job->request.procedure == PROC_EXTEND &&
	    tern_query_request(job->fd, job->request.handle, 2 * LONG_MS,
			       &left_ms))
		return 1;
	if (job->request.procedure == PROC_END)
		tern_inherit_deadline(NULL);
	tern_cast(fd, &self->to_back, 1, NULL, 0, &nested, NULL);
	tern_send_call(fd, &self->to_back, 0, 2, NULL, 0, &nested_oneway);
	tern_call(fd, &self->to_back, 3, NULL, 0, NULL, 0, &nested, NULL);
	close(fd);
	return 0;
}

static void *serve_thread(void *arg)
{
	FIXTURE_DATA(inherit) *self = arg;

	if (tern_serve(self->front.server, self->stop_fd, handle, self, NULL))
		return arg;
	/* with the loop the inheritance has ended */
	tern_cast(self->front.client, &self->to_back, 4, NULL, 0, &nested,
		  NULL);
	return NULL;
}

static uint32_t left_at_back(FIXTURE_DATA(inherit) *self, uint32_t procedure)
{
	if (tern_recv_request(self->back, &self->request, self->buf,
			      sizeof(self->buf), 0) ||
	    self->request.procedure != procedure)
		return 0;
	return self->request.time_left_ms;
}

/* The three calls that the handler makes have this much time at most and least. */
static void check_calls(struct __test_metadata *_metadata,
			FIXTURE_DATA(inherit) *self, uint32_t procedure,
			const struct tern_call_opts *opts, uint32_t least,
			uint32_t most)
{
	uint32_t kind, left;

	ASSERT_EQ(0, pthread_create(&self->thread, NULL, serve_thread, self));
	ASSERT_EQ(0, caller_start(&self->caller, &self->front, procedure,
				  opts));
	for (kind = 1; kind <= 3; kind++) {
		left = left_at_back(self, kind);
		EXPECT_LT(least, left);
		EXPECT_GE(most, left);
	}
	EXPECT_EQ(0, tern_send_reply(self->back, self->request.handle, 0, NULL,
				     0));
	caller_wait(&self->caller);
	EXPECT_EQ(0, self->caller.returned);
	tern_serve_stop(self->stop_fd);
	EXPECT_LT(LONG_MS, left_at_back(self, 4));
	pthread_join(self->thread, NULL);
}

TEST_F(inherit, calls_in_a_handler)
{
	/* a clock tick may be missing at the start */
	check_calls(_metadata, self, PROC_CALL, &patient, 0, LONG_MS + 10);
}

TEST_F(inherit, deadline_that_was_put_off)
{
	const struct tern_call_opts generous = {
		.timeout_ms = LONG_MS,
		.extend_ms = 2 * LONG_MS,
	};

	check_calls(_metadata, self, PROC_EXTEND, &generous, LONG_MS + 10,
		    2 * LONG_MS + 10);
}

TEST_F(inherit, handler_that_ends_it)
{
	check_calls(_metadata, self, PROC_END, &patient, 2 * LONG_MS,
		    NESTED_MS);
}

/* A loop of one's own. */
TEST_F(inherit, by_hand)
{
	struct tern_result result;

	ASSERT_EQ(0, tern_cast(self->front.client, &self->front.to, 1, NULL, 0,
			       &patient, NULL));
	ASSERT_EQ(0, tern_recv_request(self->front.server, &self->request,
				       NULL, 0, 0));
	tern_inherit_deadline(&self->request);
	ASSERT_EQ(0, tern_cast(self->front.client, &self->to_back, 1, NULL, 0,
			       &nested, &result));
	EXPECT_GE(LONG_MS + 10, left_at_back(self, 1));
	tern_inherit_deadline(NULL);
	ASSERT_EQ(0, tern_cast(self->front.client, &self->to_back, 1, NULL, 0,
			       &nested, &result));
	EXPECT_LT(LONG_MS, left_at_back(self, 1));
}

TEST_F(inherit, deadline_is_met)
{
	struct tern_result result;

	ASSERT_EQ(0, tern_cast(self->front.client, &self->front.to, 1, NULL, 0,
			       &hasty, NULL));
	ASSERT_EQ(0, tern_recv_request(self->front.server, &self->request,
				       NULL, 0, 0));
	tern_inherit_deadline(&self->request);
	EXPECT_EQ(-ETIMEDOUT, tern_call(self->front.client, &self->to_back, 1,
					NULL, 0, NULL, 0, &nested, &result));
	EXPECT_RESULT(TERN_NOT_EXECUTED, ETIMEDOUT, result);
}

TEST_HARNESS_MAIN
