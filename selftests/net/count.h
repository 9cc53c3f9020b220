/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the counting service and its caller say to each other: a request starts
 * with struct count_request, the rest of it and the whole reply is a pattern
 * that depends on the call's number: no two calls have the same, in eight bytes.
 */
#ifndef COUNT_H
#define COUNT_H

#include <stddef.h>
#include <stdint.h>
#include <time.h>

#define COUNT_PROCEDURE	1

/* The time by which logs of several machines are compared. */
static inline long long count_clock_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return now.tv_sec * 1000LL + now.tv_nsec / 1000000;
}

struct count_request {
	uint64_t	id;
	uint32_t	reply_len;
	uint32_t	delay_ms;	/* how long it executes */
};

static inline unsigned char count_byte(uint64_t id, size_t i)
{
	return (id >> i % 8 * 8) + i / 8 * 7;
}

static inline void count_fill(unsigned char *to, size_t len, uint64_t id)
{
	for (size_t i = 0; i < len; i++)
		to[i] = count_byte(id, i);
}

static inline int count_is_filled(const unsigned char *data, size_t len,
				  uint64_t id)
{
	for (size_t i = 0; i < len; i++)
		if (data[i] != count_byte(id, i))
			return 0;
	return 1;
}

#endif /* COUNT_H */
