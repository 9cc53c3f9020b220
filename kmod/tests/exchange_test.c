// SPDX-License-Identifier: GPL-2.0
/*
 * Whole exchanges in virtual time: the module's calls, requests, services,
 * slots and messages, between two nodes of which one calls the other, with a
 * network that loses, repeats, delays and reorders, and with workers that die.
 * A record of every call says what must be true of it.
 */
#include <kunit/test.h>

#include "virtual.h"
#include "../assoc.h"
#include "../call.h"
#include "../cause.h"
#include "../message.h"
#include "../packet.h"
#include "../peer.h"
#include "../request.h"
#include "../service.h"
#include "../worker.h"
#include "random.h"

#define PROGRAM		5000
#define CALLS		1000
#define WORKERS		4
#define TIMERS		1024
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

static struct {
	struct kunit	*test;
	struct rnd_state	rnd;
	const struct trouble	*trouble;
	struct tern_net	tn[2];		/* client, server */
	struct tern_assoc	*assoc[2];
	struct record	*records;
	struct worker	workers[WORKERS];
	struct flight	*flights;
	unsigned int	n_flights;
	struct {
		struct timer_list	*timer;
		u64	at_us;
	} timers[TIMERS];
	unsigned int	n_timers;
	unsigned int	n_calls;
	unsigned int	n_reported;
	unsigned int	n_told;
	unsigned int	n_given_up;
} world;

u64 virtual_now_us;

int virtual_mod_timer(struct timer_list *timer, unsigned long expires)
{
	unsigned long ticks = expires - jiffies;
	unsigned int i;

	for (i = 0; i < world.n_timers; i++)
		if (world.timers[i].timer == timer)
			break;
	if (WARN_ON_ONCE(i == TIMERS))
		return 1;
	world.timers[i].timer = timer;
	world.timers[i].at_us = virtual_now_us +
				ticks * (USEC_PER_SEC / HZ);
	if (i < world.n_timers)
		return 1;
	world.n_timers++;
	return 0;
}

int virtual_timer_delete(struct timer_list *timer)
{
	unsigned int i;

	for (i = 0; i < world.n_timers; i++) {
		if (world.timers[i].timer != timer)
			continue;
		world.timers[i] = world.timers[--world.n_timers];
		return 1;
	}
	return 0;
}

/* The file net.c belongs to namespaces; these are all that is used of it. */
bool tern_net_allows(struct tern_net *tn, const struct in6_addr *addr)
{
	return true;
}

static u32 flight_time(void)
{
	return 100 + random_below(&world.rnd, world.trouble->delay_us + 1);
}

static void take_off(struct sk_buff *skb, struct tern_assoc *to)
{
	struct flight *flight = &world.flights[world.n_flights];

	if (!skb || world.n_flights == IN_FLIGHT) {
		kfree_skb(skb);
		return;
	}
	flight->skb = skb;
	flight->to = to;
	flight->at_us = virtual_now_us + flight_time();
	world.n_flights++;
}

/* All that a node sends goes through this network. */
static void flush(struct tern_outbox *out)
{
	struct sk_buff *skb;

	while ((skb = __skb_dequeue(&out->q))) {
		struct tern_assoc *from = TERN_PACKET_CB(skb)->assoc;
		struct tern_assoc *to = world.assoc[from == world.assoc[0]];

		tern_assoc_put(from);
		memset(skb->cb, 0, sizeof(skb->cb));
		if (random_percent(&world.rnd, world.trouble->duplicate))
			take_off(skb_copy(skb, GFP_KERNEL), to);
		if (random_percent(&world.rnd, world.trouble->loss))
			kfree_skb(skb);
		else
			take_off(skb, to);
	}
}

