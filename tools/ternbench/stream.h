/* SPDX-License-Identifier: GPL-2.0 */
/* What the peers share whose messages follow each other in a stream. */
#ifndef TERNBENCH_STREAM_H
#define TERNBENCH_STREAM_H

#include "bench.h"

/* Serves the client at the other end. */
noreturn void stream_serve(int in, int out);

/* For the client, which has one connection. */
void stream_use(int in, int out);
void stream_send(const struct message *request);
struct message *stream_receive(void);

#endif
