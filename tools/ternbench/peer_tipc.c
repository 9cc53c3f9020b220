// SPDX-License-Identifier: GPL-2.0
/*
 * TIPC's datagrams that are delivered reliably.  Between namespaces of one
 * kernel it takes a short cut past the link.
 */
#include <errno.h>
#include <linux/tipc.h>
#include <stdlib.h>
#include <time.h>

#include "datagram.h"
#include "peer.h"
#include "place.h"
#include "socket.h"

#define SERVICE		20019
/* The nodes find each other within this time. */
#define TRIES		600

static int server_fd;

static const struct sockaddr_tipc name = {
	.family = AF_TIPC,
	.addrtype = TIPC_SERVICE_ADDR,
	.scope = TIPC_CLUSTER_SCOPE,
	.addr.name.name = { SERVICE, 1 },
};

static void tipc_prepare(const struct cell *cell)
{
	(void)cell;
	if (system("modprobe tipc"))
		fail("there is no module tipc");
}

static void use_device(const struct cell *cell)
{
	if (cell->place == PLACE_SAME ||
	    !system("tipc bearer list | grep -q eth0"))
		return;
	if (system("tipc bearer enable media eth device eth0"))
		fail("TIPC cannot use eth0");
}

static void tipc_listen(const struct cell *cell)
{
	server_fd = socket_bound(AF_TIPC, SOCK_RDM, &name, sizeof(name));
	use_device(cell);
}

static void tipc_serve(const struct cell *cell, unsigned int worker)
{
	(void)cell;
	(void)worker;
	datagram_serve(server_fd);
}

/* The first message says when the nodes have found each other. */
static void await_service(int fd)
{
	const struct message probe = { sizeof(probe), sizeof(probe), 0, 0 };
	const struct timespec pause = { .tv_nsec = 100000000 };

	for (int tries = 0; tries < TRIES; tries++) {
		if (send(fd, &probe, sizeof(probe), 0) == sizeof(probe)) {
			datagram_receive();
			return;
		}
		if (errno != EHOSTUNREACH)
			fail_errno("send");
		nanosleep(&pause, NULL);
	}
	fail("the nodes of TIPC do not find each other");
}

static void tipc_connect(const struct cell *cell, unsigned int client)
{
	int fd = socket_connected(AF_TIPC, SOCK_RDM, &name, sizeof(name));

	(void)client;
	use_device(cell);
	datagram_use(fd);
	await_service(fd);
}

const struct peer peer_tipc = {
	.name = "tipc",
	.title = "TIPC, SOCK_RDM",
	.places = ON_BOTH,
	.size_max = TIPC_MAX_USER_MSG_SIZE,
	.repeats = true,
	.prepare = tipc_prepare,
	.listen = tipc_listen,
	.serve = tipc_serve,
	.connect = tipc_connect,
	.send = datagram_send,
	.receive = datagram_receive,
};
