/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the tests of the library in a guest share: a network namespace of their
 * own with one service, and threads that make calls.
 */
#ifndef LIB_TEST_H
#define LIB_TEST_H

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <signal.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <tern.h>
#include <unistd.h>

#include "kselftest_harness.h"

#define PROGRAM		4000
#define VERSION		2

/* Of a call that is expected to end before: a test that waits this long fails. */
#define LONG_MS		20000
/* Of a call that is expected to reach its deadline. */
#define SHORT_MS	50

static const struct tern_call_opts patient = { .timeout_ms = LONG_MS };
static const struct tern_call_opts hasty = { .timeout_ms = SHORT_MS };

/* A namespace with a bound socket and the address of its service. */
struct place {
	int			server;
	int			client;
	struct sockaddr_tern	to;
};

/* No file can be opened any more. */
static inline int no_more_files(void)
{
	struct rlimit files = { 0 };
	int next = dup(0);

	if (next < 0)
		return -1;
	close(next);
	files.rlim_cur = next;
	files.rlim_max = next;
	return setrlimit(RLIMIT_NOFILE, &files);
}

static inline int place_open(struct place *place)
{
	int err;

	if (unshare(CLONE_NEWNET))
		return -errno;
	place->server = tern_socket(0);
	place->client = tern_socket(0);
	if (place->client < 0)
		return place->client;
	err = tern_bind(place->server, PROGRAM, VERSION, 0);
	return err ?: tern_addr_set(&place->to, NULL, PROGRAM, VERSION);
}

static inline void place_close(struct place *place)
{
	close(place->client);
	close(place->server);
}

/* A call made by a thread of its own. */
struct caller {
	pthread_t			thread;
	const struct place		*place;
	uint32_t			procedure;
	const struct tern_call_opts	*opts;
	struct tern_result		result;
	ssize_t				returned;
	char				reply[16];
};

static inline void *caller_thread(void *arg)
{
	struct caller *caller = arg;

	caller->returned = tern_call(caller->place->client, &caller->place->to,
				     caller->procedure, "hello", 5,
				     caller->reply, sizeof(caller->reply),
				     caller->opts, &caller->result);
	return NULL;
}

static inline int caller_start(struct caller *caller, const struct place *place,
			       uint32_t procedure,
			       const struct tern_call_opts *opts)
{
	caller->place = place;
	caller->procedure = procedure;
	caller->opts = opts;
	return pthread_create(&caller->thread, NULL, caller_thread, caller);
}

static inline void caller_wait(struct caller *caller)
{
	pthread_join(caller->thread, NULL);
}

#define EXPECT_RESULT(want_outcome, want_cause, result) do {		\
	EXPECT_EQ(want_outcome, (result).outcome);			\
	EXPECT_EQ(want_cause, (result).cause);				\
} while (0)

#endif /* LIB_TEST_H */
