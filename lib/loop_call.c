// SPDX-License-Identifier: LGPL-2.1-or-later
/* The calls of an event loop. */
#include <errno.h>
#include <limits.h>
#include <stdlib.h>

#include "clock.h"
#include "inherit.h"
#include "loop.h"
#include "opts.h"

static struct call *call_of(struct link *link)
{
	return (struct call *)((char *)link - offsetof(struct call, link));
}

/*
 * Numbers are not used again, not even by another loop: it may have the socket of
 * one that was closed, and gets the outcomes that are left.
 */
static atomic_uint_fast64_t last_serial;

static uint64_t id_of(const struct tern_loop *loop, const struct call *call)
{
	return call->serial * CALLS_MAX + (uint64_t)(call - loop->calls);
}

/* The call of that number; the lock is held. */
static struct call *find(const struct tern_loop *loop, uint64_t id)
{
	struct call *call;

	if (id % CALLS_MAX >= loop->n_calls)
		return NULL;
	call = &loop->calls[id % CALLS_MAX];
	return call->serial == id / CALLS_MAX && call->state != CALL_FREE ?
	       call : NULL;
}

int calls_init(struct tern_loop *loop)
{
	struct call *call;

	list_init(&loop->free);
	list_init(&loop->queue);
	list_init(&loop->withdrawn);
	list_init(&loop->due);
	if (!loop->n_calls)
		return 0;
	loop->calls = aligned_alloc(TAG_SPACE,
				    loop->n_calls * sizeof(*loop->calls));
	if (!loop->calls)
		return -ENOMEM;
	memset(loop->calls, 0, loop->n_calls * sizeof(*loop->calls));
	for (call = loop->calls; call < loop->calls + loop->n_calls; call++) {
		call->iov = (struct iovec){ 0 };
		call->msg.msg_iov = &call->iov;
		call->msg.msg_iovlen = 1;
		list_add_tail(&loop->free, &call->link);
	}
	return 0;
}

void calls_free(struct tern_loop *loop)
{
	free(loop->calls);
}

/* Nobody will ask for it any more; the lock is held. */
static void release(struct tern_loop *loop, struct call *call)
{
	call->state = CALL_FREE;
	list_add_after(&loop->free, &call->link);
}

/* Its callback is to be run later; it is in no list, and the lock is held. */
static void set_due(struct tern_loop *loop, struct call *call,
		    enum tern_outcome outcome, int cause)
{
	call->result = (struct tern_result){
		.outcome = outcome,
		.cause = cause,
	};
	call->state = CALL_DUE;
	list_add_tail(&loop->due, &call->link);
}

/* Runs its callback, or has it collected; it is in no list. */
static void complete(struct tern_loop *loop, struct call *call,
		     const void *reply)
{
	struct tern_result result = call->result;
	tern_loop_done *done = call->done;
	void *context = call->context;

	pthread_mutex_lock(&loop->lock);
	if (done) {
		/* Before the callback, which may make another call. */
		release(loop, call);
	} else {
		call->state = CALL_ENDED;
		pthread_cond_broadcast(&loop->ended);
	}
	pthread_mutex_unlock(&loop->lock);
	if (done) {
		loop->n_run++;
		done(loop, &result, reply, context);
	}
}

/* Whether the loop waits for its outcome, in no list then; the lock is held. */
static bool is_sent(struct call *call)
{
	if (call->state == CALL_WITHDRAWN) {
		list_del(&call->link);
		call->state = CALL_SENT;
	}
	return call->state == CALL_SENT;
}

void calls_outcome(struct tern_loop *loop, const struct tern_completion *outcome,
		   const void *reply, size_t size)
{
	struct call *call;
	bool wanted;

	pthread_mutex_lock(&loop->lock);
	call = find(loop, outcome->id);
	wanted = call && is_sent(call);
	if (wanted)
		call->state = CALL_ENDING;
	pthread_mutex_unlock(&loop->lock);
	if (!wanted)
		return;

	call->result = outcome->result;
	if (call->reply) {
		if (size > call->reply_size)
			size = call->reply_size;
		memcpy(call->reply, reply, size);
		reply = call->reply;
	} else if (!call->done) {
		size = 0;
	}
	if (call->result.outcome == TERN_REPLIED &&
	    call->result.reply_len > size)
		call->result.cause = EMSGSIZE;
	complete(loop, call, reply);
}

