// SPDX-License-Identifier: GPL-2.0
/* Calls through io_uring, by its bare system calls. */
#include <linux/io_uring.h>
#include <sys/select.h>

#include "tern_test.h"

enum { ENTRIES = 16 };

struct ring {
	int fd;
	unsigned int *sq_tail, *sq_mask, *sq_array;
	unsigned int *cq_head, *cq_tail, *cq_mask;
	struct io_uring_sqe *sqes;
	struct io_uring_cqe *cqes;
	unsigned int pending;
	void *map;
	size_t map_size, sqes_size;
};

static int ring_open(struct ring *ring)
{
	struct io_uring_params p = { 0 };
	size_t size, cq_size;
	char *map;

	ring->fd = syscall(__NR_io_uring_setup, ENTRIES, &p);
	if (ring->fd < 0)
		return -1;
	size = p.sq_off.array + p.sq_entries * sizeof(unsigned int);
	cq_size = p.cq_off.cqes + p.cq_entries * sizeof(struct io_uring_cqe);
	if (cq_size > size)
		size = cq_size;
	map = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, ring->fd,
		   IORING_OFF_SQ_RING);
	ring->map = map;
	ring->map_size = size;
	ring->sqes_size = p.sq_entries * sizeof(struct io_uring_sqe);
	ring->sqes = mmap(NULL, ring->sqes_size, PROT_READ | PROT_WRITE,
			  MAP_SHARED, ring->fd, IORING_OFF_SQES);
	if (map == MAP_FAILED || ring->sqes == MAP_FAILED)
		return -1;
	ring->sq_tail = (void *)(map + p.sq_off.tail);
	ring->sq_mask = (void *)(map + p.sq_off.ring_mask);
	ring->sq_array = (void *)(map + p.sq_off.array);
	ring->cq_head = (void *)(map + p.cq_off.head);
	ring->cq_tail = (void *)(map + p.cq_off.tail);
	ring->cq_mask = (void *)(map + p.cq_off.ring_mask);
	ring->cqes = (void *)(map + p.cq_off.cqes);
	ring->pending = 0;
	return 0;
}

/* The maps are references to the ring, too. */
static void ring_close(struct ring *ring)
{
	munmap(ring->sqes, ring->sqes_size);
	munmap(ring->map, ring->map_size);
	close(ring->fd);
}

static struct io_uring_sqe *ring_add(struct ring *ring, int op, int fd,
				     const void *addr, uint64_t user_data)
{
	unsigned int tail = *ring->sq_tail, i = tail & *ring->sq_mask;
	struct io_uring_sqe *sqe = &ring->sqes[i];

	memset(sqe, 0, sizeof(*sqe));
	sqe->opcode = op;
	sqe->fd = fd;
	sqe->addr = (uintptr_t)addr;
	sqe->len = 1;
	sqe->user_data = user_data;
	ring->sq_array[i] = i;
	__atomic_store_n(ring->sq_tail, tail + 1, __ATOMIC_RELEASE);
	ring->pending++;
	return sqe;
}

static int ring_submit(struct ring *ring, unsigned int wait)
{
	int ret = syscall(__NR_io_uring_enter, ring->fd, ring->pending, wait,
			  wait ? IORING_ENTER_GETEVENTS : 0, NULL, 0);

	if (ret >= 0)
		ring->pending -= ret;
	return ret;
}

/* Wait for one completion; its user_data. */
static uint64_t ring_next(struct ring *ring, int *res)
{
	unsigned int head = *ring->cq_head;
	struct io_uring_cqe *cqe;
	uint64_t user_data;

	while (__atomic_load_n(ring->cq_tail, __ATOMIC_ACQUIRE) == head)
		if (ring_submit(ring, 1) < 0)
			return UINT64_MAX;
	cqe = &ring->cqes[head & *ring->cq_mask];
	*res = cqe->res;
	user_data = cqe->user_data;
	__atomic_store_n(ring->cq_head, head + 1, __ATOMIC_RELEASE);
	return user_data;
}

static bool ring_empty(struct ring *ring)
{
	return __atomic_load_n(ring->cq_tail, __ATOMIC_ACQUIRE) ==
	       *ring->cq_head;
}

/* A message with its control message, to be sent or received. */
struct packet {
	struct msghdr msg;
	struct iovec iov;
	struct sockaddr_tern addr;
	char data[64];
	union {
		char buf[CONTROL_SPACE];
		struct cmsghdr align;
	} control;
};

static struct msghdr *packet_out(struct packet *p, int type,
				 const void *control, size_t control_len,
				 const char *text)
{
	struct cmsghdr *cmsg;

	memset(p, 0, sizeof(*p));
	memcpy(p->data, text, strlen(text));
	p->iov.iov_base = p->data;
	p->iov.iov_len = strlen(text);
	p->msg.msg_iov = &p->iov;
	p->msg.msg_iovlen = 1;
	p->msg.msg_control = &p->control;
	p->msg.msg_controllen = CMSG_SPACE(control_len);
	cmsg = CMSG_FIRSTHDR(&p->msg);
	cmsg->cmsg_level = SOL_TERN;
	cmsg->cmsg_type = type;
	cmsg->cmsg_len = CMSG_LEN(control_len);
	memcpy(CMSG_DATA(cmsg), control, control_len);
	return &p->msg;
}

