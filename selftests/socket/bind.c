// SPDX-License-Identifier: GPL-2.0
/* Names: bind(), sharing, connect(), getsockname(), getpeername(). */
#include "tern_test.h"

FIXTURE(names) {
	int fd;
	struct sockaddr_tern addr;
};

FIXTURE_SETUP(names)
{
	ASSERT_EQ(0, unshare(CLONE_NEWNET));
	self->fd = tern_open(0);
	ASSERT_LE(0, self->fd);
	self->addr = tern_addr(PROGRAM, 1);
}

FIXTURE_TEARDOWN(names)
{
	close(self->fd);
}

static int bind_to(int fd, const struct sockaddr_tern *addr, socklen_t len)
{
	return bind(fd, (const struct sockaddr *)addr, len);
}

static int connect_to(int fd, const struct sockaddr_tern *addr, socklen_t len)
{
	return connect(fd, (const struct sockaddr *)addr, len);
}

/* Run @step as the user nobody; its errno, or 0. */
static int unprivileged(int (*step)(void))
{
	pid_t pid = fork_child();

	if (!pid) {
		if (setgid(65534) || setuid(65534))
			_exit(255);
		_exit(step() < 0 ? errno : 0);
	}
	return wait_child(pid);
}

TEST_F(names, unbound_name)
{
	struct sockaddr_tern name, none = tern_addr(0, 0);
	socklen_t len = sizeof(name);

	ASSERT_EQ(0, getsockname(self->fd, (void *)&name, &len));
	EXPECT_EQ(sizeof(name), len);
	EXPECT_EQ(0, memcmp(&none, &name, sizeof(name)));
	EXPECT_ERRNO(ENOTCONN, getpeername(self->fd, (void *)&name, &len));
}

TEST_F(names, bound_name)
{
	struct sockaddr_tern name;
	socklen_t len = sizeof(name);

	self->addr.st_version = 7;
	ASSERT_EQ(0, bind_to(self->fd, &self->addr, sizeof(self->addr)));
	ASSERT_EQ(0, getsockname(self->fd, (void *)&name, &len));
	EXPECT_EQ(sizeof(name), len);
	EXPECT_EQ(0, memcmp(&self->addr, &name, sizeof(name)));
	memset(&name, 0xff, sizeof(name));
	len = 8;
	ASSERT_EQ(0, getsockname(self->fd, (void *)&name, &len));
	EXPECT_EQ(0, memcmp(&self->addr, &name, 8));
	EXPECT_EQ(0xffffffff, name.st_version);
	EXPECT_EQ(sizeof(name), len);
}

TEST_F(names, bind_wants_zero_address)
{
	struct sockaddr_tern addr = self->addr;

	addr.st_addr[15] = 1;
	EXPECT_ERRNO(EADDRNOTAVAIL, bind_to(self->fd, &addr, sizeof(addr)));
	addr = self->addr;
	addr.st_port = 1;
	EXPECT_ERRNO(EADDRNOTAVAIL, bind_to(self->fd, &addr, sizeof(addr)));
	addr = self->addr;
	addr.st_scope_id = 1;
	EXPECT_ERRNO(EADDRNOTAVAIL, bind_to(self->fd, &addr, sizeof(addr)));
	EXPECT_EQ(0, bind_to(self->fd, &self->addr, sizeof(addr)));
}

TEST_F(names, bind_checks_family_and_length)
{
	struct sockaddr_tern addr = self->addr;

	EXPECT_ERRNO(EINVAL, bind_to(self->fd, &addr, sizeof(addr) - 1));
	EXPECT_ERRNO(EINVAL, bind_to(self->fd, &addr, 2));
	EXPECT_ERRNO(EINVAL, bind_to(self->fd, &addr, 0));
	addr.st_family = AF_INET6;
	EXPECT_ERRNO(EAFNOSUPPORT, bind_to(self->fd, &addr, sizeof(addr)));
	addr.st_family = AF_UNSPEC;
	EXPECT_ERRNO(EAFNOSUPPORT, bind_to(self->fd, &addr, sizeof(addr)));
}

