// SPDX-License-Identifier: GPL-2.0
/*
 * Memory pressure: what the system's shrinkers ask for.
 *
 * Nothing that a promise needs is freed: no reply that the client may not have,
 * no record of what a slot has seen. For a while the nodes offer their peers
 * the least number of slots, and their sweeps end the associations that neither
 * node uses now, which is safe at any time, since a request of a forgotten
 * association is refused and never run.
 *
 * Layer: L2.  No locks.
 */
#include <net/net_namespace.h>

#include "compat.h"
#include "net.h"
#include "pressure.h"
#include "timer.h"

/* How long a request of the system lasts. */
#define PRESSED		(10 * HZ)

static struct shrinker *shrinker;

static unsigned long count(struct shrinker *self, struct shrink_control *sc)
{
	unsigned long n = 0;
	struct net *net;

	rcu_read_lock();
	for_each_net_rcu(net)
		n += atomic_read(&tern_net(net)->n_assocs);
	rcu_read_unlock();
	return n ?: SHRINK_EMPTY;
}

/*
 * To end an association is to send a packet, which is not done in the midst of
 * an allocation.
 */
static unsigned long scan(struct shrinker *self, struct shrink_control *sc)
{
	struct net *net;

	rcu_read_lock();
	for_each_net_rcu(net) {
		struct tern_net *tn = tern_net(net);

		if (!atomic_read(&tn->n_assocs))
			continue;
		WRITE_ONCE(tn->pressed_until, jiffies + PRESSED);
		TERN_COUNT(tn, PRESSED);
		tern_timer_sweep_now(tn);
	}
	rcu_read_unlock();
	return SHRINK_STOP;
}

int tern_pressure_init(void)
{
	shrinker = tern_shrinker_register(count, scan);
	return shrinker ? 0 : -ENOMEM;
}

void tern_pressure_exit(void)
{
	tern_shrinker_unregister(shrinker);
}
