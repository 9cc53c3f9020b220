// SPDX-License-Identifier: GPL-2.0
/* ternbench: what a call costs, by Tern and by its peers. */
#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../cli/cli.h"
#include "budget.h"
#include "measure.h"
#include "peer.h"
#include "place.h"
#include "plot.h"
#include "report.h"
#include "result.h"
#include "work.h"

static const char help[] =
"usage: ternbench [-j] COMMAND\n"
"\n"
"  list                             list the peers and the works\n"
"  run [quick] [budgets FILE] [peer NAME] [place same|net] [work NAME]\n"
"      [date TEXT]                  measure; NAME may be a pattern\n"
"  show FILE                        show the results of 'ternbench -j run'\n"
"  check BUDGETS FILE               compare them with the budgets\n"
"  report BUDGETS FILE              write them as Markdown\n"
"  plot FILE DIR [svg|png]          plot them\n"
"  help                             print this\n"
"\n"
"  -j, --json      print JSON\n"
"  -h, --help      print this\n"
"  -V, --version   print the version\n"
"\n"
"Measuring takes root, in a guest: see ternbench(8).\n";

/* ---- run ---- */

#define PATTERNS_MAX	32

/* Several patterns, one of which has to fit; none fits all. */
struct patterns {
	const char	*pattern[PATTERNS_MAX];
	unsigned int	count;
};

static void add_pattern(struct patterns *patterns, const char *pattern)
{
	if (patterns->count == PATTERNS_MAX)
		fail_usage("too many patterns");
	patterns->pattern[patterns->count++] = pattern;
}

static bool fits(const struct patterns *patterns, const char *name)
{
	for (unsigned int i = 0; i < patterns->count; i++)
		if (!fnmatch(patterns->pattern[i], name, 0))
			return true;
	return !patterns->count;
}

struct choice {
	bool		quick;
	const char	*date;
	struct budgets	budgets;
	struct patterns	peers;
	struct patterns	places;
	struct patterns	works;
};

static bool is_peer(const char *pattern)
{
	for (const struct peer *const *peer = peers; *peer; peer++)
		if (!fnmatch(pattern, (*peer)->name, 0))
			return true;
	return false;
}

static bool is_work(const char *pattern)
{
	for (size_t i = 0; i < work_count; i++)
		if (!fnmatch(pattern, works[i].name, 0))
			return true;
	return false;
}

static bool is_place(const char *pattern)
{
	for (enum place place = 0; place < PLACES; place++)
		if (!fnmatch(pattern, place_names[place], 0))
			return true;
	return false;
}

static const struct {
	const char *word;
	bool (*known)(const char *pattern);
	size_t patterns;
} choices[] = {
	{ "peer", is_peer, offsetof(struct choice, peers) },
	{ "place", is_place, offsetof(struct choice, places) },
	{ "work", is_work, offsetof(struct choice, works) },
};

static void read_pattern(struct choice *choice, const char *word,
			 struct args *args)
{
	const char *pattern;
	size_t i;

	for (i = 0; i < COUNT(choices); i++)
		if (!strcmp(word, choices[i].word))
			break;
	if (i == COUNT(choices))
		fail_usage("unknown word '%s' of 'run'", word);
	pattern = args_need(args, word);
	if (!choices[i].known(pattern))
		fail_usage("no %s '%s', see 'ternbench list'", word, pattern);
	add_pattern((void *)((char *)choice + choices[i].patterns), pattern);
}

static void read_choice(struct choice *choice, struct args *args)
{
	const char *word;

	*choice = (struct choice){ 0 };
	while ((word = args_next(args))) {
		if (!strcmp(word, "quick"))
			choice->quick = true;
		else if (!strcmp(word, "budgets"))
			budgets_read(&choice->budgets, args_need(args, "FILE"));
		else if (!strcmp(word, "date"))
			choice->date = args_need(args, "TEXT");
		else
			read_pattern(choice, word, args);
	}
}

/* It may take long. */
static void print_progress(const struct cell *cell, const struct result *result)
{
	fprintf(stderr, "%s/%s/%s: ", cell->peer->name, place_names[cell->place],
		cell->work->name);
	if (*result->why)
		fprintf(stderr, "%s%s\n", result->failed ? "FAILED: " : "",
			result->why);
	else
		fprintf(stderr, "%.0f\n", result->cost);
}

