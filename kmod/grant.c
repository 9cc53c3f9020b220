// SPDX-License-Identifier: GPL-2.0
/*
 * Which long message may go on being sent to this node, and how far.
 *
 * The shortest rest comes first, after the priorities of the calls; each fourth
 * step is the oldest message's, so that it comes at last.  Several are granted
 * at the same time, so that the way is in use while one sender does not answer,
 * but not more than TERN_GRANT_FLYING bytes, so that they find room on the way.
 * No more than twice of what comes is granted, so that they do not come at once.
 *
 * Layer: L1.  Lock: of the grants, inside which no other is taken.
 */
#include <linux/jiffies.h>
#include <linux/minmax.h>

#include "grant.h"

/* The oldest message gets one step of so many. */
#define OLDEST_SHARE	4

/* Messages that are looked at, of those that may have to wait for others. */
#define LOOK_MAX	32

/* Twice of what comes may be granted. */
#define CREDIT_FACTOR	2

static u32 flight_of(const struct tern_grant *grant)
{
	return grant->granted > grant->received ?
	       grant->granted - grant->received : 0;
}

static void set_flying(struct tern_grants *grants, struct tern_grant *grant,
		       u32 flying)
{
	grants->flying += flying;
	grants->flying -= grant->flying;
	grant->flying = flying;
	list_del_init(&grant->recent);
	if (!flying)
		return;
	grant->heard = jiffies;
	list_add_tail(&grant->recent, &grants->recent);
}

static bool is_more_urgent(struct rb_node *a, const struct rb_node *b)
{
	const struct tern_grant *x = rb_entry(a, struct tern_grant, node);
	const struct tern_grant *y = rb_entry(b, struct tern_grant, node);

	if (x->priority != y->priority)
		return x->priority > y->priority;
	return x->total - x->received < y->total - y->received;
}

static void want(struct tern_grants *grants, struct tern_grant *grant)
{
	grant->wanting = grant->granted < grant->total;
	if (!grant->wanting)
		return;
	rb_add_cached(&grant->node, &grants->wanting, is_more_urgent);
	if (list_empty(&grant->age))
		list_add_tail(&grant->age, &grants->ages);
}

static void unwant(struct tern_grants *grants, struct tern_grant *grant)
{
	if (grant->wanting)
		rb_erase_cached(&grant->node, &grants->wanting);
	grant->wanting = false;
}

/* Others need not wait for what does not come. */
static void drop_stalled(struct tern_grants *grants)
{
	struct tern_grant *grant;

	while ((grant = list_first_entry_or_null(&grants->recent,
						 struct tern_grant, recent))) {
		if (time_before(jiffies, grant->heard + TERN_GRANT_STALL))
			return;
		list_del_init(&grant->age);
		unwant(grants, grant);
		set_flying(grants, grant, 0);
	}
}

/* Whether a message can be granted more now. */
static bool is_ready(struct tern_grants *grants, struct tern_grant *grant)
{
	if (flight_of(grant) + TERN_GRANT_STEP > TERN_GRANT_WINDOW)
		return false;
	if (!grant->reserved)
		grant->reserved = grants->ops->reserve(grant);
	return grant->reserved;
}

static struct tern_grant *most_urgent(struct tern_grants *grants)
{
	struct rb_node *node = rb_first_cached(&grants->wanting);
	struct tern_grant *grant;
	unsigned int i;

	for (i = 0; node && i < LOOK_MAX; i++, node = rb_next(node)) {
		grant = rb_entry(node, struct tern_grant, node);
		if (is_ready(grants, grant))
			return grant;
	}
	return NULL;
}

static struct tern_grant *oldest(struct tern_grants *grants)
{
	struct tern_grant *grant;
	unsigned int i = 0;

	list_for_each_entry(grant, &grants->ages, age) {
		if (is_ready(grants, grant))
			return grant;
		if (++i == LOOK_MAX)
			break;
	}
	return NULL;
}

static struct tern_grant *choose(struct tern_grants *grants)
{
	struct tern_grant *grant = NULL;

