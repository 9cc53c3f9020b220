/* SPDX-License-Identifier: GPL-2.0 */
/* Published distributions of the sizes of messages. */
#ifndef TERNBENCH_SIZES_H
#define TERNBENCH_SIZES_H

#include <stddef.h>

/* W1 to W5 of the Homa paper are 1 to 5. */
#define SIZES	5

/*
 * The size of call @i of @calls, which together have the distribution: one of
 * each of as many equal parts, in a fixed order that mixes them.
 */
size_t sizes_draw(unsigned int which, unsigned int i, unsigned int calls);
/* The longest of them. */
size_t sizes_longest(unsigned int which, unsigned int calls);

#endif
