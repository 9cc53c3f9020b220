// SPDX-License-Identifier: LGPL-2.1-or-later
/* Whether requests that are executing are wanted any more. */
#include <errno.h>
#include <string.h>
#include <sys/ioctl.h>

#include "cmsg.h"
#include "inherit.h"
#include "tern.h"

int tern_query_request(int fd, uint64_t handle, uint32_t extend_ms,
		       uint32_t *time_left_ms)
{
	struct tern_ioc_request arg = {
		.handle = handle,
		.extend_ms = extend_ms,
	};

	if (ioctl(fd, TERN_IOC_REQUEST, &arg))
		return -errno;
	if (extend_ms)
		inherit_moved(handle, arg.time_left_ms);
	if (time_left_ms)
		*time_left_ms = arg.time_left_ms;
	return -(int)arg.cause;
}

int tern_recv_event(int fd, struct tern_event *event)
{
	struct tern_cmsg_event from;
	union control control;
	struct msghdr msg = {
		.msg_control = &control,
		.msg_controllen = sizeof(control),
	};
	struct cmsghdr *cmsg;

	if (recvmsg(fd, &msg, MSG_OOB | MSG_DONTWAIT) < 0)
		return -errno;
	for (cmsg = CMSG_FIRSTHDR(&msg); cmsg; cmsg = CMSG_NXTHDR(&msg, cmsg)) {
		if (!is_cmsg(cmsg, TERN_CMSG_EVENT, sizeof(from)))
			continue;
		memcpy(&from, CMSG_DATA(cmsg), sizeof(from));
		*event = (struct tern_event){
			.handle = from.handle,
			.cause = from.cause,
			.time_left_ms = from.time_left_ms,
		};
		return 0;
	}
	return -EPROTO;
}
