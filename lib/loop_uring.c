// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The backend of event loops on io_uring.
 *
 * Each socket has one multishot recvmsg, which takes the buffers that it fills
 * from a ring: one for all outcomes, one for each service, where a buffer is a
 * job's. Calls and replies are sent in batches. Each service has one multishot poll
 * for its events.
 *
 * The kernel works for the ring only while the loop's thread waits for it
 * (IORING_SETUP_DEFER_TASKRUN). So completions do not interrupt what a handler
 * does, such as tern_call(), and a request is taken from the queue of its service
 * just before it is handled.
 */
#include <errno.h>
#include <liburing.h>
#include <poll.h>
#include <stdlib.h>
#include <unistd.h>

#include "clock.h"
#include "loop.h"

#define ENTRIES_MAX	4096
#define OUTCOMES	64	/* buffers, a power of two */
#define OUTCOME_GROUP	0
/* How many calls are tried after there was no room, and then twice as many. */
#define WINDOW_MIN	16
/* Of a message in a buffer, with room to align its content. */
#define CONTROL_SIZE	48
#define HEAD_SIZE	(sizeof(struct io_uring_recvmsg_out) + \
			 sizeof(struct sockaddr_tern) + CONTROL_SIZE)

/* What a completion is of, in the lowest bits of its pointer. */
enum tag {
	TAG_SEND,		/* struct call */
	TAG_REPLY,		/* struct job */
	TAG_REQUEST,		/* struct service */
	TAG_EVENTS,		/* struct service */
	TAG_OUTCOME,
	TAG_ROOM,
	TAG_ROOM_TIMEOUT,
	TAG_WAKE,
	TAG_CANCEL,
	TAG_MASK = TAG_SPACE - 1,
};

struct state {
	struct io_uring			ring;
	struct buffers			outcomes;
	struct msghdr			template;
	uint64_t			wake_count;
	unsigned int			n_pending;	/* completions to come */
	unsigned int			window;
	bool				receiving;	/* outcomes */
	/* It ended with an outcome, behind which there may be others. */
	bool				cut_off;
	bool				waking;
	/* Waiting for room in the send buffer, until room_ms if that is set. */
	bool				waiting;
	bool				waiting_ends;
	uint64_t			room_ms;
	struct __kernel_timespec	room_time;
};

static struct state *state_of(const struct tern_loop *loop)
{
	return loop->state;
}

/* Buffers that are given to the kernel. */

static void add_buffer(struct buffers *buffers, uint32_t i)
{
	io_uring_buf_ring_add(buffers->ring, buffers->memory + i * buffers->size,
			      buffers->size, i,
			      io_uring_buf_ring_mask(buffers->ring_size), 0);
	io_uring_buf_ring_advance(buffers->ring, 1);
}

static int register_buffers(struct state *state, struct buffers *buffers)
{
	struct io_uring_buf_reg reg = { .bgid = buffers->group };
	int err;

	buffers->ring_size = 1;
	while (buffers->ring_size < buffers->count)
		buffers->ring_size *= 2;
	if (posix_memalign((void **)&buffers->ring, sysconf(_SC_PAGESIZE),
			   buffers->ring_size * sizeof(struct io_uring_buf))) {
		buffers->ring = NULL;
		return -ENOMEM;
	}
	memset(buffers->ring, 0, buffers->ring_size * sizeof(struct io_uring_buf));
	io_uring_buf_ring_init(buffers->ring);
	reg.ring_addr = (uintptr_t)buffers->ring;
	reg.ring_entries = buffers->ring_size;
	err = io_uring_register_buf_ring(&state->ring, &reg, 0);
	if (err) {
		free(buffers->ring);
		buffers->ring = NULL;
	}
	return err;
}

static int open_outcomes(struct tern_loop *loop)
{
	struct buffers *buffers = &state_of(loop)->outcomes;
	uint32_t i;
	int err;

	buffers->group = OUTCOME_GROUP;
	buffers->count = OUTCOMES;
	buffers->size = loop_aligned(HEAD_SIZE + loop->reply_size);
	/* What is never used of it is never touched. */
	buffers->memory = malloc(OUTCOMES * buffers->size);
	if (!buffers->memory)
		return -ENOMEM;
	err = register_buffers(state_of(loop), buffers);
	for (i = 0; !err && i < OUTCOMES; i++)
		add_buffer(buffers, i);
	return err;
}

