// SPDX-License-Identifier: LGPL-2.1-or-later
/* The serve loop and its threads. */
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "opts.h"
#include "tern.h"

/* A worker that is never idle looks at stop_fd after this many calls. */
#define ROUNDS_PER_LOOK	16

struct loop {
	int		fd;
	int		stop_fd;
	tern_handler	*handler;
	void		*context;
	size_t		request_size;
	size_t		reply_size;
	/* Held until all threads exist; then they serve unless cancelled. */
	pthread_mutex_t	start;
	bool		cancelled;
};

struct worker {
	struct loop	*loop;
	pthread_t	thread;
	int		epoll_fd;	/* -1 without a stop_fd */
	int		error;
	struct tern_job	job;
	uint32_t	status;
};

static void nap(void)
{
	poll(NULL, 0, 1);
}

/* There is room again when other calls end. */
static bool is_shortage(int error)
{
	return error == -ENOMEM || error == -ENOBUFS;
}

static bool is_stopped(const struct worker *worker)
{
	struct pollfd stop = { .fd = worker->loop->stop_fd, .events = POLLIN };

	return poll(&stop, 1, 0) > 0;
}

/*
 * Waits for a request, which another worker may have taken by now, or for the
 * stop, and returns 1 then.
 */
static int wait_idle(const struct worker *worker)
{
	struct pollfd socket = { .fd = worker->loop->fd, .events = POLLIN };
	struct epoll_event events[2];
	int count;

	if (worker->epoll_fd < 0)
		count = poll(&socket, 1, -1) < 0 ? -1 : 0;
	else
		count = epoll_wait(worker->epoll_fd, events, 2, -1);
	if (count < 0)
		return errno == EINTR ? 0 : -errno;
	while (count--)
		if (events[count].data.fd == worker->loop->stop_fd)
			return 1;
	return 0;
}

static void execute(struct worker *worker)
{
	struct tern_job *job = &worker->job;

	worker->status = 0;
	job->reply_len = 0;
	if (job->request.procedure == TERN_PROC_NULL)
		return;

	tern_inherit_deadline(&job->request);
	worker->status = worker->loop->handler(job, worker->loop->context);
	tern_inherit_deadline(NULL);
	if (job->reply_len > job->reply_size) {
		worker->status = EMSGSIZE;
		job->reply_len = 0;
	}
}

/* The first request in the queue may be too long, or another one by now. */
static int take_long_request(struct worker *worker)
{
	struct tern_job *job = &worker->job;
	struct tern_message message;
	ssize_t len;

	len = tern_recv(worker->loop->fd, &message, job->data,
			worker->loop->request_size, MSG_DONTWAIT);
	if (len == -EAGAIN)
		return 0;
	if (len < 0)
		return len;
	if (message.kind != TERN_KIND_REQUEST)
		return 0;

	job->request = message.request;
	if ((size_t)len > worker->loop->request_size) {
		worker->status = EMSGSIZE;
		job->reply_len = 0;
	} else {
		execute(worker);
	}
	return 0;
}

/* The reply could not be sent: decides whether to send it again. */
static void reply_failed(struct worker *worker, int error)
{
	struct tern_request *request = &worker->job.request;

	if (error == -EINTR)
		return;
	if (is_shortage(error) && request->time_left_ms) {
		request->time_left_ms--;
		nap();
		return;
	}
	request->handle = 0;
}

static void send_last_reply(struct worker *worker)
{
	struct tern_job *job = &worker->job;
	int err;

	while (job->request.handle) {
		err = tern_send_reply(worker->loop->fd, job->request.handle,
				      worker->status, job->reply,
				      job->reply_len);
		if (!err)
			return;
		reply_failed(worker, err);
	}
}

/* What to do when no request was received; returns 1 to stop. */
static int receive_failed(struct worker *worker, int error)
{
	switch (error) {
	case -EAGAIN:
		return wait_idle(worker);
	case -EMSGSIZE:
		return take_long_request(worker);
	case -EINTR:
		return 0;
	default:
		if (!is_shortage(error))
			return error;
		nap();
		return 0;
	}
}

static int serve(struct worker *worker)
{
	const struct loop *loop = worker->loop;
	struct tern_job *job = &worker->job;
	unsigned int flags = loop->stop_fd < 0 ? 0 : TERN_RECV_DONTWAIT;
	unsigned int rounds = 0;
	ssize_t len;
	int err;

	for (;;) {
		if (flags && rounds++ % ROUNDS_PER_LOOK == 0 &&
		    is_stopped(worker)) {
			send_last_reply(worker);
			return 0;
		}
		len = tern_reply_recv(loop->fd, &job->request, worker->status,
				      job->reply, job->reply_len, job->data,
				      loop->request_size, flags);
		if (len >= 0) {
			execute(worker);
		} else if (job->request.handle) {
			reply_failed(worker, len);
		} else {
			err = receive_failed(worker, len);
			if (err)
				return err > 0 ? 0 : err;
		}
	}
}

