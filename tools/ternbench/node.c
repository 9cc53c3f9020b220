// SPDX-License-Identifier: GPL-2.0
/* Many nodes of Tern in one process; see node.h. */
#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <linux/tern.h>

#include "../../kmod/wire.h"
#include "../../selftests/crc32c.h"
#include "bench.h"
#include "clock.h"
#include "node.h"

#define LEASE_MS	3600000
/* Requests that are sent before their replies are awaited. */
#define BATCH		20

struct node {
	uint64_t	remote;		/* the server's id of the association */
	unsigned int	offered;	/* slots */
	uint32_t	seq[NODE_SLOTS];
};

static struct node *nodes;
static struct node_service service;
static int fd;

static noreturn void wrong(const char *what, unsigned int n)
{
	fail("node %u: %s", n, what);
}

static void make(struct node_packet *packet, unsigned int n,
		 struct tern_wire_pkt *pkt, const void *data, size_t len)
{
	struct in_pktinfo info = { .ipi_spec_dst.s_addr = htonl(service.first + n) };
	unsigned char *buf = packet->data;
	struct cmsghdr *cmsg;
	unsigned int hdr;

	pkt->src = n + 1;
	pkt->dst = nodes[n].remote;
	pkt->tsval = clock_ns() / 1000;
	pkt->slots = 64;
	hdr = tern_wire_encode(pkt, buf);
	if (len)
		memcpy(buf + hdr, data, len);
	len += hdr;
	tern_wire_set_check(buf, crc32c(tern_wire_check_seed(buf),
					buf + TERN_WIRE_CHECK_FROM,
					len - TERN_WIRE_CHECK_FROM));

	packet->iov = (struct iovec){ buf, len };
	packet->msg = (struct msghdr){
		.msg_name = &service.address,
		.msg_namelen = sizeof(service.address),
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

void node_transmit(const struct node_packet *packet)
{
	if (sendmsg(fd, &packet->msg, 0) < 0)
		fail_errno("send");
}

static void send_packet(unsigned int n, struct tern_wire_pkt *pkt,
			const void *data, size_t len)
{
	struct node_packet packet;

	make(&packet, n, pkt, data, len);
	node_transmit(&packet);
}

static void receive_any(unsigned int n, struct tern_wire_pkt *pkt)
{
	static unsigned char buf[NODE_PACKET_MAX] __attribute__((aligned(8)));
	ssize_t len = recv(fd, buf, sizeof(buf), 0);

	if (len < 0)
		fail_errno("receive");
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

void node_associate(unsigned int n)
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
	nodes[n].remote = answer.src;
	nodes[n].offered = answer.slots;
}

void node_make_request(struct node_packet *packet, unsigned int n,
		       unsigned int slot)
{
	uint32_t seq = nodes[n].seq[slot];
	uint32_t identity[] = { htonl(service.program), htonl(1),
				htonl(service.procedure),
				htonl(service.request_len) };
	unsigned char data[NODE_PACKET_MAX];
	struct tern_wire_pkt pkt = {
		.type = TERN_PKT_REQ,
		.slot = slot,
		.seq = seq,
		.req = {
			.program = service.program,
			.version = 1,
			.procedure = service.procedure,
			.time_left_ms = LEASE_MS,
		},
		.seg = {
			.total = service.request_len,
			.size = service.request_len,
		},
	};

	service.request(data, n, slot, seq);
	pkt.seg.digest = crc32c(crc32c(~0U, identity, sizeof(identity)), data,
				service.request_len);
	make(packet, n, &pkt, data, service.request_len);
}

static void expect_reply(unsigned int n, unsigned int flags, unsigned int slot)
{
	struct tern_wire_pkt pkt;

	receive(n, TERN_PKT_REP, &pkt);
	if (pkt.slot >= NODE_SLOTS || pkt.seq != nodes[n].seq[pkt.slot] ||
	    pkt.slot != slot)
		wrong("a reply to another call", n);
	if (pkt.rep.outcome != TERN_REPLIED || pkt.rep.status ||
	    pkt.seg.total != service.reply_len || pkt.flags != flags)
		wrong("another reply", n);
	nodes[n].offered = pkt.slots;
}

void node_call(unsigned int n, unsigned int slots)
{
	struct node_packet packet;
	unsigned int i, end;

	for (i = 0; i < slots; i = end) {
		end = i + BATCH < slots ? i + BATCH : slots;
		if (end > nodes[n].offered)
			wrong("too few slots are offered", n);
		for (unsigned int slot = i; slot < end; slot++) {
			nodes[n].seq[slot]++;
			node_make_request(&packet, n, slot);
			node_transmit(&packet);
		}
		for (unsigned int slot = i; slot < end; slot++)
			expect_reply(n, 0, slot);
	}
}

void node_acknowledge(unsigned int n)
{
	struct tern_wire_pkt pkt = { .type = TERN_PKT_ACK, .ack.count = 1 };
	struct tern_wire_ack ack = { .slot = 0, .seq = nodes[n].seq[0] };
	uint64_t entry;

	tern_wire_put_ack(&entry, 0, &ack);
	send_packet(n, &pkt, &entry, sizeof(entry));
}

void node_expect_again(unsigned int n, unsigned int slot)
{
	expect_reply(n, TERN_WIRE_AGAIN, slot);
}

void node_open(const struct node_service *to, unsigned int count)
{
	struct sockaddr_in any = { .sin_family = AF_INET };
	struct timeval limit = { .tv_sec = 10 };

	service = *to;
	nodes = calloc(count, sizeof(*nodes));
	if (!nodes)
		fail_errno("memory for nodes");
	fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0 || bind(fd, (struct sockaddr *)&any, sizeof(any)) ||
	    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit)))
		fail_errno("socket");
}
