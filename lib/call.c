// SPDX-License-Identifier: LGPL-2.1-or-later
/* Calls that wait for their outcome. */
#include <errno.h>
#include <sys/ioctl.h>

#include "inherit.h"
#include "opts.h"
#include "tern.h"

/* Not an outcome: the kernel has not written the structure. */
#define UNWRITTEN	UINT32_MAX

static int not_executed(struct tern_result *result, int cause)
{
	*result = (struct tern_result){
		.outcome = TERN_NOT_EXECUTED,
		.cause = cause,
	};
	return -cause;
}

/* Returns 0 or a negative errno value, and always fills *result. */
static int call(int fd, const struct sockaddr_tern *to, uint32_t procedure,
		const void *request, size_t request_len,
		void *reply, size_t reply_size,
		const struct tern_call_opts *opts, uint32_t flags,
		struct tern_result *result)
{
	struct tern_ioc_call arg = {
		.request = (uintptr_t)request,
		.reply = (uintptr_t)reply,
		.dest = (uintptr_t)to,
		.reply_len = reply_size < UINT32_MAX ? reply_size : UINT32_MAX,
		.procedure = procedure,
		.timeout_ms = opts ? opts->timeout_ms : 0,
		.flags = flags | (opts ? opts->flags : 0),
		.extend_ms = opts ? opts->extend_ms : 0,
		.outcome = UNWRITTEN,
	};
	int err;

	if (!opts_valid(opts))
		return not_executed(result, EINVAL);
	if (request_len > TERN_MESSAGE_MAX)
		return not_executed(result, EMSGSIZE);
	if (!inherit_limit(&arg.limit_ms))
		return not_executed(result, ETIMEDOUT);
	arg.request_len = request_len;

	err = ioctl(fd, TERN_IOC_CALL, &arg) ? errno : 0;
	if (arg.outcome == UNWRITTEN) {
		not_executed(result, err ? err : EPROTO);
		/*
		 * The kernel fails to read or to write the structure with the
		 * same error, and in the second case the call has been made.
		 */
		if (!err || err == EFAULT)
			result->outcome = TERN_UNKNOWN;
		return -result->cause;
	}

	*result = (struct tern_result){
		.outcome = (enum tern_outcome)arg.outcome,
		.cause = err,
		.status = arg.status,
	};
	if (result->outcome == TERN_REPLIED)
		result->reply_len = arg.reply_len;
	return tern_result_error(result);
}

ssize_t tern_call(int fd, const struct sockaddr_tern *to, uint32_t procedure,
		  const void *request, size_t request_len,
		  void *reply, size_t reply_size,
		  const struct tern_call_opts *opts,
		  struct tern_result *result)
{
	struct tern_result unused;
	int err;

	if (!result)
		result = &unused;
	err = call(fd, to, procedure, request, request_len, reply, reply_size,
		   opts, 0, result);
	return err ? err : (ssize_t)result->reply_len;
}

int tern_cast(int fd, const struct sockaddr_tern *to, uint32_t procedure,
	      const void *request, size_t request_len,
	      const struct tern_call_opts *opts, struct tern_result *result)
{
	struct tern_result unused;

	return call(fd, to, procedure, request, request_len, NULL, 0,
		    opts, TERN_CALL_ONEWAY, result ? result : &unused);
}