static void land(struct flight *flight)
{
	struct sk_buff *skb = flight->skb;
	struct tern_assoc *assoc = flight->to;
	bool taken = false, newest = false;
	struct tern_wire_pkt pkt;
	struct tern_outbox out;

	*flight = world.flights[--world.n_flights];
	tern_outbox_init(&out);
	KUNIT_ASSERT_EQ(world.test, tern_wire_decode(&pkt, skb->data, skb->len),
			TERN_WIRE_OK);
	KUNIT_ASSERT_EQ(world.test, pkt.dst, assoc->id);
	__skb_pull(skb, tern_wire_hdr_len(pkt.type));
	rcu_read_lock();
	switch (pkt.type) {
	case TERN_PKT_REQ:
		taken = tern_request_input(assoc, &pkt, skb, &out, &newest);
		break;
	case TERN_PKT_CANCEL:
		tern_request_input_cancel(assoc, &pkt, &out, &newest);
		break;
	case TERN_PKT_ACK:
		tern_request_input_ack(assoc, &pkt, skb->data);
		break;
	case TERN_PKT_REP:
		taken = tern_call_input_reply(assoc, &pkt, skb, &out);
		break;
	case TERN_PKT_BUSY:
		tern_call_input_busy(assoc, &pkt, &out);
		break;
	case TERN_PKT_ASK:
		tern_call_input_ask(assoc, &pkt, &out);
		break;
	case TERN_PKT_OWN:
		tern_request_input_own(assoc, &pkt);
		break;
	case TERN_PKT_RESEND:
		if (pkt.flags & TERN_WIRE_OF_REPLY)
			tern_request_input_resend(assoc, &pkt, skb->data, &out);
		else
			tern_call_input_resend(assoc, &pkt, skb->data, &out);
		break;
	default:
		KUNIT_FAIL(world.test, "type %u", pkt.type);
	}
	rcu_read_unlock();
	if (!taken)
		consume_skb(skb);
	flush(&out);
}

static void timer_of_call(struct timer_list *timer)
{
	struct tern_call *call = container_of(timer, struct tern_call, timer);
	struct tern_outbox out;

	tern_outbox_init(&out);
	tern_call_timeout(call, &out);
	flush(&out);
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
	flush(&out);
	tern_service_put(service);
}

static const struct tern_net_ops ops = {
	.call_timer	= timer_of_call,
	.peer_timer	= timer_of_peer,
	.service_timer	= timer_of_service,
};

static u8 content(u32 id, u32 i)
{
	return id * 31 + i * 7 + (i >> 8);
}

static struct tern_msg *message(u32 id, u32 len)
{
	u8 *data = kmalloc(LEN_MAX, GFP_KERNEL);
	struct kvec vec = { data, len };
	struct tern_msg *msg;
	struct iov_iter from;
	u32 i;

	KUNIT_ASSERT_NOT_NULL(world.test, data);
	for (i = 0; i < len; i++)
		data[i] = content(id, i);
	iov_iter_kvec(&from, ITER_SOURCE, &vec, 1, len);
	msg = tern_msg_alloc(len, &from);
	kfree(data);
	KUNIT_ASSERT_FALSE(world.test, IS_ERR(msg));
	return msg;
}

static bool is_message(const struct tern_assembly *in, u32 id)
{
	struct kvec vec = { kmalloc(LEN_MAX, GFP_KERNEL), in->total };
	u8 *data = vec.iov_base;
	struct iov_iter to;
	bool right;
	u32 i;

	KUNIT_ASSERT_NOT_NULL(world.test, data);
	iov_iter_kvec(&to, ITER_DEST, &vec, 1, in->total);
	right = !tern_assembly_copy(in, &to, in->total);
	for (i = 0; right && i < in->total; i++)
		right = data[i] == content(id, i);
	kfree(data);
	return right;
}

/* The procedure number is the call's place in the records. */
static void report(struct tern_call *call)
{
	struct record *record = &world.records[call->procedure];

	KUNIT_EXPECT_FALSE(world.test, record->reported);
	record->reported = true;
	record->outcome = call->outcome;
	world.n_reported++;
}

static void submit(void)
{
	u32 id = world.n_calls++;
	struct record *record = &world.records[id];
	struct tern_call *call = tern_call_alloc(&world.tn[0]);
	u32 len = random_percent(&world.rnd, 70) ?
		  random_below(&world.rnd, 200) :
		  random_below(&world.rnd, LEN_MAX);
	struct tern_outbox out;

	KUNIT_ASSERT_NOT_NULL(world.test, call);
	call->program = PROGRAM;
	call->version = 1;
	call->procedure = id;
	call->flags = world.trouble->flags;
	call->extend_ms = world.trouble->extend_ms;
	call->deadline_us = virtual_now_us +
			    world.trouble->timeout_ms * USEC_PER_MSEC;
	call->msg = message(id, len);
	call->msg->digest =
		tern_digest_data(tern_digest_request(PROGRAM, 1, id, len),
				 call->msg->data, len);
	call->report = report;
	record->call = call;
	tern_outbox_init(&out);
	KUNIT_ASSERT_EQ(world.test,
			tern_call_submit(call, world.assoc[0]->peer, &out), 0);
	flush(&out);
}