void calls_submitted(struct tern_loop *loop, struct call *call)
{
	pthread_mutex_lock(&loop->lock);
	if (is_sent(call))
		set_due(loop, call, TERN_SUBMITTED, 0);
	pthread_mutex_unlock(&loop->lock);
}

void calls_failed(struct tern_loop *loop, struct call *call, int error)
{
	pthread_mutex_lock(&loop->lock);
	if (is_sent(call))
		set_due(loop, call, TERN_NOT_EXECUTED, -error);
	pthread_mutex_unlock(&loop->lock);
}

void calls_put_back(struct tern_loop *loop, struct call *call)
{
	pthread_mutex_lock(&loop->lock);
	if (is_sent(call) && call->cancelled) {
		set_due(loop, call, TERN_NOT_EXECUTED, ECANCELED);
	} else if (call->state == CALL_SENT) {
		call->state = CALL_QUEUED;
		list_add_after(&loop->queue, &call->link);
	}
	pthread_mutex_unlock(&loop->lock);
}

/* What is left of the time of a call, 0 for nothing, -1 when it has no end. */
static int time_left(const struct call *call, uint64_t now)
{
	uint64_t gone = now - call->queued_ms;
	uint32_t time = call->timeout_ms ?: UINT32_MAX;

	if (call->limit_ms && call->limit_ms < time)
		time = call->limit_ms;
	if (time <= gone)
		return 0;
	return time - gone < INT_MAX ? (int)(time - gone) : -1;
}

struct call *calls_next(struct tern_loop *loop)
{
	struct call *call = NULL;
	uint32_t gone;
	uint64_t now;

	pthread_mutex_lock(&loop->lock);
	/* With the lock: not before any call was queued. */
	now = now_ms();
	while (!call && !list_empty(&loop->queue)) {
		call = call_of(loop->queue.next);
		list_del(&call->link);
		if (time_left(call, now))
			break;
		set_due(loop, call, TERN_NOT_EXECUTED, ETIMEDOUT);
		call = NULL;
	}
	if (call) {
		gone = now - call->queued_ms;
		call->how.timeout_ms = call->timeout_ms ?
				       call->timeout_ms - gone : 0;
		call->how.limit_ms = call->limit_ms ? call->limit_ms - gone : 0;
		set_control(&call->msg, &call->control, TERN_CMSG_CALL,
			    &call->how, sizeof(call->how));
		call->state = CALL_SENT;
	}
	pthread_mutex_unlock(&loop->lock);
	return call;
}

int calls_expire(struct tern_loop *loop)
{
	struct link *link, *next;
	int left, first = -1;
	uint64_t now;

	pthread_mutex_lock(&loop->lock);
	/* With the lock: not before any call was queued. */
	now = now_ms();
	for (link = loop->queue.next; link != &loop->queue; link = next) {
		next = link->next;
		left = time_left(call_of(link), now);
		if (!left) {
			list_del(link);
			set_due(loop, call_of(link), TERN_NOT_EXECUTED,
				ETIMEDOUT);
		} else if (left > 0 && (first < 0 || left < first)) {
			first = left;
		}
	}
	pthread_mutex_unlock(&loop->lock);
	return first;
}

bool calls_due(struct tern_loop *loop)
{
	bool due;

	pthread_mutex_lock(&loop->lock);
	due = !list_empty(&loop->due) || !list_empty(&loop->withdrawn);
	pthread_mutex_unlock(&loop->lock);
	return due;
}

static struct call *next_due(struct tern_loop *loop)
{
	struct call *call = NULL;

	pthread_mutex_lock(&loop->lock);
	if (!list_empty(&loop->due)) {
		call = call_of(loop->due.next);
		list_del(&call->link);
		call->state = CALL_ENDING;
	}
	pthread_mutex_unlock(&loop->lock);
	return call;
}

