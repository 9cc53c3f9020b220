// SPDX-License-Identifier: GPL-2.0
/* The serve loop: what the handler is given, and how the loop ends. */
#include <sys/prctl.h>

#include "lib_test.h"

#define THREADS	4

enum {
	PROC_ECHO = 1,
	PROC_STATUS,
	PROC_MEET,	/* returns when THREADS calls are in it */
	PROC_HOLD,	/* returns when the test says so */
	PROC_LATER,	/* is replied to by the test */
	PROC_TOO_MUCH,	/* claims a reply that is longer than its buffer */
	PROC_REPORT,	/* replies with what it was told of the request */
};

struct service {
	struct place		place;
	struct tern_serve_opts	opts;
	int			stop_fd;
	pthread_t		thread;
	int			returned;
	pthread_barrier_t	meeting;
	sem_t			entered;
	sem_t			release;
	struct tern_request	request;
};

static uint32_t handle(struct tern_job *job, void *context)
{
	struct service *service = context;

	switch (job->request.procedure) {
	case PROC_ECHO:
		memcpy(job->reply, job->data, job->request.len);
		job->reply_len = job->request.len;
		return 0;
	case PROC_STATUS:
		return 99;
	case PROC_MEET:
		pthread_barrier_wait(&service->meeting);
		return 0;
	case PROC_HOLD:
		sem_post(&service->entered);
		sem_wait(&service->release);
		return 0;
	case PROC_LATER:
		service->request = job->request;
		job->request.handle = 0;
		sem_post(&service->entered);
		return 0;
	case PROC_TOO_MUCH:
		job->reply_len = job->reply_size + 1;
		return 0;
	case PROC_REPORT:
		service->request = job->request;
		sem_post(&service->entered);
		return 0;
	}
	return 1;
}

static void *service_thread(void *arg)
{
	struct service *service = arg;

	service->returned = tern_serve(service->place.server, service->stop_fd,
				       handle, service, &service->opts);
	return NULL;
}

static int service_open(struct service *service)
{
	memset(service, 0, sizeof(*service));
	sem_init(&service->entered, 0, 0);
	sem_init(&service->release, 0, 0);
	pthread_barrier_init(&service->meeting, NULL, THREADS);
	service->opts.threads = THREADS;
	service->stop_fd = eventfd(0, EFD_CLOEXEC);
	return place_open(&service->place);
}

static int service_start(struct service *service)
{
	return pthread_create(&service->thread, NULL, service_thread, service);
}

static int service_wait(struct service *service)
{
	pthread_join(service->thread, NULL);
	return service->returned;
}

static int service_stop(struct service *service)
{
	tern_serve_stop(service->stop_fd);
	return service_wait(service);
}

static void service_close(struct service *service)
{
	close(service->stop_fd);
	place_close(&service->place);
}

static ssize_t call(struct service *service, uint32_t procedure,
		    const void *request, size_t len, void *reply, size_t size,
		    struct tern_result *result)
{
	return tern_call(service->place.client, &service->place.to, procedure,
			 request, len, reply, size, &patient, result);
}

FIXTURE(serve) {
	struct service service;
	struct tern_result result;
};

FIXTURE_SETUP(serve)
{
	ASSERT_EQ(0, service_open(&self->service));
}

FIXTURE_TEARDOWN(serve)
{
	service_close(&self->service);
}

TEST_F(serve, content_of_all_sizes)
{
	static const size_t sizes[] = {
		0, 1, 2, 255, 1400, 4096, 4097, 65535, TERN_MESSAGE_MAX,
	};
	static char request[TERN_MESSAGE_MAX], reply[TERN_MESSAGE_MAX];
	size_t i, at;

	ASSERT_EQ(0, service_start(&self->service));
	for (i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		for (at = 0; at < sizes[i]; at++)
			request[at] = at * 31 + i + (at >> 8);
		memset(reply, 0, sizeof(reply));
		EXPECT_EQ((ssize_t)sizes[i],
			  call(&self->service, PROC_ECHO, request, sizes[i],
			       reply, sizeof(reply), &self->result));
		EXPECT_EQ(0, memcmp(request, reply, sizes[i]));
	}
	EXPECT_EQ(0, service_stop(&self->service));
}

