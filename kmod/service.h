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
#include <linux/tern.h>
#include <linux/timer.h>
#include <linux/uidgid.h>
#include <linux/wait.h>

#include "assoc.h"
#include "net.h"

struct sock;
struct tern_outbox;
struct tern_request;

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

/*
 * struct tern_worker - a socket as one of a service's receivers
 *
 * Part of the socket; @service is set once, by bind, and under the socket
 * lock; the lists and counts are guarded by the lock of the service.
 *
 * A request that was given up, or is an orphan, stays in @executing until the
 * worker has replied to it, so that no other can get the same handle meanwhile;
 * those that were given up at its end.
 */
struct tern_worker {
	struct tern_service	*service;
	struct sock	*sk;
	bool	early_poller;	/* polled before bind: not on the service's wq */
	struct list_head	link;
	struct list_head	executing;
	unsigned int	n_events;	/* that were not received */
	unsigned int	n_off_slot;	/* given up or orphans */
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
struct tern_request *tern_service_take(struct tern_worker *worker,
				       struct tern_outbox *out);
void tern_service_return(struct tern_worker *worker, struct tern_request *req);
bool __tern_service_done(struct tern_worker *worker, struct tern_request *req);
bool tern_service_forget(struct tern_request *req, enum tern_end why);
bool tern_service_bury(struct tern_worker *worker, u64 handle);
bool tern_service_tell(struct tern_request *req, u8 cause, bool give_up);
void tern_service_timeout(struct tern_service *service,
			  struct tern_outbox *out);
void tern_service_expire(struct tern_service *service, struct tern_outbox *out);
void tern_service_end_old_lives(struct tern_service *service,
				const struct tern_assoc *assoc, bool named);
bool tern_service_next_event(struct tern_worker *worker,
			     struct tern_cmsg_event *event);
int tern_service_query(struct tern_worker *worker,
		       struct tern_ioc_request *query);
struct tern_request *tern_service_ask(struct tern_worker *worker, u64 handle,
				      u32 want_ms, struct tern_outbox *out);
void tern_service_answered(struct tern_request *req, u32 left_ms);
bool tern_service_has_requests(const struct tern_service *service);
int tern_service_next_len(struct tern_service *service);
void tern_service_kick(struct tern_service *service);
void tern_service_put(struct tern_service *service);

#endif /* _TERN_SERVICE_H */
