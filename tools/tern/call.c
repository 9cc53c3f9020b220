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

/* Exit statuses beyond the common ones. */
enum {
	EXIT_NOT_EXECUTED = 3,
	EXIT_UNKNOWN = 4,
	EXIT_STATUS = 5,
};

struct request {
	struct sockaddr_tern to;
	uint32_t procedure;
	struct tern_call_opts opts;
	const char *text;	/* "-" when it is read from standard input */
};

static void read_args(struct request *request, struct args *args)
{
	const char *word, *destination = args_next(args);

	*request = (struct request){ .text = "" };
	remote_parse(destination, &request->to);
	request->procedure = remote_number("procedure",
					   args_value(args, destination,
						      "PROCEDURE"),
					   UINT32_MAX);
	for (bool first = true; (word = args_next(args)); first = false) {
		if (!strcmp(word, "timeout"))
			request->opts.timeout_ms = remote_timeout(args);
		else if (!strcmp(word, "idempotent"))
			request->opts.flags |= TERN_CALL_IDEMPOTENT;
		else if (!strcmp(word, "oneway"))
			request->opts.flags |= TERN_CALL_ONEWAY;
		else if (!strcmp(word, "request"))
			request->text = args_value(args, word, "TEXT");
		else if (first)
			request->text = word;
		else
			fail_usage("unknown word '%s' of 'call'", word);
	}
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

static int report(const struct tern_result *result)
{
	char text[TERN_RESULT_TEXT_SIZE];

	if (!tern_result_error(result))
		return EXIT_SUCCESS;
	fprintf(stderr, "tern: %s\n",
		tern_result_text(result, text, sizeof(text)));
	switch (result->outcome) {
	case TERN_NOT_EXECUTED:
		return EXIT_NOT_EXECUTED;
	case TERN_UNKNOWN:
		return EXIT_UNKNOWN;
	default:
		return EXIT_STATUS;
	}
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
	return report(&result);
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
