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
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <linux/tern.h>

#include "../../kmod/wire.h"
#include "../crc32c.h"
#include "../net/count.h"

#define PORT		18018
#define PACKET_MAX	2048
#define SAMPLES		1001
#define REPLY_LEN	64
#define LEASE_MS	3600000

/* The first peers have more slots, and all their replies stay cached. */
#define PEERS		10000
#define PEERS_FEW	10
#define SLOTS_MOST	100
#define SLOTS		10
#define CACHED_FEW	(PEERS_FEW * SLOTS_MOST)
#define CACHED		100000
/* Of the other peers, those that leave replies in all their slots. */
#define PEERS_CACHED	((CACHED - CACHED_FEW) / SLOTS)
/* Requests that are sent before their replies are awaited. */
#define BATCH		20

struct peer {
	uint64_t	remote;		/* the server's id of the association */
	unsigned int	offered;	/* slots */
	uint32_t	seq[SLOTS_MOST];
};

static struct peer peers[PEERS];
static struct sockaddr_in server = { .sin_family = AF_INET };
static uint32_t first, program;
static int fd;

static void die(const char *what)
{
	perror(what);
	exit(1);
}

static void wrong(const char *what, unsigned int peer)
{
	fprintf(stderr, "scale: peer %u: %s\n", peer, what);
	exit(1);
}

static uint64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000000000ULL + now.tv_nsec;
}

/* A packet that is ready to be sent from the address of its peer. */
struct packet {
	unsigned char	data[PACKET_MAX] __attribute__((aligned(8)));
	struct iovec	iov;
	char		control[CMSG_SPACE(sizeof(struct in_pktinfo))]
		__attribute__((aligned(8)));
	struct msghdr	msg;
};

static void make(struct packet *packet, unsigned int n,
		 struct tern_wire_pkt *pkt, const void *data, size_t len)
{
	struct in_pktinfo info = { .ipi_spec_dst.s_addr = htonl(first + n) };
	unsigned char *buf = packet->data;
	struct cmsghdr *cmsg;
	unsigned int hdr;

	pkt->src = n + 1;
	pkt->dst = peers[n].remote;
	pkt->tsval = now_ns() / 1000;
	pkt->slots = 64;
	hdr = tern_wire_encode(pkt, buf);
	memcpy(buf + hdr, data, len);
	len += hdr;
	tern_wire_set_check(buf, crc32c(tern_wire_check_seed(buf),
					buf + TERN_WIRE_CHECK_FROM,
					len - TERN_WIRE_CHECK_FROM));

	packet->iov = (struct iovec){ buf, len };
	packet->msg = (struct msghdr){
		.msg_name = &server,
		.msg_namelen = sizeof(server),
		.msg_iov = &packet->iov,
		.msg_iovlen = 1,
		.msg_control = packet->control,
		.msg_controllen = sizeof(packet->control),
	};
	cmsg = CMSG_FIRSTHDR(&packet->msg);
	cmsg->cmsg_level = IPPROTO_IP;
	cmsg->cmsg_type = IP_PKTINFO;
	cmsg->cmsg_len = CMSG_LEN(sizeof(info));
	memcpy(CMSG_DATA(cmsg), &info, sizeof(info));
}

static void transmit(const struct packet *packet)
{
	if (sendmsg(fd, &packet->msg, 0) < 0)
		die("send");
}

static void send_packet(unsigned int n, struct tern_wire_pkt *pkt,
			const void *data, size_t len)
{
	struct packet packet;

	make(&packet, n, pkt, data, len);
	transmit(&packet);
}

static void receive_any(unsigned int n, struct tern_wire_pkt *pkt)
{
	static unsigned char buf[PACKET_MAX] __attribute__((aligned(8)));
	ssize_t len = recv(fd, buf, sizeof(buf), 0);

	if (len < 0)
		die("receive");
	if (tern_wire_decode(pkt, buf, len) != TERN_WIRE_OK)
		wrong("a packet that is not understood", n);
	if (pkt->dst != n + 1)
		wrong("a packet for another peer", n);
}

/*
 * The next packet, which must be for this peer and of this type.  BUSY may come
 * before, when more slots are offered.
 */
static void receive(unsigned int n, unsigned int type,
		    struct tern_wire_pkt *pkt)
{
	do {
		receive_any(n, pkt);
	} while (pkt->type == TERN_PKT_BUSY);
	if (pkt->type != type)
		wrong("another packet", n);
}

static void associate(unsigned int n)
{
	struct tern_wire_pkt hello = {
		.type = TERN_PKT_HELLO,
		.hello = { .epoch = n + 1, .lease_ms = LEASE_MS, .mtu = 1400 },
	};
	struct tern_wire_pkt answer;

	send_packet(n, &hello, NULL, 0);
	receive(n, TERN_PKT_COOKIE, &answer);
	hello.hello.cookie = answer.hello.cookie;
	send_packet(n, &hello, NULL, 0);
	receive(n, TERN_PKT_WELCOME, &answer);
	peers[n].remote = answer.src;
	peers[n].offered = answer.slots;
}

