// SPDX-License-Identifier: GPL-2.0
/* Runs a shell command for a call. */
#include "command.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "event.h"

/* Exit status that a shell reports for a command killed by signal 0. */
#define SHELL_SIGNALLED	128

static const char *const variables[] = {
	"TERN_PROCEDURE", "TERN_PEER", "TERN_TIME_LEFT_MS",
};

#define VARIABLES	(sizeof(variables) / sizeof(*variables))

/* A command that runs. */
struct run {
	pid_t pid;
	int pid_fd;
	int to_fd;	/* its standard input; -1 once all is written */
	int from_fd;	/* its standard output */
	size_t written;
	struct event_wait unwanted;
	bool told;		/* it was asked to end */
	uint64_t kill_ms;	/* when to kill it */
};

static uint64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static bool is_own_variable(const char *entry)
{
	for (size_t i = 0; i < VARIABLES; i++) {
		size_t length = strlen(variables[i]);

		if (!strncmp(entry, variables[i], length) &&
		    entry[length] == '=')
			return true;
	}
	return false;
}

char **command_environment(void)
{
	size_t count = 0, kept = 0;
	char **copy;

	while (environ[count])
		count++;
	copy = calloc(count + 1, sizeof(*copy));
	if (!copy)
		return NULL;
	for (size_t i = 0; i < count; i++)
		if (!is_own_variable(environ[i]))
			copy[kept++] = environ[i];
	return copy;
}

static void set_peer(const struct sockaddr_tern *source, char *text,
		     size_t size)
{
	int length = snprintf(text, size, "%s=", variables[1]);

	if (tern_addr_format(source, text + length, size - (size_t)length) > 0)
		*strrchr(text, '/') = '\0';
}

static int spawn(const struct command *command, const struct tern_job *job,
		 const posix_spawn_file_actions_t *files,
		 const posix_spawnattr_t *attributes, pid_t *pid)
{
	/* posix_spawn() does not write to it. */
	char *const argv[] = { (char *)"sh", (char *)"-c",
			       (char *)command->line, NULL };
	char procedure[64], peer[64 + TERN_ADDR_TEXT_SIZE], left[64];
	char **environment;
	size_t count = 0;
	int err;

	while (command->environment[count])
		count++;
	environment = calloc(count + VARIABLES + 1, sizeof(*environment));
	if (!environment)
		return -ENOMEM;
	memcpy(environment, command->environment,
	       count * sizeof(*environment));
	snprintf(procedure, sizeof(procedure), "%s=%u", variables[0],
		 job->request.procedure);
	set_peer(&job->request.source, peer, sizeof(peer));
	snprintf(left, sizeof(left), "%s=%u", variables[2],
		 job->request.time_left_ms);
	environment[count++] = procedure;
	environment[count++] = peer;
	environment[count] = left;
	err = posix_spawn(pid, "/bin/sh", files, attributes, argv,
			  environment);
	free(environment);
	return -err;
}

/* The command gets the signals as this program got them from its parent. */
static void set_attributes(posix_spawnattr_t *attributes)
{
	sigset_t signals;

	posix_spawnattr_init(attributes);
	sigemptyset(&signals);
	posix_spawnattr_setsigmask(attributes, &signals);
	sigaddset(&signals, SIGINT);
	sigaddset(&signals, SIGTERM);
	sigaddset(&signals, SIGPIPE);
	posix_spawnattr_setsigdefault(attributes, &signals);
	posix_spawnattr_setpgroup(attributes, 0);
	posix_spawnattr_setflags(attributes, POSIX_SPAWN_SETSIGMASK |
				 POSIX_SPAWN_SETSIGDEF |
				 POSIX_SPAWN_SETPGROUP);
}

static bool start_with_pipes(const struct command *command,
			     const struct tern_job *job, struct run *run,
			     const int in[2], const int out[2])
{
	posix_spawn_file_actions_t files;
	posix_spawnattr_t attributes;
	int err;

	posix_spawn_file_actions_init(&files);
	posix_spawn_file_actions_adddup2(&files, in[0], STDIN_FILENO);
	posix_spawn_file_actions_adddup2(&files, out[1], STDOUT_FILENO);
	set_attributes(&attributes);
	err = spawn(command, job, &files, &attributes, &run->pid);
	posix_spawnattr_destroy(&attributes);
	posix_spawn_file_actions_destroy(&files);
	if (err)
		return false;
	run->pid_fd = pidfd_open(run->pid, 0);
	if (run->pid_fd < 0) {
		kill(-run->pid, SIGKILL);
		waitpid(run->pid, NULL, 0);
		return false;
	}
	return true;
}

/* Nobody is told when the time of a one-way call is over. */
static uint64_t kill_time(const struct tern_request *request)
{
	if (request->flags & TERN_CALL_ONEWAY)
		return now_ms() + request->time_left_ms;
	return UINT64_MAX;
}

