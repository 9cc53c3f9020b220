/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the tests of event loops share: they run for each backend, count what is
 * allocated, and have a service that runs in a thread.
 */
#ifndef LOOP_TEST_H
#define LOOP_TEST_H

#include <stdatomic.h>
#include <stdlib.h>

#include "lib_test.h"

/*
 * Allocations of all threads, by whichever library. The memory checker has a
 * hook for that; otherwise this malloc() is in front of that of the C library.
 */
static atomic_ulong allocations;

#ifdef __SANITIZE_ADDRESS__
void __sanitizer_malloc_hook(const volatile void *memory, size_t size);
void __sanitizer_malloc_hook(const volatile void *memory, size_t size)
{
	(void)memory;
	(void)size;
	atomic_fetch_add(&allocations, 1);
}
#else
void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *memory, size_t size);
void *__libc_memalign(size_t alignment, size_t size);

void *malloc(size_t size)
{
	atomic_fetch_add(&allocations, 1);
	return __libc_malloc(size);
}

void *calloc(size_t count, size_t size)
{
	atomic_fetch_add(&allocations, 1);
	return __libc_calloc(count, size);
}

void *realloc(void *memory, size_t size)
{
	atomic_fetch_add(&allocations, 1);
	return __libc_realloc(memory, size);
}

void *aligned_alloc(size_t alignment, size_t size)
{
	atomic_fetch_add(&allocations, 1);
	return __libc_memalign(alignment, size);
}
#endif

enum { PROC_ECHO = 1 };

/* A service beside the loop that sends each request back. */
struct echo {
	int		fd;
	int		stop_fd;
	pthread_t	thread;
};

static inline uint32_t echo_handle(struct tern_job *job, void *context)
{
	(void)context;
	memcpy(job->reply, job->data, job->request.len);
	job->reply_len = job->request.len;
	return 0;
}

static inline void *echo_thread(void *arg)
{
	struct echo *echo = arg;

	tern_serve(echo->fd, echo->stop_fd, echo_handle, NULL, NULL);
	return NULL;
}

static inline int echo_start(struct echo *echo, int fd)
{
	echo->fd = fd;
	echo->stop_fd = eventfd(0, EFD_CLOEXEC);
	return pthread_create(&echo->thread, NULL, echo_thread, echo);
}

static inline void echo_stop(struct echo *echo)
{
	tern_serve_stop(echo->stop_fd);
	pthread_join(echo->thread, NULL);
	close(echo->stop_fd);
}

/* How a call ended, as its callback was told. */
struct ended {
	int			count;
	int			failed;
	struct tern_result	result;
	char			reply[64];
	size_t			size;
};

static inline void on_done(struct tern_loop *loop,
			   const struct tern_result *result, const void *reply,
			   void *context)
{
	struct ended *ended = context;

	(void)loop;
	ended->count++;
	ended->failed += tern_result_error(result) != 0;
	ended->result = *result;
	ended->size = result->reply_len < sizeof(ended->reply) ?
		      result->reply_len : sizeof(ended->reply);
	if (ended->size && result->cause != EMSGSIZE)
		memcpy(ended->reply, reply, ended->size);
}

/* Runs the loop until so many calls have ended. */
static inline int run_until(struct tern_loop *loop, const int *count, int wanted)
{
	int ret = 0;

	while (*count < wanted && (ret >= 0 || ret == -EINTR))
		ret = tern_loop_run_once(loop, LONG_MS);
	return ret < 0 ? ret : 0;
}

#define EACH_BACKEND(fixture)						\
	FIXTURE_VARIANT(fixture) {					\
		enum tern_backend backend;				\
	};								\
	FIXTURE_VARIANT_ADD(fixture, uring) {				\
		.backend = TERN_BACKEND_URING,				\
	};								\
	FIXTURE_VARIANT_ADD(fixture, poll) {				\
		.backend = TERN_BACKEND_POLL,				\
	}

#endif /* LOOP_TEST_H */
