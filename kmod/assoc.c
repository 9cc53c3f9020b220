// SPDX-License-Identifier: GPL-2.0
/*
 * Associations: their table, their end, their slots' memory.
 *
 * Layer: L1.
 */
#include <linux/random.h>
#include <linux/slab.h>
#include <net/ipv6.h>

#include "assoc.h"
#include "call.h"
#include "cause.h"
#include "message.h"
#include "packet.h"
#include "peer.h"
#include "request.h"

/* More slots are offered when a slot this close to the limit is used. */
#define SLOTS_AHEAD	(TERN_SLOT_CHUNK / 2)

/* Tombstones beyond this many are not kept; STALE then tells less. */
#define TOMBSTONES_MAX	65536

static u64 id_alloc(struct tern_net *tn)
{
	u64 id = 0;

	spin_lock_bh(&tn->lock);
	if (tn->assoc_left) {
		tn->assoc_left--;
		if (!tn->assoc_next)
			tn->assoc_next++;
		id = (u64)tn->assoc_next++ << 32 | get_random_u32() | 1;
	}
	spin_unlock_bh(&tn->lock);
	return id;
}

static void assoc_free(struct tern_assoc *assoc)
{
	unsigned int i;

	for (i = 0; i < TERN_SLOT_CHUNKS; i++) {
		kfree(assoc->tx.chunk[i]);
		kfree(assoc->rx.chunk[i]);
	}
	tern_route_free(rcu_dereference_protected(assoc->route, true));
	tern_peer_put(assoc->peer);
	kfree(assoc);
}

static void assoc_free_rcu(struct rcu_head *rcu)
{
	assoc_free(container_of(rcu, struct tern_assoc, rcu));
}

void tern_assoc_put(struct tern_assoc *assoc)
{
	if (refcount_dec_and_test(&assoc->ref))
		call_rcu(&assoc->rcu, assoc_free_rcu);
}

/**
 * tern_assoc_create - make an association and enter it into the table
 * @peer: with whom
 * @route: the way there; belongs to the association, or is freed on failure
 * @state: TERN_ASSOC_HELLO or TERN_ASSOC_NEW, TERN_ASSOC_UP for the own node
 *
 * Context: any; the lock of the peer is held.
 * Return: the association, which is in the lists of the peer, or NULL without
 * memory or beyond a limit.
 */
struct tern_assoc *tern_assoc_create(struct tern_peer *peer,
				     struct tern_route *route,
				     enum tern_assoc_state state)
{
	struct tern_net *tn = peer->tn;
	struct tern_assoc *assoc;
	u32 max = state == TERN_ASSOC_HELLO ? tern_net_calls_max(tn) :
					      READ_ONCE(tn->set.peers_max);

	if (peer->n_assocs >= TERN_PEER_ASSOCS_MAX)
		goto err_route;
	if (atomic_inc_return(&tn->n_assocs) > max && !peer->self)
		goto err_count;
	assoc = kzalloc(sizeof(*assoc), GFP_ATOMIC);
	if (!assoc)
		goto err_count;

	assoc->tn = tn;
	assoc->peer = peer;
	assoc->state = state;
	assoc->accepted = state == TERN_ASSOC_NEW;
	assoc->may_call = state != TERN_ASSOC_HELLO ||
			  tern_net_allows(tn, &peer->key.addr);
	assoc->began_us = tern_now_us();
	assoc->heard_us = assoc->began_us;
	assoc->confirmed_us = assoc->began_us;
	assoc->lease_ms = READ_ONCE(tn->set.lease_ms);
	assoc->mtu = TERN_MTU_SAFE;
	assoc->mtu_remote = TERN_MTU_SAFE;
	RCU_INIT_POINTER(assoc->route, route);
	tern_rtt_init(&assoc->rtt);
	tern_rtt_init(&assoc->answer);
	assoc->tx.free = TERN_SLOT_NONE;
	spin_lock_init(&assoc->rx.lock);
	INIT_LIST_HEAD(&assoc->rx.receiving);
	refcount_set(&assoc->ref, 1);
	assoc->id = id_alloc(tn);
	tern_rx_set_offer(&assoc->rx, 0, true, TERN_SLOTS_FIRST);
	tern_tx_set_offer(&assoc->tx, TERN_SLOTS_FIRST);
	if (!assoc->id)
		goto err_free;
	if (xa_insert_bh(&tn->assocs, tern_assoc_index(assoc), assoc,
			 GFP_ATOMIC))
		goto err_free;

	tern_peer_get(peer);
	list_add_tail(&assoc->link, &peer->assocs);
	peer->n_assocs++;
	return assoc;

err_free:
	kfree(assoc);
err_count:
	atomic_dec(&tn->n_assocs);
err_route:
	tern_route_free(route);
	TERN_COUNT(tn, ASSOC_REFUSED);
	return NULL;
}

