// SPDX-License-Identifier: GPL-2.0
/* nng, REQ to REP; each call that is outstanding has a context of its own. */
#include <nng/nng.h>
#include <nng/protocol/reqrep0/rep.h>
#include <nng/protocol/reqrep0/req.h>
#include <pthread.h>
#include <string.h>

#include "peer.h"
#include "place.h"

#define DEPTH_MAX	512

static nng_socket server_socket;

static void check(const char *what, int error)
{
	if (error)
		fail("%s: %s", what, nng_strerror(error));
}

static nng_msg *make_message(const struct message *message)
{
	nng_msg *msg;

	check("memory for a message", nng_msg_alloc(&msg, message->len));
	memcpy(nng_msg_body(msg), message, message->len);
	return msg;
}

static void bench_listen(const struct cell *cell)
{
	check("socket", nng_rep0_open(&server_socket));
	check("size", nng_socket_set_size(server_socket, NNG_OPT_RECVMAXSZ, 0));
	check("listen", nng_listen(server_socket,
				   place_url(cell->place, "tcp://", 0), NULL, 0));
}

static void bench_serve(const struct cell *cell, unsigned int worker)
{
	struct message *reply = message_alloc();
	nng_aio *aio;
	nng_ctx ctx;
	nng_msg *msg;

	(void)cell;
	(void)worker;
	check("aio", nng_aio_alloc(&aio, NULL, NULL));
	check("context", nng_ctx_open(&ctx, server_socket));
	for (;;) {
		nng_ctx_recv(ctx, aio);
		nng_aio_wait(aio);
		check("receive", nng_aio_result(aio));
		msg = nng_aio_get_msg(aio);
		message_answer(message_check(nng_msg_body(msg), nng_msg_len(msg)),
			       reply);
		nng_msg_free(msg);
		nng_aio_set_msg(aio, make_message(reply));
		nng_ctx_send(ctx, aio);
		nng_aio_wait(aio);
		check("reply", nng_aio_result(aio));
	}
}

/* A call: its request is being sent, or its reply is awaited. */
struct slot {
	nng_ctx		ctx;
	nng_aio		*aio;
	bool		sent;
};

static struct slot slots[DEPTH_MAX];
static nng_socket client_socket;
static nng_msg *last;

/* Slots whose reply is here, in the order of their arrival. */
static struct slot *arrived[DEPTH_MAX];
static unsigned int first, behind;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;

static void progress(void *arg)
{
	struct slot *slot = arg;

	check("call", nng_aio_result(slot->aio));
	if (!slot->sent) {
		slot->sent = true;
		nng_ctx_recv(slot->ctx, slot->aio);
		return;
	}
	pthread_mutex_lock(&lock);
	arrived[behind++ % DEPTH_MAX] = slot;
	pthread_cond_signal(&changed);
	pthread_mutex_unlock(&lock);
}

static void bench_connect(const struct cell *cell, unsigned int client)
{
	(void)client;
	check("socket", nng_req0_open(&client_socket));
	check("size", nng_socket_set_size(client_socket, NNG_OPT_RECVMAXSZ, 0));
	for (unsigned int i = 0; i < cell->work->depth; i++) {
		check("context", nng_ctx_open(&slots[i].ctx, client_socket));
		check("aio", nng_aio_alloc(&slots[i].aio, progress, &slots[i]));
	}
	check("connect", nng_dial(client_socket,
				  place_url(cell->place, "tcp://", 0), NULL, 0));
}

static void bench_send(const struct message *request)
{
	struct slot *slot = &slots[request->id];

	slot->sent = false;
	nng_aio_set_msg(slot->aio, make_message(request));
	nng_ctx_send(slot->ctx, slot->aio);
}

static struct message *bench_receive(void)
{
	struct slot *slot;

	pthread_mutex_lock(&lock);
	while (first == behind)
		pthread_cond_wait(&changed, &lock);
	slot = arrived[first++ % DEPTH_MAX];
	pthread_mutex_unlock(&lock);
	if (last)
		nng_msg_free(last);
	last = nng_aio_get_msg(slot->aio);
	return message_check(nng_msg_body(last), nng_msg_len(last));
}

/* With the socket's own context, as a program does that makes one call. */
static struct message *bench_call(const struct message *request)
{
	if (last)
		nng_msg_free(last);
	last = make_message(request);
	check("send", nng_sendmsg(client_socket, last, 0));
	check("receive", nng_recvmsg(client_socket, &last, 0));
	return message_check(nng_msg_body(last), nng_msg_len(last));
}

const struct peer peer_nng = {
	.name = "nng",
	.title = "nng, REQ and REP",
	.places = ON_BOTH,
	.size_max = MESSAGE_MAX,
	.repeats = true,
	.listen = bench_listen,
	.serve = bench_serve,
	.connect = bench_connect,
	.send = bench_send,
	.receive = bench_receive,
	.call = bench_call,
};