static struct msghdr *packet_in(struct packet *p)
{
	memset(p, 0, sizeof(*p));
	p->iov.iov_base = p->data;
	p->iov.iov_len = sizeof(p->data);
	p->msg.msg_name = &p->addr;
	p->msg.msg_namelen = sizeof(p->addr);
	p->msg.msg_iov = &p->iov;
	p->msg.msg_iovlen = 1;
	p->msg.msg_control = &p->control;
	p->msg.msg_controllen = sizeof(p->control);
	return &p->msg;
}

/* The control data received, or NULL when it is not of that type. */
static const void *packet_control(struct packet *p, int type)
{
	struct cmsghdr *cmsg = CMSG_FIRSTHDR(&p->msg);

	return cmsg && cmsg->cmsg_level == SOL_TERN &&
	       cmsg->cmsg_type == type ? CMSG_DATA(cmsg) : NULL;
}

FIXTURE(iouring) {
	int server;
	int client;
	struct ring ring;
};

FIXTURE_SETUP(iouring)
{
	ASSERT_EQ(0, unshare(CLONE_NEWNET));
	self->server = service_open(PROGRAM, false, 0);
	ASSERT_LE(0, self->server);
	self->client = client_open(PROGRAM, 0);
	ASSERT_LE(0, self->client);
	if (ring_open(&self->ring))
		SKIP(return, "no io_uring: %s", strerror(errno));
}

FIXTURE_TEARDOWN(iouring)
{
	ring_close(&self->ring);
	close(self->client);
	close(self->server);
}

enum { CALL, REQUEST, REPLY, OUTCOME, POLL, CANCEL };

static void reply_to(struct __test_metadata *_metadata, struct ring *ring,
		     int server, struct packet *request, struct packet *reply)
{
	const struct tern_cmsg_request *r =
		packet_control(request, TERN_CMSG_REQUEST);
	struct tern_cmsg_reply control = { .status = 7 };

	ASSERT_NE(NULL, r);
	control.handle = r->handle;
	ring_add(ring, IORING_OP_SENDMSG, server,
		 packet_out(reply, TERN_CMSG_REPLY, &control, sizeof(control),
			    "reply"), REPLY);
}

static void check_outcome(struct __test_metadata *_metadata, struct packet *p)
{
	const struct tern_cmsg_outcome *o =
		packet_control(p, TERN_CMSG_OUTCOME);

	ASSERT_NE(NULL, o);
	EXPECT_EQ(33U, o->id);
	EXPECT_EQ((uint32_t)TERN_REPLIED, o->outcome);
	EXPECT_EQ(7U, o->status);
	EXPECT_STREQ("reply", p->data);
	EXPECT_EQ(PROGRAM, (int)p->addr.st_service);
}

static const struct tern_cmsg_call call_control = { .id = 33 };

/* Each step waits in the ring before there is anything to receive. */
TEST_F(iouring, receive_first)
{
	struct packet call, request, reply, outcome;
	struct ring *ring = &self->ring;
	int res;

	ring_add(ring, IORING_OP_RECVMSG, self->server, packet_in(&request),
		 REQUEST);
	ring_add(ring, IORING_OP_RECVMSG, self->client, packet_in(&outcome),
		 OUTCOME);
	ASSERT_EQ(2, ring_submit(ring, 0));
	EXPECT_TRUE(ring_empty(ring));
	ring_add(ring, IORING_OP_SENDMSG, self->client,
		 packet_out(&call, TERN_CMSG_CALL, &call_control,
			    sizeof(call_control), "request"), CALL);
	for (int i = 0; i < 2; i++) {
		uint64_t which = ring_next(ring, &res);

		EXPECT_TRUE(which == CALL || which == REQUEST);
		EXPECT_EQ(7, res);
	}
	EXPECT_STREQ("request", request.data);
	EXPECT_TRUE(ring_empty(ring));
	reply_to(_metadata, ring, self->server, &request, &reply);
	for (int i = 0; i < 2; i++) {
		uint64_t which = ring_next(ring, &res);

		EXPECT_TRUE(which == REPLY || which == OUTCOME);
		EXPECT_EQ(5, res);
	}
	check_outcome(_metadata, &outcome);
}

/* Call and wait for the outcome: two linked operations, one system call. */
TEST_F(iouring, linked)
{
	struct packet call, request, reply, outcome;
	struct ring *ring = &self->ring;
	int res;

	ring_add(ring, IORING_OP_SENDMSG, self->client,
		 packet_out(&call, TERN_CMSG_CALL, &call_control,
			    sizeof(call_control), "request"), CALL)->flags =
		IOSQE_IO_LINK;
	ring_add(ring, IORING_OP_RECVMSG, self->client, packet_in(&outcome),
		 OUTCOME);
	ASSERT_EQ(2, ring_submit(ring, 0));
	EXPECT_EQ((uint64_t)CALL, ring_next(ring, &res));
	EXPECT_EQ(7, res);
	ring_add(ring, IORING_OP_RECVMSG, self->server, packet_in(&request),
		 REQUEST);
	EXPECT_EQ((uint64_t)REQUEST, ring_next(ring, &res));
	reply_to(_metadata, ring, self->server, &request, &reply);
	for (int i = 0; i < 2; i++) {
		uint64_t which = ring_next(ring, &res);

		EXPECT_TRUE(which == REPLY || which == OUTCOME);
		EXPECT_EQ(5, res);
	}
	check_outcome(_metadata, &outcome);
}