/**
 * tern_assoc_find - the association of an id that came in a packet
 * @tn: the node
 * @id: the id
 *
 * Context: under rcu_read_lock().
 * Return: the association without a reference, or NULL.
 */
struct tern_assoc *tern_assoc_find(struct tern_net *tn, u64 id)
{
	struct tern_assoc *assoc = xa_load(&tn->assocs, id >> 32);

	if (!assoc || xa_is_value(assoc) || assoc->id != id)
		return NULL;
	return assoc;
}

/**
 * tern_assoc_lookup_index - the association of a handle that a user gave
 * @tn: the node
 * @index: the upper half of its id
 *
 * Return: the association with a reference, or NULL.
 */
struct tern_assoc *tern_assoc_lookup_index(struct tern_net *tn, u32 index)
{
	struct tern_assoc *assoc;

	rcu_read_lock();
	assoc = xa_load(&tn->assocs, index);
	if (xa_is_value(assoc) ||
	    (assoc && !refcount_inc_not_zero(&assoc->ref)))
		assoc = NULL;
	rcu_read_unlock();
	return assoc;
}

/* Tombstones: in place of the association, when it ended. */
static void bury(struct tern_assoc *assoc)
{
	struct tern_net *tn = assoc->tn;
	u32 index = tern_assoc_index(assoc);
	void *stone = xa_mk_value(div_u64(tern_now_us(), 1000) & LONG_MAX);

	if (atomic_inc_return(&tn->n_tombstones) > TOMBSTONES_MAX) {
		atomic_dec(&tn->n_tombstones);
		xa_erase_bh(&tn->assocs, index);
		return;
	}
	/* The entry is there, so that this allocates nothing. */
	xa_store_bh(&tn->assocs, index, stone, GFP_ATOMIC);
}

static u64 stone_age_ms(void *stone)
{
	return (div_u64(tern_now_us(), 1000) - xa_to_value(stone)) & LONG_MAX;
}

/**
 * tern_assoc_ended_age_ms - how long ago an association ended
 * @tn: the node
 * @id: its id
 *
 * Return: milliseconds, or TERN_WIRE_AGE_UNKNOWN when it is not remembered.
 */
u32 tern_assoc_ended_age_ms(struct tern_net *tn, u64 id)
{
	void *entry = xa_load(&tn->assocs, id >> 32);

	if (!xa_is_value(entry))
		return TERN_WIRE_AGE_UNKNOWN;
	return min_t(u64, stone_age_ms(entry), TERN_WIRE_AGE_UNKNOWN - 1);
}

/**
 * tern_assoc_forget - drop tombstones that nobody can ask for any more
 * @tn: the node
 */
void tern_assoc_forget(struct tern_net *tn)
{
	u64 keep_ms = 2ULL * READ_ONCE(tn->set.lease_ms);
	unsigned long index;
	void *entry;

	if (!atomic_read(&tn->n_tombstones))
		return;
	xa_for_each(&tn->assocs, index, entry) {
		if (!xa_is_value(entry) || stone_age_ms(entry) < keep_ms)
			continue;
		xa_erase_bh(&tn->assocs, index);
		atomic_dec(&tn->n_tombstones);
	}
}

/**
 * tern_assoc_end - end an association
 * @assoc: the association
 * @stale: the STALE packet that ended it, or NULL
 * @cause: for the calls that cannot go on, enum tern_cause
 * @why: for the requests that are executing
 * @out: for the handshake of those that can
 *
 * Calls end as NOT_EXECUTED where that is certain, else as UNKNOWN; idempotent
 * ones wait for the next association.  Requests that are not executing are
 * dropped; the others are orphans, see enum tern_orphans.
 *
 * Context: any; no lock held.
 */
void tern_assoc_end(struct tern_assoc *assoc, const struct tern_wire_pkt *stale,
		    u8 cause, enum tern_end why, struct tern_outbox *out)
{
	struct tern_peer *peer = assoc->peer;
	struct tern_net *tn = assoc->tn;

	spin_lock_bh(&peer->lock);
	if (assoc->state == TERN_ASSOC_ENDED) {
		spin_unlock_bh(&peer->lock);
		return;
	}
	WRITE_ONCE(assoc->state, TERN_ASSOC_ENDED);
	list_del(&assoc->link);
	peer->n_assocs--;
	peer->used = jiffies;
	if (peer->assoc == assoc)
		peer->assoc = NULL;
	if (peer->hello == assoc) {
		peer->hello = NULL;
		if (timer_delete(&peer->timer))
			tern_peer_put(peer);
	}
	__tern_calls_assoc_ended(assoc, stale, cause);
	__tern_calls_pump(peer, out);
	spin_unlock_bh(&peer->lock);

	tern_requests_assoc_ended(assoc, why);
	bury(assoc);
	atomic_dec(&tn->n_assocs);
	TERN_COUNT(tn, ASSOC_ENDED);
	tern_assoc_put(assoc);
}