TEST_F(serve, null_procedure)
{
	ASSERT_EQ(0, service_start(&self->service));
	/* the handler would reply with status 1 */
	EXPECT_EQ(0, call(&self->service, TERN_PROC_NULL, NULL, 0, NULL, 0,
			  &self->result));
	EXPECT_EQ(TERN_REPLIED, self->result.outcome);
	EXPECT_EQ(0, self->result.status);
	EXPECT_EQ(0, service_stop(&self->service));
}

TEST_F(serve, status)
{
	ASSERT_EQ(0, service_start(&self->service));
	EXPECT_EQ(-EREMOTEIO, call(&self->service, PROC_STATUS, NULL, 0, NULL,
				   0, &self->result));
	EXPECT_EQ(TERN_REPLIED, self->result.outcome);
	EXPECT_EQ(99, self->result.status);
	EXPECT_EQ(0, service_stop(&self->service));
}

/* Each call needs a thread of its own, or none of them returns. */
TEST_F(serve, threads_at_once)
{
	struct caller callers[THREADS];
	int i;

	ASSERT_EQ(0, service_start(&self->service));
	for (i = 0; i < THREADS; i++) {
		ASSERT_EQ(0, caller_start(&callers[i], &self->service.place,
					  PROC_MEET, &patient));
	}
	for (i = 0; i < THREADS; i++) {
		caller_wait(&callers[i]);
		EXPECT_EQ(0, callers[i].returned);
	}
	EXPECT_EQ(0, service_stop(&self->service));
}

TEST_F(serve, request_is_described)
{
	ASSERT_EQ(0, service_start(&self->service));
	ASSERT_EQ(0, call(&self->service, PROC_REPORT, "12345", 5, NULL, 0,
			  &self->result));
	EXPECT_EQ(5, self->service.request.len);
	EXPECT_EQ(PROC_REPORT, self->service.request.procedure);
	EXPECT_EQ(0, self->service.request.flags);
	EXPECT_LT(0, self->service.request.time_left_ms);
	EXPECT_GE(LONG_MS, self->service.request.time_left_ms);
	EXPECT_EQ(0, service_stop(&self->service));
}

TEST_F(serve, cast)
{
	ASSERT_EQ(0, service_start(&self->service));
	ASSERT_EQ(0, tern_cast(self->service.place.client,
			       &self->service.place.to, PROC_REPORT, "x", 1,
			       &patient, &self->result));
	EXPECT_EQ(TERN_DELIVERED, self->result.outcome);
	sem_wait(&self->service.entered);
	EXPECT_EQ(TERN_CALL_ONEWAY, self->service.request.flags);
	EXPECT_EQ(0, service_stop(&self->service));
}

TEST_F(serve, reply_later)
{
	struct caller caller;

	ASSERT_EQ(0, service_start(&self->service));
	ASSERT_EQ(0, caller_start(&caller, &self->service.place, PROC_LATER,
				  &patient));
	sem_wait(&self->service.entered);
	/* the loop goes on meanwhile */
	EXPECT_EQ(1, call(&self->service, PROC_ECHO, "x", 1, &caller.reply[8],
			  1, &self->result));
	EXPECT_EQ(0, tern_send_reply(self->service.place.server,
				     self->service.request.handle, 0, "late",
				     4));
	caller_wait(&caller);
	EXPECT_EQ(4, caller.returned);
	EXPECT_EQ(0, memcmp("late", caller.reply, 4));
	EXPECT_EQ(0, service_stop(&self->service));
}