static void *serve_thread(void *arg)
{
	struct worker *worker = arg;
	bool cancelled;

	pthread_mutex_lock(&worker->loop->start);
	cancelled = worker->loop->cancelled;
	pthread_mutex_unlock(&worker->loop->start);
	if (!cancelled)
		worker->error = serve(worker);
	return NULL;
}

static int watch(int epoll_fd, int fd, uint32_t flags)
{
	struct epoll_event event = {
		.events = EPOLLIN | flags,
		.data.fd = fd,
	};

	return epoll_ctl(epoll_fd, EPOLL_CTL_ADD, fd, &event) ? -errno : 0;
}

static int worker_init(struct worker *worker, struct loop *loop)
{
	int err;

	worker->loop = loop;
	worker->epoll_fd = -1;
	worker->job.fd = loop->fd;
	worker->job.reply_size = loop->reply_size;
	worker->job.data = malloc(loop->request_size);
	worker->job.reply = malloc(loop->reply_size);
	if (!worker->job.data || !worker->job.reply)
		return -ENOMEM;
	if (loop->stop_fd < 0)
		return 0;

	worker->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	if (worker->epoll_fd < 0)
		return -errno;
	/* One request shall wake one worker; the stop wakes all. */
	err = watch(worker->epoll_fd, loop->fd, EPOLLEXCLUSIVE);
	if (!err)
		err = watch(worker->epoll_fd, loop->stop_fd, 0);
	return err;
}

static void worker_free(struct worker *worker)
{
	if (worker->epoll_fd >= 0)
		close(worker->epoll_fd);
	free(worker->job.data);
	free(worker->job.reply);
}

/* Signals are for the threads of the program, not for those made here. */
static int start_thread(struct worker *worker)
{
	sigset_t all, old;
	int err;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	err = pthread_create(&worker->thread, NULL, serve_thread, worker);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	return -err;
}

/* Worker 0 is the calling thread. */
static int run(struct loop *loop, struct worker *workers, uint32_t count)
{
	uint32_t ready, started = 1;
	int err = 0;

	pthread_mutex_lock(&loop->start);
	for (ready = 0; ready < count && !err; ready++)
		err = worker_init(&workers[ready], loop);
	while (!err && started < count) {
		err = start_thread(&workers[started]);
		if (!err)
			started++;
	}
	loop->cancelled = err;
	pthread_mutex_unlock(&loop->start);

	if (!err)
		err = serve(&workers[0]);
	while (started-- > 1) {
		pthread_join(workers[started].thread, NULL);
		if (!err)
			err = workers[started].error;
	}
	while (ready--)
		worker_free(&workers[ready]);
	return err;
}

static bool serve_opts_valid(const struct tern_serve_opts *opts)
{
	return opts->request_size <= TERN_MESSAGE_MAX &&
	       opts->reply_size <= TERN_MESSAGE_MAX &&
	       is_zero(opts->resv, sizeof(opts->resv));
}

int tern_serve(int fd, int stop_fd, tern_handler *handler, void *context,
	       const struct tern_serve_opts *opts)
{
	static const struct tern_serve_opts defaults;
	struct loop loop = {
		.fd = fd,
		.stop_fd = stop_fd,
		.handler = handler,
		.context = context,
		.start = PTHREAD_MUTEX_INITIALIZER,
	};
	struct worker *workers;
	uint32_t threads;
	int err;

	if (!opts)
		opts = &defaults;
	if (!serve_opts_valid(opts))
		return -EINVAL;
	loop.request_size = opts->request_size ?: TERN_MESSAGE_MAX;
	loop.reply_size = opts->reply_size ?: TERN_MESSAGE_MAX;
	threads = opts->threads ?: 1;

	workers = calloc(threads, sizeof(*workers));
	if (!workers)
		return -ENOMEM;
	err = run(&loop, workers, threads);
	free(workers);
	return err;
}

int tern_serve_stop(int stop_fd)
{
	uint64_t one = 1;
	int saved = errno;
	int err = 0;

	/* A full pipe or counter is readable already. */
	if (write(stop_fd, &one, sizeof(one)) < 0 && errno != EAGAIN)
		err = -errno;
	errno = saved;
	return err;
}