/* Waits in the ring for what has not come yet. */
static void wait_for(struct __test_metadata *_metadata, struct ring *ring,
		     int fd, int events)
{
	struct io_uring_sqe *sqe = ring_add(ring, IORING_OP_POLL_ADD, fd, NULL,
					    POLL);

	sqe->poll32_events = events;
	sqe->len = 0;
	ASSERT_EQ(1, ring_submit(ring, 0));
	EXPECT_TRUE(ring_empty(ring));
}

TEST_F(iouring, poll)
{
	struct tern_cmsg_call start = { .id = 1 };
	int res;

	wait_for(_metadata, &self->ring, self->server, POLLIN);
	ASSERT_EQ(0, send_call(self->client, NULL, &start, "", 0));
	EXPECT_EQ((uint64_t)POLL, ring_next(&self->ring, &res));
	EXPECT_EQ(POLLIN, res & POLLIN);
}

/* An event, which does not make the socket readable. */
TEST_F(iouring, event)
{
	struct tern_cmsg_call start = { .id = 1 };
	struct timeval no_time = { 0 };
	struct message m;
	fd_set readable;
	char buf[8];
	int res;

	ASSERT_EQ(4, send_call(self->client, NULL, &start, "work", 4));
	ASSERT_EQ(4, receive(self->server, &m, buf, sizeof(buf), 0));
	wait_for(_metadata, &self->ring, self->server, POLLPRI | POLLRDBAND);
	close(self->client);
	EXPECT_EQ((uint64_t)POLL, ring_next(&self->ring, &res));
	EXPECT_EQ(POLLPRI, res & POLLPRI);
	FD_ZERO(&readable);
	FD_SET(self->server, &readable);
	EXPECT_EQ(0, select(self->server + 1, &readable, NULL, NULL, &no_time));
	self->client = client_open(PROGRAM, 0);
	EXPECT_TRUE(works(self->server, self->client));
}

TEST_F(iouring, cancel)
{
	struct ring *ring = &self->ring;
	int res, cancelled = 0;
	struct packet request;

	ring_add(ring, IORING_OP_RECVMSG, self->server, packet_in(&request),
		 REQUEST);
	ASSERT_EQ(1, ring_submit(ring, 0));
	ring_add(ring, IORING_OP_ASYNC_CANCEL, -1,
		 (void *)(uintptr_t)REQUEST, CANCEL)->len = 0;
	for (int i = 0; i < 2; i++) {
		if (ring_next(ring, &res) == REQUEST)
			cancelled = res;
		else
			EXPECT_EQ(0, res);
	}
	EXPECT_EQ(-ECANCELED, cancelled);
	EXPECT_TRUE(works(self->server, self->client));
}

/* A failure comes back as a result. */
TEST_F(iouring, errors)
{
	static const struct tern_cmsg_call bad = { .flags = 0x100 };
	struct ring *ring = &self->ring;
	struct packet call;
	int res;

	ring_add(ring, IORING_OP_SENDMSG, self->client,
		 packet_out(&call, TERN_CMSG_CALL, &bad, sizeof(bad), ""),
		 CALL);
	EXPECT_EQ((uint64_t)CALL, ring_next(ring, &res));
	EXPECT_EQ(-EINVAL, res);
}

/* The ring holds the socket, and lets go of it. */
TEST_F(iouring, ring_is_closed_while_waiting)
{
	struct tern_ioc_call c = { .timeout_ms = 30000 };
	struct ring *ring = &self->ring;
	struct packet request;

	ring_add(ring, IORING_OP_RECVMSG, self->server, packet_in(&request),
		 REQUEST);
	ASSERT_EQ(1, ring_submit(ring, 0));
	close(self->server);
	ring_close(ring);
	/*
	 * The request is either refused or dies with the socket.  The end of
	 * the ring may interrupt this task as a signal does.
	 */
	do {
		EXPECT_EQ(-1, call(self->client, &c, 1, "", 0, NULL, 0));
	} while (errno == EINTR);
	EXPECT_TRUE(errno == ECONNREFUSED || errno == EOWNERDEAD)
		TH_LOG("%s", strerror(errno));
	ASSERT_EQ(0, ring_open(ring));
	self->server = service_open(PROGRAM, false, 0);
	while (self->server < 0 && errno == EADDRINUSE) {
		sched_yield();
		self->server = service_open(PROGRAM, false, 0);
	}
	EXPECT_TRUE(works(self->server, self->client));
}

TEST_HARNESS_MAIN
