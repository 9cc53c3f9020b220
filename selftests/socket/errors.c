// SPDX-License-Identifier: GPL-2.0
/* Wrong arguments: each refused with its errno, and nothing happened. */
#include "tern_test.h"

TERN_FIXTURE(errors);

static char big[TERN_MESSAGE_MAX + 1];

#define SEND_CALL(fd, to, start, len)					\
	send_control(fd, to, TERN_CMSG_CALL, start, sizeof(*(start)), big, \
		     len, 0)

static bool silent(int fd)
{
	return ready(fd, POLLIN, 0) == 0;
}

/* Which exclude each other, and QUIET without ONEWAY */
static const uint32_t bad_flags[] = {
	TERN_CALL_IDEMPOTENT | TERN_CALL_MAYBE,
	TERN_CALL_IDEMPOTENT | TERN_CALL_EXACTLY_ONCE,
	TERN_CALL_MAYBE | TERN_CALL_EXACTLY_ONCE,
	TERN_CALL_QUIET,
	TERN_CALL_QUIET | TERN_CALL_MAYBE,
};

TEST_F(errors, call_control)
{
	struct tern_cmsg_call start = { .id = 1 }, two[2] = { 0 };
	int fd = self->client;

	EXPECT_ERRNO(EINVAL, send(fd, "x", 1, 0));
	EXPECT_ERRNO(EINVAL, send_control(fd, NULL, TERN_CMSG_CALL, &start,
					  sizeof(start) - 1, "", 0, 0));
	EXPECT_ERRNO(EINVAL, send_control(fd, NULL, TERN_CMSG_CALL, two,
					  sizeof(start) + 8, "", 0, 0));
	EXPECT_ERRNO(EINVAL, send_control(fd, NULL, TERN_CMSG_CALL, &start,
					  0, "", 0, 0));
	for (int type = -1; type < 10; type++) {
		if (type == TERN_CMSG_CALL || type == TERN_CMSG_REPLY)
			continue;
		EXPECT_ERRNO(EINVAL, send_control(fd, NULL, type, &start,
						  sizeof(start), "", 0, 0));
	}
	start.__resv = 1;
	EXPECT_ERRNO(EINVAL, SEND_CALL(fd, NULL, &start, 0));
	start.__resv = 0x80000000;
	EXPECT_ERRNO(EINVAL, SEND_CALL(fd, NULL, &start, 0));
	start.__resv = 0;
	for (size_t i = 0; i < ARRAY_SIZE(bad_flags); i++) {
		start.flags = bad_flags[i];
		EXPECT_ERRNO(EINVAL, SEND_CALL(fd, NULL, &start, 0));
	}
	for (int bit = 5; bit < 32; bit++) {
		start.flags = 1U << bit;
		EXPECT_ERRNO(EINVAL, SEND_CALL(fd, NULL, &start, 0));
	}
	start.flags = TERN_CALL_EXACTLY_ONCE;
	EXPECT_ERRNO(EOPNOTSUPP, SEND_CALL(fd, NULL, &start, 0));
	start.flags = 0;
	start.extend_ms = TERN_TIMEOUT_MAX + 1;
	EXPECT_ERRNO(EINVAL, SEND_CALL(fd, NULL, &start, 0));
	start.extend_ms = 0;
	start.timeout_ms = TERN_TIMEOUT_MAX + 1;
	EXPECT_ERRNO(EINVAL, SEND_CALL(fd, NULL, &start, 0));
	start.timeout_ms = UINT32_MAX;
	EXPECT_ERRNO(EINVAL, SEND_CALL(fd, NULL, &start, 0));
	EXPECT_TRUE(silent(self->server));
	EXPECT_TRUE(silent(fd));
	start.timeout_ms = TERN_TIMEOUT_MAX;
	start.flags = TERN_CALL_ONEWAY | TERN_CALL_IDEMPOTENT;
	EXPECT_EQ(0, SEND_CALL(fd, NULL, &start, 0));
	EXPECT_FALSE(silent(self->server));
}

