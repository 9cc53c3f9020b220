/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The inside of an event loop.
 *
 *   loop.c        the loop itself, its threads
 *   loop_call.c   calls
 *   loop_serve.c  services and their jobs
 *   loop_uring.c  the backend on io_uring
 *   loop_poll.c   the backend on epoll, sendmmsg and recvmsg
 *
 * Only the loop's thread runs a backend. What other threads touch is protected
 * by the lock; they wake the loop by loop_kick().
 */
#ifndef TERN_LOOP_H
#define TERN_LOOP_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

#include "cmsg.h"
#include "tern.h"

/* A list is a ring through its head. */
struct link {
	struct link	*prev;
	struct link	*next;
};

static inline void list_init(struct link *list)
{
	list->prev = list;
	list->next = list;
}

static inline bool list_empty(const struct link *list)
{
	return list->next == list;
}

static inline void list_add_after(struct link *place, struct link *entry)
{
	entry->prev = place;
	entry->next = place->next;
	place->next->prev = entry;
	place->next = entry;
}

static inline void list_add_tail(struct link *list, struct link *entry)
{
	list_add_after(list->prev, entry);
}

static inline void list_del(struct link *entry)
{
	entry->prev->next = entry->next;
	entry->next->prev = entry->prev;
}

/*
 * CALL_FREE       in the list free
 * CALL_QUEUED     in the list queue: the kernel has not got it
 * CALL_SENT       in no list: its outcome will be received
 * CALL_WITHDRAWN  in the list withdrawn: the same, but it is to be withdrawn as
 *                 soon as the kernel has it
 * CALL_DUE        in the list due: it has ended, its callback is to be run
 * CALL_ENDING     in no list: the loop's thread is about to do so
 * CALL_ENDED      in no list: it has ended and is to be collected
 */
enum call_state {
	CALL_FREE,
	CALL_QUEUED,
	CALL_SENT,
	CALL_WITHDRAWN,
	CALL_DUE,
	CALL_ENDING,
	CALL_ENDED,
};

/* At a time, in one loop. */
#define CALLS_MAX	65536

/* Pointers to some of these carry a number below it, see loop_uring.c. */
#define TAG_SPACE	16
#define TAGGED		__attribute__((aligned(TAG_SPACE)))

struct call {
	struct link			link;
	enum call_state			state;
	uint64_t			serial;
	/* Its user does not want it any more. */
	bool				cancelled;
	uint64_t			queued_ms;
	uint32_t			timeout_ms;
	uint32_t			limit_ms;
	tern_loop_done			*done;
	void				*context;
	void				*reply;
	size_t				reply_size;
	struct tern_result		result;
	/* What is sent. */
	struct tern_cmsg_call		how;
	struct sockaddr_tern		to;
	struct iovec			iov;
	struct msghdr			msg;
	union {
		struct cmsghdr		header;
		char			bytes[CMSG_SPACE(sizeof(struct tern_cmsg_call))];
	} control;
} TAGGED;

/* JOB_HELD is the handler's, in JOB_ENDING its reply is on its way. */
enum job_state {
	JOB_FREE,
	JOB_HELD,
	JOB_ENDING,
};

struct job {
	struct tern_job			job;
	struct link			link;	/* free, in loop_poll.c */
	struct service			*service;
	enum job_state			state;
	/* Its callback is running: it is freed afterwards. */
	bool				pinned;
	uint64_t			handle;
	uint32_t			status;
	void				*buffer;
	void				*reply;
	/* The reply as it is sent. */
	struct iovec			iov;
	struct msghdr			msg;
	union {
		struct cmsghdr		header;
		char			bytes[CMSG_SPACE(sizeof(struct tern_cmsg_reply))];
	} control;
} TAGGED;

/* Buffers that the kernel takes for what it receives, see loop_uring.c. */
struct buffers {
	struct io_uring_buf_ring	*ring;
	uint16_t			group;
	uint32_t			count;
	uint32_t			ring_size;
	size_t				size;
	char				*memory;
};

struct service {
	struct tern_loop		*loop;
	struct service			*next;
	int				fd;
	struct tern_loop_service	opts;
	struct job			*jobs;
	size_t				buffer_size;
	void				*buffer_memory;
	void				*reply_memory;
	uint32_t			n_free;
	/* Requests are being received. */
	bool				receiving;
	/* There are events to be received. */
	bool				has_events;
	struct link			free;		/* loop_poll.c */
	struct buffers			buffers;	/* loop_uring.c */
	bool				watching;	/* events, the same */
} TAGGED;

