// SPDX-License-Identifier: GPL-2.0
/*
 * The services of event loops. The loop runs in this thread, and is called by
 * others.
 *
 * Test: timeout=180
 */
#include <poll.h>

#include "loop_test.h"

#define THREADS	6

enum {
	PROC_STATUS = 2,
	PROC_HOLD,	/* is kept by the test */
	PROC_TOO_MUCH,	/* claims a reply that is too long, then sends none */
	PROC_WAIT,	/* makes a call and waits for it */
	PROC_ASK,	/* makes a call whose callback replies */
	PROC_STOP,	/* ends the loop */
};

struct test {
	struct place			place;
	struct tern_loop		*loop;
	struct tern_loop_service	service;
	/* Calls of handlers go there. */
	int				other_fd;
	int				asker_fd;
	struct sockaddr_tern		other;
	struct echo			echo;
	/* What the handlers were given, and keep. */
	int				n_jobs;
	struct tern_job			*jobs[THREADS + 1];
	int				n_events;
	struct tern_event		event;
	struct tern_job			*unwanted;
	int				returned;
};

FIXTURE(serve) {
	struct test		test;
	struct caller		callers[THREADS];
	struct tern_result	result;
};

EACH_BACKEND(serve);

static void on_asked(struct tern_loop *loop, const struct tern_result *result,
		     const void *reply, void *context)
{
	struct tern_job *job = context;

	(void)loop;
	if (result->reply_len)
		memcpy(job->reply, reply, result->reply_len);
	job->reply_len = result->reply_len;
	tern_loop_reply(job, -tern_result_error(result));
}

static int ask(struct test *test, struct tern_job *job)
{
	const struct tern_submission call = {
		.to = &test->other,
		.procedure = PROC_ECHO,
		.request = job->data,
		.request_len = job->request.len,
		.done = on_asked,
		.context = job,
	};

	return tern_loop_call(test->loop, &call, NULL);
}

static void handle(struct tern_loop *loop, struct tern_job *job, void *context)
{
	struct test *test = context;
	uint32_t status = 0;
	ssize_t len;

	switch (job->request.procedure) {
	case PROC_ECHO:
		memcpy(job->reply, job->data, job->request.len);
		job->reply_len = job->request.len;
		break;
	case PROC_STATUS:
		status = 99;
		break;
	case PROC_HOLD:
		test->jobs[test->n_jobs++] = job;
		return;
	case PROC_TOO_MUCH:
		job->reply_len = job->reply_size + 1;
		test->returned = tern_loop_reply(job, 0);
		job->reply_len = 0;
		break;
	case PROC_WAIT:
		len = tern_call(test->asker_fd, &test->other, PROC_ECHO,
				job->data, job->request.len, job->reply,
				job->reply_size, &patient, NULL);
		status = len < 0 ? -len : 0;
		job->reply_len = len < 0 ? 0 : len;
		break;
	case PROC_STOP:
		tern_loop_stop(loop);
		break;
	case PROC_ASK:
		status = -ask(test, job);
		if (!status)
			return;
		break;
	}
	tern_loop_reply(job, status);
}

static void on_unwanted(struct tern_loop *loop, struct tern_job *job,
			const struct tern_event *event, void *context)
{
	struct test *test = context;

	(void)loop;
	test->n_events++;
	test->event = *event;
	test->unwanted = job;
}

/* Runs the loop until the condition is true. */
#define RUN_UNTIL(condition) do {					\
	while (!(condition)) {						\
		int ret = tern_loop_run_once(self->test.loop, LONG_MS);	\
									\
		ASSERT_TRUE(ret >= 0 || ret == -EINTR);			\
	}								\
} while (0)

static int serve(struct test *test)
{
	return tern_loop_serve(test->loop, test->place.server, &test->service);
}

FIXTURE_SETUP(serve)
{
	const struct tern_loop_opts opts = { .backend = variant->backend };
	struct test *test = &self->test;

	ASSERT_EQ(0, place_open(&test->place));
	test->other_fd = tern_socket(0);
	test->asker_fd = tern_socket(0);
	ASSERT_EQ(0, tern_bind(test->other_fd, PROGRAM + 1, VERSION, 0));
	ASSERT_EQ(0, tern_addr_set(&test->other, NULL, PROGRAM + 1, VERSION));
	ASSERT_EQ(0, tern_loop_open(&test->loop, test->asker_fd, &opts));
	test->service = (struct tern_loop_service){
		.handler = handle,
		.unwanted = on_unwanted,
		.context = test,
	};
}

