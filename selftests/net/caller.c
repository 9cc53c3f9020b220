// SPDX-License-Identifier: GPL-2.0
/*
 * Test: none
 *
 * Calls the counting service and writes how each call ended: its number, the
 * outcome, the errno value of the cause, the status of the reply, whether the
 * reply is the right one, and how many milliseconds it took.
 *
 *   caller [OPTION VALUE]... ADDRESS OUTPUT
 *
 * At its end, unless it is killed, it adds to OUTPUT.made the numbers of the
 * first call and of the last.
 *
 *   first N      number of the first call (1)
 *   count N      how many calls (1)
 *   parallel N   threads, each with a socket (1)
 *   timeout MS   deadline of each call (60000)
 *   size N       length of the requests, at least that of their head (16)
 *   reply N      length of the replies (0)
 *   delay MS     how long a call executes (0)
 *   gap MS       time between two calls of a thread (0)
 *   procedure N  which procedure (that of the counting service)
 *   idempotent 1 make idempotent calls
 *   maybe 1      make calls that are sent once
 *   oneway 1     make one-way calls
 *   quiet 1      of which no outcome is told
 *   async 1      receive the outcomes later, with a reply
 *
 * SIGTERM ends it after the calls that are outstanding. SIGUSR1 withdraws those
 * of them that are asynchronous, and all later ones at once.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include <tern.h>

#include "count.h"

static struct {
	const char	*name;
	unsigned long	value;
} options[] = {
	{ "first", 1 },
	{ "count", 1 },
	{ "parallel", 1 },
	{ "timeout", 60000 },
	{ "size", sizeof(struct count_request) },
	{ "reply", 0 },
	{ "delay", 0 },
	{ "gap", 0 },
	{ "procedure", COUNT_PROCEDURE },
	{ "idempotent", 0 },
	{ "maybe", 0 },
	{ "oneway", 0 },
	{ "quiet", 0 },
	{ "async", 0 },
};

enum {
	FIRST, COUNT, PARALLEL, TIMEOUT, SIZE, REPLY, DELAY, GAP, PROCEDURE,
	IDEMPOTENT, MAYBE, ONEWAY, QUIET, ASYNC, OPTIONS
};

static struct sockaddr_tern address;
static atomic_ulong next;
static atomic_bool stopping;
static int output, withdraw_fd;

static void die(const char *what, int err)
{
	fprintf(stderr, "caller: %s: %s\n", what, strerror(err));
	exit(2);
}

static long now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* One write to a file opened with O_APPEND, so that lines stay whole. */
static void add_line(const char *line, int len)
{
	if (write(output, line, len) != len)
		die("output", errno);
}

static void record(uint64_t id, const struct tern_result *result, int right,
		   long ms)
{
	static const char *const words[] = {
		[TERN_REPLIED] = "replied",
		[TERN_NOT_EXECUTED] = "not-executed",
		[TERN_UNKNOWN] = "unknown",
		[TERN_DELIVERED] = "delivered",
		[TERN_SUBMITTED] = "submitted",
	};
	char line[128];

	add_line(line, snprintf(line, sizeof(line), "%llu %s %d %u %s %ld\n",
				(unsigned long long)id, words[result->outcome],
				result->cause, result->status,
				right ? "right" : "wrong", ms));
}

/* Sends a call, withdraws it when that is wanted, and receives its outcome. */
static void call_async(int fd, uint64_t id, const unsigned char *request,
		       unsigned char *reply, const struct tern_call_opts *opts,
		       struct tern_result *result)
{
	struct pollfd fds[] = {
		{ .fd = fd, .events = POLLIN },
		{ .fd = withdraw_fd, .events = POLLIN },
	};
	ssize_t len;
	int err;

	err = tern_send_call(fd, &address, id, options[PROCEDURE].value,
			     request, options[SIZE].value, opts);
	if (err)
		die("tern_send_call", -err);
	if (poll(fds, 2, -1) < 0)
		die("poll", errno);
	err = fds[1].revents ? tern_cancel(fd, id) : 0;
	if (err && err != -ENOENT)
		die("tern_cancel", -err);
	len = tern_recv_outcome(fd, NULL, reply, TERN_MESSAGE_MAX, result, 0);
	if (len < 0)
		die("tern_recv_outcome", -len);
}

