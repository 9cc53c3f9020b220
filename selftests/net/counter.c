// SPDX-License-Identifier: GPL-2.0
/*
 * Test: none
 *
 * A service that counts: it adds the number of each call that it executes to a
 * log, which several of these may share.
 *
 *   counter SERVICE LOG [THREADS [CLOCK [GAP]]]
 *
 * With CLOCK it adds the time, and how much time the call had left, in ms, says
 * "ready" when it serves, and writes to CLOCK when it stood still; and, if GAP is not
 * 0, when its machine was busy.
 *
 * Ends by SIGTERM, after the calls that are executing.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include <tern.h>

#include "../chaos/history.h"

/* Statuses of replies to what the caller did not send. */
enum { STATUS_REQUEST = 1, STATUS_CONTENT };

/* Room for the longest requests of many callers at once. */
#define RECEIVE_BUFFER	(4 << 20)

static int log_fd, stop_fd;
static bool history;

static void die(const char *what, int err)
{
	fprintf(stderr, "counter: %s: %s\n", what, strerror(err));
	exit(1);
}

static void stop(int number)
{
	(void)number;
	tern_serve_stop(stop_fd);
}

static void wait_ms(uint32_t ms)
{
	struct timespec left = { ms / 1000, ms % 1000 * 1000000L };

	while (nanosleep(&left, &left) && errno == EINTR)
		;
}

/* What was executed is known even if the machine is killed. */
static void write_log(uint64_t id, uint32_t time_left_ms)
{
	char line[64];
	int len;

	if (history)
		len = snprintf(line, sizeof(line), "%llu %lld %u\n",
			       (unsigned long long)id, count_clock_ms(), time_left_ms);
	else
		len = snprintf(line, sizeof(line), "%llu\n", (unsigned long long)id);

	history_add(log_fd, line, len);
	history_flush(log_fd);
}

static uint32_t execute(struct tern_job *job, void *context)
{
	const struct count_request *request = job->data;
	size_t rest = job->request.len - sizeof(*request);
	uint64_t id;

	(void)context;
	if (job->request.procedure != COUNT_PROCEDURE ||
	    job->request.len < sizeof(*request) ||
	    request->reply_len > job->reply_size)
		return STATUS_REQUEST;
	id = request->id;
	write_log(id, job->request.time_left_ms);
	if (!count_is_filled((const unsigned char *)(request + 1), rest, id))
		return STATUS_CONTENT;
	wait_ms(request->delay_ms);
	job->reply_len = request->reply_len;
	count_fill(job->reply, job->reply_len, id);
	return 0;
}

int main(int argc, char **argv)
{
	struct sigaction action = { .sa_handler = stop };
	struct tern_serve_opts opts = { 0 };
	int buffer = RECEIVE_BUFFER, fd, err;

	if (argc < 3) {
		fprintf(stderr, "counter SERVICE LOG [THREADS [CLOCK [GAP]]]\n");
		return 2;
	}
	opts.threads = argc > 3 ? atoi(argv[3]) : 1;
	history = argc > 4;
	log_fd = history_open(argv[2]);
	stop_fd = eventfd(0, EFD_CLOEXEC);
	if (stop_fd < 0 || sigaction(SIGTERM, &action, NULL))
		die("start", errno);
	fd = tern_socket(0);
	if (fd < 0)
		die("socket", -fd);
	if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &buffer, sizeof(buffer)))
		die("receive buffer", errno);
	err = tern_bind(fd, atoi(argv[1]), 1, 1);
	if (err)
		die("bind", -err);
	if (history) {
		history_watch(argv[4], argc > 5 && atoi(argv[5]));
		puts("ready");
		fflush(stdout);
	}
	err = tern_serve(fd, stop_fd, execute, NULL, &opts);
	if (err)
		die("serve", -err);
	return 0;
}
