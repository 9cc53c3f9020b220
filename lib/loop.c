// SPDX-License-Identifier: LGPL-2.1-or-later
/* Event loops: how they are made, run, and woken. */
#include <errno.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "clock.h"
#include "loop.h"
#include "opts.h"

#define CALLS_DEFAULT	1024

int loop_is_bound(int fd)
{
	struct sockaddr_tern addr = { 0 };
	socklen_t len = sizeof(addr);

	if (getsockname(fd, (struct sockaddr *)&addr, &len))
		return -errno;
	if (addr.st_family != tern_family())
		return -EINVAL;
	return addr.st_service != 0;
}

void loop_kick(struct tern_loop *loop)
{
	if (!atomic_exchange(&loop->kicked, true))
		tern_serve_stop(loop->wake_fd);
}

void loop_kicked(struct tern_loop *loop)
{
	atomic_store(&loop->kicked, false);
}

static int open_backend(struct tern_loop *loop, uint32_t number)
{
	int err = -EINVAL;

	if (number != TERN_BACKEND_POLL) {
		loop->backend = &backend_uring;
		err = loop->backend->open(loop);
		if (!err || number == TERN_BACKEND_URING)
			return err;
	}
	loop->backend = &backend_poll;
	return loop->backend->open(loop);
}

static bool opts_are_valid(const struct tern_loop_opts *opts)
{
	return opts->backend <= TERN_BACKEND_POLL && opts->calls <= CALLS_MAX &&
	       opts->reply_size <= TERN_MESSAGE_MAX &&
	       is_zero(opts->resv, sizeof(opts->resv));
}

static void init_locks(struct tern_loop *loop)
{
	pthread_condattr_t attr;

	pthread_mutex_init(&loop->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&loop->ended, &attr);
	pthread_condattr_destroy(&attr);
}

static void free_loop(struct tern_loop *loop)
{
	calls_free(loop);
	pthread_cond_destroy(&loop->ended);
	pthread_mutex_destroy(&loop->lock);
	close(loop->wake_fd);
	free(loop);
}

int tern_loop_open(struct tern_loop **result, int fd,
		   const struct tern_loop_opts *opts)
{
	static const struct tern_loop_opts defaults;
	struct tern_loop *loop;
	int err;

	if (!opts)
		opts = &defaults;
	err = fd < 0 ? 0 : loop_is_bound(fd);
	if (err < 0)
		return err;
	if (err || !opts_are_valid(opts))
		return -EINVAL;

	loop = calloc(1, sizeof(*loop));
	if (!loop)
		return -ENOMEM;
	/* Blocking, or io_uring would not wait for it. */
	loop->wake_fd = eventfd(0, EFD_CLOEXEC);
	if (loop->wake_fd < 0) {
		err = -errno;
		free(loop);
		return err;
	}
	init_locks(loop);
	loop->client = fd < 0 ? -1 : fd;
	loop->thread = pthread_self();
	loop->n_calls = fd < 0 ? 0 : opts->calls ?: CALLS_DEFAULT;
	loop->reply_size = opts->reply_size ?: TERN_MESSAGE_MAX;
	err = calls_init(loop);
	if (!err)
		err = open_backend(loop, opts->backend);
	if (err)
		free_loop(loop);
	else
		*result = loop;
	return err;
}

void tern_loop_close(struct tern_loop *loop)
{
	if (!loop)
		return;
	pthread_mutex_lock(&loop->lock);
	loop->closing = true;
	pthread_mutex_unlock(&loop->lock);
	loop->running = true;
	loop->backend->stop(loop);
	calls_end(loop);
	loop->backend->close(loop);
	services_free(loop);
	free_loop(loop);
}

enum tern_backend tern_loop_backend(const struct tern_loop *loop)
{
	return loop->backend->number;
}

int tern_loop_fd(const struct tern_loop *loop)
{
	return loop->backend->fd(loop);
}

static int dispatch(struct tern_loop *loop, int timeout_ms)
{
	struct service *service;
	int err, event_err;

	loop->n_run = 0;
	err = loop->backend->turn(loop, timeout_ms);
	for (service = loop->services; service; service = service->next) {
		event_err = service->has_events ? service_events(service) : 0;
		err = err ?: event_err;
	}
	calls_finish(loop);
	return err ?: (int)loop->n_run;
}

int tern_loop_run_once(struct tern_loop *loop, int timeout_ms)
{
	int ret;

	if (!loop_in_thread(loop))
		return -EPERM;
	if (loop->running)
		return -EDEADLK;
	loop->running = true;
	ret = dispatch(loop, timeout_ms);
	loop->running = false;
	return ret;
}

int tern_loop_submit(struct tern_loop *loop)
{
	int err;

	if (!loop_in_thread(loop))
		return -EPERM;
	err = loop->backend->submit(loop);
	/* Some of them may have failed. */
	if (!err && calls_due(loop))
		loop_kick(loop);
	return err;
}

int tern_loop_run(struct tern_loop *loop)
{
	int ret;

	while (!atomic_exchange(&loop->stopped, false)) {
		ret = tern_loop_run_once(loop, -1);
		if (ret < 0 && ret != -EINTR)
			return ret;
	}
	return tern_loop_submit(loop);
}

void tern_loop_stop(struct tern_loop *loop)
{
	atomic_store(&loop->stopped, true);
	loop_kick(loop);
}
