// SPDX-License-Identifier: GPL-2.0
/*
 * Tern: within one host as "any", between two by its UDP bearer.  One call at a
 * time takes one system call at each end.
 */
#include <netinet/in.h>
#include <string.h>

#include <tern.h>

#include "peer.h"
#include "place.h"
#include "socket.h"

#define VERSION	1

static int server_fd, client_fd;
static struct message *reply;

static noreturn void fail_tern(const char *what, ssize_t error)
{
	fail("%s: %s", what, strerror((int)-error));
}

static void bench_listen(const struct cell *cell)
{
	int error;

	(void)cell;
	server_fd = tern_socket(0);
	if (server_fd < 0)
		fail_tern("socket", server_fd);
	error = tern_bind(server_fd, BENCH_PROGRAM, VERSION, 0);
	if (error)
		fail_tern("bind", error);
}

static void bench_serve(const struct cell *cell, unsigned int worker)
{
	struct message *received = message_alloc(), *answer = message_alloc();
	struct tern_request request = { 0 };
	size_t answer_len = 0;
	ssize_t len;

	(void)cell;
	(void)worker;
	for (;;) {
		len = tern_reply_recv(server_fd, &request, 0, answer, answer_len,
				      received, MESSAGE_MAX, 0);
		if (len < 0)
			fail_tern("serve", len);
		answer_len = message_answer(message_check(received, len), answer);
	}
}

static void bench_connect(const struct cell *cell, unsigned int client)
{
	struct sockaddr_in host = place_server(cell->place);
	struct sockaddr_tern to;
	int error;

	(void)client;
	host.sin_port = 0;
	tern_addr_set(&to, cell->place == PLACE_SAME ? NULL :
		      (const struct sockaddr *)&host, BENCH_PROGRAM, VERSION);
	client_fd = tern_socket(0);
	if (client_fd < 0)
		fail_tern("socket", client_fd);
	socket_enlarge(client_fd);
	error = tern_connect(client_fd, &to);
	if (error)
		fail_tern("connect", error);
	reply = message_alloc();
}

static void bench_send(const struct message *request)
{
	int error = tern_send_call(client_fd, NULL, request->id, BENCH_PROCEDURE,
				   request, request->len, NULL);

	if (error)
		fail_tern("send", error);
}

static noreturn void fail_result(const struct tern_result *result)
{
	char text[TERN_RESULT_TEXT_SIZE];

	fail("call: %s", tern_result_text(result, text, sizeof(text)));
}

static struct message *bench_receive(void)
{
	struct tern_result result;
	ssize_t len = tern_recv_outcome(client_fd, NULL, reply, MESSAGE_MAX,
					&result, 0);

	if (len < 0)
		fail_tern("receive", len);
	if (tern_result_error(&result))
		fail_result(&result);
	return message_check(reply, len);
}

static struct message *bench_call(const struct message *request)
{
	struct tern_result result;
	ssize_t len = tern_call(client_fd, NULL, BENCH_PROCEDURE, request, request->len,
				reply, MESSAGE_MAX, NULL, &result);

	if (len < 0)
		fail_result(&result);
	return message_check(reply, len);
}

const struct peer peer_tern = {
	.name = "tern",
	.title = "Tern",
	.places = ON_BOTH,
	.size_max = TERN_MESSAGE_MAX,
	.repeats = true,
	.listen = bench_listen,
	.serve = bench_serve,
	.connect = bench_connect,
	.send = bench_send,
	.receive = bench_receive,
	.call = bench_call,
};
