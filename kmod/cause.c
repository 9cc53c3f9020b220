// SPDX-License-Identifier: GPL-2.0
/*
 * Causes of failed calls as errno values.
 *
 * Layer: L0.  Pure: no locks, no allocation; compiles in user space too.
 */
#include <linux/errno.h>

#include "cause.h"

static const int cause_errno[__TERN_CAUSES] = {
	[TERN_CAUSE_NONE]	= 0,
	[TERN_CAUSE_TIMEOUT]	= ETIMEDOUT,
	[TERN_CAUSE_CANCELLED]	= ECANCELED,
	[TERN_CAUSE_REFUSED]	= ECONNREFUSED,
	[TERN_CAUSE_NO_SPACE]	= ENOBUFS,
	[TERN_CAUSE_OWNER_DIED]	= EOWNERDEAD,
	[TERN_CAUSE_TOO_BIG]	= EMSGSIZE,
	[TERN_CAUSE_RESET]	= ECONNRESET,
	[TERN_CAUSE_NET_DOWN]	= ENETDOWN,
	[TERN_CAUSE_UNREACH]	= EHOSTUNREACH,
	[TERN_CAUSE_NO_PROC]	= ENOSYS,
	[TERN_CAUSE_DENIED]	= EACCES,
};

/**
 * tern_cause_errno - errno value of a cause
 * @cause: enum tern_cause
 *
 * Return: a positive errno value, 0 for TERN_CAUSE_NONE.
 */
int tern_cause_errno(__u8 cause)
{
	return cause < __TERN_CAUSES ? cause_errno[cause] : EPROTO;
}