TEST_F(names, bind_only_once)
{
	struct sockaddr_tern other = tern_addr(PROGRAM + 1, 1);

	ASSERT_EQ(0, bind_to(self->fd, &self->addr, sizeof(self->addr)));
	EXPECT_ERRNO(EINVAL, bind_to(self->fd, &self->addr, sizeof(other)));
	EXPECT_ERRNO(EINVAL, bind_to(self->fd, &other, sizeof(other)));
}

TEST_F(names, programs_of_the_kernel)
{
	for (uint32_t program = 0; program < TERN_PROGRAM_USER; program++)
		EXPECT_ERRNO(EACCES, tern_bind(self->fd, program));
	EXPECT_EQ(0, tern_bind(self->fd, TERN_PROGRAM_USER));
}

static uint32_t step_program;

static int step_bind(void)
{
	int fd = tern_open(0);

	return fd < 0 ? fd : tern_bind(fd, step_program);
}

TEST_F(names, privileged_programs)
{
	step_program = 0;
	EXPECT_EQ(EACCES, unprivileged(step_bind));
	step_program = TERN_PROGRAM_USER;
	EXPECT_EQ(EACCES, unprivileged(step_bind));
	step_program = TERN_PROGRAM_UNPRIV - 1;
	EXPECT_EQ(EACCES, unprivileged(step_bind));
	EXPECT_EQ(0, step_bind());
	step_program = TERN_PROGRAM_UNPRIV;
	EXPECT_EQ(0, unprivileged(step_bind));
	step_program = UINT32_MAX;
	EXPECT_EQ(0, unprivileged(step_bind));
}

static int step_own_namespace(void)
{
	if (unshare(CLONE_NEWUSER | CLONE_NEWNET))
		_exit(254);
	step_program = TERN_PROGRAM_UNPRIV - 1;
	return step_bind();
}

static int step_foreign_namespace(void)
{
	if (unshare(CLONE_NEWUSER))
		_exit(254);
	step_program = TERN_PROGRAM_UNPRIV - 1;
	return step_bind();
}

/* The capability counts in the user namespace that owns the node. */
TEST_F(names, capability_in_user_namespace)
{
	int status = unprivileged(step_own_namespace);

	if (status == 254)
		SKIP(return, "no unprivileged user namespaces");
	EXPECT_EQ(0, status);
	EXPECT_EQ(EACCES, unprivileged(step_foreign_namespace));
}

TEST_F(names, service_taken)
{
	int second = tern_open(0);

	ASSERT_LE(0, second);
	ASSERT_EQ(0, tern_bind(self->fd, PROGRAM));
	EXPECT_ERRNO(EADDRINUSE, tern_bind(second, PROGRAM));
	ASSERT_EQ(0, set_int(second, SOL_TERN, TERN_SHARE, 1));
	EXPECT_ERRNO(EADDRINUSE, tern_bind(second, PROGRAM));
	self->addr.st_version = 2;
	EXPECT_EQ(0, bind_to(second, &self->addr, sizeof(self->addr)));
	close(second);
}

TEST_F(names, share_needs_all)
{
	int second = tern_open(0), third = tern_open(0);

	ASSERT_EQ(0, set_int(self->fd, SOL_TERN, TERN_SHARE, 1));
	ASSERT_EQ(0, set_int(third, SOL_TERN, TERN_SHARE, 1));
	ASSERT_EQ(0, tern_bind(self->fd, PROGRAM));
	EXPECT_ERRNO(EADDRINUSE, tern_bind(second, PROGRAM));
	EXPECT_EQ(0, tern_bind(third, PROGRAM));
	close(third);
	close(self->fd);
	/* The service is free, and need not be shared any longer. */
	EXPECT_EQ(0, tern_bind(second, PROGRAM));
	close(second);
}

static int step_share(void)
{
	return service_open(PROGRAM, true, 0);
}

TEST_F(names, share_within_one_user)
{
	close(self->fd);
	self->fd = service_open(PROGRAM, true, 0);
	ASSERT_LE(0, self->fd);
	EXPECT_EQ(EADDRINUSE, unprivileged(step_share));
	EXPECT_LE(0, step_share());
}

