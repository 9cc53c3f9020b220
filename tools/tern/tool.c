// SPDX-License-Identifier: GPL-2.0
/* Errors, and the words that objects have in common. */
#include "tool.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

void fail(const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	cli_print_error(format, ap);
	va_end(ap);
	exit(EXIT_FAILURE);
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
