// SPDX-License-Identifier: GPL-2.0
/*
 * Measures a cell.  A process for it has a child that is the server and one for
 * each client, which share some memory:
 *
 *   1. Each client makes a call, and waits for the others.
 *   2. They call without pause, first for a while that does not count, since the
 *      scheduler takes some time to settle.  Then whoever ends a batch of calls
 *      writes down the time.
 *   3. They go on, and write down what each call takes.
 *
 * Whoever fails leaves a message there.
 */
#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "clock.h"
#include "duplicate.h"
#include "measure.h"
#include "peer.h"
#include "place.h"
#include "sizes.h"
#include "work.h"

#define DEPTH_MAX	512
/* Before anything is counted. */
#define WARM_BATCHES	3
#define WARM_NS		100000000
#define TIMED_MAX	2048
/* A cell that takes longer stands still. */
#define LIMIT_S		3600

struct shared {
	uint64_t	begin;
	atomic_uint	warm;		/* calls that ended before */
	atomic_bool	counting;
	atomic_uint	calls;		/* that ended then */
	atomic_uint	clients;	/* that have not ended */
	atomic_bool	finished;
	atomic_bool	failed;
	sem_t		listening;	/* one for each client */
	pthread_barrier_t connected;
	char		why[200];
	uint64_t	stamps[BATCHES + 1];
	uint64_t	base[BATCHES + 1];	/* what is not to count */
	uint64_t	took[TIMED_MAX];
};

static struct shared *shared;

noreturn void fail(const char *format, ...)
{
	char text[200];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	if (!shared) {
		fprintf(stderr, "ternbench: %s\n", text);
		exit(1);
	}
	if (!atomic_exchange(&shared->failed, true))
		memcpy(shared->why, text, sizeof(text));
	/* all processes of the cell */
	kill(0, SIGKILL);
	_exit(1);
}

noreturn void fail_errno(const char *what)
{
	fail("%s: %s", what, strerror(errno));
}

/* All is measured: the end of all processes of the cell. */
static noreturn void finish_cell(void)
{
	atomic_store(&shared->finished, true);
	kill(0, SIGKILL);
	_exit(1);
}

/* ---- Clients ---- */

struct client {
	const struct cell	*cell;
	const struct work	*work;
	const struct peer	*peer;
	struct message		*request;
	size_t			*sizes;		/* of the calls of a batch */
	unsigned int		next;		/* of them */
	unsigned int		counted;	/* calls whose cost is looked at */
	bool			timing;
	uint64_t		sent[DEPTH_MAX];
};

static void prepare_request(struct client *client, unsigned int id)
{
	struct message *request = client->request;

	request->id = id;
	request->len = client->sizes[client->next];
	if (++client->next == client->work->calls)
		client->next = 0;
	if (client->timing)
		client->sent[id] = clock_ns();
}

static void check_reply(const struct client *client,
			const struct message *reply)
{
	if (reply->id >= client->work->depth || reply->len != client->work->reply)
		fail("the reply to another call");
}

/* A call has ended; after enough of them counting begins. */
static void warm_up(const struct work *work)
{
	unsigned int calls = atomic_fetch_add(&shared->warm, 1) + 1;
	uint64_t now;

	if (calls % work->calls || calls < WARM_BATCHES * work->calls)
		return;
	now = clock_ns();
	if (now - shared->begin < WARM_NS)
		return;
	shared->stamps[0] = clock_stamp(0);
	atomic_store(&shared->counting, true);
}

/* Writes down that a call has ended; false when that was the last one. */
static bool count_call(struct client *client, unsigned int id)
{
	unsigned int calls, timed, batch;

	if (!atomic_load(&shared->counting)) {
		warm_up(client->work);
		return true;
	}
	calls = atomic_fetch_add(&shared->calls, 1) + 1;
	if (calls <= client->counted) {
		clock_call();
		if (calls % client->work->calls == 0) {
			batch = calls / client->work->calls;
			shared->stamps[batch] = clock_stamp(batch);
		}
		if (calls == client->counted)
			client->timing = true;
		return true;
	}
	timed = calls - client->counted - 1;
	if (timed >= work_timed(client->work))
		return false;
	/* one that was sent before has no time */
	if (client->sent[id])
		shared->took[timed] = clock_ns() - client->sent[id];
	client->timing = true;
	return true;
}

