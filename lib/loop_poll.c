// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The backend of event loops on epoll, sendmmsg() and recvmsg(), for where
 * io_uring is not there or is forbidden.
 */
#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "clock.h"
#include "loop.h"

/* So much is received from one socket before the others have their turn. */
#define ROUNDS		64
#define BATCH_MAX	1024	/* what sendmmsg() takes */

struct state {
	int			epoll_fd;
	int			timer_fd;
	uint32_t		client_events;	/* that are waited for */
	bool			timer_set;
	struct call		**calls;	/* a batch of them */
	struct mmsghdr		*batch;
	unsigned int		batch_size;
	char			*reply;
};

static int watch(struct state *state, int op, int fd, uint32_t events,
		 void *what)
{
	struct epoll_event event = {
		.events = events,
		.data.ptr = what,
	};

	return epoll_ctl(state->epoll_fd, op, fd, &event) ? -errno : 0;
}

static void free_state(struct state *state)
{
	if (state->timer_fd >= 0)
		close(state->timer_fd);
	if (state->epoll_fd >= 0)
		close(state->epoll_fd);
	free(state->calls);
	free(state->batch);
	free(state->reply);
	free(state);
}

static int watch_all(struct tern_loop *loop, struct state *state)
{
	int err;

	state->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	state->timer_fd = timerfd_create(CLOCK_MONOTONIC,
					 TFD_CLOEXEC | TFD_NONBLOCK);
	if (state->epoll_fd < 0 || state->timer_fd < 0)
		return -errno;
	err = watch(state, EPOLL_CTL_ADD, loop->wake_fd, EPOLLIN,
		    &loop->wake_fd);
	if (!err)
		err = watch(state, EPOLL_CTL_ADD, state->timer_fd, EPOLLIN,
			    &state->timer_fd);
	if (err || loop->client < 0)
		return err;
	state->client_events = EPOLLIN;
	return watch(state, EPOLL_CTL_ADD, loop->client, EPOLLIN,
		     &loop->client);
}

static int poll_open(struct tern_loop *loop)
{
	struct state *state = calloc(1, sizeof(*state));
	int err = 0;

	if (!state)
		return -ENOMEM;
	state->epoll_fd = -1;
	state->timer_fd = -1;
	state->batch_size = loop->n_calls < BATCH_MAX ? loop->n_calls : BATCH_MAX;
	if (loop->client >= 0) {
		state->calls = calloc(state->batch_size, sizeof(*state->calls));
		state->batch = calloc(state->batch_size, sizeof(*state->batch));
		state->reply = malloc(loop->reply_size);
		if (!state->calls || !state->batch || !state->reply)
			err = -ENOMEM;
	}
	if (!err)
		err = watch_all(loop, state);
	if (err)
		free_state(state);
	else
		loop->state = state;
	return err;
}

static void poll_stop(struct tern_loop *loop)
{
	(void)loop;
}

static void poll_close(struct tern_loop *loop)
{
	free_state(loop->state);
}

static int poll_fd(const struct tern_loop *loop)
{
	const struct state *state = loop->state;

	return state->epoll_fd;
}

static int poll_serve(struct service *service)
{
	service->receiving = true;
	return watch(service->loop->state, EPOLL_CTL_ADD, service->fd,
		     EPOLLIN | EPOLLPRI, service);
}

static void poll_job_freed(struct job *job)
{
	list_add_after(&job->service->free, &job->link);
}

static void poll_reply(struct job *job)
{
	job_send(job);
	job_done(job);
}

/* Sends @count calls; how many, all others were put back or have failed. */
static unsigned int send_batch(struct tern_loop *loop, unsigned int count)
{
	struct state *state = loop->state;
	unsigned int i, done = 0;
	int sent, err;

	while (done < count && !loop->congested) {
		sent = sendmmsg(loop->client, state->batch + done, count - done,
				MSG_DONTWAIT);
		err = sent < 0 ? -errno : 0;
		for (i = 0; sent > 0 && i < (unsigned int)sent; i++)
			if (call_is_quiet(state->calls[done + i]))
				calls_submitted(loop, state->calls[done + i]);
		if (sent > 0)
			done += sent;
		else if (err == -EAGAIN)
			loop->congested = true;
		else if (err != -EINTR)
			calls_failed(loop, state->calls[done++], err);
	}
	for (i = count; i > done; i--)
		calls_put_back(loop, state->calls[i - 1]);
	return done;
}

static void send_calls(struct tern_loop *loop)
{
	struct state *state = loop->state;
	struct call *call;
	unsigned int count;

	while (!loop->congested) {
		for (count = 0; count < state->batch_size; count++) {
			call = calls_next(loop);
			if (!call)
				break;
			state->calls[count] = call;
			state->batch[count].msg_hdr = call->msg;
		}
		if (!count)
			return;
		send_batch(loop, count);
	}
}

/* What is queued ends at its deadline, even if there never is room. */
static void set_timer(struct tern_loop *loop)
{
	struct state *state = loop->state;
	struct itimerspec when = { 0 };
	int left = loop->congested ? calls_expire(loop) : -1;

	if (left < 0 && !state->timer_set)
		return;
	state->timer_set = left > 0;
	if (left > 0) {
		when.it_value.tv_sec = left / 1000;
		when.it_value.tv_nsec = left % 1000 * 1000000L;
	}
	timerfd_settime(state->timer_fd, 0, &when, NULL);
}

