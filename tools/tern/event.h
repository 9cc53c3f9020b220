/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Events come to the socket, whichever thread executes the request that they
 * are about: hands each to the thread that waits for it.
 */
#ifndef TERN_EVENT_H
#define TERN_EVENT_H

#include <stdint.h>

#include <tern.h>

/* A request that a thread executes. */
struct event_wait {
	struct event_wait *next;
	uint64_t handle;
	int fd;		/* readable once the request is not wanted any more */
};

/* Before the request is executed; a negative error: it shall not be. */
int event_wait_begin(struct event_wait *wait, const struct tern_job *job);
void event_wait_end(struct event_wait *wait);
/* For a socket that is ready for POLLPRI: hands over the events it has. */
void event_pass_on(int socket_fd);
/* What is left until the request is given up, in ms, once fd is readable. */
uint32_t event_time_left(const struct event_wait *wait);

#endif
