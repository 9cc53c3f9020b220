// SPDX-License-Identifier: GPL-2.0
/* What the peers share whose messages follow each other in a stream. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "stream.h"

/*
 * A connection. One read() takes what is there, which may be several messages:
 * those from @next to @end of the buffer.
 */
struct stream {
	int	in;
	int	out;
	char	*buffer;
	size_t	next;
	size_t	end;
};

/* The longest message, and what was read behind it. */
#define BUFFER	(MESSAGE_MAX + 65536)

static struct stream stream_make(int in, int out)
{
	struct stream stream = { .in = in, .out = out, .buffer = calloc(1, BUFFER) };

	if (!stream.buffer)
		fail_errno("memory for a stream");
	return stream;
}

/* The next message is whole; if not, it is where most can follow. */
static bool is_whole(struct stream *stream)
{
	const struct message *message = (void *)(stream->buffer + stream->next);
	size_t have = stream->end - stream->next;

	if (have >= sizeof(*message) && have >= message->len)
		return true;
	if (stream->next)
		memmove(stream->buffer, stream->buffer + stream->next, have);
	stream->next = 0;
	stream->end = have;
	return false;
}

static struct message *stream_read(struct stream *stream)
{
	struct message *message;

	while (!is_whole(stream)) {
		ssize_t len = read(stream->in, stream->buffer + stream->end,
				   BUFFER - stream->end);

		if (len < 0)
			fail_errno("read");
		if (!len)
			fail("the other end is closed");
		stream->end += len;
	}
	message = (void *)(stream->buffer + stream->next);
	stream->next += message->len;
	return message;
}

static void stream_write(struct stream *stream, const struct message *message)
{
	const char *data = (const char *)message;
	size_t done = 0;

	while (done < message->len) {
		ssize_t len = write(stream->out, data + done, message->len - done);

		if (len < 0)
			fail_errno("write");
		done += len;
	}
}

noreturn void stream_serve(int in, int out)
{
	struct stream stream = stream_make(in, out);
	struct message *reply = message_alloc();

	for (;;) {
		message_answer(stream_read(&stream), reply);
		stream_write(&stream, reply);
	}
}

static struct stream client;

void stream_use(int in, int out)
{
	client = stream_make(in, out);
}

void stream_send(const struct message *request)
{
	stream_write(&client, request);
}

struct message *stream_receive(void)
{
	return stream_read(&client);
}
