// SPDX-License-Identifier: GPL-2.0
/*
 * The network namespaces in which is measured:
 *
 *    same   client and server, lo
 *    net    client 10.18.0.1 ---eth0------eth0--- 10.18.0.2 server
 *
 * They have no names, and are gone with the process.
 */
#include <arpa/inet.h>
#include <fcntl.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "peer.h"
#include "place.h"

const char *const place_names[PLACES] = { "same", "net" };

/* Each cell has so many of its own: TCP does not let go of a port at once. */
#define FIRST_PORT	20019
#define PORTS		1000

/* Not close-on-exec: "ip" gets one of them by its number. */
static int namespaces[PLACES][2];

static int make_namespace(void)
{
	int fd;

	if (unshare(CLONE_NEWNET))
		fail_errno("cannot make a network namespace");
	fd = open("/proc/self/ns/net", O_RDONLY);
	if (fd < 0)
		fail_errno("/proc/self/ns/net");
	return fd;
}

static void enter(int fd)
{
	if (setns(fd, CLONE_NEWNET))
		fail_errno("setns");
}

void place_enter(enum place place, enum end end)
{
	enter(namespaces[place][end]);
}

void place_run(enum place place, enum end end, const char *format, ...)
{
	char command[400];
	va_list args;

	va_start(args, format);
	vsnprintf(command, sizeof(command), format, args);
	va_end(args);
	place_enter(place, end);
	if (system(command))
		fail("failed: %s", command);
}

static void run_net(const char *command)
{
	place_run(PLACE_NET, END_CLIENT, "%s", command);
	place_run(PLACE_NET, END_SERVER, "%s", command);
}

/* The queue of AF_UNIX datagrams is 10 long, fewer than calls at a time. */
static void set_up_namespace(enum place place, enum end end)
{
	place_run(place, end, "ip link set lo up");
	place_run(place, end, "echo 4096 >/proc/sys/net/unix/max_dgram_qlen");
}

void place_set_up(void)
{
	namespaces[PLACE_SAME][END_CLIENT] = make_namespace();
	namespaces[PLACE_SAME][END_SERVER] = namespaces[PLACE_SAME][END_CLIENT];
	namespaces[PLACE_NET][END_CLIENT] = make_namespace();
	namespaces[PLACE_NET][END_SERVER] = make_namespace();
	set_up_namespace(PLACE_SAME, END_CLIENT);
	set_up_namespace(PLACE_NET, END_CLIENT);
	set_up_namespace(PLACE_NET, END_SERVER);

	place_run(PLACE_NET, END_CLIENT,
		  "ip link add eth0 type veth peer name eth0 netns /proc/%d/fd/%d",
		  getpid(), namespaces[PLACE_NET][END_SERVER]);
	place_run(PLACE_NET, END_CLIENT, "ip addr add 10.18.0.1/24 dev eth0");
	place_run(PLACE_NET, END_SERVER, "ip addr add 10.18.0.2/24 dev eth0");
	run_net("ip link set eth0 up");
	run_net("tern up allow 10.18.0.0/24");
}

void place_lose(unsigned int loss)
{
	static unsigned int now;
	char command[80];

	if (loss == now)
		return;
	now = loss;
	snprintf(command, sizeof(command), loss ?
		 "tc qdisc replace dev eth0 root netem limit 10000 loss %u.%02u%%" :
		 "tc qdisc del dev eth0 root", loss / 100, loss % 100);
	run_net(command);
}

static unsigned int cells;

void place_next_port(void)
{
	cells = (cells + 1) % PORTS;
}

struct sockaddr_in place_server(enum place place)
{
	struct sockaddr_in address = {
		.sin_family = AF_INET,
		.sin_port = htons(FIRST_PORT + cells * CLIENTS_MAX),
	};

	inet_aton(place == PLACE_SAME ? "127.0.0.1" : "10.18.0.2",
		  &address.sin_addr);
	return address;
}

const char *place_url(enum place place, const char *scheme, unsigned int port)
{
	const struct sockaddr_in address = place_server(place);
	static char url[64];

	snprintf(url, sizeof(url), "%s%s:%u", scheme,
		 inet_ntoa(address.sin_addr), ntohs(address.sin_port) + port);
	return url;
}