/**
 * tern_assoc_bye - tell the peer that an association is about to end
 * @assoc: the association
 * @out: for the packet, to be sent before tern_assoc_end()
 */
void tern_assoc_bye(struct tern_assoc *assoc, struct tern_outbox *out)
{
	struct tern_wire_pkt bye = { .type = TERN_PKT_BYE };

	if (assoc->remote_id)
		tern_packet_post(out, assoc, &bye, NULL, 0);
}

/**
 * tern_assoc_next - walk the associations
 * @tn: the node
 * @index: where to begin, moved on to where to go on
 *
 * Return: the next association with a reference, or NULL at the end.
 */
struct tern_assoc *tern_assoc_next(struct tern_net *tn, unsigned long *index)
{
	struct tern_assoc *assoc;
	void *entry;

	for (;;) {
		entry = xa_find(&tn->assocs, index, ULONG_MAX, XA_PRESENT);
		if (!entry)
			return NULL;
		assoc = tern_assoc_lookup_index(tn, (*index)++);
		if (assoc)
			return assoc;
	}
}

static void follow(struct tern_assoc *assoc, const struct in6_addr *was,
		   const struct tern_path *from)
{
	struct tern_route *old, *route;

	if (!ipv6_addr_equal(&from->peer.addr, was) &&
	    !tern_net_allows(assoc->tn, &from->peer.addr)) {
		TERN_COUNT(assoc->tn, NOT_ALLOWED);
		return;
	}
	route = tern_route_alloc(from);
	if (!route)
		return;
	spin_lock_bh(&assoc->rx.lock);
	old = rcu_replace_pointer(assoc->route, route,
				  lockdep_is_held(&assoc->rx.lock));
	spin_unlock_bh(&assoc->rx.lock);
	tern_route_free_rcu(old);
}

/**
 * tern_assoc_heard - a valid packet of the peer arrived
 * @assoc: the association
 * @from: the way it came, seen from here; NULL from the own node
 * @newest: it is not an old duplicate, so that the peer is there now
 *
 * The address of a packet that is not old becomes the one that the peer is
 * sent to, provided that the node may associate with it.
 *
 * Context: under rcu_read_lock(); no lock held.
 */
void tern_assoc_heard(struct tern_assoc *assoc, const struct tern_path *from,
		      bool newest)
{
	const struct tern_route *route = rcu_dereference(assoc->route);

	/* The own node cannot fall silent. */
	if (!from)
		return;
	WRITE_ONCE(assoc->heard_us, tern_now_us());
	if (newest && !tern_path_is_same(&route->path, from))
		follow(assoc, &route->path.peer.addr, from);
}

/**
 * tern_assoc_has_moved - whether the peer is at another address than its own
 * @assoc: the association
 *
 * Another node may have the address of the peer then.
 *
 * Context: under rcu_read_lock().
 */
bool tern_assoc_has_moved(const struct tern_assoc *assoc)
{
	const struct tern_route *route = rcu_dereference(assoc->route);

	return memcmp(&route->path.peer, &assoc->peer->key,
		      sizeof(assoc->peer->key));
}

/**
 * tern_assoc_is_usable - whether new calls may be sent on an association
 * @assoc: the association
 *
 * The client stops well before the server's lease can end, counted from when
 * it last sent something that the server heard.
 *
 * Context: the lock of the peer is held.
 */
bool tern_assoc_is_usable(const struct tern_assoc *assoc)
{
	if (assoc->state != TERN_ASSOC_UP)
		return false;
	return assoc->peer->self ||
	       tern_now_us() - assoc->confirmed_us <
	       assoc->lease_ms * 750ULL;
}

/* Content of a message that fits into one packet of the association. */
unsigned int tern_assoc_room(const struct tern_assoc *assoc)
{
	return min(READ_ONCE(assoc->mtu), READ_ONCE(assoc->mtu_remote)) -
	       TERN_WIRE_HDR_MAX;
}

/**
 * tern_assoc_narrow - large packets do not seem to arrive: send smaller ones
 * @assoc: the association
 * @msg: the message that does not arrive
 *
 * A path may drop what is too large for it without a word (RFC 4821).
 *
 * Return: true when the message is cut anew.
 */
