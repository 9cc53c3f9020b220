// SPDX-License-Identifier: GPL-2.0
/*
 * The Ethernet link between two guests, A and B.
 *
 *   wire DIR
 *     Carries frames between them. Each datagram is a frame; the one from A
 *     comes to DIR/wire-A, and goes on from DIR/wire-B to DIR/guest-B. Reads
 *     commands, one a line, and answers each by a line: "ok", what was asked
 *     for, or "error: ...". "A" or "B" before a command restricts it to the
 *     frames that this guest sends.
 *
 *       up | down      carry frames, or none
 *       drop N         drop every N-th frame
 *       dup N MS       send every N-th frame again, MS milliseconds later
 *       hold N MS      send every N-th frame MS milliseconds later
 *       delay MS       send every frame MS milliseconds later
 *       corrupt N      change a bit in the payload of every N-th frame, when
 *                      that is UDP over IPv4, and leave UDP no checksum that
 *                      would find it
 *       clear          none of these (N = 0 switches one off)
 *       stats          frames of each kind so far
 *
 *   wire attach FD DIR GUEST COMMAND...
 *     Runs COMMAND with the guest's end of the link as file descriptor FD.
 */
#define _GNU_SOURCE
#include <err.h>
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#define FRAME_MAX	65600
#define QUEUE_MAX	4096
#define MSEC		1000000ULL

/* What happens to the frames that one guest sends, and what happened. */
struct direction {
	bool down;
	unsigned int drop;
	unsigned int dup;
	unsigned int dup_ms;
	unsigned int hold;
	unsigned int hold_ms;
	unsigned int delay_ms;
	unsigned int corrupt;

	uint64_t frames;
	uint64_t dropped;
	uint64_t duplicated;
	uint64_t held;
	uint64_t corrupted;
	uint64_t sent;
	/* not taken by a guest that is down, or too slow */
	uint64_t lost;
};

struct frame {
	struct frame *next;
	uint64_t due;
	int from;
	size_t len;
	char data[];
};

static struct direction directions[2];
static int sockets[2];
static struct sockaddr_un guests[2];

/* Ordered by due time; equal ones in the order of their arrival. */
static struct frame *queue;
static unsigned int queued;

static uint64_t now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000000000ULL + ts.tv_nsec;
}

static struct sockaddr_un address(const char *dir, const char *kind, char name)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	int len;

	len = snprintf(addr.sun_path, sizeof(addr.sun_path), "%s/%s-%c", dir,
		       kind, name);
	if (len < 0 || (size_t)len >= sizeof(addr.sun_path))
		errx(2, "path too long: %s", dir);
	return addr;
}

static int bound_socket(const struct sockaddr_un *addr)
{
	int size = 4 << 20;
	int fd;

	fd = socket(AF_UNIX, SOCK_DGRAM, 0);
	if (fd < 0)
		err(1, "socket");
	setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
	unlink(addr->sun_path);
	if (bind(fd, (const struct sockaddr *)addr, sizeof(*addr)))
		err(1, "%s", addr->sun_path);
	return fd;
}

static void frame_queue(int from, const void *data, size_t len, uint64_t due)
{
	struct frame **place = &queue;
	struct frame *frame;

	if (queued == QUEUE_MAX) {
		directions[from].lost++;
		return;
	}
	frame = malloc(sizeof(*frame) + len);
	if (!frame)
		err(1, NULL);
	frame->due = due;
	frame->from = from;
	frame->len = len;
	memcpy(frame->data, data, len);
	while (*place && (*place)->due <= due)
		place = &(*place)->next;
	frame->next = *place;
	*place = frame;
	queued++;
}

static bool is_nth(const struct direction *dir, unsigned int n)
{
	return n && dir->frames % n == 0;
}

/*
 * Changes a bit, of which only the receiver's own check of the payload tells.
 * UDP over IPv4 may go without a checksum, and then has 0 in its place.
 */
static bool frame_corrupt(unsigned char *data, size_t len, uint64_t position)
{
	const size_t ip = 14, udp = ip + (data[ip] & 0x0f) * 4, payload = udp + 8;

	if (len <= payload || data[12] != 8 || data[13] || data[ip] >> 4 != 4 ||
	    data[ip + 6] & 0x3f || data[ip + 7] || data[ip + 9] != 17)
		return false;
	data[udp + 6] = 0;
	data[udp + 7] = 0;
	data[payload + position / 8 % (len - payload)] ^= 1 << position % 8;
	return true;
}

static void frame_arrived(int from, unsigned char *data, size_t len)
{
	struct direction *dir = &directions[from];
	uint64_t due = now() + dir->delay_ms * MSEC;

	dir->frames++;
	if (dir->down || is_nth(dir, dir->drop)) {
		dir->dropped++;
		return;
	}
	if (is_nth(dir, dir->corrupt) && len > 14)
		dir->corrupted += frame_corrupt(data, len, dir->frames * 2654435761U);
	if (is_nth(dir, dir->hold)) {
		dir->held++;
		due += dir->hold_ms * MSEC;
	}
	frame_queue(from, data, len, due);
	if (is_nth(dir, dir->dup)) {
		dir->duplicated++;
		frame_queue(from, data, len, due + dir->dup_ms * MSEC);
	}
}

/* Returns false when the receiver's socket is full. */
static bool frame_send(const struct frame *frame)
{
	struct direction *dir = &directions[frame->from];
	int to = !frame->from;

	if (sendto(sockets[to], frame->data, frame->len, MSG_DONTWAIT,
		   (struct sockaddr *)&guests[to], sizeof(guests[to])) >= 0) {
		dir->sent++;
		return true;
	}
	if (errno == EAGAIN || errno == ENOBUFS)
		return false;
	dir->lost++;
	return true;
}