static void call(struct client *client)
{
	const struct peer *peer = client->peer;
	const struct message *reply;

	prepare_request(client, 0);
	if (peer->call) {
		reply = peer->call(client->request);
	} else {
		peer->send(client->request);
		reply = peer->receive();
	}
	check_reply(client, reply);
}

static void call_one_by_one(struct client *client)
{
	do {
		call(client);
	} while (count_call(client, 0));
}

static void call_many(struct client *client)
{
	const struct message *reply;
	unsigned int id;

	for (id = 0; id < client->work->depth; id++) {
		prepare_request(client, id);
		client->peer->send(client->request);
	}
	for (;;) {
		reply = client->peer->receive();
		check_reply(client, reply);
		id = reply->id;
		if (!count_call(client, id))
			return;
		prepare_request(client, id);
		client->peer->send(client->request);
	}
}

/* The same in each batch. */
static size_t *make_sizes(const struct work *work, size_t size)
{
	size_t *sizes = calloc(work->calls, sizeof(*sizes));

	if (!sizes)
		fail_errno("memory for sizes");
	for (unsigned int i = 0; i < work->calls; i++)
		sizes[i] = work->sizes ? sizes_draw(work->sizes, i, work->calls) :
					 size;
	return sizes;
}

static void run_caller(const struct cell *cell, unsigned int number)
{
	bool beside = number >= cell->work->workers;
	struct client client = {
		.cell = cell,
		.work = cell->work,
		.peer = cell->peer,
		.request = message_alloc(),
		.sizes = make_sizes(cell->work, beside ? cell->work->beside :
				    cell->work->request),
		.counted = BATCHES * cell->work->calls,
	};

	client.request->reply_len = cell->work->reply;
	client.peer->connect(cell, number);
	call(&client);
	pthread_barrier_wait(&shared->connected);
	shared->begin = clock_ns();
	if (!beside && client.work->depth > 1)
		call_many(&client);
	else if (!beside)
		call_one_by_one(&client);
	else
		for (;;)
			call(&client);
}

static void run_client(const struct cell *cell, unsigned int number)
{
	place_enter(cell->place, END_CLIENT);
	while (sem_wait(&shared->listening))
		;
	switch (cell->work->kind) {
	case KIND_CALLS:
		run_caller(cell, number);
		break;
	case KIND_DUPLICATE:
		duplicate_send(cell->work, shared->stamps, shared->base);
		break;
	case KIND_FILTER:
		duplicate_call(cell->work, shared->stamps);
		break;
	}
	/* The last one ends the cell, whose server sees no connection end. */
	if (atomic_fetch_sub(&shared->clients, 1) == 1)
		finish_cell();
	for (;;)
		pause();
}

/* ---- The server ---- */

struct worker {
	const struct cell	*cell;
	unsigned int		number;
};

static void *run_worker(void *arg)
{
	const struct worker *worker = arg;

	worker->cell->peer->serve(worker->cell, worker->number);
	return NULL;
}

static void run_server(const struct cell *cell, unsigned int number)
{
	unsigned int count = peer_clients(cell);
	static struct worker workers[CLIENTS_MAX];
	pthread_t thread;

	(void)number;
	place_enter(cell->place, END_SERVER);
	cell->peer->listen(cell);
	for (unsigned int i = 0; i < count; i++)
		sem_post(&shared->listening);
	for (unsigned int i = 0; i < count; i++) {
		workers[i] = (struct worker){ cell, i };
		if (i && pthread_create(&thread, NULL, run_worker, &workers[i]))
			fail("a thread cannot be made");
	}
	run_worker(&workers[0]);
}

/* ---- The cell ---- */