static void withdraw(void)
{
	struct record *record;
	struct tern_outbox out;

	if (!world.n_calls)
		return;
	record = &world.records[random_below(&world.rnd, world.n_calls)];
	if (record->reported)
		return;
	tern_outbox_init(&out);
	tern_call_cancel(record->call, random_percent(&world.rnd, 50), &out);
	flush(&out);
}

static void collect_outcomes(void)
{
	u32 id;

	for (id = 0; id < world.n_calls; id++) {
		struct record *record = &world.records[id];

		if (!record->call || !record->reported)
			continue;
		if (record->outcome == TERN_REPLIED)
			record->right = !record->call->status &&
					is_message(&record->call->reply, id);
		tern_call_put(record->call);
		record->call = NULL;
	}
}

static void worker_bind(struct worker *w)
{
	static const struct tern_service_key key = { PROGRAM, 1 };

	memset(&w->worker, 0, sizeof(w->worker));
	INIT_LIST_HEAD(&w->worker.link);
	INIT_LIST_HEAD(&w->worker.executing);
	w->worker.sk = w->sk;
	KUNIT_ASSERT_EQ(world.test, tern_service_bind(&world.tn[1], &w->worker,
						      &key, true,
						      world.trouble->orphans),
			0);
}

static void worker_die(struct worker *w)
{
	struct tern_outbox out;

	tern_outbox_init(&out);
	tern_service_unbind(&w->worker, &out);
	flush(&out);
	if (w->req)
		tern_request_put(w->req);
	w->req = NULL;
}

/* Asks for more time. */
static void worker_ask(struct worker *w)
{
	struct tern_outbox out;
	struct tern_request *req;

	tern_outbox_init(&out);
	req = tern_worker_ask(&w->worker, tern_request_handle(w->req),
			      600, &out);
	flush(&out);
	if (req)
		tern_request_put(req);
}

static void worker_take(struct worker *w)
{
	struct tern_outbox out;

	tern_outbox_init(&out);
	w->req = tern_worker_take(&w->worker, &out);
	if (w->req) {
		struct record *record = &world.records[w->req->procedure];

		KUNIT_EXPECT_LT(world.test, w->req->procedure, world.n_calls);
		KUNIT_EXPECT_TRUE(world.test,
				  is_message(&w->req->in, w->req->procedure));
		record->executed++;
		w->until_us = virtual_now_us +
			      random_below(&world.rnd, 20000);
		w->slow = random_percent(&world.rnd, world.trouble->slow);
		if (w->slow)
			w->until_us += 500 * USEC_PER_MSEC;
		tern_request_consumed(w->req);
	}
	flush(&out);
	if (w->req && world.trouble->extend_ms)
		worker_ask(w);
}

/* An event is for what the worker has, and comes before that is given up. */
static void worker_events(struct worker *w)
{
	struct tern_cmsg_event event;

	while (tern_worker_next_event(&w->worker, &event)) {
		KUNIT_ASSERT_NOT_NULL(world.test, w->req);
		KUNIT_EXPECT_EQ(world.test, event.handle,
				tern_request_handle(w->req));
		KUNIT_EXPECT_FALSE(world.test, w->req->given_up);
		KUNIT_EXPECT_NE(world.test, event.cause, 0U);
		world.records[w->req->procedure].told = true;
		world.n_told++;
	}
}

static void worker_reply(struct worker *w)
{
	u32 id = w->req->procedure;
	struct tern_outbox out;
	struct tern_msg *msg;
	bool given_up, off_slot;
	int err;

	tern_outbox_init(&out);
	if (!(w->req->flags & TERN_CALL_ONEWAY)) {
		msg = message(id, random_percent(&world.rnd, 80) ?
				  random_below(&world.rnd, 200) :
				  random_below(&world.rnd, LEN_MAX));
		given_up = w->req->given_up;
		off_slot = given_up || w->req->orphan;
		KUNIT_EXPECT_TRUE(world.test,
				  !given_up || world.records[id].told);
		world.n_given_up += given_up;
		world.records[id].slow = w->slow;
		world.records[id].replied = true;
		err = tern_request_reply(&world.tn[1], &w->worker,
					 tern_request_handle(w->req), 0, msg,
					 &out);
		KUNIT_EXPECT_EQ(world.test, err, off_slot ? -ENOENT : 0);
		if (err)
			tern_msg_free(msg);
	}
	tern_request_put(w->req);
	w->req = NULL;
	flush(&out);
}

