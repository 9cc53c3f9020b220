// SPDX-License-Identifier: GPL-2.0
/*
 * The list of calls: those that this node makes, peer by peer, and those that
 * it serves, association by association and then, for one-way calls, which
 * leave their slots, service by service.
 *
 * Layer: L3.
 */
#include "assoc.h"
#include "call.h"
#include "netlink.h"
#include "netlink_gen.h"
#include "peer.h"
#include "request.h"
#include "service.h"

enum call_phase {
	PHASE_OWN,		/* calls within the node */
	PHASE_PEERS,
	PHASE_SLOTS,
	PHASE_ONEWAY,
	PHASE_DONE,
};

/*
 * struct call_cursor - where the list has come to
 * @last: address of the last call or request shown of the present peer or
 *	service.  They are shown in the order of their addresses, which stay the
 *	same while they move between queues and slots.
 */
struct call_cursor {
	union {
		struct tern_nl_peer_cursor	peer;
		struct tern_nl_service_cursor	service;
		struct {
			/* index, 32 bits, or beyond the last one */
			unsigned long	assoc;
			u32	slot;		/* the next */
		};
	};
	unsigned long	last;
	u8	phase;		/* enum call_phase */
};

struct call_dump {
	struct sk_buff	*skb;
	struct netlink_callback	*cb;
	struct tern_net	*tn;
	struct call_cursor	*cursor;
	struct tern_nl_batch	outer;	/* peers or services */
	struct tern_nl_batch	inner;	/* calls or requests of one of them */
};

static int compare_pointers(const void *a, const void *b)
{
	if (a != b)
		return a < b ? -1 : 1;
	return 0;
}

/* What both sides have. */
struct call_common {
	const struct tern_peer	*peer;
	u32	side;
	u32	state;
	u32	program;
	u32	version;
	u32	procedure;
	u64	began_us;
	u64	deadline_us;
};

static int put_peer(struct sk_buff *skb, const struct tern_peer *peer)
{
	static const struct tern_addr none;
	const struct tern_addr *addr = peer->self ? &none : &peer->key;

	if (nla_put_in6_addr(skb, TERN_A_CALL_ADDRESS, &addr->addr) ||
	    nla_put_u16(skb, TERN_A_CALL_PORT, ntohs(addr->port)) ||
	    nla_put_u32(skb, TERN_A_CALL_SCOPE_ID, addr->scope))
		return -EMSGSIZE;
	return 0;
}

static int put_common(struct sk_buff *skb, const struct call_common *call)
{
	/* One clock for both, so that together they are what the call was given. */
	u64 now = tern_now_us(), age = 0, left = 0;

	if (now > call->began_us)
		age = div_u64(now - call->began_us, 1000);
	if (call->deadline_us > now)
		left = div_u64(call->deadline_us - now, 1000);
	if (put_peer(skb, call->peer) ||
	    nla_put_u32(skb, TERN_A_CALL_SIDE, call->side) ||
	    nla_put_u32(skb, TERN_A_CALL_STATE, call->state) ||
	    nla_put_u32(skb, TERN_A_CALL_PROGRAM, call->program) ||
	    nla_put_u32(skb, TERN_A_CALL_VERSION, call->version) ||
	    nla_put_u32(skb, TERN_A_CALL_PROCEDURE, call->procedure) ||
	    nla_put_u64_64bit(skb, TERN_A_CALL_AGE_MS, age, TERN_A_CALL_PAD) ||
	    nla_put_u64_64bit(skb, TERN_A_CALL_LEFT_MS, left, TERN_A_CALL_PAD))
		return -EMSGSIZE;
	return 0;
}

static int put_slot(struct sk_buff *skb, u16 slot, u64 seq)
{
	if (nla_put_u32(skb, TERN_A_CALL_SLOT, slot) ||
	    nla_put_u64_64bit(skb, TERN_A_CALL_SEQ, seq, TERN_A_CALL_PAD))
		return -EMSGSIZE;
	return 0;
}

