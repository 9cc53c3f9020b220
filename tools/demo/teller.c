// SPDX-License-Identifier: GPL-2.0
/*
 * teller tern|udp HOST TRANSFERS CALLS: have a ledger make the transfers.
 * teller tern|udp HOST: print the balance of each account.
 *
 * Four processes share the transfers, and each has eight outstanding. A line
 * "ID ATTEMPT OUTCOME CAUSE SENT MICROSECONDS" is appended to CALLS for each
 * call: OUTCOME is enum tern_outcome and CAUSE an errno value; SENT is how often
 * the program itself sent it; the time is that since the first attempt. The
 * number of transfers that have ended is printed at every tenth of them.
 */
#include <arpa/inet.h>
#include <endian.h>
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <tern.h>
#include <time.h>
#include <unistd.h>

#include "demo.h"

#define PROCESSES	4
#define THREADS		8

/* Of Tern: the deadline of a call, and of trying again what did not run. */
#define DEADLINE_MS	1000
#define PATIENCE_US	30000000
#define PAUSE_US	50000

/* Of plain UDP: when a request is sent again, and how often. */
#define RESEND_US	100000
#define RESEND_MAX	100

/* How a call ended. */
struct ending {
	unsigned int	outcome;
	int		cause;
	unsigned int	sent;
};

/* One way to call: returns the length of the reply. */
struct transport {
	const char	*name;
	int		(*open)(void);
	size_t		(*call)(int fd, uint32_t number, uint32_t procedure,
				const void *request, size_t len,
				char reply[LEDGER_REPLY_MAX],
				struct ending *ending);
	bool		per_thread;	/* each needs a socket of its own */
};

static const struct transport *transport;
static struct sockaddr_tern tern_server;
static struct sockaddr_in udp_server;

static struct order *orders;	/* in host order */
static unsigned int order_count;
static int calls_fd;

static atomic_uint next_order;	/* of this process */
static unsigned int end_order;
static int shared_fd;		/* socket of all threads, or -1 */
static atomic_uint *ended;	/* shared by the processes */

static uint64_t now_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000000ULL + now.tv_nsec / 1000;
}

static int tern_open(void)
{
	int fd = tern_socket(0);

	if (fd < 0)
		errx(1, "socket of Tern: %s", strerror(-fd));
	return fd;
}

static size_t tern_transport_call(int fd, uint32_t number, uint32_t procedure,
				  const void *request, size_t len,
				  char reply[LEDGER_REPLY_MAX],
				  struct ending *ending)
{
	const struct tern_call_opts opts = { .timeout_ms = DEADLINE_MS };
	struct tern_result result;

	(void)number;
	tern_call(fd, &tern_server, procedure, request, len,
		  reply, LEDGER_REPLY_MAX, &opts, &result);
	if (result.status)
		errx(1, "the ledger refused: status %u", result.status);
	ending->outcome = result.outcome;
	ending->cause = result.cause;
	ending->sent = 1;
	return result.reply_len;
}

static int udp_open(void)
{
	const struct timeval patience = { .tv_usec = RESEND_US };
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience,
				 sizeof(patience)))
		err(1, "UDP socket");
	return fd;
}

/* The loop that everybody writes. */
static size_t udp_call(int fd, uint32_t number, uint32_t procedure,
		       const void *request, size_t len,
		       char reply[LEDGER_REPLY_MAX], struct ending *ending)
{
	struct datagram out = {
		.number = htonl(number),
		.procedure = htonl(procedure),
	};
	struct datagram in;
	ssize_t got;

	memcpy(out.body, request, len);
	for (ending->sent = 1; ending->sent <= RESEND_MAX; ending->sent++) {
		sendto(fd, &out, DATAGRAM_HEADER + len, 0,
		       (const struct sockaddr *)&udp_server, sizeof(udp_server));
		do {
			got = recv(fd, &in, sizeof(in), 0);
		} while (got >= 0 && (got < (ssize_t)DATAGRAM_HEADER ||
				      in.number != out.number));
		if (got < 0)
			continue;
		ending->outcome = TERN_REPLIED;
		ending->cause = 0;
		memcpy(reply, in.body, got - DATAGRAM_HEADER);
		return got - DATAGRAM_HEADER;
	}
	ending->outcome = TERN_UNKNOWN;
	ending->cause = ETIMEDOUT;
	return 0;
}

static const struct transport transports[] = {
	{ "tern", tern_open, tern_transport_call, false },
	{ "udp", udp_open, udp_call, true },
};

static void record(const struct order *order, const struct ending *ending,
		   uint64_t us)
{
	char line[96];
	int size;

	size = snprintf(line, sizeof(line), "%u %u %u %d %u %llu\n", order->id,
			order->attempt, ending->outcome, ending->cause,
			ending->sent, (unsigned long long)us);
	if (write(calls_fd, line, size) != size)
		err(1, "writing the calls");
}