/* Fills in @run, but for what is about events. */
static bool start(const struct command *command, const struct tern_job *job,
		  struct run *run)
{
	int in[2], out[2];
	bool started;

	if (pipe2(in, O_CLOEXEC))
		return false;
	if (pipe2(out, O_CLOEXEC)) {
		close(in[0]);
		close(in[1]);
		return false;
	}
	fcntl(in[1], F_SETFL, O_NONBLOCK);
	fcntl(out[0], F_SETFL, O_NONBLOCK);
	run->to_fd = in[1];
	run->from_fd = out[0];
	run->kill_ms = kill_time(&job->request);
	started = start_with_pipes(command, job, run, in, out);
	close(in[0]);
	close(out[1]);
	if (!started) {
		close(in[1]);
		close(out[0]);
	}
	return started;
}

/* Hands over more of the request; a command need not read it. */
static void feed(struct run *run, const struct tern_job *job)
{
	ssize_t put = write(run->to_fd, (char *)job->data + run->written,
			    job->request.len - run->written);

	if (put < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (put > 0)
		run->written += (size_t)put;
	if (put < 0 || run->written == job->request.len) {
		close(run->to_fd);
		run->to_fd = -1;
	}
}

/* Takes what there is of the reply; false when it becomes too long. */
static bool take(struct run *run, struct tern_job *job)
{
	char beyond;

	for (;;) {
		size_t room = job->reply_size - job->reply_len;
		ssize_t got;

		if (room)
			got = read(run->from_fd,
				   (char *)job->reply + job->reply_len, room);
		else
			got = read(run->from_fd, &beyond, 1);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return true;
		if (!got) {
			close(run->from_fd);
			run->from_fd = -1;
			return true;
		}
		if (!room)
			return false;
		job->reply_len += (size_t)got;
	}
}

/* Nobody wants the reply any more: asks the command to end, and soon kills it. */
static void withdraw(struct run *run)
{
	run->told = true;
	run->kill_ms = now_ms() + event_time_left(&run->unwanted);
	kill(-run->pid, SIGTERM);
}

/* For poll(): the time until the command is killed. */
static int time_left(const struct run *run)
{
	uint64_t now = now_ms();

	if (run->kill_ms == UINT64_MAX)
		return -1;
	return now < run->kill_ms ? (int)(run->kill_ms - now) : 0;
}

/* Serves the pipes until the command exits; 0, or the status that ends it. */
static uint32_t attend(const struct command *command, struct run *run,
		       struct tern_job *job)
{
	for (;;) {
		struct pollfd fds[] = {
			{ .fd = run->pid_fd, .events = POLLIN },
			{ .fd = command->abort_fd, .events = POLLIN },
			{ .fd = run->to_fd, .events = POLLOUT },
			{ .fd = run->from_fd, .events = POLLIN },
			{ .fd = job->fd, .events = POLLPRI },
			{ .fd = run->unwanted.fd, .events = POLLIN },
		};
		int left = time_left(run);

		if (!left)
			return COMMAND_KILLED;
		if (poll(fds, 6, left) < 0)
			continue;
		if (fds[4].revents & POLLPRI)
			event_pass_on(job->fd);
		if (fds[5].revents)
			withdraw(run);
		if (fds[1].revents)
			return COMMAND_KILLED;
		if (fds[2].revents)
			feed(run, job);
		/* Also what was written just before the exit. */
		if (run->from_fd >= 0 && (fds[3].revents || fds[0].revents) &&
		    !take(run, job))
			return COMMAND_REPLY_TOO_LONG;
		if (fds[0].revents)
			return 0;
	}
}

uint32_t command_run(const struct command *command, struct tern_job *job)
{
	struct run run = { .told = false };
	uint32_t status;
	int result;

	if (event_wait_begin(&run.unwanted, job))
		return COMMAND_NOT_STARTED;
	if (!start(command, job, &run)) {
		event_wait_end(&run.unwanted);
		return COMMAND_NOT_STARTED;
	}
	status = attend(command, &run, job);
	/* Not reaped yet, so the number still names this group and no other. */
	if (status)
		kill(-run.pid, SIGKILL);
	while (waitpid(run.pid, &result, 0) < 0 && errno == EINTR)
		;
	event_wait_end(&run.unwanted);
	close(run.pid_fd);
	if (run.to_fd >= 0)
		close(run.to_fd);
	if (run.from_fd >= 0)
		close(run.from_fd);
	if (run.told && WIFSIGNALED(result))
		status = COMMAND_KILLED;
	if (status) {
		job->reply_len = 0;
		return status;
	}
	if (WIFSIGNALED(result))
		return SHELL_SIGNALLED + (uint32_t)WTERMSIG(result);
	return (uint32_t)WEXITSTATUS(result);
}
