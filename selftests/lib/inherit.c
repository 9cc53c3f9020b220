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
struct services {
	struct place		front;
	int			back;
	int			stop_fd;
	struct sockaddr_tern	to_back;
	pthread_t		thread;
	struct caller		caller;
	struct tern_request	request;
	char			buf[16];
};

FIXTURE(inherit) {
	struct services services;
};

FIXTURE_SETUP(inherit)
{
	ASSERT_EQ(0, place_open(&self->services.front));
	self->services.back = tern_socket(0);
	ASSERT_EQ(0, tern_bind(self->services.back, PROGRAM + 1, VERSION, 0));
	ASSERT_EQ(0, tern_addr_set(&self->services.to_back, NULL, PROGRAM + 1,
				   VERSION));
	self->services.stop_fd = eventfd(0, EFD_CLOEXEC);
}

FIXTURE_TEARDOWN(inherit)
{
	close(self->services.stop_fd);
	close(self->services.back);
	place_close(&self->services.front);
}

static uint32_t handle(struct tern_job *job, void *context)
{
	struct services *services = context;
	uint32_t left_ms;
	int fd = tern_socket(0);

	if (job->request.procedure == PROC_EXTEND &&
	    tern_query_request(job->fd, job->request.handle, 2 * LONG_MS,
			       &left_ms))
		return 1;
	if (job->request.procedure == PROC_END)
		tern_inherit_deadline(NULL);
	tern_cast(fd, &services->to_back, 1, NULL, 0, &nested, NULL);
	tern_send_call(fd, &services->to_back, 0, 2, NULL, 0, &nested_oneway);
	tern_call(fd, &services->to_back, 3, NULL, 0, NULL, 0, &nested, NULL);
	close(fd);
	return 0;
}

static void *serve_thread(void *arg)
{
	struct services *services = arg;

	if (tern_serve(services->front.server, services->stop_fd, handle, services, NULL))
		return arg;
	/* with the loop the inheritance has ended */
	tern_cast(services->front.client, &services->to_back, 4, NULL, 0, &nested,
		  NULL);
	return NULL;
}

static uint32_t left_at_back(struct services *services, uint32_t procedure)
{
	if (tern_recv_request(services->back, &services->request, services->buf,
			      sizeof(services->buf), 0) ||
	    services->request.procedure != procedure)
		return 0;
	return services->request.time_left_ms;
}

/* The three calls that the handler makes have this much time at most and least. */
static void check_calls(struct __test_metadata *_metadata,
			struct services *services, uint32_t procedure,
			const struct tern_call_opts *opts, uint32_t least,
			uint32_t most)
{
	uint32_t kind, left;

	ASSERT_EQ(0, pthread_create(&services->thread, NULL, serve_thread, services));
	ASSERT_EQ(0, caller_start(&services->caller, &services->front, procedure,
				  opts));
	for (kind = 1; kind <= 3; kind++) {
		left = left_at_back(services, kind);
		EXPECT_LT(least, left);
		EXPECT_GE(most, left);
	}
	EXPECT_EQ(0, tern_send_reply(services->back, services->request.handle, 0, NULL,
				     0));
	caller_wait(&services->caller);
	EXPECT_EQ(0, services->caller.returned);
	tern_serve_stop(services->stop_fd);
	EXPECT_LT(LONG_MS, left_at_back(services, 4));
	pthread_join(services->thread, NULL);
}

TEST_F(inherit, calls_in_a_handler)
{
	/* a clock tick may be missing at the start */
	check_calls(_metadata, &self->services, PROC_CALL, &patient, 0, LONG_MS + 10);
}

TEST_F(inherit, deadline_that_was_put_off)
{
	const struct tern_call_opts generous = {
		.timeout_ms = LONG_MS,
		.extend_ms = 2 * LONG_MS,
	};

	check_calls(_metadata, &self->services, PROC_EXTEND, &generous, LONG_MS + 10,
		    2 * LONG_MS + 10);
}

TEST_F(inherit, handler_that_ends_it)
{
	check_calls(_metadata, &self->services, PROC_END, &patient, 2 * LONG_MS,
		    NESTED_MS);
}

/* A loop of one's own. */
TEST_F(inherit, by_hand)
{
	struct services *services = &self->services;
	struct tern_result result;

	ASSERT_EQ(0, tern_cast(services->front.client, &services->front.to,
			       1, NULL, 0, &patient, NULL));
	ASSERT_EQ(0, tern_recv_request(services->front.server, &services->request,
				       NULL, 0, 0));
	tern_inherit_deadline(&services->request);
	ASSERT_EQ(0, tern_cast(services->front.client, &services->to_back, 1,
			       NULL, 0, &nested, &result));
	EXPECT_GE(LONG_MS + 10, left_at_back(services, 1));
	tern_inherit_deadline(NULL);
	ASSERT_EQ(0, tern_cast(services->front.client, &services->to_back, 1,
			       NULL, 0, &nested, &result));
	EXPECT_LT(LONG_MS, left_at_back(services, 1));
}

TEST_F(inherit, deadline_is_met)
{
	struct services *services = &self->services;
	struct tern_result result;

	ASSERT_EQ(0, tern_cast(services->front.client, &services->front.to,
			       1, NULL, 0, &hasty, NULL));
	ASSERT_EQ(0, tern_recv_request(services->front.server, &services->request,
				       NULL, 0, 0));
	tern_inherit_deadline(&services->request);
	EXPECT_EQ(-ETIMEDOUT, tern_call(services->front.client, &services->to_back,
					1, NULL, 0, NULL, 0, &nested, &result));
	EXPECT_RESULT(TERN_NOT_EXECUTED, ETIMEDOUT, result);
}

TEST_HARNESS_MAIN
