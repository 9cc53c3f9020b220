// SPDX-License-Identifier: GPL-2.0
/*
 * Test: none
 *
 * A worker that executes many calls of the counting service at once, each for
 * as long as it says, and tells what it hears of them meanwhile:
 *
 *   worker SERVICE POLICY [EXTEND]
 *
 * POLICY is one of enum tern_orphans, by number; with EXTEND it asks for
 * so many ms for each call when it begins. A line for everything that happens,
 * after the time in ms:
 *
 *   begin ID          a call is executed
 *   asked ID LEFT     the owner was asked, and this many ms are left
 *   interrupted ID    the wait for the owner's answer was, by SIGUSR1
 *   event ID CAUSE LEFT
 *                     it is not wanted any more (errno value, ms)
 *   gone ID           it was given up
 *   replied ID        the reply was taken
 *   refused ID ERRNO  the reply was refused
 */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <time.h>

#include <tern.h>

#include "count.h"

#define CALLS_MAX	256

/* How often it looks whether a call is still wanted. */
#define TICK_MS		20

static struct execution {
	uint64_t	handle;		/* 0: none */
	uint64_t	id;
	long		until_ms;
	int		gone;
} executions[CALLS_MAX];

static void die(const char *what)
{
	perror(what);
	exit(1);
}

static long now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

#define tell(format, ...) printf("%ld " format "\n", now_ms(), __VA_ARGS__)

static struct execution *find(uint64_t handle)
{
	for (struct execution *e = executions; e < executions + CALLS_MAX; e++)
		if (e->handle == handle)
			return e;
	fprintf(stderr, "worker: no call %llx\n", (unsigned long long)handle);
	exit(1);
}

/* recvmsg() with one control message of this type: the length, or -1. */
static ssize_t receive(int fd, int flags, int type, void *control,
		       size_t control_len, void *data, size_t len)
{
	union {
		char buf[CMSG_SPACE(64)];
		struct cmsghdr align;
	} u;
	struct iovec iov = { data, len };
	struct msghdr msg = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = &u,
		.msg_controllen = sizeof(u),
	};
	ssize_t ret = recvmsg(fd, &msg, flags | MSG_DONTWAIT);
	struct cmsghdr *cmsg = CMSG_FIRSTHDR(&msg);

	if (ret < 0) {
		if (errno != EAGAIN && errno != EINTR)
			die("recvmsg");
		return -1;
	}
	if (!cmsg || cmsg->cmsg_type != type ||
	    cmsg->cmsg_len != CMSG_LEN(control_len)) {
		fprintf(stderr, "worker: no control message %d\n", type);
		exit(1);
	}
	memcpy(control, CMSG_DATA(cmsg), control_len);
	return ret;
}

static void ask(int fd, const struct execution *e, uint32_t extend_ms)
{
	struct tern_ioc_request query = { .handle = e->handle,
					  .extend_ms = extend_ms };

	if (!ioctl(fd, TERN_IOC_REQUEST, &query))
		tell("asked %llu %u", (unsigned long long)e->id,
		     query.time_left_ms);
	else if (errno == EINTR)
		tell("interrupted %llu", (unsigned long long)e->id);
	else if (errno != ENOENT)
		die("TERN_IOC_REQUEST");
}

static void take(int fd, uint32_t extend_ms)
{
	static struct count_request request;
	struct tern_cmsg_request about;
	struct execution *e;

	if (receive(fd, 0, TERN_CMSG_REQUEST, &about, sizeof(about), &request,
		    sizeof(request)) != sizeof(request))
		return;
	e = find(0);
	*e = (struct execution){
		.handle = about.handle,
		.id = request.id,
		.until_ms = now_ms() + request.delay_ms,
	};
	tell("begin %llu", (unsigned long long)e->id);
	if (extend_ms)
		ask(fd, e, extend_ms);
}

static void hear(int fd)
{
	struct tern_cmsg_event event;

	if (receive(fd, MSG_OOB, TERN_CMSG_EVENT, &event, sizeof(event), NULL,
		    0))
		return;
	tell("event %llu %u %u",
	     (unsigned long long)find(event.handle)->id, event.cause,
	     event.time_left_ms);
}

static void reply(int fd, struct execution *e)
{
	union {
		char buf[CMSG_SPACE(sizeof(struct tern_cmsg_reply))];
		struct cmsghdr align;
	} u = { 0 };
	struct msghdr msg = { .msg_control = &u, .msg_controllen = sizeof(u) };
	struct tern_cmsg_reply about = { .handle = e->handle };
	struct cmsghdr *cmsg = CMSG_FIRSTHDR(&msg);

	cmsg->cmsg_level = SOL_TERN;
	cmsg->cmsg_type = TERN_CMSG_REPLY;
	cmsg->cmsg_len = CMSG_LEN(sizeof(about));
	memcpy(CMSG_DATA(cmsg), &about, sizeof(about));
	if (sendmsg(fd, &msg, 0) >= 0)
		tell("replied %llu", (unsigned long long)e->id);
	else
		tell("refused %llu %d", (unsigned long long)e->id, errno);
	e->handle = 0;
}

static void look(int fd)
{
	for (struct execution *e = executions; e < executions + CALLS_MAX; e++) {
		struct tern_ioc_request query = { .handle = e->handle };

		if (!e->handle)
			continue;
		if (!e->gone && ioctl(fd, TERN_IOC_REQUEST, &query)) {
			if (errno != ENOENT)
				die("TERN_IOC_REQUEST");
			e->gone = 1;
			tell("gone %llu", (unsigned long long)e->id);
		}
		if (now_ms() >= e->until_ms)
			reply(fd, e);
	}
}

static void interrupt(int number)
{
	(void)number;
}

int main(int argc, char **argv)
{
	struct sigaction action = { .sa_handler = interrupt };
	uint32_t policy, extend_ms;
	struct pollfd p = { .events = POLLIN | POLLPRI };

	if (argc < 3) {
		fprintf(stderr, "worker SERVICE POLICY [EXTEND]\n");
		return 2;
	}
	setlinebuf(stdout);
	policy = atoi(argv[2]);
	extend_ms = argc > 3 ? atoi(argv[3]) : 0;
	sigaction(SIGUSR1, &action, NULL);
	p.fd = tern_socket(0);
	if (p.fd < 0 || setsockopt(p.fd, SOL_TERN, TERN_ORPHANS, &policy,
				   sizeof(policy)) ||
	    tern_bind(p.fd, atoi(argv[1]), 1, 0))
		die("start");
	for (;;) {
		if (poll(&p, 1, TICK_MS) < 0 && errno != EINTR)
			die("poll");
		if (p.revents & POLLPRI)
			hear(p.fd);
		if (p.revents & POLLIN)
			take(p.fd, extend_ms);
		look(p.fd);
	}
}
