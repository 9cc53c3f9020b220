/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Time that stands still until a test moves it.  A file that includes this and
 * then one of the module has its clock and its timers here.
 */
#ifndef _TERN_TESTS_VIRTUAL_H
#define _TERN_TESTS_VIRTUAL_H

#include <linux/crc32c.h>
#include <linux/random.h>
#include <linux/rhashtable.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/timer.h>
#include <net/ipv6.h>
#include <net/sock.h>
#include <net/udp.h>

#include "../net.h"

extern u64 virtual_now_us;

void virtual_begin(u64 now_us);
void virtual_expire(void);
unsigned int virtual_timers(void);
int virtual_mod_timer(struct timer_list *timer, unsigned long expires);
int virtual_timer_reduce(struct timer_list *timer, unsigned long expires);
int virtual_timer_delete(struct timer_list *timer);

#define tern_now_us()		virtual_now_us
#define jiffies			((unsigned long)(virtual_now_us / \
						 (USEC_PER_SEC / HZ)))
#define mod_timer(t, e)		virtual_mod_timer(t, e)
#define timer_reduce(t, e)	virtual_timer_reduce(t, e)
#define timer_delete(t)		virtual_timer_delete(t)
#define timer_delete_sync(t)	virtual_timer_delete(t)

#endif /* _TERN_TESTS_VIRTUAL_H */