FIXTURE_TEARDOWN(serve)
{
	tern_loop_close(self->test.loop);
	close(self->test.other_fd);
	close(self->test.asker_fd);
	place_close(&self->test.place);
}

/* A program that calls, in a thread, and stops the loop at its end. */
struct program {
	pthread_t	thread;
	struct test	*test;
	void		(*run)(struct program *program);
	struct tern_result result;
	char		reply[TERN_MESSAGE_MAX];
	ssize_t		returned;
	int		good;
	unsigned long	allocated;
};

static struct program program;

static void *program_thread(void *arg)
{
	program.run(&program);
	tern_loop_stop(program.test->loop);
	return arg;
}

/* Runs the loop while a program calls it. */
static int run(struct test *test, void (*function)(struct program *program))
{
	int err = serve(test);

	if (err)
		return err;
	memset(&program, 0, sizeof(program));
	program.test = test;
	program.run = function;
	err = pthread_create(&program.thread, NULL, program_thread, NULL);
	if (err)
		return -err;
	err = tern_loop_run(test->loop);
	pthread_join(program.thread, NULL);
	return err;
}

static ssize_t call(struct program *p, uint32_t procedure, const void *request,
		    size_t len)
{
	return tern_call(p->test->place.client, &p->test->place.to, procedure,
			 request, len, p->reply, sizeof(p->reply), &patient,
			 &p->result);
}

static void call_with_all_sizes(struct program *p)
{
	static const size_t sizes[] = {
		0, 1, 255, 0, 0, 1400, 4097, 65535, TERN_MESSAGE_MAX, 0,
	};
	static char request[TERN_MESSAGE_MAX];
	size_t i, at;

	for (i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		for (at = 0; at < sizes[i]; at++)
			request[at] = at * 31 + i + (at >> 8);
		memset(p->reply, 0, sizeof(p->reply));
		p->good += call(p, PROC_ECHO, request, sizes[i]) ==
			   (ssize_t)sizes[i] &&
			   !memcmp(request, p->reply, sizes[i]);
	}
}

TEST_F(serve, content_of_all_sizes)
{
	ASSERT_EQ(0, run(&self->test, call_with_all_sizes));
	EXPECT_EQ(10, program.good);
}

static void call_status(struct program *p)
{
	p->returned = call(p, PROC_STATUS, NULL, 0);
}

TEST_F(serve, status)
{
	ASSERT_EQ(0, run(&self->test, call_status));
	EXPECT_EQ(-EREMOTEIO, program.returned);
	EXPECT_EQ(99, program.result.status);
}

static void call_null(struct program *p)
{
	p->returned = call(p, TERN_PROC_NULL, NULL, 0);
}

/* The handler is not asked. */
TEST_F(serve, null_procedure)
{
	self->test.service.handler = (tern_loop_handler *)abort;
	ASSERT_EQ(0, run(&self->test, call_null));
	EXPECT_EQ(0, program.returned);
	EXPECT_EQ(0, program.result.status);
}

static void call_too_long(struct program *p)
{
	p->good = call(p, PROC_ECHO, "12345", 5) == -EREMOTEIO &&
		  p->result.status == EMSGSIZE;
	p->returned = call(p, PROC_ECHO, "1234", 4);
}

TEST_F(serve, request_too_long)
{
	self->test.service.request_size = 4;
	ASSERT_EQ(0, run(&self->test, call_too_long));
	EXPECT_EQ(1, program.good);
	EXPECT_EQ(4, program.returned);
}

static void call_too_much(struct program *p)
{
	p->returned = call(p, PROC_TOO_MUCH, NULL, 0);
}

TEST_F(serve, reply_too_long)
{
	self->test.service.reply_size = 8;
	ASSERT_EQ(0, run(&self->test, call_too_much));
	EXPECT_EQ(-EMSGSIZE, self->test.returned);
	EXPECT_EQ(0, program.returned);
}

static void call_often(struct program *p)
{
	int i;

	for (i = 0; i < 200; i++) {
		if (i == 10)
			p->allocated = allocations;
		p->good += call(p, i & 1 ? PROC_ECHO : PROC_ASK, "hello", 5) == 5;
	}
	p->allocated = allocations - p->allocated;
}

