/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The control plane: generic netlink, as Documentation/netlink/specs/tern.yaml
 * specifies it.
 *
 * Layer: L3.
 */
#ifndef _TERN_NETLINK_H
#define _TERN_NETLINK_H

#include <linux/skbuff.h>
#include <net/genetlink.h>

#include "path.h"
#include "service.h"

struct tern_net;
struct tern_peer;

int tern_netlink_init(void);
void tern_netlink_exit(void);

/*
 * The rest is for the files netlink_*.c, one for each kind of object.
 *
 * A list is read in several system calls, while tables change.  It is made in
 * the order of the objects' keys, and goes on after the last key that was
 * shown.  So whatever is there all the time is shown exactly once, however the
 * hash tables are resized in between, and nothing is kept from one system call
 * to the next but a key.
 */

extern struct genl_family tern_nl_family;

/* struct tern_nl_object - a message with one object, being made */
struct tern_nl_object {
	void	*header;
	struct nlattr	*nest;
};

int tern_nl_begin(struct sk_buff *skb, struct netlink_callback *cb,
		  struct tern_nl_object *object, u8 cmd, int attr);
int tern_nl_end(struct sk_buff *skb, struct tern_nl_object *object, int err);
int tern_nl_dumped(const struct sk_buff *skb, int err);
struct tern_net *tern_nl_net(struct netlink_callback *cb);
u64 tern_nl_ms_since(u64 us);

#define TERN_NL_BATCH	64

/* struct tern_nl_batch - objects that come next, in order, with references */
struct tern_nl_batch {
	unsigned int	count;
	void	*object[TERN_NL_BATCH];
};

typedef int (*tern_nl_cmp_t)(const void *a, const void *b);

void *tern_nl_batch_add(struct tern_nl_batch *batch, void *object,
			tern_nl_cmp_t cmp);

/* Where a list of peers, or of services, has come to. */
struct tern_nl_peer_cursor {
	struct tern_addr	key;
	bool	begun;		/* there is a key */
	bool	inside;		/* the object of that key is not done */
};

struct tern_nl_service_cursor {
	struct tern_service_key	key;
	bool	begun;
	bool	inside;
};

void tern_nl_peers_next(struct tern_net *tn,
			const struct tern_nl_peer_cursor *cursor,
			struct tern_nl_batch *batch);
void tern_nl_services_next(struct tern_net *tn,
			   const struct tern_nl_service_cursor *cursor,
			   struct tern_nl_batch *batch);

#endif /* _TERN_NETLINK_H */