/* Two control messages of the family, or one of another level only. */
TEST_F(errors, number_of_control_messages)
{
	union {
		char buf[2 * CMSG_SPACE(sizeof(struct tern_cmsg_call))];
		struct cmsghdr align;
	} u = { 0 };
	struct msghdr msg = {
		.msg_control = &u,
		.msg_controllen = sizeof(u),
	};
	struct cmsghdr *cmsg = CMSG_FIRSTHDR(&msg);

	for (int i = 0; i < 2; i++) {
		cmsg->cmsg_level = SOL_TERN;
		cmsg->cmsg_type = TERN_CMSG_CALL;
		cmsg->cmsg_len = CMSG_LEN(sizeof(struct tern_cmsg_call));
		cmsg = CMSG_NXTHDR(&msg, cmsg);
	}
	EXPECT_ERRNO(EINVAL, sendmsg(self->client, &msg, 0));
	cmsg = CMSG_FIRSTHDR(&msg);
	cmsg->cmsg_len = 1;
	EXPECT_ERRNO(EINVAL, sendmsg(self->client, &msg, 0));
	cmsg->cmsg_len = CMSG_LEN(4);
	cmsg->cmsg_level = SOL_SOCKET;
	cmsg->cmsg_type = SCM_RIGHTS;
	msg.msg_controllen = CMSG_SPACE(4);
	EXPECT_ERRNO(EINVAL, sendmsg(self->client, &msg, 0));
	EXPECT_TRUE(silent(self->server));
}

TEST_F(errors, call_destination)
{
	struct tern_cmsg_call start = { .id = 1 };
	struct sockaddr_tern to = tern_addr(PROGRAM, 1);
	int fd = tern_open(0);
	struct iovec iov = { big, 1 };
	struct msghdr msg = {
		.msg_name = &to,
		.msg_namelen = sizeof(to) - 1,
		.msg_iov = &iov,
		.msg_iovlen = 1,
	};

	EXPECT_ERRNO(EDESTADDRREQ, SEND_CALL(fd, NULL, &start, 1));
	EXPECT_ERRNO(EINVAL, sendmsg(fd, &msg, 0));
	to.st_family = AF_INET6;
	EXPECT_ERRNO(EAFNOSUPPORT, SEND_CALL(fd, &to, &start, 1));
	to = tern_addr(TERN_PROGRAM_NODE, 1);
	EXPECT_ERRNO(EINVAL, SEND_CALL(fd, &to, &start, 1));
	to = tern_addr(TERN_PROGRAM_USER - 1, 1);
	EXPECT_ERRNO(EINVAL, SEND_CALL(fd, &to, &start, 1));
	EXPECT_TRUE(silent(fd));
	close(fd);
}

TEST_F(errors, message_length)
{
	struct tern_cmsg_call start = { .id = 1 };
	struct message m;

	EXPECT_ERRNO(EMSGSIZE, SEND_CALL(self->client, NULL, &start,
					 TERN_MESSAGE_MAX + 1));
	EXPECT_TRUE(silent(self->server));
	EXPECT_EQ(TERN_MESSAGE_MAX, SEND_CALL(self->client, NULL, &start,
					      TERN_MESSAGE_MAX));
	EXPECT_EQ(TERN_MESSAGE_MAX, receive(self->server, &m, big,
					    sizeof(big), 0));
	EXPECT_ERRNO(EMSGSIZE, send_reply(self->server, m.request.handle, 0,
					  big, TERN_MESSAGE_MAX + 1));
	EXPECT_EQ(TERN_MESSAGE_MAX, send_reply(self->server, m.request.handle,
					       0, big, TERN_MESSAGE_MAX));
	EXPECT_EQ(TERN_MESSAGE_MAX, receive(self->client, &m, big,
					    sizeof(big), 0));
}

