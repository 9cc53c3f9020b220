/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the counting service and its caller say to each other: a request starts
 * with struct count_request, the rest of it and the whole reply is a pattern
 * that depends on the call's number.
 */
#ifndef COUNT_H
#define COUNT_H

#include <stddef.h>
#include <stdint.h>

#define COUNT_PROCEDURE	1

struct count_request {
	uint64_t	id;
	uint32_t	reply_len;
	uint32_t	delay_ms;	/* how long it executes */
};

static inline void count_fill(unsigned char *to, size_t len, uint64_t id)
{
	for (size_t i = 0; i < len; i++)
		to[i] = (id * 31 + i * 7 + (i >> 8)) & 0xff;
}

static inline int count_is_filled(const unsigned char *data, size_t len,
				  uint64_t id)
{
	for (size_t i = 0; i < len; i++)
		if (data[i] != ((id * 31 + i * 7 + (i >> 8)) & 0xff))
			return 0;
	return 1;
}

#endif /* COUNT_H */
