// SPDX-License-Identifier: GPL-2.0
/*
 * The handshake, and the answer to packets of no association.
 *
 * No memory is spent on an address before it has returned a cookie, and
 * nothing that exists is ended before the new association has been used.
 *
 * Layer: L2.
 */
#include <linux/siphash.h>

#include "call.h"
#include "cause.h"
#include "handshake.h"
#include "output.h"
#include "peer.h"
#include "request.h"
#include "timer.h"

/* A cookie is good for this long, and once more. */
#define COOKIE_PERIOD_US	30000000

static u64 cookie(struct tern_net *tn, const struct tern_addr *addr,
		  const struct tern_wire_pkt *pkt, u64 period)
{
	struct {
		struct tern_addr	addr;
		u64	epoch;
		u64	id;
		u64	period;
	} __packed __aligned(8) key = {
		.addr = *addr,
		.epoch = pkt->hello.epoch,
		.id = pkt->src,
		.period = period,
	};

	return siphash(&key, sizeof(key), &tn->cookie_key) ?: 1;
}

static void send_cookie(struct tern_net *tn, const struct tern_path *from,
			const struct tern_wire_pkt *hello, u64 period)
{
	struct tern_wire_pkt pkt = {
		.type = TERN_PKT_COOKIE,
		.dst = hello->src,
		.tsecr = hello->tsval,
		.hello = {
			.epoch = READ_ONCE(tn->epoch),
			.cookie = cookie(tn, &from->peer, hello, period),
		},
	};

	tern_output_to(tn, from, &pkt);
	TERN_COUNT(tn, COOKIE_OUT);
}

/* Takes over what the peer tells of itself in HELLO or WELCOME. */
static void adopt(struct tern_assoc *assoc, const struct tern_wire_pkt *pkt)
{
	assoc->remote_epoch = pkt->hello.epoch;
	assoc->lease_ms = min(assoc->lease_ms, pkt->hello.lease_ms);
	assoc->mtu_remote = max_t(u32, pkt->hello.mtu,
				  TERN_WIRE_HDR_MAX + TERN_WIRE_SEG_MIN);
	tern_tx_set_offer(&assoc->tx, pkt->slots);
	WRITE_ONCE(assoc->remote_id, pkt->src);
}

/* The association that a HELLO asks for; the peer's lock is held. */
static struct tern_assoc *accept(struct tern_peer *peer,
				 const struct tern_path *from,
				 const struct tern_wire_pkt *pkt)
{
	struct tern_assoc *assoc;
	struct tern_route *route;

	list_for_each_entry(assoc, &peer->assocs, link)
		if (assoc->remote_id == pkt->src &&
		    assoc->remote_epoch == pkt->hello.epoch)
			return assoc;
	route = tern_route_alloc(from);
	if (!route)
		return NULL;
	assoc = tern_assoc_create(peer, route, TERN_ASSOC_NEW);
	if (assoc)
		adopt(assoc, pkt);
	return assoc;
}

/**
 * tern_handshake_hello - a HELLO arrived
 * @tn: the node
 * @from: the way it came
 * @pkt: the packet
 * @out: for packets
 */
void tern_handshake_hello(struct tern_net *tn, const struct tern_path *from,
			  const struct tern_wire_pkt *pkt,
			  struct tern_outbox *out)
{
	u64 period = div_u64(tern_now_us(), COOKIE_PERIOD_US);
	struct tern_wire_pkt welcome = {
		.type = TERN_PKT_WELCOME,
		.tsecr = pkt->tsval ?: 1,
		.hello = {
			.epoch = READ_ONCE(tn->epoch),
			.lease_ms = READ_ONCE(tn->set.lease_ms),
			.mtu = TERN_MTU_TAKEN,
		},
	};
	struct tern_assoc *assoc = NULL;
	struct tern_peer *peer;

