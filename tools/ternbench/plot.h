/* SPDX-License-Identifier: GPL-2.0 */
/* The results as plots. */
#ifndef TERNBENCH_PLOT_H
#define TERNBENCH_PLOT_H

#include "result.h"

/* The plots that can be made of a run. */
enum plot {
	PLOT_SIZE,
	PLOT_DEPTH,
	PLOT_LATENCY,
	PLOTS,
};

/* Makes DIR/NAME.FORMAT of each by gnuplot; FORMAT is svg or png. */
void plot_all(const struct run *run, const char *dir, const char *format);
/* "performance-WHAT-PLACE". */
void plot_name(enum plot plot, enum place place, char *name, size_t size);
extern const char *const plot_titles[PLOTS];

#endif
