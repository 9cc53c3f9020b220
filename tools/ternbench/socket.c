// SPDX-License-Identifier: GPL-2.0
/* Sockets of the peers that have some. */
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include "peer.h"
#include "socket.h"

#define BUFFER	(64 << 20)

int socket_open(int family, int type)
{
	int fd = socket(family, type | SOCK_CLOEXEC, 0);

	if (fd < 0)
		fail_errno("socket");
	/* Streams find their own sizes, and better ones. */
	if (type == SOCK_STREAM)
		return fd;
	socket_enlarge(fd);
	return fd;
}

void socket_enlarge(int fd)
{
	int size = BUFFER;

	if (setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof(size)) ||
	    setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size)))
		fail_errno("size of a socket's buffers");
}

int socket_bound(int family, int type, const void *address, socklen_t len)
{
	int fd = socket_open(family, type);

	if (bind(fd, address, len))
		fail_errno("bind");
	if ((type == SOCK_STREAM || type == SOCK_SEQPACKET) &&
	    listen(fd, CLIENTS_MAX))
		fail_errno("listen");
	return fd;
}

int socket_accept(int fd)
{
	int connection = accept(fd, NULL, NULL);

	if (connection < 0)
		fail_errno("accept");
	return connection;
}

int socket_connected(int family, int type, const void *address, socklen_t len)
{
	int fd = socket_open(family, type);

	if (connect(fd, address, len))
		fail_errno("connect");
	return fd;
}

void socket_set_nodelay(int fd)
{
	int one = 1;

	if (setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one)))
		fail_errno("TCP_NODELAY");
}
