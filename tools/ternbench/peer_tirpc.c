// SPDX-License-Identifier: GPL-2.0
/*
 * ONC RPC by libtirpc, over TCP and over UDP, without a port mapper.  Its server
 * has one thread, and a client one call at a time.
 */
#include <rpc/rpc.h>
#include <unistd.h>

#include "peer.h"
#include "place.h"
#include "socket.h"

#define PROGRAM		0x20000019
#define VERSION		1
#define PROCEDURE	1
/* What fits into a datagram behind the header of a call. */
#define DATAGRAM_MAX	65000

/* XDR's opaque data of variable length. */
struct carrier {
	char	*data;
	u_int	len;
};

static struct carrier received;
static struct message *answer;
static CLIENT *client;

static bool_t xdr_carrier(XDR *xdrs, struct carrier *carrier)
{
	return xdr_bytes(xdrs, &carrier->data, &carrier->len, MESSAGE_MAX);
}

static void dispatch(struct svc_req *request, SVCXPRT *transport)
{
	struct carrier reply = { .data = (char *)answer };

	(void)request;
	if (!svc_getargs(transport, (xdrproc_t)xdr_carrier, &received))
		fail("a request that is not understood");
	reply.len = message_answer(message_check(received.data, received.len),
				   answer);
	if (!svc_sendreply(transport, (xdrproc_t)xdr_carrier, &reply))
		fail("a reply cannot be sent");
}

static void make_server(const struct cell *cell, int type,
			SVCXPRT *(*create)(int fd, u_int send, u_int receive),
			u_int size)
{
	const struct sockaddr_in address = place_server(cell->place);
	int fd = socket_bound(AF_INET, type, &address, sizeof(address));
	SVCXPRT *transport = create(fd, size, size);

	answer = message_alloc();
	received.data = (char *)message_alloc();
	if (!transport || !svc_reg(transport, PROGRAM, VERSION, dispatch, NULL))
		fail("a server cannot be made");
}

static void listen_tcp(const struct cell *cell)
{
	make_server(cell, SOCK_STREAM, svc_vc_create, 0);
}

static void listen_udp(const struct cell *cell)
{
	make_server(cell, SOCK_DGRAM, svc_dg_create, UINT16_MAX);
}

/* The first worker has the clients of all. */
static void bench_serve(const struct cell *cell, unsigned int worker)
{
	(void)cell;
	while (worker)
		pause();
	svc_run();
	fail("the server ended");
}

static void make_client(int fd, const struct cell *cell,
			CLIENT *(*create)(int fd, const struct netbuf *server,
					  rpcprog_t program, rpcvers_t version,
					  u_int send, u_int receive),
			u_int size)
{
	struct sockaddr_in address = place_server(cell->place);
	const struct netbuf server = {
		.maxlen = sizeof(address),
		.len = sizeof(address),
		.buf = &address,
	};

	received.data = (char *)message_alloc();
	client = create(fd, &server, PROGRAM, VERSION, size, size);
	if (!client)
		fail("%s", clnt_spcreateerror("a client"));
}

static void connect_tcp(const struct cell *cell, unsigned int number)
{
	const struct sockaddr_in address = place_server(cell->place);
	int fd = socket_connected(AF_INET, SOCK_STREAM, &address,
				  sizeof(address));

	(void)number;
	socket_set_nodelay(fd);
	make_client(fd, cell, clnt_vc_create, 0);
}

static void connect_udp(const struct cell *cell, unsigned int number)
{
	(void)number;
	make_client(socket_open(AF_INET, SOCK_DGRAM), cell, clnt_dg_create,
		    UINT16_MAX);
}

static struct message *bench_call(const struct message *request)
{
	const struct timeval limit = { .tv_sec = 1000 };
	struct carrier sent = { (char *)request, request->len };
	enum clnt_stat status;

	status = clnt_call(client, PROCEDURE, (xdrproc_t)xdr_carrier, &sent,
			   (xdrproc_t)xdr_carrier, &received, limit);
	if (status != RPC_SUCCESS)
		fail("%s", clnt_sperror(client, "call"));
	return message_check(received.data, received.len);
}

const struct peer peer_tirpc_tcp = {
	.name = "tirpc-tcp",
	.title = "ONC RPC over TCP, libtirpc",
	.places = ON_BOTH,
	.size_max = MESSAGE_MAX,
	.depth_max = 1,
	.workers_max = 1,
	.repeats = true,
	.listen = listen_tcp,
	.serve = bench_serve,
	.connect = connect_tcp,
	.call = bench_call,
};

const struct peer peer_tirpc_udp = {
	.name = "tirpc-udp",
	.title = "ONC RPC over UDP, libtirpc",
	.places = ON_BOTH,
	.size_max = DATAGRAM_MAX,
	.depth_max = 1,
	.workers_max = 1,
	.repeats = true,
	.listen = listen_udp,
	.serve = bench_serve,
	.connect = connect_udp,
	.call = bench_call,
};
