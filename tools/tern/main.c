// SPDX-License-Identifier: GPL-2.0
/* tern: controls the node of this network namespace and makes calls. */
#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "tool.h"

static const char help[] =
"usage: tern [-j] COMMAND\n"
"\n"
"  up [SETTING VALUE]...            bring the node up, change settings:\n"
"      port N, address ADDRESS|any, allow PREFIX|none, timeout TIME,\n"
"      lease TIME, grace TIME, slots N, peers N, cache-peer SIZE, cache-net SIZE,\n"
"      queue-peer SIZE, queue-net SIZE\n"
"  down                             bring the node down\n"
"  show                             show the node and its settings\n"
"  peer show                        list the nodes that this one knows\n"
"  peer exterminate HOST[:PORT]     end what it executes for this one's past\n"
"  service show                     list the services bound here\n"
"  call show                        list the outstanding calls\n"
"  stat show [all] [NAME]...        show counters\n"
"  ping HOST[/SERVICE] [count N] [interval TIME] [timeout TIME]\n"
"  call HOST/SERVICE PROCEDURE [[request] TEXT|-] [timeout TIME]\n"
"      [extend TIME] [idempotent] [maybe] [oneway] [quiet]\n"
"                                   call it, print the reply\n"
"  serve SERVICE --exec COMMAND [workers N] [procedure N] [share]\n"
"      [orphans expire|reincarnate|gentle|exterminate]\n"
"                                   run COMMAND for each request\n"
"  help                             print this\n"
"\n"
"  -j, --json      print JSON\n"
"  -h, --help      print this\n"
"  -V, --version   print the version\n"
"\n"
"TIME is in ms, or with a unit: ms, s, min, h.  SIZE is in bytes, or with a\n"
"unit: K, M, G.  SERVICE is PROGRAM[.VERSION].  See tern(8).\n";

static int print_help(struct args *args)
{
	args_end(args);
	fputs(help, stdout);
	finish_output();
	return 0;
}

static int print_version(void)
{
	puts("tern " TERN_VERSION);
	finish_output();
	return 0;
}

static const struct {
	const char *word;
	int (*run)(struct args *args);
} commands[] = {
	{ "up", node_up },
	{ "down", node_down },
	{ "show", node_show },
	{ "peer", peer_run },
	{ "service", service_run },
	{ "call", call_run },
	{ "stat", stat_run },
	{ "ping", ping_run },
	{ "serve", serve_run },
	{ "help", print_help },
};

static const struct option options[] = {
	{ "json", no_argument, NULL, 'j' },
	{ "help", no_argument, NULL, 'h' },
	{ "version", no_argument, NULL, 'V' },
	{ NULL, 0, NULL, 0 }
};

int main(int argc, char **argv)
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
			tool_json = true;
			break;
		case 'h':
			args.next = argv + argc;
			return print_help(&args);
		case 'V':
			return print_version();
		default:
			fail_usage("unknown option '%s'", word);
		}
	}
	args.next = argv + optind;
	word = args_next(&args);
	if (!word)
		fail_usage("a command is missing, see 'tern help'");
	for (size_t i = 0; i < sizeof(commands) / sizeof(*commands); i++)
		if (!strcmp(word, commands[i].word))
			return commands[i].run(&args);
	fail_usage("unknown command '%s', see 'tern help'", word);
}
