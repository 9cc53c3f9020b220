/* SPDX-License-Identifier: GPL-2.0 */
/* What the commands that call or serve share. */
#ifndef TERN_REMOTE_H
#define TERN_REMOTE_H

#include <stdint.h>

#include <tern.h>

struct args;

/* HOST/SERVICE, or ends the program. */
void remote_parse(const char *text, struct sockaddr_tern *to);
/* HOST alone means the node itself. */
void remote_parse_node(const char *text, struct sockaddr_tern *to);
/* The value of a word that takes the time of a call. */
uint32_t remote_time(struct args *args, const char *word);
/* The value of a word that takes a number from @min to @max. */
uint32_t remote_number(const char *what, const char *text, uint32_t min,
		       uint32_t max);
/* A socket, or ends the program. */
int remote_socket(void);
/* What became of a call, and what is wrong with @to where that is the cause. */
#define REMOTE_TEXT_SIZE	(TERN_RESULT_TEXT_SIZE + 80)
const char *remote_text(const struct tern_result *result,
			const struct sockaddr_tern *to,
			char text[REMOTE_TEXT_SIZE]);
/* Says what became of a call that failed; the exit status. */
int remote_report(const struct tern_result *result,
		  const struct sockaddr_tern *to);

#endif
