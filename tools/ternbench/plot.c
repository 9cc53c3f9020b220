// SPDX-License-Identifier: GPL-2.0
/* The results as plots, by gnuplot. */
#include <stdio.h>
#include <string.h>

#include "peer.h"
#include "place.h"
#include "plot.h"
#include "work.h"

#define PEERS_MAX	32

static const char *const names[PLOTS] = { "size", "depth", "latency" };

const char *const plot_titles[PLOTS] = {
	"Cost of a call against the size of its request",
	"Calls a second against calls outstanding, at 10^9 instructions a second",
	"Latency of small calls, one at a time: part of them that takes longer",
};

static const char *const axes[PLOTS] = {
	"set logscale xy; set xlabel 'bytes'; set ylabel 'cost'",
	"set logscale x 2; set xlabel 'outstanding'; set ylabel 'calls/s'",
	"set logscale xy; set xlabel 'ns'; set ylabel 'part'",
};

void plot_name(enum plot plot, enum place place, char *name, size_t size)
{
	snprintf(name, size, "performance-%s-%s", names[plot],
		 place_names[place]);
}

/* Small calls without loss, one after the other or, for @depth, several. */
static bool is_plain(const struct work *work)
{
	return work->kind == KIND_CALLS && work->workers == 1 && !work->sizes &&
	       !work->beside && !work->loss;
}

static bool has_point(enum plot plot, const struct work *work,
		      const struct result *result)
{
	if (!result || *result->why || !is_plain(work))
		return false;
	switch (plot) {
	case PLOT_SIZE:
		return work->depth == 1;
	case PLOT_DEPTH:
		return work->request == work->reply;
	default:
		return !strcmp(work->name, "call") && result->p999;
	}
}

/* Returns how many lines were written. */
static unsigned int write_points(FILE *out, enum plot plot,
				 const struct work *work,
				 const struct result *result)
{
	switch (plot) {
	case PLOT_SIZE:
		fprintf(out, "%zu %.1f\n", work->request, result->cost);
		return 1;
	case PLOT_DEPTH:
		fprintf(out, "%u %.1f\n", work->depth, 1e9 / result->cost);
		return 1;
	default:
		for (unsigned int i = 0; i < QUANTILES - 1; i++)
			fprintf(out, "%llu %.2f\n",
				(unsigned long long)result->latency[i],
				1 - (double)i / (QUANTILES - 1));
		fprintf(out, "%llu 0.001\n", (unsigned long long)result->p999);
		return QUANTILES;
	}
}

/* Returns how many points the peer's line has. */
static unsigned int write_line(FILE *out, enum plot plot, const struct run *run,
			       enum place place, const char *peer)
{
	unsigned int points = 0;

	for (size_t i = 0; i < work_count; i++) {
		const struct result *result =
			run_look(run, peer, place, works[i].name);

		if (has_point(plot, &works[i], result))
			points += write_points(out, plot, &works[i], result);
	}
	return points;
}

/* The data of each peer, and then what names them. */
static void write_plot(FILE *out, enum plot plot, const struct run *run,
		       enum place place)
{
	unsigned int points[PEERS_MAX];
	const char *before = "plot ";

	for (size_t i = 0; peers[i]; i++) {
		fprintf(out, "$line%zu << END\n", i);
		points[i] = write_line(out, plot, run, place, peers[i]->name);
		fputs("END\n", out);
	}
	for (size_t i = 0; peers[i]; i++) {
		if (!points[i])
			continue;
		fprintf(out, "%s$line%zu with lines linewidth %d title '%s'",
			before, i, i ? 1 : 3, peers[i]->name);
		before = ", ";
	}
	fputc('\n', out);
}

static bool has_points(enum plot plot, const struct run *run, enum place place)
{
	for (size_t i = 0; i < run->count; i++) {
		const struct entry *entry = &run->entries[i];

		if (entry->cell.place == place &&
		    has_point(plot, entry->cell.work, &entry->result))
			return true;
	}
	return false;
}

static void write_header(FILE *out, enum plot plot, enum place place,
			 const char *dir, const char *format)
{
	char name[64];

	plot_name(plot, place, name, sizeof(name));
	fprintf(out, "reset\nset terminal %s size 900,600\n"
		"set output '%s/%s.%s'\n", format, dir, name, format);
	fprintf(out, "set title \"%s\\n%s\" noenhanced\n", plot_titles[plot],
		place == PLACE_SAME ? "same host" : "two namespaces");
	fprintf(out, "%s\nset key outside\nset grid\n", axes[plot]);
}

void plot_all(const struct run *run, const char *dir, const char *format)
{
	FILE *out = popen("gnuplot", "w");

	if (!out)
		fail_errno("gnuplot");
	for (enum plot plot = 0; plot < PLOTS; plot++) {
		for (enum place place = 0; place < PLACES; place++) {
			if (!has_points(plot, run, place))
				continue;
			write_header(out, plot, place, dir, format);
			write_plot(out, plot, run, place);
		}
	}
	if (pclose(out))
		fail("gnuplot failed");
}