	TERN_COUNT(tn, HELLO_IN);
	if (!tern_net_allows(tn, &from->peer.addr)) {
		TERN_COUNT(tn, NOT_ALLOWED);
		return;
	}
	if (pkt->hello.cookie != cookie(tn, &from->peer, pkt, period) &&
	    pkt->hello.cookie != cookie(tn, &from->peer, pkt, period - 1)) {
		if (pkt->hello.cookie)
			TERN_COUNT(tn, BAD_COOKIE);
		send_cookie(tn, from, pkt, period);
		return;
	}
	peer = tern_peer_obtain(tn, &from->peer, READ_ONCE(tn->set.peers_max));
	if (IS_ERR(peer)) {
		TERN_COUNT(tn, ASSOC_REFUSED);
		return;
	}
	spin_lock_bh(&peer->lock);
	/* Not while the node goes down: its bearer will not outlive that. */
	if (!peer->dead && READ_ONCE(tn->up))
		assoc = accept(peer, from, pkt);
	if (assoc) {
		tern_packet_post(out, assoc, &welcome, NULL, 0);
		TERN_COUNT(tn, WELCOME_OUT);
	}
	spin_unlock_bh(&peer->lock);
	tern_peer_put(peer);
	tern_timer_sweep_need(tn);
}

/**
 * tern_handshake_cookie - a COOKIE arrived: say HELLO with it
 * @assoc: the association, being made
 * @pkt: the packet
 * @out: for packets
 */
void tern_handshake_cookie(struct tern_assoc *assoc,
			   const struct tern_wire_pkt *pkt,
			   struct tern_outbox *out)
{
	struct tern_peer *peer = assoc->peer;
	bool first;

	spin_lock_bh(&peer->lock);
	if (peer->hello == assoc && pkt->hello.cookie != peer->cookie) {
		/* Another one than before waits for the timer. */
		first = !peer->cookie;
		peer->cookie = pkt->hello.cookie;
		if (first)
			__tern_peer_say_hello(peer, out);
	}
	spin_unlock_bh(&peer->lock);
}

/* Whether an association is of a life of the peer that ended before @assoc. */
static bool is_of_earlier_life(const struct tern_assoc *old,
			       const struct tern_assoc *assoc)
{
	return (old->state == TERN_ASSOC_UP || old->state == TERN_ASSOC_NEW) &&
	       !old->superseded &&
	       old->began_us <= assoc->began_us &&
	       old->remote_epoch != assoc->remote_epoch;
}

/* Ends what is left of earlier lives of a peer; @assoc is of the present. */
static void end_earlier_lives(struct tern_assoc *assoc, struct tern_outbox *out)
{
	struct tern_assoc *old, *found;
	struct tern_peer *peer = assoc->peer;

	tern_peer_has_life(assoc, false);
	do {
		found = NULL;
		spin_lock_bh(&peer->lock);
		list_for_each_entry(old, &peer->assocs, link) {
			if (!is_of_earlier_life(old, assoc) ||
			    tern_assoc_has_moved(old))
				continue;
			found = old;
			WRITE_ONCE(old->superseded, true);
			if (peer->assoc == old)
				peer->assoc = NULL;
			tern_assoc_get(found);
			break;
		}
		spin_unlock_bh(&peer->lock);
		if (found) {
			TERN_COUNT(peer->tn, PEER_REBOOT);
			if (!tern_requests_ask(found, out))
				tern_assoc_end(found, NULL, TERN_CAUSE_RESET,
					       TERN_END_REBORN, out);
			tern_assoc_put(found);
		}
	} while (found);
}

/**
 * tern_handshake_welcome - a WELCOME arrived: the association is made
 * @assoc: the association
 * @pkt: the packet
 * @out: for packets
 */
void tern_handshake_welcome(struct tern_assoc *assoc,
			    const struct tern_wire_pkt *pkt,
			    struct tern_outbox *out)
{
	struct tern_peer *peer = assoc->peer;
	u64 now = tern_now_us();
	u32 trip = (u32)now - pkt->tsecr;

