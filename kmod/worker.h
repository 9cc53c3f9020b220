/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Workers: sockets as the receivers of a service, and what they execute.
 *
 * Layer: L1.
 */
#ifndef _TERN_WORKER_H
#define _TERN_WORKER_H

#include <linux/list.h>
#include <linux/tern.h>

#include "assoc.h"
#include "service.h"

struct sock;
struct tern_life;
struct tern_peer;

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
	u16	doze;		/* waits in which it sleeps at once; racy */
	u16	dozes;		/* how many of them were */
};

struct tern_request *tern_worker_take(struct tern_worker *worker,
				      struct tern_outbox *out);
void tern_worker_return(struct tern_worker *worker, struct tern_request *req);
bool __tern_worker_done(struct tern_worker *worker, struct tern_request *req);
bool tern_worker_bury(struct tern_worker *worker, u64 handle);
void tern_worker_end(struct tern_worker *worker, struct tern_outbox *out);
bool tern_worker_tell(struct tern_request *req, u8 cause, bool give_up);
bool tern_worker_forget(struct tern_request *req, enum tern_end why);
bool tern_worker_next_event(struct tern_worker *worker,
			    struct tern_cmsg_event *event);
void tern_worker_return_event(struct tern_worker *worker, u64 handle);
int tern_worker_query(struct tern_worker *worker,
		      struct tern_ioc_request *query);
struct tern_request *tern_worker_ask(struct tern_worker *worker, u64 handle,
				     u32 want_ms, struct tern_outbox *out);
void tern_worker_answered(struct tern_request *req, u64 left_us);
void tern_workers_timeout(struct tern_service *service,
			  struct tern_outbox *out);
void tern_workers_end_old_lives(struct tern_service *service,
				const struct tern_peer *peer,
				const struct tern_life *begun,
				const struct tern_life *named);

#endif /* _TERN_WORKER_H */
