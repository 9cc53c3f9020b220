/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The interface that each peer implements, in a file of its own.
 */
#ifndef TERNBENCH_PEER_H
#define TERNBENCH_PEER_H

#include "bench.h"

/*
 * struct peer - a way to call a service
 * @title: what it is, for people
 * @places: where it can be, ON_...
 * @size_max: its longest message
 * @depth_max: calls that a client can have outstanding, or 0 for any number
 * @workers_max: threads that can serve, or 0 for any number
 * @repeats: sends again what the network loses
 *
 * A server is one process with a thread for each worker; each client is a
 * process.  So a peer may keep what it needs in static variables, but for the
 * workers' own.  All of these fail() on errors.
 *
 * @prepare: before both are forked, or NULL
 * @listen: in the server; a client may connect as soon as it returns
 * @serve: in each worker; does not return
 * @connect: in a client; each has a number, as the workers have
 * @send, @receive: a request, and the next reply, which is valid until the next
 *	call of one of these; NULL if only one call can be outstanding
 * @call: both at once; may be NULL if the others are not
 */
struct peer {
	const char	*name;
	const char	*title;
	unsigned int	places;
	size_t		size_max;
	unsigned int	depth_max;
	unsigned int	workers_max;
	bool		repeats;

	void (*prepare)(const struct cell *cell);
	void (*listen)(const struct cell *cell);
	void (*serve)(const struct cell *cell, unsigned int worker);
	void (*connect)(const struct cell *cell, unsigned int client);
	void (*send)(const struct message *request);
	struct message *(*receive)(void);
	struct message *(*call)(const struct message *request);
};

/* Bits of places: bit n is for place n. */
enum {
	ON_SAME = 1,
	ON_NET = 2,
	ON_BOTH = 3,
};

bool peer_is_on(const struct peer *peer, enum place place);

/* What the service of Tern is called. */
#define BENCH_PROGRAM	70000
#define BENCH_PROCEDURE	1

/* How many clients call the server of a cell, and workers there are. */
#define CLIENTS_MAX	32
unsigned int peer_clients(const struct cell *cell);

/* All of them, ended by NULL. */
extern const struct peer *const peers[];
const struct peer *peer_find(const char *name);
/* What the peer cannot do of a work in a place, or NULL. */
const char *peer_refuses(const struct cell *cell);

#endif
