// SPDX-License-Identifier: GPL-2.0
/*
 * What the caller of a request wants: events, more time, and the kinds of calls
 * that want less than others.
 */
#include <poll.h>
#include <stdlib.h>

#include "lib_test.h"

/* Of a call whose deadline is reached while it executes. */
static const struct tern_call_opts brief = { .timeout_ms = 1000 };

FIXTURE(wanted) {
	struct place		place;
	struct tern_request	request;
	struct tern_event	event;
	struct caller		caller;
	char			buf[16];
	uint32_t		left_ms;
};

FIXTURE_SETUP(wanted)
{
	ASSERT_EQ(0, place_open(&self->place));
}

FIXTURE_TEARDOWN(wanted)
{
	place_close(&self->place);
}

/* Starts a call whose outcome is received later, and receives its request. */
static ssize_t start(struct place *place, const struct tern_call_opts *opts,
		     struct tern_request *request)
{
	char buf[16];
	int err = tern_send_call(place->client, &place->to, 5, 7, "hello", 5,
				 opts);

	return err ?: tern_recv_request(place->server, request, buf,
					sizeof(buf), 0);
}

/* Waits for an event and receives it. */
static int next_event(struct place *place, struct tern_event *event)
{
	struct pollfd poll_fd = { .fd = place->server, .events = POLLPRI };

	if (poll(&poll_fd, 1, LONG_MS) != 1 || poll_fd.revents != POLLPRI)
		return -ETIME;
	return tern_recv_event(place->server, event);
}

static int query(struct place *place, const struct tern_request *request,
		 uint32_t extend_ms, uint32_t *left_ms)
{
	return tern_query_request(place->server, request->handle, extend_ms,
				  left_ms);
}

TEST_F(wanted, time_left)
{
	ASSERT_EQ(5, start(&self->place, &patient, &self->request));
	EXPECT_EQ(0, query(&self->place, &self->request, 0, &self->left_ms));
	EXPECT_LT(0, self->left_ms);
	EXPECT_GE(LONG_MS, self->left_ms);
	EXPECT_EQ(0, query(&self->place, &self->request, 0, NULL));
	EXPECT_EQ(-EAGAIN, tern_recv_event(self->place.server, &self->event));
}

TEST_F(wanted, not_executing)
{
	ASSERT_EQ(5, start(&self->place, &patient, &self->request));
	self->left_ms = 77;
	EXPECT_EQ(-ENOENT, tern_query_request(self->place.server, 0, 0,
					      &self->left_ms));
	EXPECT_EQ(-ENOENT, tern_query_request(self->place.client,
					      self->request.handle, 0,
					      &self->left_ms));
	EXPECT_EQ(-ENOENT, tern_query_request(self->place.server,
					      self->request.handle + 1, 1,
					      &self->left_ms));
	EXPECT_EQ(-EINVAL, query(&self->place, &self->request,
				 TERN_TIMEOUT_MAX + 1, &self->left_ms));
	ASSERT_EQ(0, tern_send_reply(self->place.server, self->request.handle,
				     0, NULL, 0));
	EXPECT_EQ(-ENOENT, query(&self->place, &self->request, 0,
				 &self->left_ms));
	EXPECT_EQ(77, self->left_ms);
}

TEST_F(wanted, caller_closes)
{
	ASSERT_EQ(5, start(&self->place, &patient, &self->request));
	close(self->place.client);
	ASSERT_EQ(0, next_event(&self->place, &self->event));
	EXPECT_EQ(self->request.handle, self->event.handle);
	EXPECT_EQ(EOWNERDEAD, self->event.cause);
	EXPECT_LT(0, self->event.time_left_ms);
	EXPECT_EQ(-EOWNERDEAD, query(&self->place, &self->request, 0,
				     &self->left_ms));
	EXPECT_LT(0, self->left_ms);
	EXPECT_EQ(-EAGAIN, tern_recv_event(self->place.server, &self->event));
}

static void on_signal(int number)
{
	(void)number;
}

