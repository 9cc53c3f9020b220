// SPDX-License-Identifier: GPL-2.0
/* What the commands that call or serve share. */
#include "remote.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "text.h"
#include "tool.h"

/* Exit statuses beyond the common ones. */
enum {
	EXIT_NOT_EXECUTED = 3,
	EXIT_UNKNOWN = 4,
	EXIT_STATUS = 5,
};

static const char *parse_error(const char *text, int err)
{
	switch (err) {
	case -EINVAL:
		return "it is not of the form HOST[:PORT]/PROGRAM[.VERSION]";
	case -ERANGE:
		return "a number is too large";
	case -ENODEV:
		return strchr(text, '%') ? "there is no such interface" :
			"a link-local address needs %INTERFACE";
	case -ENXIO:
		return "there is no such host";
	case -EAGAIN:
		return "the host's name cannot be resolved now";
	case -ENOENT:
		return "there is no such program in rpc(5)";
	default:
		return strerror(-err);
	}
}

void remote_parse(const char *text, struct sockaddr_tern *to)
{
	int err = tern_addr_parse(text, to);

	if (err == -EINVAL || err == -ERANGE ||
	    (err == -ENODEV && !strchr(text, '%')))
		fail_usage("bad address '%s': %s", text, parse_error(text, err));
	if (err)
		fail("bad address '%s': %s", text, parse_error(text, err));
}

void remote_parse_node(const char *text, struct sockaddr_tern *to)
{
	char whole[512];
	int length;

	if (strchr(text, '/')) {
		remote_parse(text, to);
		return;
	}
	length = snprintf(whole, sizeof(whole), "%s/%u.0", text,
			  TERN_PROGRAM_NODE);
	if (length >= (int)sizeof(whole))
		fail_usage("bad address '%s': it is too long", text);
	remote_parse(whole, to);
}

uint32_t remote_time(struct args *args, const char *word)
{
	const char *value = args_value(args, word, "TIME");
	char max[TEXT_MAX];
	uint32_t ms;

	text_from_ms(TERN_TIMEOUT_MAX, max);
	if (!text_time(value, &ms) || !ms || ms > TERN_TIMEOUT_MAX)
		fail_usage("'%s' is not a valid time of '%s', from 1ms to %s",
			   value, word, max);
	return ms;
}

uint32_t remote_number(const char *what, const char *text, uint32_t min,
		       uint32_t max)
{
	uint64_t number;

	if (!text_number(text, max, &number) || number < min)
		fail_usage("'%s' is not a valid %s, from %u to %u", text, what,
			   min, max);
	return (uint32_t)number;
}

int remote_socket(void)
{
	int fd = tern_socket(0);

	if (fd == -EAFNOSUPPORT)
		fail("the kernel does not know Tern; is the module tern loaded?");
	if (fd < 0)
		fail("cannot open a socket: %s", strerror(-fd));
	return fd;
}

const char *remote_text(const struct tern_result *result,
			const struct sockaddr_tern *to,
			char text[REMOTE_TEXT_SIZE])
{
	size_t length;

	tern_result_text(result, text, TERN_RESULT_TEXT_SIZE);
	length = strlen(text);
	if (result->cause != EINVAL)
		return text;
	if (to->st_service < TERN_PROGRAM_USER &&
	    (to->st_service != TERN_PROGRAM_NODE || to->st_version))
		snprintf(text + length, REMOTE_TEXT_SIZE - length,
			 ": programs below %d are the kernel's, which has only 0.0",
			 TERN_PROGRAM_USER);
	else
		snprintf(text + length, REMOTE_TEXT_SIZE - length,
			 ": not the address of one host");
	return text;
}

int remote_report(const struct tern_result *result,
		  const struct sockaddr_tern *to)
{
	char text[REMOTE_TEXT_SIZE];

	if (!tern_result_error(result))
		return EXIT_SUCCESS;
	remote_text(result, to, text);
	/* There can be no such call. */
	if (result->cause == EINVAL)
		fail_usage("%s", text);
	fprintf(stderr, "tern: %s\n", text);
	switch (result->outcome) {
	case TERN_NOT_EXECUTED:
		return EXIT_NOT_EXECUTED;
	case TERN_UNKNOWN:
		return EXIT_UNKNOWN;
	default:
		return EXIT_STATUS;
	}
}
