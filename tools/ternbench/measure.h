/* SPDX-License-Identifier: GPL-2.0 */
/* Measures a cell. */
#ifndef TERNBENCH_MEASURE_H
#define TERNBENCH_MEASURE_H

#include "bench.h"

/* Once, before the first. */
void measure_set_up(void);
/* By processes of its own, of which nothing is left. */
void measure(const struct cell *cell, struct result *result);

#endif
