// SPDX-License-Identifier: LGPL-2.1-or-later
/* Calls whose outcome is received later, and receiving of either kind. */
#include <errno.h>
#include <string.h>
#include <sys/ioctl.h>

#include "cmsg.h"
#include "inherit.h"
#include "opts.h"
#include "tern.h"

int tern_send_call(int fd, const struct sockaddr_tern *to, uint64_t id,
		   uint32_t procedure, const void *request, size_t request_len,
		   const struct tern_call_opts *opts)
{
	struct tern_cmsg_call call = {
		.id = id,
		.procedure = procedure,
		.timeout_ms = opts ? opts->timeout_ms : 0,
		.flags = opts ? opts->flags : 0,
		.extend_ms = opts ? opts->extend_ms : 0,
	};
	struct iovec iov = {
		.iov_base = (void *)request,
		.iov_len = request_len,
	};
	union control control = { .bytes = { 0 } };
	struct msghdr msg = {
		.msg_name = (void *)to,
		.msg_namelen = to ? sizeof(*to) : 0,
		.msg_iov = &iov,
		.msg_iovlen = 1,
	};

	if (!opts_valid(opts))
		return -EINVAL;
	if (!inherit_limit(&call.limit_ms))
		return -ETIMEDOUT;

	set_control(&msg, &control, TERN_CMSG_CALL, &call, sizeof(call));
	return sendmsg(fd, &msg, 0) < 0 ? -errno : 0;
}

int tern_cancel(int fd, uint64_t id)
{
	return ioctl(fd, TERN_IOC_CANCEL, &id) ? -errno : 0;
}

static void fill_request(struct tern_message *message,
			 const struct cmsghdr *cmsg,
			 const struct sockaddr_tern *from)
{
	struct tern_cmsg_request request;

	memcpy(&request, CMSG_DATA(cmsg), sizeof(request));
	message->kind = TERN_KIND_REQUEST;
	message->request = (struct tern_request){
		.handle = request.flags & TERN_CALL_ONEWAY ? 0 : request.handle,
		.procedure = request.procedure,
		.time_left_ms = request.time_left_ms,
		.flags = request.flags,
		.len = message->len,
		.source = *from,
	};
}

static void fill_outcome(struct tern_message *message,
			 const struct cmsghdr *cmsg,
			 const struct sockaddr_tern *from)
{
	struct tern_cmsg_outcome outcome;

	memcpy(&outcome, CMSG_DATA(cmsg), sizeof(outcome));
	message->kind = TERN_KIND_OUTCOME;
	message->outcome = (struct tern_completion){
		.id = outcome.id,
		.result = {
			.outcome = (enum tern_outcome)outcome.outcome,
			.cause = outcome.cause,
			.status = outcome.status,
			.reply_len = message->len,
		},
		.service = *from,
	};
}

int read_message(struct tern_message *message, struct msghdr *msg,
		 const struct sockaddr_tern *from)
{
	struct cmsghdr *cmsg;

	for (cmsg = CMSG_FIRSTHDR(msg); cmsg; cmsg = CMSG_NXTHDR(msg, cmsg)) {
		if (is_cmsg(cmsg, TERN_CMSG_REQUEST,
			    sizeof(struct tern_cmsg_request))) {
			fill_request(message, cmsg, from);
			return 0;
		}
		if (is_cmsg(cmsg, TERN_CMSG_OUTCOME,
			    sizeof(struct tern_cmsg_outcome))) {
			fill_outcome(message, cmsg, from);
			return 0;
		}
	}
	return -EPROTO;
}

ssize_t tern_recv(int fd, struct tern_message *message, void *buf, size_t size,
		  int flags)
{
	struct sockaddr_tern from = { 0 };
	struct iovec iov = {
		.iov_base = buf,
		.iov_len = size,
	};
	union control control;
	struct msghdr msg = {
		.msg_name = &from,
		.msg_namelen = sizeof(from),
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof(control),
	};
	ssize_t len;

	/* MSG_TRUNC makes the length that of the message, not of its part. */
	len = recvmsg(fd, &msg, flags | MSG_TRUNC);
	if (len < 0)
		return -errno;

	message->len = len;
	return read_message(message, &msg, &from) ?: len;
}

ssize_t tern_recv_outcome(int fd, uint64_t *id, void *reply, size_t reply_size,
			  struct tern_result *result, int flags)
{
	struct tern_message message;
	ssize_t len;

	len = tern_recv(fd, &message, reply, reply_size, flags);
	if (len < 0)
		return len;
	if (message.kind != TERN_KIND_OUTCOME)
		return -EPROTO;
	if (id)
		*id = message.outcome.id;
	*result = message.outcome.result;
	return len;
}
