// SPDX-License-Identifier: GPL-2.0
/*
 * Test: kernels=6.1,6.12
 *
 * System calls of 32-bit programs, entered from this 64-bit one by int 0x80:
 * the ioctls take the same structures, and control messages have their own
 * layout, which is shorter.
 */
#include "tern_test.h"

#ifdef __x86_64__

/* Numbers of the i386 system calls. */
enum {
	I386_GETPID = 20,
	I386_IOCTL = 54,
	I386_SENDMSG = 370,
	I386_RECVMSG = 372,
};

static long int80(int number, long a, long b, long c)
{
	long ret = number;

	__asm__ volatile("int $0x80" : "+a" (ret) : "b" (a), "c" (b), "d" (c) :
			 "memory", "r8", "r9", "r10", "r11");
	return (int)ret;
}

struct msghdr32 {
	uint32_t name;
	int32_t namelen;
	uint32_t iov;
	uint32_t iovlen;
	uint32_t control;
	uint32_t controllen;
	uint32_t flags;
};

struct cmsghdr32 {
	uint32_t len;
	int32_t level;
	int32_t type;
};

/* What the system calls see, all of it below 4 GiB. */
struct low {
	struct sockaddr_tern addr;
	struct tern_ioc_call call;
	struct tern_ioc_reply_recv rr;
	struct msghdr32 msg;
	struct {
		uint32_t base;
		uint32_t len;
	} iov;
	struct {
		struct cmsghdr32 head;
		union {
			char data[24];
			struct tern_cmsg_call call __attribute__((packed));
			struct tern_cmsg_reply reply __attribute__((packed));
		};
	} __attribute__((packed, aligned(4))) control;
	char data[64];
	char more[64];
};

static uint32_t ptr32(const void *p)
{
	return (uintptr_t)p;
}

FIXTURE(compat) {
	int server;
	int client;
	struct low *low;
};

FIXTURE_SETUP(compat)
{
	pid_t pid = fork_child();

	if (!pid)
		_exit(int80(I386_GETPID, 0, 0, 0) != getpid());
	if (wait_child(pid))
		SKIP(return, "the kernel runs no 32-bit programs");
	ASSERT_EQ(0, unshare(CLONE_NEWNET));
	self->server = service_open(PROGRAM, false, 0);
	ASSERT_LE(0, self->server);
	self->client = client_open(PROGRAM, 0);
	ASSERT_LE(0, self->client);
	self->low = mmap(NULL, sizeof(*self->low), PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);
	ASSERT_NE(MAP_FAILED, self->low);
}

FIXTURE_TEARDOWN(compat)
{
	close(self->client);
	close(self->server);
}

TEST_F(compat, ioctls)
{
	struct tern_ioc_reply_recv *rr = &self->low->rr;
	struct tern_ioc_call *c = &self->low->call;
	struct tern_cmsg_call start = { .id = 4, .procedure = 3 };
	struct message m;

	c->request = ptr32(self->low->data);
	c->request_len = 4;
	c->timeout_ms = 100;
	EXPECT_EQ(-ETIMEDOUT, int80(I386_IOCTL, self->client, TERN_IOC_CALL,
				    ptr32(&self->low->call)));
	EXPECT_EQ((uint32_t)TERN_NOT_EXECUTED, c->outcome);
	EXPECT_EQ((uint32_t)ETIMEDOUT, c->cause);

	ASSERT_EQ(4, send_call(self->client, NULL, &start, "abcd", 4));
	rr->request = ptr32(self->low->data);
	rr->request_len = sizeof(self->low->data);
	rr->source = ptr32(&self->low->addr);
	ASSERT_EQ(0, int80(I386_IOCTL, self->server, TERN_IOC_REPLY_RECV,
			   ptr32(&self->low->rr)));
	EXPECT_NE(0U, rr->handle);
	EXPECT_EQ(4U, rr->request_len);
	EXPECT_EQ(3U, rr->procedure);
	EXPECT_EQ(0, memcmp("abcd", self->low->data, 4));
	EXPECT_EQ(tern_family(), self->low->addr.st_family);
	rr->flags = TERN_RECV_NONE;
	rr->reply = ptr32(self->low->data);
	rr->reply_len = 2;
	ASSERT_EQ(0, int80(I386_IOCTL, self->server, TERN_IOC_REPLY_RECV,
			   ptr32(&self->low->rr)));
	ASSERT_EQ(2, receive(self->client, &m, self->low->more, 64, 0));
	EXPECT_OUTCOME(&m, 4, TERN_REPLIED, 0);
}

