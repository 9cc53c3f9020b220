// SPDX-License-Identifier: GPL-2.0
/* The three types of AF_UNIX. */
#include <stddef.h>
#include <sys/un.h>

#include "datagram.h"
#include "peer.h"
#include "socket.h"
#include "stream.h"

/* An abstract name: nothing is left behind. */
static const struct sockaddr_un name = {
	.sun_family = AF_UNIX,
	.sun_path = "\0ternbench",
};

#define NAME_LEN	(offsetof(struct sockaddr_un, sun_path) + 10)

static int server_fd;

static void dgram_listen(const struct cell *cell)
{
	(void)cell;
	server_fd = socket_bound(AF_UNIX, SOCK_DGRAM, &name, NAME_LEN);
}

static void dgram_serve(const struct cell *cell, unsigned int worker)
{
	(void)cell;
	(void)worker;
	datagram_serve(server_fd);
}

static void dgram_connect(const struct cell *cell, unsigned int client)
{
	static const struct sockaddr_un any = { .sun_family = AF_UNIX };
	int fd;

	(void)cell;
	(void)client;
	/* the kernel finds a name to which replies can be sent */
	fd = socket_bound(AF_UNIX, SOCK_DGRAM, &any, sizeof(any.sun_family));
	if (connect(fd, (const struct sockaddr *)&name, NAME_LEN))
		fail_errno("connect");
	datagram_use(fd);
}

static void seqpacket_listen(const struct cell *cell)
{
	(void)cell;
	server_fd = socket_bound(AF_UNIX, SOCK_SEQPACKET, &name, NAME_LEN);
}

static void seqpacket_serve(const struct cell *cell, unsigned int worker)
{
	(void)cell;
	(void)worker;
	datagram_serve_one(socket_accept(server_fd));
}

static void seqpacket_connect(const struct cell *cell, unsigned int client)
{
	(void)cell;
	(void)client;
	datagram_use(socket_connected(AF_UNIX, SOCK_SEQPACKET, &name, NAME_LEN));
}

static void stream_listen(const struct cell *cell)
{
	(void)cell;
	server_fd = socket_bound(AF_UNIX, SOCK_STREAM, &name, NAME_LEN);
}

static void serve_stream(const struct cell *cell, unsigned int worker)
{
	int fd = socket_accept(server_fd);

	(void)cell;
	(void)worker;
	stream_serve(fd, fd);
}

static void stream_connect(const struct cell *cell, unsigned int client)
{
	int fd = socket_connected(AF_UNIX, SOCK_STREAM, &name, NAME_LEN);

	(void)cell;
	(void)client;
	stream_use(fd, fd);
}

const struct peer peer_unix_dgram = {
	.name = "unix-dgram",
	.title = "AF_UNIX, datagrams",
	.places = ON_SAME,
	.size_max = MESSAGE_MAX,
	.repeats = true,
	.listen = dgram_listen,
	.serve = dgram_serve,
	.connect = dgram_connect,
	.send = datagram_send,
	.receive = datagram_receive,
};

const struct peer peer_unix_seqpacket = {
	.name = "unix-seqpacket",
	.title = "AF_UNIX, SOCK_SEQPACKET",
	.places = ON_SAME,
	.size_max = MESSAGE_MAX,
	.repeats = true,
	.listen = seqpacket_listen,
	.serve = seqpacket_serve,
	.connect = seqpacket_connect,
	.send = datagram_send,
	.receive = datagram_receive,
};

const struct peer peer_unix_stream = {
	.name = "unix-stream",
	.title = "AF_UNIX, SOCK_STREAM",
	.places = ON_SAME,
	.size_max = MESSAGE_MAX,
	.repeats = true,
	.listen = stream_listen,
	.serve = serve_stream,
	.connect = stream_connect,
	.send = stream_send,
	.receive = stream_receive,
};
