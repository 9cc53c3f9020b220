/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Checking of reserved members; the kernel checks the values of the others. */
#ifndef TERN_OPTS_H
#define TERN_OPTS_H

#include <stdbool.h>
#include <stddef.h>

#include "tern.h"

static inline bool is_zero(const void *memory, size_t size)
{
	const unsigned char *bytes = memory;

	while (size--)
		if (bytes[size])
			return false;
	return true;
}

static inline bool opts_valid(const struct tern_call_opts *opts)
{
	return !opts || is_zero(opts->resv, sizeof(opts->resv));
}

#endif /* TERN_OPTS_H */
