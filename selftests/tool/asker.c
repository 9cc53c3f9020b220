// SPDX-License-Identifier: GPL-2.0
/*
 * Test: none
 *
 * asker SERVICE TIME: a service that asks the caller of each call for this much
 * time, in ms, and replies with how much it got.
 */
#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <tern.h>

static uint32_t handle(struct tern_job *job, void *context)
{
	const uint32_t *want_ms = context;
	uint32_t left_ms;

	if (tern_query_request(job->fd, job->request.handle, *want_ms,
			       &left_ms))
		return 1;
	job->reply_len = sprintf(job->reply, "%u\n", left_ms);
	return 0;
}

int main(int argc, char **argv)
{
	int fd = tern_socket(0), error;
	uint32_t want_ms;

	if (argc != 3)
		errx(2, "usage: asker SERVICE TIME");
	want_ms = strtoul(argv[2], NULL, 10);
	error = fd < 0 ? fd : tern_bind(fd, strtoul(argv[1], NULL, 10), 1, 0);
	if (!error)
		error = tern_serve(fd, -1, handle, &want_ms, NULL);
	errx(1, "%s", strerror(-error));
}
