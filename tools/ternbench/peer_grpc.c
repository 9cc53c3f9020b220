// SPDX-License-Identifier: GPL-2.0
/*
 * gRPC by its C core, which the libraries for other languages stand on: unary
 * calls of a registered method, whose messages are bytes as they are.
 */
#include <grpc/byte_buffer.h>
#include <grpc/byte_buffer_reader.h>
#include <grpc/grpc.h>
#include <grpc/grpc_security.h>
#include <grpc/slice.h>
#include <stdlib.h>

#include "peer.h"
#include "place.h"

#define METHOD		"/ternbench/call"
#define DEPTH_MAX	512

/* Messages of any length. */
static const grpc_channel_args *arguments(void)
{
	static grpc_arg no_limit = {
		.type = GRPC_ARG_INTEGER,
		.key = (char *)GRPC_ARG_MAX_RECEIVE_MESSAGE_LENGTH,
		.value.integer = -1,
	};
	static const grpc_channel_args all = { 1, &no_limit };

	return &all;
}

static grpc_byte_buffer *make_buffer(const struct message *message)
{
	grpc_slice slice = grpc_slice_from_copied_buffer((const char *)message,
							 message->len);
	grpc_byte_buffer *buffer = grpc_raw_byte_buffer_create(&slice, 1);

	grpc_slice_unref(slice);
	return buffer;
}

/* The slice has to be given back. */
static struct message *read_buffer(grpc_byte_buffer *buffer, grpc_slice *slice)
{
	grpc_byte_buffer_reader reader;

	if (!buffer || !grpc_byte_buffer_reader_init(&reader, buffer))
		fail("a call without a message");
	*slice = grpc_byte_buffer_reader_readall(&reader);
	grpc_byte_buffer_reader_destroy(&reader);
	return message_check(GRPC_SLICE_START_PTR(*slice),
			     GRPC_SLICE_LENGTH(*slice));
}

static void start(grpc_call *call, const grpc_op *ops, size_t count, void *tag)
{
	if (grpc_call_start_batch(call, ops, count, tag, NULL) != GRPC_CALL_OK)
		fail("a batch of operations is refused");
}

static void *next_tag(grpc_completion_queue *queue)
{
	const gpr_timespec never = gpr_inf_future(GPR_CLOCK_REALTIME);
	grpc_event event = grpc_completion_queue_next(queue, never, NULL);

	if (event.type != GRPC_OP_COMPLETE || !event.success)
		fail("an operation failed");
	return event.tag;
}

/* ---- The server ---- */

/* A call that is awaited, or, once it has come, replied to. */
struct incoming {
	grpc_call		*call;
	gpr_timespec		deadline;
	grpc_metadata_array	metadata;
	grpc_byte_buffer	*request;
	grpc_byte_buffer	*reply;
	int			cancelled;
	bool			replying;
};

static grpc_server *server;
static void *server_method;
static grpc_completion_queue *server_queues[CLIENTS_MAX];

static void await_call(grpc_completion_queue *queue)
{
	struct incoming *incoming = calloc(1, sizeof(*incoming));
	grpc_call_error error;

	if (!incoming)
		fail_errno("memory for a call");
	grpc_metadata_array_init(&incoming->metadata);
	error = grpc_server_request_registered_call(server, server_method,
						    &incoming->call,
						    &incoming->deadline,
						    &incoming->metadata,
						    &incoming->request, queue,
						    queue, incoming);
	if (error != GRPC_CALL_OK)
		fail("a call cannot be awaited");
}

static void reply_to(struct incoming *incoming, struct message *answer)
{
	grpc_slice slice;
	grpc_op ops[] = {
		{ .op = GRPC_OP_SEND_INITIAL_METADATA },
		{ .op = GRPC_OP_SEND_MESSAGE },
		{ .op = GRPC_OP_SEND_STATUS_FROM_SERVER,
		  .data.send_status_from_server.status = GRPC_STATUS_OK },
		{ .op = GRPC_OP_RECV_CLOSE_ON_SERVER,
		  .data.recv_close_on_server.cancelled = &incoming->cancelled },
	};

	message_answer(read_buffer(incoming->request, &slice), answer);
	grpc_slice_unref(slice);
	incoming->reply = make_buffer(answer);
	incoming->replying = true;
	ops[1].data.send_message.send_message = incoming->reply;
	start(incoming->call, ops, COUNT(ops), incoming);
}

static void end_incoming(struct incoming *incoming)
{
	grpc_byte_buffer_destroy(incoming->request);
	grpc_byte_buffer_destroy(incoming->reply);
	grpc_metadata_array_destroy(&incoming->metadata);
	grpc_call_unref(incoming->call);
	free(incoming);
}