TEST_F(serve, no_allocation)
{
	ASSERT_EQ(0, echo_start(&self->test.echo, self->test.other_fd));
	ASSERT_EQ(0, run(&self->test, call_often));
	EXPECT_EQ(200, program.good);
	EXPECT_EQ(0, program.allocated);
	EXPECT_LT(0, allocations);
	echo_stop(&self->test.echo);
}

/* Each is held, and the last one is replied to first. */
TEST_F(serve, concurrent_jobs)
{
	struct test *test = &self->test;
	int i;

	ASSERT_EQ(0, serve(test));
	for (i = 0; i < THREADS; i++)
		ASSERT_EQ(0, caller_start(&self->callers[i], &test->place,
					  PROC_HOLD, &patient));
	RUN_UNTIL(test->n_jobs == THREADS);
	for (i = THREADS - 1; i >= 0; i--) {
		memcpy(test->jobs[i]->reply, test->jobs[i]->data, 5);
		test->jobs[i]->reply_len = 5;
		ASSERT_EQ(0, tern_loop_reply(test->jobs[i], 0));
		ASSERT_EQ(0, tern_loop_submit(test->loop));
	}
	for (i = 0; i < THREADS; i++) {
		caller_wait(&self->callers[i]);
		EXPECT_EQ(5, self->callers[i].returned);
		EXPECT_EQ(0, memcmp("hello", self->callers[i].reply, 5));
	}
}

static void *reply_thread(void *arg)
{
	struct tern_job *job = arg;

	memcpy(job->reply, "there", 5);
	job->reply_len = 5;
	tern_loop_reply(job, 0);
	return NULL;
}

/*
 * There are two jobs. The other requests wait in their queue, until threads that
 * know nothing of the loop have replied.
 */
TEST_F(serve, few_jobs_and_replies_of_threads)
{
	struct test *test = &self->test;
	pthread_t threads[THREADS];
	int i;

	test->service.jobs = 2;
	ASSERT_EQ(0, serve(test));
	for (i = 0; i < THREADS; i++)
		ASSERT_EQ(0, caller_start(&self->callers[i], &test->place,
					  PROC_HOLD, &patient));
	for (i = 0; i < THREADS; i++) {
		RUN_UNTIL(test->n_jobs > i);
		EXPECT_GE(i + 2, test->n_jobs);
		/* Nothing comes while both are held. */
		if (test->n_jobs == i + 2)
			EXPECT_EQ(0, tern_loop_run_once(test->loop, SHORT_MS));
		ASSERT_EQ(0, pthread_create(&threads[i], NULL, reply_thread,
					    test->jobs[i]));
	}
	for (i = 0; i < THREADS; i++) {
		pthread_join(threads[i], NULL);
		caller_wait(&self->callers[i]);
		EXPECT_EQ(5, self->callers[i].returned);
		EXPECT_EQ(0, memcmp("there", self->callers[i].reply, 5));
	}
}

TEST_F(serve, oneway)
{
	const struct tern_call_opts oneway = {
		.timeout_ms = LONG_MS,
		.flags = TERN_CALL_ONEWAY,
	};
	struct test *test = &self->test;
	int i;

	test->service.jobs = 1;
	ASSERT_EQ(0, serve(test));
	for (i = 0; i < 3; i++) {
		ASSERT_EQ(0, tern_send_call(test->place.client, &test->place.to,
					    i, PROC_HOLD, "x", 1, &oneway));
		RUN_UNTIL(test->n_jobs == i + 1);
		EXPECT_EQ(0, test->jobs[i]->request.handle);
		EXPECT_EQ(1, test->jobs[i]->request.len);
		EXPECT_EQ(TERN_CALL_ONEWAY, test->jobs[i]->request.flags);
		ASSERT_EQ(0, tern_loop_reply(test->jobs[i], 5));
	}
}

static void on_signal(int number)
{
	(void)number;
}

TEST_F(serve, withdrawn)
{
	struct sigaction action = { .sa_handler = on_signal };
	struct test *test = &self->test;

	ASSERT_EQ(0, sigaction(SIGUSR1, &action, NULL));
	ASSERT_EQ(0, serve(test));
	ASSERT_EQ(0, caller_start(&self->callers[0], &test->place, PROC_HOLD,
				  &patient));
	RUN_UNTIL(test->n_jobs == 1);
	ASSERT_EQ(0, pthread_kill(self->callers[0].thread, SIGUSR1));
	RUN_UNTIL(test->n_events);
	EXPECT_EQ(ECANCELED, test->event.cause);
	EXPECT_EQ(test->jobs[0], test->unwanted);
	EXPECT_EQ(test->jobs[0]->request.handle, test->event.handle);
	caller_wait(&self->callers[0]);
	EXPECT_RESULT(TERN_UNKNOWN, EINTR, self->callers[0].result);
	EXPECT_EQ(0, tern_loop_reply(test->jobs[0], 0));
	EXPECT_LE(0, tern_loop_run_once(test->loop, 0));
	EXPECT_EQ(1, test->n_events);
}

