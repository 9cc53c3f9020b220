/* SPDX-License-Identifier: GPL-2.0 */
/* What a duplicate of a request costs. */
#ifndef TERNBENCH_DUPLICATE_H
#define TERNBENCH_DUPLICATE_H

#include "bench.h"

/* Before the server is started: its node begins anew. */
void duplicate_set_up(void);
/*
 * In a client's process.  Each writes the time into all of the stamps but the
 * first ones, as the batches end.
 *
 * duplicate_send() sends duplicates, whose replies are dropped as they arrive;
 * and again, with the duplicates dropped where they arrive.  So the difference
 * is what the server's kernel did.  duplicate_call() awaits the replies.
 */
void duplicate_send(const struct work *work, uint64_t *stamps, uint64_t *base);
void duplicate_call(const struct work *work, uint64_t *stamps);

#endif
