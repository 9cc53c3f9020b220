// SPDX-License-Identifier: GPL-2.0
/* Plain UDP; clients are connected. */
#include "datagram.h"
#include "peer.h"
#include "place.h"
#include "socket.h"

static int server_fd;

static void udp_listen(const struct cell *cell)
{
	const struct sockaddr_in address = place_server(cell->place);

	server_fd = socket_bound(AF_INET, SOCK_DGRAM, &address, sizeof(address));
}

static void udp_serve(const struct cell *cell, unsigned int worker)
{
	(void)cell;
	(void)worker;
	datagram_serve(server_fd);
}

static void udp_connect(const struct cell *cell, unsigned int client)
{
	const struct sockaddr_in address = place_server(cell->place);

	(void)client;
	datagram_use(socket_connected(AF_INET, SOCK_DGRAM, &address,
				      sizeof(address)));
}

const struct peer peer_udp = {
	.name = "udp",
	.title = "UDP, connected",
	.places = ON_BOTH,
	.size_max = 65507,
	.listen = udp_listen,
	.serve = udp_serve,
	.connect = udp_connect,
	.send = datagram_send,
	.receive = datagram_receive,
};