bool tern_assoc_narrow(struct tern_assoc *assoc, struct tern_msg *msg)
{
	if (msg->seg <= TERN_MTU_SAFE - TERN_WIRE_HDR_MAX || assoc->peer->self)
		return false;
	WRITE_ONCE(assoc->mtu_remote, TERN_MTU_SAFE);
	return tern_msg_set_segment(msg, tern_assoc_room(assoc));
}

/* Slots come in chunks. */
static u16 whole_chunks(u32 slots)
{
	return clamp_t(u32, rounddown(slots, TERN_SLOT_CHUNK),
		       TERN_SLOTS_FIRST, TERN_SLOTS_MAX);
}

/**
 * tern_tx_add_free - a slot can be used again
 * @tx: the client side; the lock of the peer is held
 * @i: the slot
 */
void tern_tx_add_free(struct tern_tx *tx, u16 i)
{
	struct tern_txslot *slot = tern_tx_slot(tx, i);

	slot->parked = i >= tx->offer;
	if (slot->parked)
		return;
	slot->next = tx->free;
	tx->free = i;
}

/**
 * tern_tx_set_offer - the peer tells how many slots are to be used
 * @tx: the client side; the lock of the peer is held
 * @offer: how many; a part of a chunk does not count
 */
void tern_tx_set_offer(struct tern_tx *tx, u16 offer)
{
	u16 i = tx->offer;

	tx->offer = whole_chunks(offer);
	for (; i < min(tx->offer, tx->limit); i++)
		if (tern_tx_slot(tx, i)->parked)
			tern_tx_add_free(tx, i);
}

/* More slots, as many as are offered, a chunk at a time. */
static bool tx_grow(struct tern_tx *tx)
{
	struct tern_txslot *chunk;
	u16 was = tx->limit;
	int i;

	if (was >= tx->offer)
		return false;
	chunk = kcalloc(TERN_SLOT_CHUNK, sizeof(*chunk), GFP_ATOMIC);
	if (!chunk)
		return false;
	tx->chunk[was / TERN_SLOT_CHUNK] = chunk;
	tx->limit += TERN_SLOT_CHUNK;
	/* so that the lowest is used first */
	for (i = TERN_SLOT_CHUNK - 1; i >= 0; i--)
		tern_tx_add_free(tx, was + i);
	return true;
}

/**
 * tern_tx_has_free - whether a call can be started
 * @tx: the client side; the lock of the peer is held
 *
 * Return: true when the head of the free list may be used.
 */
bool tern_tx_has_free(struct tern_tx *tx)
{
	/* Offered when they became free, and not any more. */
	while (tx->free != TERN_SLOT_NONE && tx->free >= tx->offer) {
		struct tern_txslot *slot = tern_tx_slot(tx, tx->free);

		slot->parked = true;
		tx->free = slot->next;
	}
	return tx->free != TERN_SLOT_NONE || tx_grow(tx);
}

/**
 * tern_rx_obtain - a slot that the peer uses
 * @rx: the server side; its lock is held
 * @i: the slot
 *
 * Return: the slot, or NULL when it was never offered, or without memory.
 */
struct tern_rxslot *tern_rx_obtain(struct tern_rx *rx, u16 i)
{
	struct tern_rxslot *chunk;

	if (i >= rx->most)
		return NULL;
	while (i >= rx->limit) {
		chunk = kcalloc(TERN_SLOT_CHUNK, sizeof(*chunk), GFP_ATOMIC);
		if (!chunk)
			return NULL;
		rx->chunk[rx->limit / TERN_SLOT_CHUNK] = chunk;
		WRITE_ONCE(rx->limit, rx->limit + TERN_SLOT_CHUNK);
	}
	return tern_rx_slot(rx, i);
}

/**
 * tern_rx_set_offer - decide how many slots the peer shall use
 * @rx: the server side; its lock is held, or nobody else knows it
 * @used: the slot of a new call
 * @pressure: memory is short: the least, otherwise a chunk more when the offer
 *	is nearly used up
 * @max: the limit of the node, which may have been lowered; a part of a chunk
 *	does not count
 *
 * The peer is told with every packet.  A slot that was offered remains usable,
 * since what it has seen must not be forgotten.
 *
 * Return: true when more are offered than before.
 */
bool tern_rx_set_offer(struct tern_rx *rx, u16 used, bool pressure, u16 max)
{
	u16 offer, was = rx->offer;

	max = whole_chunks(max);
	offer = min(rx->most, max);
	if (pressure)
		offer = TERN_SLOTS_FIRST;
	else if (used + SLOTS_AHEAD >= offer && offer < max)
		offer += TERN_SLOT_CHUNK;
	if (offer == was)
		return false;
	WRITE_ONCE(rx->offer, offer);
	rx->most = max(rx->most, offer);
	return offer > was;
}
