// SPDX-License-Identifier: GPL-2.0
/* What calls may cost. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "budget.h"
#include "peer.h"
#include "place.h"
#include "work.h"

/* A number above 0 and nothing else, or 0. */
static double read_ratio(const char *text)
{
	char *end;
	double ratio = strtod(text, &end);

	return *end || !(ratio > 0 && ratio < 1000) ? 0 : ratio;
}

static void read_line(struct budgets *budgets, const char *path,
		      unsigned int number, char *line)
{
	char goal[16], limit[16], more;
	static const struct run none;
	struct budget budget, *all;
	int words;

	line[strcspn(line, "#\n")] = '\0';
	words = sscanf(line, "%31s %63s %63s %15s %15s %c", budget.name,
		       budget.what, budget.against, goal, limit, &more);
	if (words <= 0)
		return;
	if (words != 5)
		fail("%s:%u: not NAME CELL CELL GOAL LIMIT", path, number);
	run_named(&none, budget.what);
	run_named(&none, budget.against);
	budget.goal = read_ratio(goal);
	budget.limit = read_ratio(limit);
	if (!budget.goal || (!budget.limit && strcmp(limit, "-")))
		fail("%s:%u: '%s' is no ratio", path, number,
		     budget.goal ? limit : goal);
	all = realloc(budgets->budget, (budgets->count + 1) * sizeof(*all));
	if (!all)
		fail_errno("memory for budgets");
	all[budgets->count++] = budget;
	budgets->budget = all;
}

void budgets_read(struct budgets *budgets, const char *path)
{
	FILE *file = fopen(path, "r");
	unsigned int number = 0;
	char line[200];

	*budgets = (struct budgets){ 0 };
	if (!file)
		fail_errno(path);
	while (fgets(line, sizeof(line), file))
		read_line(budgets, path, ++number, line);
	if (ferror(file))
		fail_errno(path);
	fclose(file);
	if (!budgets->count)
		fail("%s: no budgets", path);
}

void budgets_free(struct budgets *budgets)
{
	free(budgets->budget);
	*budgets = (struct budgets){ 0 };
}

bool budgets_need(const struct budgets *budgets, const struct cell *cell)
{
	char name[64];

	snprintf(name, sizeof(name), "%s/%s/%s", cell->peer->name,
		 place_names[cell->place], cell->work->name);
	for (size_t i = 0; i < budgets->count; i++)
		if (!strcmp(name, budgets->budget[i].what) ||
		    !strcmp(name, budgets->budget[i].against))
			return true;
	return false;
}

double budget_ratio(const struct budget *budget, const struct run *run)
{
	const struct result *what = run_named(run, budget->what);
	const struct result *against = run_named(run, budget->against);

	if (!what || !against || *what->why || *against->why)
		return 0;
	return what->cost / against->cost;
}

/* Why there is no ratio; false if there ought to be one. */
static bool explain(const struct budget *budget, const struct run *run)
{
	const char *const names[] = { budget->what, budget->against };

	for (size_t i = 0; i < COUNT(names); i++) {
		const struct result *result = run_named(run, names[i]);

		if (result && !*result->why)
			continue;
		printf("%s: %s%s\n", names[i], result ? result->why :
		       "not in this run", result && !result->failed ?
		       ", the goal is missed" : "");
		return !result || (!result->failed && !budget->limit);
	}
	return false;
}

static bool check(const struct budget *budget, const struct run *run,
		  unsigned int *missed)
{
	double ratio = budget_ratio(budget, run);

	printf("%-16s ", budget->name);
	if (!ratio) {
		const struct result *what = run_named(run, budget->what);

		*missed += what && *what->why;
		return explain(budget, run);
	}
	printf("%.3f  goal %.2f  ", ratio, budget->goal);
	*missed += ratio > budget->goal;
	if (!budget->limit) {
		puts("it can be measured now: give it a limit");
		return false;
	}
	printf("limit %.2f  %s\n", budget->limit, ratio > budget->limit ?
	       "LIMIT EXCEEDED" : ratio > budget->goal ? "goal missed" : "ok");
	return ratio <= budget->limit;
}

bool budgets_check(const struct budgets *budgets, const struct run *run)
{
	unsigned int exceeded = 0, missed = 0;

	for (size_t i = 0; i < budgets->count; i++)
		exceeded += !check(&budgets->budget[i], run, &missed);
	printf("%zu budgets: %u limits exceeded, %u goals missed\n",
	       budgets->count, exceeded, missed);
	return !exceeded;
}
