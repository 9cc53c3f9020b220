// SPDX-License-Identifier: GPL-2.0
/* Requests and replies, as all peers carry them. */
#include <stdlib.h>

#include "bench.h"

struct message *message_alloc(void)
{
	struct message *message = calloc(1, MESSAGE_MAX);

	if (!message)
		fail_errno("memory for a message");
	return message;
}

struct message *message_check(void *data, size_t len)
{
	struct message *message = data;

	if (len < sizeof(*message) || message->len != len)
		fail("a message of %zu bytes that was sent with %u", len,
		     len < sizeof(*message) ? 0 : message->len);
	return message;
}

size_t message_answer(const struct message *request, struct message *reply)
{
	reply->len = request->reply_len;
	reply->id = request->id;
	return reply->len;
}
