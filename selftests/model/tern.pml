/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A model of associations, slots, cancel and reboot, for spin: a client node
 * that makes at-most-once calls, a server node, and the network between them.
 * Documentation/testing.rst, "The model", tells what it shows; check.sh checks
 * it at the sizes given there.
 *
 * The network is a set.  What is sent is in it from then on, and may arrive at
 * any time, in any order, any number of times, or never: so packets are lost,
 * repeated, delayed and reordered without a bound, and sending one again
 * changes nothing.  At any moment the network may heal: what is on its way is
 * lost, and from then on every packet arrives exactly once, still in any order.
 * After that nothing else fails either, and timers go off only when nothing
 * else can happen, so that everything has to come to its end.
 *
 * Each step is what the module does under one lock; the function that does it
 * is named.  Time is an order of events: an age in STALE is "before" or "after".
 * Not here: BUSY as a packet, which only moves timers; cookies, BYE (the
 * receiver may end an association at any time), and the other direction.
 *
 * Each guard can be taken out by a macro: the mutations.  With ONLY=n only the
 * property n is checked:
 *
 *	1  no call is executed twice
 *	2  no outcome is wrong
 *	3  no reply is taken for another call's
 *	4  no slot is used while the fate of its call is open, or lost, and no
 *	   reply is kept when the client has acknowledged it
 *	5  after the network healed every call ends
 *	6  a server that rebooted executes no call of its previous life
 *	7  no request is executed, and no reply taken, before all of it is there
 *	8  what was delivered one-way is executed, unless its queue is lost
 *	9  nothing is given up before its worker was told
 *	10 no policy for orphans gives up what it does not name
 *	11 but all that it names, and no worker waits for the owner for ever
 */

/*
 * Sizes: what may happen before the network heals.  The last association of
 * each side is kept for afterwards.
 */
#ifndef CALLS
#define CALLS	3	/* 2 or 3 */
#endif
#ifndef SLOTS
#define SLOTS	2
#endif
#ifndef ASSOCS
#define ASSOCS	3	/* handshakes of the client; at most 4 */
#endif
#ifndef ACCEPTS
#define ACCEPTS	3	/* associations that the server accepts; at most 4 */
#endif
#ifndef REBOOTS
#define REBOOTS	1	/* of the server; at most 1 */
#endif
#ifndef DEATHS
#define DEATHS	1	/* of the server's process */
#endif
#ifndef LEASES
#define LEASES	1	/* associations that the server ends early */
#endif
#ifndef PARTINGS
#define PARTINGS 1	/* associations that the client ends early */
#endif
#ifndef CANCELS
#define CANCELS	2	/* calls withdrawn, or whose deadline passes */
#endif
#ifndef RESETS
#define RESETS	0	/* reboots of the client; at most 1 */
#endif
#ifndef HEIRS
#define HEIRS	0	/* with RESETS: what may come instead of one */
#endif
#ifndef HANGS
#define HANGS	1	/* with ORPHANS: workers that never end by themselves */
#endif
#ifndef EXTENDS
#define EXTENDS	0	/* with ORPHANS: workers that ask for more time */
#endif
#ifndef ROUNDS
#define ROUNDS	2	/* of timers, within which all ends once healed */
#endif
#ifndef ONLY
#define ONLY	0	/* all properties */
#endif
/*
 * With PARTS a request is in two parts, of which the last one also asks for what
 * is missing.  With TWIN, which is CALLS - 1, call 0 is idempotent: when it is
 * moved to another association it becomes that call, so that its numbers there
 * are not those of the copies that are still on their way.  With REPLY_PARTS a
 * reply is in two parts, of which only the first is sent again by itself.  With
 * ONEWAY call 0 is one-way.  With TAKEOVER the server does not reboot: another
 * node takes over its address, with an epoch of its own, while the first one goes
 * on with what it has, and is reached until the network heals.  With ORPHANS,
 * enum tern_orphans, the service has that policy, and workers may never end by
 * themselves.  With HEIRS, instead of a reboot of the client, another node has
 * its address from then on, while the client goes on at another one: packets
 * reach whom they are for.
 */
#define EXPIRE		0
#define REINCARNATE	1
#define GENTLE		2
#define EXTERMINATE	3
#define PROPERTY(n, holds) assert((ONLY && ONLY != n) || (holds))

/* Sets of at most eight members. */
#define HAS(set, i)	(((set) >> (i)) & 1)
#define ADD(set, i)	set = set | (1 << (i))
#define DROP(set, i)	set = set & ~(1 << (i))

/* Takes a packet from the network: a copy may stay as long as it is not healed */
#define ARRIVES(set, i) if :: healed -> DROP(set, i) :: else fi

/* Chooses x of 0 to n - 1, of those that has() holds for. */
#define PICK(x, n, has) \
	if \
	:: has(0) -> x = 0 \
	:: (n) > 1 && has(1) -> x = 1 \
	:: (n) > 2 && has(2) -> x = 2 \
	:: (n) > 3 && has(3) -> x = 3 \
	:: (n) > 4 && has(4) -> x = 4 \
	fi

/* The network: calls by packet, then associations by packet. */
byte req, cancel, ack, replied, not_executed, unknown;
#ifdef PARTS
byte part, resend;
#endif
#ifdef REPLY_PARTS
byte first, ask_first, ask_last;	/* "replied" is the last part then */
#endif
#ifdef ONEWAY
byte delivered;
#endif
byte hello, welcome;
byte stale, stale_ended;	/* the latter with the same epoch, and an age */
#ifdef OTHER_EPOCH_IS_PROOF
byte stale_other;	/* of another epoch, which is like the first otherwise */
#endif
bool healed;
bool finished;

/* enum tern_outcome, as the user was told; NONE before */
#define NONE		0
#define REPLIED		1
#define NOT_EXECUTED	2
#define UNKNOWN		3
#define NOBODY_LEFT	4	/* its user was on a client that rebooted */
#define MOVED		5	/* the twin goes on */
#define DELIVERED	6

/*
 * The client's calls: enum tern_call_state, and what struct tern_call has.  The
 * association, slot and number are also what the packets of the call carry.
 */
#define WAITING		0
#define SENT		1
#define ENDED		2
byte state[CALLS], told[CALLS];
byte call_assoc[CALLS], call_accept[CALLS], call_slot[CALLS], call_seq[CALLS];
byte cancelling;	/* calls that CANCEL was sent for */
byte unacked;		/* calls whose reply is not acknowledged yet */
byte acked;		/* calls acknowledged in the healed network */
#ifdef REPLY_PARTS
byte got[CALLS];	/* parts of the reply that are here */
#endif
#ifdef TWIN
bool moved;		/* the twin is in use */
bool may_have_run;	/* ... and the first one may have */
#endif
byte after_end;		/* calls first sent after the server had ended */
#ifdef OTHER_EPOCH_IS_PROOF
byte after_epoch;	/* ... after another epoch had begun */
#endif

/*
 * The client's associations, by number from 1.  slot_call is the call that used
 * the slot last, its number + 1, or 0; its seq is that of the slot.  The slot is
 * in use while that call is SENT.
 */
#define UP	1
#define OVER	2
byte assoc_state[ASSOCS + 1], assoc_accept[ASSOCS + 1];
byte slot_call[(ASSOCS + 1) * SLOTS];
byte n_assocs, current, asking;	/* the last two: peer->assoc, peer->hello */
byte former_life;	/* associations from before the client rebooted */

/*
 * The server's associations, by number from 1, with the client's number, and
 * the records of their slots: enum tern_slot_state, with the outcome in ENDED.
 * record_call is the last call that the slot has seen, its number + 1.
 */
