// SPDX-License-Identifier: LGPL-2.1-or-later
/* Addresses from numbers, and to text. */
#include <arpa/inet.h>
#include <errno.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#include "tern.h"

int tern_addr_set(struct sockaddr_tern *addr, const struct sockaddr *host,
		  uint32_t service, uint32_t version)
{
	struct sockaddr_tern new = {
		.st_family = tern_family(),
		.st_service = service,
		.st_version = version,
	};

	if (host && host->sa_family == AF_INET) {
		const struct sockaddr_in *in = (const void *)host;

		new.st_port = in->sin_port;
		memset(new.st_addr + 10, 0xff, 2);
		memcpy(new.st_addr + 12, &in->sin_addr, 4);
	} else if (host && host->sa_family == AF_INET6) {
		const struct sockaddr_in6 *in6 = (const void *)host;

		new.st_port = in6->sin6_port;
		memcpy(new.st_addr, &in6->sin6_addr, sizeof(new.st_addr));
		if (IN6_IS_ADDR_LINKLOCAL(&in6->sin6_addr))
			new.st_scope_id = in6->sin6_scope_id;
	} else if (host) {
		return -EAFNOSUPPORT;
	}
	*addr = new;
	return 0;
}

static void format_scope(uint32_t scope_id, char text[IF_NAMESIZE + 1])
{
	text[0] = '%';
	if (!if_indextoname(scope_id, text + 1))
		snprintf(text + 1, IF_NAMESIZE, "%u", scope_id);
}

int tern_addr_format(const struct sockaddr_tern *addr, char *text, size_t size)
{
	char host[INET6_ADDRSTRLEN], port[8] = "", scope[IF_NAMESIZE + 1] = "";
	const char *open = "", *close = "";
	struct in6_addr in6;
	int len;

	memcpy(&in6, addr->st_addr, sizeof(in6));
	if (IN6_IS_ADDR_UNSPECIFIED(&in6) && !addr->st_port) {
		snprintf(host, sizeof(host), "any");
	} else if (IN6_IS_ADDR_V4MAPPED(&in6)) {
		inet_ntop(AF_INET, addr->st_addr + 12, host, sizeof(host));
	} else {
		inet_ntop(AF_INET6, &in6, host, sizeof(host));
		open = "[";
		close = "]";
		if (addr->st_scope_id)
			format_scope(addr->st_scope_id, scope);
	}
	if (addr->st_port)
		snprintf(port, sizeof(port), ":%u", ntohs(addr->st_port));

	len = snprintf(text, size, "%s%s%s%s%s/%u.%u", open, host, scope, close,
		       port, addr->st_service, addr->st_version);
	return (size_t)len < size ? len : -ENOSPC;
}
