/* SPDX-License-Identifier: GPL-2.0 */
/* The clock that is measured with. */
#ifndef TERNBENCH_CLOCK_H
#define TERNBENCH_CLOCK_H

#include <stdbool.h>
#include <stdint.h>

uint64_t clock_ns(void);
/*
 * The marks for "make profile", which do nothing: a time that batches are measured
 * by, of which the first and the last count, and the end of a call between them.
 */
uint64_t clock_stamp(unsigned int batch);
void clock_call(void);
/* An instruction is one nanosecond, as in a guest with ICOUNT=1. */
bool clock_counts_instructions(void);

#endif