#define IDLE		0
#define QUEUED		1
#define EXECUTING	2
#define DONE		3
#define ENDED_NOT_EXECUTED 4
#define ENDED_UNKNOWN	5
#define RAN		6
#define RECEIVING	7
#define ENDED_DELIVERED	8
byte accept_state[ACCEPTS + 1], accept_assoc[ACCEPTS + 1];
#if RESETS > 0
byte used;	/* associations that the client has used: not TERN_ASSOC_NEW */
#endif
byte record[(ACCEPTS + 1) * SLOTS], record_call[(ACCEPTS + 1) * SLOTS];
#ifdef TWIN
byte ran;		/* records whose call was executed before: slot->ran */
#endif
#ifdef PARTS
byte have[(ACCEPTS + 1) * SLOTS];	/* parts that are here */
#endif
#ifdef ONEWAY
byte queue;		/* one-way calls that a service has */
byte was_queued;	/* ... or has had */
byte lost;		/* ... of which the queue was lost */
#endif
#ifdef ORPHANS
byte ask, own, own_gone, denied;	/* packets; the last is STALE of a client */
byte exterminate;	/* the same, by association of the server */
byte gone;		/* calls whose user is gone */
byte hung;		/* calls whose worker never ends by itself */
byte orphan;		/* calls that execute without a slot */
byte warned, doomed;	/* the worker was told; it will be given up */
byte wanting;		/* calls whose worker waits for the owner's answer */
byte superseded;	/* associations that are kept to ask on them */
byte unheard;		/* calls whose owner was asked in vain until the lease */
bool named;		/* the client's node has named what it left */
bool expired;		/* in the healed network the deadlines pass */
byte hangs, extends;
#endif
byte n_accepts;
byte old_life;		/* associations from before the reboot, or takeover */

/* Faults so far, and rounds of timers since the network healed. */
byte reboots, deaths, leases, partings, cancels, resets, rounds;

/* What really happened: how often a call was given to a worker. */
byte executed[CALLS];

#define TX(c)	(call_assoc[c] * SLOTS + call_slot[c])
#define RX(c)	(call_accept[c] * SLOTS + call_slot[c])

/* What is true of a call and of its twin. */
#ifdef TWIN
#define IDEMPOTENT(x)	((x) == 0 || (x) == TWIN)
#define EXECUTED(x)	(IDEMPOTENT(x) -> executed[0] + executed[TWIN] : executed[x])
#define IS_TOLD(x, outcome) (told[x] == outcome || \
			     (IDEMPOTENT(x) && told[TWIN] == outcome))
#define IS_MADE(x)	((x) != TWIN || moved)
#define MAY_HAVE_RUN(x)	((x) == TWIN && may_have_run)
#define HAS_RUN(k)	HAS(ran, k)
#else
#define IDEMPOTENT(x)	false
#define EXECUTED(x)	executed[x]
#define IS_TOLD(x, outcome) (told[x] == outcome)
#define IS_MADE(x)	true
#define MAY_HAVE_RUN(x)	false
#define HAS_RUN(k)	false
#endif

#ifdef ONEWAY
#define IS_ONEWAY(x)	((x) == 0)
#define WAS_QUEUED(x)	HAS(was_queued, x)
#else
#define IS_ONEWAY(x)	false
#define WAS_QUEUED(x)	false
#endif

#define IS_WAITING(x)	(state[x] == WAITING && IS_MADE(x))
#if CALLS > 2
#define SOME_WAIT (IS_WAITING(0) || IS_WAITING(1) || IS_WAITING(2))
#define FIRST_WAITING (IS_WAITING(0) -> 0 : (IS_WAITING(1) -> 1 : 2))
#else
#define SOME_WAIT (IS_WAITING(0) || IS_WAITING(1))
#define FIRST_WAITING (IS_WAITING(0) -> 0 : 1)
#endif

/* ---- the client: call.c, peer.c, handshake.c, assoc.c ---- */

/* report() */
inline report(x, outcome)
{
	if
	:: told[x] == NONE ->
		told[x] = outcome;
		PROPERTY(2, outcome != REPLIED || executed[x] == 1 ||
			    IDEMPOTENT(x) && EXECUTED(x) > 0);
		PROPERTY(2, outcome != DELIVERED || WAS_QUEUED(x));
		PROPERTY(2, outcome != NOT_EXECUTED || EXECUTED(x) == 0)
	:: else
	fi
}

/* end(), with slot_release(); and what end_unsent() and failed() make of it */
inline end_call(x, outcome)
{
	state[x] = ENDED;
	DROP(cancelling, x);
	DROP(after_end, x);
#ifdef OTHER_EPOCH_IS_PROOF
	DROP(after_epoch, x);
#endif
#ifdef REPLY_PARTS
	got[x] = 0;
#endif
	if
	:: outcome == NOT_EXECUTED && MAY_HAVE_RUN(x) -> report(x, UNKNOWN)
	:: else -> report(x, outcome)
	fi
}

/* may_move(); a call is moved once only, and is at its end the second time */
#ifdef TWIN
#define MAY_MOVE(x)	((x) == 0 && told[x] == NONE && !HAS(cancelling, x))
#else
#define MAY_MOVE(x)	false
#endif
inline move(too_late)
{
#ifdef TWIN
	moved = true;
#ifndef MOVE_FORGETS
	may_have_run = !HAS(too_late, 0);
#endif
	end_call(0, MOVED)
#else
	skip
#endif
}

/*
 * tern_assoc_end() with __tern_calls_assoc_ended(): calls end as UNKNOWN,
 * except those for which was_too_late_to_run()
 */
inline end_assoc(which, too_late)
{
	assoc_state[which] = OVER;
	assoc_accept[which] = 0;
	if
	:: current == which -> current = 0
	:: else
	fi;
	for (i : 0 .. CALLS - 1) {
		if
		:: call_assoc[i] == which ->
			DROP(unacked, i);
			if
			:: state[i] == SENT && MAY_MOVE(i) ->
				move(too_late)
			:: state[i] == SENT && !MAY_MOVE(i) && HAS(too_late, i) ->
				end_call(i, NOT_EXECUTED)
			:: state[i] == SENT && !MAY_MOVE(i) && !HAS(too_late, i) ->
				end_call(i, UNKNOWN)
			:: else
			fi
		:: else
		fi
	}
	for (i : 0 .. SLOTS - 1) {
		slot_call[which * SLOTS + i] = 0
	}
	i = 0
}

/* What is known of a call's fate when its association ends without STALE. */
#ifdef END_MEANS_NOT_EXECUTED
#define NONE_TOO_LATE	255
#else
#define NONE_TOO_LATE	0
#endif

/* Calls that were first sent later than the age in STALE tells. */
#ifdef AGES_NOT_COMPARED
#define AFTER_END	255
#else
#define AFTER_END	after_end
#endif

/* tern_handshake_welcome(), with end_earlier_lives() */
inline welcome_input(from)
{
	if
#ifdef WELCOME_TWICE
	:: assoc_state[accept_assoc[from]] == UP ->
		assoc_accept[accept_assoc[from]] = from;
		for (i : 0 .. CALLS - 1) {
			if
			:: state[i] == SENT &&
			   call_assoc[i] == accept_assoc[from] ->
				call_accept[i] = from
			:: else
			fi
		}
		i = 0
#endif
	:: asking && accept_assoc[from] == asking ->
		assoc_state[asking] = UP;
		assoc_accept[asking] = from;
		current = asking;
		asking = 0;
		for (a : 1 .. ASSOCS) {
			if
			:: assoc_state[a] == UP && a != current &&
			   HAS(old_life, assoc_accept[a]) != HAS(old_life, from) ->
				end_assoc(a, NONE_TOO_LATE)
			:: else
			fi
		}
		a = 0
	:: else
	fi
}

/* start(), with slot_take() */
#define LAST(s)		slot_call[current * SLOTS + (s)]
/* Of the free ones any that was used before, or the first that was not. */
#define IS_FREE(s)	(current && (LAST(s) -> state[LAST(s) - 1] != SENT : \
				     !(s) || LAST((s) - 1)))
