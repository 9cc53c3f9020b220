/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Services: one queue of requests each, from which all workers pull.
 *
 * Layer: L1.
 */
#ifndef _TERN_SERVICE_H
#define _TERN_SERVICE_H

#include <linux/list.h>
#include <linux/refcount.h>
#include <linux/rhashtable-types.h>
#include <linux/spinlock.h>
#include <linux/timer.h>
#include <linux/uidgid.h>
#include <linux/wait.h>

#include "assoc.h"
#include "net.h"

struct tern_outbox;
struct tern_request;
struct tern_worker;

struct tern_service_key {
	u32	program;
	u32	version;
};

/**
 * struct tern_service - a bound (program, version)
 *
 * Lifetime: the table holds a reference while a socket is bound, and so do
 * each worker and each request that was queued.
 *
 * Locking: @lock guards the queue, the workers and what they execute.  It is
 * taken inside rx.lock of an association and before that of @wq.
 */
struct tern_service {
	struct rhash_head	node;
	struct tern_service_key	key;
	struct tern_net	*tn;
	kuid_t	owner;		/* constant */
	bool	share;		/* constant */
	u8	orphans;	/* constant, enum tern_orphans */

	spinlock_t	lock;		/* all below */
	bool	dead;		/* no worker is left */
	struct list_head	queue;
	unsigned int	n_queued;
	unsigned int	n_executing;
	unsigned int	n_workers;
	u64	queued_bytes;
	struct list_head	workers;
	bool	wake_sockets;	/* some socket must be told itself */
	struct timer_list	timer;	/* of what executes; holds a reference */
	u64	timer_us;	/* when it goes off, U64_MAX: never */

	wait_queue_head_t	wq;	/* workers wait exclusively */
	refcount_t	ref;
	struct rcu_head	rcu;
};

extern const struct rhashtable_params tern_service_params;

int tern_service_bind(struct tern_net *tn, struct tern_worker *worker,
		      const struct tern_service_key *key, bool share,
		      u8 orphans);
void tern_service_unbind(struct tern_worker *worker, struct tern_outbox *out);
struct tern_service *tern_service_find(struct tern_net *tn, u32 program,
				       u32 version);
int tern_service_queue(struct tern_service *service, struct tern_request *req);
bool tern_service_unqueue(struct tern_request *req);
void tern_service_expire(struct tern_service *service, struct tern_outbox *out);
bool tern_service_has_requests(struct tern_service *service);
int tern_service_next_len(struct tern_service *service);
void tern_service_kick(struct tern_service *service);
void tern_service_put(struct tern_service *service);

/* For worker.c, which holds the lock. */
void __tern_service_unlink(struct tern_service *service,
			   struct tern_request *req);

#endif /* _TERN_SERVICE_H */