static u32 client_state(const struct tern_call *call)
{
	if (call->state != TERN_CALL_SENT)
		return TERN_CALL_STATE_WAITING;
	if (call->cancelling)
		return TERN_CALL_STATE_CANCELLING;
	if (call->replying)
		return TERN_CALL_STATE_REPLYING;
	return TERN_CALL_STATE_SENT;
}

/* Under the lock of the peer. */
static int __put_call(struct sk_buff *skb, const struct tern_call *call)
{
	struct call_common common = {
		.peer = call->peer,
		.side = TERN_CALL_SIDE_CLIENT,
		.state = client_state(call),
		.program = call->program,
		.version = call->version,
		.procedure = call->procedure,
		.began_us = call->began_us,
		.deadline_us = call->deadline_us,
	};
	int err = put_common(skb, &common);

	if (!err && call->state == TERN_CALL_SENT)
		err = put_slot(skb, call->slot, call->seq);
	if (err ||
	    nla_put_u32(skb, TERN_A_CALL_RETRANSMISSIONS, call->retransmits) ||
	    nla_put_u32(skb, TERN_A_CALL_REQUEST_BYTES, call->msg->len))
		return -EMSGSIZE;
	return 0;
}

static int dump_call(struct call_dump *dump, struct tern_peer *peer,
		     const struct tern_call *call)
{
	struct tern_nl_object object;
	bool ended;
	int err;

	err = tern_nl_begin(dump->skb, dump->cb, &object, TERN_CMD_CALL_GET,
			    TERN_A_CALL);
	if (err)
		return err;
	spin_lock_bh(&peer->lock);
	ended = call->state == TERN_CALL_ENDED;
	if (!ended)
		err = __put_call(dump->skb, call);
	spin_unlock_bh(&peer->lock);
	if (!ended)
		return tern_nl_end(dump->skb, &object, err);
	tern_nl_end(dump->skb, &object, -ENOENT);
	return 0;
}

/* Takes a reference, unless the call has been shown or others come first. */
static struct tern_call *__offer_call(struct call_dump *dump,
				      struct tern_call *call)
{
	if ((unsigned long)call <= dump->cursor->last)
		return NULL;
	tern_call_get(call);
	return tern_nl_batch_add(&dump->inner, call, compare_pointers);
}

/*
 * Calls that the batch has no room for are dropped under the lock: the peer
 * has references to them too, so that these are not the last.
 */
static void collect_calls(struct call_dump *dump, struct tern_peer *peer)
{
	struct tern_assoc *assoc;
	struct tern_call *call;
	unsigned int i;

	dump->inner.count = 0;
	spin_lock_bh(&peer->lock);
	list_for_each_entry(call, &peer->waiting, link) {
		struct tern_call *surplus = __offer_call(dump, call);

		if (surplus)
			tern_call_put(surplus);
	}
	list_for_each_entry(assoc, &peer->assocs, link) {
		for (i = 0; i < assoc->tx.limit; i++) {
			call = tern_tx_slot(&assoc->tx, i)->call;
			if (call)
				call = __offer_call(dump, call);
			if (call)
				tern_call_put(call);
		}
	}
	spin_unlock_bh(&peer->lock);
}

static int dump_calls(struct call_dump *dump, struct tern_peer *peer)
{
	unsigned int i;
	int err = 0;

	do {
		collect_calls(dump, peer);
		for (i = 0; i < dump->inner.count; i++) {
			struct tern_call *call = dump->inner.object[i];

			if (!err)
				err = dump_call(dump, peer, call);
			if (!err)
				dump->cursor->last = (unsigned long)call;
			tern_call_put(call);
		}
	} while (!err && dump->inner.count == TERN_NL_BATCH);
	return err;
}

static int dump_own(struct call_dump *dump)
{
	/* Pairs with tern_peer_self(); it is there as long as its namespace. */
	struct tern_peer *self = smp_load_acquire(&dump->tn->self);

	return self ? dump_calls(dump, self) : 0;
}