static int poll_submit(struct tern_loop *loop)
{
	struct state *state = loop->state;
	uint32_t events;
	int err;

	if (loop->client < 0)
		return 0;
	send_calls(loop);
	calls_withdraw(loop);
	set_timer(loop);
	events = EPOLLIN | (loop->congested ? EPOLLOUT : 0);
	if (events == state->client_events)
		return 0;
	err = watch(state, EPOLL_CTL_MOD, loop->client, events, &loop->client);
	if (!err)
		state->client_events = events;
	return err;
}

/* Requests are waited for while there is a job for them. */
static int watch_service(struct service *service)
{
	struct tern_loop *loop = service->loop;
	bool receiving, changed;

	pthread_mutex_lock(&loop->lock);
	receiving = service->n_free;
	changed = receiving != service->receiving;
	service->receiving = receiving;
	pthread_mutex_unlock(&loop->lock);
	if (!changed)
		return 0;
	return watch(loop->state, EPOLL_CTL_MOD, service->fd,
		     EPOLLPRI | (receiving ? EPOLLIN : 0), service);
}

static int watch_services(struct tern_loop *loop)
{
	struct service *service;
	int err = 0;

	for (service = loop->services; service && !err; service = service->next)
		err = watch_service(service);
	return err;
}

/* Nothing is there, or not for this one. */
static bool is_nothing(int error)
{
	return error == -EAGAIN || error == -EINTR;
}

static int receive_outcomes(struct tern_loop *loop)
{
	struct state *state = loop->state;
	struct tern_message message;
	int rounds;
	ssize_t len;

	for (rounds = 0; rounds < ROUNDS; rounds++) {
		len = tern_recv(loop->client, &message, state->reply,
				loop->reply_size, MSG_DONTWAIT);
		if (len < 0)
			return is_nothing(len) ? 0 : len;
		if (message.kind != TERN_KIND_OUTCOME)
			continue;
		if ((size_t)len > loop->reply_size)
			len = loop->reply_size;
		calls_outcome(loop, &message.outcome, state->reply, len);
	}
	return 0;
}

static struct job *take_job(struct service *service)
{
	struct link *link = NULL;

	pthread_mutex_lock(&service->loop->lock);
	if (!list_empty(&service->free)) {
		link = service->free.next;
		list_del(link);
	}
	pthread_mutex_unlock(&service->loop->lock);
	return link ? (struct job *)((char *)link - offsetof(struct job, link)) :
		      NULL;
}

static void return_job(struct job *job)
{
	pthread_mutex_lock(&job->service->loop->lock);
	poll_job_freed(job);
	pthread_mutex_unlock(&job->service->loop->lock);
}

static int receive_requests(struct service *service)
{
	struct tern_message message;
	struct job *job;
	int rounds;
	ssize_t len;

	for (rounds = 0; rounds < ROUNDS; rounds++) {
		job = take_job(service);
		if (!job)
			return 0;
		len = tern_recv(service->fd, &message, job->buffer,
				service->opts.request_size, MSG_DONTWAIT);
		if (len >= 0 && message.kind == TERN_KIND_REQUEST) {
			service->loop->received_ms = now_ms();
			job_request(job, &message.request);
			continue;
		}
		return_job(job);
		if (len < 0)
			return is_nothing(len) || is_shortage(len) ? 0 : len;
	}
	return 0;
}

static int handle_event(struct tern_loop *loop, const struct epoll_event *event)
{
	struct state *state = loop->state;
	struct service *service;
	uint64_t count;

	if (event->data.ptr == &loop->wake_fd) {
		if (read(loop->wake_fd, &count, sizeof(count)) < 0)
			return -errno;
		loop_kicked(loop);
		return 0;
	}
	if (event->data.ptr == &state->timer_fd) {
		if (read(state->timer_fd, &count, sizeof(count)) < 0 &&
		    errno != EAGAIN)
			return -errno;
		calls_expire(loop);
		return 0;
	}
	if (event->data.ptr == &loop->client) {
		if (event->events & EPOLLOUT)
			loop->congested = false;
		return event->events & EPOLLIN ? receive_outcomes(loop) : 0;
	}
	service = event->data.ptr;
	if (event->events & EPOLLPRI)
		service->has_events = true;
	return event->events & EPOLLIN ? receive_requests(service) : 0;
}

static int poll_turn(struct tern_loop *loop, int timeout_ms)
{
	struct state *state = loop->state;
	struct epoll_event events[16];
	int i, count, err;

	err = poll_submit(loop);
	if (!err)
		err = watch_services(loop);
	if (err)
		return err;
	if (calls_due(loop))
		timeout_ms = 0;
	count = epoll_wait(state->epoll_fd, events,
			   sizeof(events) / sizeof(events[0]), timeout_ms);
	if (count < 0)
		return -errno;
	for (i = 0; i < count && !err; i++)
		err = handle_event(loop, &events[i]);
	return err;
}

const struct backend backend_poll = {
	.number		= TERN_BACKEND_POLL,
	.open		= poll_open,
	.stop		= poll_stop,
	.close		= poll_close,
	.fd		= poll_fd,
	.serve		= poll_serve,
	.submit		= poll_submit,
	.turn		= poll_turn,
	.reply		= poll_reply,
	.job_freed	= poll_job_freed,
};
