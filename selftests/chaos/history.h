/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What callers and services of the chaos run write down, in files on the host
 * that outlive their machine.
 *
 * A line is one write to a file opened with O_APPEND, so that it stays whole. It
 * is in the host's hands after history_flush(): a machine that loses its power
 * loses what came after that, and no disk is waited for.
 */
#ifndef HISTORY_H
#define HISTORY_H

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "../net/count.h"

/* How often a process looks at the clock, and what it does not write down. */
#define HISTORY_TICK_MS	50
#define HISTORY_LATE_MS	10
/* How often it writes down that it is there: it may be killed while it stands still. */
#define HISTORY_SIGN_MS	1000

static inline int history_open(const char *name)
{
	int fd = open(name, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);

	if (fd < 0) {
		perror(name);
		exit(2);
	}
	return fd;
}

static inline void history_add(int fd, const char *line, int len)
{
	if (write(fd, line, len) != len) {
		perror("history");
		exit(2);
	}
}

static inline void history_flush(int fd)
{
	if (sync_file_range(fd, 0, 0, SYNC_FILE_RANGE_WAIT_BEFORE |
			    SYNC_FILE_RANGE_WRITE | SYNC_FILE_RANGE_WAIT_AFTER)) {
		perror("history");
		exit(2);
	}
}

/* What the thread that looks at the clock is told. */
struct history_watch {
	const char	*name;		/* of the file */
	bool		last;
};

static inline void *history_clock(void *arg)
{
	const struct history_watch *watch = arg;
	const struct timespec tick = { 0, HISTORY_TICK_MS * 1000000L };
	int fd = history_open(watch->name);
	long long before, now = count_clock_ms(), told = 0;
	char line[64];

	/* of this thread only */
	if (watch->last && setpriority(PRIO_PROCESS, 0, 19)) {
		perror("history: priority");
		exit(2);
	}
	for (;;) {
		before = now;
		nanosleep(&tick, NULL);
		now = count_clock_ms();
		if (now - before < HISTORY_TICK_MS + HISTORY_LATE_MS) {
			if (now - told < HISTORY_SIGN_MS)
				continue;
			before = now;
		}
		told = now;
		history_add(fd, line, snprintf(line, sizeof(line), "%lld %lld\n",
					       before, now));
		history_flush(fd);
	}
	return NULL;
}

/*
 * Writes down from now on when this process stood still: it was stopped, its
 * machine was, or it had no processor.  A line that begins when it ends is a sign
 * of life.  With @last it had none when something else
 * on its machine wanted it for so long, as many threads do that get little of it.
 */
static inline void history_watch(const char *name, bool last)
{
	static struct history_watch watch;
	pthread_t thread;

	watch = (struct history_watch){ name, last };
	if (pthread_create(&thread, NULL, history_clock, &watch) ||
	    pthread_detach(thread)) {
		fprintf(stderr, "history: no thread\n");
		exit(2);
	}
}

#endif /* HISTORY_H */