static void call(int fd, uint64_t id, unsigned char *request,
		 unsigned char *reply)
{
	struct count_request head = { id, options[REPLY].value,
				      options[DELAY].value };
	struct tern_call_opts opts = { .timeout_ms = options[TIMEOUT].value };
	struct tern_result result = { 0 };
	size_t size = options[SIZE].value;
	long begin = now_ms();
	int right = 1;

	memcpy(request, &head, sizeof(head));
	count_fill(request + sizeof(head), size - sizeof(head), id);
	if (options[IDEMPOTENT].value)
		opts.flags |= TERN_CALL_IDEMPOTENT;
	if (options[MAYBE].value)
		opts.flags |= TERN_CALL_MAYBE;
	if (options[QUIET].value)
		opts.flags |= TERN_CALL_QUIET;
	if (options[ONEWAY].value) {
		tern_cast(fd, &address, options[PROCEDURE].value, request,
			  size, &opts, &result);
	} else {
		if (options[ASYNC].value)
			call_async(fd, id, request, reply, &opts, &result);
		else
			tern_call(fd, &address, options[PROCEDURE].value,
				  request, size, reply, TERN_MESSAGE_MAX, &opts,
				  &result);
		if (result.outcome == TERN_REPLIED)
			right = result.reply_len == head.reply_len &&
				count_is_filled(reply, result.reply_len, id);
	}
	record(id, &result, right, now_ms() - begin);
}

static unsigned long end(void)
{
	return options[FIRST].value + options[COUNT].value;
}

static void *run(void *unused)
{
	unsigned char *request = malloc(options[SIZE].value);
	unsigned char *reply = malloc(TERN_MESSAGE_MAX);
	unsigned long id;
	int fd = tern_socket(0);

	(void)unused;
	if (fd < 0 || !request || !reply)
		die("socket", fd < 0 ? -fd : ENOMEM);
	while (!stopping && (id = atomic_fetch_add(&next, 1)) < end()) {
		call(fd, id, request, reply);
		usleep(options[GAP].value * 1000);
	}
	close(fd);
	free(reply);
	free(request);
	return NULL;
}

static void stop(int number)
{
	(void)number;
	stopping = true;
}

static void withdraw(int number)
{
	(void)number;
	/* Nobody reads it, so that every thread learns of it. */
	if (eventfd_write(withdraw_fd, 1))
		abort();
}

static int open_output(const char *name)
{
	int fd = open(name, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);

	if (fd < 0)
		die(name, errno);
	return fd;
}

/* A thread takes a number and finds that it is beyond the last one. */
static void record_made(int fd)
{
	unsigned long after = next < end() ? next : end();

	if (after > options[FIRST].value &&
	    dprintf(fd, "%lu %lu\n", options[FIRST].value, after - 1) < 0)
		die("output", errno);
}

/*
 * With SA_RESTART, and in a thread that calls nothing: a signal would end a
 * call of the thread that it comes to.
 */
static void handle_signals(void)
{
	struct sigaction action = { .sa_handler = stop, .sa_flags = SA_RESTART };

	withdraw_fd = eventfd(0, EFD_CLOEXEC);
	if (withdraw_fd < 0)
		die("eventfd", errno);
	sigaction(SIGTERM, &action, NULL);
	action.sa_handler = withdraw;
	sigaction(SIGUSR1, &action, NULL);
}

/* SIG_BLOCK or SIG_UNBLOCK, for this thread and those that it makes. */
static void mask_signals(int how)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGUSR1);
	pthread_sigmask(how, &set, NULL);
}

static void set(const char *name, const char *value)
{
	for (int i = 0; i < OPTIONS; i++) {
		if (!strcmp(options[i].name, name)) {
			options[i].value = strtoul(value, NULL, 10);
			return;
		}
	}
	die(name, EINVAL);
}

int main(int argc, char **argv)
{
	char made[PATH_MAX];
	pthread_t threads[64];
	unsigned long n;
	int err, made_fd;

	while (argc > 4) {
		set(argv[1], argv[2]);
		argv += 2;
		argc -= 2;
	}
	n = options[PARALLEL].value;
	if (argc != 3 || !n || n > 64 ||
	    options[SIZE].value < sizeof(struct count_request))
		die("usage", EINVAL);
	err = tern_addr_parse(argv[1], &address);
	if (err)
		die(argv[1], -err);
	output = open_output(argv[2]);
	snprintf(made, sizeof(made), "%s.made", argv[2]);
	made_fd = open_output(made);
	next = options[FIRST].value;
	handle_signals();
	mask_signals(SIG_BLOCK);
	for (unsigned long i = 0; i < n; i++)
		if (pthread_create(&threads[i], NULL, run, NULL))
			die("thread", EAGAIN);
	mask_signals(SIG_UNBLOCK);
	for (unsigned long i = 0; i < n; i++)
		pthread_join(threads[i], NULL);
	record_made(made_fd);
	return 0;
}
