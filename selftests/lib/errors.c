// SPDX-License-Identifier: GPL-2.0
/*
 * What the library does without the kernel: outcomes in words, mistakes that it
 * finds itself, and files that are no sockets of Tern.
 *
 * Test: mode=host
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <stddef.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <tern.h>
#include <unistd.h>

#include "kselftest_harness.h"

#define ARRAY_LEN(array) (sizeof(array) / sizeof((array)[0]))

static uint32_t never(struct tern_job *job, void *context)
{
	(void)job;
	(void)context;
	return 1;
}

TEST(outcome_text)
{
	EXPECT_STREQ("replied", tern_outcome_text(TERN_REPLIED));
	EXPECT_STREQ("not executed", tern_outcome_text(TERN_NOT_EXECUTED));
	EXPECT_STREQ("unknown", tern_outcome_text(TERN_UNKNOWN));
	EXPECT_STREQ("delivered", tern_outcome_text(TERN_DELIVERED));
	EXPECT_STREQ("submitted", tern_outcome_text(TERN_SUBMITTED));
	EXPECT_STREQ("invalid outcome", tern_outcome_text(5));
	EXPECT_STREQ("invalid outcome", tern_outcome_text(UINT32_MAX));
}

struct text_row {
	struct tern_result	result;
	const char		*text;
	int			error;
};

static const struct text_row texts[] = {
	{ { TERN_REPLIED, 0, 0, 5 }, "replied", 0 },
	{ { TERN_REPLIED, 0, 7, 0 }, "replied: status 7", -EREMOTEIO },
	{ { TERN_REPLIED, 0, UINT32_MAX, 0 }, "replied: status 4294967295",
	  -EREMOTEIO },
	{ { TERN_REPLIED, EMSGSIZE, 7, 9 }, "replied: message too long",
	  -EMSGSIZE },
	{ { TERN_DELIVERED, 0, 0, 0 }, "delivered", 0 },
	{ { TERN_SUBMITTED, 0, 0, 0 }, "submitted", 0 },
	{ { TERN_NOT_EXECUTED, ECONNREFUSED, 0, 0 },
	  "not executed: connection refused", -ECONNREFUSED },
	{ { TERN_UNKNOWN, EOWNERDEAD, 0, 0 }, "unknown: owner died",
	  -EOWNERDEAD },
	/* the first word is no ordinary one */
	{ { TERN_UNKNOWN, EDOTDOT, 0, 0 }, "unknown: RFS specific error",
	  -EDOTDOT },
	{ { TERN_UNKNOWN, 12345, 0, 0 }, "unknown: error 12345", -12345 },
};

TEST(result_text)
{
	char text[TERN_RESULT_TEXT_SIZE];
	size_t i;

	for (i = 0; i < ARRAY_LEN(texts); i++) {
		EXPECT_STREQ(texts[i].text,
			     tern_result_text(&texts[i].result, text,
					      sizeof(text)));
		EXPECT_EQ(texts[i].error, tern_result_error(&texts[i].result));
	}
}

TEST(result_text_cut_off)
{
	const struct tern_result result = { TERN_UNKNOWN, EOWNERDEAD, 0, 0 };
	const char *full = "unknown: owner died";
	char text[32];
	size_t size, at;

	for (size = 1; size <= strlen(full); size++) {
		memset(text, '#', sizeof(text));
		tern_result_text(&result, text, size);
		EXPECT_EQ(0, strncmp(full, text, size - 1));
		EXPECT_EQ('\0', text[size - 1]);
		for (at = size; at < sizeof(text); at++) {
			EXPECT_EQ('#', text[at]) {
				TH_LOG("byte %zu after %zu", at, size);
			}
		}
	}
	memset(text, '#', sizeof(text));
	tern_result_text(&result, text, 0);
	EXPECT_EQ('#', text[0]);
}

TEST(result_text_size)
{
	char text[2 * TERN_RESULT_TEXT_SIZE];
	struct tern_result result = { .outcome = TERN_NOT_EXECUTED };

	for (result.cause = 1; result.cause < 4096; result.cause++) {
		tern_result_text(&result, text, sizeof(text));
		EXPECT_GT(TERN_RESULT_TEXT_SIZE, strlen(text));
	}
}

/* Nothing was called, and the result says so. */
#define EXPECT_NOT_EXECUTED(errno_value, expression) do {		\
	memset(&result, 0xaa, sizeof(result));				\
	EXPECT_EQ(-(errno_value), expression);				\
	EXPECT_EQ(TERN_NOT_EXECUTED, result.outcome);			\
	EXPECT_EQ(errno_value, result.cause);				\
	EXPECT_EQ(0, result.status);					\
	EXPECT_EQ(0, result.reply_len);					\
} while (0)