#ifdef SAME_SEQ
#define NEXT_SEQ(s)	1
#else
#define NEXT_SEQ(s)	(LAST(s) -> call_seq[LAST(s) - 1] + 1 : 1)
#endif
inline start(x, s)
{
	state[x] = SENT;
	call_assoc[x] = current;
	call_accept[x] = assoc_accept[current];
	call_slot[x] = s;
	call_seq[x] = NEXT_SEQ(s);
	if
	:: LAST(s) -> DROP(unacked, LAST(s) - 1)
	:: else
	fi;
	LAST(s) = x + 1;
	if
	:: accept_state[call_accept[x]] == OVER -> ADD(after_end, x)
	:: else
	fi;
#ifdef OTHER_EPOCH_IS_PROOF
	if
	:: HAS(old_life, call_accept[x]) -> ADD(after_epoch, x)
	:: else
	fi;
#endif
#ifdef PARTS
	ADD(part, x);
#endif
	ADD(req, x)
}

/* find(): the call that waits for an answer with the numbers of x, + 1, or 0 */
inline find(x)
{
#ifdef REPLY_OF_ANY_ASSOC
	found = (current -> slot_call[current * SLOTS + call_slot[x]] : 0);
#else
	found = slot_call[TX(x)];
#endif
	if
	:: found && state[found - 1] != SENT -> found = 0
#ifndef REPLY_BY_SLOT_ONLY
	:: found && state[found - 1] == SENT &&
	   call_seq[found - 1] != call_seq[x] -> found = 0
#endif
	:: else
	fi
}

/* tern_call_input_reply(), with replied() and failed() */
inline reply_input(x, outcome)
{
	find(x);
	if
	:: found ->
		PROPERTY(3, found - 1 == x);
		if
		:: outcome == REPLIED && !IDEMPOTENT(found - 1) ->
			ADD(unacked, found - 1)
		:: else
		fi;
		end_call(found - 1, outcome)
	:: else ->
#ifdef LATE_REPLY_ASKS
		ADD(req, x)
#else
		skip
#endif
	fi;
	found = 0;
	x = 0
}

#ifdef REPLY_PARTS
#ifdef REPLY_PART_IS_WHOLE
#define HAS_ALL(x)	true
#else
#define HAS_ALL(x)	(got[x] == 3)
#endif

/* __tern_call_probe(): asks for the part that is missing */
inline ask_rest(x)
{
#ifdef NO_RESEND_OF_REPLY
	ADD(req, x)
#else
	if
	:: got[x] == 1 -> ADD(ask_last, x)
	:: got[x] == 2 -> ADD(ask_first, x)
	:: else
	fi
#endif
}

/* tern_call_input_reply(), with collect(): a first part asks for the last one */
inline part_input(x, which)
{
	find(x);
	if
	:: found && told[found - 1] != NONE ->
		PROPERTY(3, found - 1 == x);
		ADD(unacked, found - 1);
		end_call(found - 1, REPLIED)
	:: found && told[found - 1] == NONE ->
		PROPERTY(3, found - 1 == x);
		got[found - 1] = got[found - 1] | which;
#ifdef ACK_BEFORE_WHOLE
		ADD(ack, found - 1);
#endif
		if
		:: HAS_ALL(found - 1) ->
			PROPERTY(7, got[found - 1] == 3);
			ADD(ack, found - 1);
			ADD(unacked, found - 1);
			end_call(found - 1, REPLIED)
		:: !HAS_ALL(found - 1) && which == 1 -> ask_rest(found - 1)
		:: else
		fi
	:: else
	fi;
	found = 0;
	x = 0
}
#endif

#define HAS_WELCOME(b)	HAS(welcome, b)
#define HAS_STALE(a)	HAS(stale, a)
#define HAS_STALE_ENDED(a) HAS(stale_ended, a)
#define HAS_STALE_OTHER(a) HAS(stale_other, a)
/* tern_net_new_epoch(): a new life of the client, which knows nothing */
inline reset()
{
	for (i : 0 .. CALLS - 1) {
		if
		:: state[i] == SENT ->
			end_call(i, NOBODY_LEFT)
		:: else
		fi
	}
	for (a : 1 .. n_assocs) {
		assoc_state[a] = OVER;
		assoc_accept[a] = 0;
		ADD(former_life, a);
		for (i : 0 .. SLOTS - 1) {
			slot_call[a * SLOTS + i] = 0
		}
	}
	unacked = 0;
	current = 0;
	asking = 0;
#ifdef CLIENT_ID_REUSED
	n_assocs = 0;
	former_life = 0;
#endif
	a = 0;
	i = 0
}

/* Another node has the client's address, and the client a new one. */
inline inherit()
{
	for (a : 1 .. n_assocs) {
		ADD(former_life, a)
	}
	current = 0;
	asking = 0;
	a = 0
}

#define MAY_PART(a)	(!healed && partings < PARTINGS && \
			 assoc_state[a] == UP)

/* Associations. */
active proctype client()
{
	byte a, b, i;

end:	do
	/* __tern_calls_pump(), with __tern_peer_hello() */
	:: d_step {
		!current && !asking && SOME_WAIT && n_assocs < ASSOCS - !healed ->
		n_assocs++;
		asking = n_assocs;
		ADD(hello, asking)
	}
	:: atomic {
		PICK(b, ACCEPTS + 1, HAS_WELCOME);
		d_step {
			ARRIVES(welcome, b);
			welcome_input(b);
			b = 0
		}
	}
	/* STALE came */
	:: atomic {
		if
		:: PICK(b, ASSOCS + 1, HAS_STALE);
			d_step {
				ARRIVES(stale, b);
				a = NONE_TOO_LATE
			}
		:: PICK(b, ASSOCS + 1, HAS_STALE_ENDED);
			d_step {
				ARRIVES(stale_ended, b);
				a = AFTER_END
			}
#ifdef OTHER_EPOCH_IS_PROOF
		:: PICK(b, ASSOCS + 1, HAS_STALE_OTHER);
			d_step {
				ARRIVES(stale_other, b);
				a = after_epoch
			}
#endif
		fi;
		d_step {
#ifdef STALE_MEANS_NOT_EXECUTED
			a = 255;
#endif
			if
			:: assoc_state[b] == UP -> end_assoc(b, a)
			:: else
			fi;
			a = 0;
			b = 0
		}
	}
	/* tern_assoc_is_usable(): three quarters of the lease are over */
	:: d_step {
		!healed && current && n_assocs < ASSOCS - 1 ->
		current = 0
	}
	/* the lease is over, or BYE came */
	:: atomic {
		PICK(b, ASSOCS + 1, MAY_PART);
		d_step {
			partings++;
			end_assoc(b, NONE_TOO_LATE);
			b = 0
		}
	}
	/* the client reboots; calls that nothing was sent of are those of its next life */
	:: d_step {
		!healed && resets < RESETS && n_assocs && n_assocs < ASSOCS - 1 ->
		resets++;
		reset()
	}
#if HEIRS > 0
	:: d_step {
		!healed && resets < HEIRS && n_assocs && n_assocs < ASSOCS - 1 ->
		resets++;
		inherit()
	}
#endif
	od
}

#define HAS_REPLIED(x)	HAS(replied, x)
#define HAS_FIRST(x)	HAS(first, x)
#define HAS_DELIVERED(x) HAS(delivered, x)
#define HAS_REFUSED(x)	HAS(not_executed, x)
#define HAS_UNKNOWN(x)	HAS(unknown, x)
#define HAS_RESEND(x)	HAS(resend, x)
#define HAS_ASK(x)	HAS(ask, x)
#define MAY_NAME	(ORPHANS == EXTERMINATE && current && former_life && !named)
#define MAY_ACK(x)	(!healed && HAS(unacked, x))
#define CAN_CANCEL	(!healed && cancels < CANCELS)
#define MAY_CANCEL(x)	(CAN_CANCEL && state[x] == SENT && !HAS(cancelling, x))
#define MAY_END(x)	(CAN_CANCEL && IS_WAITING(x))
#define MAY_GIVE_UP(x)	(!healed && state[x] == SENT && \
			 HAS(cancelling, x) && told[x] == NONE)

