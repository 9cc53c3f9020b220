/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Random numbers of a fixed seed, so that a failure comes again.
 */
#ifndef _TERN_TESTS_RANDOM_H
#define _TERN_TESTS_RANDOM_H

#include <linux/prandom.h>

static inline u32 random_below(struct rnd_state *rnd, u32 limit)
{
	return ((u64)prandom_u32_state(rnd) * limit) >> 32;
}

static inline bool random_percent(struct rnd_state *rnd, u32 percent)
{
	return random_below(rnd, 100) < percent;
}

#endif /* _TERN_TESTS_RANDOM_H */
