// SPDX-License-Identifier: GPL-2.0
/*
 * The two nodes of a world, of which one calls the other.
 */
#include "virtual.h"
#include "world.h"
#include "../call.h"
#include "../cause.h"
#include "../packet.h"
#include "../peer.h"
#include "../request.h"
#include "../service.h"

struct world world;

static void timer_of_call(struct timer_list *timer)
{
	struct tern_call *call = container_of(timer, struct tern_call, timer);
	struct tern_outbox out;

	tern_outbox_init(&out);
	tern_call_timeout(call, &out);
	world_flush(&out);
	tern_call_put(call);
}

static void timer_of_peer(struct timer_list *timer)
{
	KUNIT_FAIL(world.test, "no handshake was asked for");
}

static void timer_of_service(struct timer_list *timer)
{
	struct tern_service *service = container_of(timer, struct tern_service,
						    timer);
	struct tern_outbox out;

	tern_outbox_init(&out);
	tern_workers_timeout(service, &out);
	world_flush(&out);
	tern_service_put(service);
}

static const struct tern_net_ops ops = {
	.call_timer	= timer_of_call,
	.peer_timer	= timer_of_peer,
	.service_timer	= timer_of_service,
};

static void node_init(struct tern_net *tn)
{
	static const struct tern_settings settings = {
		.timeout_ms	= 10000,
		.lease_ms	= 60000,
		.grace_ms	= 50,
		.slots_max	= 256,
		.peers_max	= 16,
		.cache_peer	= 16 << 20,
		.cache_net	= 16 << 20,
		.queue_peer	= 16 << 20,
		.queue_net	= 16 << 20,
	};
	struct tern_prefix_list *everybody;

	memset(tn, 0, sizeof(*tn));
	KUNIT_ASSERT_EQ(world.test, tern_net_init(tn, &init_net, &ops), 0);
	tn->set = settings;
	tn->epoch = 1;
	everybody = kzalloc(struct_size(everybody, prefix, 1), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(world.test, everybody);
	everybody->count = 1;
	rcu_assign_pointer(tn->allow, everybody);
}

static void node_exit(struct tern_net *tn)
{
	KUNIT_EXPECT_EQ(world.test, atomic_read(&tn->n_assocs), 0);
	KUNIT_EXPECT_EQ(world.test, atomic64_read(&tn->cache_bytes), 0);
	KUNIT_EXPECT_EQ(world.test, atomic64_read(&tn->queue_bytes), 0);
	tern_net_exit(tn);
}

static struct tern_assoc *associate(struct tern_net *tn)
{
	static const struct tern_addr key = { .port = htons(18018) };
	static const struct tern_path path;
	struct tern_peer *peer = tern_peer_obtain(tn, &key, 16);
	struct tern_assoc *assoc;

	KUNIT_ASSERT_FALSE(world.test, IS_ERR(peer));
	spin_lock_bh(&peer->lock);
	assoc = tern_assoc_create(peer, tern_route_alloc(&path),
				  TERN_ASSOC_UP);
	peer->assoc = assoc;
	spin_unlock_bh(&peer->lock);
	KUNIT_ASSERT_NOT_NULL(world.test, assoc);
	tern_peer_put(peer);
	return assoc;
}

void world_begin(struct kunit *test, const struct trouble *trouble)
{
	unsigned int i;

	memset(&world, 0, sizeof(world));
	world.test = test;
	world.trouble = trouble;
	prandom_seed_state(&world.rnd, 1);
	virtual_begin(1000000000);
	world.records = kvcalloc(CALLS, sizeof(*world.records), GFP_KERNEL);
	world.flights = kvcalloc(IN_FLIGHT, sizeof(*world.flights), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, world.records);
	KUNIT_ASSERT_NOT_NULL(test, world.flights);
	for (i = 0; i < 2; i++) {
		node_init(&world.tn[i]);
		world.assoc[i] = associate(&world.tn[i]);
	}
	for (i = 0; i < 2; i++) {
		world.assoc[i]->remote_id = world.assoc[!i]->id;
		world.assoc[i]->remote_epoch = 1;
	}
	for (i = 0; i < WORKERS; i++) {
		struct sock *sk = kzalloc(sizeof(*sk), GFP_KERNEL);

		KUNIT_ASSERT_NOT_NULL(test, sk);
		sk->sk_rcvbuf = 100000;
		world.workers[i].sk = sk;
		world_worker_bind(&world.workers[i]);
	}
}

void world_finish(void)
{
	struct tern_outbox out;
	struct tern_peer *peer;
	unsigned int i;

	for (i = 0; i < WORKERS; i++) {
		world_worker_die(&world.workers[i]);
		kfree(world.workers[i].sk);
	}
	tern_outbox_init(&out);
	for (i = 0; i < 2; i++) {
		struct tern_assoc *assoc = world.assoc[i];

		peer = assoc->peer;
		tern_peer_get(peer);
		tern_assoc_get(assoc);
		tern_assoc_end(assoc, NULL, TERN_CAUSE_RESET, TERN_END_SILENT,
			       &out);
		KUNIT_EXPECT_EQ(world.test, assoc->rx.requests, 0U);
		KUNIT_EXPECT_EQ(world.test, assoc->rx.cached, 0U);
		KUNIT_EXPECT_EQ(world.test,
				atomic64_read(&peer->cache_bytes), 0);
		KUNIT_EXPECT_EQ(world.test,
				atomic64_read(&peer->queue_bytes), 0);
		tern_assoc_put(assoc);
		KUNIT_EXPECT_TRUE(world.test, list_empty(&peer->assocs));
		KUNIT_EXPECT_EQ(world.test, peer->n_waiting, 0U);
		tern_peer_put(peer);
	}
	__skb_queue_purge(&out.q);
	while (world.n_flights)
		kfree_skb(world.flights[--world.n_flights].skb);
	/* a timer holds a reference to its call */
	KUNIT_EXPECT_EQ(world.test, virtual_timers(), 0U);
	for (i = 0; i < 2; i++) {
		virtual_now_us += 100 * USEC_PER_SEC;
		world.tn[i].set.lease_ms = 1;
		rcu_read_lock();
		peer = tern_peer_lookup(&world.tn[i], &(struct tern_addr){
						.port = htons(18018) });
		rcu_read_unlock();
		KUNIT_EXPECT_TRUE(world.test, peer && tern_peer_reap(peer));
		if (peer)
			tern_peer_put(peer);
	}
	/* associations and services are freed after a grace period */
	rcu_barrier();
	for (i = 0; i < 2; i++)
		node_exit(&world.tn[i]);
	kvfree(world.flights);
	kvfree(world.records);
}

void world_sweep(void)
{
	struct tern_outbox out;

	tern_outbox_init(&out);
	tern_calls_ack_idle(world.assoc[0], &out);
	tern_requests_expire(world.assoc[1], &out);
	tern_service_expire(world.workers[0].worker.service, &out);
	world_flush(&out);
}

/* A fifth of a millisecond goes by. */
void world_pass_time(void)
{
	virtual_now_us += 200;
	world_land();
	virtual_expire();
}
