// SPDX-License-Identifier: GPL-2.0
/* Errors and the words of the command line. */
#include "tool.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool tool_json;

static void print_error(const char *format, va_list ap)
{
	fflush(stdout);
	fputs("tern: ", stderr);
	vfprintf(stderr, format, ap);
	putc('\n', stderr);
}

void fail(const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	print_error(format, ap);
	va_end(ap);
	exit(EXIT_FAILURE);
}

void fail_usage(const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	print_error(format, ap);
	va_end(ap);
	exit(EXIT_USAGE);
}

void finish_output(void)
{
	if (fflush(stdout) || ferror(stdout))
		fail("cannot write to standard output: %s", strerror(errno));
}

const char *args_peek(const struct args *args)
{
	return *args->next;
}

const char *args_next(struct args *args)
{
	return *args->next ? *args->next++ : NULL;
}

const char *args_value(struct args *args, const char *word, const char *what)
{
	const char *value = args_next(args);

	if (!value)
		fail_usage("%s must follow '%s'", what, word);
	return value;
}

void args_verb(struct args *args, const char *object)
{
	const char *verb = args_value(args, object, "'show'");

	if (strcmp(verb, "show"))
		fail_usage("unknown verb '%s' of '%s'", verb, object);
}

void args_show(struct args *args, const char *object)
{
	args_verb(args, object);
	args_end(args);
}

void args_end(struct args *args)
{
	const char *word = args_next(args);

	if (word)
		fail_usage("unexpected word '%s'", word);
}