TEST(calls_that_reach_no_service)
{
	static char long_request[TERN_MESSAGE_MAX + 1];
	struct tern_call_opts reserved = { .resv = { [4] = 1 } };
	struct tern_result result;
	int fd = eventfd(0, EFD_CLOEXEC);

	ASSERT_LE(0, fd);
	EXPECT_NOT_EXECUTED(EBADF, tern_call(-1, NULL, 1, "x", 1, NULL, 0,
					     NULL, &result));
	EXPECT_NOT_EXECUTED(ENOTTY, tern_call(fd, NULL, 1, "x", 1, NULL, 0,
					      NULL, &result));
	EXPECT_NOT_EXECUTED(EMSGSIZE, tern_call(fd, NULL, 1, long_request,
						sizeof(long_request), NULL, 0,
						NULL, &result));
	EXPECT_NOT_EXECUTED(EMSGSIZE, tern_call(fd, NULL, 1, long_request,
						1ULL << 32, NULL, 0, NULL,
						&result));
	EXPECT_NOT_EXECUTED(EINVAL, tern_call(fd, NULL, 1, "x", 1, NULL, 0,
					      &reserved, &result));
	EXPECT_NOT_EXECUTED(EBADF, tern_cast(-1, NULL, 1, "x", 1, NULL,
					     &result));
	EXPECT_NOT_EXECUTED(EINVAL, tern_cast(fd, NULL, 1, "x", 1, &reserved,
					      &result));
	EXPECT_EQ(-EBADF, tern_call(-1, NULL, 1, "x", 1, NULL, 0, NULL, NULL));
	EXPECT_EQ(-EBADF, tern_cast(-1, NULL, 1, "x", 1, NULL, NULL));
	close(fd);
}

static void *call_nothing(void *arg)
{
	int *error = arg;

	*error = tern_call(-1, NULL, 1, "x", 1, NULL, 0, NULL, NULL);
	return NULL;
}

/* The file is not even looked at when the inherited deadline has passed. */
TEST(no_time_is_left)
{
	struct tern_request request = { .time_left_ms = 0 };
	struct tern_result result;
	pthread_t thread;
	int error;

	tern_inherit_deadline(&request);
	EXPECT_NOT_EXECUTED(ETIMEDOUT, tern_call(-1, NULL, 1, "x", 1, NULL, 0,
						 NULL, &result));
	EXPECT_NOT_EXECUTED(ETIMEDOUT, tern_cast(-1, NULL, 1, "x", 1, NULL,
						 &result));
	EXPECT_EQ(-ETIMEDOUT, tern_send_call(-1, NULL, 1, 1, "x", 1, NULL));
	/* another thread inherits nothing */
	ASSERT_EQ(0, pthread_create(&thread, NULL, call_nothing, &error));
	ASSERT_EQ(0, pthread_join(thread, NULL));
	EXPECT_EQ(-EBADF, error);

	tern_inherit_deadline(NULL);
	EXPECT_EQ(-EBADF, tern_call(-1, NULL, 1, "x", 1, NULL, 0, NULL, NULL));
	request.time_left_ms = UINT32_MAX;
	tern_inherit_deadline(&request);
	EXPECT_EQ(-EBADF, tern_call(-1, NULL, 1, "x", 1, NULL, 0, NULL, NULL));
}

/* From now on ioctl() fails in this process. */
static int fail_ioctl(int error)
{
	struct sock_filter filter[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
			 offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_ioctl, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | error),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = { ARRAY_LEN(filter), filter };

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
		return -1;
	return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program);
}

TEST(call_refused_by_a_filter)
{
	struct tern_result result;

	ASSERT_EQ(0, fail_ioctl(EPERM));
	EXPECT_NOT_EXECUTED(EPERM, tern_call(0, NULL, 1, "x", 1, NULL, 0,
					     NULL, &result));
}

/* The structure may have been what could not be written, after the call. */
TEST(call_whose_result_was_not_written)
{
	struct tern_result result;

	ASSERT_EQ(0, fail_ioctl(EFAULT));
	EXPECT_EQ(-EFAULT, tern_call(0, NULL, 1, "x", 1, NULL, 0, NULL,
				     &result));
	EXPECT_EQ(TERN_UNKNOWN, result.outcome);
	EXPECT_EQ(EFAULT, result.cause);
}

TEST(files_that_are_no_sockets)
{
	struct tern_request request = { .handle = 7 };
	struct tern_message message;
	struct tern_result result;
	struct tern_event event;
	char buf[16];
	int fd = eventfd(0, EFD_CLOEXEC);

	ASSERT_LE(0, fd);
	EXPECT_EQ(-ENOTSOCK, tern_bind(fd, 4000, 1, 0));
	EXPECT_EQ(-ENOTSOCK, tern_connect(fd, NULL));
	EXPECT_EQ(-ENOTSOCK, tern_set_timeout(fd, 1));
	EXPECT_EQ(-ENOTSOCK, tern_set_orphans(fd, TERN_ORPHANS_GENTLE));
	EXPECT_EQ(-ENOTSOCK, tern_recv_event(fd, &event));
	EXPECT_EQ(-ENOTTY, tern_query_request(fd, 7, 0, NULL));
	EXPECT_EQ(-ENOTSOCK, tern_send_call(fd, NULL, 1, 1, "x", 1, NULL));
	EXPECT_EQ(-ENOTSOCK, tern_recv(fd, &message, buf, sizeof(buf), 0));
	EXPECT_EQ(-ENOTSOCK, tern_recv_outcome(fd, NULL, buf, sizeof(buf),
					       &result, 0));
	EXPECT_EQ(-ENOTTY, tern_reply_recv(fd, &request, 0, NULL, 0, buf,
					   sizeof(buf), 0));
	EXPECT_EQ(7, request.handle);
	EXPECT_EQ(-ENOTTY, tern_recv_request(fd, &request, buf, sizeof(buf),
					     0));
	EXPECT_EQ(0, request.handle);
	EXPECT_EQ(-ENOTTY, tern_send_reply(fd, 7, 0, NULL, 0));
	EXPECT_EQ(-ENOTTY, tern_serve(fd, -1, never, NULL, NULL));
	close(fd);
}

