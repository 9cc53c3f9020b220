// SPDX-License-Identifier: LGPL-2.1-or-later
/* The services of an event loop and their jobs. */
#include <errno.h>
#include <poll.h>
#include <stdlib.h>

#include "clock.h"
#include "loop.h"
#include "opts.h"

#define JOBS_MAX	1024
#define JOBS_DEFAULT	64

static struct job *job_of(struct tern_job *job)
{
	return (struct job *)((char *)job - offsetof(struct job, job));
}

static void free_service(struct service *service)
{
	free(service->jobs);
	free(service->buffer_memory);
	free(service->reply_memory);
	free(service);
}

void services_free(struct tern_loop *loop)
{
	struct service *service;

	while ((service = loop->services)) {
		loop->services = service->next;
		free_service(service);
	}
}

static void init_job(struct service *service, struct job *job, uint32_t i)
{
	memset(job, 0, sizeof(*job));
	job->service = service;
	job->buffer = (char *)service->buffer_memory + i * service->buffer_size;
	job->reply = (char *)service->reply_memory +
		     i * loop_aligned(service->opts.reply_size);
	job->job.fd = service->fd;
}

static struct service *make_service(struct tern_loop *loop, int fd,
				    const struct tern_loop_service *opts)
{
	struct service *service;
	uint32_t i;

	service = aligned_alloc(TAG_SPACE, sizeof(*service));
	if (!service)
		return NULL;
	memset(service, 0, sizeof(*service));
	list_init(&service->free);
	service->loop = loop;
	service->fd = fd;
	service->opts = *opts;
	service->opts.jobs = opts->jobs ?: JOBS_DEFAULT;
	service->opts.request_size = opts->request_size ?: TERN_MESSAGE_MAX;
	service->opts.reply_size = opts->reply_size ?: TERN_MESSAGE_MAX;
	service->buffer_size = loop_aligned(loop->backend->head_size +
				       service->opts.request_size);
	/* What is never used of it is never touched. */
	service->buffer_memory = malloc(service->opts.jobs *
					service->buffer_size);
	service->reply_memory = malloc(service->opts.jobs *
				       loop_aligned(service->opts.reply_size));
	service->jobs = aligned_alloc(TAG_SPACE, service->opts.jobs *
				      sizeof(*service->jobs));
	if (!service->buffer_memory || !service->reply_memory ||
	    !service->jobs) {
		free_service(service);
		return NULL;
	}
	for (i = 0; i < service->opts.jobs; i++)
		init_job(service, &service->jobs[i], i);
	return service;
}

static bool service_is_valid(const struct tern_loop_service *service)
{
	return service->handler && service->jobs <= JOBS_MAX &&
	       service->request_size <= TERN_MESSAGE_MAX &&
	       service->reply_size <= TERN_MESSAGE_MAX &&
	       is_zero(service->resv, sizeof(service->resv));
}

int tern_loop_serve(struct tern_loop *loop, int fd,
		    const struct tern_loop_service *opts)
{
	struct service *service;
	uint32_t i;
	int err;

	if (!loop_in_thread(loop))
		return -EPERM;
	if (!service_is_valid(opts))
		return -EINVAL;
	err = loop_is_bound(fd);
	if (err <= 0)
		return err ?: -EINVAL;
	service = make_service(loop, fd, opts);
	if (!service)
		return -ENOMEM;
	err = loop->backend->serve(service);
	if (err) {
		free_service(service);
		return err;
	}
	pthread_mutex_lock(&loop->lock);
	for (i = 0; i < service->opts.jobs; i++) {
		loop->backend->job_freed(&service->jobs[i]);
		service->n_free++;
	}
	pthread_mutex_unlock(&loop->lock);
	service->next = loop->services;
	loop->services = service;
	return 0;
}

/* Gives a job that has ended back; the lock is held. */
static void release(struct job *job)
{
	struct service *service = job->service;
	struct tern_loop *loop = service->loop;

	job->state = JOB_FREE;
	loop->backend->job_freed(job);
	service->n_free++;
	if (!service->receiving && !loop_in_thread(loop))
		loop_kick(loop);
}

void job_done(struct job *job)
{
	struct tern_loop *loop = job->service->loop;

	pthread_mutex_lock(&loop->lock);
	/* A handle can be given out again once it was replied to. */
	job->handle = 0;
	if (job->pinned)
		job->pinned = false;
	else
		release(job);
	pthread_mutex_unlock(&loop->lock);
}