static void show_progress(void)
{
	unsigned int count = atomic_fetch_add(ended, 1) + 1;

	if (count * 10 / order_count != (count - 1) * 10 / order_count)
		dprintf(STDOUT_FILENO, "%u\n", count);
}

/*
 * What did not run can be tried again, as another call. What may have run
 * cannot: somebody has to look.
 */
static void make_transfer(int fd, struct order *order)
{
	uint64_t start = now_us(), us;
	char reply[LEDGER_REPLY_MAX];
	struct ending ending;

	for (order->attempt = 1;; order->attempt++) {
		struct order request = {
			.id = htonl(order->id),
			.attempt = htonl(order->attempt),
			.from = htonl(order->from),
			.to = htonl(order->to),
			.amount = htonl(order->amount),
		};

		transport->call(fd, order->id, LEDGER_TRANSFER, &request,
				sizeof(request), reply, &ending);
		us = now_us() - start;
		record(order, &ending, us);
		if (ending.outcome != TERN_NOT_EXECUTED || us > PATIENCE_US)
			break;
		usleep(PAUSE_US);
	}
	show_progress();
}

static void *make_transfers(void *arg)
{
	int fd = transport->per_thread ? transport->open() : shared_fd;
	unsigned int i;

	(void)arg;
	while ((i = atomic_fetch_add(&next_order, 1)) < end_order)
		make_transfer(fd, &orders[i]);
	return NULL;
}

static void run_process(unsigned int process)
{
	pthread_t threads[THREADS];
	int error;

	atomic_store(&next_order, (uint64_t)order_count * process / PROCESSES);
	end_order = (uint64_t)order_count * (process + 1) / PROCESSES;
	shared_fd = transport->per_thread ? -1 : transport->open();
	for (int i = 0; i < THREADS; i++) {
		error = pthread_create(&threads[i], NULL, make_transfers, NULL);
		if (error)
			errx(1, "thread: %s", strerror(error));
	}
	for (int i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
}

static void read_orders(const char *path)
{
	FILE *file = fopen(path, "r");
	struct order order = { 0 };

	if (!file)
		err(1, "%s", path);
	while (fscanf(file, "%u %u %u %u", &order.id, &order.from, &order.to,
		      &order.amount) == 4) {
		orders = realloc(orders, (order_count + 1) * sizeof(order));
		if (!orders)
			err(1, "%s", path);
		orders[order_count++] = order;
	}
	if (!feof(file) || !order_count)
		errx(1, "%s: line %u is no transfer", path, order_count + 1);
	fclose(file);
}

static int run(const char *transfers, const char *calls)
{
	int status, result = 0;

	read_orders(transfers);
	calls_fd = open(calls, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0666);
	if (calls_fd < 0)
		err(1, "%s", calls);
	ended = mmap(NULL, sizeof(*ended), PROT_READ | PROT_WRITE,
		     MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (ended == MAP_FAILED)
		err(1, "mmap");
	for (unsigned int i = 0; i < PROCESSES; i++) {
		switch (fork()) {
		case -1:
			err(1, "fork");
		case 0:
			run_process(i);
			exit(0);
		}
	}
	while (wait(&status) > 0)
		if (!WIFEXITED(status) || WEXITSTATUS(status))
			result = 1;
	return result;
}

static int print_balances(void)
{
	char reply[LEDGER_REPLY_MAX];
	struct ending ending;
	uint64_t balance;
	size_t len;

	len = transport->call(transport->open(), 0, LEDGER_AUDIT, "", 0, reply,
			      &ending);
	if (len != sizeof(reply))
		errx(1, "audit: %s", strerror(ending.cause));
	for (size_t i = 0; i < len; i += sizeof(balance)) {
		memcpy(&balance, reply + i, sizeof(balance));
		printf("%lld\n", (long long)be64toh(balance));
	}
	return 0;
}

int main(int argc, char **argv)
{
	const struct transport *end = transports + 2, *found = transports;

	while (found < end && (argc < 2 || strcmp(argv[1], found->name)))
		found++;
	if (found == end || (argc != 3 && argc != 5))
		errx(2, "usage: teller tern|udp HOST [TRANSFERS CALLS]");
	transport = found;

	udp_server.sin_family = AF_INET;
	if (!inet_aton(argv[2], &udp_server.sin_addr))
		errx(2, "%s is no IPv4 address", argv[2]);
	/* Port 0 is the one that the local node of Tern uses. */
	tern_addr_set(&tern_server, (const struct sockaddr *)&udp_server,
		      LEDGER_PROGRAM, LEDGER_VERSION);
	udp_server.sin_port = htons(LEDGER_PORT);
	return argc == 5 ? run(argv[3], argv[4]) : print_balances();
}
