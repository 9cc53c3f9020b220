// SPDX-License-Identifier: GPL-2.0
/* TCP with NODELAY, a connection for each client. */
#include "peer.h"
#include "place.h"
#include "socket.h"
#include "stream.h"

static int server_fd;

static void tcp_listen(const struct cell *cell)
{
	const struct sockaddr_in address = place_server(cell->place);

	server_fd = socket_bound(AF_INET, SOCK_STREAM, &address, sizeof(address));
}

static void tcp_serve(const struct cell *cell, unsigned int worker)
{
	int fd = socket_accept(server_fd);

	(void)cell;
	(void)worker;
	socket_set_nodelay(fd);
	stream_serve(fd, fd);
}

static void tcp_connect(const struct cell *cell, unsigned int client)
{
	const struct sockaddr_in address = place_server(cell->place);
	int fd = socket_connected(AF_INET, SOCK_STREAM, &address,
				  sizeof(address));

	(void)client;
	socket_set_nodelay(fd);
	stream_use(fd, fd);
}

const struct peer peer_tcp = {
	.name = "tcp",
	.title = "TCP with NODELAY",
	.places = ON_BOTH,
	.size_max = MESSAGE_MAX,
	.repeats = true,
	.listen = tcp_listen,
	.serve = tcp_serve,
	.connect = tcp_connect,
	.send = stream_send,
	.receive = stream_receive,
};
