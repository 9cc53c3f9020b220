// SPDX-License-Identifier: GPL-2.0
/* Runs a command for each request of a service: tern serve. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <tern.h>

#include "command.h"
#include "remote.h"
#include "tool.h"

#define WORKERS_MAX	1024

struct serve {
	struct sockaddr_tern service;
	struct command command;
	struct tern_serve_opts opts;
	enum tern_orphans orphans;
	bool share;
	bool one_procedure;
	uint32_t procedure;
};

/* Written by the first signal and by the second, which is impatient. */
static int stop_fd, abort_fd;

static void on_signal(int signal)
{
	static atomic_bool stopping;

	(void)signal;
	tern_serve_stop(stopping ? abort_fd : stop_fd);
	stopping = true;
}

static uint32_t handle(struct tern_job *job, void *context)
{
	const struct serve *serve = context;

	if (serve->one_procedure && job->request.procedure != serve->procedure)
		return COMMAND_NO_PROCEDURE;
	return command_run(&serve->command, job);
}

static void parse_service(const char *text, struct sockaddr_tern *service)
{
	char whole[512];
	int length = snprintf(whole, sizeof(whole), "any/%s", text);

	if (length >= (int)sizeof(whole) || strchr(text, '/') ||
	    tern_addr_parse(whole, service))
		fail_usage("bad service '%s': it is not PROGRAM[.VERSION]",
			   text);
}

static enum tern_orphans parse_orphans(const char *text)
{
	for (int i = 0; orphan_policies[i]; i++)
		if (!strcmp(text, orphan_policies[i]))
			return (enum tern_orphans)i;
	fail_usage("'%s' is not a policy for orphans", text);
}

static void read_args(struct serve *serve, struct args *args)
{
	const char *word;

	*serve = (struct serve){ .opts.threads = 1 };
	parse_service(args_value(args, "serve", "SERVICE"), &serve->service);
	while ((word = args_next(args))) {
		if (!strcmp(word, "--exec")) {
			serve->command.line = args_value(args, word, "COMMAND");
		} else if (!strcmp(word, "workers")) {
			serve->opts.threads =
				remote_number("number of workers",
					      args_value(args, word, "N"),
					      1, WORKERS_MAX);
		} else if (!strcmp(word, "procedure")) {
			serve->procedure =
				remote_number("procedure",
					      args_value(args, word, "N"),
					      0, UINT32_MAX);
			serve->one_procedure = true;
		} else if (!strcmp(word, "orphans")) {
			serve->orphans = parse_orphans(args_value(args, word,
								  "POLICY"));
		} else if (!strcmp(word, "share")) {
			serve->share = true;
		} else {
			fail_usage("unknown word '%s' of 'serve'", word);
		}
	}
	if (!serve->command.line)
		fail_usage("'serve' needs --exec COMMAND");
}

/* Ends the program, since the service cannot be bound. */
static void fail_bind(const struct sockaddr_tern *service, int err)
{
	char why[64] = "";

	if (err == -EACCES && service->st_service < TERN_PROGRAM_USER)
		snprintf(why, sizeof(why),
			 ": programs below %d are the kernel's",
			 TERN_PROGRAM_USER);
	else if (err == -EACCES)
		snprintf(why, sizeof(why),
			 ": programs below %d need CAP_NET_BIND_SERVICE",
			 TERN_PROGRAM_UNPRIV);
	fail("cannot offer service %u.%u: %s%s", service->st_service,
	     service->st_version, strerror(-err), why);
}

/* So that no pipe of a command gets a standard number. */
static void open_standard_files(void)
{
	int fd;

	do {
		fd = open("/dev/null", O_RDWR);
		if (fd < 0)
			fail("cannot open /dev/null: %s", strerror(errno));
	} while (fd <= STDERR_FILENO);
	close(fd);
}

static void set_signals(void)
{
	struct sigaction action = { .sa_handler = on_signal };

	stop_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	abort_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (stop_fd < 0 || abort_fd < 0)
		fail("cannot create an eventfd: %s", strerror(errno));
	sigaction(SIGTERM, &action, NULL);
	sigaction(SIGINT, &action, NULL);
	signal(SIGPIPE, SIG_IGN);
}

int serve_run(struct args *args)
{
	struct serve serve;
	int fd, err;

	read_args(&serve, args);
	open_standard_files();
	set_signals();
	serve.command.abort_fd = abort_fd;
	serve.command.environment = command_environment();
	if (!serve.command.environment)
		fail("out of memory");
	fd = remote_socket();
	err = tern_set_orphans(fd, serve.orphans);
	if (err)
		fail("cannot set the policy for orphans: %s", strerror(-err));
	err = tern_bind(fd, serve.service.st_service, serve.service.st_version,
			serve.share);
	if (err)
		fail_bind(&serve.service, err);
	err = tern_serve(fd, stop_fd, handle, &serve, &serve.opts);
	if (err)
		fail("cannot serve: %s", strerror(-err));
	close(fd);
	free(serve.command.environment);
	return 0;
}
