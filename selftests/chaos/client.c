// SPDX-License-Identifier: GPL-2.0
/*
 * Test: none
 *
 * Calls the counting service in every way there is, many calls at a time, and
 * writes each down before it makes it, and its outcome.
 *
 *   client WAY FIRST ADDRESS NEAR OUTPUT CLOCK GAP [COUNT]
 *
 * Most threads call the service at ADDRESS, one that at NEAR. Half of them wait
 * for each call, and the others do not: by system calls when WAY is "calls", or
 * by an event loop on io_uring ("uring") or on poll ("poll"). A call's number is
 * FIRST + 16 * N + KIND, where KIND says how the call is made. What is drawn
 * depends on FIRST only. The lines of OUTPUT begin with the number:
 *
 *   ID submitted TIMEOUT TIME WHERE
 *                               the deadline and the time, both in ms; "near" when
 *                               it calls NEAR, else "far"
 *   ID OUTCOME CAUSE STATUS RIGHT MS
 *                               its end: errno value of the cause, status of
 *                               the reply, whether the reply is the right one,
 *                               and how many ms it took
 *   ID abandoned                its socket was closed
 *   ID not-made ERRNO           the kernel did not take it
 *
 * Some calls are withdrawn at once, which may overtake them; those that somebody
 * waits for also later, by a signal.
 *
 * At its end, unless it is killed, it writes a line to OUTPUT.made. It ends by
 * SIGTERM, after the calls that are outstanding; with COUNT, when so many calls of
 * each kind have succeeded. When it stood still is written to CLOCK. After a few
 * calls a thread waits for GAP ms, if that is not 0; then it is also written when
 * the machine was busy.
 */
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/syscall.h>

#include <tern.h>

#include "history.h"

#define OUTSTANDING	16	/* calls of a thread that does not wait for each */
#define FEW		4	/* calls between two gaps */
#define ASYNC_THREADS	4
#define SYNC_THREADS	4
#define FLUSH_LINES	64

/* A caller that is refused tries again after this. */
#define RETRY_MS	3

/* How often something rare is done: once in so many. */
#define CLOSE_RARITY	1000
#define SIGNAL_RARITY	8
#define WITHDRAW_RARITY	8

enum { FORM_CALL, FORM_ONEWAY, FORM_QUIET, FORMS };
enum { KINDS = 3 * FORMS, KINDS_ROOM = 16 };

/* The number of a kind is semantics * FORMS + form. */
static const uint32_t semantics_flags[] = { 0, TERN_CALL_IDEMPOTENT, TERN_CALL_MAYBE };
static const uint32_t form_flags[FORMS] = {
	0, TERN_CALL_ONEWAY, TERN_CALL_ONEWAY | TERN_CALL_QUIET
};

struct call {
	uint64_t	id;		/* 0: none */
	struct thread	*thread;
	uint32_t	timeout_ms;
	uint32_t	size;
	uint32_t	reply_len;
	uint32_t	delay_ms;
	long long	begin_ms;
};

struct thread {
	pthread_t		thread;
	struct sockaddr_tern	to;
	bool			near;
	bool			async;
	int			fd;
	struct tern_loop	*loop;		/* or NULL */
	uint64_t		random;
	struct call		calls[OUTSTANDING + 1];	/* the last: unknown */
	unsigned int		outstanding;
	bool			refused;
	unsigned char		requests[OUTSTANDING][TERN_MESSAGE_MAX];
	unsigned char		reply[TERN_MESSAGE_MAX];
};

/* The ways to make calls without waiting for each, and what the loop works with. */
static const struct way {
	const char		*name;
	enum tern_backend	backend;
} ways[] = {
	{ "calls" },
	{ "uring", TERN_BACKEND_URING },
	{ "poll", TERN_BACKEND_POLL },
};

static const struct way *way;

static uint64_t first;
static unsigned long wanted, gap_ms;
static atomic_ulong next, lines, succeeded[KINDS];
static atomic_bool stopping;
static int output;

static void die(const char *what, int err)
{
	fprintf(stderr, "client: %s: %s\n", what, strerror(err));
	exit(2);
}

static void stop(int number)
{
	(void)number;
	stopping = true;
}

static void interrupt(int number)
{
	(void)number;
}

static void wait_ms(long ms)
{
	struct timespec time = { ms / 1000, ms % 1000 * 1000000 };

	nanosleep(&time, NULL);
}

/* xorshift64: the next of the thread's numbers, below a limit. */
static uint32_t draw(struct thread *thread, uint32_t limit)
{
	thread->random ^= thread->random << 13;
	thread->random ^= thread->random >> 7;
	thread->random ^= thread->random << 17;
	return (thread->random >> 32) % limit;
}