static void bench_listen(const struct cell *cell)
{
	const grpc_server_register_method_payload_handling payload =
		GRPC_SRM_PAYLOAD_READ_INITIAL_BYTE_BUFFER;
	grpc_server_credentials *none;

	grpc_init();
	none = grpc_insecure_server_credentials_create();
	server = grpc_server_create(arguments(), NULL);
	for (unsigned int i = 0; i < peer_clients(cell); i++) {
		server_queues[i] = grpc_completion_queue_create_for_next(NULL);
		grpc_server_register_completion_queue(server, server_queues[i],
						      NULL);
	}
	server_method = grpc_server_register_method(server, METHOD, NULL, payload,
						    0);
	if (!server_method ||
	    !grpc_server_add_http2_port(server, place_url(cell->place, "", 0),
					none))
		fail("a server cannot be made");
	grpc_server_start(server);
}

static void bench_serve(const struct cell *cell, unsigned int worker)
{
	grpc_completion_queue *queue = server_queues[worker];
	struct message *answer = message_alloc();

	(void)cell;
	await_call(queue);
	for (;;) {
		struct incoming *incoming = next_tag(queue);

		if (incoming->replying) {
			end_incoming(incoming);
			continue;
		}
		await_call(queue);
		reply_to(incoming, answer);
	}
}

/* ---- The client ---- */

struct outgoing {
	grpc_call		*call;
	grpc_metadata_array	initial;
	grpc_metadata_array	trailing;
	grpc_byte_buffer	*request;
	grpc_byte_buffer	*reply;
	grpc_status_code	status;
	grpc_slice		details;
};

static struct outgoing calls[DEPTH_MAX];
static grpc_channel *channel;
static grpc_completion_queue *client_queue;
static void *client_method;
/* The last reply. */
static grpc_slice last;

static void bench_connect(const struct cell *cell, unsigned int client)
{
	grpc_channel_credentials *none;

	(void)client;
	grpc_init();
	none = grpc_insecure_credentials_create();
	last = grpc_empty_slice();
	channel = grpc_channel_create(place_url(cell->place, "", 0), none,
				      arguments());
	client_queue = grpc_completion_queue_create_for_next(NULL);
	client_method = grpc_channel_register_call(channel, METHOD, NULL, NULL);
}

static void bench_send(const struct message *request)
{
	const gpr_timespec never = gpr_inf_future(GPR_CLOCK_REALTIME);
	struct outgoing *out = &calls[request->id];
	grpc_op ops[] = {
		{ .op = GRPC_OP_SEND_INITIAL_METADATA },
		{ .op = GRPC_OP_SEND_MESSAGE },
		{ .op = GRPC_OP_SEND_CLOSE_FROM_CLIENT },
		{ .op = GRPC_OP_RECV_INITIAL_METADATA,
		  .data.recv_initial_metadata.recv_initial_metadata =
			&out->initial },
		{ .op = GRPC_OP_RECV_MESSAGE,
		  .data.recv_message.recv_message = &out->reply },
		{ .op = GRPC_OP_RECV_STATUS_ON_CLIENT,
		  .data.recv_status_on_client = {
			.trailing_metadata = &out->trailing,
			.status = &out->status,
			.status_details = &out->details,
		  } },
	};

	grpc_metadata_array_init(&out->initial);
	grpc_metadata_array_init(&out->trailing);
	out->request = make_buffer(request);
	out->reply = NULL;
	ops[1].data.send_message.send_message = out->request;
	out->call = grpc_channel_create_registered_call(channel, NULL,
							GRPC_PROPAGATE_DEFAULTS,
							client_queue,
							client_method, never,
							NULL);
	start(out->call, ops, COUNT(ops), out);
}

static struct message *bench_receive(void)
{
	struct outgoing *out = next_tag(client_queue);
	struct message *reply;

	if (out->status != GRPC_STATUS_OK)
		fail("call: status %d", out->status);
	grpc_slice_unref(last);
	reply = read_buffer(out->reply, &last);
	grpc_byte_buffer_destroy(out->request);
	grpc_byte_buffer_destroy(out->reply);
	grpc_metadata_array_destroy(&out->initial);
	grpc_metadata_array_destroy(&out->trailing);
	grpc_slice_unref(out->details);
	grpc_call_unref(out->call);
	return reply;
}

const struct peer peer_grpc = {
	.name = "grpc",
	.title = "gRPC, unary calls by its C core",
	.places = ON_BOTH,
	.size_max = MESSAGE_MAX,
	.repeats = true,
	.listen = bench_listen,
	.serve = bench_serve,
	.connect = bench_connect,
	.send = bench_send,
	.receive = bench_receive,
};