TEST_F(names, free_after_close)
{
	ASSERT_EQ(0, tern_bind(self->fd, PROGRAM));
	for (int i = 0; i < 50; i++) {
		close(self->fd);
		self->fd = service_open(PROGRAM, false, 0);
		ASSERT_LE(0, self->fd);
	}
}

TEST_F(names, services_are_per_namespace)
{
	int other;

	ASSERT_EQ(0, tern_bind(self->fd, PROGRAM));
	ASSERT_EQ(0, unshare(CLONE_NEWNET));
	other = tern_open(0);
	EXPECT_EQ(0, tern_bind(other, PROGRAM));
	close(other);
}

/* A socket stays in the namespace where it was made. */
TEST_F(names, namespace_of_socket)
{
	int client = client_open(PROGRAM, 0);
	int server = tern_open(0);
	struct tern_ioc_call c = { .timeout_ms = 1000 };
	int stranger;

	ASSERT_EQ(0, unshare(CLONE_NEWNET));
	EXPECT_EQ(0, tern_bind(server, PROGRAM));
	EXPECT_TRUE(works(server, client));
	stranger = client_open(PROGRAM, 0);
	EXPECT_ERRNO(ECONNREFUSED, call(stranger, &c, 1, "", 0, NULL, 0));
	EXPECT_EQ((uint32_t)TERN_NOT_EXECUTED, c.outcome);
	close(stranger);
	close(server);
	close(client);
}

TEST_F(names, connect_and_dissolve)
{
	struct sockaddr_tern name, to = tern_loopback(PROGRAM);
	struct tern_cmsg_call start = { .id = 1 };
	socklen_t len = sizeof(name);

	to.st_port = htons(1234);
	ASSERT_EQ(0, connect_to(self->fd, &to, sizeof(to)));
	ASSERT_EQ(0, getpeername(self->fd, (void *)&name, &len));
	EXPECT_EQ(sizeof(name), len);
	EXPECT_EQ(0, memcmp(&to, &name, sizeof(name)));
	to.st_service++;
	ASSERT_EQ(0, connect_to(self->fd, &to, sizeof(to)));
	ASSERT_EQ(0, getpeername(self->fd, (void *)&name, &len));
	EXPECT_EQ(PROGRAM + 1U, name.st_service);

	to.st_family = AF_UNSPEC;
	ASSERT_EQ(0, connect_to(self->fd, &to, sizeof(to.st_family)));
	EXPECT_ERRNO(ENOTCONN, getpeername(self->fd, (void *)&name, &len));
	EXPECT_ERRNO(EDESTADDRREQ, send_call(self->fd, NULL, &start, "", 0));
	EXPECT_EQ(0, connect_to(self->fd, &to, sizeof(to)));
}

TEST_F(names, connect_checks)
{
	struct sockaddr_tern to = tern_addr(PROGRAM, 1), name;
	socklen_t len = sizeof(name);

	EXPECT_ERRNO(EINVAL, connect_to(self->fd, &to, sizeof(to) - 1));
	to.st_family = AF_INET;
	EXPECT_ERRNO(EAFNOSUPPORT, connect_to(self->fd, &to, sizeof(to)));
	EXPECT_ERRNO(EINVAL, tern_connect(self->fd, TERN_PROGRAM_NODE));
	EXPECT_ERRNO(EINVAL, tern_connect(self->fd, 1));
	EXPECT_ERRNO(EINVAL, tern_connect(self->fd, TERN_PROGRAM_USER - 1));
	EXPECT_ERRNO(ENOTCONN, getpeername(self->fd, (void *)&name, &len));
	to = tern_addr(TERN_PROGRAM_NODE, 0);
	EXPECT_EQ(0, connect_to(self->fd, &to, sizeof(to)));
	EXPECT_EQ(0, tern_connect(self->fd, TERN_PROGRAM_USER));
}

/* connect() neither needs the service nor filters what is received. */
TEST_F(names, connected_service)
{
	int client = client_open(PROGRAM, 0);

	ASSERT_EQ(0, tern_connect(self->fd, NO_PROGRAM));
	ASSERT_EQ(0, tern_bind(self->fd, PROGRAM));
	EXPECT_TRUE(works(self->fd, client));
	close(client);
}

TEST_HARNESS_MAIN
