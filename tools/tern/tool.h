/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What all objects of the tool share: how it ends with an error, and what its
 * words have in common.
 */
#ifndef TERN_TOOL_H
#define TERN_TOOL_H

#include "../cli/cli.h"

/* One line on standard error, then exit with status 1. */
noreturn void fail(const char *format, ...)
	__attribute__((format(printf, 1, 2)));

/* The verb of an object that can only be shown. */
void args_verb(struct args *args, const char *object);
/* The same, as the last word. */
void args_show(struct args *args, const char *object);

/* By enum tern_orphans; ended by NULL. */
extern const char *const orphan_policies[];

/* The objects and verbs; each reads its words and returns an exit status. */
int node_up(struct args *args);
int node_down(struct args *args);
int node_show(struct args *args);
int peer_run(struct args *args);
int service_run(struct args *args);
int call_run(struct args *args);
int call_show(struct args *args);
int stat_run(struct args *args);
int ping_run(struct args *args);
int serve_run(struct args *args);

#endif
