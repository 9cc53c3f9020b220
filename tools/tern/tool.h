/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What all objects of the tool share: how it ends with an error, and the
 * words of the command line that are still to be read.
 */
#ifndef TERN_TOOL_H
#define TERN_TOOL_H

#include <stdbool.h>
#include <stdnoreturn.h>

#define EXIT_USAGE	2

/* Output is JSON (option -j). */
extern bool tool_json;

/* One line on standard error, then exit with status 1 or EXIT_USAGE. */
noreturn void fail(const char *format, ...)
	__attribute__((format(printf, 1, 2)));
noreturn void fail_usage(const char *format, ...)
	__attribute__((format(printf, 1, 2)));

/* Flushes standard output; a reader that has gone or a full disk is an error. */
void finish_output(void);

/* The words that are left, ended by NULL. */
struct args {
	char **next;
};

/* The next word, or NULL at the end. */
const char *args_next(struct args *args);
/* The next word without taking it, or NULL at the end. */
const char *args_peek(const struct args *args);
/* The word that must follow @word; @what names it for who left it out. */
const char *args_value(struct args *args, const char *word, const char *what);
/* Refuses words that are left. */
void args_end(struct args *args);
/* The verb of an object that can only be shown. */
void args_verb(struct args *args, const char *object);
/* The same, as the last word. */
void args_show(struct args *args, const char *object);

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