void job_send(struct job *job)
{
	uint32_t left_ms = job->job.request.time_left_ms;
	int err;

	do {
		err = tern_send_reply(job->service->fd, job->handle,
				      job->status, job->reply,
				      job->job.reply_len);
		if (is_shortage(err)) {
			if (!left_ms--)
				return;
			poll(NULL, 0, 1);
		}
	} while (is_shortage(err) || err == -EINTR);
}

/* In the loop's thread. */
static void send_reply(struct job *job)
{
	struct tern_cmsg_reply how = {
		.handle = job->handle,
		.status = job->status,
	};

	job->iov.iov_base = job->reply;
	job->iov.iov_len = job->job.reply_len;
	job->msg = (struct msghdr){ .msg_iov = &job->iov, .msg_iovlen = 1 };
	set_control(&job->msg, &job->control, TERN_CMSG_REPLY, &how,
		    sizeof(how));
	job->service->loop->backend->reply(job);
}

static void end_job(struct job *job, uint32_t status)
{
	job->status = status;
	if (!job->handle) {
		job_done(job);
	} else if (loop_in_thread(job->service->loop)) {
		send_reply(job);
	} else {
		job_send(job);
		job_done(job);
	}
}

int tern_loop_reply(struct tern_job *pub, uint32_t status)
{
	struct job *job = job_of(pub);
	struct tern_loop *loop = job->service->loop;

	if (pub->reply_len > job->service->opts.reply_size)
		return -EMSGSIZE;
	pthread_mutex_lock(&loop->lock);
	job->state = JOB_ENDING;
	pthread_mutex_unlock(&loop->lock);
	end_job(job, status);
	return 0;
}

static void handle(struct job *job)
{
	struct service *service = job->service;
	struct tern_loop *loop = service->loop;
	uint64_t waited = now_ms() - loop->received_ms;

	/* Other handlers were first. */
	if (waited < job->job.request.time_left_ms)
		job->job.request.time_left_ms -= waited;
	else
		job->job.request.time_left_ms = 0;
	pthread_mutex_lock(&loop->lock);
	job->state = JOB_HELD;
	pthread_mutex_unlock(&loop->lock);
	loop->n_run++;
	tern_inherit_deadline(&job->job.request);
	service->opts.handler(loop, &job->job, service->opts.context);
	tern_inherit_deadline(NULL);
}

void job_request(struct job *job, const struct tern_request *request)
{
	struct service *service = job->service;

	pthread_mutex_lock(&service->loop->lock);
	service->n_free--;
	job->state = JOB_ENDING;
	job->handle = request->handle;
	pthread_mutex_unlock(&service->loop->lock);
	job->job.request = *request;
	job->job.data = (char *)job->buffer + service->loop->backend->head_size;
	job->job.reply = job->reply;
	job->job.reply_size = service->opts.reply_size;
	job->job.reply_len = 0;
	if (request->len > service->opts.request_size)
		end_job(job, EMSGSIZE);
	else if (request->procedure == TERN_PROC_NULL)
		end_job(job, 0);
	else
		handle(job);
}

/* The job that an event is for, which is kept until unpin(). */
static struct job *pin(struct service *service, uint64_t handle)
{
	struct job *job, *found = NULL;

	pthread_mutex_lock(&service->loop->lock);
	for (job = service->jobs; job < service->jobs + service->opts.jobs; job++) {
		if (job->state != JOB_HELD || job->handle != handle)
			continue;
		job->pinned = true;
		found = job;
		break;
	}
	pthread_mutex_unlock(&service->loop->lock);
	return found;
}

static void unpin(struct job *job)
{
	struct tern_loop *loop = job->service->loop;

	pthread_mutex_lock(&loop->lock);
	/* It was done meanwhile, if it is not pinned any more. */
	if (!job->pinned)
		release(job);
	job->pinned = false;
	pthread_mutex_unlock(&loop->lock);
}

static void tell(struct service *service, const struct tern_event *event)
{
	struct job *job;

	if (!service->opts.unwanted)
		return;
	job = pin(service, event->handle);
	if (!job)
		return;
	service->loop->n_run++;
	service->opts.unwanted(service->loop, &job->job, event,
			       service->opts.context);
	unpin(job);
}

int service_events(struct service *service)
{
	struct tern_event event;
	int err;

	service->has_events = false;
	while (!(err = tern_recv_event(service->fd, &event)))
		tell(service, &event);
	return err == -EAGAIN ? 0 : err;
}
