/* SPDX-License-Identifier: GPL-2.0 */
/* Sockets of the peers that have some. */
#ifndef TERNBENCH_SOCKET_H
#define TERNBENCH_SOCKET_H

#include <sys/socket.h>

/* With such buffers, but for streams. */
int socket_open(int family, int type);
/* Gives it buffers that hold all calls that may be outstanding. */
void socket_enlarge(int fd);
/* Bound to an address, and listening if the type can. */
int socket_bound(int family, int type, const void *address, socklen_t len);
int socket_accept(int fd);
/* Of TCP: sends at once. */
void socket_set_nodelay(int fd);
int socket_connected(int family, int type, const void *address, socklen_t len);

#endif