static void add_line(const char *line, int len)
{
	history_add(output, line, len);
	if (++lines % FLUSH_LINES == 0)
		history_flush(output);
}

#define tell(id, format, ...) do {						\
	char line_[128];							\
	add_line(line_, snprintf(line_, sizeof(line_), "%llu " format "\n",	\
				 (unsigned long long)(id), __VA_ARGS__));	\
} while (0)

static uint32_t draw_length(struct thread *thread)
{
	uint32_t kind = draw(thread, 100);

	if (kind < 90)
		return draw(thread, 200);
	return draw(thread, kind < 98 ? 8000 : 60000);
}

static uint32_t draw_timeout(struct thread *thread)
{
	uint32_t kind = draw(thread, 100);

	if (kind < 25)
		return 5 + draw(thread, 100);
	/* some are still open when a machine is up again */
	return kind < 90 ? 1000 + draw(thread, 6000) : 20000 + draw(thread, 20000);
}

static uint32_t draw_delay(struct thread *thread, uint32_t timeout_ms)
{
	uint32_t kind = draw(thread, 100);

	if (timeout_ms < 200)
		return kind < 60 ? 0 : timeout_ms / 2 + draw(thread, timeout_ms);
	if (kind < 90)
		return 0;
	return draw(thread, kind < 99 ? 10 : 400);
}

static unsigned int draw_kind(struct thread *thread)
{
	static const unsigned char kinds[] = { 0, 0, 0, 0, 0, 0, 1, 2, 3, 3, 4, 5, 6, 6, 7, 8 };

	unsigned int kind = kinds[draw(thread, sizeof(kinds))];

	/* to wait for a quiet call is to wait for nothing */
	if (!thread->async && kind % FORMS == FORM_QUIET)
		kind -= FORM_QUIET;
	return kind;
}

static unsigned int kind_of(const struct call *call)
{
	return (call->id - first) % KINDS_ROOM;
}

static unsigned char *request_of(const struct call *call)
{
	return call->thread->requests[call - call->thread->calls];
}

static void prepare(struct thread *thread, struct call *call,
		    struct tern_call_opts *opts)
{
	unsigned int kind = draw_kind(thread);
	struct count_request head;

	*call = (struct call){
		.id = first + KINDS_ROOM * next++ + kind,
		.thread = thread,
		.timeout_ms = draw_timeout(thread),
		.size = sizeof(head) + draw_length(thread),
		.begin_ms = count_clock_ms(),
	};
	call->delay_ms = draw_delay(thread, call->timeout_ms);
	if (kind % FORMS == FORM_CALL)
		call->reply_len = draw_length(thread);
	head = (struct count_request){ call->id, call->reply_len, call->delay_ms };
	memcpy(request_of(call), &head, sizeof(head));
	count_fill(request_of(call) + sizeof(head), call->size - sizeof(head), call->id);
	*opts = (struct tern_call_opts){
		.timeout_ms = call->timeout_ms,
		.flags = semantics_flags[kind / FORMS] | form_flags[kind % FORMS],
	};
	tell(call->id, "submitted %u %lld %s", call->timeout_ms, call->begin_ms,
	     thread->near ? "near" : "far");
}

/* Of a quiet call nothing is known but whether the kernel took it. */
static void quiet_ended(const struct call *call, const struct tern_result *result)
{
	if (result->outcome == TERN_SUBMITTED)
		succeeded[kind_of(call)]++;
	else if (result->outcome == TERN_NOT_EXECUTED)
		tell(call->id, "not-made %d", result->cause);
	else
		tell(call->id, "%s", "abandoned");
}

static void outcome(struct call *call, const struct tern_result *result,
		    const unsigned char *reply)
{
	static const char *const words[] = {
		[TERN_REPLIED] = "replied",
		[TERN_NOT_EXECUTED] = "not-executed",
		[TERN_UNKNOWN] = "unknown",
		[TERN_DELIVERED] = "delivered",
	};
	bool right = true;

	if (result->outcome == TERN_REPLIED)
		right = result->reply_len == call->reply_len &&
			count_is_filled(reply, call->reply_len, call->id);
	tell(call->id, "%s %d %u %s %lld", words[result->outcome], result->cause,
	     result->status, right ? "right" : "wrong", count_clock_ms() - call->begin_ms);
	if (result->outcome == TERN_REPLIED || result->outcome == TERN_DELIVERED)
		succeeded[kind_of(call)]++;
	else if (result->cause != ETIMEDOUT && result->cause != ECANCELED)
		call->thread->refused = true;
}

