// SPDX-License-Identifier: GPL-2.0
/*
 * Virtual time: a clock that a test moves, and timers that go off with it.
 */
#include "virtual.h"

#define TIMERS		1024

u64 virtual_now_us;

static struct {
	struct timer_list	*timer;
	u64	at_us;
} timers[TIMERS];
static unsigned int n_timers;

static int start(struct timer_list *timer, unsigned long expires, bool later)
{
	u64 at_us = virtual_now_us + (expires - jiffies) * (USEC_PER_SEC / HZ);
	unsigned int i;

	for (i = 0; i < n_timers; i++)
		if (timers[i].timer == timer)
			break;
	if (WARN_ON_ONCE(i == TIMERS))
		return 1;
	if (i < n_timers) {
		if (later || at_us < timers[i].at_us)
			timers[i].at_us = at_us;
		return 1;
	}
	timers[i].timer = timer;
	timers[i].at_us = at_us;
	n_timers++;
	return 0;
}

int virtual_mod_timer(struct timer_list *timer, unsigned long expires)
{
	return start(timer, expires, true);
}

int virtual_timer_reduce(struct timer_list *timer, unsigned long expires)
{
	return start(timer, expires, false);
}

int virtual_timer_delete(struct timer_list *timer)
{
	unsigned int i;

	for (i = 0; i < n_timers; i++) {
		if (timers[i].timer != timer)
			continue;
		timers[i] = timers[--n_timers];
		return 1;
	}
	return 0;
}

/* How many timers there are. */
unsigned int virtual_timers(void)
{
	return n_timers;
}

/* Begins anew, without timers. */
void virtual_begin(u64 now_us)
{
	virtual_now_us = now_us;
	n_timers = 0;
}

/* Lets all timers go off that are due. */
void virtual_expire(void)
{
	unsigned int i = 0;

	while (i < n_timers) {
		struct timer_list *timer = timers[i].timer;

		if (timers[i].at_us > virtual_now_us) {
			i++;
			continue;
		}
		timers[i] = timers[--n_timers];
		timer->function(timer);
		/* which may have changed them all */
		i = 0;
	}
}
