// SPDX-License-Identifier: GPL-2.0
/* The clock that is measured with. */
#include <time.h>

#include "bench.h"
#include "clock.h"

#define ROUNDS	1000000

uint64_t clock_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000000000ULL + now.tv_nsec;
}

uint64_t clock_stamp(unsigned int batch)
{
	if (batch == 0 || batch == BATCHES)
		__asm__ volatile("xchg %%bx, %%bx" : : : "memory");
	return clock_ns();
}

void clock_call(void)
{
	__asm__ volatile("xchg %%cx, %%cx" : : : "memory");
}

static bool is_near(uint64_t ns, uint64_t instructions)
{
	return ns > instructions * 97 / 100 && ns < instructions * 103 / 100;
}

/* What takes two instructions a round, and no processor the same time. */
static uint64_t count(void)
{
	uint64_t begin = clock_ns(), rounds = ROUNDS;

	__asm__ volatile("1: dec %0; jnz 1b" : "+r" (rounds) : : "cc");
	return clock_ns() - begin;
}

static uint64_t divide(void)
{
	uint64_t begin = clock_ns(), rounds = ROUNDS, high = 0, low = ~0ULL;

	__asm__ volatile("1: xor %%edx, %%edx; div %3; dec %0; jnz 1b"
			 : "+r" (rounds), "+d" (high), "+a" (low)
			 : "r" (3ULL) : "cc");
	return clock_ns() - begin;
}

bool clock_counts_instructions(void)
{
	return is_near(count(), 2 * ROUNDS) && is_near(divide(), 4 * ROUNDS);
}