/* The request of a slot's last call, always with the same content. */
static void make_request(struct packet *packet, unsigned int n,
			 unsigned int slot)
{
	uint64_t seq = peers[n].seq[slot];
	struct count_request request = {
		.id = seq << 32 | n << 8 | slot,
		.reply_len = REPLY_LEN,
	};
	uint32_t identity[] = { htonl(program), htonl(1),
				htonl(COUNT_PROCEDURE), htonl(sizeof(request)) };
	uint32_t digest = crc32c(~0U, identity, sizeof(identity));
	struct tern_wire_pkt pkt = {
		.type = TERN_PKT_REQ,
		.slot = slot,
		.seq = seq,
		.req = {
			.program = program,
			.version = 1,
			.procedure = COUNT_PROCEDURE,
			.time_left_ms = LEASE_MS,
		},
		.seg = {
			.total = sizeof(request),
			.size = sizeof(request),
			.digest = crc32c(digest, &request, sizeof(request)),
		},
	};

	make(packet, n, &pkt, &request, sizeof(request));
}

static void expect_reply(unsigned int n, unsigned int flags, unsigned int slot)
{
	struct tern_wire_pkt pkt;

	receive(n, TERN_PKT_REP, &pkt);
	if (pkt.slot >= SLOTS_MOST || pkt.seq != peers[n].seq[pkt.slot] ||
	    pkt.slot != slot)
		wrong("a reply to another call", n);
	if (pkt.rep.outcome != TERN_REPLIED || pkt.rep.status ||
	    pkt.seg.total != REPLY_LEN || pkt.flags != flags)
		wrong("another reply", n);
	peers[n].offered = pkt.slots;
}

/* New calls in the first slots. */
static void call(unsigned int n, unsigned int slots)
{
	struct packet packet;
	unsigned int i, end;

	for (i = 0; i < slots; i = end) {
		end = i + BATCH < slots ? i + BATCH : slots;
		if (end > peers[n].offered)
			wrong("too few slots are offered", n);
		for (unsigned int slot = i; slot < end; slot++) {
			peers[n].seq[slot]++;
			make_request(&packet, n, slot);
			transmit(&packet);
		}
		for (unsigned int slot = i; slot < end; slot++)
			expect_reply(n, 0, slot);
	}
}

static void acknowledge(unsigned int n)
{
	struct tern_wire_pkt pkt = { .type = TERN_PKT_ACK, .ack.count = 1 };
	struct tern_wire_ack ack = { .slot = 0, .seq = peers[n].seq[0] };
	uint64_t entry;

	tern_wire_put_ack(&entry, 0, &ack);
	send_packet(n, &pkt, &entry, sizeof(entry));
}

static int compare(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

/* The median time of duplicates to slots of these peers, spread evenly. */
static uint64_t duplicate_ns(unsigned int from, unsigned int count,
			     unsigned int slots)
{
	static uint64_t took[SAMPLES];
	struct packet packet;

	for (unsigned int i = 0; i < SAMPLES; i++) {
		unsigned int n = from + (uint64_t)i * count / SAMPLES;
		unsigned int slot = i % slots;

		make_request(&packet, n, slot);
		took[i] = now_ns();
		transmit(&packet);
		expect_reply(n, TERN_WIRE_AGAIN, slot);
		took[i] = now_ns() - took[i];
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
		die("meminfo");
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

static void open_socket(void)
{
	struct sockaddr_in any = { .sin_family = AF_INET,
				   .sin_port = htons(PORT) };
	struct timeval limit = { .tv_sec = 10 };

	fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0 || bind(fd, (struct sockaddr *)&any, sizeof(any)) ||
	    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit)))
		die("socket");
}

int main(int argc, char **argv)
{
	unsigned int n, others = PEERS - PEERS_FEW;
	struct in_addr address;
	long before, after;

	if (argc != 4 || !inet_aton(argv[1], &server.sin_addr) ||
	    !inet_aton(argv[3], &address)) {
		fprintf(stderr, "scale SERVER PROGRAM FIRST\n");
		return 2;
	}
	server.sin_port = htons(PORT);
	program = atoi(argv[2]);
	first = ntohl(address.s_addr);
	open_socket();

	for (n = 0; n < PEERS_FEW; n++) {
		associate(n);
		call(n, SLOTS_MOST);
	}
	print("few-peers-few-cached", duplicate_ns(0, PEERS_FEW, SLOTS_MOST));

	before = slab_bytes();
	for (; n < PEERS; n++)
		associate(n);
	after = slab_bytes();
	print("bytes-per-association", (double)(after - before) / others);

	/* The memory for slots comes with the first call. */
	before = after;
	for (n = PEERS_FEW; n < PEERS; n++) {
		call(n, 1);
		acknowledge(n);
	}
	after = slab_bytes();
	print("bytes-per-server-slot", (double)(after - before) / others / 64);
	print("many-peers-few-cached", duplicate_ns(0, PEERS_FEW, SLOTS_MOST));

	before = after;
	for (n = PEERS_FEW; n < PEERS_FEW + PEERS_CACHED; n++)
		call(n, SLOTS);
	after = slab_bytes();
	print("bytes-per-cached-call", (double)(after - before) /
	      (PEERS_CACHED * SLOTS) - REPLY_LEN);
	print("many-peers-many-cached",
	      duplicate_ns(PEERS_FEW, PEERS_CACHED, SLOTS));
	print("executed", CACHED + others);
	return 0;
}