static void prepare(struct low *low, size_t control_len)
{
	low->iov.base = ptr32(low->data);
	low->msg = (struct msghdr32){
		.iov = ptr32(&low->iov),
		.iovlen = 1,
		.control = ptr32(&low->control),
		.controllen = sizeof(struct cmsghdr32) + control_len,
	};
	low->control.head.len = low->msg.controllen;
	low->control.head.level = SOL_TERN;
}

TEST_F(compat, control_messages)
{
	struct tern_cmsg_request request;
	struct tern_cmsg_outcome outcome;
	struct low *low = self->low;

	prepare(low, sizeof(low->control.call));
	low->control.head.type = TERN_CMSG_CALL;
	low->control.call.id = 0x1234567890;
	low->control.call.procedure = 8;
	memcpy(low->data, "question", 8);
	low->iov.len = 8;
	ASSERT_EQ(8, int80(I386_SENDMSG, self->client, ptr32(&low->msg), 0));

	prepare(low, sizeof(request));
	low->iov.len = sizeof(low->data);
	ASSERT_EQ(8, int80(I386_RECVMSG, self->server, ptr32(&low->msg), 0));
	EXPECT_EQ(0, memcmp("question", low->data, 8));
	EXPECT_EQ(0U, low->msg.flags);
	EXPECT_EQ(TERN_CMSG_REQUEST, low->control.head.type);
	EXPECT_EQ(sizeof(struct cmsghdr32) + sizeof(request),
		  low->control.head.len);
	memcpy(&request, low->control.data, sizeof(request));
	EXPECT_EQ(8U, request.procedure);

	prepare(low, sizeof(low->control.reply));
	low->control.head.type = TERN_CMSG_REPLY;
	low->control.reply.handle = request.handle;
	low->control.reply.status = 5;
	low->control.reply.__resv = 0;
	low->iov.len = 3;
	ASSERT_EQ(3, int80(I386_SENDMSG, self->server, ptr32(&low->msg), 0));

	prepare(low, sizeof(outcome));
	ASSERT_EQ(3, int80(I386_RECVMSG, self->client, ptr32(&low->msg), 0));
	EXPECT_EQ(TERN_CMSG_OUTCOME, low->control.head.type);
	memcpy(&outcome, low->control.data, sizeof(outcome));
	EXPECT_EQ(0x1234567890U, outcome.id);
	EXPECT_EQ((uint32_t)TERN_REPLIED, outcome.outcome);
	EXPECT_EQ(5U, outcome.status);
}

TEST_F(compat, no_room_for_control)
{
	struct tern_cmsg_call start = { .id = 1 };
	struct message m;

	ASSERT_EQ(2, send_call(self->client, NULL, &start, "hi", 2));
	prepare(self->low, sizeof(struct tern_cmsg_request) - 1);
	self->low->iov.len = 8;
	EXPECT_EQ(-EINVAL, int80(I386_RECVMSG, self->server,
				 ptr32(&self->low->msg), 0));
	EXPECT_EQ(2, receive(self->server, &m, self->low->data, 8, 0));
}

#else

TEST(compat)
{
	SKIP(return, "32-bit system calls are entered on x86 only");
}

#endif

TEST_HARNESS_MAIN