#define MAY_USE(s)	(SOME_WAIT && IS_FREE(s))

/* Calls. */
active proctype caller()
{
	byte x, s, found;

end:	do
	/* __tern_calls_pump(): the calls in their order */
	:: atomic {
		PICK(s, SLOTS, MAY_USE);
		d_step {
			x = FIRST_WAITING;
			start(x, s);
			x = 0;
			s = 0
		}
	}
	:: atomic {
		PICK(x, CALLS, HAS_REPLIED);
		d_step {
			ARRIVES(replied, x);
#ifdef REPLY_PARTS
			part_input(x, 2)
#else
			reply_input(x, REPLIED)
#endif
		}
	}
#ifdef REPLY_PARTS
	:: atomic {
		PICK(x, CALLS, HAS_FIRST);
		d_step {
			ARRIVES(first, x);
			part_input(x, 1)
		}
	}
#endif
#ifdef ONEWAY
	:: atomic {
		PICK(x, CALLS, HAS_DELIVERED);
		d_step {
			ARRIVES(delivered, x);
			reply_input(x, DELIVERED)
		}
	}
#endif
	:: atomic {
		PICK(x, CALLS, HAS_REFUSED);
		d_step {
			ARRIVES(not_executed, x);
			reply_input(x, NOT_EXECUTED)
		}
	}
	:: atomic {
		PICK(x, CALLS, HAS_UNKNOWN);
		d_step {
			ARRIVES(unknown, x);
			reply_input(x, UNKNOWN)
		}
	}
#ifdef PARTS
	/* tern_call_input_resend() */
	:: atomic {
		PICK(x, CALLS, HAS_RESEND);
		d_step {
			ARRIVES(resend, x);
			find(x);
			if
			:: found -> ADD(part, x)
			:: else
			fi;
			found = 0;
			x = 0
		}
	}
#endif
#ifdef ORPHANS
	/* tern_call_input_ask(); tern_handshake_refuse() */
	:: atomic {
		PICK(x, CALLS, HAS_ASK);
		d_step {
			ARRIVES(ask, x);
			find(x);
			if
			:: assoc_state[call_assoc[x]] != UP -> ADD(denied, x)
			:: assoc_state[call_assoc[x]] == UP && found &&
			   told[x] == NONE && !HAS(cancelling, x) -> ADD(own, x)
			:: else -> ADD(own_gone, x)
			fi;
			found = 0;
			x = 0
		}
	}
	/* drop_calls(): the user goes away */
	:: atomic {
		PICK(x, CALLS, MAY_CANCEL);
		d_step {
			cancels++;
			ADD(gone, x);
			ADD(cancelling, x);
			ADD(cancel, x);
			x = 0
		}
	}
	/* "tern peer exterminate", after a reboot */
	:: d_step {
		!healed && MAY_NAME ->
		ADD(exterminate, assoc_accept[current])
	}
#endif
	/* tern_calls_ack_idle(), or at once for a large reply */
	:: atomic {
		PICK(x, CALLS, MAY_ACK);
		d_step {
			DROP(unacked, x);
			ADD(ack, x);
			x = 0
		}
	}
	/* cancel(): by the user, or a round trip before the deadline */
	:: atomic {
		PICK(x, CALLS, MAY_CANCEL);
		d_step {
			cancels++;
			ADD(cancelling, x);
			ADD(cancel, x);
			x = 0
		}
	}
	/* quarantine(): the deadline, or the user goes away */
	:: atomic {
		PICK(x, CALLS, MAY_GIVE_UP);
		d_step {
#ifdef TIMEOUT_MEANS_NOT_EXECUTED
			report(x, NOT_EXECUTED);
#elif defined(REUSE_SLOT_EARLY)
			end_call(x, UNKNOWN);
#else
			report(x, UNKNOWN);
#endif
			x = 0
		}
	}
	/* tern_call_cancel(), tern_call_timeout(): nothing was sent */
	:: atomic {
		PICK(x, CALLS, MAY_END);
		d_step {
			cancels++;
			end_call(x, NOT_EXECUTED);
			x = 0
		}
	}
	od
}

/* ---- the server: request.c, slot.c, service.c, handshake.c ---- */

/* What the server has of a call. */
#define IS_HERE(x, what) (record[RX(x)] == what && record_call[RX(x)] == (x) + 1)
#define IS_QUEUED(x)	IS_HERE(x, QUEUED)
#define IS_EXECUTING(x)	IS_HERE(x, EXECUTING)
#define IS_DONE(x)	IS_HERE(x, DONE)

/* post_outcome(), or the reply, of the call that the slot has seen last */
inline answer(k)
{
	if
#ifdef REPLY_PARTS
	:: record[k] == DONE -> ADD(first, record_call[k] - 1)
#else
	:: record[k] == DONE -> ADD(replied, record_call[k] - 1)
#endif
#ifdef ONEWAY
	:: record[k] == ENDED_DELIVERED -> ADD(delivered, record_call[k] - 1)
#endif
	:: record[k] == ENDED_NOT_EXECUTED ->
		ADD(not_executed, record_call[k] - 1)
	:: record[k] == ENDED_UNKNOWN -> ADD(unknown, record_call[k] - 1)
	:: else
	fi
}

/* slot_end(), or the state of a request, with the answer */
inline set_record(k, now)
{
	if
	:: now == ENDED_NOT_EXECUTED && HAS_RUN(k) -> record[k] = ENDED_UNKNOWN
	:: else -> record[k] = now
	fi;
#ifdef PARTS
	have[k] = 0;
#endif
	answer(k)
}

/* What tern_slot_verdict() says to a packet of call x. */
#define NEW		1
#define BUSY		2
#define AGAIN		3
#define OLD		4
#define BROKEN		5
#define RERUN		6
#define MORE		7

#define SEQ(k)		(record_call[k] -> call_seq[record_call[k] - 1] : 0)
#ifdef NO_DUPLICATE_FILTER
#define IS_NEW(x)	(record[RX(x)] != QUEUED && record[RX(x)] != EXECUTING)
#define IS_OLD(x)	false
#elif defined(NO_OLD_FILTER)
#define IS_NEW(x)	(call_seq[x] != SEQ(RX(x)))
#define IS_OLD(x)	false
#else
#define IS_NEW(x)	(call_seq[x] > SEQ(RX(x)))
#define IS_OLD(x)	(call_seq[x] < SEQ(RX(x)))
#endif

/* A late copy that runs again is not: its client has the reply. slot_drop() */
#ifdef LATE_RERUN_BLOCKS
#define IS_OPEN(k)	(record[k] == QUEUED || record[k] == EXECUTING)
#else
#define IS_OPEN(k)	((record[k] == QUEUED || record[k] == EXECUTING || \
			  record[k] == RECEIVING) && !HAS_RUN(k))
#endif

inline judge(x)
{
	if
	:: IS_OLD(x) -> verdict = OLD
	:: else ->
		if
		:: IS_NEW(x) ->
			if
			:: IS_OPEN(RX(x)) -> verdict = BROKEN
			:: else -> verdict = NEW
			fi
		:: else ->
			if
			:: record[RX(x)] == IDLE -> verdict = OLD
			:: record[RX(x)] == QUEUED ||
			   record[RX(x)] == EXECUTING -> verdict = BUSY
			:: record[RX(x)] == RECEIVING -> verdict = MORE
			:: record[RX(x)] == RAN -> verdict = RERUN
			:: else -> verdict = AGAIN
			fi
		fi
	fi;
	PROPERTY(4, verdict != BROKEN)
}

#ifdef TAKEOVER
/* Once the network has healed all goes to who has the address now. */
#define IS_CUT_OFF(b)	(healed && HAS(old_life, b))
#define HAS_TOMBSTONE(b) (accept_state[b] == OVER && !IS_CUT_OFF(b))
#else
#define IS_CUT_OFF(b)	false
#define HAS_TOMBSTONE(b) (!HAS(old_life, b))
#endif

