/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Control messages. */
#ifndef TERN_CMSG_H
#define TERN_CMSG_H

#include <stdbool.h>
#include <stddef.h>

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

#endif /* TERN_CMSG_H */