static void work(void)
{
	unsigned int i;

	for (i = 0; i < WORKERS; i++) {
		struct worker *w = &world.workers[i];

		worker_events(w);
		if (w->req && w->until_us <= virtual_now_us)
			worker_reply(w);
		if (!w->req)
			worker_take(w);
	}
}

static void expire_timers(void)
{
	unsigned int i = 0;

	while (i < world.n_timers) {
		struct timer_list *timer = world.timers[i].timer;

		if (world.timers[i].at_us > virtual_now_us) {
			i++;
			continue;
		}
		world.timers[i] = world.timers[--world.n_timers];
		timer->function(timer);
		/* which may have changed them all */
		i = 0;
	}
}

static void sweep(void)
{
	struct tern_outbox out;

	tern_outbox_init(&out);
	tern_calls_ack_idle(world.assoc[0], &out);
	tern_requests_expire(world.assoc[1], &out);
	tern_service_expire(world.workers[0].worker.service, &out);
	flush(&out);
}

/* A fifth of a millisecond goes by. */
static void pass_time(void)
{
	unsigned int i = 0;

	virtual_now_us += 200;
	while (i < world.n_flights) {
		if (world.flights[i].at_us <= virtual_now_us)
			land(&world.flights[i]);
		else
			i++;
	}
	expire_timers();
}

static void step(unsigned int n)
{
	const struct trouble *trouble = world.trouble;

	pass_time();
	work();
	if (n % 5000 == 0)
		sweep();
	if (world.n_calls < CALLS && random_percent(&world.rnd, 5))
		submit();
	if (world.n_calls < CALLS && random_percent(&world.rnd, 10) &&
	    random_percent(&world.rnd, trouble->cancel))
		withdraw();
	if (world.n_calls < CALLS &&
	    random_below(&world.rnd, 1000) < trouble->deaths) {
		struct worker *w = &world.workers[1 + random_below(&world.rnd,
								   WORKERS - 1)];

		worker_die(w);
		worker_bind(w);
	}
	if (n % 256 == 0)
		collect_outcomes();
}

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

	memset(tn, 0, sizeof(*tn));
	tn->ops = &ops;
	tn->set = settings;
	tn->mib = alloc_percpu(struct tern_mib);
	KUNIT_ASSERT_TRUE(world.test, !!tn->mib);
	spin_lock_init(&tn->lock);
	mutex_init(&tn->config);
	INIT_LIST_HEAD(&tn->bearers);
	xa_init_flags(&tn->assocs, XA_FLAGS_LOCK_BH);
	tn->assoc_left = U32_MAX;
	tn->epoch = 1;
	KUNIT_ASSERT_EQ(world.test,
			rhashtable_init(&tn->peers, &tern_peer_params), 0);
	KUNIT_ASSERT_EQ(world.test,
			rhashtable_init(&tn->services, &tern_service_params),
			0);
}

static void node_exit(struct tern_net *tn)
{
	KUNIT_EXPECT_EQ(world.test, atomic_read(&tn->n_assocs), 0);
	KUNIT_EXPECT_EQ(world.test, atomic64_read(&tn->cache_bytes), 0);
	KUNIT_EXPECT_EQ(world.test, atomic64_read(&tn->queue_bytes), 0);
	rhashtable_destroy(&tn->services);
	rhashtable_destroy(&tn->peers);
	xa_destroy(&tn->assocs);
	free_percpu(tn->mib);
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

static void begin(struct kunit *test, const struct trouble *trouble)
{
	unsigned int i;

	memset(&world, 0, sizeof(world));
	world.test = test;
	world.trouble = trouble;
	prandom_seed_state(&world.rnd, 1);
	virtual_now_us = 1000000000;
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
		worker_bind(&world.workers[i]);
	}
}

static void finish(void)
{
	struct tern_outbox out;
	struct tern_peer *peer;
	unsigned int i;

	for (i = 0; i < WORKERS; i++) {
		worker_die(&world.workers[i]);
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
				atomic64_read(&assoc->rx.cache_bytes), 0);
		KUNIT_EXPECT_EQ(world.test,
				atomic64_read(&assoc->rx.queue_bytes), 0);
		tern_assoc_put(assoc);
		KUNIT_EXPECT_TRUE(world.test, list_empty(&peer->assocs));
		KUNIT_EXPECT_EQ(world.test, peer->n_waiting, 0U);
		tern_peer_put(peer);
	}
	__skb_queue_purge(&out.q);
	while (world.n_flights)
		kfree_skb(world.flights[--world.n_flights].skb);
	/* a timer holds a reference to its call */
	KUNIT_EXPECT_EQ(world.test, world.n_timers, 0U);
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

