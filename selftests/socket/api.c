// SPDX-License-Identifier: GPL-2.0
/* The socket itself: making it, its options, its ioctls, what it refuses. */
#include "tern_test.h"

TEST(type_and_protocol)
{
	int family = tern_family();
	int fd = socket(family, SOCK_RDM, 0);
	int type = 0, protocol = -1, domain = 0;
	socklen_t len = sizeof(int);

	ASSERT_LE(0, fd);
	EXPECT_EQ(0, getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &len));
	EXPECT_EQ(SOCK_RDM, type);
	EXPECT_EQ(0, getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &len));
	EXPECT_EQ(family, domain);
	EXPECT_EQ(0, getsockopt(fd, SOL_SOCKET, SO_PROTOCOL, &protocol, &len));
	EXPECT_EQ(0, protocol);
	close(fd);

	EXPECT_ERRNO(ESOCKTNOSUPPORT, socket(family, SOCK_STREAM, 0));
	EXPECT_ERRNO(ESOCKTNOSUPPORT, socket(family, SOCK_DGRAM, 0));
	EXPECT_ERRNO(ESOCKTNOSUPPORT, socket(family, SOCK_SEQPACKET, 0));
	EXPECT_ERRNO(ESOCKTNOSUPPORT, socket(family, SOCK_RAW, 0));
	EXPECT_ERRNO(EPROTONOSUPPORT, socket(family, SOCK_RDM, 1));
	EXPECT_ERRNO(EPROTONOSUPPORT, socket(family, SOCK_RDM, 17));
}

TEST(flags_of_socket)
{
	int fd = socket(tern_family(), SOCK_RDM | SOCK_NONBLOCK | SOCK_CLOEXEC,
			0);

	ASSERT_LE(0, fd);
	EXPECT_EQ(O_NONBLOCK, fcntl(fd, F_GETFL) & O_NONBLOCK);
	EXPECT_EQ(FD_CLOEXEC, fcntl(fd, F_GETFD));
	close(fd);
}

TEST(open_to_unprivileged_users)
{
	pid_t pid = fork_child();
	int fd;

	if (!pid) {
		if (setgid(65534) || setuid(65534))
			_exit(1);
		fd = tern_open(0);
		_exit(fd < 0 ? 2 : tern_bind(fd, PROGRAM) ? 3 : 0);
	}
	EXPECT_EQ(0, wait_child(pid));
}

TERN_FIXTURE(api);

TEST_F(api, unsupported_operations)
{
	struct sockaddr_tern addr;
	socklen_t len = sizeof(addr);
	int pair[2];

	EXPECT_ERRNO(EOPNOTSUPP, listen(self->server, 1));
	EXPECT_ERRNO(EOPNOTSUPP, accept(self->server, (void *)&addr, &len));
	EXPECT_ERRNO(EOPNOTSUPP, shutdown(self->client, SHUT_RDWR));
	EXPECT_ERRNO(EOPNOTSUPP, shutdown(self->client, SHUT_WR));
	EXPECT_ERRNO(EOPNOTSUPP, socketpair(tern_family(), SOCK_RDM, 0, pair));
	EXPECT_TRUE(works(self->server, self->client));
}

TEST_F(api, option_share)
{
	int fd = tern_open(0), value = -1;
	socklen_t len = sizeof(value);
	char byte = 1;

	ASSERT_LE(0, fd);
	EXPECT_EQ(0, getsockopt(fd, SOL_TERN, TERN_SHARE, &value, &len));
	EXPECT_EQ(0, value);
	EXPECT_EQ(sizeof(value), len);
	EXPECT_ERRNO(EINVAL, set_int(fd, SOL_TERN, TERN_SHARE, 2));
	EXPECT_ERRNO(EINVAL, set_int(fd, SOL_TERN, TERN_SHARE, -1));
	EXPECT_ERRNO(EINVAL, setsockopt(fd, SOL_TERN, TERN_SHARE, &byte, 1));
	EXPECT_ERRNO(EFAULT, setsockopt(fd, SOL_TERN, TERN_SHARE, (void *)1,
					sizeof(value)));
	EXPECT_EQ(0, set_int(fd, SOL_TERN, TERN_SHARE, 1));
	EXPECT_EQ(0, getsockopt(fd, SOL_TERN, TERN_SHARE, &value, &len));
	EXPECT_EQ(1, value);
	EXPECT_EQ(0, set_int(fd, SOL_TERN, TERN_SHARE, 0));
	EXPECT_EQ(0, getsockopt(fd, SOL_TERN, TERN_SHARE, &value, &len));
	EXPECT_EQ(0, value);
	close(fd);

	EXPECT_ERRNO(EINVAL, set_int(self->server, SOL_TERN, TERN_SHARE, 1));
	EXPECT_ERRNO(EINVAL, set_int(self->server, SOL_TERN, TERN_SHARE, 0));
}