static void reply_at_once(struct tern_loop *loop, struct tern_job *job,
			  const struct tern_event *event, void *context)
{
	on_unwanted(loop, job, event, context);
	tern_loop_reply(job, 0);
}

/* The callback itself ends the job, which then serves for the next request. */
TEST_F(serve, expired)
{
	const struct tern_call_opts brief = { .timeout_ms = 20 * SHORT_MS };
	struct test *test = &self->test;
	int i;

	test->service.jobs = 1;
	test->service.unwanted = reply_at_once;
	ASSERT_EQ(0, serve(test));
	for (i = 1; i <= 2; i++) {
		ASSERT_EQ(0, caller_start(&self->callers[0], &test->place,
					  PROC_HOLD, &brief));
		RUN_UNTIL(test->n_events == i);
		EXPECT_EQ(i, test->n_jobs);
		EXPECT_EQ(ETIMEDOUT, test->event.cause);
		caller_wait(&self->callers[0]);
	}
}

/* Another thread ends the job while the callback looks at it. */
static void reply_in_thread(struct tern_loop *loop, struct tern_job *job,
			    const struct tern_event *event, void *context)
{
	struct test *test = context;
	pthread_t thread;

	pthread_create(&thread, NULL, reply_thread, job);
	pthread_join(thread, NULL);
	/* There is no other job, so this one is not given to anybody yet. */
	test->returned = tern_loop_submit(loop);
	on_unwanted(loop, job, event, context);
	test->event.handle -= job->request.handle;
}

TEST_F(serve, expired_while_another_thread_replies)
{
	const struct tern_call_opts brief = { .timeout_ms = 20 * SHORT_MS };
	struct test *test = &self->test;

	test->service.jobs = 1;
	test->service.unwanted = reply_in_thread;
	ASSERT_EQ(0, serve(test));
	ASSERT_EQ(0, caller_start(&self->callers[0], &test->place, PROC_HOLD,
				  &brief));
	RUN_UNTIL(test->n_jobs == 1);
	ASSERT_EQ(0, caller_start(&self->callers[1], &test->place, PROC_ECHO,
				  &patient));
	RUN_UNTIL(test->n_events);
	EXPECT_EQ(0, test->event.handle);
	RUN_UNTIL(tern_loop_run_once(test->loop, SHORT_MS) == 0);
	ASSERT_EQ(0, tern_loop_submit(test->loop));
	caller_wait(&self->callers[0]);
	caller_wait(&self->callers[1]);
	EXPECT_EQ(5, self->callers[1].returned);
}

/* The other service, which makes a call to the loop before it replies. */
static void *knocking_thread(void *arg)
{
	struct test *test = arg;
	struct pollfd fd = { .fd = test->other_fd, .events = POLLPRI };
	struct tern_request request;
	char buf[8];

	tern_recv_request(test->other_fd, &request, buf, sizeof(buf), 0);
	test->returned = tern_cast(test->place.client, &test->place.to,
				   PROC_HOLD, NULL, 0, &patient, NULL);
	/* The caller would withdraw its call now. */
	if (!test->returned)
		test->returned = poll(&fd, 1, SHORT_MS);
	tern_send_reply(test->other_fd, request.handle, 0, buf, request.len);
	return NULL;
}

/*
 * What comes meanwhile does not interrupt the call of a handler, as it would with
 * other settings of the ring.
 */
TEST_F(serve, handler_waits)
{
	struct test *test = &self->test;
	pthread_t thread;

	ASSERT_EQ(0, serve(test));
	ASSERT_EQ(0, pthread_create(&thread, NULL, knocking_thread, test));
	ASSERT_EQ(0, caller_start(&self->callers[0], &test->place, PROC_WAIT,
				  &patient));
	RUN_UNTIL(test->n_jobs == 1);
	pthread_join(thread, NULL);
	EXPECT_EQ(0, test->returned);
	ASSERT_EQ(0, tern_loop_submit(test->loop));
	caller_wait(&self->callers[0]);
	EXPECT_EQ(5, self->callers[0].returned);
}