static void start(void (*run)(const struct cell *cell, unsigned int number),
		  const struct cell *cell, unsigned int number)
{
	pid_t pid = fork();

	if (pid < 0)
		fail_errno("fork");
	if (pid)
		return;
	run(cell, number);
	_exit(0);
}

static noreturn void run_cell(const struct cell *cell)
{
	pthread_barrierattr_t between;
	int status;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	setpgid(0, 0);
	alarm(LIMIT_S);
	sem_init(&shared->listening, 1, 0);
	pthread_barrierattr_init(&between);
	pthread_barrierattr_setpshared(&between, PTHREAD_PROCESS_SHARED);
	pthread_barrier_init(&shared->connected, &between, peer_clients(cell));
	atomic_store(&shared->clients, cell->work->workers);
	if (cell->work->kind != KIND_CALLS)
		duplicate_set_up();
	if (cell->peer->prepare)
		cell->peer->prepare(cell);
	start(run_server, cell, 0);
	for (unsigned int i = 0; i < peer_clients(cell); i++)
		start(run_client, cell, i);
	wait(&status);
	fail("a process ended with status %#x", status);
}

static int compare(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

/* The times of the batches, sorted. */
static void find_times(const uint64_t *stamps, uint64_t *took)
{
	for (unsigned int i = 0; i < BATCHES; i++)
		took[i] = stamps[i + 1] - stamps[i];
	qsort(took, BATCHES, sizeof(*took), compare);
}

static void find_cost(unsigned int calls, struct result *result)
{
	uint64_t took[BATCHES], base[BATCHES];

	find_times(shared->stamps, took);
	find_times(shared->base, base);
	result->cost = (double)(took[BATCHES / 2] - base[BATCHES / 2]) / calls;
	result->least = (double)(took[0] - base[0]) / calls;
	result->most = (double)(took[BATCHES - 1] - base[BATCHES - 1]) / calls;
}

/* Those that are 0 are no times. */
static void find_latency(uint64_t *took, size_t count, struct result *result)
{
	qsort(took, count, sizeof(*took), compare);
	for (; count && !*took; count--)
		took++;
	if (!count)
		return;
	for (unsigned int i = 0; i < QUANTILES; i++)
		result->latency[i] = took[i * (count - 1) / (QUANTILES - 1)];
	result->p999 = took[(count - 1) * 999 / 1000];
}

/*
 * Groups of the scheduler that are made by themselves have weights that depend on
 * what ran before, and with them the work of each wake-up.
 */
static void leave_autogroup(void)
{
	FILE *file = fopen("/proc/sys/kernel/sched_autogroup_enabled", "w");

	if (file && (fputs("0\n", file) < 0 || fclose(file)))
		fail_errno("sched_autogroup_enabled");
}

void measure_set_up(void)
{
	leave_autogroup();
	/* to see the end of the children of a cell's process, too */
	if (prctl(PR_SET_CHILD_SUBREAPER, 1))
		fail_errno("prctl");
}

void measure(const struct cell *cell, struct result *result)
{
	const char *why = peer_refuses(cell);
	int status = 0;
	pid_t pid;

	*result = (struct result){ 0 };
	if (why) {
		snprintf(result->why, sizeof(result->why), "%s", why);
		return;
	}
	place_lose(cell->work->loss);
	place_next_port();
	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE,
		      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (shared == MAP_FAILED)
		fail_errno("memory for a cell");
	pid = fork();
	if (pid < 0)
		fail_errno("fork");
	if (!pid)
		run_cell(cell);
	waitpid(pid, &status, 0);
	kill(-pid, SIGKILL);
	while (waitpid(-pid, NULL, 0) > 0)
		;
	if (atomic_load(&shared->failed)) {
		memcpy(result->why, shared->why, sizeof(result->why));
	} else if (!atomic_load(&shared->finished)) {
		snprintf(result->why, sizeof(result->why), "%s",
			 status == SIGALRM ? "stands still" : "its process ended");
	} else {
		find_cost(cell->work->calls, result);
		find_latency(shared->took, work_timed(cell->work), result);
	}
	result->failed = *result->why;
	munmap(shared, sizeof(*shared));
	shared = NULL;
}
