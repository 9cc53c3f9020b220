/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Timers of calls and peers, and the sweep that nothing waits for.
 *
 * Layer: L2.
 */
#ifndef _TERN_TIMER_H
#define _TERN_TIMER_H

#include <linux/timer.h>

struct tern_net;

void tern_timer_call(struct timer_list *timer);
void tern_timer_peer(struct timer_list *timer);
void tern_timer_service(struct timer_list *timer);
void tern_timer_sweep_init(struct tern_net *tn);
void tern_timer_sweep_need(struct tern_net *tn);
void tern_timer_sweep_now(struct tern_net *tn);

#endif /* _TERN_TIMER_H */