TEST_F(api, option_timeout)
{
	int fd = self->client;
	uint32_t value = -1;
	socklen_t len = sizeof(value);

	EXPECT_EQ(0, getsockopt(fd, SOL_TERN, TERN_TIMEOUT, &value, &len));
	EXPECT_EQ(0U, value);
	EXPECT_EQ(0, set_int(fd, SOL_TERN, TERN_TIMEOUT, TERN_TIMEOUT_MAX));
	EXPECT_EQ(0, getsockopt(fd, SOL_TERN, TERN_TIMEOUT, &value, &len));
	EXPECT_EQ((uint32_t)TERN_TIMEOUT_MAX, value);
	EXPECT_EQ(sizeof(value), len);
	EXPECT_ERRNO(EINVAL, set_int(fd, SOL_TERN, TERN_TIMEOUT,
				     TERN_TIMEOUT_MAX + 1));
	EXPECT_ERRNO(EINVAL, set_int(fd, SOL_TERN, TERN_TIMEOUT, -1));
	EXPECT_ERRNO(EINVAL, setsockopt(fd, SOL_TERN, TERN_TIMEOUT, "12", 2));
	EXPECT_EQ(0, getsockopt(fd, SOL_TERN, TERN_TIMEOUT, &value, &len));
	EXPECT_EQ((uint32_t)TERN_TIMEOUT_MAX, value);
	EXPECT_EQ(0, set_int(fd, SOL_TERN, TERN_TIMEOUT, 0));
}

TEST_F(api, unknown_options)
{
	int value = 0;
	socklen_t len = sizeof(value);

	EXPECT_ERRNO(ENOPROTOOPT, set_int(self->client, SOL_TERN, 99, 1));
	EXPECT_ERRNO(ENOPROTOOPT, set_int(self->client, SOL_TERN, 0, 1));
	EXPECT_ERRNO(ENOPROTOOPT, getsockopt(self->client, SOL_TERN, 99,
					     &value, &len));
	EXPECT_ERRNO(ENOPROTOOPT, set_int(self->client, SOL_TERN + 1,
					  TERN_TIMEOUT, 1));
	EXPECT_ERRNO(ENOPROTOOPT, getsockopt(self->client, SOL_TERN + 1,
					     TERN_TIMEOUT, &value, &len));
}

TEST_F(api, ioctls)
{
	int n = -1;

	EXPECT_ERRNO(ENOTTY, ioctl(self->client, _IO(TERN_IOC_MAGIC, 99), 0));
	EXPECT_ERRNO(ENOTTY, ioctl(self->client, 0x5401, &n));
	EXPECT_EQ(0, ioctl(self->client, FIONREAD, &n));
	EXPECT_EQ(0, n);
	n = -1;
	EXPECT_EQ(0, ioctl(self->client, SIOCOUTQ, &n));
	EXPECT_EQ(0, n);
	EXPECT_ERRNO(EFAULT, ioctl(self->client, FIONREAD, 1));
	EXPECT_ERRNO(EFAULT, ioctl(self->client, SIOCOUTQ, 1));
	EXPECT_ERRNO(EFAULT, ioctl(self->client, TERN_IOC_CALL, 1));
	EXPECT_ERRNO(EFAULT, ioctl(self->server, TERN_IOC_REPLY_RECV, 1));
	EXPECT_TRUE(works(self->server, self->client));
}

TEST_F(api, queue_lengths)
{
	struct tern_cmsg_call start = { .id = 1 };
	struct message m;
	char buf[300];
	int n = -1;

	ASSERT_EQ(200, send_call(self->client, NULL, &start, buf, 200));
	ASSERT_EQ(100, send_call(self->client, NULL, &start, buf, 100));
	EXPECT_EQ(0, ioctl(self->client, SIOCOUTQ, &n));
	EXPECT_LE(300, n);
	EXPECT_EQ(0, ioctl(self->server, SIOCINQ, &n));
	EXPECT_EQ(200, n);
	ASSERT_EQ(200, receive(self->server, &m, buf, sizeof(buf), 0));
	EXPECT_EQ(0, ioctl(self->server, SIOCINQ, &n));
	EXPECT_EQ(100, n);
	ASSERT_EQ(123, send_reply(self->server, m.request.handle, 0, buf, 123));
	EXPECT_EQ(0, ioctl(self->client, SIOCINQ, &n));
	EXPECT_EQ(123, n);
	ASSERT_EQ(123, receive(self->client, &m, buf, sizeof(buf), 0));
	EXPECT_EQ(0, ioctl(self->client, SIOCINQ, &n));
	EXPECT_EQ(0, n);
}

