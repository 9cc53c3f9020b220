// SPDX-License-Identifier: GPL-2.0
/* What a duplicate of a request costs. */
#include <arpa/inet.h>

#include <linux/tern.h>

#include "clock.h"
#include "duplicate.h"
#include "node.h"
#include "peer.h"
#include "place.h"

/* Before those that count. */
#define WARM_BATCHES	4
#define FIRST_ADDRESS	0x0a140001	/* 10.20.0.1 */
#define REPLY_LEN	64

void duplicate_set_up(void)
{
	place_run(PLACE_NET, END_CLIENT,
		  "ip route replace local 10.20.0.0/16 dev lo");
	place_run(PLACE_NET, END_SERVER,
		  "ip route replace 10.20.0.0/16 via 10.18.0.1");
	/* with nothing left of the last cell */
	place_run(PLACE_NET, END_SERVER, "tern down");
	place_run(PLACE_NET, END_SERVER, "tern up allow 10.20.0.0/16 %s",
		  "lease 1h peers 65536 cache-net 4G");
}

static void write_request(void *data, unsigned int n, unsigned int slot,
			  uint32_t seq)
{
	struct message *request = data;

	(void)seq;
	*request = (struct message){
		.len = sizeof(*request),
		.reply_len = REPLY_LEN,
		.id = n * NODE_SLOTS + slot,
	};
}

/* Nodes whose replies are all cached. */
static void make_nodes(unsigned int count, unsigned int slots)
{
	struct node_service service = {
		.address = place_server(PLACE_NET),
		.first = FIRST_ADDRESS,
		.program = BENCH_PROGRAM,
		.procedure = BENCH_PROCEDURE,
		.request = write_request,
		.request_len = sizeof(struct message),
		.reply_len = REPLY_LEN,
	};

	service.address.sin_port = htons(TERN_PORT);
	node_open(&service, count);
	for (unsigned int n = 0; n < count; n++) {
		node_associate(n);
		node_call(n, slots);
	}
}

static void send_batches(const struct work *work, uint64_t *stamps)
{
	struct node_packet packet;

	node_make_request(&packet, 0, 0);
	for (unsigned int batch = 0; batch < WARM_BATCHES + BATCHES; batch++) {
		for (unsigned int i = 0; i < work->calls; i++) {
			node_transmit(&packet);
			clock_call();
		}
		/* the last warm one begins the first */
		if (batch + 1 >= WARM_BATCHES)
			stamps[batch + 1 - WARM_BATCHES] =
				clock_stamp(batch + 1 - WARM_BATCHES);
	}
}

static void drop_arriving(enum end end)
{
	place_run(PLACE_NET, end, "tc qdisc add dev eth0 clsact");
	place_run(PLACE_NET, end,
		  "tc filter add dev eth0 ingress matchall action drop");
}

static void drop_no_more(enum end end)
{
	place_run(PLACE_NET, end, "tc qdisc del dev eth0 clsact");
}

void duplicate_send(const struct work *work, uint64_t *stamps, uint64_t *base)
{
	make_nodes(1, 1);
	drop_arriving(END_CLIENT);
	send_batches(work, stamps);
	drop_arriving(END_SERVER);
	send_batches(work, base);
	drop_no_more(END_SERVER);
	drop_no_more(END_CLIENT);
}

void duplicate_call(const struct work *work, uint64_t *stamps)
{
	unsigned int count = work->records / NODE_SLOTS, i = 0;
	struct node_packet packet;

	make_nodes(count, NODE_SLOTS);
	for (unsigned int batch = 0; batch < WARM_BATCHES + BATCHES; batch++) {
		for (unsigned int call = 0; call < work->calls; call++, i++) {
			/* each batch from all of them, evenly */
			unsigned int n = (uint64_t)call * count / work->calls;

			node_make_request(&packet, n, i % NODE_SLOTS);
			node_transmit(&packet);
			node_expect_again(n, i % NODE_SLOTS);
			clock_call();
		}
		/* the last warm one begins the first */
		if (batch + 1 >= WARM_BATCHES)
			stamps[batch + 1 - WARM_BATCHES] =
				clock_stamp(batch + 1 - WARM_BATCHES);
	}
}
