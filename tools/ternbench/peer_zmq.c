// SPDX-License-Identifier: GPL-2.0
/*
 * ZeroMQ, REQ to REP; or to have several calls outstanding, DEALER to REP, which
 * puts the empty frame that REQ would put before a request.
 */
#include <zmq.h>

#include "peer.h"
#include "place.h"

static void *context, *client_socket;
static zmq_msg_t last_reply;
static bool dealer;

static noreturn void fail_zmq(const char *what)
{
	fail("%s: %s", what, zmq_strerror(zmq_errno()));
}

static void *make_socket(int type)
{
	void *socket = zmq_socket(context, type);
	int no_limit = 0;

	if (!socket ||
	    zmq_setsockopt(socket, ZMQ_SNDHWM, &no_limit, sizeof(no_limit)) ||
	    zmq_setsockopt(socket, ZMQ_RCVHWM, &no_limit, sizeof(no_limit)))
		fail_zmq("socket");
	return socket;
}

static void send_message(void *socket, const struct message *message)
{
	if (zmq_send(socket, message, message->len, 0) < 0)
		fail_zmq("send");
}

static struct message *receive_message(void *socket, zmq_msg_t *message)
{
	if (zmq_msg_recv(message, socket, 0) < 0)
		fail_zmq("receive");
	return message_check(zmq_msg_data(message), zmq_msg_size(message));
}

/* A socket is for one thread, so each worker has its own, and a port. */
static void *server_sockets[CLIENTS_MAX];

static void bench_listen(const struct cell *cell)
{
	context = zmq_ctx_new();
	for (unsigned int i = 0; i < peer_clients(cell); i++) {
		server_sockets[i] = make_socket(ZMQ_REP);
		if (zmq_bind(server_sockets[i],
			     place_url(cell->place, "tcp://", i)))
			fail_zmq("bind");
	}
}

static void bench_serve(const struct cell *cell, unsigned int worker)
{
	void *socket = server_sockets[worker];
	struct message *reply = message_alloc();
	zmq_msg_t request;

	(void)cell;
	zmq_msg_init(&request);
	for (;;) {
		message_answer(receive_message(socket, &request), reply);
		send_message(socket, reply);
	}
}

static void bench_connect(const struct cell *cell, unsigned int client)
{
	context = zmq_ctx_new();
	dealer = cell->work->depth > 1;
	zmq_msg_init(&last_reply);
	client_socket = make_socket(dealer ? ZMQ_DEALER : ZMQ_REQ);
	if (zmq_connect(client_socket, place_url(cell->place, "tcp://", client)))
		fail_zmq("connect");
}

static void bench_send(const struct message *request)
{
	if (dealer && zmq_send(client_socket, "", 0, ZMQ_SNDMORE) < 0)
		fail_zmq("send");
	send_message(client_socket, request);
}

static struct message *bench_receive(void)
{
	char empty;

	if (dealer && zmq_recv(client_socket, &empty, 1, 0))
		fail_zmq("receive");
	return receive_message(client_socket, &last_reply);
}

const struct peer peer_zmq = {
	.name = "zmq",
	.title = "ZeroMQ, REQ and REP",
	.places = ON_BOTH,
	.size_max = MESSAGE_MAX,
	.repeats = true,
	.listen = bench_listen,
	.serve = bench_serve,
	.connect = bench_connect,
	.send = bench_send,
	.receive = bench_receive,
};
