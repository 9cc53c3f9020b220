/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The clock of deadlines. */
#ifndef TERN_CLOCK_H
#define TERN_CLOCK_H

#include <stdint.h>
#include <time.h>

/* A tick is precise enough, and reading it costs next to nothing. */
static inline uint64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

#endif /* TERN_CLOCK_H */
