// SPDX-License-Identifier: GPL-2.0
/*
 * The list of calls, where it walks the associations: each is shown once, also
 * the one with the last index that there is.
 */
#include <kunit/test.h>

#include "../cause.h"
#include "../netlink_call.c"
#include "../packet.h"

/* More than what is there: a list without end is cut off. */
#define SHOWN_MAX	10

static unsigned int shown;

/* In place of netlink.c: messages are only counted. */
int tern_nl_begin(struct sk_buff *skb, struct netlink_callback *cb,
		  struct tern_nl_object *object, u8 cmd, int attr)
{
	return ++shown > SHOWN_MAX ? -EMSGSIZE : 0;
}

int tern_nl_end(struct sk_buff *skb, struct tern_nl_object *object, int err)
{
	skb_trim(skb, 0);
	return err;
}

int tern_nl_dumped(const struct sk_buff *skb, int err)
{
	return err;
}

struct tern_net *tern_nl_net(struct netlink_callback *cb)
{
	return cb->data;
}

void *tern_nl_batch_add(struct tern_nl_batch *batch, void *object,
			tern_nl_cmp_t cmp)
{
	return object;
}

/* There are no calls but those on slots. */
void tern_nl_peers_next(struct tern_net *tn,
			const struct tern_nl_peer_cursor *cursor,
			struct tern_nl_batch *batch)
{
	batch->count = 0;
}

void tern_nl_services_next(struct tern_net *tn,
			   const struct tern_nl_service_cursor *cursor,
			   struct tern_nl_batch *batch)
{
	batch->count = 0;
}

static const struct tern_net_ops no_ops;
static struct tern_net node;

/* An association whose peer has a call on slot 0, and no others. */
static struct tern_assoc *associate(struct kunit *test, u16 port)
{
	const struct tern_addr key = { .port = htons(port) };
	static const struct tern_path path;
	struct tern_peer *peer = tern_peer_obtain(&node, &key, 16);
	struct tern_request *req;
	struct tern_assoc *assoc;

	KUNIT_ASSERT_FALSE(test, IS_ERR(peer));
	spin_lock_bh(&peer->lock);
	assoc = tern_assoc_create(peer, tern_route_alloc(&path),
				  TERN_ASSOC_UP);
	spin_unlock_bh(&peer->lock);
	KUNIT_ASSERT_NOT_NULL(test, assoc);
	tern_peer_put(peer);
	req = kunit_kzalloc(test, sizeof(*req), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, req);
	req->assoc = assoc;
	req->state = TERN_SLOT_QUEUED;
	spin_lock_bh(&assoc->rx.lock);
	tern_rx_obtain(&assoc->rx, 0)->req = req;
	spin_unlock_bh(&assoc->rx.lock);
	return assoc;
}

static void dissociate(struct tern_assoc *assoc)
{
	struct tern_outbox out;

	spin_lock_bh(&assoc->rx.lock);
	tern_rx_slot(&assoc->rx, 0)->req = NULL;
	spin_unlock_bh(&assoc->rx.lock);
	tern_outbox_init(&out);
	tern_assoc_end(assoc, NULL, TERN_CAUSE_RESET, TERN_END_SILENT, &out);
}

static void last_index(struct kunit *test)
{
	static const u32 indexes[] = { 1, U32_MAX - 1, U32_MAX };
	struct tern_assoc *assocs[ARRAY_SIZE(indexes)];
	struct netlink_callback cb = { .data = &node };
	struct sk_buff *skb;
	unsigned int i;

	KUNIT_ASSERT_EQ(test, tern_net_init(&node, &init_net, &no_ops), 0);
	skb = alloc_skb(PAGE_SIZE, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, skb);
	for (i = 0; i < ARRAY_SIZE(indexes); i++) {
		node.assoc_next = indexes[i];
		assocs[i] = associate(test, i + 1);
		KUNIT_EXPECT_EQ(test, tern_assoc_index(assocs[i]), indexes[i]);
	}
	shown = 0;
	KUNIT_EXPECT_EQ(test, tern_nl_call_get_dumpit(skb, &cb), 0);
	KUNIT_EXPECT_EQ(test, shown, (unsigned int)ARRAY_SIZE(indexes));
	kfree_skb(skb);
	for (i = 0; i < ARRAY_SIZE(indexes); i++)
		dissociate(assocs[i]);
	rcu_barrier();
	tern_net_exit(&node);
}

static struct kunit_case netlink_call_cases[] = {
	KUNIT_CASE(last_index),
	{}
};

static struct kunit_suite netlink_call_suite = {
	.name = "tern_netlink_call",
	.test_cases = netlink_call_cases,
};

kunit_test_suite(netlink_call_suite);