	if (grants->steps % OLDEST_SHARE != OLDEST_SHARE - 1)
		grant = most_urgent(grants);
	return grant ?: oldest(grants);
}

static void give(struct tern_grants *grants, struct tern_grant *grant,
		 struct tern_outbox *out)
{
	u32 step = min(TERN_GRANT_STEP, grant->total - grant->granted);

	grants->steps++;
	grants->credit -= min(grants->credit, step);
	WRITE_ONCE(grant->granted, grant->granted + step);
	set_flying(grants, grant, flight_of(grant));
	if (grant->granted == grant->total) {
		unwant(grants, grant);
		list_del_init(&grant->age);
	}
	grants->ops->send(grant, out);
}

/* Grants as much as may be granted now. */
static void distribute(struct tern_grants *grants, struct tern_outbox *out)
{
	struct tern_grant *grant;

	lockdep_assert_held(&grants->lock);
	drop_stalled(grants);
	while (grants->flying + TERN_GRANT_STEP <= TERN_GRANT_FLYING &&
	       (grants->credit >= TERN_GRANT_STEP ||
		grants->flying < TERN_GRANT_STEP)) {
		grant = choose(grants);
		if (!grant)
			return;
		give(grants, grant, out);
	}
}

void tern_grants_init(struct tern_grants *grants,
		      const struct tern_grant_ops *ops)
{
	grants->ops = ops;
	spin_lock_init(&grants->lock);
	grants->wanting = RB_ROOT_CACHED;
	INIT_LIST_HEAD(&grants->ages);
	INIT_LIST_HEAD(&grants->recent);
}

/**
 * tern_grants_kick - what kept messages waiting may have changed
 * @grants: the grants
 * @out: for packets
 *
 * Context: any.
 */
void tern_grants_kick(struct tern_grants *grants, struct tern_outbox *out)
{
	spin_lock_bh(&grants->lock);
	distribute(grants, out);
	spin_unlock_bh(&grants->lock);
}

/**
 * tern_grant_begin - a message begins to arrive
 * @grants: the grants
 * @grant: the message, zeroed
 * @total: its length
 * @granted: how much of it is sent unasked, less than its length
 * @priority: of its call
 *
 * Context: any.
 */
void tern_grant_begin(struct tern_grants *grants, struct tern_grant *grant,
		      u32 total, u32 granted, u8 priority)
{
	grant->total = total;
	grant->granted = granted;
	grant->priority = priority;
	INIT_LIST_HEAD(&grant->age);
	INIT_LIST_HEAD(&grant->recent);
	spin_lock_bh(&grants->lock);
	set_flying(grants, grant, granted);
	want(grants, grant);
	spin_unlock_bh(&grants->lock);
}

/**
 * tern_grant_received - some of a message is here
 * @grants: the grants
 * @grant: the message
 * @received: bytes that are here, no fewer than before
 * @out: for packets
 *
 * Context: any.
 */
void tern_grant_received(struct tern_grants *grants, struct tern_grant *grant,
			 u32 received, struct tern_outbox *out)
{
	spin_lock_bh(&grants->lock);
	unwant(grants, grant);
	grants->credit = min_t(u64, TERN_GRANT_STEP, grants->credit +
			       (u64)CREDIT_FACTOR *
			       (received - grant->received));
	grant->received = received;
	set_flying(grants, grant, flight_of(grant));
	want(grants, grant);
	distribute(grants, out);
	spin_unlock_bh(&grants->lock);
}

/**
 * tern_grant_end - a message is here, or is not wanted any more
 * @grants: the grants
 * @grant: the message
 * @out: for packets; or NULL, and who ends several has to kick
 *
 * Context: any.
 */
void tern_grant_end(struct tern_grants *grants, struct tern_grant *grant,
		    struct tern_outbox *out)
{
	spin_lock_bh(&grants->lock);
	unwant(grants, grant);
	list_del(&grant->age);
	set_flying(grants, grant, 0);
	if (out)
		distribute(grants, out);
	spin_unlock_bh(&grants->lock);
}
