// SPDX-License-Identifier: LGPL-2.1-or-later
/* Addresses from text. */
#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <net/if.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "tern.h"

union host_addr {
	struct sockaddr		any;
	struct sockaddr_in	in;
	struct sockaddr_in6	in6;
};

static int parse_number(const char *text, uint32_t max, uint32_t *value)
{
	unsigned long long number;
	char *end;

	/* strtoull() would skip blanks, take a sign, and read "010" as octal. */
	if (!isdigit((unsigned char)text[0]))
		return -EINVAL;
	number = strtoull(text, &end, tolower((unsigned char)text[1]) == 'x' ? 16 : 10);
	if (*end)
		return -EINVAL;
	if (number > max)
		return -ERANGE;
	*value = number;
	return 0;
}

static int parse_program_name(const char *name, uint32_t *service)
{
	struct rpcent entry, *found;
	char buf[4096];
	int err;

	if (!*name)
		return -EINVAL;
	err = getrpcbyname_r(name, &entry, buf, sizeof(buf), &found);
	if (err && err != ENOENT)
		return -err;
	if (err || !found)
		return -ENOENT;
	*service = found->r_number;
	return 0;
}

static int parse_service(char *text, uint32_t *service, uint32_t *version)
{
	int number = isdigit((unsigned char)text[0]);
	char *dot = strrchr(text, '.');
	int err;

	/* A name may contain dots; its version starts with a digit. */
	if (dot && !number && !isdigit((unsigned char)dot[1]))
		dot = NULL;
	if (dot)
		*dot = '\0';

	if (number)
		err = parse_number(text, UINT32_MAX, service);
	else
		err = parse_program_name(text, service);
	if (err)
		return err;

	if (dot)
		return parse_number(dot + 1, UINT32_MAX, version);
	*version = *service == TERN_PROGRAM_NODE ? 0 : 1;
	return 0;
}

static int parse_ipv6(char *text, struct sockaddr_in6 *in6)
{
	char *scope = strchr(text, '%');
	uint32_t index = 0;

	if (scope)
		*scope++ = '\0';
	if (inet_pton(AF_INET6, text, &in6->sin6_addr) != 1)
		return -EINVAL;
	/* An interface belongs to a link-local address and to no other. */
	if (!scope != !IN6_IS_ADDR_LINKLOCAL(&in6->sin6_addr))
		return scope ? -EINVAL : -ENODEV;
	if (scope) {
		index = if_nametoindex(scope);
		if (!index && (parse_number(scope, INT32_MAX, &index) || !index))
			return -ENODEV;
	}
	in6->sin6_family = AF_INET6;
	in6->sin6_scope_id = index;
	return 0;
}

static int resolver_error(int error)
{
	switch (error) {
	case EAI_AGAIN:
		return -EAGAIN;
	case EAI_MEMORY:
		return -ENOMEM;
	case EAI_SYSTEM:
		return -errno;
	default:
		return -ENXIO;
	}
}

static int parse_ipv4_or_name(const char *text, union host_addr *host)
{
	struct addrinfo hints = { .ai_socktype = SOCK_DGRAM };
	struct addrinfo *list;
	struct in_addr lenient;
	int error;

	if (inet_pton(AF_INET, text, &host->in.sin_addr) == 1) {
		host->in.sin_family = AF_INET;
		return host->in.sin_addr.s_addr ? 0 : -EINVAL;
	}
	/* "10.1" is a mistake, though the resolver would take it. */
	if (inet_aton(text, &lenient) || !text[strspn(text, "0123456789.")])
		return -EINVAL;

	error = getaddrinfo(text, NULL, &hints, &list);
	if (error)
		return resolver_error(error);
	memcpy(host, list->ai_addr, list->ai_addrlen);
	freeaddrinfo(list);
	return 0;
}

/*
 * Splits off ":PORT" and the brackets.  Text with two colons and no brackets is
 * an IPv6 address without a port.  Returns AF_INET6 where it must be one.
 */
static int split_host(char **host, char **port)
{
	char *colon = strchr(*host, ':');
	char *end;

	*port = NULL;
	if (**host == '[') {
		end = strchr(++*host, ']');
		if (!end || (end[1] && end[1] != ':'))
			return -EINVAL;
		if (end[1])
			*port = end + 2;
		*end = '\0';
		return AF_INET6;
	}
	if (!colon)
		return AF_UNSPEC;
	if (strchr(colon + 1, ':'))
		return AF_INET6;
	*colon = '\0';
	*port = colon + 1;
	return AF_UNSPEC;
}

/* Leaves the family 0 for any host. */
static int parse_host(char *text, union host_addr *host)
{
	uint32_t number = 0;
	char *port;
	int family, err;

	family = split_host(&text, &port);
	if (family < 0)
		return family;
	if (!*text)
		return -EINVAL;
	if (port) {
		err = parse_number(port, UINT16_MAX, &number);
		if (err)
			return err;
		if (!number)
			return -EINVAL;
	}

	if (family == AF_UNSPEC && !strcmp(text, "any"))
		return port ? -EINVAL : 0;
	if (family == AF_INET6)
		err = parse_ipv6(text, &host->in6);
	else
		err = parse_ipv4_or_name(text, host);
	if (err)
		return err;

	if (host->any.sa_family == AF_INET) {
		host->in.sin_port = htons(number);
		return 0;
	}
	/* The unspecified address is another way to write "any". */
	if (port && IN6_IS_ADDR_UNSPECIFIED(&host->in6.sin6_addr))
		return -EINVAL;
	host->in6.sin6_port = htons(number);
	return 0;
}

int tern_addr_parse(const char *text, struct sockaddr_tern *addr)
{
	union host_addr host = { .in6 = { .sin6_family = AF_UNSPEC } };
	uint32_t service, version;
	char copy[NI_MAXHOST + 256];
	size_t size = strlen(text) + 1;
	char *slash;
	int err;

	if (size > sizeof(copy))
		return -EINVAL;
	memcpy(copy, text, size);
	slash = strchr(copy, '/');
	if (!slash || strchr(slash + 1, '/'))
		return -EINVAL;
	*slash = '\0';

	/* The service first: it is cheaper to look up than a host. */
	err = parse_service(slash + 1, &service, &version);
	if (err)
		return err;
	err = parse_host(copy, &host);
	if (err)
		return err;
	return tern_addr_set(addr, host.any.sa_family ? &host.any : NULL,
			     service, version);
}
