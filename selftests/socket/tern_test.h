/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Helpers for the tests of the socket interface: plain wrappers around the
 * system calls, with the errno left to the test, and waits for events.
 */
#ifndef TERN_TEST_H
#define TERN_TEST_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif

#include <arpa/inet.h>
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <linux/sockios.h>
#include <linux/tern.h>

#include "kselftest_harness.h"

#define PROGRAM		4000
#define NO_PROGRAM	4999	/* never bound */
#define PATIENCE_MS	20000	/* a wait that ends long before it */

/* of the longest control message */
#define CONTROL_SPACE	CMSG_SPACE(sizeof(struct tern_cmsg_call))

static_assert(sizeof(struct tern_cmsg_request) ==
	      sizeof(struct tern_cmsg_outcome), "one control size");

/* A message received, of either kind. */
struct message {
	int type;			/* TERN_CMSG_*, -1 for none */
	int flags;			/* msg_flags */
	struct sockaddr_tern source;
	union {
		struct tern_cmsg_request request;
		struct tern_cmsg_outcome outcome;
	};
};

static inline int tern_family(void)
{
	static int family;
	FILE *file;

	if (family)
		return family;
	file = fopen("/sys/module/tern/parameters/family", "re");
	if (!file || fscanf(file, "%d", &family) != 1)
		family = AF_TERN;
	if (file)
		fclose(file);
	return family;
}

static inline int tern_open(int flags)
{
	return socket(tern_family(), SOCK_RDM | SOCK_CLOEXEC | flags, 0);
}

static inline struct sockaddr_tern tern_addr(uint32_t service, uint32_t version)
{
	struct sockaddr_tern addr = {
		.st_family = tern_family(),
		.st_service = service,
		.st_version = version,
	};

	return addr;
}

static inline struct sockaddr_tern tern_loopback(uint32_t service)
{
	struct sockaddr_tern addr = tern_addr(service, 1);

	addr.st_addr[15] = 1;
	return addr;
}

static inline int tern_bind(int fd, uint32_t service)
{
	struct sockaddr_tern addr = tern_addr(service, 1);

	return bind(fd, (struct sockaddr *)&addr, sizeof(addr));
}

static inline int tern_connect(int fd, uint32_t service)
{
	struct sockaddr_tern addr = tern_addr(service, 1);

	return connect(fd, (struct sockaddr *)&addr, sizeof(addr));
}

static inline int set_int(int fd, int level, int option, int value)
{
	return setsockopt(fd, level, option, &value, sizeof(value));
}

static inline int set_time(int fd, int option, int ms)
{
	struct timeval tv = { ms / 1000, ms % 1000 * 1000 };

	return setsockopt(fd, SOL_SOCKET, option, &tv, sizeof(tv));
}

/* A socket offering @service; with @share, together with others. */
static inline int service_open(uint32_t service, bool share, int flags)
{
	int fd = tern_open(flags);

	if (fd < 0)
		return fd;
	if ((share && set_int(fd, SOL_TERN, TERN_SHARE, 1)) ||
	    tern_bind(fd, service)) {
		close(fd);
		return -1;
	}
	return fd;
}

/* A socket whose default destination is @service. */
static inline int client_open(uint32_t service, int flags)
{
	int fd = tern_open(flags);

	if (fd >= 0 && tern_connect(fd, service)) {
		close(fd);
		return -1;
	}
	return fd;
}

/* sendmsg() with one control message of level SOL_TERN. */
static inline ssize_t send_control(int fd, const struct sockaddr_tern *to,
				   int type, const void *control,
				   size_t control_len, const void *data,
				   size_t len, int flags)
{
	union {
		char buf[CMSG_SPACE(64)];
		struct cmsghdr align;
	} u = { 0 };
	struct iovec iov = { (void *)data, len };
	struct msghdr msg = {
		.msg_name = (void *)to,
		.msg_namelen = to ? sizeof(*to) : 0,
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = &u,
		.msg_controllen = CMSG_SPACE(control_len),
	};
	struct cmsghdr *cmsg = CMSG_FIRSTHDR(&msg);

	cmsg->cmsg_level = SOL_TERN;
	cmsg->cmsg_type = type;
	cmsg->cmsg_len = CMSG_LEN(control_len);
	memcpy(CMSG_DATA(cmsg), control, control_len);
	return sendmsg(fd, &msg, flags);
}

static inline ssize_t send_call(int fd, const struct sockaddr_tern *to,
				const struct tern_cmsg_call *call,
				const void *data, size_t len)
{
	return send_control(fd, to, TERN_CMSG_CALL, call, sizeof(*call), data,
			    len, 0);
}

static inline ssize_t send_reply(int fd, uint64_t handle, uint32_t status,
				 const void *data, size_t len)
{
	struct tern_cmsg_reply reply = { .handle = handle, .status = status };

	return send_control(fd, NULL, TERN_CMSG_REPLY, &reply, sizeof(reply),
			    data, len, 0);
}

/* recvmsg() of a request or an outcome. */
static inline ssize_t receive(int fd, struct message *m, void *data, size_t len,
			      int flags)
{
	union {
		char buf[CONTROL_SPACE];
		struct cmsghdr align;
	} u;
	struct iovec iov = { data, len };
	struct msghdr msg = {
		.msg_name = &m->source,
		.msg_namelen = sizeof(m->source),
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = &u,
		.msg_controllen = sizeof(u),
	};
	ssize_t ret = recvmsg(fd, &msg, flags);
	struct cmsghdr *cmsg;

	m->type = -1;
	if (ret < 0)
		return ret;
	m->flags = msg.msg_flags;
	cmsg = CMSG_FIRSTHDR(&msg);
	if (cmsg && cmsg->cmsg_level == SOL_TERN &&
	    cmsg->cmsg_len == CMSG_LEN(sizeof(m->request)) &&
	    msg.msg_namelen == sizeof(m->source)) {
		m->type = cmsg->cmsg_type;
		memcpy(&m->request, CMSG_DATA(cmsg), sizeof(m->request));
	}
	return ret;
}