void calls_finish(struct tern_loop *loop)
{
	struct call *call;

	while ((call = next_due(loop)))
		complete(loop, call, NULL);
}

/* Ends a call that is still in the loop; the lock is held. */
static void unqueue(struct tern_loop *loop, struct call *call)
{
	list_del(&call->link);
	set_due(loop, call, TERN_NOT_EXECUTED, ECANCELED);
}

void calls_end(struct tern_loop *loop)
{
	struct call *call;

	pthread_mutex_lock(&loop->lock);
	for (call = loop->calls; call < loop->calls + loop->n_calls; call++) {
		if (call->state == CALL_QUEUED)
			unqueue(loop, call);
		else if (is_sent(call))
			set_due(loop, call, TERN_UNKNOWN, ECANCELED);
	}
	pthread_mutex_unlock(&loop->lock);
	calls_finish(loop);
}

static bool submission_is_valid(const struct tern_loop *loop,
				const struct tern_submission *submission)
{
	return loop->client >= 0 && !submission->resv &&
	       (submission->reply || !submission->reply_size) &&
	       opts_valid(submission->opts);
}

/* Takes an entry of the table; the lock is held. */
static int take(struct tern_loop *loop, struct call **call)
{
	if (loop->closing)
		return -ESHUTDOWN;
	if (list_empty(&loop->free))
		return -EAGAIN;
	*call = call_of(loop->free.next);
	list_del(&(*call)->link);
	(*call)->serial = atomic_fetch_add(&last_serial, 1) + 1;
	return 0;
}

static void fill(struct call *call, uint64_t id,
		 const struct tern_submission *submission, uint32_t limit_ms)
{
	const struct tern_call_opts *opts = submission->opts;

	call->cancelled = false;
	call->queued_ms = now_ms();
	call->timeout_ms = opts ? opts->timeout_ms : 0;
	call->limit_ms = limit_ms;
	call->done = submission->done;
	call->context = submission->context;
	call->reply = submission->reply;
	call->reply_size = submission->reply_size;
	call->how = (struct tern_cmsg_call){
		.id = id,
		.procedure = submission->procedure,
		.flags = opts ? opts->flags : 0,
		.extend_ms = opts ? opts->extend_ms : 0,
	};
	call->iov.iov_base = (void *)submission->request;
	call->iov.iov_len = submission->request_len;
	call->msg.msg_name = NULL;
	call->msg.msg_namelen = 0;
	if (submission->to) {
		call->to = *submission->to;
		call->msg.msg_name = &call->to;
		call->msg.msg_namelen = sizeof(call->to);
	}
}

int tern_loop_call(struct tern_loop *loop,
		   const struct tern_submission *submission, uint64_t *id)
{
	struct call *call;
	uint32_t limit_ms;
	int err;

	if (!submission_is_valid(loop, submission))
		return -EINVAL;
	if (submission->request_len > TERN_MESSAGE_MAX)
		return -EMSGSIZE;
	if (!inherit_limit(&limit_ms))
		return -ETIMEDOUT;
	pthread_mutex_lock(&loop->lock);
	err = take(loop, &call);
	if (!err) {
		fill(call, id_of(loop, call), submission, limit_ms);
		if (id)
			*id = call->how.id;
		call->state = CALL_QUEUED;
		list_add_tail(&loop->queue, &call->link);
	}
	pthread_mutex_unlock(&loop->lock);
	if (!err && !loop_in_thread(loop))
		loop_kick(loop);
	return err;
}

/* Withdraws a call that was taken, as soon as that can be; the lock is held. */
static void withdraw(struct tern_loop *loop, struct call *call)
{
	/* It may be just on its way to the kernel, or its outcome on the way back. */
	if (tern_cancel(loop->client, call->how.id) != -ENOENT)
		return;
	call->state = CALL_WITHDRAWN;
	list_add_tail(&loop->withdrawn, &call->link);
}