TEST_F(serve, sizes_of_buffers)
{
	char request[100] = "x", reply[100];

	self->service.opts.request_size = 50;
	self->service.opts.reply_size = 50;
	ASSERT_EQ(0, service_start(&self->service));
	EXPECT_EQ(50, call(&self->service, PROC_ECHO, request, 50, reply, 100,
			   &self->result));
	/* the handler, which would reply with status 0, does not see it */
	EXPECT_EQ(-EREMOTEIO, call(&self->service, PROC_REPORT, request, 51,
				   reply, 100, &self->result));
	EXPECT_EQ(EMSGSIZE, self->result.status);
	EXPECT_EQ(0, self->result.reply_len);
	EXPECT_EQ(-EREMOTEIO, call(&self->service, PROC_TOO_MUCH, NULL, 0,
				   reply, 100, &self->result));
	EXPECT_EQ(EMSGSIZE, self->result.status);
	EXPECT_EQ(0, self->result.reply_len);
	EXPECT_EQ(50, call(&self->service, PROC_ECHO, request, 50, reply, 100,
			   &self->result));
	EXPECT_EQ(0, service_stop(&self->service));
}

/*
 * A running handler runs to its end, and its reply is sent, wherever the loop
 * is in its rounds.
 */
static void stop_in_call(struct __test_metadata *_metadata,
			 struct service *service, int calls_before)
{
	struct tern_result result;
	struct caller caller;
	uint64_t value;

	ASSERT_EQ(0, service_start(service));
	while (calls_before--) {
		ASSERT_EQ(0, call(service, TERN_PROC_NULL, NULL, 0, NULL, 0,
				  &result));
	}
	ASSERT_EQ(0, caller_start(&caller, &service->place, PROC_HOLD,
				  &patient));
	sem_wait(&service->entered);
	tern_serve_stop(service->stop_fd);
	sem_post(&service->release);
	EXPECT_EQ(0, service_wait(service));
	caller_wait(&caller);
	EXPECT_EQ(0, caller.returned);
	EXPECT_RESULT(TERN_REPLIED, 0, caller.result);
	ASSERT_EQ(8, read(service->stop_fd, &value, sizeof(value)));
}

TEST_F(serve, stop_while_executing)
{
	int calls;

	self->service.opts.threads = 1;
	for (calls = 0; calls < 40; calls++)
		stop_in_call(_metadata, &self->service, calls);
}

static void *call_until_refused(void *arg)
{
	struct service *service = arg;
	struct tern_result result;

	while (!call(service, TERN_PROC_NULL, NULL, 0, NULL, 0, &result))
		continue;
	return NULL;
}

/* A loop that is never idle is ended as well. */
TEST_F(serve, stop_under_load)
{
	pthread_t clients[3];
	int i;

	self->service.opts.threads = 1;
	ASSERT_EQ(0, service_start(&self->service));
	for (i = 0; i < 3; i++) {
		ASSERT_EQ(0, pthread_create(&clients[i], NULL,
					    call_until_refused,
					    &self->service));
	}
	for (i = 0; i < 100; i++) {
		ASSERT_EQ(0, call(&self->service, TERN_PROC_NULL, NULL, 0,
				  NULL, 0, &self->result));
	}
	EXPECT_EQ(0, service_stop(&self->service));
	/* what is queued is refused now, and so is what comes after */
	close(self->service.place.server);
	for (i = 0; i < 3; i++)
		pthread_join(clients[i], NULL);
}

TEST_F(serve, stop_before_start)
{
	tern_serve_stop(self->service.stop_fd);
	ASSERT_EQ(0, service_start(&self->service));
	EXPECT_EQ(0, service_wait(&self->service));
}

TEST_F(serve, no_more_files)
{
	ASSERT_EQ(0, no_more_files());
	ASSERT_EQ(0, service_start(&self->service));
	EXPECT_EQ(-EMFILE, service_wait(&self->service));
}

TEST_F(serve, requests_stay_after_the_stop)
{
	struct tern_request request;
	char buf[8];

	tern_serve_stop(self->service.stop_fd);
	ASSERT_EQ(0, tern_cast(self->service.place.client,
			       &self->service.place.to, PROC_REPORT, "x", 1,
			       &patient, &self->result));
	ASSERT_EQ(0, service_start(&self->service));
	EXPECT_EQ(0, service_wait(&self->service));
	EXPECT_EQ(1, tern_recv_request(self->service.place.server, &request,
				       buf, sizeof(buf), TERN_RECV_DONTWAIT));
}

