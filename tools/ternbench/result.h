/* SPDX-License-Identifier: GPL-2.0 */
/* What was measured in a run, and where. */
#ifndef TERNBENCH_RESULT_H
#define TERNBENCH_RESULT_H

#include "bench.h"

struct entry {
	struct cell	cell;
	struct result	result;
};

/*
 * struct run - what was measured in one boot
 * @instructions: the clock counts instructions as ns
 */
struct run {
	char		date[32];
	char		kernel[80];
	bool		instructions;
	struct entry	*entries;
	size_t		count;
};

/* About this machine, without entries. */
void run_begin(struct run *run);
void run_add(struct run *run, const struct cell *cell,
	     const struct result *result);
void run_free(struct run *run);
/* NULL if that was not measured, or refused, or failed. */
const struct result *run_find(const struct run *run, const char *peer,
			      enum place place, const char *work);
/* The result whatever it is, or NULL. */
const struct result *run_look(const struct run *run, const char *peer,
			      enum place place, const char *work);
/* By "PEER/PLACE/WORK"; fails if that names no cell. */
const struct result *run_named(const struct run *run, const char *name);

void run_write_json(const struct run *run);
/* From a file, or from standard input for "-". */
void run_read_json(struct run *run, const char *path);
/* Tables of text, on standard output. */
void run_print(const struct run *run);
/* What costs are counted in. */
const char *run_unit(const struct run *run);

#endif
