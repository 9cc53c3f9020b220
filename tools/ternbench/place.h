/* SPDX-License-Identifier: GPL-2.0 */
/* The network namespaces in which is measured. */
#ifndef TERNBENCH_PLACE_H
#define TERNBENCH_PLACE_H

#include <netinet/in.h>

#include "bench.h"

extern const char *const place_names[PLACES];

/* Makes the namespaces, with nodes of Tern; once, before the first cell. */
void place_set_up(void);
/* The calling process, from now on. */
void place_enter(enum place place, enum end end);
/* Packets that are lost in each direction, in hundredths of a percent. */
void place_lose(unsigned int loss);
/* Of the server, as clients see it, with the first of CLIENTS_MAX ports. */
struct sockaddr_in place_server(enum place place);
/* The same as text behind a scheme, with one of the ports, valid until the next. */
const char *place_url(enum place place, const char *scheme, unsigned int port);
/* For the next cell. */
void place_next_port(void);
/* Runs a shell command, which must succeed, in one of the namespaces. */
void place_run(enum place place, enum end end, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

#endif
