/* SPDX-License-Identifier: GPL-2.0 */
/* What calls may cost. */
#ifndef TERNBENCH_BUDGET_H
#define TERNBENCH_BUDGET_H

#include "result.h"

/*
 * struct budget - a line of the file of budgets
 * @what, @against: cells, as PEER/PLACE/WORK
 * @goal: what the cost of the first may be of that of the second
 * @limit: beyond it the check fails; 0 while the first cannot be measured
 */
struct budget {
	char	name[32];
	char	what[64];
	char	against[64];
	double	goal;
	double	limit;
};

struct budgets {
	struct budget	*budget;
	size_t		count;
};

void budgets_read(struct budgets *budgets, const char *path);
void budgets_free(struct budgets *budgets);
/* A cell that one of them is about. */
bool budgets_need(const struct budgets *budgets, const struct cell *cell);
/* 0 while one of the two was not measured. */
double budget_ratio(const struct budget *budget, const struct run *run);
/* Prints how each is kept; true if no limit is exceeded. */
bool budgets_check(const struct budgets *budgets, const struct run *run);

#endif
