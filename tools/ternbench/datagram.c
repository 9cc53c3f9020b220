// SPDX-License-Identifier: GPL-2.0
/* What the peers share that send a message by one send(). */
#include <sys/socket.h>

#include "datagram.h"

noreturn void datagram_serve(int fd)
{
	struct message *request = message_alloc(), *reply = message_alloc();

	for (;;) {
		struct sockaddr_storage from;
		socklen_t from_len = sizeof(from);
		ssize_t len = recvfrom(fd, request, MESSAGE_MAX, 0,
				       (struct sockaddr *)&from, &from_len);

		if (len < 0)
			fail_errno("receive");
		len = message_answer(message_check(request, len), reply);
		if (sendto(fd, reply, len, 0, (struct sockaddr *)&from,
			   from_len) != len)
			fail_errno("reply");
	}
}

noreturn void datagram_serve_one(int fd)
{
	struct message *request = message_alloc(), *reply = message_alloc();

	for (;;) {
		ssize_t len = recv(fd, request, MESSAGE_MAX, 0);

		if (len < 0)
			fail_errno("receive");
		len = message_answer(message_check(request, len), reply);
		if (send(fd, reply, len, 0) != len)
			fail_errno("reply");
	}
}

static struct message *reply;
static int client_fd;

void datagram_use(int fd)
{
	client_fd = fd;
	reply = message_alloc();
}

void datagram_send(const struct message *request)
{
	if (send(client_fd, request, request->len, 0) != request->len)
		fail_errno("send");
}

struct message *datagram_receive(void)
{
	ssize_t len = recv(client_fd, reply, MESSAGE_MAX, 0);

	if (len < 0)
		fail_errno("receive");
	return message_check(reply, len);
}
