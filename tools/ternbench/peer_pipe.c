// SPDX-License-Identifier: GPL-2.0
/* Two pipes for each client. */
#include <fcntl.h>
#include <unistd.h>

#include "peer.h"
#include "stream.h"

static struct {
	int	request[2];
	int	reply[2];
} pipes[CLIENTS_MAX];

static void pipe_prepare(const struct cell *cell)
{
	for (unsigned int i = 0; i < peer_clients(cell); i++)
		if (pipe2(pipes[i].request, O_CLOEXEC) ||
		    pipe2(pipes[i].reply, O_CLOEXEC))
			fail_errno("pipe");
}

static void pipe_listen(const struct cell *cell)
{
	(void)cell;
}

static void pipe_serve(const struct cell *cell, unsigned int worker)
{
	(void)cell;
	stream_serve(pipes[worker].request[0], pipes[worker].reply[1]);
}

static void pipe_connect(const struct cell *cell, unsigned int client)
{
	(void)cell;
	stream_use(pipes[client].reply[0], pipes[client].request[1]);
}

const struct peer peer_pipe = {
	.name = "pipe",
	.title = "two pipes",
	.places = ON_SAME,
	.size_max = MESSAGE_MAX,
	.repeats = true,
	.prepare = pipe_prepare,
	.listen = pipe_listen,
	.serve = pipe_serve,
	.connect = pipe_connect,
	.send = stream_send,
	.receive = stream_receive,
};