	spin_lock_bh(&peer->lock);
	if (peer->hello != assoc) {
		spin_unlock_bh(&peer->lock);
		return;
	}
	adopt(assoc, pkt);
	if (trip < now - assoc->began_us) {
		tern_rtt_sample(&assoc->rtt, trip);
		assoc->confirmed_us = now - trip;
	}
	WRITE_ONCE(assoc->heard_us, now);
	WRITE_ONCE(assoc->state, TERN_ASSOC_UP);
	peer->hello = NULL;
	peer->assoc = assoc;
	peer->trouble = TERN_CAUSE_NONE;
	/* until a call is answered */
	peer->hello_pause = tern_rtt_backoff(max_t(u32, peer->hello_pause,
						   TERN_RTO_MIN_US));
	if (timer_delete(&peer->timer))
		tern_peer_put(peer);
	TERN_COUNT(peer->tn, ASSOC_MADE);
	__tern_calls_pump(peer, out);
	spin_unlock_bh(&peer->lock);
	end_earlier_lives(assoc, out);
}

/**
 * tern_handshake_confirm - the peer uses an association that it asked for
 * @assoc: the association
 * @out: for packets
 */
void tern_handshake_confirm(struct tern_assoc *assoc, struct tern_outbox *out)
{
	struct tern_peer *peer = assoc->peer;
	bool confirm;

	spin_lock_bh(&peer->lock);
	confirm = assoc->state == TERN_ASSOC_NEW;
	if (confirm) {
		WRITE_ONCE(assoc->state, TERN_ASSOC_UP);
		TERN_COUNT(peer->tn, ASSOC_MADE);
		/* It may be the only one: a HELLO of this node may be in vain. */
		if (!peer->assoc || is_of_earlier_life(peer->assoc, assoc))
			peer->assoc = assoc;
		__tern_calls_pump(peer, out);
	}
	spin_unlock_bh(&peer->lock);
	if (confirm)
		end_earlier_lives(assoc, out);
}

static bool is_known(struct tern_net *tn, const struct tern_path *from)
{
	struct tern_peer *peer = tern_peer_lookup(tn, &from->peer);

	if (peer)
		tern_peer_put(peer);
	return peer;
}

/**
 * tern_handshake_refuse - answer a packet of an association that is not known
 * @tn: the node
 * @from: the way it came
 * @pkt: the packet
 *
 * The answer is not much longer than the question (56 bytes to the 44 of CANCEL,
 * 48 of ASK, 53 of RESEND and 76 of REQ), rate-limited, and goes only to nodes
 * that may associate with this one, and to those that it calls: they may ask for
 * the owner of a call that it made in an earlier life.
 */
void tern_handshake_refuse(struct tern_net *tn, const struct tern_path *from,
			   const struct tern_wire_pkt *pkt)
{
	/* Pairs with the release in tern_node_up(): the epoch is set. */
	bool up = smp_load_acquire(&tn->up);
	struct tern_wire_pkt stale = {
		.type = TERN_PKT_STALE,
		.dst = pkt->src,
		.src = pkt->dst,
		.slot = pkt->slot,
		.seq = pkt->seq,
		.tsecr = pkt->tsval ?: 1,
		.stale = {
			.epoch = READ_ONCE(tn->epoch),
			.ended_age_ms = tern_assoc_ended_age_ms(tn, pkt->dst),
		},
	};

	/* A node that is not up has no epoch to tell of. */
	if (!up)
		return;
	if (!tern_net_allows(tn, &from->peer.addr) && !is_known(tn, from)) {
		TERN_COUNT(tn, NOT_ALLOWED);
		return;
	}
	if (!__ratelimit(&tn->stale_limit))
		return;
	tern_output_to(tn, from, &stale);
	TERN_COUNT(tn, STALE_OUT);
}