/* tern_assoc_find(), in dispatch(): both ids must be right */
inline lookup(x)
{
#ifdef REVIVE_UNKNOWN_ASSOC
	accept_state[call_accept[x]] = UP;
#elif defined(ASSOC_ID_REUSED)
	/* the newest one has the same ids */
	if
	:: accept_state[n_accepts] == UP -> call_accept[x] = n_accepts
	:: else
	fi;
#endif
	known = (accept_state[call_accept[x]] == UP &&
		 !IS_CUT_OFF(call_accept[x]))
}

/*
 * tern_handshake_refuse(): STALE with a tombstone; or without one, or of another
 * epoch, which proves nothing
 */
inline refuse(x)
{
	if
	:: HAS_TOMBSTONE(call_accept[x]) -> ADD(stale_ended, call_assoc[x])
#ifdef OTHER_EPOCH_IS_PROOF
	:: HAS(old_life, call_accept[x]) -> ADD(stale_other, call_assoc[x])
#endif
	:: true -> ADD(stale, call_assoc[x])
	fi
}

/*
 * The server forgets what the slots of an association hold; what is executing is
 * an orphan, whose reply goes nowhere.
 */
inline forget(b)
{
	accept_state[b] = OVER;
#if RESETS > 0
	DROP(used, b);
#endif
#ifdef ORPHANS
	DROP(superseded, b);
#endif
	for (i : 0 .. SLOTS - 1) {
#ifdef TWIN
		DROP(ran, b * SLOTS + i);
#endif
#ifdef PARTS
		have[b * SLOTS + i] = 0;
#endif
		record[b * SLOTS + i] = IDLE;
		record_call[b * SLOTS + i] = 0
	}
	i = 0;
#ifdef ONEWAY_ENDS_WITH_ASSOC
	queue = 0;
#endif
	skip
}

#ifdef ORPHANS
#define IS_RUNNING(x)	(IS_EXECUTING(x) || HAS(orphan, x))
#define RUNS_ON(x, b)	(IS_EXECUTING(x) && call_accept[x] == (b))
#define SOME_RUN_ON(b)	(RUNS_ON(0, b) || RUNS_ON(1, b))
#define IS_SUPERSEDED(x) HAS(superseded, call_accept[x])
#define IS_LEFT(x)	HAS(former_life, call_assoc[x])	/* by a former life */

/*
 * Policies: what one may give up before the deadline, and what it has to, once
 * the network has healed; and why the end of an association is that of its calls.
 */
#if ORPHANS == EXPIRE
#define MAY_DOOM(x)	false
#define HAS_TO_DOOM(x)	false
#define ENDS_REBORN	false
#define ENDS_STALE(x)	false
#elif ORPHANS == REINCARNATE
#define MAY_DOOM(x)	IS_LEFT(x)
#define HAS_TO_DOOM(x)	(IS_LEFT(x) && NEW_LIFE_IS_KNOWN)
#define ENDS_REBORN	true
#define ENDS_STALE(x)	IS_LEFT(x)
#elif ORPHANS == GENTLE
/* Who was told of the end waits no more, nor can who has no way to be told. */
#define MAY_DOOM(x)	(told[x] != NONE || HAS(cancelling, x) || HAS(orphan, x))
#define HAS_TO_DOOM(x)	(IS_LEFT(x) && NEW_LIFE_IS_KNOWN && told[x] != NONE && \
			 !HAS(unheard, x))
#define ENDS_REBORN	true
#define ENDS_STALE(x)	true
#elif ORPHANS == EXTERMINATE
#define MAY_DOOM(x)	(HAS(gone, x) || named && IS_LEFT(x))
#define HAS_TO_DOOM(x)	(named && IS_LEFT(x) || HAS(gone, x) && \
			 IS_EXECUTING(x) && assoc_state[call_assoc[x]] == UP)
#define ENDS_REBORN	false
#define ENDS_STALE(x)	false
#endif

/* What else ends a call: CANCEL with GONE, and OWN with GONE. */
#ifdef WITHDRAWN_IS_GONE
#define ENDS_WITH_USER(x) (ORPHANS == EXTERMINATE)
#elif defined(GONE_GOES_ON)
#define ENDS_WITH_USER(x) false
#else
#define ENDS_WITH_USER(x) (ORPHANS == EXTERMINATE && HAS(gone, x))
#endif
#ifdef GONE_IS_OWN
#define ENDS_DISOWNED	false
#else
#define ENDS_DISOWNED	(ORPHANS == GENTLE)
#endif
#ifdef REBORN_ENDS_ALL
#undef ENDS_REBORN
#define ENDS_REBORN	true
#endif
#ifdef STALE_ENDS_NONE
#undef ENDS_STALE
#define ENDS_STALE(x)	false
#endif
#if ORPHANS == GENTLE && !defined(NOBODY_IS_ASKED)
#define IS_ASKED_ON(b)	SOME_RUN_ON(b)
#else
#define IS_ASKED_ON(b)	false
#endif

/* __tell(), when the policy of the service gives a call up */
inline doom(x)
{
	PROPERTY(10, MAY_DOOM(x));
#ifndef KILL_WITHOUT_EVENT
	ADD(warned, x);
#endif
	ADD(doomed, x)
}

/* unlink_executing(); or the call was given up */
inline off_worker(x)
{
	DROP(hung, x);
	DROP(orphan, x);
	DROP(warned, x);
	DROP(doomed, x);
	DROP(wanting, x);
	DROP(unheard, x)
}

/* tern_worker_forget(): what executes leaves the slots of an association */
inline orphan_all(b, ends)
{
	for (i : 0 .. CALLS - 1) {
		if
		:: RUNS_ON(i, b) ->
			if
			:: (ends) -> doom(i)
			:: else
			fi;
#ifndef ORPHAN_KEEPS_ASKING
			DROP(wanting, i);
#endif
			ADD(orphan, i)
		:: else
		fi
	}
	i = 0
}

#ifdef NAMES_PRESENT
#define IS_OF_OLD_LIFE(x, k) true
#else
#define IS_OF_OLD_LIFE(x, k) (IS_LEFT(x) && !HAS(former_life, accept_assoc[k]))
#endif

/* tern_requests_ask() */
inline ask_all(b)
{
	for (i : 0 .. CALLS - 1) {
		if
		:: RUNS_ON(i, b) -> ADD(ask, i)
		:: else
		fi
	}
	i = 0
}

/* tern_workers_end_old_lives() */
inline end_old_lives(k)
{
	for (i : 0 .. CALLS - 1) {
		if
		:: HAS(orphan, i) && IS_OF_OLD_LIFE(i, k) && !HAS(doomed, i) ->
			doom(i)
		:: else
		fi
	}
	i = 0
}
#else
#define IS_SUPERSEDED(x) false
#define IS_ASKED_ON(b)	false
#endif

#ifdef ANY_EPOCH
#define IS_FORMER(a, k)	((a) != (k))
#else
#define IS_FORMER(a, k)	(HAS(former_life, accept_assoc[a]) && \
			 !HAS(former_life, accept_assoc[k]))
#endif

#ifdef NEW_IS_KEPT
#define MAY_BE_FORMER(b) (accept_state[b] == UP && HAS(used, b))
#else
#define MAY_BE_FORMER(b) (accept_state[b] == UP)
#endif

