/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The deadline that the calls of a thread inherit. */
#ifndef TERN_INHERIT_H
#define TERN_INHERIT_H

#include <stdbool.h>
#include <stdint.h>

/*
 * Sets *limit_ms to what is left of the inherited deadline, 0 when there is
 * none; false when nothing is left.
 */
bool inherit_limit(uint32_t *limit_ms);

/* The deadline of a request has become another one. */
void inherit_moved(uint64_t handle, uint32_t time_left_ms);

#endif /* TERN_INHERIT_H */
