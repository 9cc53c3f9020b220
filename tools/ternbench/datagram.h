/* SPDX-License-Identifier: GPL-2.0 */
/* What the peers share that send a message by one send(). */
#ifndef TERNBENCH_DATAGRAM_H
#define TERNBENCH_DATAGRAM_H

#include "bench.h"

/* Serves whoever sends something. */
noreturn void datagram_serve(int fd);
/* Serves the client of this connection. */
noreturn void datagram_serve_one(int fd);

/* For the client, which has one socket. */
void datagram_use(int fd);
void datagram_send(const struct message *request);
struct message *datagram_receive(void);

#endif