static void run_work(struct run *run, const struct choice *choice,
		     enum place place, const struct work *work)
{
	struct result result;

	for (const struct peer *const *peer = peers; *peer; peer++) {
		struct cell cell = { *peer, work, place };

		if (!fits(&choice->peers, (*peer)->name) ||
		    (choice->budgets.count &&
		     !budgets_need(&choice->budgets, &cell)))
			continue;
		measure(&cell, &result);
		run_add(run, &cell, &result);
		print_progress(&cell, &result);
	}
}

static bool any_failed(const struct run *run)
{
	for (size_t i = 0; i < run->count; i++)
		if (run->entries[i].result.failed)
			return true;
	return false;
}

static int command_run(struct args *args)
{
	struct choice choice;
	struct run run;
	bool failed;

	read_choice(&choice, args);
	if (geteuid())
		fail("to measure, be root in a guest: make vm ICOUNT=1");
	run_begin(&run);
	if (choice.date)
		snprintf(run.date, sizeof(run.date), "%s", choice.date);
	measure_set_up();
	place_set_up();
	for (enum place place = 0; place < PLACES; place++)
		for (size_t i = 0; i < work_count; i++)
			if (fits(&choice.places, place_names[place]) &&
			    fits(&choice.works, works[i].name) &&
			    (works[i].quick || !choice.quick))
				run_work(&run, &choice, place, &works[i]);
	if (cli_json)
		run_write_json(&run);
	else
		run_print(&run);
	failed = any_failed(&run);
	run_free(&run);
	budgets_free(&choice.budgets);
	return failed;
}

static int command_show(struct args *args)
{
	const char *path = args_need(args, "FILE");
	struct run run;

	args_end(args);
	run_read_json(&run, path);
	if (cli_json)
		run_write_json(&run);
	else
		run_print(&run);
	run_free(&run);
	return 0;
}

static int command_check(struct args *args)
{
	const char *path = args_need(args, "BUDGETS");
	const char *results = args_need(args, "FILE");
	struct budgets budgets;
	struct run run;
	bool kept;

	args_end(args);
	budgets_read(&budgets, path);
	run_read_json(&run, results);
	if (!run.instructions)
		fail("%s: not measured under the instruction clock", results);
	kept = budgets_check(&budgets, &run);
	run_free(&run);
	budgets_free(&budgets);
	return !kept;
}

static int command_report(struct args *args)
{
	const char *path = args_need(args, "BUDGETS");
	const char *results = args_need(args, "FILE");
	struct budgets budgets;
	struct run run;

	args_end(args);
	budgets_read(&budgets, path);
	run_read_json(&run, results);
	report_print(&run, &budgets);
	run_free(&run);
	budgets_free(&budgets);
	return 0;
}

static int command_plot(struct args *args)
{
	const char *results = args_need(args, "FILE");
	const char *dir = args_need(args, "DIR");
	const char *format = args_next(args);
	struct run run;

	args_end(args);
	if (!format)
		format = "svg";
	if (strcmp(format, "svg") && strcmp(format, "png"))
		fail_usage("no format '%s': svg or png", format);
	run_read_json(&run, results);
	plot_all(&run, dir, format);
	run_free(&run);
	return 0;
}

static int command_list(struct args *args)
{
	args_end(args);
	puts("peers:");
	for (const struct peer *const *peer = peers; *peer; peer++)
		printf("  %-16s %s\n", (*peer)->name, (*peer)->title);
	puts("works:");
	for (size_t i = 0; i < work_count; i++)
		printf("  %-16s %s%s\n", works[i].name, works[i].title,
		       works[i].quick ? " (quick)" : "");
	return 0;
}

static const struct cli_command commands[] = {
	{ "list", command_list },
	{ "run", command_run },
	{ "show", command_show },
	{ "check", command_check },
	{ "report", command_report },
	{ "plot", command_plot },
	{ }
};

int main(int argc, char **argv)
{
	return cli_main(argc, argv, help, commands);
}