static void ended(struct call *call, const struct tern_result *result, const void *reply)
{
	if (kind_of(call) % FORMS == FORM_QUIET)
		quiet_ended(call, result);
	else
		outcome(call, result, reply);
	call->id = 0;
}

static void loop_ended(struct tern_loop *loop, const struct tern_result *result,
		       const void *reply, void *context)
{
	struct call *call = context;

	(void)loop;
	call->thread->outstanding--;
	ended(call, result, reply);
}

static void open_socket(struct thread *thread)
{
	struct tern_loop_opts opts = {
		.backend = way->backend,
		/* one that was given up may count on until its deadline */
		.calls = 2 * OUTSTANDING,
	};
	bool looped = thread->async && way->backend;
	int err;

	thread->fd = tern_socket(thread->async && !looped ? SOCK_NONBLOCK : 0);
	if (thread->fd < 0)
		die("socket", -thread->fd);
	err = looped ? tern_loop_open(&thread->loop, thread->fd, &opts) : 0;
	if (err)
		die("loop", -err);
}

/* A number that is not there is that of a call which was ended before. */
static struct call *find(struct thread *thread, uint64_t id)
{
	struct call *call = thread->calls;

	while (call < thread->calls + OUTSTANDING && call->id != id)
		call++;
	if (call == thread->calls + OUTSTANDING)
		*call = (struct call){ .id = id, .thread = thread };
	return call;
}

/* Hands a call over, and withdraws it when that is drawn. */
static int send_by_socket(struct thread *thread, struct call *call,
			  const struct tern_call_opts *opts, bool withdrawn)
{
	int err = tern_send_call(thread->fd, &thread->to, call->id, COUNT_PROCEDURE,
				 request_of(call), call->size, opts);

	if (!err && opts->flags & TERN_CALL_QUIET) {
		thread->outstanding--;
		ended(call, &(struct tern_result){ .outcome = TERN_SUBMITTED }, NULL);
	} else if (!err && withdrawn) {
		tern_cancel(thread->fd, call->id);
	}
	return err;
}

static int send_by_loop(struct thread *thread, struct call *call,
			const struct tern_call_opts *opts, bool withdrawn)
{
	struct tern_submission submission = {
		.to = &thread->to,
		.procedure = COUNT_PROCEDURE,
		.request = request_of(call),
		.request_len = call->size,
		.opts = opts,
		.done = loop_ended,
		.context = call,
	};
	uint64_t id;
	int err = tern_loop_call(thread->loop, &submission, &id);

	if (!err && withdrawn) {
		err = tern_loop_submit(thread->loop);
		if (err)
			die("submit", -err);
		tern_loop_cancel(thread->loop, id);
	}
	return err;
}

/* Returns false when no more calls are taken now. */
static bool submit(struct thread *thread)
{
	struct call *call = find(thread, 0);
	bool withdrawn = !draw(thread, WITHDRAW_RARITY);
	struct tern_call_opts opts;
	int err;

	prepare(thread, call, &opts);
	thread->outstanding++;
	err = thread->loop ? send_by_loop(thread, call, &opts, withdrawn) :
			     send_by_socket(thread, call, &opts, withdrawn);
	if (err) {
		tell(call->id, "not-made %d", -err);
		thread->outstanding--;
		call->id = 0;
	}
	return !err;
}

/* Waits for an outcome, and takes all that are there. */
static void collect(struct thread *thread)
{
	struct pollfd poll_fd = { .fd = thread->fd, .events = POLLIN };
	struct tern_result result;
	struct call *call;
	uint64_t id;

	/* with nothing outstanding there may be no room but for quiet calls */
	if (thread->outstanding && poll(&poll_fd, 1, -1) < 0)
		die("poll", errno);
	while (tern_recv_outcome(thread->fd, &id, thread->reply, sizeof(thread->reply),
				 &result, MSG_DONTWAIT) >= 0) {
		call = find(thread, id);
		thread->outstanding -= call->timeout_ms != 0;
		ended(call, &result, thread->reply);
	}
}

/* The same, by the loop. */
static void run_loop(struct thread *thread)
{
	int timeout_ms = thread->outstanding ? -1 : 0;
	int ret;

	do {
		ret = tern_loop_run_once(thread->loop, timeout_ms);
		timeout_ms = 0;
	} while (ret > 0);
	/* that a process was stopped interrupts it, too */
	if (ret < 0 && ret != -EINTR)
		die("run", -ret);
}

static void reopen(struct thread *thread)
{
	/* the loop's calls end by that */
	tern_loop_close(thread->loop);
	close(thread->fd);
	for (int i = 0; i < OUTSTANDING; i++) {
		if (thread->calls[i].id)
			tell(thread->calls[i].id, "%s", "abandoned");
		thread->calls[i].id = 0;
	}
	thread->outstanding = 0;
	open_socket(thread);
}

