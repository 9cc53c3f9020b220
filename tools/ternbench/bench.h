/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the parts of ternbench share: a cell is a peer that does some work in
 * some place, and what was measured of it.
 */
#ifndef TERNBENCH_BENCH_H
#define TERNBENCH_BENCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdnoreturn.h>

#define COUNT(array)	(sizeof(array) / sizeof((array)[0]))

/* One line on standard error, or in a child of measure.c for its parent. */
noreturn void fail(const char *format, ...)
	__attribute__((format(printf, 1, 2)));
/* The same with the text of errno. */
noreturn void fail_errno(const char *what);

/* The longest request or reply of any work. */
#define MESSAGE_MAX	(16u << 20)

/*
 * Every request and reply begins with this; what follows is not looked at.
 * @len: of all of it
 * @reply_len: what a request asks for
 * @id: of a call, the same in its reply
 */
struct message {
	uint32_t	len;
	uint32_t	reply_len;
	uint32_t	id;
	uint32_t	resv;
};

/* Room for the longest message. */
struct message *message_alloc(void);
/* What was received, once it is sure that it is as long as it says. */
struct message *message_check(void *data, size_t len);
/* What every server does: fills in the reply and returns its length. */
size_t message_answer(const struct message *request, struct message *reply);

enum place {
	PLACE_SAME,	/* both ends in one network namespace */
	PLACE_NET,	/* two, with a veth pair between them */
	PLACES,
};

enum end {
	END_CLIENT,
	END_SERVER,
};

enum kind {
	KIND_CALLS,	/* clients call a service */
	KIND_DUPLICATE,	/* what the server's kernel does for a duplicate */
	KIND_FILTER,	/* a duplicate, when many replies are cached */
};

/*
 * struct work - what is done
 * @quick: it belongs to the quick set
 * @depth: calls that a client has outstanding
 * @workers: threads of the server, and as many clients
 * @request, @reply: lengths in bytes
 * @sizes: instead of @request, the distribution of requests (1 to SIZES), or 0
 * @beside: length of the requests that one more client makes meanwhile, or 0
 * @loss: of packets in each direction, in hundredths of a percent
 * @records: KIND_FILTER: cached replies
 * @calls: in a batch
 */
struct work {
	const char	*name;
	const char	*title;
	enum kind	kind;
	bool		quick;
	unsigned int	depth;
	unsigned int	workers;
	size_t		request;
	size_t		reply;
	unsigned int	sizes;
	size_t		beside;
	unsigned int	loss;
	unsigned int	records;
	unsigned int	calls;
};

struct cell {
	const struct peer	*peer;
	const struct work	*work;
	enum place		place;
};

#define BATCHES		21	/* whose median counts */
#define QUANTILES	101

/*
 * struct result - what was measured
 * @why: what the peer cannot do, or how it failed; empty when it was measured
 * @failed: it should have worked
 * @cost: per call, median of the batches, in units of the clock
 * @least, @most: of the batches
 * @latency: the quantiles 0, 0.01, ... 1, in ns
 * @p999: the quantile 0.999
 */
struct result {
	char		why[200];
	bool		failed;
	double		cost;
	double		least;
	double		most;
	uint64_t	latency[QUANTILES];
	uint64_t	p999;
};

#endif
