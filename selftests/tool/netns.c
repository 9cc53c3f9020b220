// SPDX-License-Identifier: GPL-2.0
/*
 * Test: none
 *
 * netns NAME COMMAND...: runs the command in this network namespace. Unlike "ip
 * netns exec" it makes no mount namespace, which takes longer than most commands.
 */
#include <err.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	char path[256];
	int fd;

	if (argc < 3)
		errx(2, "usage: netns NAME COMMAND...");
	snprintf(path, sizeof(path), "/run/netns/%s", argv[1]);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		err(1, "%s", path);
	if (setns(fd, CLONE_NEWNET))
		err(1, "setns");
	execvp(argv[2], argv + 2);
	err(127, "%s", argv[2]);
}