TEST_F(errors, wrong_memory)
{
	struct tern_cmsg_call start = { .id = 1 };
	char *page = mmap(NULL, 2 * 4096, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct message m;

	ASSERT_NE(MAP_FAILED, page);
	ASSERT_EQ(0, munmap(page + 4096, 4096));
	/* The end of the request is not there. */
	EXPECT_ERRNO(EFAULT, send_call(self->client, NULL, &start,
				       page + 4096 - 10, 11));
	EXPECT_TRUE(silent(self->server));
	ASSERT_EQ(10, send_call(self->client, NULL, &start, page + 4096 - 10,
				10));
	ASSERT_EQ(10, receive(self->server, &m, page, 4096, 0));
	EXPECT_ERRNO(EFAULT, send_reply(self->server, m.request.handle, 0,
					page + 4096 - 10, 11));
	EXPECT_TRUE(silent(self->client));
	EXPECT_EQ(2, send_reply(self->server, m.request.handle, 0, "ok", 2));
	EXPECT_EQ(2, receive(self->client, &m, page, 4096, 0));
	EXPECT_TRUE(works(self->server, self->client));
}

/* What cannot be stored is not lost. */
TEST_F(errors, receive_into_wrong_memory)
{
	struct tern_ioc_reply_recv rr = { .request = 1, .request_len = 100 };
	struct tern_cmsg_call start = { .id = 1 };
	struct message m;
	char buf[8];

	ASSERT_EQ(4, send_call(self->client, NULL, &start, "data", 4));
	EXPECT_ERRNO(EFAULT, receive(self->server, &m, (void *)1, 8, 0));
	EXPECT_ERRNO(EFAULT, ioctl(self->server, TERN_IOC_REPLY_RECV, &rr));
	rr.request = (uintptr_t)buf;
	rr.request_len = sizeof(buf);
	rr.source = 1;
	EXPECT_ERRNO(EFAULT, ioctl(self->server, TERN_IOC_REPLY_RECV, &rr));
	ASSERT_EQ(4, receive(self->server, &m, buf, 8, MSG_DONTWAIT));
	EXPECT_EQ(0, memcmp(buf, "data", 4));
	ASSERT_EQ(4, send_reply(self->server, m.request.handle, 0, buf, 4));
	EXPECT_ERRNO(EFAULT, receive(self->client, &m, (void *)1, 8, 0));
	EXPECT_EQ(4, receive(self->client, &m, buf, 8, MSG_DONTWAIT));
	EXPECT_OUTCOME(&m, 1, TERN_REPLIED, 0);
}

TEST_F(errors, reply_control)
{
	struct tern_cmsg_call start = { .id = 1 };
	struct sockaddr_tern to = tern_addr(PROGRAM, 1);
	struct tern_cmsg_reply reply = { 0 };
	struct message m;
	char buf[8];

#define SEND_REPLY(dest, len)						\
	send_control(self->server, dest, TERN_CMSG_REPLY, &reply, len, "", 0, 0)
	ASSERT_EQ(0, send_call(self->client, NULL, &start, "", 0));
	ASSERT_EQ(0, receive(self->server, &m, buf, sizeof(buf), 0));
	EXPECT_NE(0U, m.request.handle);
	reply.handle = m.request.handle;
	reply.__resv = 1;
	EXPECT_ERRNO(EINVAL, SEND_REPLY(NULL, sizeof(reply)));
	reply.__resv = 0;
	EXPECT_ERRNO(EINVAL, SEND_REPLY(NULL, sizeof(reply) - 1));
	EXPECT_ERRNO(EINVAL, SEND_REPLY(&to, sizeof(reply)));
	EXPECT_TRUE(silent(self->client));
	EXPECT_EQ(0, SEND_REPLY(NULL, sizeof(reply)));
	EXPECT_EQ(0, receive(self->client, &m, buf, sizeof(buf), 0));
#undef SEND_REPLY
}

TEST_F(errors, reply_handle)
{
	struct tern_cmsg_call start = { .id = 1 };
	int other = service_open(PROGRAM + 1, false, 0);
	struct message m, n;
	char buf[8];

	ASSERT_LE(0, other);
	EXPECT_ERRNO(ENOENT, send_reply(self->server, 0, 0, "", 0));
	EXPECT_ERRNO(ENOENT, send_reply(self->server, 1, 0, "", 0));
	EXPECT_ERRNO(ENOENT, send_reply(self->server, UINT64_MAX, 0, "", 0));
	EXPECT_ERRNO(ENOENT, send_reply(self->client, 1, 0, "", 0));
	ASSERT_EQ(0, send_call(self->client, NULL, &start, "", 0));
	ASSERT_EQ(0, receive(self->server, &m, buf, sizeof(buf), 0));
	/* Only the socket that received it may reply, and once. */
	EXPECT_ERRNO(ENOENT, send_reply(other, m.request.handle, 0, "", 0));
	EXPECT_ERRNO(ENOENT, send_reply(self->client, m.request.handle, 0,
					"", 0));
	EXPECT_ERRNO(ENOENT, send_reply(self->server, m.request.handle + 1, 0,
					"", 0));
	EXPECT_EQ(0, send_reply(self->server, m.request.handle, 0, "", 0));
	EXPECT_ERRNO(ENOENT, send_reply(self->server, m.request.handle, 0,
					"", 0));
	/* Nor does an old handle fit the next request. */
	ASSERT_EQ(0, send_call(self->client, NULL, &start, "", 0));
	ASSERT_EQ(0, receive(self->server, &n, buf, sizeof(buf), 0));
	EXPECT_NE(n.request.handle, m.request.handle);
	EXPECT_ERRNO(ENOENT, send_reply(self->server, m.request.handle, 0,
					"", 0));
	EXPECT_EQ(0, send_reply(self->server, n.request.handle, 0, "", 0));
	close(other);
}

TEST_F(errors, reply_to_oneway)
{
	struct tern_cmsg_call start = { .flags = TERN_CALL_ONEWAY };
	struct message m;
	char buf[8];

	ASSERT_EQ(0, send_call(self->client, NULL, &start, "", 0));
	ASSERT_EQ(0, receive(self->server, &m, buf, sizeof(buf), 0));
	EXPECT_EQ((uint32_t)TERN_CALL_ONEWAY, m.request.flags);
	EXPECT_NE(0U, m.request.handle);
	EXPECT_ERRNO(ENOENT, send_reply(self->server, m.request.handle, 0,
					"", 0));
}

TEST_F(errors, no_room_for_control)
{
	struct tern_cmsg_call start = { .id = 3 };
	char buf[8], control[CONTROL_SPACE];
	struct iovec iov = { buf, sizeof(buf) };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };
	struct message m;

	ASSERT_EQ(4, send_call(self->client, NULL, &start, "data", 4));
	EXPECT_ERRNO(EINVAL, recv(self->server, buf, sizeof(buf), 0));
	EXPECT_ERRNO(EINVAL, recvmsg(self->server, &msg, 0));
	msg.msg_control = control;
	msg.msg_controllen = CMSG_LEN(sizeof(struct tern_cmsg_request)) - 1;
	EXPECT_ERRNO(EINVAL, recvmsg(self->server, &msg, 0));
	ASSERT_EQ(4, receive(self->server, &m, buf, sizeof(buf), 0));
	ASSERT_EQ(4, send_reply(self->server, m.request.handle, 0, buf, 4));
	EXPECT_ERRNO(EINVAL, recvmsg(self->client, &msg, 0));
	EXPECT_ERRNO(EINVAL, recv(self->client, buf, sizeof(buf), 0));
	EXPECT_EQ(4, receive(self->client, &m, buf, sizeof(buf), 0));
	EXPECT_OUTCOME(&m, 3, TERN_REPLIED, 0);
}

