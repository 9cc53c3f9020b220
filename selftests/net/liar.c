// SPDX-License-Identifier: GPL-2.0
/*
 * Test: none
 *
 * A node that knows the protocol and lies: it makes associations with whoever
 * asks, and answers each request
 *
 *   liar bye      by ending the association
 *   liar stale    by saying that it does not know the association
 *   liar twice    with two replies of different content
 *   liar parts    with all of a large reply but its last segment
 *   liar resend   by asking for all of it once more, twice
 *
 * Once it is ready it prints a line. Ends by SIGTERM.
 */
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "../../kmod/wire.c"
#include "../crc32c.h"

#define PORT		18018
#define SEGMENT		1024
#define TOTAL		65536

static struct sockaddr_in6 to;
static int sock;

static void die(const char *what)
{
	perror(what);
	exit(1);
}

static void post(struct tern_wire_pkt *pkt, const void *content, size_t len)
{
	unsigned char buf[2048];
	unsigned int head = tern_wire_encode(pkt, buf);

	memcpy(buf + head, content, len);
	tern_wire_set_check(buf, crc32c(tern_wire_check_seed(buf),
					buf + TERN_WIRE_CHECK_FROM,
					head + len - TERN_WIRE_CHECK_FROM));
	/* a caller that is gone says so by an error */
	sendto(sock, buf, head + len, 0, (void *)&to, sizeof(to));
}

static void welcome(const struct tern_wire_pkt *hello)
{
	struct tern_wire_pkt pkt = {
		.type = TERN_PKT_WELCOME,
		.dst = hello->src,
		.src = hello->src ^ 1,
		.slots = 64,
		.tsecr = hello->tsval,
		.hello = { .epoch = 1, .lease_ms = 60000, .mtu = 1400 },
	};

	post(&pkt, NULL, 0);
}

static void reply(struct tern_wire_pkt *pkt, const char *content)
{
	pkt->seg.total = strlen(content);
	pkt->seg.size = pkt->seg.total;
	post(pkt, content, pkt->seg.total);
}

static void answer(const char *mode, const struct tern_wire_pkt *req)
{
	static const char zeros[SEGMENT];
	struct tern_wire_pkt pkt = {
		.type = TERN_PKT_REP,
		.dst = req->src,
		.src = req->dst,
		.seq = req->seq,
		.slot = req->slot,
		.slots = 64,
		.tsecr = req->tsval,
	};

	if (!strcmp(mode, "bye")) {
		pkt.type = TERN_PKT_BYE;
		post(&pkt, NULL, 0);
	} else if (!strcmp(mode, "stale")) {
		pkt.type = TERN_PKT_STALE;
		pkt.slots = 0;
		pkt.stale.epoch = 1;
		pkt.stale.ended_age_ms = TERN_WIRE_AGE_UNKNOWN;
		post(&pkt, NULL, 0);
	} else if (!strcmp(mode, "twice")) {
		reply(&pkt, "first");
		reply(&pkt, "second");
	} else if (!strcmp(mode, "resend")) {
		pkt.type = TERN_PKT_RESEND;
		pkt.resend.bits = 8;
		post(&pkt, "\xff", 1);
		post(&pkt, "\xff", 1);
	} else {
		pkt.seg.total = TOTAL;
		pkt.seg.size = SEGMENT;
		for (; pkt.seg.offset < TOTAL - SEGMENT; pkt.seg.offset += SEGMENT)
			post(&pkt, zeros, SEGMENT);
	}
}

int main(int argc, char **argv)
{
	struct sockaddr_in6 any = {
		.sin6_family = AF_INET6,
		.sin6_port = htons(PORT),
	};

	if (argc != 2)
		return 2;
	sock = socket(AF_INET6, SOCK_DGRAM, 0);
	if (sock < 0 || bind(sock, (void *)&any, sizeof(any)))
		die("socket");
	puts("ready");
	fflush(stdout);
	for (;;) {
		socklen_t to_len = sizeof(to);
		struct tern_wire_pkt pkt;
		unsigned char buf[65536];
		ssize_t len = recvfrom(sock, buf, sizeof(buf), 0, (void *)&to,
				       &to_len);

		/* errors that earlier packets met */
		if (len < 0 || tern_wire_decode(&pkt, buf, len))
			continue;
		if (pkt.type == TERN_PKT_HELLO)
			welcome(&pkt);
		else if (pkt.type == TERN_PKT_REQ)
			answer(argv[1], &pkt);
	}
}
