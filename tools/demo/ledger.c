// SPDX-License-Identifier: GPL-2.0
/*
 * ledger tern|udp LOG: move money between accounts.
 *
 * The log is the truth: a transfer is appended to it before the reply, and the
 * accounts are rebuilt from it at the start. There is no look whether a
 * transfer has been executed before: the one who asks twice moves the money
 * twice.
 *
 * Prints the number of transfers found in the log once it serves.
 */
#include <arpa/inet.h>
#include <endian.h>
#include <err.h>
#include <fcntl.h>
#include <pthread.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <tern.h>
#include <time.h>
#include <unistd.h>

#include "demo.h"

#define WORKERS	8

/* Under the lock, like the end of the log. */
static int64_t balances[ACCOUNTS];
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static int log_fd;

/* In host order; accounts are counted from 1. */
static void apply(const struct order *order)
{
	balances[order->from - 1] -= order->amount;
	balances[order->to - 1] += order->amount;
}

static int is_account(uint32_t account)
{
	return account >= 1 && account <= ACCOUNTS;
}

static unsigned int replay(const char *path)
{
	FILE *file = fopen(path, "r");
	struct order order;
	unsigned int count = 0;
	size_t size = 0;
	char *line = NULL;
	off_t end = 0;
	ssize_t len;

	if (!file)
		err(1, "%s", path);
	while ((len = getline(&line, &size, file)) > 0 &&
	       line[len - 1] == '\n') {
		if (sscanf(line, "%u %u %u %u %u", &order.id, &order.attempt,
			   &order.from, &order.to, &order.amount) != 5 ||
		    !is_account(order.from) || !is_account(order.to))
			errx(1, "%s: line %u is damaged", path, count + 1);
		apply(&order);
		count++;
		end += len;
	}
	/* What was being written at the kill was not replied to. */
	if (ftruncate(log_fd, end))
		err(1, "%s", path);
	free(line);
	fclose(file);
	return count;
}

/* Stands for what a real ledger does around its log: checks, and the disk. */
static void work(void)
{
	struct timespec time = { .tv_nsec = 1000000 };

	nanosleep(&time, NULL);
}

static uint32_t transfer(const void *request, size_t len)
{
	struct order order;
	char line[64];
	int size;

	if (len != sizeof(order))
		return LEDGER_BAD_ORDER;
	memcpy(&order, request, sizeof(order));
	order.id = ntohl(order.id);
	order.attempt = ntohl(order.attempt);
	order.from = ntohl(order.from);
	order.to = ntohl(order.to);
	order.amount = ntohl(order.amount);
	if (!is_account(order.from) || !is_account(order.to))
		return LEDGER_BAD_ORDER;

	work();
	size = snprintf(line, sizeof(line), "%u %u %u %u %u\n", order.id,
			order.attempt, order.from, order.to, order.amount);
	pthread_mutex_lock(&lock);
	if (write(log_fd, line, size) != size)
		err(1, "log");
	apply(&order);
	pthread_mutex_unlock(&lock);
	work();
	return LEDGER_OK;
}

static uint32_t audit(void *reply, size_t *reply_len)
{
	uint64_t copy[ACCOUNTS];

	pthread_mutex_lock(&lock);
	for (int i = 0; i < ACCOUNTS; i++)
		copy[i] = htobe64(balances[i]);
	pthread_mutex_unlock(&lock);
	memcpy(reply, copy, sizeof(copy));
	*reply_len = sizeof(copy);
	return LEDGER_OK;
}

static uint32_t execute(uint32_t procedure, const void *request, size_t len,
			void *reply, size_t *reply_len)
{
	switch (procedure) {
	case LEDGER_TRANSFER:
		return transfer(request, len);
	case LEDGER_AUDIT:
		return audit(reply, reply_len);
	default:
		return LEDGER_BAD_PROCEDURE;
	}
}

static uint32_t handle(struct tern_job *job, void *context)
{
	(void)context;
	return execute(job->request.procedure, job->data, job->request.len,
		       job->reply, &job->reply_len);
}

static void serve_tern(unsigned int replayed)
{
	const struct tern_serve_opts opts = {
		.threads = WORKERS,
		.request_size = sizeof(struct order),
		.reply_size = LEDGER_REPLY_MAX,
	};
	int fd = tern_socket(0);
	int error = fd < 0 ? fd : tern_bind(fd, LEDGER_PROGRAM, LEDGER_VERSION, 0);

	if (!error) {
		dprintf(STDOUT_FILENO, "%u\n", replayed);
		error = tern_serve(fd, -1, handle, NULL, &opts);
	}
	errx(1, "%s", strerror(-error));
}

static void *udp_worker(void *arg)
{
	int fd = *(int *)arg;

	for (;;) {
		struct sockaddr_in from;
		socklen_t from_len = sizeof(from);
		struct datagram datagram;
		size_t reply_len = 0;
		ssize_t len;

		len = recvfrom(fd, &datagram, sizeof(datagram), 0,
			       (struct sockaddr *)&from, &from_len);
		if (len < (ssize_t)DATAGRAM_HEADER)
			continue;
		if (execute(ntohl(datagram.procedure), datagram.body,
			    len - DATAGRAM_HEADER, datagram.body, &reply_len))
			continue;
		sendto(fd, &datagram, DATAGRAM_HEADER + reply_len, 0,
		       (struct sockaddr *)&from, from_len);
	}
	return NULL;
}

static void serve_udp(unsigned int replayed)
{
	const struct sockaddr_in any = {
		.sin_family = AF_INET,
		.sin_port = htons(LEDGER_PORT),
	};
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	pthread_t thread;
	int error;

	if (fd < 0 || bind(fd, (const struct sockaddr *)&any, sizeof(any)))
		err(1, "UDP socket");
	for (int i = 1; i < WORKERS; i++) {
		error = pthread_create(&thread, NULL, udp_worker, &fd);
		if (error)
			errx(1, "thread: %s", strerror(error));
	}
	dprintf(STDOUT_FILENO, "%u\n", replayed);
	udp_worker(&fd);
}

int main(int argc, char **argv)
{
	unsigned int replayed;

	if (argc != 3 || (strcmp(argv[1], "tern") && strcmp(argv[1], "udp")))
		errx(2, "usage: ledger tern|udp LOG");
	log_fd = open(argv[2], O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0666);
	if (log_fd < 0)
		err(1, "%s", argv[2]);
	for (int i = 0; i < ACCOUNTS; i++)
		balances[i] = FIRST_BALANCE;
	replayed = replay(argv[2]);
	if (!strcmp(argv[1], "tern"))
		serve_tern(replayed);
	serve_udp(replayed);
	return 0;
}