TEST_F(errors, out_of_band)
{
	struct tern_cmsg_call start = { .id = 3 };
	struct message m;
	char buf[8];

	EXPECT_ERRNO(EOPNOTSUPP, send_control(self->client, NULL,
					      TERN_CMSG_CALL, &start,
					      sizeof(start), "", 0, MSG_OOB));
	EXPECT_TRUE(silent(self->server));
	/* there is no event, and it cannot be looked at beforehand */
	EXPECT_ERRNO(EAGAIN, receive(self->server, &m, buf, sizeof(buf),
				     MSG_OOB));
	EXPECT_ERRNO(EOPNOTSUPP, receive(self->server, &m, buf, sizeof(buf),
					 MSG_OOB | MSG_PEEK));
	/* who is not bound never has one */
	EXPECT_ERRNO(EAGAIN, receive(self->client, &m, buf, sizeof(buf),
				     MSG_OOB));
}

/* Every failure of TERN_IOC_CALL comes with an outcome. */
#define EXPECT_CALL_ERRNO(expected, fd, c)				\
	do {								\
		(c)->outcome = -1;					\
		(c)->cause = 0;						\
		EXPECT_ERRNO(expected, ioctl(fd, TERN_IOC_CALL, c));	\
		EXPECT_EQ((uint32_t)TERN_NOT_EXECUTED, (c)->outcome);	\
		EXPECT_EQ((uint32_t)(expected), (c)->cause);		\
	} while (0)