/* end_earlier_lives(): when the client uses an association of its new life */
inline end_former(k)
{
#if RESETS > 0 && !defined(FORMER_LIFE_KEPT)
	for (b : 1 .. k - 1) {
		if
#ifdef ORPHANS
		:: MAY_BE_FORMER(b) && IS_FORMER(b, k) && IS_ASKED_ON(b) ->
			ADD(superseded, b);
			ask_all(b)
#endif
		:: MAY_BE_FORMER(b) && IS_FORMER(b, k) && !IS_ASKED_ON(b) ->
#ifdef ORPHANS
			orphan_all(b, ENDS_REBORN);
#endif
			forget(b)
		:: else
		fi
	}
	b = 0;
#if defined(ORPHANS) && !defined(OLD_ORPHANS_KEPT)
	if
	:: ENDS_REBORN -> end_old_lives(k)
	:: else
	fi;
#endif
	skip
#else
	skip
#endif
}

/* tern_handshake_confirm(): the first packet on it */
inline confirm(k)
{
#if RESETS > 0
	if
	:: !HAS(used, k) ->
		ADD(used, k);
		end_former(k)
	:: else
	fi
#else
	skip
#endif
}

/* tern_request_input(): the call is the one that the slot knows from now on */
inline note(x)
{
	record_call[RX(x)] = x + 1;
#ifdef PARTS
	have[RX(x)] = 0;
#endif
#ifdef TWIN
	DROP(ran, RX(x));
#ifndef RERUN_FORGETS
	if
	:: verdict == RERUN -> ADD(ran, RX(x))
	:: else
	fi;
#endif
#endif
	skip
}

#ifdef PART_RUNS
#define IS_WHOLE(x)	true
#else
#define IS_WHOLE(x)	(have[RX(x)] == 3)
#endif

/* deliver(): a request that is whole; a one-way one leaves its slot */
inline deliver(x)
{
#ifdef ONEWAY
	if
	:: IS_ONEWAY(x) ->
		PROPERTY(1, !HAS(was_queued, x));
		ADD(was_queued, x);
		ADD(queue, x);
#ifdef ONEWAY_LEAVES_NO_RECORD
		record_call[RX(x)] = 0;
		ADD(delivered, x)
#else
		set_record(RX(x), ENDED_DELIVERED)
#endif
	:: else -> record[RX(x)] = QUEUED
	fi
#else
	record[RX(x)] = QUEUED
#endif
}

/* add(): a part, or all of it; a last part asks for what is missing */
inline add_part(x, which)
{
#ifdef PARTS
	have[RX(x)] = have[RX(x)] | which;
	if
	:: IS_WHOLE(x) -> deliver(x)
	:: else ->
		record[RX(x)] = RECEIVING;
#ifndef NO_RESEND
		if
		:: which == 2 -> ADD(resend, x)
		:: else
		fi
#endif
	fi
#else
	deliver(x)
#endif
}

#define HAS_REQ(x)	HAS(req, x)
#define HAS_PART(x)	HAS(part, x)
#define HAS_CANCEL(x)	HAS(cancel, x)
#define HAS_ACK(x)	HAS(ack, x)
#define HAS_HELLO(a)	HAS(hello, a)
#define HAS_OWN(x)	HAS(own, x)
#define HAS_OWN_GONE(x)	HAS(own_gone, x)
#define HAS_DENIED(x)	HAS(denied, x)
#define HAS_EXTERMINATE(b) HAS(exterminate, b)
#define HAS_ASK_FIRST(x) HAS(ask_first, x)
#define HAS_ASK_LAST(x)	HAS(ask_last, x)

/* Packets. */
active proctype server()
{
	byte x, b, i, verdict, which;
	bool known;

end:	do
	/* tern_handshake_hello(), with accept() */
	:: atomic {
		PICK(x, ASSOCS + 1, HAS_HELLO);
		d_step {
			ARRIVES(hello, x);
			for (i : 1 .. ACCEPTS) {
				if
				:: accept_state[i] == UP && !HAS(old_life, i) &&
				   accept_assoc[i] == x -> b = i
				:: else
				fi
			}
			i = 0;
			if
			:: !b && n_accepts < ACCEPTS - !healed ->
				n_accepts++;
				b = n_accepts;
				accept_state[b] = UP;
				accept_assoc[b] = x
			:: else
			fi;
			if
			:: b -> ADD(welcome, b)
			:: else
			fi;
			b = 0;
			x = 0
		}
	}
	/* tern_request_input(), tern_request_input_cancel() */
	:: atomic {
		if
		:: PICK(x, CALLS, HAS_REQ);
			d_step { ARRIVES(req, x); which = 2 }
#ifdef PARTS
		:: PICK(x, CALLS, HAS_PART);
			d_step { ARRIVES(part, x); which = 1 }
#endif
		:: PICK(x, CALLS, HAS_CANCEL);
			d_step { ARRIVES(cancel, x); which = 0 }
		fi;
		d_step {
			lookup(x);
			if
			:: known ->
				confirm(call_accept[x]);
				judge(x)
			:: else
			fi
		}
		if
		:: !known -> refuse(x)
#ifdef TAKEOVER
		/* It has gone to the other node. */
		:: known && HAS(old_life, call_accept[x]) -> refuse(x)
#endif
		:: verdict == NEW && !which ->
#ifdef CANCEL_LEAVES_NO_RECORD
			ADD(not_executed, x)
#else
			d_step {
				note(x);
				set_record(RX(x), ENDED_NOT_EXECUTED)
			}
#endif
#ifdef TWIN
		:: verdict == RERUN && !which ->
#ifdef CANCEL_FORGETS_RUN
			d_step { set_record(RX(x), ENDED_NOT_EXECUTED) }
#else
			d_step { set_record(RX(x), ENDED_UNKNOWN) }
#endif
#endif
		:: (verdict == NEW || verdict == RERUN) && which &&
		   !IS_SUPERSEDED(x) ->
			/* input_new() */
			d_step {
				note(x);
				add_part(x, which)
			}
#ifdef PARTS
		:: verdict == MORE && which ->
			/* input_more() */
			d_step { add_part(x, which) }
#endif
		:: (verdict == NEW || verdict == RERUN) && which &&
		   (!healed || IS_SUPERSEDED(x)) ->
			/* refusal(), refuse() */
#ifdef REFUSAL_WITHOUT_RECORD
			ADD(not_executed, x)
#else
			d_step {
				note(x);
				set_record(RX(x), ENDED_NOT_EXECUTED)
			}
#endif
#ifdef ORPHANS
		:: verdict == BUSY && !which && record[RX(x)] == EXECUTING ->
			/* withdraw() */
			d_step {
				ADD(warned, x);
				if
				:: ENDS_WITH_USER(x) -> doom(x)
				:: else
				fi
			}
#endif
		:: verdict == BUSY && !which && record[RX(x)] == QUEUED ->
			/* withdraw() */
#ifdef WITHDRAW_LEAVES_QUEUED
			ADD(not_executed, x)
#else
			d_step { set_record(RX(x), ENDED_NOT_EXECUTED) }
#endif
#ifdef PARTS
		:: verdict == MORE && !which ->
			/* withdraw() */
#ifdef WITHDRAW_LEAVES_PARTS
			ADD(not_executed, x)
#else
			d_step {
				set_record(RX(x), ENDED_NOT_EXECUTED)
			}
#endif
#endif
#ifdef CANCEL_DENIES_DELIVERED
		:: verdict == AGAIN && !which && record[RX(x)] == ENDED_DELIVERED ->
			ADD(not_executed, x)
#endif
		:: verdict == AGAIN -> d_step { answer(RX(x)) }
		:: else
		fi;
		d_step {
			x = 0;
			which = 0;
			verdict = 0;
			known = 0
		}
	}
	/* tern_request_input_ack() */
	:: atomic {
		PICK(x, CALLS, HAS_ACK);
		d_step {
			ARRIVES(ack, x);
			lookup(x);
			if
#ifdef ACK_FREES_ANY
			:: known -> record[RX(x)] = IDLE
#else
			:: known && call_seq[x] == SEQ(RX(x)) &&
			   record[RX(x)] == DONE -> record[RX(x)] = IDLE
#endif
			:: else
			fi;
			known = 0;
			x = 0
		}
	}
#ifdef ORPHANS
	/* tern_request_input_own() */
	:: atomic {
		PICK(x, CALLS, HAS_OWN);
		d_step {
			ARRIVES(own, x);
			lookup(x);
			if
			:: known && IS_EXECUTING(x) ->
#ifdef OWN_IS_GONE
				doom(x);
#endif
				DROP(wanting, x)
			:: else
			fi;
			known = 0;
			x = 0
		}
	}
	:: atomic {
		PICK(x, CALLS, HAS_OWN_GONE);
		d_step {
			ARRIVES(own_gone, x);
			lookup(x);
			if
			:: known && IS_EXECUTING(x) ->
				ADD(warned, x);
				DROP(wanting, x);
				if
				:: ENDS_DISOWNED -> doom(x)
				:: else
				fi
			:: else
			fi;
			known = 0;
			x = 0
		}
	}
	/* STALE of the client: tern_assoc_end() */
	:: atomic {
		PICK(x, CALLS, HAS_DENIED);
		d_step {
			ARRIVES(denied, x);
			which = call_accept[x];
			if
			:: accept_state[which] == UP ->
				orphan_all(which, ENDS_STALE(x));
				forget(which)
			:: else
			fi;
			which = 0;
			x = 0
		}
	}
	/* input_node(), TERN_PROC_EXTERMINATE */
	:: atomic {
		PICK(x, ACCEPTS + 1, HAS_EXTERMINATE);
		d_step {
			ARRIVES(exterminate, x);
			if
			:: accept_state[x] == UP ->
				named = true;
				confirm(x);
				end_old_lives(x)
			:: else -> ADD(stale, accept_assoc[x])
			fi;
			x = 0
		}
	}
#endif
#ifdef REPLY_PARTS
	/* tern_request_input_resend() */
	:: atomic {
		if
		:: PICK(x, CALLS, HAS_ASK_FIRST);
			d_step { ARRIVES(ask_first, x); which = 1 }
		:: PICK(x, CALLS, HAS_ASK_LAST);
			d_step { ARRIVES(ask_last, x); which = 2 }
		fi;
		lookup(x);
		if
#ifndef RESEND_NOT_REFUSED
		:: !known -> refuse(x)
#endif
		:: known && IS_DONE(x) && which == 1 -> ADD(first, x)
		:: known && IS_DONE(x) && which == 2 -> ADD(replied, x)
		:: else
		fi;
		d_step {
			known = 0;
			which = 0;
			x = 0
		}
	}
#endif
	od
}
#ifdef PARTS
#define MAY_EXPIRE(x)	(!healed && (IS_QUEUED(x) || IS_HERE(x, RECEIVING)))
#else
#define MAY_EXPIRE(x)	(!healed && IS_QUEUED(x))
#endif
#ifdef ORPHANS
#define MAY_REPLY(x)	(IS_EXECUTING(x) && !HAS(hung, x) && !HAS(wanting, x))
#else
#define MAY_REPLY(x)	IS_EXECUTING(x)
#endif
#define MAY_BURY(x)	(HAS(orphan, x) && !HAS(hung, x))
#ifdef ORPHANS_HAVE_TIME
#define HAS_DEADLINE(x)	IS_EXECUTING(x)
#else
#define HAS_DEADLINE(x)	IS_RUNNING(x)
#endif
#define MAY_OVERRUN(x)	(!healed && HAS_DEADLINE(x) && !HAS(doomed, x))
#define IS_DOOMED(x)	(HAS(doomed, x) && IS_RUNNING(x))
#define MAY_EXTEND(x)	(!healed && extends < EXTENDS && IS_EXECUTING(x) && \
			 !HAS(doomed, x) && !HAS(wanting, x))