static unsigned int entries_for(const struct tern_loop *loop)
{
	unsigned int entries = 64;

	while (entries < loop->n_calls && entries < ENTRIES_MAX)
		entries *= 2;
	return entries;
}

static int uring_open(struct tern_loop *loop)
{
	struct io_uring_params params = {
		.flags = IORING_SETUP_SINGLE_ISSUER |
			 IORING_SETUP_DEFER_TASKRUN | IORING_SETUP_SUBMIT_ALL,
	};
	struct state *state = calloc(1, sizeof(*state));
	int err;

	if (!state)
		return -ENOMEM;
	err = io_uring_queue_init_params(entries_for(loop), &state->ring,
					 &params);
	if (err) {
		free(state);
		return err;
	}
	loop->state = state;
	/* A child would keep the ring, and has no use for it. */
	err = io_uring_ring_dontfork(&state->ring);
	state->window = ENTRIES_MAX;
	state->template.msg_namelen = sizeof(struct sockaddr_tern);
	state->template.msg_controllen = CONTROL_SIZE;
	if (!err && loop->client >= 0)
		err = open_outcomes(loop);
	if (err)
		backend_uring.close(loop);
	return err;
}

static void uring_close(struct tern_loop *loop)
{
	struct state *state = state_of(loop);
	struct service *service;

	io_uring_queue_exit(&state->ring);
	free(state->outcomes.ring);
	free(state->outcomes.memory);
	for (service = loop->services; service; service = service->next)
		free(service->buffers.ring);
	free(state);
}

static int uring_fd(const struct tern_loop *loop)
{
	return state_of(loop)->ring.ring_fd;
}

static int uring_serve(struct service *service)
{
	struct buffers *buffers = &service->buffers;
	struct tern_loop *loop = service->loop;
	int err;

	buffers->group = OUTCOME_GROUP + 1 + loop->n_services;
	buffers->count = service->opts.jobs;
	buffers->size = HEAD_SIZE + service->opts.request_size;
	buffers->memory = NULL;
	err = register_buffers(state_of(loop), buffers);
	if (!err)
		loop->n_services++;
	return err;
}

static void uring_job_freed(struct job *job)
{
	struct service *service = job->service;
	struct buffers *buffers = &service->buffers;
	uint32_t i = job - service->jobs;

	io_uring_buf_ring_add(buffers->ring, job->buffer, buffers->size, i,
			      io_uring_buf_ring_mask(buffers->ring_size), 0);
	io_uring_buf_ring_advance(buffers->ring, 1);
}

/* What is submitted. */

/* Makes room for some entries of the submission queue. */
static int make_room(struct state *state, unsigned int count)
{
	int ret;

	if (io_uring_sq_space_left(&state->ring) >= count)
		return 0;
	ret = io_uring_submit(&state->ring);
	if (ret < 0)
		return ret;
	return io_uring_sq_space_left(&state->ring) >= count ? 0 : -EBUSY;
}

/* There is room for it. */
static struct io_uring_sqe *next_sqe(struct state *state)
{
	return io_uring_get_sqe(&state->ring);
}

static void set_tag(struct io_uring_sqe *sqe, const void *what, enum tag tag)
{
	io_uring_sqe_set_data64(sqe, (uintptr_t)what | tag);
}

static void tag_pending(struct state *state, struct io_uring_sqe *sqe,
			const void *what, enum tag tag)
{
	set_tag(sqe, what, tag);
	state->n_pending++;
}

static void receive(struct state *state, int fd, uint16_t group,
		    const void *what, enum tag tag)
{
	struct io_uring_sqe *sqe = next_sqe(state);

	io_uring_prep_recvmsg_multishot(sqe, fd, &state->template, MSG_TRUNC);
	sqe->flags |= IOSQE_BUFFER_SELECT;
	sqe->buf_group = group;
	tag_pending(state, sqe, what, tag);
}

static int prepare_service(struct service *service)
{
	struct tern_loop *loop = service->loop;
	struct state *state = state_of(loop);
	struct io_uring_sqe *sqe;
	bool start;
	int err;

	err = make_room(state, 2);
	if (err)
		return err;
	if (!service->watching) {
		sqe = next_sqe(state);
		/* Nothing is waited for with POLLPRI alone, see tern(7). */
		io_uring_prep_poll_multishot(sqe, service->fd,
					     POLLPRI | POLLRDBAND);
		tag_pending(state, sqe, service, TAG_EVENTS);
		service->watching = true;
	}
	pthread_mutex_lock(&loop->lock);
	start = !service->receiving && service->n_free;
	if (start)
		service->receiving = true;
	pthread_mutex_unlock(&loop->lock);
	if (start)
		receive(state, service->fd, service->buffers.group, service,
			TAG_REQUEST);
	return 0;
}