static unsigned int check_records(struct kunit *test)
{
	unsigned int ended[TERN_DELIVERED + 1] = {};
	bool oneway = world.trouble->flags & TERN_CALL_ONEWAY;
	bool idempotent = world.trouble->flags & TERN_CALL_IDEMPOTENT;
	unsigned int again = 0, slow = 0;
	u32 id;

	for (id = 0; id < world.n_calls; id++) {
		struct record *r = &world.records[id];

		KUNIT_EXPECT_TRUE_MSG(test, r->reported, "call %u", id);
		if (!idempotent)
			KUNIT_EXPECT_LE_MSG(test, r->executed, 1U, "call %u",
					    id);
		else if (r->executed > 1)
			again++;
		switch (r->outcome) {
		case TERN_REPLIED:
			KUNIT_EXPECT_TRUE_MSG(test, r->replied && r->right &&
					      !oneway, "call %u", id);
			slow += r->slow;
			break;
		case TERN_DELIVERED:
			KUNIT_EXPECT_TRUE_MSG(test, oneway, "call %u", id);
			break;
		case TERN_NOT_EXECUTED:
			KUNIT_EXPECT_EQ_MSG(test, r->executed, 0U, "call %u",
					    id);
			break;
		case TERN_UNKNOWN:
			break;
		}
		if (r->outcome <= TERN_DELIVERED)
			ended[r->outcome]++;
	}
	kunit_info(test, "%s: %u replied, %u not executed, %u unknown, %u delivered, %u ran again, %u events, %u given up",
		   world.trouble->name, ended[TERN_REPLIED],
		   ended[TERN_NOT_EXECUTED], ended[TERN_UNKNOWN],
		   ended[TERN_DELIVERED], again, world.n_told,
		   world.n_given_up);
	/* The network was bad enough to show it. */
	KUNIT_EXPECT_EQ(test, again > 0, idempotent);
	KUNIT_EXPECT_EQ(test, world.n_given_up > 0, world.trouble->slow > 0);
	KUNIT_EXPECT_EQ(test, slow > 0, world.trouble->extend_ms > 0);
	return ended[oneway ? TERN_DELIVERED : TERN_REPLIED];
}

static const struct trouble troubles[] = {
	{ .name = "a perfect network", .delay_us = 100, .timeout_ms = 60000 },
	{ .name = "loss", .loss = 20, .delay_us = 1000, .timeout_ms = 60000 },
	{ .name = "duplicates", .duplicate = 60, .delay_us = 5000,
	  .timeout_ms = 60000 },
	{ .name = "reordering", .delay_us = 30000, .duplicate = 20,
	  .timeout_ms = 60000 },
	{ .name = "all of it", .loss = 20, .duplicate = 30, .delay_us = 20000,
	  .timeout_ms = 60000 },
	{ .name = "all of it, withdrawn", .loss = 20, .duplicate = 30,
	  .delay_us = 20000, .cancel = 50, .timeout_ms = 60000 },
	{ .name = "all of it, short deadlines", .loss = 20, .duplicate = 30,
	  .delay_us = 20000, .timeout_ms = 60 },
	{ .name = "all of it, workers die", .loss = 10, .duplicate = 30,
	  .delay_us = 10000, .deaths = 5, .cancel = 20, .timeout_ms = 500 },
	{ .name = "one-way, all of it", .loss = 20, .duplicate = 30,
	  .delay_us = 20000, .deaths = 5, .cancel = 20,
	  .flags = TERN_CALL_ONEWAY, .timeout_ms = 1000 },
	{ .name = "idempotent, all of it", .loss = 20, .duplicate = 30,
	  .delay_us = 20000, .deaths = 5, .cancel = 20,
	  .flags = TERN_CALL_IDEMPOTENT, .timeout_ms = 1000 },
	{ .name = "maybe, all of it", .loss = 20, .duplicate = 30,
	  .delay_us = 20000, .deaths = 5, .cancel = 20,
	  .flags = TERN_CALL_MAYBE, .timeout_ms = 1000 },
	{ .name = "slow workers", .loss = 10, .duplicate = 30,
	  .delay_us = 10000, .slow = 10, .timeout_ms = 300 },
	{ .name = "slow workers, withdrawn", .loss = 10, .duplicate = 30,
	  .delay_us = 10000, .slow = 10, .cancel = 80, .deaths = 1,
	  .orphans = TERN_ORPHANS_EXTERMINATE, .timeout_ms = 300 },
	{ .name = "slow workers get time", .loss = 10, .duplicate = 30,
	  .delay_us = 10000, .slow = 10, .extend_ms = 2000,
	  .timeout_ms = 300 },
};

