// SPDX-License-Identifier: GPL-2.0
/* Makes one call from the command line: tern call. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <tern.h>

#include "remote.h"
#include "tool.h"

struct request {
	struct sockaddr_tern to;
	uint32_t procedure;
	struct tern_call_opts opts;
	const char *text;	/* "-" when it is read from standard input */
};

static void check_flags(uint32_t flags)
{
	if (flags & TERN_CALL_MAYBE && flags & TERN_CALL_IDEMPOTENT)
		fail_usage("'maybe' does not go with 'idempotent'");
	if (flags & TERN_CALL_QUIET && !(flags & TERN_CALL_ONEWAY))
		fail_usage("'quiet' needs 'oneway'");
}

static void read_args(struct request *request, struct args *args)
{
	const char *word, *destination = args_next(args);

	*request = (struct request){ .text = "" };
	remote_parse(destination, &request->to);
	request->procedure = remote_number("procedure",
					   args_value(args, destination,
						      "PROCEDURE"),
					   0, UINT32_MAX);
	for (bool first = true; (word = args_next(args)); first = false) {
		if (!strcmp(word, "timeout"))
			request->opts.timeout_ms = remote_time(args, word);
		else if (!strcmp(word, "extend"))
			request->opts.extend_ms = remote_time(args, word);
		else if (!strcmp(word, "idempotent"))
			request->opts.flags |= TERN_CALL_IDEMPOTENT;
		else if (!strcmp(word, "maybe"))
			request->opts.flags |= TERN_CALL_MAYBE;
		else if (!strcmp(word, "oneway"))
			request->opts.flags |= TERN_CALL_ONEWAY;
		else if (!strcmp(word, "quiet"))
			request->opts.flags |= TERN_CALL_QUIET;
		else if (!strcmp(word, "request"))
			request->text = args_value(args, word, "TEXT");
		else if (first)
			request->text = word;
		else
			fail_usage("unknown word '%s' of 'call'", word);
	}
	check_flags(request->opts.flags);
}

/*
 * The request; one that is too long is cut off just beyond the limit, and it
 * is left to the kernel to refuse it.
 */
static const char *read_request(const char *text, size_t *length)
{
	static char buffer[TERN_MESSAGE_MAX + 1];
	ssize_t got;

	*length = strlen(text);
	if (strcmp(text, "-"))
		return text;
	*length = 0;
	while (*length < sizeof(buffer)) {
		got = read(STDIN_FILENO, buffer + *length,
			   sizeof(buffer) - *length);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			fail("cannot read the request: %s", strerror(errno));
		if (!got)
			break;
		*length += (size_t)got;
	}
	return buffer;
}

static int make_call(struct request *request)
{
	static char reply[TERN_MESSAGE_MAX];
	struct tern_result result;
	const char *data;
	size_t length;
	int fd;

	data = read_request(request->text, &length);
	fd = remote_socket();
	if (request->opts.flags & TERN_CALL_ONEWAY) {
		request->opts.flags &= ~(uint32_t)TERN_CALL_ONEWAY;
		tern_cast(fd, &request->to, request->procedure, data, length,
			  &request->opts, &result);
	} else {
		tern_call(fd, &request->to, request->procedure, data, length,
			  reply, sizeof(reply), &request->opts, &result);
	}
	close(fd);
	if (result.outcome == TERN_REPLIED) {
		fwrite(reply, 1, result.reply_len, stdout);
		finish_output();
	}
	return remote_report(&result, &request->to);
}

int call_run(struct args *args)
{
	const char *word = args_peek(args);
	struct request request;

	if (!word)
		fail_usage("HOST/SERVICE or 'show' must follow 'call'");
	if (!strcmp(word, "show")) {
		args_next(args);
		return call_show(args);
	}
	read_args(&request, args);
	return make_call(&request);
}