void calls_withdraw(struct tern_loop *loop)
{
	struct call *call;

	pthread_mutex_lock(&loop->lock);
	while (!list_empty(&loop->withdrawn)) {
		call = call_of(loop->withdrawn.next);
		is_sent(call);
		/* If it is not there now, its outcome is. */
		tern_cancel(loop->client, call->how.id);
	}
	pthread_mutex_unlock(&loop->lock);
}

int tern_loop_cancel(struct tern_loop *loop, uint64_t id)
{
	bool found, due = false;
	struct call *call;

	pthread_mutex_lock(&loop->lock);
	call = find(loop, id);
	found = call && !call->cancelled &&
		(call->state == CALL_QUEUED || call->state == CALL_SENT);
	if (found) {
		call->cancelled = true;
		if (call->state == CALL_QUEUED)
			unqueue(loop, call);
		else
			withdraw(loop, call);
		due = call->state != CALL_SENT;
	}
	pthread_mutex_unlock(&loop->lock);
	if (due && !(loop_in_thread(loop) && loop->running))
		loop_kick(loop);
	return found ? 0 : -ENOENT;
}

/* Collects a call that has ended; the lock is held. */
static ssize_t collect(struct tern_loop *loop, struct call *call,
		       struct tern_result *result)
{
	struct tern_result r = call->result;
	int err = tern_result_error(&r);

	release(loop, call);
	if (result)
		*result = r;
	return err ?: (ssize_t)r.reply_len;
}

/* Whether the call can be collected, 0 while it has not ended; lock held. */
static int look(struct tern_loop *loop, uint64_t id, struct call **call)
{
	*call = find(loop, id);
	if (!*call)
		return -ENOENT;
	if ((*call)->done)
		return -EINVAL;
	return (*call)->state == CALL_ENDED;
}

/* Waits in another thread; the lock is held. */
static int wait_for_loop(struct tern_loop *loop, const struct timespec *until)
{
	if (!until)
		return -pthread_cond_wait(&loop->ended, &loop->lock);
	return -pthread_cond_timedwait(&loop->ended, &loop->lock, until);
}

static struct timespec time_after(int timeout_ms)
{
	struct timespec until;

	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += timeout_ms / 1000;
	until.tv_nsec += timeout_ms % 1000 * 1000000L;
	if (until.tv_nsec >= 1000000000) {
		until.tv_sec++;
		until.tv_nsec -= 1000000000;
	}
	return until;
}

/* The time until then, rounded up. */
static int time_until(const struct timespec *until)
{
	struct timespec now;
	int64_t ns;

	clock_gettime(CLOCK_MONOTONIC, &now);
	ns = (int64_t)(until->tv_sec - now.tv_sec) * 1000000000 +
	     until->tv_nsec - now.tv_nsec;
	return ns > 0 ? (int)((ns + 999999) / 1000000) : 0;
}

ssize_t tern_loop_wait(struct tern_loop *loop, uint64_t id, int timeout_ms,
		       struct tern_result *result)
{
	bool in_thread = loop_in_thread(loop);
	struct timespec until = { 0 };
	bool timed_out = false;
	struct call *call;
	ssize_t ret;

	if (timeout_ms >= 0)
		until = time_after(timeout_ms);
	pthread_mutex_lock(&loop->lock);
	for (;;) {
		ret = look(loop, id, &call);
		if (ret > 0)
			ret = collect(loop, call, result);
		else if (!ret && timed_out)
			ret = -EAGAIN;
		else if (!ret)
			goto wait;
		break;
wait:
		if (!in_thread) {
			ret = wait_for_loop(loop, timeout_ms < 0 ? NULL : &until);
			timed_out = ret == -ETIMEDOUT;
			continue;
		}
		pthread_mutex_unlock(&loop->lock);
		if (timeout_ms >= 0) {
			timeout_ms = time_until(&until);
			timed_out = !timeout_ms;
		}
		ret = tern_loop_run_once(loop, timeout_ms);
		if (ret < 0)
			return ret;
		pthread_mutex_lock(&loop->lock);
	}
	pthread_mutex_unlock(&loop->lock);
	return ret;
}