/* The call of a handler ends with the job. */
TEST_F(serve, handler_calls_inherit_the_deadline)
{
	const struct tern_call_opts brief = { .timeout_ms = 20 * SHORT_MS };
	struct test *test = &self->test;
	struct tern_request request;
	char buf[8];

	ASSERT_EQ(0, serve(test));
	ASSERT_EQ(0, caller_start(&self->callers[0], &test->place, PROC_ASK,
				  &brief));
	while (tern_recv_request(test->other_fd, &request, buf, sizeof(buf),
				 TERN_RECV_DONTWAIT) == -EAGAIN)
		ASSERT_LE(0, tern_loop_run_once(test->loop, 1));
	EXPECT_GE(20 * SHORT_MS, request.time_left_ms);
	caller_wait(&self->callers[0]);
	EXPECT_EQ(ETIMEDOUT, self->callers[0].result.cause);
}

static void other_handle(struct tern_loop *loop, struct tern_job *job,
			 void *context)
{
	(void)loop;
	(void)context;
	memcpy(job->reply, "other", 5);
	job->reply_len = 5;
	tern_loop_reply(job, 0);
}

static void call_both(struct program *p)
{
	p->good = call(p, PROC_ECHO, "hello", 5) == 5 &&
		  !memcmp(p->reply, "hello", 5);
	/* A loop can call a service of its own, if no handler waits for it. */
	p->good += call(p, PROC_ASK, "hello", 5) == 5 &&
		   !memcmp(p->reply, "other", 5);
}

TEST_F(serve, two_services)
{
	const struct tern_loop_service other = { .handler = other_handle };
	struct test *test = &self->test;

	ASSERT_EQ(0, tern_loop_serve(test->loop, test->other_fd, &other));
	ASSERT_EQ(0, run(test, call_both));
	EXPECT_EQ(2, program.good);
}

/* The reply of the last handler is sent. */
TEST_F(serve, stopped_by_handler)
{
	struct test *test = &self->test;

	ASSERT_EQ(0, serve(test));
	ASSERT_EQ(0, caller_start(&self->callers[0], &test->place, PROC_STOP,
				  &patient));
	EXPECT_EQ(0, tern_loop_run(test->loop));
	caller_wait(&self->callers[0]);
	EXPECT_EQ(0, self->callers[0].returned);
}

/* What no handler was given stays with the socket. */
TEST_F(serve, closed_loop_leaves_requests)
{
	struct test *test = &self->test;
	struct tern_request request;
	char buf[8];

	test->service.jobs = 1;
	ASSERT_EQ(0, serve(test));
	ASSERT_EQ(0, caller_start(&self->callers[0], &test->place, PROC_HOLD,
				  &patient));
	RUN_UNTIL(test->n_jobs == 1);
	ASSERT_EQ(0, tern_send_call(test->place.client, &test->place.to, 1,
				    PROC_ECHO, "hello", 5, &patient));
	EXPECT_EQ(0, tern_loop_run_once(test->loop, 0));
	tern_loop_close(test->loop);
	test->loop = NULL;
	EXPECT_EQ(5, tern_recv_request(test->place.server, &request, buf,
				       sizeof(buf), TERN_RECV_DONTWAIT));
	/* The file is not held by anything: its callers learn that at once. */
	close(test->place.server);
	caller_wait(&self->callers[0]);
	EXPECT_RESULT(TERN_UNKNOWN, EOWNERDEAD, self->callers[0].result);
	test->place.server = tern_socket(0);
	EXPECT_EQ(0, tern_bind(test->place.server, PROGRAM, VERSION, 0));
}

TEST_F(serve, wrong_services)
{
	struct test *test = &self->test;

	EXPECT_EQ(-EINVAL, tern_loop_serve(test->loop, test->place.client,
					   &test->service));
	EXPECT_EQ(-EBADF, tern_loop_serve(test->loop, 999, &test->service));
	test->service.jobs = 1025;
	EXPECT_EQ(-EINVAL, serve(test));
	test->service.jobs = 0;
	test->service.request_size = TERN_MESSAGE_MAX + 1;
	EXPECT_EQ(-EINVAL, serve(test));
	test->service.request_size = 0;
	test->service.resv[0] = 1;
	EXPECT_EQ(-EINVAL, serve(test));
	test->service.resv[0] = 0;
	test->service.handler = NULL;
	EXPECT_EQ(-EINVAL, serve(test));
}

TEST_HARNESS_MAIN
