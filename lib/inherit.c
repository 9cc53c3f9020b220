// SPDX-License-Identifier: LGPL-2.1-or-later
/* Calls that are made in the execution of a request end with its deadline. */
#include "inherit.h"

#include "clock.h"
#include "tern.h"

/* Of this thread; without a request nothing is inherited. */
static __thread struct {
	bool		has_request;
	uint64_t	handle;
	uint64_t	deadline_ms;
} inherited;

void tern_inherit_deadline(const struct tern_request *request)
{
	inherited.has_request = request;
	if (!request)
		return;
	inherited.handle = request->handle;
	inherited.deadline_ms = now_ms() + request->time_left_ms;
}

bool inherit_limit(uint32_t *limit_ms)
{
	uint64_t now;

	*limit_ms = 0;
	if (!inherited.has_request)
		return true;
	now = now_ms();
	if (now >= inherited.deadline_ms)
		return false;
	*limit_ms = inherited.deadline_ms - now;
	return true;
}

void inherit_moved(uint64_t handle, uint32_t time_left_ms)
{
	if (inherited.has_request && inherited.handle == handle)
		inherited.deadline_ms = now_ms() + time_left_ms;
}