/*
 * Sends what is due. A frame to a guest whose socket is full stays, and so do
 * the later ones to it. Returns how many milliseconds to wait, or -1.
 */
static int queue_run(void)
{
	bool full[2] = { false, false };
	struct frame **place = &queue;
	uint64_t time = now();
	struct frame *frame;
	uint64_t left;

	while ((frame = *place) && frame->due <= time) {
		if (!full[frame->from] && frame_send(frame)) {
			*place = frame->next;
			free(frame);
			queued--;
		} else {
			full[frame->from] = true;
			place = &frame->next;
		}
	}
	if (full[0] || full[1])
		return 1;
	if (!queue)
		return -1;
	left = (queue->due - time + MSEC - 1) / MSEC;
	return left < 1000 ? left : 1000;
}

static bool direction_set(struct direction *dir, const char *verb, int words,
			  unsigned int a, unsigned int b)
{
	if (!strcmp(verb, "up") && words == 1) {
		dir->down = false;
	} else if (!strcmp(verb, "down") && words == 1) {
		dir->down = true;
	} else if (!strcmp(verb, "drop") && words == 2) {
		dir->drop = a;
	} else if (!strcmp(verb, "dup") && words == 3) {
		dir->dup = a;
		dir->dup_ms = b;
	} else if (!strcmp(verb, "hold") && words == 3) {
		dir->hold = a;
		dir->hold_ms = b;
	} else if (!strcmp(verb, "delay") && words == 2) {
		dir->delay_ms = a;
	} else if (!strcmp(verb, "corrupt") && words == 2) {
		dir->corrupt = a;
	} else if (!strcmp(verb, "clear") && words == 1) {
		dir->down = false;
		dir->drop = 0;
		dir->dup = 0;
		dir->hold = 0;
		dir->delay_ms = 0;
		dir->corrupt = 0;
	} else {
		return false;
	}
	return true;
}

static void stats_print(void)
{
	const struct direction *dir;
	int i;

	for (i = 0; i < 2; i++) {
		dir = &directions[i];
		printf("%s%c frames=%" PRIu64 " dropped=%" PRIu64
		       " duplicated=%" PRIu64 " held=%" PRIu64
		       " corrupted=%" PRIu64 " sent=%" PRIu64
		       " lost=%" PRIu64, i ? " " : "", "AB"[i],
		       dir->frames, dir->dropped, dir->duplicated, dir->held,
		       dir->corrupted, dir->sent, dir->lost);
	}
	putchar('\n');
}

static void command_run(const char *line)
{
	bool which[2] = { true, true };
	unsigned int a = 0, b = 0;
	bool known = true;
	char verb[16];
	int words;
	int i;

	if ((line[0] == 'A' || line[0] == 'B') && line[1] == ' ') {
		which[line[0] == 'A'] = false;
		line += 2;
	}
	words = sscanf(line, "%15s %u %u", verb, &a, &b);
	if (words == 1 && !strcmp(verb, "stats")) {
		stats_print();
		return;
	}
	for (i = 0; i < 2; i++) {
		if (which[i])
			known = direction_set(&directions[i], verb, words, a, b);
		if (words < 1 || !known)
			break;
	}
	puts(words > 0 && known ? "ok" : "error: unknown command");
}

/* Takes what has arrived; a guest that sends without end does not block. */
static void socket_read(int from)
{
	static unsigned char data[FRAME_MAX];
	int budget = 64;
	ssize_t len;

	while (budget--) {
		len = recv(sockets[from], data, sizeof(data), MSG_DONTWAIT);
		if (len < 0)
			break;
		frame_arrived(from, data, len);
	}
}

static void relay(const char *dir)
{
	struct pollfd fds[3];
	struct sockaddr_un addr;
	char *line = NULL;
	size_t size = 0;
	int wait;
	int i;

	for (i = 0; i < 2; i++) {
		addr = address(dir, "wire", "AB"[i]);
		sockets[i] = bound_socket(&addr);
		guests[i] = address(dir, "guest", "AB"[i]);
		fds[i].fd = sockets[i];
		fds[i].events = POLLIN;
	}
	fds[2].fd = STDIN_FILENO;
	fds[2].events = POLLIN;
	/* one line at a time, so that poll sees the next */
	setvbuf(stdin, NULL, _IONBF, 0);
	setvbuf(stdout, NULL, _IOLBF, 0);
	puts("ok");

	for (;;) {
		wait = queue_run();
		if (poll(fds, 3, wait) < 0 && errno != EINTR)
			err(1, "poll");
		for (i = 0; i < 2; i++) {
			if (fds[i].revents)
				socket_read(i);
		}
		if (fds[2].revents) {
			if (getline(&line, &size, stdin) < 0)
				break;
			command_run(line);
		}
	}
	free(line);
}

static void attach(int fd, const char *dir, char guest, char **command)
{
	struct sockaddr_un local = address(dir, "guest", guest);
	struct sockaddr_un remote = address(dir, "wire", guest);
	int sock = bound_socket(&local);

	if (connect(sock, (struct sockaddr *)&remote, sizeof(remote)))
		err(1, "%s", remote.sun_path);
	if (dup2(sock, fd) < 0)
		err(1, "dup2");
	if (sock != fd)
		close(sock);
	execvp(command[0], command);
	err(1, "%s", command[0]);
}

int main(int argc, char **argv)
{
	if (argc == 2)
		relay(argv[1]);
	else if (argc > 5 && !strcmp(argv[1], "attach"))
		attach(atoi(argv[2]), argv[3], argv[4][0], argv + 5);
	else
		errx(2, "usage: wire DIR | wire attach FD DIR GUEST COMMAND...");
	return 0;
}