TEST_F(api, truncation)
{
	struct tern_cmsg_call start = { .id = 1 };
	char data[100], buf[40];
	struct message m;

	fill(data, sizeof(data), 1);
	for (int i = 0; i < 3; i++)
		ASSERT_EQ(100, send_call(self->client, NULL, &start, data,
					 100));
	EXPECT_EQ(40, receive(self->server, &m, buf, sizeof(buf), 0));
	EXPECT_EQ(MSG_TRUNC, m.flags & MSG_TRUNC);
	EXPECT_TRUE(filled(buf, sizeof(buf), 1));
	EXPECT_EQ(TERN_CMSG_REQUEST, m.type);
	EXPECT_EQ(100, receive(self->server, &m, buf, sizeof(buf), MSG_TRUNC));
	EXPECT_EQ(MSG_TRUNC, m.flags & MSG_TRUNC);

	ASSERT_EQ(100, send_reply(self->server, m.request.handle, 0, data,
				  100));
	EXPECT_EQ(100, receive(self->client, &m, buf, sizeof(buf), MSG_TRUNC));
	EXPECT_EQ(MSG_TRUNC, m.flags & MSG_TRUNC);
	EXPECT_OUTCOME(&m, 1, TERN_REPLIED, 0);

	EXPECT_EQ(100, receive(self->server, &m, data, sizeof(data), 0));
	EXPECT_EQ(0, m.flags & MSG_TRUNC);
}

TEST_F(api, peek)
{
	struct tern_cmsg_call start = { .id = 8, .procedure = 9 };
	char buf[40] = "";
	struct message m;

	ASSERT_EQ(3, send_call(self->client, NULL, &start, "abc", 3));
	ASSERT_EQ(4, send_call(self->client, NULL, &start, "defg", 4));
	for (int i = 0; i < 3; i++) {
		EXPECT_EQ(3, receive(self->server, &m, buf, 40, MSG_PEEK));
		EXPECT_EQ(TERN_CMSG_REQUEST, m.type);
		EXPECT_EQ(9U, m.request.procedure);
		EXPECT_EQ(0, memcmp(buf, "abc", 3));
	}
	EXPECT_ERRNO(ENOENT, send_reply(self->server, m.request.handle, 0,
					"", 0));
	EXPECT_EQ(3, receive(self->server, &m, buf, 40, 0));
	EXPECT_EQ(0, send_reply(self->server, m.request.handle, 0, "", 0));
	EXPECT_EQ(4, receive(self->server, &m, buf, 40, MSG_PEEK));
	EXPECT_EQ(0, memcmp(buf, "defg", 4));

	for (int i = 0; i < 2; i++) {
		EXPECT_EQ(0, receive(self->client, &m, buf, 40, MSG_PEEK));
		EXPECT_OUTCOME(&m, 8, TERN_REPLIED, 0);
	}
	EXPECT_EQ(0, receive(self->client, &m, buf, 40, 0));
	EXPECT_ERRNO(EAGAIN, receive(self->client, &m, buf, 40, MSG_DONTWAIT));
}

TEST_F(api, scattered_data)
{
	struct tern_cmsg_call start = { .id = 1 };
	char control[CONTROL_SPACE] __attribute__((aligned(8)));
	char a[3], b[5], all[9] = "";
	struct iovec out[3] = { { "ab", 2 }, { "", 0 }, { "cdefgh", 6 } };
	struct iovec in[2] = { { a, sizeof(a) }, { b, sizeof(b) } };
	struct msghdr msg = {
		.msg_iov = out,
		.msg_iovlen = 3,
		.msg_control = control,
		.msg_controllen = CMSG_SPACE(sizeof(start)),
	};
	struct cmsghdr *cmsg = CMSG_FIRSTHDR(&msg);

	cmsg->cmsg_level = SOL_TERN;
	cmsg->cmsg_type = TERN_CMSG_CALL;
	cmsg->cmsg_len = CMSG_LEN(sizeof(start));
	memcpy(CMSG_DATA(cmsg), &start, sizeof(start));
	ASSERT_EQ(8, sendmsg(self->client, &msg, 0));
	msg.msg_iov = in;
	msg.msg_iovlen = 2;
	msg.msg_controllen = sizeof(control);
	ASSERT_EQ(8, recvmsg(self->server, &msg, 0));
	memcpy(all, a, 3);
	memcpy(all + 3, b, 5);
	EXPECT_STREQ("abcdefgh", all);
}

TEST_F(api, receive_timeout)
{
	struct message m;
	char buf[8];
	int64_t start;

	ASSERT_EQ(0, set_time(self->server, SO_RCVTIMEO, 100));
	start = now_ms();
	EXPECT_ERRNO(EAGAIN, receive(self->server, &m, buf, 8, 0));
	EXPECT_LE(90, now_ms() - start);
	EXPECT_ERRNO(EAGAIN, receive(self->server, &m, buf, 8, MSG_DONTWAIT));
	ASSERT_EQ(0, fcntl(self->client, F_SETFL, O_NONBLOCK));
	EXPECT_ERRNO(EAGAIN, receive(self->client, &m, buf, 8, 0));
}

TEST_HARNESS_MAIN