TEST_F(errors, ioc_call)
{
	struct tern_ioc_call c = { .request = (uintptr_t)big };
	struct sockaddr_tern to = tern_addr(PROGRAM, 1);
	int fd = tern_open(0);

	EXPECT_CALL_ERRNO(EDESTADDRREQ, fd, &c);
	c.dest = 1;
	EXPECT_CALL_ERRNO(EFAULT, fd, &c);
	c.dest = (uintptr_t)&to;
	to.st_family = AF_INET;
	EXPECT_CALL_ERRNO(EAFNOSUPPORT, fd, &c);
	to = tern_addr(TERN_PROGRAM_NODE, 1);
	EXPECT_CALL_ERRNO(EINVAL, fd, &c);
	to = tern_addr(PROGRAM, 1);
	c.request_len = TERN_MESSAGE_MAX + 1;
	EXPECT_CALL_ERRNO(EMSGSIZE, fd, &c);
	c.request_len = UINT32_MAX;
	EXPECT_CALL_ERRNO(EMSGSIZE, fd, &c);
	c.request_len = 1;
	c.request = 1;
	EXPECT_CALL_ERRNO(EFAULT, fd, &c);
	c.request = (uintptr_t)big;
	c.timeout_ms = TERN_TIMEOUT_MAX + 1;
	EXPECT_CALL_ERRNO(EINVAL, fd, &c);
	c.timeout_ms = 1000;
	for (size_t i = 0; i < ARRAY_SIZE(bad_flags); i++) {
		c.flags = bad_flags[i];
		EXPECT_CALL_ERRNO(EINVAL, fd, &c);
	}
	for (int bit = 5; bit < 32; bit++) {
		c.flags = 1U << bit;
		EXPECT_CALL_ERRNO(EINVAL, fd, &c);
	}
	c.flags = TERN_CALL_EXACTLY_ONCE;
	EXPECT_CALL_ERRNO(EOPNOTSUPP, fd, &c);
	EXPECT_TRUE(silent(self->server));
	c.flags = 0;
	to.st_service = NO_PROGRAM;
	EXPECT_CALL_ERRNO(ECONNREFUSED, fd, &c);
	EXPECT_TRUE(works(self->server, self->client));
	close(fd);
}

TEST_F(errors, ioc_reply_recv)
{
	struct tern_cmsg_call start = { .id = 1 };
	struct tern_ioc_reply_recv rr = { .flags = TERN_RECV_DONTWAIT };
	struct message m;
	char buf[8];
	int fd = self->server;

	EXPECT_ERRNO(EAGAIN, ioctl(fd, TERN_IOC_REPLY_RECV, &rr));
	for (int bit = 2; bit < 32; bit++) {
		rr.flags = TERN_RECV_DONTWAIT | 1U << bit;
		EXPECT_ERRNO(EINVAL, ioctl(fd, TERN_IOC_REPLY_RECV, &rr));
	}
	rr.flags = TERN_RECV_DONTWAIT;
	rr.__resv = 1;
	EXPECT_ERRNO(EINVAL, ioctl(fd, TERN_IOC_REPLY_RECV, &rr));
	rr.__resv = 0;
	EXPECT_ERRNO(EINVAL, ioctl(self->client, TERN_IOC_REPLY_RECV, &rr));

	rr.handle = 12345;
	EXPECT_ERRNO(ENOENT, ioctl(fd, TERN_IOC_REPLY_RECV, &rr));
	EXPECT_EQ(12345U, rr.handle);
	ASSERT_EQ(0, send_call(self->client, NULL, &start, "", 0));
	ASSERT_EQ(0, receive(fd, &m, buf, sizeof(buf), 0));
	/* A reply that cannot be sent: nothing is received. */
	ASSERT_EQ(2, send_call(self->client, NULL, &start, "hi", 2));
	rr.handle = m.request.handle;
	rr.reply = (uintptr_t)big;
	rr.reply_len = TERN_MESSAGE_MAX + 1;
	rr.request = (uintptr_t)buf;
	rr.request_len = sizeof(buf);
	EXPECT_ERRNO(EMSGSIZE, ioctl(fd, TERN_IOC_REPLY_RECV, &rr));
	EXPECT_EQ(m.request.handle, rr.handle);
	rr.reply = 1;
	rr.reply_len = 1;
	EXPECT_ERRNO(EFAULT, ioctl(fd, TERN_IOC_REPLY_RECV, &rr));
	EXPECT_EQ(m.request.handle, rr.handle);
	EXPECT_TRUE(silent(self->client));
	/* A request that does not fit stays; the reply was sent once. */
	rr.reply_len = 0;
	rr.request_len = 1;
	EXPECT_ERRNO(EMSGSIZE, ioctl(fd, TERN_IOC_REPLY_RECV, &rr));
	EXPECT_EQ(0U, rr.handle);
	EXPECT_EQ(2U, rr.request_len);
	EXPECT_EQ(0, receive(self->client, &m, buf, sizeof(buf), 0));
	rr.request_len = 2;
	EXPECT_EQ(0, ioctl(fd, TERN_IOC_REPLY_RECV, &rr));
	EXPECT_NE(0U, rr.handle);
	EXPECT_EQ(0, memcmp(buf, "hi", 2));
	rr.flags = TERN_RECV_NONE;
	EXPECT_EQ(0, ioctl(fd, TERN_IOC_REPLY_RECV, &rr));
	EXPECT_EQ(0U, rr.handle);
	EXPECT_EQ(0, receive(self->client, &m, buf, sizeof(buf), 0));
	EXPECT_TRUE(works(self->server, self->client));
}

TEST_HARNESS_MAIN