#define MAY_ASK_AGAIN(x) (!healed && IS_EXECUTING(x) && IS_SUPERSEDED(x))
#define IS_OVER(b)	(accept_state[b] == UP && HAS(superseded, b) && \
			 !SOME_RUN_ON(b))
#define IS_IN_QUEUE(x)	HAS(queue, x)
#define MAY_EXPIRE_ONEWAY(x) (!healed && IS_IN_QUEUE(x))
#define MAY_EVICT(x)	(!healed && IS_DONE(x))
#define MAY_FORGET(b)	(!healed && leases < LEASES && accept_state[b] == UP)

#ifdef ORPHANS
inline note_unheard(b)
{
	for (i : 0 .. CALLS - 1) {
		if
		:: RUNS_ON(i, b) -> ADD(unheard, i)
		:: else
		fi
	}
	i = 0
}
#endif

/* A worker begins with a call. */
inline execute(x)
{
	if
	:: executed[x] < 2 -> executed[x]++
	:: else
	fi;
	PROPERTY(1, executed[x] == 1 || IDEMPOTENT(x));
	PROPERTY(2, !IS_TOLD(x, NOT_EXECUTED));
#ifndef TAKEOVER
	PROPERTY(6, !HAS(old_life, call_accept[x]));
#endif
	x = 0
}

/* The service, and what happens to the server. */
active proctype service()
{
	byte x, b, i;

end:	do
	/* tern_worker_take() */
	:: atomic {
		PICK(x, CALLS, IS_QUEUED);
#ifdef ORPHANS
		if
		:: !healed && hangs < HANGS -> d_step { hangs++; ADD(hung, x) }
		:: true
		fi;
#endif
		d_step {
			record[RX(x)] = EXECUTING;
#ifdef PARTS
			PROPERTY(7, have[RX(x)] == 3);
			have[RX(x)] = 0;
#endif
			execute(x)
		}
	}
#ifdef ORPHANS
	/* tern_worker_bury(): the reply is refused */
	:: atomic {
		PICK(x, CALLS, MAY_BURY);
		d_step {
			off_worker(x);
			x = 0
		}
	}
	/* give_up(): the deadline, of which the worker is told */
	:: atomic {
		PICK(x, CALLS, MAY_OVERRUN);
		d_step {
			ADD(warned, x);
			ADD(doomed, x);
			x = 0
		}
	}
	/* give_up(), tern_workers_timeout(): the grace time is over */
	:: atomic {
		PICK(x, CALLS, IS_DOOMED);
		d_step {
			PROPERTY(9, HAS(warned, x));
			if
#ifdef GIVE_UP_MEANS_NOT_EXECUTED
			:: IS_EXECUTING(x) ->
				set_record(RX(x), ENDED_NOT_EXECUTED)
#else
			:: IS_EXECUTING(x) -> set_record(RX(x), ENDED_UNKNOWN)
#endif
			:: else
			fi;
			off_worker(x);
			x = 0
		}
	}
	/* tern_worker_ask() */
	:: atomic {
		PICK(x, CALLS, MAY_EXTEND);
		d_step {
			extends++;
			ADD(wanting, x);
			ADD(ask, x);
			x = 0
		}
	}
	/* sweep_assocs(): what was queued may execute now; or nobody is asked */
	:: atomic {
		PICK(x, CALLS, MAY_ASK_AGAIN);
		d_step {
			ADD(ask, x);
			x = 0
		}
	}
	:: atomic {
		PICK(b, ACCEPTS + 1, IS_OVER);
		d_step {
			forget(b);
			b = 0
		}
	}
#endif
#ifdef ONEWAY
	:: atomic {
		PICK(x, CALLS, IS_IN_QUEUE);
		d_step {
			DROP(queue, x);
			execute(x)
		}
	}
	/* tern_service_expire(), of which nobody is told */
	:: atomic {
		PICK(x, CALLS, MAY_EXPIRE_ONEWAY);
		d_step {
			DROP(queue, x);
			ADD(lost, x);
			x = 0
		}
	}
#endif
	/* tern_request_reply() */
	:: atomic {
		PICK(x, CALLS, MAY_REPLY);
		d_step {
			if
			:: IDEMPOTENT(x) ->
				/* forget_reply() */
				ADD(replied, x);
				record[RX(x)] = RAN
			:: else ->
				set_record(RX(x), DONE);
#ifdef REPLY_PARTS
				ADD(replied, x)
#else
				skip
#endif
			fi;
#ifdef ORPHANS
			off_worker(x);
#endif
			x = 0
		}
	}
	/* tern_service_expire(), tern_requests_expire() */
	:: atomic {
		PICK(x, CALLS, MAY_EXPIRE);
		d_step {
			set_record(RX(x), ENDED_NOT_EXECUTED);
			x = 0
		}
	}
#ifdef EVICT_UNDER_PRESSURE
	:: atomic {
		PICK(x, CALLS, MAY_EVICT);
		d_step {
			record[RX(x)] = IDLE;
			record_call[RX(x)] = 0;
			x = 0
		}
	}
#endif
#ifdef EVICT_REPLY_ONLY
	:: atomic {
		PICK(x, CALLS, MAY_EVICT);
		d_step {
			record[RX(x)] = IDLE;
			x = 0
		}
	}
#endif
	/* tern_service_unbind(): other workers take what is queued, or nobody */
	:: atomic {
		!healed && deaths < DEATHS ->
		deaths++;
		if
		:: b = true
		:: b = false
		fi;
		d_step {
			for (i : 0 .. CALLS - 1) {
				if
				:: IS_EXECUTING(i) ->
#ifdef RESTART_REQUEUES
					record[RX(i)] = QUEUED
#elif defined(DEATH_MEANS_NOT_EXECUTED)
					set_record(RX(i), ENDED_NOT_EXECUTED)
#else
					set_record(RX(i), ENDED_UNKNOWN)
#endif
				:: IS_QUEUED(i) && b ->
					set_record(RX(i), ENDED_NOT_EXECUTED)
				:: else
				fi
			}
			i = 0;
#ifdef ONEWAY
			if
			:: b ->
				lost = lost | queue;
				queue = 0
			:: else
			fi;
#endif
			b = 0
		}
	}
	/* the lease is over: tern_assoc_end(), tern_requests_assoc_ended() */
	:: atomic {
		PICK(b, ACCEPTS + 1, MAY_FORGET);
		d_step {
			leases++;
#ifdef ORPHANS
			if
			:: HAS(superseded, b) -> note_unheard(b)
			:: else
			fi;
#ifdef SILENCE_IS_DEATH
			orphan_all(b, true);
#else
			orphan_all(b, false);
#endif
#endif
			forget(b);
			b = 0
		}
	}
	/* tern_net_new_epoch(): a new life, which knows nothing; or another node */
	:: d_step {
		!healed && reboots < REBOOTS ->
		reboots++;
		for (b : 1 .. n_accepts) {
#ifndef TAKEOVER
			forget(b);
#endif
			ADD(old_life, b)
		}
#ifdef ONEWAY
		lost = lost | queue;
		queue = 0;
#endif
		b = 0
	}
	od
}