/* Waits for room to send, at most until the first queued call has expired. */
static int wait_for_room(struct tern_loop *loop)
{
	struct state *state = state_of(loop);
	int left = calls_expire(loop);
	struct io_uring_sqe *sqe;
	uint64_t until_ms = left < 0 ? UINT64_MAX : now_ms() + left;
	int err;

	if (state->waiting && (state->waiting_ends || until_ms >= state->room_ms))
		return 0;
	err = make_room(state, 2);
	if (err)
		return err;
	sqe = next_sqe(state);
	if (state->waiting) {
		/* A call that was made since will expire before. */
		io_uring_prep_cancel64(sqe, TAG_ROOM, 0);
		tag_pending(state, sqe, NULL, TAG_CANCEL);
		state->waiting_ends = true;
		return 0;
	}
	io_uring_prep_poll_add(sqe, loop->client, POLLOUT);
	tag_pending(state, sqe, NULL, TAG_ROOM);
	state->waiting = true;
	state->waiting_ends = false;
	state->room_ms = until_ms;
	if (left < 0)
		return 0;
	sqe->flags |= IOSQE_IO_LINK;
	sqe = next_sqe(state);
	state->room_time.tv_sec = left / 1000;
	state->room_time.tv_nsec = left % 1000 * 1000000LL;
	io_uring_prep_link_timeout(sqe, &state->room_time, 0);
	tag_pending(state, sqe, NULL, TAG_ROOM_TIMEOUT);
	return 0;
}

static int send_calls(struct tern_loop *loop)
{
	struct state *state = state_of(loop);
	struct io_uring_sqe *sqe;
	unsigned int count;
	struct call *call;
	int err;

	if (loop->congested)
		return wait_for_room(loop);
	for (count = 0; count < state->window; count++) {
		err = make_room(state, 1);
		if (err)
			return err;
		call = calls_next(loop);
		if (!call)
			break;
		sqe = next_sqe(state);
		io_uring_prep_sendmsg(sqe, loop->client, &call->msg,
				      MSG_DONTWAIT);
		/* Its outcome tells that it was sent. */
		if (!call_is_quiet(call))
			sqe->flags |= IOSQE_CQE_SKIP_SUCCESS;
		set_tag(sqe, call, TAG_SEND);
	}
	if (count == state->window) {
		/* More wait: the loop comes back for them at once. */
		loop_kick(loop);
		state->window *= 2;
	} else {
		state->window = ENTRIES_MAX;
	}
	return 0;
}

static int prepare(struct tern_loop *loop)
{
	struct state *state = state_of(loop);
	struct service *service;
	struct io_uring_sqe *sqe;
	int err;

	err = make_room(state, 2);
	if (err)
		return err;
	if (!state->waking) {
		sqe = next_sqe(state);
		io_uring_prep_read(sqe, loop->wake_fd, &state->wake_count,
				   sizeof(state->wake_count), 0);
		tag_pending(state, sqe, NULL, TAG_WAKE);
		state->waking = true;
	}
	if (!state->receiving && loop->client >= 0) {
		receive(state, loop->client, OUTCOME_GROUP, NULL, TAG_OUTCOME);
		state->receiving = true;
	}
	for (service = loop->services; service && !err; service = service->next)
		err = prepare_service(service);
	if (!err && loop->client >= 0)
		err = send_calls(loop);
	return err;
}

/* The queue of completions is full: they are looked at first. */
static int submit_result(int ret)
{
	return ret == -EBUSY || ret == -EAGAIN || ret == -ETIME || ret > 0 ?
	       0 : ret;
}

/* Unless calls are still in the submission queue, of which the kernel knows nothing. */
static void withdraw_calls(struct tern_loop *loop)
{
	if (!io_uring_sq_ready(&state_of(loop)->ring))
		calls_withdraw(loop);
}

static int uring_submit(struct tern_loop *loop)
{
	int err = submit_result(prepare(loop));

	err = err ?: submit_result(io_uring_submit(&state_of(loop)->ring));
	withdraw_calls(loop);
	return err;
}

