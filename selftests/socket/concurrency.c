// SPDX-License-Identifier: GPL-2.0
/*
 * Test: quick=no timeout=300
 *
 * Many clients and workers at once.  Executions are counted in shared memory:
 * none is ever done twice, and what the caller was told is what happened, also
 * when workers and clients are killed and started again.
 */
#include <linux/futex.h>

#include "tern_test.h"

enum {
	WORKERS = 8,
	CLIENTS = 16,
	CALLS = 500,
	WINDOW = 8,		/* calls outstanding of an asynchronous client */
	LONGEST = 2000,
	NO_OUTCOME = 255,	/* the client died before it was told */
};

struct shared {
	unsigned int executed[CLIENTS][CALLS];
	uint8_t outcome[CLIENTS][CALLS];
	unsigned int next[CLIENTS];	/* the first call not yet started */
	unsigned int total;		/* executions */
	unsigned int bad;		/* requests or replies with wrong content */
	unsigned int failed;		/* system calls that should not fail */
	uint32_t news;			/* changes with next and failed */
};

struct request {
	uint32_t client;
	uint32_t number;
	char data[LONGEST];
};

static struct shared *shared;

FIXTURE(concurrency) {
	pid_t workers[WORKERS];
	pid_t clients[CLIENTS];
};

static uint32_t length(uint32_t number)
{
	return number * 7919 % (LONGEST + 1);
}

static void count(unsigned int *counter)
{
	__atomic_add_fetch(counter, 1, __ATOMIC_RELAXED);
}

/* Wakes who waits for progress. */
static void announce(void)
{
	__atomic_add_fetch(&shared->news, 1, __ATOMIC_RELEASE);
	syscall(SYS_futex, &shared->news, FUTEX_WAKE, 1, NULL, NULL, 0);
}

static void has_failed(void)
{
	count(&shared->failed);
	announce();
}

static void execute(const struct request *r, uint32_t len)
{
	uint32_t head = offsetof(struct request, data);

	if (len < head || r->client >= CLIENTS || r->number >= CALLS ||
	    len != head + length(r->number) ||
	    !filled(r->data, len - head, r->number)) {
		count(&shared->bad);
		return;
	}
	count(&shared->executed[r->client][r->number]);
	count(&shared->total);
}

static void work(void)
{
	static struct request r;
	static char reply[LONGEST];
	struct tern_ioc_reply_recv rr = {
		.request = (uintptr_t)&r, .reply = (uintptr_t)reply,
	};
	int fd = service_open(PROGRAM, true, 0);

	while (fd >= 0) {
		rr.request_len = sizeof(r);
		if (ioctl(fd, TERN_IOC_REPLY_RECV, &rr))
			break;
		execute(&r, rr.request_len);
		/* Lets a kill come between execution and reply. */
		sched_yield();
		rr.reply_len = length(r.number + 1);
		fill(reply, rr.reply_len, r.number + 1);
	}
	has_failed();
	_exit(1);
}

static void told(uint32_t client, uint32_t number, uint32_t outcome,
		 const char *reply, uint32_t len)
{
	if (outcome == TERN_REPLIED && (len != length(number + 1) ||
					!filled(reply, len, number + 1)))
		count(&shared->bad);
	shared->outcome[client][number] = outcome;
}

static uint32_t prepare(struct request *r, uint32_t client, uint32_t number)
{
	r->client = client;
	r->number = number;
	fill(r->data, length(number), number);
	/* Should the client die now, this call is not started again. */
	__atomic_store_n(&shared->next[client], number + 1, __ATOMIC_RELEASE);
	announce();
	return offsetof(struct request, data) + length(number);
}

static void call_one_by_one(uint32_t client, int fd)
{
	static char reply[LONGEST];
	static struct request r;

	for (uint32_t i = shared->next[client]; i < CALLS; i++) {
		struct tern_ioc_call c = { .timeout_ms = 120000 };
		uint32_t len = prepare(&r, client, i);

		call(fd, &c, 1, &r, len, reply, sizeof(reply));
		told(client, i, c.outcome, reply, c.reply_len);
	}
}

static void call_many_at_once(uint32_t client, int fd)
{
	uint32_t next = shared->next[client], outstanding = 0;
	struct tern_cmsg_call start = { .timeout_ms = 120000 };
	static char reply[LONGEST];
	static struct request r;
	struct message m;

	while (next < CALLS || outstanding) {
		ssize_t len;

		while (next < CALLS && outstanding < WINDOW) {
			len = prepare(&r, client, next);
			start.id = next++;
			if (send_call(fd, NULL, &start, &r, len) != len)
				has_failed();
			else
				outstanding++;
		}
		len = receive(fd, &m, reply, sizeof(reply), 0);
		if (len < 0 || m.type != TERN_CMSG_OUTCOME ||
		    m.outcome.id >= CALLS) {
			has_failed();
			_exit(1);
		}
		told(client, m.outcome.id, m.outcome.outcome, reply, len);
		outstanding--;
	}
}

static pid_t start_worker(void)
{
	pid_t pid = fork_child();

	if (!pid)
		work();
	return pid;
}

static pid_t start_client(uint32_t client)
{
	pid_t pid = fork_child();

	if (!pid) {
		int fd = client_open(PROGRAM, 0);

		if (client & 1)
			call_many_at_once(client, fd);
		else
			call_one_by_one(client, fd);
		_exit(0);
	}
	return pid;
}

