// SPDX-License-Identifier: LGPL-2.1-or-later
/* Receiving requests and replying to them. */
#include <errno.h>
#include <sys/ioctl.h>

#include "tern.h"

ssize_t tern_reply_recv(int fd, struct tern_request *request, uint32_t status,
			const void *reply, size_t reply_len,
			void *buf, size_t size, unsigned int flags)
{
	struct sockaddr_tern source = { 0 };
	struct tern_ioc_reply_recv arg = {
		.reply = (uintptr_t)reply,
		.request = (uintptr_t)buf,
		.source = (uintptr_t)&source,
		.handle = request->handle,
		.request_len = size < UINT32_MAX ? size : UINT32_MAX,
		.status = status,
		.flags = flags,
	};

	if (reply_len > TERN_MESSAGE_MAX)
		return -EMSGSIZE;
	arg.reply_len = reply_len;

	if (ioctl(fd, TERN_IOC_REPLY_RECV, &arg)) {
		request->handle = arg.handle;
		request->len = arg.request_len;
		return -errno;
	}

	*request = (struct tern_request){
		.handle = arg.call_flags & TERN_CALL_ONEWAY ? 0 : arg.handle,
		.procedure = arg.procedure,
		.time_left_ms = arg.time_left_ms,
		.flags = arg.call_flags,
		.len = arg.request_len,
		.source = source,
	};
	return arg.request_len;
}

ssize_t tern_recv_request(int fd, struct tern_request *request,
			  void *buf, size_t size, unsigned int flags)
{
	request->handle = 0;
	return tern_reply_recv(fd, request, 0, NULL, 0, buf, size, flags);
}

int tern_send_reply(int fd, uint64_t handle, uint32_t status,
		    const void *reply, size_t reply_len)
{
	struct tern_ioc_reply_recv arg = {
		.reply = (uintptr_t)reply,
		.handle = handle,
		.status = status,
		.flags = TERN_RECV_NONE,
	};

	/* To the kernel handle 0 is "no reply", which is not what was asked. */
	if (!handle)
		return -ENOENT;
	if (reply_len > TERN_MESSAGE_MAX)
		return -EMSGSIZE;
	arg.reply_len = reply_len;
	return ioctl(fd, TERN_IOC_REPLY_RECV, &arg) ? -errno : 0;
}
