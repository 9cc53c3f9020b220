/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A world in virtual time: two nodes of which one calls the other, workers, and
 * a network between them, as bad as a test wants.
 */
#ifndef _TERN_TESTS_WORLD_H
#define _TERN_TESTS_WORLD_H

#include <kunit/test.h>

#include "../assoc.h"
#include "../message.h"
#include "../net.h"
#include "../worker.h"
#include "random.h"

#define PROGRAM		5000
#define CALLS		1000
#define WORKERS		4
#define IN_FLIGHT	4096
#define LEN_MAX		6000

/* What is known of one call. */
struct record {
	struct tern_call	*call;
	unsigned int	executed;
	bool	replied;	/* by a worker */
	bool	reported;
	u8	outcome;
	bool	right;		/* its reply was */
	bool	told;		/* its worker got an event */
	bool	slow;		/* its worker was */
};

struct worker {
	struct tern_worker	worker;
	struct sock	*sk;
	struct tern_request	*req;	/* with a reference, while busy */
	u64	until_us;
	bool	slow;
};

struct flight {
	struct sk_buff	*skb;
	struct tern_assoc	*to;
	u64	at_us;
};

/* How bad a network is, in percent, and how a world goes. */
struct trouble {
	const char	*name;
	u32	loss;
	u32	duplicate;
	u32	delay_us;	/* at most */
	u32	cancel;		/* percent of calls that are withdrawn */
	u32	deaths;		/* of workers, per 1000 steps */
	u32	flags;		/* of the calls */
	u32	timeout_ms;
	u32	slow;		/* percent of calls that take half a second */
	u32	extend_ms;	/* what each call grants */
	u8	orphans;	/* enum tern_orphans */
};

struct world {
	struct kunit	*test;
	struct rnd_state	rnd;
	const struct trouble	*trouble;
	struct tern_net	tn[2];		/* client, server */
	struct tern_assoc	*assoc[2];
	struct record	*records;
	struct worker	workers[WORKERS];
	struct flight	*flights;
	unsigned int	n_flights;
	unsigned int	n_calls;
	unsigned int	n_reported;
	unsigned int	n_told;
	unsigned int	n_given_up;
};

extern struct world world;

void world_begin(struct kunit *test, const struct trouble *trouble);
void world_finish(void);
void world_pass_time(void);
void world_sweep(void);

/* world_network.c: all that a node sends goes through it. */
void world_flush(struct tern_outbox *out);
void world_land(void);

/* world_call.c */
struct tern_msg *world_message(u32 id, u32 len);
bool world_is_message(const struct tern_assembly *in, u32 id);
void world_submit(void);
void world_withdraw(void);
void world_collect(void);

/* world_worker.c */
void world_worker_bind(struct worker *w);
void world_worker_die(struct worker *w);
void world_worker_take_all(struct tern_worker *worker);
void world_work(void);

#endif /* _TERN_TESTS_WORLD_H */