static int dump_peer(struct call_dump *dump, struct tern_peer *peer)
{
	struct tern_nl_peer_cursor *at = &dump->cursor->peer;
	int err;

	/* The one that the list was inside of may be gone. */
	if (!at->inside || memcmp(&at->key, &peer->key, sizeof(at->key)))
		dump->cursor->last = 0;
	at->key = peer->key;
	at->begun = true;
	at->inside = true;
	err = dump_calls(dump, peer);
	if (!err)
		at->inside = false;
	return err;
}

static int dump_peers(struct call_dump *dump)
{
	unsigned int i;
	int err = 0;

	do {
		tern_nl_peers_next(dump->tn, &dump->cursor->peer, &dump->outer);
		for (i = 0; i < dump->outer.count; i++) {
			struct tern_peer *peer = dump->outer.object[i];

			if (!err)
				err = dump_peer(dump, peer);
			tern_peer_put(peer);
		}
	} while (!err && dump->outer.count == TERN_NL_BATCH);
	return err;
}

static u32 server_state(u8 state, u8 told)
{
	switch (state) {
	case TERN_SLOT_RECEIVING:
		return TERN_CALL_STATE_RECEIVING;
	case TERN_SLOT_QUEUED:
		return TERN_CALL_STATE_QUEUED;
	case TERN_SLOT_DONE:
		return TERN_CALL_STATE_DONE;
	default:
		return told ? TERN_CALL_STATE_CANCELLED :
				   TERN_CALL_STATE_EXECUTING;
	}
}

static int put_request(struct sk_buff *skb, const struct tern_request *req,
		       u8 state)
{
	struct call_common common = {
		.peer = req->assoc->peer,
		.side = TERN_CALL_SIDE_SERVER,
		.state = server_state(state, READ_ONCE(req->told)),
		.program = req->program,
		.version = req->version,
		.procedure = req->procedure,
		.began_us = req->arrived_us,
		.deadline_us = req->deadline_us,
	};

	if (put_common(skb, &common) ||
	    nla_put_u32(skb, TERN_A_CALL_REQUEST_BYTES,
			READ_ONCE(req->in.total)))
		return -EMSGSIZE;
	return 0;
}

/* Under rx.lock. */
static int __dump_slot(struct call_dump *dump, const struct tern_request *req)
{
	u8 state = READ_ONCE(req->state);
	struct tern_nl_object object;
	int err;

	if (state == TERN_SLOT_IDLE || state == TERN_SLOT_ENDED)
		return 0;
	err = tern_nl_begin(dump->skb, dump->cb, &object, TERN_CMD_CALL_GET,
			    TERN_A_CALL);
	if (err)
		return err;
	err = put_request(dump->skb, req, state);
	if (!err)
		err = put_slot(dump->skb, req->slot, req->seq);
	if (!err && state == TERN_SLOT_DONE && req->reply)
		err = nla_put_u32(dump->skb, TERN_A_CALL_REPLY_BYTES,
				  req->reply->len);
	return tern_nl_end(dump->skb, &object, err);
}

static int dump_slots(struct call_dump *dump, struct tern_assoc *assoc)
{
	struct call_cursor *cursor = dump->cursor;
	int err = 0;

	spin_lock_bh(&assoc->rx.lock);
	while (!err && cursor->slot < assoc->rx.limit) {
		const struct tern_request *req =
			tern_rx_slot(&assoc->rx, cursor->slot)->req;

		if (req)
			err = __dump_slot(dump, req);
		if (!err)
			cursor->slot++;
	}
	spin_unlock_bh(&assoc->rx.lock);
	return err;
}

/* The association of the lowest index from the cursor's, with a reference. */
static struct tern_assoc *next_assoc(struct call_dump *dump)
{
	unsigned long index = dump->cursor->assoc;

	return tern_assoc_next(dump->tn, &index);
}

