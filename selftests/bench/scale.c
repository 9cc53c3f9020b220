// SPDX-License-Identifier: GPL-2.0
/*
 * Test: none
 *
 * Many nodes that call the counting service of one: each has an address of its
 * own, and does not acknowledge what it is replied to.
 *
 *   scale SERVER PROGRAM FIRST
 *
 * The addresses begin with FIRST. Prints, as names and numbers, what the slots
 * and the cached calls of the server take in memory, and how long a duplicate
 * takes from its sending until the reply from the cache is here, with few and
 * with many peers and cached replies. Ends with an error when an answer is not
 * the one that is due.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../tools/ternbench/bench.h"
#include "../../tools/ternbench/clock.h"
#include "../../tools/ternbench/node.h"
#include "../net/count.h"

#define PORT		18018
#define SAMPLES		1001
#define REPLY_LEN	64

/* The first peers have more slots, and all their replies stay cached. */
#define PEERS		10000
#define PEERS_FEW	10
#define SLOTS		10
#define CACHED_FEW	(PEERS_FEW * NODE_SLOTS)
#define CACHED		100000
/* Of the other peers, those that leave replies in all their slots. */
#define PEERS_CACHED	((CACHED - CACHED_FEW) / SLOTS)

noreturn void fail(const char *format, ...)
{
	va_list args;

	fputs("scale: ", stderr);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputc('\n', stderr);
	exit(1);
}

noreturn void fail_errno(const char *what)
{
	fail("%s: %s", what, strerror(errno));
}

static void write_request(void *data, unsigned int n, unsigned int slot,
			  uint32_t seq)
{
	const struct count_request request = {
		.id = (uint64_t)seq << 32 | n << 8 | slot,
		.reply_len = REPLY_LEN,
	};

	memcpy(data, &request, sizeof(request));
}

static int compare(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

/*
 * The median time of duplicates to slots of these peers, spread evenly. A first one,
 * which is not measured, has the server look for the way to the peer, should the
 * routes of the system have changed since.
 */
static uint64_t duplicate_ns(unsigned int from, unsigned int count,
			     unsigned int slots)
{
	static uint64_t took[SAMPLES];
	struct node_packet packet;

	for (unsigned int i = 0; i < SAMPLES; i++) {
		unsigned int n = from + (uint64_t)i * count / SAMPLES;
		unsigned int slot = i % slots;

		node_make_request(&packet, n, slot);
		node_transmit(&packet);
		node_expect_again(n, slot);
		took[i] = clock_ns();
		node_transmit(&packet);
		node_expect_again(n, slot);
		took[i] = clock_ns() - took[i];
	}
	qsort(took, SAMPLES, sizeof(took[0]), compare);
	return took[SAMPLES / 2];
}

static long slab_bytes(void)
{
	FILE *file = fopen("/proc/meminfo", "r");
	char line[128];
	long kib = 0;

	if (!file)
		fail_errno("meminfo");
	while (fgets(line, sizeof(line), file))
		sscanf(line, "Slab: %ld", &kib);
	fclose(file);
	return kib * 1024;
}

static void print(const char *name, double value)
{
	printf("%s %.1f\n", name, value);
	fflush(stdout);
}

int main(int argc, char **argv)
{
	unsigned int n, others = PEERS - PEERS_FEW;
	struct node_service service = {
		.address.sin_family = AF_INET,
		.address.sin_port = htons(PORT),
		.procedure = COUNT_PROCEDURE,
		.request = write_request,
		.request_len = sizeof(struct count_request),
		.reply_len = REPLY_LEN,
	};
	struct in_addr first;
	long before, after;

	if (argc != 4 || !inet_aton(argv[1], &service.address.sin_addr) ||
	    !inet_aton(argv[3], &first)) {
		fprintf(stderr, "scale SERVER PROGRAM FIRST\n");
		return 2;
	}
	service.program = atoi(argv[2]);
	service.first = ntohl(first.s_addr);
	node_open(&service, PEERS);

	for (n = 0; n < PEERS_FEW; n++) {
		node_associate(n);
		node_call(n, NODE_SLOTS);
	}
	print("few-peers-few-cached", duplicate_ns(0, PEERS_FEW, NODE_SLOTS));

	before = slab_bytes();
	for (; n < PEERS; n++)
		node_associate(n);
	after = slab_bytes();
	print("bytes-per-association", (double)(after - before) / others);

	/* The memory for slots comes with the first call. */
	before = after;
	for (n = PEERS_FEW; n < PEERS; n++) {
		node_call(n, 1);
		node_acknowledge(n);
	}
	after = slab_bytes();
	print("bytes-per-server-slot", (double)(after - before) / others / 64);
	print("many-peers-few-cached", duplicate_ns(0, PEERS_FEW, NODE_SLOTS));

	before = after;
	for (n = PEERS_FEW; n < PEERS_FEW + PEERS_CACHED; n++)
		node_call(n, SLOTS);
	after = slab_bytes();
	print("bytes-per-cached-call", (double)(after - before) /
	      (PEERS_CACHED * SLOTS) - REPLY_LEN);
	print("many-peers-many-cached",
	      duplicate_ns(PEERS_FEW, PEERS_CACHED, SLOTS));
	print("executed", CACHED + others);
	return 0;
}
