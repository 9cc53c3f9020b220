/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Which long message may go on being sent to this node, and how far.
 *
 * Layer: L1.
 */
#ifndef _TERN_GRANT_H
#define _TERN_GRANT_H

#include <linux/list.h>
#include <linux/rbtree.h>
#include <linux/spinlock.h>
#include <linux/types.h>

struct tern_outbox;

/* What is granted at a time. */
#define TERN_GRANT_STEP		(64U << 10)

/* What may be granted of one message, and is not here. */
#define TERN_GRANT_WINDOW	(256U << 10)

/* What may be granted of all messages, and is not here. */
#define TERN_GRANT_FLYING	(1024U << 10)

/* A message of which nothing came for this long does not keep others waiting. */
#define TERN_GRANT_STALL	(HZ / 5)

/**
 * struct tern_grant - a message of which some is here, and some is not granted
 *
 * Lifetime: of its owner, who begins and ends it.
 *
 * Locking: that of the node's grants.  @granted is read without it.
 */
struct tern_grant {
	/* constant */
	u32	total;
	u8	priority;

	u32	received;
	u32	granted;	/* from the beginning of the message */
	u32	flying;		/* its part of those of the node */
	bool	reserved;	/* there is memory for all of it */
	bool	wanting;	/* in the tree */
	unsigned long	heard;	/* jiffies, when some of it came, or was granted */
	struct rb_node	node;
	struct list_head	age;
	struct list_head	recent;
};

/**
 * struct tern_grant_ops - what owners do
 * @reserve: sees to memory for the whole message; false when there is none now
 * @send: tells the sender what @granted is
 *
 * Both are called with the lock of the grants.
 */
struct tern_grant_ops {
	bool	(*reserve)(struct tern_grant *grant);
	void	(*send)(struct tern_grant *grant, struct tern_outbox *out);
};

/**
 * struct tern_grants - those of a node
 * @lock: guards all below
 * @wanting: messages that can be granted more, the most urgent first
 * @ages: all of those, the oldest first
 * @recent: messages that fly, in the order in which they were heard of
 * @flying: bytes that are granted and not here, and may still come
 * @credit: bytes that may be granted now
 * @steps: counts what is granted
 */
struct tern_grants {
	const struct tern_grant_ops	*ops;

	spinlock_t	lock;		/* all below */
	struct rb_root_cached	wanting;
	struct list_head	ages;
	struct list_head	recent;
	u64	flying;
	u32	credit;
	u32	steps;
};

void tern_grants_init(struct tern_grants *grants,
		      const struct tern_grant_ops *ops);
void tern_grants_kick(struct tern_grants *grants, struct tern_outbox *out);
void tern_grant_begin(struct tern_grants *grants, struct tern_grant *grant,
		      u32 total, u32 granted, u8 priority);
void tern_grant_received(struct tern_grants *grants, struct tern_grant *grant,
			 u32 received, struct tern_outbox *out);
void tern_grant_end(struct tern_grants *grants, struct tern_grant *grant,
		    struct tern_outbox *out);

#endif /* _TERN_GRANT_H */