static int dump_assocs(struct call_dump *dump)
{
	struct call_cursor *cursor = dump->cursor;
	struct tern_assoc *assoc;
	int err = 0;

	while (!err && (assoc = next_assoc(dump))) {
		if (cursor->assoc != tern_assoc_index(assoc)) {
			cursor->assoc = tern_assoc_index(assoc);
			cursor->slot = 0;
		}
		err = dump_slots(dump, assoc);
		if (!err) {
			cursor->assoc++;
			cursor->slot = 0;
		}
		tern_assoc_put(assoc);
	}
	return err;
}

static void collect_oneway(struct call_dump *dump, struct tern_service *service)
{
	struct tern_request *req;

	dump->inner.count = 0;
	spin_lock_bh(&service->lock);
	list_for_each_entry(req, &service->queue, link) {
		struct tern_request *surplus;

		if (!(req->flags & TERN_CALL_ONEWAY) ||
		    (unsigned long)req <= dump->cursor->last)
			continue;
		tern_request_get(req);
		surplus = tern_nl_batch_add(&dump->inner, req, compare_pointers);
		if (surplus)
			tern_request_put(surplus);
	}
	spin_unlock_bh(&service->lock);
}

static int dump_request(struct call_dump *dump, const struct tern_request *req)
{
	struct tern_nl_object object;
	int err;

	err = tern_nl_begin(dump->skb, dump->cb, &object, TERN_CMD_CALL_GET,
			    TERN_A_CALL);
	if (err)
		return err;
	err = put_request(dump->skb, req, TERN_SLOT_QUEUED);
	return tern_nl_end(dump->skb, &object, err);
}

static int dump_service(struct call_dump *dump, struct tern_service *service)
{
	struct tern_nl_service_cursor *at = &dump->cursor->service;
	unsigned int i;
	int err = 0;

	if (!at->inside || memcmp(&at->key, &service->key, sizeof(at->key)))
		dump->cursor->last = 0;
	at->key = service->key;
	at->begun = true;
	at->inside = true;
	do {
		collect_oneway(dump, service);
		for (i = 0; i < dump->inner.count; i++) {
			struct tern_request *req = dump->inner.object[i];

			if (!err)
				err = dump_request(dump, req);
			if (!err)
				dump->cursor->last = (unsigned long)req;
			tern_request_put(req);
		}
	} while (!err && dump->inner.count == TERN_NL_BATCH);
	if (!err)
		at->inside = false;
	return err;
}

static int dump_services(struct call_dump *dump)
{
	unsigned int i;
	int err = 0;

	do {
		tern_nl_services_next(dump->tn, &dump->cursor->service,
				      &dump->outer);
		for (i = 0; i < dump->outer.count; i++) {
			struct tern_service *service = dump->outer.object[i];

			if (!err)
				err = dump_service(dump, service);
			tern_service_put(service);
		}
	} while (!err && dump->outer.count == TERN_NL_BATCH);
	return err;
}

static int dump_phase(struct call_dump *dump)
{
	switch (dump->cursor->phase) {
	case PHASE_OWN:
		return dump_own(dump);
	case PHASE_PEERS:
		return dump_peers(dump);
	case PHASE_SLOTS:
		return dump_assocs(dump);
	default:
		return dump_services(dump);
	}
}

int tern_nl_call_get_dumpit(struct sk_buff *skb, struct netlink_callback *cb)
{
	struct call_cursor *cursor = (void *)cb->ctx;
	struct call_dump *dump;
	int err = 0;

	BUILD_BUG_ON(sizeof(*cursor) > sizeof(cb->ctx));
	dump = kmalloc(sizeof(*dump), GFP_KERNEL);
	if (!dump)
		return -ENOMEM;
	dump->skb = skb;
	dump->cb = cb;
	dump->tn = tern_nl_net(cb);
	dump->cursor = cursor;
	while (!err && cursor->phase < PHASE_DONE) {
		u8 phase = cursor->phase;

		err = dump_phase(dump);
		if (!err) {
			memset(cursor, 0, sizeof(*cursor));
			cursor->phase = phase + 1;
		}
	}
	kfree(dump);
	return tern_nl_dumped(skb, err);
}