/* ---- the network ---- */

/* tern_call_timeout(), tern_peer_timeout(), tern_calls_ack_idle() */
inline timers()
{
	b = false;
	for (i : 0 .. CALLS - 1) {
		if
#ifdef NO_RETRANSMIT
		:: false
#endif
#ifdef CANCEL_NOT_REPEATED
		:: state[i] == SENT && HAS(cancelling, i) -> skip
#else
		:: state[i] == SENT && HAS(cancelling, i) ->
			ADD(cancel, i);
			b = true
#endif
#ifndef NO_RETRANSMIT
		:: state[i] == SENT && !HAS(cancelling, i) ->
#ifdef REPLY_PARTS
			if
			:: got[i] -> ask_rest(i)
			:: else -> ADD(req, i)
			fi;
#else
			ADD(req, i);
#endif
			b = true
#endif
		:: HAS(unacked, i) ->
#ifndef NO_IDLE_ACK
			DROP(unacked, i);
			ADD(acked, i);
			ADD(ack, i);
			b = true
#else
			skip
#endif
		:: else
		fi
	}
#ifdef ORPHANS
	for (i : 0 .. CALLS - 1) {
		if
		:: IS_EXECUTING(i) && HAS(superseded, call_accept[i]) ->
			ADD(ask, i);
			b = true
#ifndef ASK_NOT_REPEATED
		:: IS_EXECUTING(i) && HAS(wanting, i) &&
		   !HAS(superseded, call_accept[i]) ->
			ADD(ask, i);
			b = true
#endif
		:: else
		fi
	}
	if
	:: MAY_NAME ->
		ADD(exterminate, assoc_accept[current]);
		b = true
	:: else
	fi;
#endif
	i = 0;
	if
	:: asking && SOME_WAIT ->
		ADD(hello, asking);
		b = true
	:: asking && !SOME_WAIT ->
		asking = 0
	:: else
	fi
}

/* A call of the client's new life was replied to, and what the slots have. */
#define IS_OF_NEW_LIFE(x) (told[x] == REPLIED && !HAS(former_life, call_assoc[x]))
#define NEW_LIFE_IS_KNOWN (IS_OF_NEW_LIFE(0) || IS_OF_NEW_LIFE(1))
#define IS_KEPT(x)	(record_call[RX(x)] == (x) + 1)

#ifdef ORPHANS
/* It would come to rest but for deadlines, which pass now. */
inline expire()
{
	expired = true;
	rounds = 0;
	for (i : 0 .. CALLS - 1) {
		PROPERTY(11, !HAS(wanting, i));
		PROPERTY(11, !IS_RUNNING(i) || !HAS_TO_DOOM(i));
		if
		:: HAS_DEADLINE(i) && !HAS(doomed, i) ->
			ADD(warned, i);
			ADD(doomed, i)
		:: else
		fi
	}
	i = 0
}
#endif

/* Nothing moves, or too long: everything must have come to its end. */
inline finish()
{
	finished = true;
	for (i : 0 .. CALLS - 1) {
		PROPERTY(5, told[i] != NONE || !IS_MADE(i));
		PROPERTY(4, state[i] != SENT);
		PROPERTY(4, !HAS(unacked, i));
		PROPERTY(4, !HAS(acked, i) || !IS_DONE(i) ||
			    IS_CUT_OFF(call_accept[i]));
		PROPERTY(4, !HAS(former_life, call_assoc[i]) ||
			    !NEW_LIFE_IS_KNOWN || !IS_KEPT(i));
#ifdef ONEWAY
		PROPERTY(8, !WAS_QUEUED(i) || executed[i] || HAS(lost, i));
#endif
#ifdef ORPHANS
		PROPERTY(11, !IS_RUNNING(i));
#endif
		skip
	}
	i = 0
}

active proctype network()
{
	byte i;
	bool b;

end:	do
	:: d_step {
		!healed ->
		healed = true;
		req = 0; cancel = 0; ack = 0;
		replied = 0; not_executed = 0; unknown = 0;
		hello = 0; welcome = 0;
		stale = 0; stale_ended = 0;
#ifdef OTHER_EPOCH_IS_PROOF
		stale_other = 0;
#endif
#ifdef PARTS
		part = 0; resend = 0;
#endif
#ifdef REPLY_PARTS
		first = 0; ask_first = 0; ask_last = 0;
#endif
#ifdef ONEWAY
		delivered = 0;
#endif
#ifdef ORPHANS
		ask = 0; own = 0; own_gone = 0; denied = 0; exterminate = 0;
		extends = 0; hangs = 0;
#endif
		resets = 0; reboots = 0; deaths = 0; leases = 0; partings = 0; cancels = 0
	}
	:: atomic {
		timeout && !finished ->
		d_step {
			timers();
			rounds++;
			if
#ifdef ORPHANS
			:: (!b || rounds > ROUNDS) && !expired -> expire()
			:: (!b || rounds > ROUNDS) && expired -> finish()
#else
			:: !b || rounds > ROUNDS -> finish()
#endif
			:: else
			fi;
			b = false
		}
	}
	od
}

#ifdef PROGRESS
ltl progress { [] (healed -> <> finished) }
#endif
