// SPDX-License-Identifier: LGPL-2.1-or-later
/* Outcomes in words. */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "tern.h"

int tern_result_error(const struct tern_result *result)
{
	if (result->cause)
		return -result->cause;
	return result->status ? -EREMOTEIO : 0;
}

const char *tern_outcome_text(unsigned int outcome)
{
	switch (outcome) {
	case TERN_REPLIED:
		return "replied";
	case TERN_NOT_EXECUTED:
		return "not executed";
	case TERN_UNKNOWN:
		return "unknown";
	case TERN_DELIVERED:
		return "delivered";
	case TERN_SUBMITTED:
		return "submitted";
	default:
		return "invalid outcome";
	}
}

static void add_cause(char *text, size_t size, int cause)
{
	const char *words = strerrordesc_np(cause);

	if (!words)
		snprintf(text, size, ": error %d", cause);
	else if (isupper((unsigned char)words[0]) &&
		 islower((unsigned char)words[1]))
		snprintf(text, size, ": %c%s",
			 tolower((unsigned char)words[0]), words + 1);
	else
		snprintf(text, size, ": %s", words);
}

const char *tern_result_text(const struct tern_result *result, char *text,
			     size_t size)
{
	size_t len = snprintf(text, size, "%s",
			      tern_outcome_text(result->outcome));

	if (len >= size)
		return text;
	if (result->cause)
		add_cause(text + len, size - len, result->cause);
	else if (result->status)
		snprintf(text + len, size - len, ": status %u", result->status);
	return text;
}