struct backend {
	enum tern_backend	number;
	int (*open)(struct tern_loop *loop);
	/* Ends all that is going on; then the calls end, then it is closed. */
	void (*stop)(struct tern_loop *loop);
	void (*close)(struct tern_loop *loop);
	int (*fd)(const struct tern_loop *loop);
	/* Begins to serve. The jobs are allocated, and are given by job_freed(). */
	int (*serve)(struct service *service);
	/* Hands over what is queued. */
	int (*submit)(struct tern_loop *loop);
	/* The same, then waits, and gives what came to loop_outcome() and so on. */
	int (*turn)(struct tern_loop *loop, int timeout_ms);
	/* Sends the reply of a job, then calls job_done(). */
	void (*reply)(struct job *job);
	/* A job can be used for a request again; the lock is held. */
	void (*job_freed)(struct job *job);
	/* Bytes of a job's buffer in front of the request. */
	size_t head_size;
};

extern const struct backend backend_uring, backend_poll;

struct tern_loop {
	const struct backend	*backend;
	void			*state;		/* of the backend */
	int			client;
	size_t			reply_size;
	pthread_t		thread;
	int			wake_fd;
	atomic_bool		kicked;
	atomic_bool		stopped;
	/* Of the loop's thread only. */
	bool			running;
	unsigned int		n_run;
	uint64_t		received_ms;
	struct service		*services;
	uint16_t		n_services;
	/* The send buffer was full. */
	bool			congested;

	pthread_mutex_t		lock;
	pthread_cond_t		ended;
	bool			closing;
	uint32_t		n_calls;
	struct call		*calls;
	struct link		free;
	struct link		queue;
	struct link		withdrawn;
	struct link		due;
};

/* A size after which anything can begin. */
static inline size_t loop_aligned(size_t size)
{
	return (size + TAG_SPACE - 1) & -(size_t)TAG_SPACE;
}

/* loop.c */

static inline bool loop_in_thread(const struct tern_loop *loop)
{
	return pthread_equal(loop->thread, pthread_self());
}

/* Lets the loop look at what has changed. */
void loop_kick(struct tern_loop *loop);
/* The loop was woken by a kick. */
void loop_kicked(struct tern_loop *loop);

/* Whether a socket offers a service; or an error. */
int loop_is_bound(int fd);

static inline bool is_shortage(int error)
{
	return error == -ENOMEM || error == -ENOBUFS;
}

/* loop_call.c */

int calls_init(struct tern_loop *loop);
/* Runs the callbacks of all calls that are left. */
void calls_end(struct tern_loop *loop);
void calls_free(struct tern_loop *loop);
/* The next call to be sent, as call->msg, or NULL. */
struct call *calls_next(struct tern_loop *loop);
/* There was no room for it: it is the next again. */
void calls_put_back(struct tern_loop *loop, struct call *call);
/* It could not be sent. */
void calls_failed(struct tern_loop *loop, struct call *call, int error);
/* It was sent, but no outcome will come. */
void calls_submitted(struct tern_loop *loop, struct call *call);
/* An outcome was received, with @size bytes of the reply. */
void calls_outcome(struct tern_loop *loop, const struct tern_completion *outcome,
		   const void *reply, size_t size);
/* Ends what has expired in the queue; time until the next does, or -1. */
int calls_expire(struct tern_loop *loop);
/* The kernel has all calls that were taken: those not wanted are withdrawn. */
void calls_withdraw(struct tern_loop *loop);
/* Runs the callbacks that are due. */
void calls_finish(struct tern_loop *loop);
/* Whether there is something to do without anything coming. */
bool calls_due(struct tern_loop *loop);

static inline bool call_is_quiet(const struct call *call)
{
	return call->how.flags & TERN_CALL_QUIET;
}

/* loop_serve.c */

void services_free(struct tern_loop *loop);
/* A request was received into the buffer of a job. */
void job_request(struct job *job, const struct tern_request *request);
/* The reply was sent, or nobody wants it. */
void job_done(struct job *job);
/* Sends the reply at once, and again while there is no memory. */
void job_send(struct job *job);
/* Receives events and tells the handlers. */
int service_events(struct service *service);

#endif /* TERN_LOOP_H */
