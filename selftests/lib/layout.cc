// SPDX-License-Identifier: GPL-2.0
/*
 * The headers can be used from C++, and the structures have the layout that
 * programs were compiled for.
 *
 * Test: mode=host
 */
#include <cerrno>
#include <cstddef>
#include <cstdio>
#include <type_traits>

#include <tern.h>
/* a second time does no harm */
#include <tern.h>

#define AT(type, member, offset) \
	static_assert(offsetof(struct type, member) == (offset), \
		      #type "." #member " has moved")
#define SIZE(type, size) \
	static_assert(sizeof(struct type) == (size), #type " has another size"); \
	static_assert(std::is_standard_layout<struct type>::value, #type); \
	static_assert(std::is_trivially_copyable<struct type>::value, #type)

SIZE(sockaddr_tern, 32);
AT(sockaddr_tern, st_port, 2);
AT(sockaddr_tern, st_scope_id, 4);
AT(sockaddr_tern, st_addr, 8);
AT(sockaddr_tern, st_service, 24);
AT(sockaddr_tern, st_version, 28);

SIZE(tern_call_opts, 32);
AT(tern_call_opts, timeout_ms, 0);
AT(tern_call_opts, flags, 4);
AT(tern_call_opts, extend_ms, 8);
AT(tern_call_opts, resv, 12);

SIZE(tern_result, 16);
AT(tern_result, outcome, 0);
AT(tern_result, cause, 4);
AT(tern_result, status, 8);
AT(tern_result, reply_len, 12);

SIZE(tern_request, 56);
AT(tern_request, handle, 0);
AT(tern_request, procedure, 8);
AT(tern_request, time_left_ms, 12);
AT(tern_request, flags, 16);
AT(tern_request, len, 20);
AT(tern_request, source, 24);

SIZE(tern_completion, 56);
AT(tern_completion, id, 0);
AT(tern_completion, result, 8);
AT(tern_completion, service, 24);

SIZE(tern_message, 64);
AT(tern_message, kind, 0);
AT(tern_message, len, 4);
AT(tern_message, request, 8);
AT(tern_message, outcome, 8);

AT(tern_job, request, 0);
AT(tern_job, data, 56);
AT(tern_job, fd, 56 + 4 * sizeof(void *));
SIZE(tern_job, 56 + 5 * sizeof(void *));

SIZE(tern_event, 16);
AT(tern_event, handle, 0);
AT(tern_event, cause, 8);
AT(tern_event, time_left_ms, 12);

SIZE(tern_serve_opts, 32);
AT(tern_serve_opts, threads, 0);
AT(tern_serve_opts, request_size, 4);
AT(tern_serve_opts, reply_size, 8);
AT(tern_serve_opts, resv, 12);

SIZE(tern_loop_opts, 32);
AT(tern_loop_opts, backend, 0);
AT(tern_loop_opts, calls, 4);
AT(tern_loop_opts, reply_size, 8);
AT(tern_loop_opts, resv, 12);

AT(tern_submission, to, 0);
AT(tern_submission, procedure, sizeof(void *));
AT(tern_submission, request, 8 + sizeof(void *));
AT(tern_submission, context, 8 + 7 * sizeof(void *));
SIZE(tern_submission, 8 + 8 * sizeof(void *));

AT(tern_loop_service, handler, 0);
AT(tern_loop_service, jobs, 3 * sizeof(void *));
AT(tern_loop_service, resv, 12 + 3 * sizeof(void *));
SIZE(tern_loop_service, 32 + 3 * sizeof(void *));

static_assert(TERN_BACKEND_ANY == 0 && TERN_BACKEND_URING == 1 &&
	      TERN_BACKEND_POLL == 2, "backends");
static_assert(TERN_REPLIED == 0 && TERN_NOT_EXECUTED == 1 &&
	      TERN_UNKNOWN == 2 && TERN_DELIVERED == 3 &&
	      TERN_SUBMITTED == 4, "outcomes");
static_assert(TERN_KIND_REQUEST == 1 && TERN_KIND_OUTCOME == 2, "kinds");

static tern_handler handler;

static uint32_t handler(struct tern_job *job, void *context)
{
	(void)context;
	return job->request.procedure;
}

int main()
{
	struct sockaddr_tern addr;
	struct tern_result result = {};
	struct tern_loop *loop;
	bool linked;

	/* C linkage: the functions of the library are found. */
	linked = tern_addr_parse("any/4000", &addr) == 0 &&
		 addr.st_service == 4000 &&
		 tern_call(-1, &addr, 1, nullptr, 0, nullptr, 0, nullptr,
			   &result) == -EBADF &&
		 result.outcome == TERN_NOT_EXECUTED &&
		 tern_serve(-1, 0, handler, nullptr, nullptr) == -EBADF &&
		 tern_loop_open(&loop, 999, nullptr) == -EBADF;

	std::printf("TAP version 13\n1..1\n%s 1 calls from C++\n",
		    linked ? "ok" : "not ok");
	return linked ? 0 : 1;
}
