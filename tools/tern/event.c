// SPDX-License-Identifier: GPL-2.0
/* Hands the events of a socket to the threads that execute the requests. */
#include "event.h"

#include <errno.h>
#include <pthread.h>
#include <sys/eventfd.h>
#include <unistd.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct event_wait *waits;

int event_wait_begin(struct event_wait *wait, const struct tern_job *job)
{
	int err;

	wait->handle = job->request.handle;
	wait->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (wait->fd < 0)
		return -errno;
	pthread_mutex_lock(&lock);
	wait->next = waits;
	waits = wait;
	pthread_mutex_unlock(&lock);
	/* The event of a one-way call does not come, and an earlier one not again. */
	if (!wait->handle)
		return 0;
	err = tern_query_request(job->fd, wait->handle, 0, NULL);
	if (err)
		event_wait_end(wait);
	return err;
}

void event_wait_end(struct event_wait *wait)
{
	struct event_wait **link = &waits;

	pthread_mutex_lock(&lock);
	while (*link != wait)
		link = &(*link)->next;
	*link = wait->next;
	pthread_mutex_unlock(&lock);
	close(wait->fd);
}

void event_pass_on(int socket_fd)
{
	struct tern_event event;
	struct event_wait *wait;

	while (!tern_recv_event(socket_fd, &event)) {
		pthread_mutex_lock(&lock);
		for (wait = waits; wait; wait = wait->next)
			if (wait->handle == event.handle)
				eventfd_write(wait->fd,
					      event.time_left_ms + 1ULL);
		pthread_mutex_unlock(&lock);
	}
}

uint32_t event_time_left(const struct event_wait *wait)
{
	eventfd_t value = 1;

	eventfd_read(wait->fd, &value);
	return (uint32_t)(value - 1);
}
