// SPDX-License-Identifier: GPL-2.0
/* Options, commands and their words; errors of the command line. */
#include "cli.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool cli_json;

static const struct option options[] = {
	{ "json", no_argument, NULL, 'j' },
	{ "help", no_argument, NULL, 'h' },
	{ "version", no_argument, NULL, 'V' },
	{ NULL, 0, NULL, 0 }
};

void cli_print_error(const char *format, va_list ap)
{
	fflush(stdout);
	fprintf(stderr, "%s: ", program_invocation_short_name);
	vfprintf(stderr, format, ap);
	putc('\n', stderr);
}

void fail_usage(const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	cli_print_error(format, ap);
	va_end(ap);
	exit(EXIT_USAGE);
}

void finish_output(void)
{
	if (!fflush(stdout) && !ferror(stdout))
		return;
	fprintf(stderr, "%s: cannot write to standard output: %s\n",
		program_invocation_short_name, strerror(errno));
	exit(EXIT_FAILURE);
}

const char *args_peek(const struct args *args)
{
	return *args->next;
}

const char *args_next(struct args *args)
{
	return *args->next ? *args->next++ : NULL;
}

const char *args_need(struct args *args, const char *what)
{
	const char *word = args_next(args);

	if (!word)
		fail_usage("%s is missing, see '%s help'", what,
			   program_invocation_short_name);
	return word;
}

const char *args_value(struct args *args, const char *word, const char *what)
{
	const char *value = args_next(args);

	if (!value)
		fail_usage("%s must follow '%s'", what, word);
	return value;
}

void args_end(struct args *args)
{
	const char *word = args_next(args);

	if (word)
		fail_usage("unexpected word '%s'", word);
}

static int print(const char *text)
{
	fputs(text, stdout);
	finish_output();
	return 0;
}

static int run_command(struct args *args, const char *help,
		       const struct cli_command *command)
{
	const char *word = args_need(args, "a command");
	int status;

	if (!strcmp(word, "help")) {
		args_end(args);
		return print(help);
	}
	for (; command->word; command++) {
		if (strcmp(word, command->word))
			continue;
		status = command->run(args);
		finish_output();
		return status;
	}
	fail_usage("unknown command '%s', see '%s help'", word,
		   program_invocation_short_name);
}

int cli_main(int argc, char **argv, const char *help,
	     const struct cli_command *commands)
{
	struct args args;
	const char *word;
	int option;

	opterr = 0;
	for (;;) {
		/* getopt_long() may go on to the next word, or not yet. */
		word = argv[optind];
		option = getopt_long(argc, argv, "+jhV", options, NULL);
		if (option == -1)
			break;
		switch (option) {
		case 'j':
			cli_json = true;
			break;
		case 'h':
			return print(help);
		case 'V':
			printf("%s " TERN_VERSION "\n",
			       program_invocation_short_name);
			finish_output();
			return 0;
		default:
			fail_usage("unknown option '%s'", word);
		}
	}
	args.next = argv + optind;
	return run_command(&args, help, commands);
}
