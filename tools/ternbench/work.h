/* SPDX-License-Identifier: GPL-2.0 */
/* The works that are measured. */
#ifndef TERNBENCH_WORK_H
#define TERNBENCH_WORK_H

#include "bench.h"

extern const struct work works[];
extern const size_t work_count;

const struct work *work_find(const char *name);
/* Calls whose latency is looked at, after those whose cost is. */
unsigned int work_timed(const struct work *work);

#endif