TEST_F(wanted, caller_withdraws)
{
	struct sigaction action = { .sa_handler = on_signal };

	ASSERT_EQ(0, sigaction(SIGUSR1, &action, NULL));
	ASSERT_EQ(0, caller_start(&self->caller, &self->place, 7, &patient));
	ASSERT_EQ(5, tern_recv_request(self->place.server, &self->request,
				       self->buf, sizeof(self->buf), 0));
	ASSERT_EQ(0, pthread_kill(self->caller.thread, SIGUSR1));
	caller_wait(&self->caller);
	EXPECT_EQ(-EINTR, self->caller.returned);
	ASSERT_EQ(0, next_event(&self->place, &self->event));
	EXPECT_EQ(self->request.handle, self->event.handle);
	EXPECT_EQ(ECANCELED, self->event.cause);
	EXPECT_EQ(-ECANCELED, query(&self->place, &self->request, 0, NULL));
}

TEST_F(wanted, deadline)
{
	ASSERT_EQ(0, system("tern up grace 1ms"));
	ASSERT_EQ(5, start(&self->place, &brief, &self->request));
	ASSERT_EQ(0, next_event(&self->place, &self->event));
	EXPECT_EQ(self->request.handle, self->event.handle);
	EXPECT_EQ(ETIMEDOUT, self->event.cause);
	/* and then it is given up */
	while (query(&self->place, &self->request, 0, NULL) == -ETIMEDOUT)
		continue;
	EXPECT_EQ(-ENOENT, query(&self->place, &self->request, 0, NULL));
	EXPECT_EQ(-ENOENT, tern_send_reply(self->place.server,
					   self->request.handle, 0, NULL, 0));
}

TEST_F(wanted, more_time)
{
	const struct tern_call_opts generous = {
		.timeout_ms = 1000,
		.extend_ms = LONG_MS,
	};
	struct tern_result result;

	ASSERT_EQ(5, start(&self->place, &generous, &self->request));
	EXPECT_EQ(0, query(&self->place, &self->request, LONG_MS / 2,
			   &self->left_ms));
	EXPECT_LT(LONG_MS / 4, self->left_ms);
	EXPECT_GE(LONG_MS / 2 + 1, self->left_ms);
	EXPECT_EQ(0, tern_send_reply(self->place.server, self->request.handle,
				     0, NULL, 0));
	EXPECT_EQ(0, tern_recv_outcome(self->place.client, NULL, NULL, 0,
				       &result, 0));
	EXPECT_RESULT(TERN_REPLIED, 0, result);
}

TEST_F(wanted, no_more_time)
{
	ASSERT_EQ(5, start(&self->place, &patient, &self->request));
	EXPECT_EQ(0, query(&self->place, &self->request, 2 * LONG_MS,
			   &self->left_ms));
	EXPECT_GE(LONG_MS, self->left_ms);
}

/* The same by tern_call(). */
TEST_F(wanted, more_time_for_a_call_that_waits)
{
	const struct tern_call_opts generous = {
		.timeout_ms = LONG_MS,
		.extend_ms = LONG_MS,
	};

	ASSERT_EQ(0, caller_start(&self->caller, &self->place, 7, &generous));
	ASSERT_EQ(5, tern_recv_request(self->place.server, &self->request,
				       self->buf, sizeof(self->buf), 0));
	EXPECT_EQ(0, query(&self->place, &self->request, 2 * LONG_MS,
			   &self->left_ms));
	EXPECT_LT(LONG_MS, self->left_ms);
	EXPECT_EQ(0, tern_send_reply(self->place.server, self->request.handle,
				     0, NULL, 0));
	caller_wait(&self->caller);
	EXPECT_EQ(0, self->caller.returned);
}

TEST_F(wanted, maybe)
{
	const struct tern_call_opts maybe = {
		.timeout_ms = LONG_MS,
		.flags = TERN_CALL_MAYBE,
	};

	ASSERT_EQ(0, caller_start(&self->caller, &self->place, 7, &maybe));
	ASSERT_EQ(5, tern_recv_request(self->place.server, &self->request,
				       self->buf, sizeof(self->buf), 0));
	EXPECT_EQ(TERN_CALL_MAYBE, self->request.flags);
	EXPECT_EQ(0, tern_send_reply(self->place.server, self->request.handle,
				     0, "bye", 3));
	caller_wait(&self->caller);
	EXPECT_EQ(3, self->caller.returned);
	EXPECT_RESULT(TERN_REPLIED, 0, self->caller.result);
}

