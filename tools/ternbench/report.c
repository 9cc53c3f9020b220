// SPDX-License-Identifier: GPL-2.0
/* The results as a document in Markdown. */
#include <fnmatch.h>
#include <stdio.h>

#include "peer.h"
#include "place.h"
#include "plot.h"
#include "report.h"
#include "work.h"

/* The peer whose cost is 1 in the tables. */
static const char *const unit_peers[PLACES] = { "pipe", "udp" };

static const char *const place_titles[PLACES] = {
	"one host", "two namespaces",
};

/*
 * Works that are shown in one table, by a pattern of their names; with what they
 * cost, or where waiting is what matters, how long they take.
 */
static const struct table {
	const char	*title;
	const char	*works;
	bool		latency;
} tables[] = {
	{ "Small calls, one at a time", "call", true },
	{ "Small calls, several outstanding", "depth-*", false },
	{ "Several workers, and as many clients", "workers-*", false },
	{ "Requests of up to 16 KiB", "size-@(256|1k|4k|16k)", false },
	{ "Larger requests", "size-@(64k|256k|1m|4m|16m)", false },
	{ "Requests of mixed sizes", "w[1-5]", false },
	{ "Small calls beside large ones", "@(call|beside-*)", true },
	{ "Small calls, when packets are lost", "@(call|loss-*)", true },
};

static bool is_in(const struct table *table, const struct work *work)
{
	return !fnmatch(table->works, work->name, FNM_EXTMATCH);
}

/* Something of the table was measured in that place. */
static bool has_results(const struct table *table, const struct run *run,
			enum place place)
{
	for (size_t i = 0; i < run->count; i++)
		if (run->entries[i].cell.place == place &&
		    !*run->entries[i].result.why &&
		    is_in(table, run->entries[i].cell.work))
			return true;
	return false;
}

static void print_costs(const struct run *run, enum place place,
			const char *peer, const char *work)
{
	const struct result *result = run_look(run, peer, place, work);
	const struct result *unit = run_find(run, unit_peers[place], place, work);

	if (!result)
		printf(" |");
	else if (*result->why)
		printf(" *%s* |", result->why);
	else if (unit)
		printf(" %.0f (%.2f) |", result->cost,
		       result->cost / unit->cost);
	else
		printf(" %.0f |", result->cost);
}

static void print_latency(const struct run *run, enum place place,
			  const char *peer, const char *work)
{
	const struct result *result = run_look(run, peer, place, work);

	if (result && *result->why)
		printf(" *%s* |", result->why);
	else if (!result || !result->p999)
		printf(" |");
	else
		printf(" %.1f / %.1f / %.1f |", result->latency[50] / 1e3,
		       result->latency[99] / 1e3, result->p999 / 1e3);
}

static void print_table(const struct table *table, const struct run *run,
			enum place place, bool latency)
{
	printf("\n| %s |", latency ? "µs: 50 % / 99 % / 99.9 %" :
				     run_unit(run));
	for (size_t i = 0; i < work_count; i++)
		if (is_in(table, &works[i]))
			printf(" %s |", works[i].title);
	printf("\n| --- |");
	for (size_t i = 0; i < work_count; i++)
		if (is_in(table, &works[i]))
			printf(" --- |");
	putchar('\n');
	for (size_t i = 0; peers[i]; i++) {
		if (!peer_is_on(peers[i], place))
			continue;
		printf("| %s |", peers[i]->name);
		for (size_t j = 0; j < work_count; j++)
			if (is_in(table, &works[j]))
				(latency ? print_latency : print_costs)
					(run, place, peers[i]->name,
					 works[j].name);
		putchar('\n');
	}
}

static void print_budgets(const struct run *run, const struct budgets *budgets)
{
	puts("\n## Budgets\n\n"
	     "Cost of the first as a ratio of that of the second.\n\n"
	     "| budget | cell | against | ratio | goal | |\n"
	     "| --- | --- | --- | --- | --- | --- |");
	for (size_t i = 0; i < budgets->count; i++) {
		const struct budget *budget = &budgets->budget[i];
		const struct result *what = run_named(run, budget->what);
		double ratio = budget_ratio(budget, run);

		printf("| %s | %s | %s | ", budget->name, budget->what,
		       budget->against);
		if (ratio)
			printf("%.3f | %.2f | %s |\n", ratio, budget->goal,
			       ratio > budget->goal ? "**missed**" : "kept");
		else
			printf("%s | %.2f | |\n", what && *what->why ?
			       what->why : "not measured", budget->goal);
	}
}

static void print_filter(const struct run *run)
{
	puts("\n## Duplicates, answered from the cache of replies\n\n"
	     "| work | cost |\n| --- | --- |");
	for (size_t i = 0; i < work_count; i++) {
		const struct result *result;

		result = works[i].kind == KIND_CALLS ? NULL :
			 run_find(run, "tern", PLACE_NET, works[i].name);
		if (result)
			printf("| %s | %.0f |\n", works[i].title, result->cost);
	}
}

static void print_plots(enum place place)
{
	char name[64];

	for (enum plot plot = 0; plot < PLOTS; plot++) {
		plot_name(plot, place, name, sizeof(name));
		printf("\n![%s](%s.svg)\n", plot_titles[plot], name);
	}
}

static void print_place(const struct run *run, enum place place)
{
	for (size_t i = 0; i < COUNT(tables); i++) {
		if (!has_results(&tables[i], run, place))
			continue;
		printf("\n## %s, %s\n", tables[i].title, place_titles[place]);
		if (!tables[i].latency || i == 0)
			print_table(&tables[i], run, place, false);
		if (tables[i].latency)
			print_table(&tables[i], run, place, true);
	}
	print_plots(place);
}

void report_print(const struct run *run, const struct budgets *budgets)
{
	printf("# Performance\n\n"
	       "Written by `make bench` on %s; kernel %s. See ternbench(8).\n\n"
	       "Costs are %s per call, of both ends and the kernel:\n"
	       "the median of %u batches. In brackets: as a ratio to %s on one\n"
	       "host, and to %s between two namespaces. Requests and replies have\n"
	       "64 bytes if nothing else is said. The clock is that of one processor\n"
	       "which executes an instruction a nanosecond; latencies contain what\n"
	       "the other processes of the measurement do meanwhile.\n",
	       run->date, run->kernel, run_unit(run), BATCHES,
	       unit_peers[PLACE_SAME], unit_peers[PLACE_NET]);
	print_budgets(run, budgets);
	for (enum place place = 0; place < PLACES; place++)
		print_place(run, place);
	print_filter(run);
	puts("\n## Peers\n\n| name | what it is |\n| --- | --- |");
	for (size_t i = 0; peers[i]; i++)
		printf("| %s | %s |\n", peers[i]->name, peers[i]->title);
	puts("\nW1 to W5 are the sizes of messages of five applications, after\n"
	     "the Homa paper (Montazeri et al., SIGCOMM 2018): Memcached at Facebook,\n"
	     "search at Google, all applications of a data center of Google, Hadoop at\n"
	     "Facebook, and the web search of DCTCP. TIPC takes a short cut between\n"
	     "namespaces of one kernel.");
}
