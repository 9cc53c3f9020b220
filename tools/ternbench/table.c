// SPDX-License-Identifier: GPL-2.0
/* The results as tables of text. */
#include <stdio.h>

#include "peer.h"
#include "place.h"
#include "result.h"

static void print_result(const struct result *result)
{
	if (*result->why) {
		printf("  %s%s\n", result->failed ? "FAILED: " : "", result->why);
		return;
	}
	printf("%12.0f %12.0f %12.0f", result->cost, result->least,
	       result->most);
	if (result->latency[QUANTILES - 1])
		printf(" %10llu %10llu %10llu",
		       (unsigned long long)result->latency[50],
		       (unsigned long long)result->latency[99],
		       (unsigned long long)result->p999);
	putchar('\n');
}

void run_print(const struct run *run)
{
	const struct work *work = NULL;
	enum place place = PLACES;

	printf("%s, kernel %s; cost of a call in %s, latency in ns\n",
	       run->date, run->kernel, run_unit(run));
	for (size_t i = 0; i < run->count; i++) {
		const struct entry *entry = &run->entries[i];

		if (entry->cell.work != work || entry->cell.place != place) {
			work = entry->cell.work;
			place = entry->cell.place;
			printf("\n%s: %s, %s\n%-16s %12s %12s %12s %10s %10s %10s\n",
			       work->name, work->title,
			       place == PLACE_SAME ? "same host" :
						     "two namespaces",
			       "", "cost", "least", "most", "50 %", "99 %",
			       "99.9 %");
		}
		printf("%-16s", entry->cell.peer->name);
		print_result(&entry->result);
	}
}