static void uring_reply(struct job *job)
{
	struct tern_loop *loop = job->service->loop;
	struct state *state = state_of(loop);
	struct io_uring_sqe *sqe;

	if (loop->closing || make_room(state, 1)) {
		job_send(job);
		job_done(job);
		return;
	}
	sqe = next_sqe(state);
	io_uring_prep_sendmsg(sqe, job->service->fd, &job->msg, MSG_DONTWAIT);
	tag_pending(state, sqe, job, TAG_REPLY);
}

/* What is completed. */

/* What is in a buffer; its content begins at HEAD_SIZE. */
static int read_buffer(struct state *state, void *buffer, int len,
		       struct tern_message *message)
{
	struct msghdr *template = &state->template;
	struct io_uring_recvmsg_out *out;
	struct sockaddr_tern from;
	struct msghdr msg = { 0 };

	out = io_uring_recvmsg_validate(buffer, len, template);
	if (!out)
		return -EPROTO;
	memcpy(&from, io_uring_recvmsg_name(out), sizeof(from));
	msg.msg_control = io_uring_recvmsg_cmsg_firsthdr(out, template);
	msg.msg_controllen = msg.msg_control ? out->controllen : 0;
	message->len = out->payloadlen;
	return read_message(message, &msg, &from);
}

static uint32_t buffer_of(const struct io_uring_cqe *cqe)
{
	return cqe->flags >> IORING_CQE_BUFFER_SHIFT;
}

/* A receive has ended for a reason that is none to end the loop. */
static int receive_result(const struct tern_loop *loop, int res)
{
	if (res >= 0 || res == -ENOBUFS || res == -ENOMEM || res == -EINTR ||
	    res == -EAGAIN || loop->closing)
		return 0;
	return res;
}

static int outcome_came(struct tern_loop *loop, const struct io_uring_cqe *cqe)
{
	struct state *state = state_of(loop);
	struct buffers *buffers = &state->outcomes;
	struct tern_message message;
	size_t size;
	char *buffer;

	if (!(cqe->flags & IORING_CQE_F_MORE))
		state->receiving = false;
	if (!(cqe->flags & IORING_CQE_F_BUFFER))
		return receive_result(loop, cqe->res);
	state->cut_off = !state->receiving;
	buffer = buffers->memory + buffer_of(cqe) * buffers->size;
	if (!read_buffer(state, buffer, cqe->res, &message) &&
	    message.kind == TERN_KIND_OUTCOME) {
		size = message.len < loop->reply_size ? message.len :
		       loop->reply_size;
		calls_outcome(loop, &message.outcome, buffer + HEAD_SIZE, size);
	}
	add_buffer(buffers, buffer_of(cqe));
	return 0;
}

static int request_came(struct service *service, const struct io_uring_cqe *cqe)
{
	struct tern_loop *loop = service->loop;
	struct tern_message message;
	struct job *job;

	if (!(cqe->flags & IORING_CQE_F_MORE)) {
		pthread_mutex_lock(&loop->lock);
		service->receiving = false;
		pthread_mutex_unlock(&loop->lock);
	}
	if (!(cqe->flags & IORING_CQE_F_BUFFER))
		return receive_result(loop, cqe->res);
	job = &service->jobs[buffer_of(cqe)];
	if (!loop->closing &&
	    !read_buffer(state_of(loop), job->buffer, cqe->res, &message) &&
	    message.kind == TERN_KIND_REQUEST) {
		job_request(job, &message.request);
		return 0;
	}
	pthread_mutex_lock(&loop->lock);
	uring_job_freed(job);
	pthread_mutex_unlock(&loop->lock);
	return 0;
}

static int send_came(struct tern_loop *loop, struct call *call, int res)
{
	if (res >= 0) {
		calls_submitted(loop, call);
	} else if (res == -EAGAIN) {
		loop->congested = true;
		state_of(loop)->window = WINDOW_MIN;
		calls_put_back(loop, call);
	} else if (res == -EINTR) {
		calls_put_back(loop, call);
	} else {
		calls_failed(loop, call, res);
	}
	return 0;
}

static int reply_came(struct job *job, int res)
{
	if (is_shortage(res) || res == -EAGAIN || res == -EINTR)
		job_send(job);
	job_done(job);
	return 0;
}

static int room_came(struct tern_loop *loop, int res)
{
	state_of(loop)->waiting = false;
	if (res >= 0)
		loop->congested = false;
	return 0;
}

