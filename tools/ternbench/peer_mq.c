// SPDX-License-Identifier: GPL-2.0
/*
 * POSIX message queues, two for each client.  The kernel allocates no more than
 * what a message takes.
 */
#include <fcntl.h>
#include <mqueue.h>
#include <stdio.h>
#include <sys/resource.h>

#include "peer.h"

static mqd_t requests[CLIENTS_MAX], replies[CLIENTS_MAX];
static unsigned int own;
static struct message *reply;

/* Both ends inherit it, and its name is gone at once. */
static mqd_t make_queue(const struct cell *cell)
{
	struct mq_attr attr = {
		.mq_maxmsg = cell->work->depth,
		.mq_msgsize = MESSAGE_MAX,
	};
	mqd_t queue;

	queue = mq_open("/ternbench", O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600,
			&attr);
	if (queue < 0)
		fail_errno("mq_open");
	mq_unlink("/ternbench");
	return queue;
}

static void mq_prepare(const struct cell *cell)
{
	const struct rlimit all = { RLIM_INFINITY, RLIM_INFINITY };

	if (setrlimit(RLIMIT_MSGQUEUE, &all))
		fail_errno("limit of message queues");
	for (unsigned int i = 0; i < peer_clients(cell); i++) {
		requests[i] = make_queue(cell);
		replies[i] = make_queue(cell);
	}
}

static void mq_listen(const struct cell *cell)
{
	(void)cell;
}

static void mq_write(mqd_t queue, const struct message *message)
{
	if (mq_send(queue, (const char *)message, message->len, 0))
		fail_errno("mq_send");
}

static struct message *mq_read(mqd_t queue, struct message *message)
{
	ssize_t len = mq_receive(queue, (char *)message, MESSAGE_MAX, NULL);

	if (len < 0)
		fail_errno("mq_receive");
	return message_check(message, len);
}

static void mq_serve(const struct cell *cell, unsigned int worker)
{
	struct message *request = message_alloc(), *answer = message_alloc();

	(void)cell;
	for (;;) {
		message_answer(mq_read(requests[worker], request), answer);
		mq_write(replies[worker], answer);
	}
}

static void mq_connect(const struct cell *cell, unsigned int client)
{
	(void)cell;
	own = client;
	reply = message_alloc();
}

static void mq_send_request(const struct message *request)
{
	mq_write(requests[own], request);
}

static struct message *mq_receive_reply(void)
{
	return mq_read(replies[own], reply);
}

const struct peer peer_mq = {
	.name = "mq",
	.title = "POSIX message queues",
	.places = ON_SAME,
	.size_max = MESSAGE_MAX,
	.repeats = true,
	.prepare = mq_prepare,
	.listen = mq_listen,
	.serve = mq_serve,
	.connect = mq_connect,
	.send = mq_send_request,
	.receive = mq_receive_reply,
};
