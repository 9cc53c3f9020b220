/* SPDX-License-Identifier: GPL-2.0 */
/* The results as a document. */
#ifndef TERNBENCH_REPORT_H
#define TERNBENCH_REPORT_H

#include "budget.h"

/* Markdown on standard output; the plots are beside it as SVG. */
void report_print(const struct run *run, const struct budgets *budgets);

#endif
