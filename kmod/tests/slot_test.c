// SPDX-License-Identifier: GPL-2.0
/*
 * Slots: the table of verdicts, and random histories of a client, a server that
 * does what the verdicts say, and a network that loses, repeats and reorders,
 * checked by a model that remembers everything.
 */
#include <kunit/test.h>
#include <linux/list.h>
#include <linux/vmalloc.h>

#include "../slot.c"
#include "random.h"

#define NEW	TERN_VERDICT_NEW
#define MORE	TERN_VERDICT_MORE
#define BUSY	TERN_VERDICT_BUSY
#define AGAIN	TERN_VERDICT_AGAIN
#define RERUN	TERN_VERDICT_RERUN
#define OLD	TERN_VERDICT_OLD
#define BROKEN	TERN_VERDICT_BROKEN

static void verdicts(struct kunit *test)
{
	static const struct {
		enum tern_slot_state	state;
		enum tern_verdict	below;
		enum tern_verdict	same;
		enum tern_verdict	above;
	} rows[] = {
		{ TERN_SLOT_IDLE, OLD, OLD, NEW },
		{ TERN_SLOT_RECEIVING, OLD, MORE, BROKEN },
		{ TERN_SLOT_QUEUED, OLD, BUSY, BROKEN },
		{ TERN_SLOT_EXECUTING, OLD, BUSY, BROKEN },
		{ TERN_SLOT_DONE, OLD, AGAIN, NEW },
		{ TERN_SLOT_ENDED, OLD, AGAIN, NEW },
		{ TERN_SLOT_RAN, OLD, RERUN, NEW },
	};
	static const u64 lasts[] = { 2, 1000, U32_MAX, (1ULL << 48) - 2 };
	unsigned int i, j;

	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		for (j = 0; j < ARRAY_SIZE(lasts); j++) {
			u64 last = lasts[j];
			enum tern_slot_state s = rows[i].state;

			KUNIT_EXPECT_EQ(test, tern_slot_verdict(last, s, 1),
					rows[i].below);
			KUNIT_EXPECT_EQ(test,
					tern_slot_verdict(last, s, last - 1),
					rows[i].below);
			KUNIT_EXPECT_EQ(test, tern_slot_verdict(last, s, last),
					rows[i].same);
			KUNIT_EXPECT_EQ(test,
					tern_slot_verdict(last, s, last + 1),
					rows[i].above);
			KUNIT_EXPECT_EQ(test,
					tern_slot_verdict(last, s, U64_MAX),
					rows[i].above);
		}
	}
	/* a slot that nobody has used */
	KUNIT_EXPECT_EQ(test, tern_slot_verdict(0, TERN_SLOT_IDLE, 1), NEW);
	/* a state that does not exist */
	KUNIT_EXPECT_EQ(test, tern_slot_verdict(1, TERN_SLOT_RAN + 1, 2),
			BROKEN);
}

#define SLOTS		8
#define SEQS		65536
#define IN_FLIGHT	64
#define EVENTS		1000000

/* The slots from here on carry idempotent calls, whose replies are not kept. */
#define IDEMPOTENT	(SLOTS / 2)

enum model_type {
	MODEL_REQ,
	MODEL_CANCEL,
	MODEL_REP,
	MODEL_NOT_EXECUTED,
	MODEL_UNKNOWN,
};

struct model_packet {
	u8	type;
	u8	slot;
	u32	seq;
};

/*
 * What the model remembers of every call that ever was: how often the server
 * took it, how often it ran, and what its client was told.
 */
struct model_call {
	u16	accepted;
	u16	executed;
	bool	told_not_executed;
	bool	told_replied;
	bool	told_unknown;
};

struct model {
	struct kunit	*test;
	struct rnd_state	rnd;
	struct model_call	*calls;		/* [slot][seq] */
	struct model_packet	net[IN_FLIGHT];
	unsigned int	in_flight;
	struct {
		u32	seq;
		bool	open;
		bool	cancelling;
	} client[SLOTS];
	struct {
		u64	last;
		enum tern_slot_state	state;
		bool	ran;
	} server[SLOTS];
	unsigned int	verdicts[BROKEN + 1];
};