/* What comes from another kind of socket is neither request nor outcome. */
TEST(socket_of_another_family)
{
	struct tern_message message;
	struct tern_result result;
	struct tern_event event;
	char buf[16];
	int fd[2], udp = socket(AF_INET, SOCK_DGRAM, 0);

	ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_DGRAM, 0, fd));
	ASSERT_EQ(1, send(fd[0], "x", 1, 0));
	EXPECT_EQ(-EPROTO, tern_recv(fd[1], &message, buf, sizeof(buf), 0));
	ASSERT_EQ(1, send(fd[0], "x", 1, 0));
	EXPECT_EQ(-EPROTO, tern_recv_outcome(fd[1], NULL, buf, sizeof(buf),
					     &result, 0));
	EXPECT_EQ(-EAGAIN, tern_recv(fd[1], &message, buf, sizeof(buf),
				     MSG_DONTWAIT));
	EXPECT_EQ(-EOPNOTSUPP, tern_recv_event(fd[1], &event));
	EXPECT_EQ(-EAGAIN, tern_recv_event(udp, &event));
	close(udp);
	close(fd[0]);
	close(fd[1]);
}

TEST(wrong_arguments)
{
	static char long_reply[TERN_MESSAGE_MAX + 1];
	struct tern_call_opts call_opts = { .resv = { 1 } };
	struct tern_serve_opts long_request = {
		.request_size = TERN_MESSAGE_MAX + 1,
	};
	struct tern_serve_opts long_reply_opts = {
		.reply_size = TERN_MESSAGE_MAX + 1,
	};
	struct tern_serve_opts reserved = { .resv = { [4] = 1 } };
	struct tern_request request = { .handle = 7 };
	char buf[16];

	EXPECT_EQ(-EINVAL, tern_socket(SOCK_CLOEXEC));
	EXPECT_EQ(-EINVAL, tern_socket(1));
	EXPECT_EQ(-EINVAL, tern_send_call(-1, NULL, 1, 1, "x", 1, &call_opts));
	EXPECT_EQ(-ENOENT, tern_send_reply(-1, 0, 0, NULL, 0));
	EXPECT_EQ(-EMSGSIZE, tern_send_reply(-1, 7, 0, long_reply,
					     sizeof(long_reply)));
	EXPECT_EQ(-EMSGSIZE, tern_reply_recv(-1, &request, 0, long_reply,
					     sizeof(long_reply), buf,
					     sizeof(buf), 0));
	EXPECT_EQ(7, request.handle);
	EXPECT_EQ(-EINVAL, tern_serve(-1, -1, never, NULL, &long_request));
	EXPECT_EQ(-EINVAL, tern_serve(-1, -1, never, NULL, &long_reply_opts));
	EXPECT_EQ(-EINVAL, tern_serve(-1, -1, never, NULL, &reserved));
	EXPECT_EQ(-EBADF, tern_serve(-1, 0, never, NULL, NULL));
}

TEST(serve_stop)
{
	uint64_t value = UINT64_MAX - 1;
	int fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	char byte;
	int pipes[2];

	ASSERT_LE(0, fd);
	errno = ENOSPC;
	EXPECT_EQ(0, tern_serve_stop(fd));
	EXPECT_EQ(-EBADF, tern_serve_stop(-1));
	EXPECT_EQ(ENOSPC, errno);
	ASSERT_EQ(sizeof(value), read(fd, &value, sizeof(value)));
	EXPECT_EQ(1, value);

	/* an eventfd and a pipe that are full, and so readable already */
	value = UINT64_MAX - 1;
	ASSERT_EQ(sizeof(value), write(fd, &value, sizeof(value)));
	EXPECT_EQ(0, tern_serve_stop(fd));
	ASSERT_EQ(0, pipe2(pipes, O_NONBLOCK | O_CLOEXEC));
	EXPECT_EQ(0, tern_serve_stop(pipes[1]));
	EXPECT_EQ(1, read(pipes[0], &byte, 1));
	while (write(pipes[1], &value, sizeof(value)) > 0)
		continue;
	EXPECT_EQ(EAGAIN, errno);
	EXPECT_EQ(0, tern_serve_stop(pipes[1]));
}

TEST_HARNESS_MAIN
