/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Runs a shell command for a call: the request is its standard input, its
 * standard output the reply.
 */
#ifndef TERN_COMMAND_H
#define TERN_COMMAND_H

#include <stdint.h>

#include <tern.h>

/* Statuses beyond those of commands, which are below 256. */
enum {
	COMMAND_NOT_STARTED = 256,
	COMMAND_NO_PROCEDURE = 257,
	COMMAND_REPLY_TOO_LONG = 258,
	COMMAND_KILLED = 259,
};

struct command {
	const char *line;	/* for sh -c */
	char **environment;	/* what every run gets; ended by NULL */
	int abort_fd;		/* readable: running commands are killed */
};

/* The environment of this process without the variables that a run sets. */
char **command_environment(void);

/*
 * Runs the command with what it started in a process group of their own.  It
 * gets SIGTERM when the request is not wanted any more, and SIGKILL when the
 * request is given up, or at the deadline of a one-way call.  Returns the status
 * of the reply.  May run in several threads at once.
 */
uint32_t command_run(const struct command *command, struct tern_job *job);

#endif