/* Every file that the loop opened is closed. */
TEST_F(serve, nothing_is_left_open)
{
	int before = dup(0), after;

	close(before);
	tern_serve_stop(self->service.stop_fd);
	EXPECT_EQ(0, tern_serve(self->service.place.server,
				self->service.stop_fd, handle, &self->service,
				&self->service.opts));
	after = dup(0);
	EXPECT_EQ(before, after);
	close(after);
}

static int signal_stop_fd;

static void on_signal(int number)
{
	(void)number;
	tern_serve_stop(signal_stop_fd);
}

TEST_F(serve, stop_from_a_signal_handler)
{
	struct sigaction action = { .sa_handler = on_signal };

	signal_stop_fd = self->service.stop_fd;
	ASSERT_EQ(0, sigaction(SIGUSR1, &action, NULL));
	ASSERT_EQ(0, service_start(&self->service));
	ASSERT_EQ(0, call(&self->service, TERN_PROC_NULL, NULL, 0, NULL, 0,
			  &self->result));
	ASSERT_EQ(0, kill(getpid(), SIGUSR1));
	EXPECT_EQ(0, service_wait(&self->service));
}

TEST_F(serve, stop_by_pipe)
{
	int pipes[2];

	ASSERT_EQ(0, pipe2(pipes, O_CLOEXEC));
	close(self->service.stop_fd);
	self->service.stop_fd = pipes[0];
	ASSERT_EQ(0, service_start(&self->service));
	EXPECT_EQ(0, tern_serve_stop(pipes[1]));
	EXPECT_EQ(0, service_wait(&self->service));
	close(pipes[1]);
}

TEST_F(serve, mistakes)
{
	int file = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);

	ASSERT_LE(0, file);
	EXPECT_EQ(-EPERM, tern_serve(self->service.place.server, file, handle,
				     NULL, NULL));
	EXPECT_EQ(-EINVAL, tern_serve(self->service.place.client,
				      self->service.stop_fd, handle, NULL,
				      NULL));
	EXPECT_EQ(-EINVAL, tern_serve(self->service.place.client, -1, handle,
				      NULL, NULL));
	close(file);
}

/* Without a stop_fd only the death of the process ends the loop. */
static pid_t serve_for_ever(struct service *service)
{
	pid_t parent = getpid();
	pid_t pid = fork();

	if (!pid) {
		/* the parent may be gone before the child asks to follow it */
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (getppid() == parent)
			tern_serve(service->place.server, -1, handle, service,
				   &service->opts);
		_exit(1);
	}
	close(service->place.server);
	service->place.server = -1;
	return pid;
}

static void check_for_ever(struct __test_metadata *_metadata,
			   struct service *service)
{
	struct tern_result result;
	char reply[8];
	pid_t pid;
	int i;

	pid = serve_for_ever(service);
	ASSERT_LT(0, pid);
	for (i = 0; i < 50; i++) {
		ASSERT_EQ(1, call(service, PROC_ECHO, "x", 1, reply, 8,
				  &result));
	}
	ASSERT_EQ(0, kill(pid, SIGKILL));
	ASSERT_EQ(pid, waitpid(pid, NULL, 0));
	EXPECT_EQ(-ECONNREFUSED, call(service, PROC_ECHO, "x", 1, reply, 8,
				      &result));
	EXPECT_RESULT(TERN_NOT_EXECUTED, ECONNREFUSED, result);
}

TEST_F(serve, without_stop)
{
	check_for_ever(_metadata, &self->service);
}

TEST_F(serve, without_stop_and_one_thread)
{
	self->service.opts.threads = 0;
	check_for_ever(_metadata, &self->service);
}

TEST_F(serve, without_stop_and_non_blocking)
{
	ASSERT_EQ(0, fcntl(self->service.place.server, F_SETFL, O_NONBLOCK));
	check_for_ever(_metadata, &self->service);
}

TEST_HARNESS_MAIN
