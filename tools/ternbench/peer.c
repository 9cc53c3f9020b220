// SPDX-License-Identifier: GPL-2.0
/* The list of the peers, and what they cannot do. */
#include <stdio.h>
#include <string.h>

#include "peer.h"
#include "sizes.h"

extern const struct peer peer_tern, peer_udp, peer_tcp, peer_pipe,
	peer_unix_dgram, peer_unix_seqpacket, peer_unix_stream, peer_mq, peer_tipc,
	peer_zmq, peer_nng, peer_tirpc_udp, peer_tirpc_tcp, peer_grpc;

const struct peer *const peers[] = {
	&peer_tern,
	&peer_udp,
	&peer_tcp,
	&peer_pipe,
	&peer_unix_seqpacket,
	&peer_unix_dgram,
	&peer_unix_stream,
	&peer_mq,
	&peer_tipc,
	&peer_zmq,
	&peer_nng,
	&peer_tirpc_udp,
	&peer_tirpc_tcp,
	&peer_grpc,
	NULL
};

const struct peer *peer_find(const char *name)
{
	for (const struct peer *const *peer = peers; *peer; peer++)
		if (!strcmp((*peer)->name, name))
			return *peer;
	return NULL;
}

bool peer_is_on(const struct peer *peer, enum place place)
{
	return peer->places >> place & 1;
}

unsigned int peer_clients(const struct cell *cell)
{
	return cell->work->workers + !!cell->work->beside;
}

static size_t longest(const struct work *work)
{
	size_t size = work->sizes ? sizes_longest(work->sizes, work->calls) :
		      work->request;

	if (work->beside > size)
		size = work->beside;
	return work->reply > size ? work->reply : size;
}

const char *peer_refuses(const struct cell *cell)
{
	const struct peer *peer = cell->peer;
	const struct work *work = cell->work;

	if (work->kind != KIND_CALLS)
		return strcmp(peer->name, "tern") ? "has no duplicate filter" :
		       cell->place == PLACE_SAME ? "nothing is repeated here" :
		       NULL;
	if (!peer_is_on(peer, cell->place))
		return "one host only";
	if (work->loss && cell->place == PLACE_SAME)
		return "nothing is lost here";
	if (work->loss && !peer->repeats)
		return "sends nothing again";
	if (peer->depth_max && work->depth > peer->depth_max)
		return "one call at a time";
	if (peer->workers_max && work->workers > peer->workers_max)
		return "one worker";
	if (longest(work) > peer->size_max)
		return "too large";
	return NULL;
}