/*
 * They are received when all requests have been handled, since one of these may be
 * meant.
 */
static int events_came(struct service *service, const struct io_uring_cqe *cqe)
{
	if (!(cqe->flags & IORING_CQE_F_MORE))
		service->watching = false;
	service->has_events = true;
	return 0;
}

static int completed(struct tern_loop *loop, const struct io_uring_cqe *cqe)
{
	struct state *state = state_of(loop);
	void *what = (void *)(uintptr_t)(cqe->user_data & ~(uint64_t)TAG_MASK);
	enum tag tag = cqe->user_data & TAG_MASK;

	if (tag != TAG_SEND && !(cqe->flags & IORING_CQE_F_MORE))
		state->n_pending--;
	switch (tag) {
	case TAG_SEND:
		return send_came(loop, what, cqe->res);
	case TAG_REPLY:
		return reply_came(what, cqe->res);
	case TAG_REQUEST:
		return request_came(what, cqe);
	case TAG_EVENTS:
		return events_came(what, cqe);
	case TAG_OUTCOME:
		return outcome_came(loop, cqe);
	case TAG_ROOM:
		return room_came(loop, cqe->res);
	case TAG_WAKE:
		state->waking = false;
		loop_kicked(loop);
		return 0;
	default:
		return 0;
	}
}

static int complete_all(struct tern_loop *loop)
{
	struct state *state = state_of(loop);
	struct io_uring_cqe *cqe, copy;
	int err = 0;

	loop->received_ms = now_ms();
	while (!err && !io_uring_peek_cqe(&state->ring, &cqe)) {
		copy = *cqe;
		io_uring_cqe_seen(&state->ring, cqe);
		err = completed(loop, &copy);
	}
	return err;
}

static int submit_and_wait(struct state *state, int timeout_ms)
{
	struct __kernel_timespec time = {
		.tv_sec = timeout_ms / 1000,
		.tv_nsec = timeout_ms % 1000 * 1000000LL,
	};
	struct io_uring_cqe *cqe;

	if (!timeout_ms)
		return io_uring_submit_and_get_events(&state->ring);
	return io_uring_submit_and_wait_timeout(&state->ring, &cqe, 1,
						timeout_ms < 0 ? NULL : &time,
						NULL);
}

/*
 * To io_uring a message without content, as an outcome without a reply is, is the
 * last one.  Those behind it are received as well, or there would be one each turn.
 */
static int complete_rest(struct tern_loop *loop)
{
	struct state *state = state_of(loop);
	int err = 0, i;

	for (i = 0; i < OUTCOMES && state->cut_off && !err; i++) {
		state->cut_off = false;
		err = uring_submit(loop);
		if (!err)
			err = complete_all(loop);
	}
	return err;
}

static int uring_turn(struct tern_loop *loop, int timeout_ms)
{
	struct state *state = state_of(loop);
	int err, waited;

	withdraw_calls(loop);
	err = prepare(loop);
	if (submit_result(err))
		return err;
	if (err || calls_due(loop))
		timeout_ms = 0;
	waited = submit_result(submit_and_wait(state, timeout_ms));
	err = complete_all(loop);
	if (!err)
		err = complete_rest(loop);
	return err ?: waited;
}

/*
 * Ends all that is pending, so that the sockets are free when this returns. In
 * another thread than the loop's, which has ended, the kernel has done so.
 */
static void uring_stop(struct tern_loop *loop)
{
	struct state *state = state_of(loop);
	struct io_uring_sqe *sqe;
	int err;

	if (!loop_in_thread(loop) || make_room(state, 1))
		return;
	sqe = next_sqe(state);
	io_uring_prep_cancel64(sqe, 0, IORING_ASYNC_CANCEL_ANY |
				       IORING_ASYNC_CANCEL_ALL);
	tag_pending(state, sqe, NULL, TAG_CANCEL);
	while (state->n_pending) {
		err = submit_result(submit_and_wait(state, -1));
		if (err && err != -EINTR)
			return;
		complete_all(loop);
	}
}

const struct backend backend_uring = {
	.number		= TERN_BACKEND_URING,
	.open		= uring_open,
	.stop		= uring_stop,
	.close		= uring_close,
	.fd		= uring_fd,
	.serve		= uring_serve,
	.submit		= uring_submit,
	.turn		= uring_turn,
	.reply		= uring_reply,
	.job_freed	= uring_job_freed,
	.head_size	= HEAD_SIZE,
};