FIXTURE_SETUP(concurrency)
{
	ASSERT_EQ(0, unshare(CLONE_NEWNET));
	shared = shared_alloc(sizeof(*shared));
	ASSERT_NE(NULL, shared);
	memset(shared->outcome, NO_OUTCOME, sizeof(shared->outcome));
	for (int i = 0; i < WORKERS; i++)
		self->workers[i] = start_worker();
	/* Each worker is there when it waits for its first request. */
	for (int i = 0; i < WORKERS; i++)
		wait_asleep(self->workers[i], self->workers[i], NULL);
	for (int i = 0; i < CLIENTS; i++)
		self->clients[i] = start_client(i);
}

FIXTURE_TEARDOWN(concurrency)
{
	for (int i = 0; i < WORKERS; i++) {
		kill(self->workers[i], SIGKILL);
		EXPECT_EQ(-SIGKILL, wait_child(self->workers[i]));
	}
	EXPECT_EQ(0U, shared->failed);
	EXPECT_EQ(0U, shared->bad);
}

/* Which execution counts fit an outcome. */
static bool consistent(uint8_t outcome, unsigned int executed)
{
	switch (outcome) {
	case TERN_REPLIED:
		return executed == 1;
	case TERN_NOT_EXECUTED:
		return executed == 0;
	case TERN_UNKNOWN:
	case NO_OUTCOME:
		return executed <= 1;
	}
	return false;
}

static int count_inconsistent(void)
{
	int n = 0;

	for (int i = 0; i < CLIENTS; i++)
		for (int j = 0; j < CALLS; j++)
			if (!consistent(shared->outcome[i][j],
					shared->executed[i][j]))
				n++;
	return n;
}

static int count_outcomes(uint8_t outcome)
{
	int n = 0;

	for (int i = 0; i < CLIENTS; i++)
		for (int j = 0; j < CALLS; j++)
			n += shared->outcome[i][j] == outcome;
	return n;
}

TEST_F_TIMEOUT(concurrency, each_call_once, 240)
{
	for (int i = 0; i < CLIENTS; i++)
		EXPECT_EQ(0, wait_child(self->clients[i]));
	EXPECT_EQ(CLIENTS * CALLS, count_outcomes(TERN_REPLIED));
	EXPECT_EQ(0, count_inconsistent());
	EXPECT_EQ((unsigned int)(CLIENTS * CALLS), shared->total);
}

static uint32_t random_next(uint32_t *seed)
{
	*seed = *seed * 1664525 + 1013904223;
	return *seed >> 16;
}

/* How many calls have been started. */
static unsigned int progress(void)
{
	unsigned int n = 0;

	for (int i = 0; i < CLIENTS; i++)
		n += __atomic_load_n(&shared->next[i], __ATOMIC_ACQUIRE);
	return n;
}

/* News that a client was killed before it announced are seen at the start. */
static void wait_progress(unsigned int mark)
{
	for (;;) {
		uint32_t news = __atomic_load_n(&shared->news, __ATOMIC_ACQUIRE);

		if (progress() >= mark || shared->failed)
			return;
		syscall(SYS_futex, &shared->news, FUTEX_WAIT, news, NULL, NULL,
			0);
	}
}

TEST_F_TIMEOUT(concurrency, workers_are_killed, 240)
{
	uint32_t seed = 1;
	int kills = 0;

	for (unsigned int mark = 50; mark < CLIENTS * CALLS; mark += 50) {
		pid_t *worker = &self->workers[random_next(&seed) % WORKERS];

		wait_progress(mark);
		kill(*worker, SIGKILL);
		EXPECT_EQ(-SIGKILL, wait_child(*worker));
		*worker = start_worker();
		kills++;
	}
	for (int i = 0; i < CLIENTS; i++)
		EXPECT_EQ(0, wait_child(self->clients[i]));
	EXPECT_EQ(0, count_inconsistent());
	EXPECT_EQ(0, count_outcomes(NO_OUTCOME));
	/* Each worker has one request, so each death costs one call at most. */
	EXPECT_GE(kills, count_outcomes(TERN_UNKNOWN));
	TH_LOG("%d killed, %d unknown, %d not executed", kills,
	       count_outcomes(TERN_UNKNOWN), count_outcomes(TERN_NOT_EXECUTED));
}

TEST_F_TIMEOUT(concurrency, everybody_is_killed, 240)
{
	uint32_t seed = 2;

	for (unsigned int mark = 50; mark < CLIENTS * CALLS; mark += 50) {
		uint32_t w = random_next(&seed) % WORKERS;
		uint32_t c = random_next(&seed) % CLIENTS;
		int status;

		wait_progress(mark);
		kill(self->workers[w], SIGKILL);
		EXPECT_EQ(-SIGKILL, wait_child(self->workers[w]));
		self->workers[w] = start_worker();
		kill(self->clients[c], SIGKILL);
		status = wait_child(self->clients[c]);
		EXPECT_TRUE(status == -SIGKILL || status == 0);
		self->clients[c] = start_client(c);
	}
	for (int i = 0; i < CLIENTS; i++)
		EXPECT_EQ(0, wait_child(self->clients[i]));
	EXPECT_EQ(0, count_inconsistent());
	EXPECT_LT(CLIENTS * CALLS / 2, count_outcomes(TERN_REPLIED));
	TH_LOG("%d replied, %d unknown, %d not executed, %d not told",
	       count_outcomes(TERN_REPLIED), count_outcomes(TERN_UNKNOWN),
	       count_outcomes(TERN_NOT_EXECUTED), count_outcomes(NO_OUTCOME));
}

TEST_HARNESS_MAIN
