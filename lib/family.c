// SPDX-License-Identifier: LGPL-2.1-or-later
/* The number of the socket family. */
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "tern.h"

int tern_family(void)
{
	char text[16];
	ssize_t len;
	int fd, family;

	fd = open("/sys/module/tern/parameters/family", O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return AF_TERN;
	len = read(fd, text, sizeof(text) - 1);
	close(fd);
	if (len <= 0)
		return AF_TERN;
	text[len] = '\0';
	family = atoi(text);
	return family > 0 ? family : AF_TERN;
}