static struct model_call *model_call(struct model *m, u8 slot, u32 seq)
{
	return &m->calls[slot * SEQS + seq];
}

/* The network keeps a packet until it is full; then it forgets any one. */
static void model_send(struct model *m, enum model_type type, u8 slot, u32 seq)
{
	unsigned int i = m->in_flight;

	if (i == IN_FLIGHT)
		i = random_below(&m->rnd, IN_FLIGHT);
	else
		m->in_flight++;
	m->net[i] = (struct model_packet) { type, slot, seq };
}

/* The call of a slot ends at the server without a reply. */
static void model_end(struct model *m, u8 slot)
{
	m->server[slot].state = TERN_SLOT_ENDED;
	model_send(m, m->server[slot].ran ? MODEL_UNKNOWN : MODEL_NOT_EXECUTED,
		   slot, m->server[slot].last);
}

static void model_input_request(struct model *m, const struct model_packet *p)
{
	struct model_call *call = model_call(m, p->slot, p->seq);
	enum tern_slot_state *state = &m->server[p->slot].state;
	u64 *last = &m->server[p->slot].last;
	enum tern_verdict verdict = tern_slot_verdict(*last, *state, p->seq);

	m->verdicts[verdict]++;
	/* A late copy that runs again makes way for the next call. */
	if (verdict == BROKEN && m->server[p->slot].ran)
		verdict = NEW;
	switch (verdict) {
	case NEW:
	case RERUN:
		*last = p->seq;
		m->server[p->slot].ran = verdict == RERUN;
		if (p->type == MODEL_CANCEL) {
			model_end(m, p->slot);
			break;
		}
		if (verdict == NEW)
			KUNIT_ASSERT_EQ(m->test, call->accepted, 0);
		else
			KUNIT_ASSERT_GE(m->test, p->slot, IDEMPOTENT);
		KUNIT_ASSERT_FALSE(m->test, call->told_not_executed);
		call->accepted++;
		*state = TERN_SLOT_QUEUED;
		break;
	case BUSY:
		if (p->type == MODEL_CANCEL && *state == TERN_SLOT_QUEUED)
			model_end(m, p->slot);
		break;
	case AGAIN:
		if (*state == TERN_SLOT_DONE)
			model_send(m, MODEL_REP, p->slot, p->seq);
		else
			model_end(m, p->slot);
		break;
	case OLD:
		break;
	case MORE:
	case BROKEN:
		KUNIT_FAIL(m->test, "the client waits for each outcome");
		break;
	}
}

static void model_input_answer(struct model *m, const struct model_packet *p)
{
	struct model_call *call = model_call(m, p->slot, p->seq);

	if (!m->client[p->slot].open || m->client[p->slot].seq != p->seq)
		return;
	m->client[p->slot].open = false;
	switch (p->type) {
	case MODEL_REP:
		KUNIT_ASSERT_GE(m->test, call->executed, 1);
		call->told_replied = true;
		break;
	case MODEL_NOT_EXECUTED:
		KUNIT_ASSERT_EQ(m->test, call->executed, 0);
		call->told_not_executed = true;
		break;
	default:
		call->told_unknown = true;
	}
}

static void model_deliver(struct model *m)
{
	unsigned int i = random_below(&m->rnd, m->in_flight);
	struct model_packet p = m->net[i];

	/* two of three times the network keeps a copy */
	if (random_percent(&m->rnd, 33))
		m->net[i] = m->net[--m->in_flight];
	if (random_percent(&m->rnd, 20))
		return;
	if (p.type == MODEL_REQ || p.type == MODEL_CANCEL)
		model_input_request(m, &p);
	else
		model_input_answer(m, &p);
}

