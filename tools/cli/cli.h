/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The command line that the tools have in common: options, a command, and its
 * words.
 */
#ifndef TERN_CLI_H
#define TERN_CLI_H

#include <stdarg.h>
#include <stdbool.h>
#include <stdnoreturn.h>

#define EXIT_USAGE	2

/* The words that are left, ended by NULL. */
struct args {
	char **next;
};

/* The last of them has no word. */
struct cli_command {
	const char	*word;
	int		(*run)(struct args *args);	/* returns an exit status */
};

/* Output is JSON (option -j). */
extern bool cli_json;

/*
 * Reads the options, runs the command, and returns its exit status; "help" and
 * the options -h and -V are done here.
 */
int cli_main(int argc, char **argv, const char *help,
	     const struct cli_command *commands);

/* One line on standard error, after the name of the tool. */
void cli_print_error(const char *format, va_list ap);
/* The same, then exit with status EXIT_USAGE. */
noreturn void fail_usage(const char *format, ...)
	__attribute__((format(printf, 1, 2)));
/* Flushes standard output; a reader that has gone or a full disk is an error. */
void finish_output(void);

/* The next word, or NULL at the end. */
const char *args_next(struct args *args);
/* The next word without taking it, or NULL at the end. */
const char *args_peek(const struct args *args);
/* The next word; @what names it for who left it out. */
const char *args_need(struct args *args, const char *what);
/* The word that must follow @word; @what names it for who left it out. */
const char *args_value(struct args *args, const char *word, const char *what);
/* Refuses words that are left. */
void args_end(struct args *args);

#endif
