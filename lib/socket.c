// SPDX-License-Identifier: LGPL-2.1-or-later
/* Making sockets and setting them up. */
#include <errno.h>
#include <sys/socket.h>

#include "tern.h"

int tern_socket(int flags)
{
	int fd;

	if (flags & ~SOCK_NONBLOCK)
		return -EINVAL;
	fd = socket(tern_family(), SOCK_RDM | SOCK_CLOEXEC | flags, 0);
	return fd < 0 ? -errno : fd;
}

int tern_connect(int fd, const struct sockaddr_tern *to)
{
	struct sockaddr_tern none = { .st_family = AF_UNSPEC };

	if (!to)
		to = &none;
	if (connect(fd, (const struct sockaddr *)to, sizeof(*to)))
		return -errno;
	return 0;
}

int tern_set_orphans(int fd, enum tern_orphans policy)
{
	uint32_t value = policy;

	if (setsockopt(fd, SOL_TERN, TERN_ORPHANS, &value, sizeof(value)))
		return -errno;
	return 0;
}

int tern_bind(int fd, uint32_t service, uint32_t version, int share)
{
	struct sockaddr_tern addr = {
		.st_service = service,
		.st_version = version,
	};
	int family, one = 1;
	socklen_t len = sizeof(family);

	if (getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &family, &len))
		return -errno;
	addr.st_family = family;
	if (share && setsockopt(fd, SOL_TERN, TERN_SHARE, &one, sizeof(one)))
		return -errno;
	if (bind(fd, (struct sockaddr *)&addr, sizeof(addr)))
		return -errno;
	return 0;
}

int tern_set_timeout(int fd, uint32_t timeout_ms)
{
	if (setsockopt(fd, SOL_TERN, TERN_TIMEOUT, &timeout_ms,
		       sizeof(timeout_ms)))
		return -errno;
	return 0;
}