TEST_F(wanted, quiet_cast)
{
	const struct tern_call_opts quiet = {
		.timeout_ms = LONG_MS,
		.flags = TERN_CALL_QUIET,
	};
	struct tern_result result;

	EXPECT_EQ(0, tern_cast(self->place.client, &self->place.to, 7, "hello",
			       5, &quiet, &result));
	EXPECT_RESULT(TERN_SUBMITTED, 0, result);
	EXPECT_EQ(0, result.reply_len);
	/* even this does not withdraw it */
	close(self->place.client);
	EXPECT_EQ(5, tern_recv_request(self->place.server, &self->request,
				       self->buf, sizeof(self->buf), 0));
	EXPECT_EQ(0, self->request.handle);
}

TEST_F(wanted, quiet_has_no_outcome)
{
	const struct tern_call_opts quiet = {
		.timeout_ms = LONG_MS,
		.flags = TERN_CALL_ONEWAY | TERN_CALL_QUIET,
	};
	struct tern_result result;

	ASSERT_EQ(5, start(&self->place, &quiet, &self->request));
	EXPECT_EQ(-EAGAIN, tern_recv_outcome(self->place.client, NULL, NULL, 0,
					     &result, MSG_DONTWAIT));
	/* nor when it fails */
	self->place.to.st_version++;
	ASSERT_EQ(0, tern_send_call(self->place.client, &self->place.to, 5, 7,
				    "hello", 5, &quiet));
	EXPECT_EQ(-EAGAIN, tern_recv_outcome(self->place.client, NULL, NULL, 0,
					     &result, MSG_DONTWAIT));
}

TEST_F(wanted, kinds_that_are_refused)
{
	static const struct {
		uint32_t	flags;
		int		error;
	} kinds[] = {
		{ TERN_CALL_MAYBE | TERN_CALL_IDEMPOTENT, EINVAL },
		{ TERN_CALL_QUIET, EINVAL },
		{ TERN_CALL_EXACTLY_ONCE, EOPNOTSUPP },
	};
	struct tern_result result;
	size_t i;

	for (i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		const struct tern_call_opts opts = { .flags = kinds[i].flags };

		EXPECT_EQ(-kinds[i].error,
			  tern_call(self->place.client, &self->place.to, 7,
				    "x", 1, NULL, 0, &opts, &result));
		EXPECT_RESULT(TERN_NOT_EXECUTED, kinds[i].error, result);
		EXPECT_EQ(-kinds[i].error,
			  tern_send_call(self->place.client, &self->place.to,
					 5, 7, "x", 1, &opts));
	}
}

TEST_F(wanted, orphans)
{
	uint32_t policy = 77;
	socklen_t len = sizeof(policy);
	int first = tern_socket(0), second = tern_socket(0);

	EXPECT_EQ(0, tern_set_orphans(first, TERN_ORPHANS_GENTLE));
	EXPECT_EQ(0, getsockopt(first, SOL_TERN, TERN_ORPHANS, &policy, &len));
	EXPECT_EQ(TERN_ORPHANS_GENTLE, policy);
	EXPECT_EQ(-EINVAL, tern_set_orphans(first,
					    TERN_ORPHANS_EXTERMINATE + 1));
	EXPECT_EQ(0, tern_bind(first, 5000, 1, 1));
	EXPECT_EQ(-EINVAL, tern_set_orphans(first, TERN_ORPHANS_EXPIRE));
	/* all that share a service agree */
	EXPECT_EQ(-EADDRINUSE, tern_bind(second, 5000, 1, 1));
	EXPECT_EQ(0, tern_set_orphans(second, TERN_ORPHANS_GENTLE));
	EXPECT_EQ(0, tern_bind(second, 5000, 1, 1));
	close(first);
	close(second);
}

TEST_HARNESS_MAIN