/* Has many calls outstanding, and closes its socket now and then. */
static void call_many(struct thread *thread)
{
	if (!stopping && !draw(thread, gap_ms ? CLOSE_RARITY / FEW : CLOSE_RARITY))
		reopen(thread);
	for (int i = 0; i < (gap_ms ? FEW : OUTSTANDING); i++) {
		if (stopping || thread->outstanding == OUTSTANDING || thread->refused)
			break;
		thread->refused = !submit(thread);
	}
	if (thread->loop)
		run_loop(thread);
	else
		collect(thread);
}

/* Waits for a call, or withdraws it by a signal. */
static void call_one(struct thread *thread, timer_t timer)
{
	struct call *call = thread->calls;
	struct itimerspec time = { 0 };
	struct tern_call_opts opts;
	struct tern_result result;

	prepare(thread, call, &opts);
	if (!draw(thread, SIGNAL_RARITY)) {
		time.it_value.tv_nsec = 1 + draw(thread, 50000000);
		timer_settime(timer, 0, &time, NULL);
	}
	if (opts.flags & TERN_CALL_ONEWAY)
		tern_cast(thread->fd, &thread->to, COUNT_PROCEDURE, request_of(call),
			  call->size, &opts, &result);
	else
		tern_call(thread->fd, &thread->to, COUNT_PROCEDURE, request_of(call),
			  call->size, thread->reply, sizeof(thread->reply), &opts, &result);
	ended(call, &result, thread->reply);
}

static bool is_done(void)
{
	if (stopping)
		return true;
	for (int i = 0; i < KINDS; i++)
		if (succeeded[i] < wanted)
			return false;
	return wanted;
}

static void *run(void *arg)
{
	struct thread *thread = arg;
	struct sigevent event = { .sigev_notify = SIGEV_THREAD_ID, .sigev_signo = SIGUSR1 };
	timer_t timer;

	event._sigev_un._tid = syscall(SYS_gettid);
	if (timer_create(CLOCK_MONOTONIC, &event, &timer))
		die("timer", errno);
	open_socket(thread);
	while (!is_done() || thread->outstanding) {
		if (is_done())
			stopping = true;
		if (thread->async)
			call_many(thread);
		else
			call_one(thread, timer);
		if (gap_ms || thread->refused)
			wait_ms(gap_ms ?: RETRY_MS);
		thread->refused = false;
	}
	tern_loop_close(thread->loop);
	close(thread->fd);
	return NULL;
}

static const struct way *find_way(const char *name)
{
	for (size_t i = 0; i < sizeof(ways) / sizeof(*ways); i++)
		if (!strcmp(ways[i].name, name))
			return &ways[i];
	die(name, EINVAL);
	return NULL;
}

static void start(struct thread *thread, int i, const char *address, bool near)
{
	int err = tern_addr_parse(address, &thread->to);

	if (err)
		die(address, -err);
	thread->near = near;
	thread->async = i < ASYNC_THREADS;
	thread->random = (first + i + 1) * 0x9e3779b97f4a7c15;
	if (pthread_create(&thread->thread, NULL, run, thread))
		die("thread", EAGAIN);
}

int main(int argc, char **argv)
{
	static struct thread threads[ASYNC_THREADS + SYNC_THREADS];
	struct sigaction ending = { .sa_handler = stop };
	struct sigaction interrupting = { .sa_handler = interrupt };
	const int count = sizeof(threads) / sizeof(*threads);
	char made[PATH_MAX];
	sigset_t set;

	if (argc < 8)
		die("usage", EINVAL);
	way = find_way(argv[1]);
	first = strtoull(argv[2], NULL, 10);
	output = history_open(argv[5]);
	snprintf(made, sizeof(made), "%s.made", argv[5]);
	gap_ms = atol(argv[7]);
	wanted = argc > 8 ? atol(argv[8]) : 0;
	sigaction(SIGUSR1, &interrupting, NULL);
	sigaction(SIGTERM, &ending, NULL);
	/* only this thread is woken by it */
	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	pthread_sigmask(SIG_BLOCK, &set, NULL);
	history_watch(argv[6], gap_ms);
	for (int i = 0; i < count - 1; i++)
		start(&threads[i], i, argv[3], false);
	start(&threads[count - 1], count - 1, argv[4], true);
	pthread_sigmask(SIG_UNBLOCK, &set, NULL);
	for (int i = 0; i < count; i++)
		pthread_join(threads[i].thread, NULL);
	history_flush(output);
	output = history_open(made);
	history_add(output, "ended\n", 6);
	history_flush(output);
	return 0;
}