/* TERN_IOC_CALL on a connected socket. */
static inline int call(int fd, struct tern_ioc_call *c, uint32_t procedure,
		       const void *request, uint32_t request_len, void *reply,
		       uint32_t reply_len)
{
	c->request = (uintptr_t)request;
	c->request_len = request_len;
	c->reply = (uintptr_t)reply;
	c->reply_len = reply_len;
	c->procedure = procedure;
	c->outcome = -1;
	c->cause = -1;
	return ioctl(fd, TERN_IOC_CALL, c);
}

/* Is the service still able to take a request and to reply? */
static inline bool works(int server, int client)
{
	struct tern_cmsg_call start = { .id = 77, .procedure = 5 };
	struct message m;
	char buf[8];

	return send_call(client, NULL, &start, "ping", 4) == 4 &&
	       receive(server, &m, buf, sizeof(buf), 0) == 4 &&
	       m.type == TERN_CMSG_REQUEST && m.request.procedure == 5 &&
	       send_reply(server, m.request.handle, 6, "pong!", 5) == 5 &&
	       receive(client, &m, buf, sizeof(buf), 0) == 5 &&
	       m.type == TERN_CMSG_OUTCOME && m.outcome.id == 77 &&
	       m.outcome.outcome == TERN_REPLIED && m.outcome.status == 6 &&
	       !memcmp(buf, "pong!", 5);
}

/* poll() for @events; the events that are there, at once if @ms is 0. */
static inline int ready(int fd, int events, int ms)
{
	struct pollfd p = { .fd = fd, .events = events };

	return poll(&p, 1, ms) < 0 ? -1 : p.revents;
}

static inline int64_t now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000LL + ts.tv_nsec / 1000000;
}

static inline void fill(void *data, size_t len, uint32_t seed)
{
	uint8_t *p = data;

	while (len--) {
		seed = seed * 1664525 + 1013904223;
		*p++ = seed >> 24;
	}
}

static inline bool filled(const void *data, size_t len, uint32_t seed)
{
	const uint8_t *p = data;

	while (len--) {
		seed = seed * 1664525 + 1013904223;
		if (*p++ != (uint8_t)(seed >> 24))
			return false;
	}
	return true;
}

/*
 * Wait until a thread sleeps in the kernel or is gone.  @started, if any, is set by the
 * thread right before the system call that is to sleep.
 */
static inline void wait_asleep(pid_t pid, pid_t tid, const int *started)
{
	char path[64], line[256], state = 0;

	while (started && !__atomic_load_n(started, __ATOMIC_ACQUIRE))
		sched_yield();
	snprintf(path, sizeof(path), "/proc/%d/task/%d/stat", pid, tid);
	while (state != 'S' && state != 'Z') {
		FILE *file = fopen(path, "re");
		char *end;

		if (!file)
			return;
		end = fgets(line, sizeof(line), file) ? strrchr(line, ')') : 0;
		state = end ? end[2] : 'Z';
		fclose(file);
		sched_yield();
	}
}

/* fork() a child that does not outlive the test. */
static inline pid_t fork_child(void)
{
	pid_t pid = fork();

	if (!pid)
		prctl(PR_SET_PDEATHSIG, SIGKILL);
	return pid;
}

/* The exit status of a child, or minus the signal that ended it. */
static inline int wait_child(pid_t pid)
{
	int status;

	if (waitpid(pid, &status, 0) != pid)
		return -1000;
	return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

/* Memory shared with child processes, zeroed. */
static inline void *shared_alloc(size_t size)
{
	void *p = mmap(NULL, size, PROT_READ | PROT_WRITE,
		       MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	return p == MAP_FAILED ? NULL : p;
}

/* A server and a client connected to it, in a network namespace of their own */
#define TERN_FIXTURE(name)						\
	FIXTURE(name) {							\
		int server;						\
		int client;						\
	};								\
	FIXTURE_SETUP(name)						\
	{								\
		ASSERT_EQ(0, unshare(CLONE_NEWNET));			\
		self->server = service_open(PROGRAM, false, 0);		\
		ASSERT_LE(0, self->server);				\
		self->client = client_open(PROGRAM, 0);			\
		ASSERT_LE(0, self->client);				\
	}								\
	FIXTURE_TEARDOWN(name)						\
	{								\
		close(self->client);					\
		close(self->server);					\
	}

/* A call that fails with one errno value. */
#define EXPECT_ERRNO(expected, expression)				\
	do {								\
		errno = 0;						\
		EXPECT_EQ(-1, (long)(expression));			\
		EXPECT_EQ(expected, errno);				\
	} while (0)

#define EXPECT_OUTCOME(m, wanted_id, wanted, wanted_cause)		\
	do {								\
		EXPECT_EQ(TERN_CMSG_OUTCOME, (m)->type);		\
		EXPECT_EQ((uint64_t)(wanted_id), (m)->outcome.id);	\
		EXPECT_EQ((uint32_t)(wanted), (m)->outcome.outcome);	\
		EXPECT_EQ((uint32_t)(wanted_cause), (m)->outcome.cause); \
		EXPECT_EQ(0U, (m)->outcome.__resv);			\
	} while (0)

#endif /* TERN_TEST_H */
