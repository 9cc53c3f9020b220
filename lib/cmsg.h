/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Control messages. */
#ifndef TERN_CMSG_H
#define TERN_CMSG_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include "tern.h"

/* Room for one control message of Tern and a few of the socket layer. */
union control {
	struct cmsghdr	header;
	char		bytes[256];
};

static inline bool is_cmsg(const struct cmsghdr *cmsg, int type, size_t size)
{
	return cmsg->cmsg_level == SOL_TERN && cmsg->cmsg_type == type &&
	       cmsg->cmsg_len >= CMSG_LEN(size);
}

/* Makes @buf, of CMSG_SPACE(@size) bytes, the control message of @msg. */
static inline void set_control(struct msghdr *msg, void *buf, int type,
			       const void *data, size_t size)
{
	struct cmsghdr *cmsg = buf;

	msg->msg_control = buf;
	msg->msg_controllen = CMSG_SPACE(size);
	cmsg->cmsg_level = SOL_TERN;
	cmsg->cmsg_type = type;
	cmsg->cmsg_len = CMSG_LEN(size);
	memcpy(CMSG_DATA(cmsg), data, size);
}

/*
 * Says what was received, by the control messages of @msg and the address @from;
 * @message->len is set before.  -EPROTO when it is neither kind.
 */
int read_message(struct tern_message *message, struct msghdr *msg,
		 const struct sockaddr_tern *from);

#endif /* TERN_CMSG_H */
