/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Many nodes of Tern in one process, which speak the protocol by themselves and
 * call one service.  Each has an address of its own, and does not acknowledge
 * what it is replied to.
 */
#ifndef TERNBENCH_NODE_H
#define TERNBENCH_NODE_H

#include <netinet/in.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#define NODE_PACKET_MAX	2048
#define NODE_SLOTS	100

/*
 * struct node_service - what is called
 * @address: of its node, with the port
 * @first: address of the first of the nodes that call
 * @request: writes the request of a call, the same one each time
 * @request_len, @reply_len: lengths of all requests and replies
 */
struct node_service {
	struct sockaddr_in	address;
	uint32_t		first;
	uint32_t		program;
	uint32_t		procedure;
	void (*request)(void *data, unsigned int node, unsigned int slot,
			uint32_t seq);
	size_t			request_len;
	size_t			reply_len;
};

/* A packet that is ready to be sent from the address of its node. */
struct node_packet {
	unsigned char	data[NODE_PACKET_MAX] __attribute__((aligned(8)));
	struct iovec	iov;
	char		control[CMSG_SPACE(sizeof(struct in_pktinfo))]
		__attribute__((aligned(8)));
	struct msghdr	msg;
};

/* @count nodes, of which each function below has the number of one. */
void node_open(const struct node_service *service, unsigned int count);
void node_associate(unsigned int n);
/* Makes new calls in the first @slots slots and awaits their replies. */
void node_call(unsigned int n, unsigned int slots);
/* Acknowledges the reply in the first slot. */
void node_acknowledge(unsigned int n);
/* The request of the slot's last call. */
void node_make_request(struct node_packet *packet, unsigned int n,
		       unsigned int slot);
void node_transmit(const struct node_packet *packet);
/* The next packet must be the reply in that slot, sent once more. */
void node_expect_again(unsigned int n, unsigned int slot);

#endif