static void model_client(struct model *m, u8 slot)
{
	if (!m->client[slot].open) {
		if (m->client[slot].seq == SEQS - 1)
			return;
		m->client[slot].seq++;
		m->client[slot].open = true;
		m->client[slot].cancelling = false;
	} else if (random_percent(&m->rnd, 10)) {
		m->client[slot].cancelling = true;
	}
	model_send(m, m->client[slot].cancelling ? MODEL_CANCEL : MODEL_REQ,
		   slot, m->client[slot].seq);
}

static void model_server(struct model *m, u8 slot)
{
	enum tern_slot_state *state = &m->server[slot].state;
	u32 seq = m->server[slot].last;
	struct model_call *call = model_call(m, slot, seq);

	switch (*state) {
	case TERN_SLOT_QUEUED:
		*state = TERN_SLOT_EXECUTING;
		call->executed++;
		break;
	case TERN_SLOT_EXECUTING:
		*state = slot < IDEMPOTENT ? TERN_SLOT_DONE : TERN_SLOT_RAN;
		model_send(m, MODEL_REP, slot, seq);
		break;
	case TERN_SLOT_DONE:
		/* an acknowledgment frees the reply */
		if (call->told_replied && random_percent(&m->rnd, 30))
			*state = TERN_SLOT_IDLE;
		break;
	default:
		break;
	}
}

static void random_history(struct kunit *test)
{
	unsigned int i, slot, seq, replied = 0, refused = 0, unknown = 0;
	struct model *m = kunit_kzalloc(test, sizeof(*m), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, m);
	m->test = test;
	m->calls = vzalloc(SLOTS * SEQS * sizeof(*m->calls));
	KUNIT_ASSERT_NOT_NULL(test, m->calls);
	prandom_seed_state(&m->rnd, 1);

	for (i = 0; i < EVENTS; i++) {
		slot = random_below(&m->rnd, SLOTS);
		switch (random_below(&m->rnd, 4)) {
		case 0:
			model_client(m, slot);
			break;
		case 1:
			model_server(m, slot);
			break;
		default:
			if (m->in_flight)
				model_deliver(m);
			break;
		}
	}

	for (slot = 0; slot < SLOTS; slot++) {
		for (seq = 1; seq < SEQS; seq++) {
			struct model_call *call = model_call(m, slot, seq);

			if (slot < IDEMPOTENT)
				KUNIT_EXPECT_LE(test, call->accepted, 1);
			KUNIT_EXPECT_LE(test, call->executed, call->accepted);
			if (call->told_not_executed)
				KUNIT_EXPECT_EQ(test, call->executed, 0);
			if (call->told_replied)
				KUNIT_EXPECT_GE(test, call->executed, 1);
			if (call->told_unknown)
				KUNIT_EXPECT_GE(test, slot, IDEMPOTENT);
			unknown += call->told_unknown;
			replied += call->told_replied;
			refused += call->told_not_executed;
		}
	}
	vfree(m->calls);
	/* the history had everything in it */
	KUNIT_EXPECT_GT(test, replied, 10000U);
	KUNIT_EXPECT_GT(test, refused, 1000U);
	KUNIT_EXPECT_GT(test, m->verdicts[NEW], 10000U);
	KUNIT_EXPECT_GT(test, m->verdicts[BUSY], 10000U);
	KUNIT_EXPECT_GT(test, unknown, 1000U);
	KUNIT_EXPECT_GT(test, m->verdicts[AGAIN], 10000U);
	KUNIT_EXPECT_GT(test, m->verdicts[RERUN], 10000U);
	KUNIT_EXPECT_GT(test, m->verdicts[OLD], 10000U);
}

static struct kunit_case slot_cases[] = {
	KUNIT_CASE(verdicts),
	KUNIT_CASE(random_history),
	{}
};

static struct kunit_suite slot_suite = {
	.name = "tern_slot",
	.test_cases = slot_cases,
};

kunit_test_suite(slot_suite);
