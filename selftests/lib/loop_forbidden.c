// SPDX-License-Identifier: GPL-2.0
/* Event loops where io_uring is forbidden, by one way or another. */
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#include "loop_test.h"

FIXTURE(forbidden) {
	struct place		place;
	struct tern_loop_opts	opts;
	struct tern_submission	call;
};

typedef FIXTURE_DATA(forbidden) forbidden_data;

FIXTURE_SETUP(forbidden)
{
	ASSERT_EQ(0, place_open(&self->place));
	self->call = (struct tern_submission){
		.to = &self->place.to,
		.opts = &patient,
	};
}

FIXTURE_TEARDOWN(forbidden)
{
	place_close(&self->place);
}

/* Uses a loop in a child, which returns 0. */
static int use_loop(forbidden_data *self)
{
	struct tern_request request;
	struct tern_loop *loop;
	uint64_t id;

	self->opts.backend = TERN_BACKEND_URING;
	if (tern_loop_open(&loop, self->place.client, &self->opts) != -EPERM)
		return 1;
	self->opts.backend = TERN_BACKEND_ANY;
	if (tern_loop_open(&loop, self->place.client, &self->opts))
		return 2;
	if (tern_loop_backend(loop) != TERN_BACKEND_POLL)
		return 3;
	if (tern_loop_call(loop, &self->call, &id) || tern_loop_submit(loop))
		return 4;
	if (tern_recv_request(self->place.server, &request, NULL, 0, 0) ||
	    tern_send_reply(self->place.server, request.handle, 0, NULL, 0))
		return 5;
	if (tern_loop_wait(loop, id, LONG_MS, NULL))
		return 6;
	tern_loop_close(loop);
	return 0;
}

static int forbid_by_seccomp(void)
{
	static struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
			 offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, __NR_io_uring_setup, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	static struct sock_fprog program = {
		.len = sizeof(code) / sizeof(code[0]),
		.filter = code,
	};

	return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) ||
	       prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program);
}

TEST_F(forbidden, by_seccomp)
{
	int status;
	pid_t pid = fork();

	if (!pid)
		_exit(forbid_by_seccomp() ? 99 : use_loop(self));
	waitpid(pid, &status, 0);
	ASSERT_TRUE(WIFEXITED(status));
	EXPECT_EQ(0, WEXITSTATUS(status));
}

/* Kernels before 6.6 have no such setting, and there is nothing to test. */
TEST_F(forbidden, by_sysctl)
{
	int fd = open("/proc/sys/kernel/io_uring_disabled", O_WRONLY | O_CLOEXEC);

	if (fd < 0) {
		ASSERT_EQ(ENOENT, errno);
		return;
	}
	ASSERT_EQ(1, pwrite(fd, "2", 1, 0));
	EXPECT_EQ(0, use_loop(self));
	EXPECT_EQ(1, pwrite(fd, "0", 1, 0));
	close(fd);
}

/* Otherwise that is what it works with. */
TEST_F(forbidden, not_forbidden)
{
	struct tern_loop *loop;

	ASSERT_EQ(0, tern_loop_open(&loop, self->place.client, NULL));
	EXPECT_EQ(TERN_BACKEND_URING, tern_loop_backend(loop));
	tern_loop_close(loop);
}

TEST_HARNESS_MAIN