static void trouble_name(const struct trouble *trouble, char *name)
{
	strscpy(name, trouble->name, KUNIT_PARAM_DESC_SIZE);
}

KUNIT_ARRAY_PARAM(trouble, troubles, trouble_name);

static void history(struct kunit *test)
{
	const struct trouble *trouble = test->param_value;
	unsigned int n, good;

	begin(test, trouble);
	for (n = 0; n < 1500000; n++) {
		step(n);
		/* all reported, and all slots free: no fate is open */
		if (world.n_calls == CALLS && world.n_reported == CALLS &&
		    !world.assoc[0]->tx.in_use)
			break;
	}
	collect_outcomes();
	/* one-way requests are still in the queue */
	while (trouble->flags & TERN_CALL_ONEWAY &&
	       tern_service_has_requests(world.workers[0].worker.service))
		step(n++);
	KUNIT_EXPECT_EQ(test, world.n_reported, (unsigned int)CALLS);
	KUNIT_EXPECT_EQ(test, world.assoc[0]->tx.in_use, 0);
	KUNIT_EXPECT_EQ(test, world.assoc[0]->tx.quarantined, 0);
	good = check_records(test);
	if (trouble->timeout_ms == 60000 && !trouble->cancel)
		KUNIT_EXPECT_EQ(test, good, (unsigned int)CALLS);
	else
		KUNIT_EXPECT_GT(test, good, 100U);
	finish();
}

/* A worker takes what is there, and does not reply. */
static void take_all(struct tern_worker *worker)
{
	struct tern_request *req;
	struct tern_outbox out;

	tern_outbox_init(&out);
	while ((req = tern_worker_take(worker, &out))) {
		KUNIT_ASSERT_FALSE(world.test, IS_ERR(req));
		tern_request_consumed(req);
		tern_request_put(req);
	}
	KUNIT_EXPECT_TRUE(world.test, skb_queue_empty(&out.q));
}

/* How many a worker has that were given up; those are behind the others. */
static unsigned int count_given_up(const struct tern_worker *worker)
{
	const struct tern_request *req;
	unsigned int n = 0;

	list_for_each_entry(req, &worker->executing, link) {
		KUNIT_EXPECT_TRUE(world.test, req->given_up || !n);
		n += req->given_up;
	}
	return n;
}

/*
 * What was given up costs the timer nothing any more: it looks at the first of
 * those and not behind it.
 */
static void given_up_is_left_alone(struct kunit *test)
{
	struct trouble calm = { .name = "a worker that hangs" };
	struct worker *w = &world.workers[0];
	struct tern_request *last;
	struct tern_outbox out;
	unsigned int i, steps;

	begin(test, &calm);
	/* some at the beginning; as many 60 ms later, which are given up first */
	for (steps = 0; !count_given_up(&w->worker); steps++) {
		KUNIT_ASSERT_LT(test, steps, 1500U);
		calm.timeout_ms = steps ? 60 : 200;
		for (i = 0; i < 20 && steps % 300 == 0 && steps < 600; i++)
			submit();
		pass_time();
		take_all(&w->worker);
	}
	KUNIT_EXPECT_EQ(test, count_given_up(&w->worker), 20U);
	KUNIT_EXPECT_FALSE(test, list_first_entry(&w->worker.executing,
						  struct tern_request,
						  link)->given_up);

	last = list_last_entry(&w->worker.executing, struct tern_request, link);
	last->given_up = false;
	tern_outbox_init(&out);
	tern_workers_timeout(w->worker.service, &out);
	flush(&out);
	KUNIT_EXPECT_FALSE(test, last->given_up);
	last->given_up = true;

	/* until no fate is open */
	while (count_given_up(&w->worker) < 40 || world.assoc[0]->tx.in_use) {
		KUNIT_ASSERT_LT(test, steps++, 5000U);
		pass_time();
	}
	collect_outcomes();
	finish();
}

static struct kunit_case exchange_cases[] = {
	KUNIT_CASE_PARAM(history, trouble_gen_params),
	KUNIT_CASE(given_up_is_left_alone),
	{}
};

static struct kunit_suite exchange_suite = {
	.name = "tern_exchange",
	.test_cases = exchange_cases,
};

kunit_test_suite(exchange_suite);
