/* SPDX-License-Identifier: GPL-2.0 */
/* What the server and the clients of the demo agree on. */
#ifndef DEMO_H
#define DEMO_H

#include <stdint.h>

#define LEDGER_PROGRAM	20018
#define LEDGER_VERSION	1
#define LEDGER_PORT	20018	/* of plain UDP */

#define ACCOUNTS	100
#define FIRST_BALANCE	1000000	/* of each account, in cents */

enum ledger_procedure {
	LEDGER_TRANSFER = 1,	/* struct order; no reply */
	LEDGER_AUDIT,		/* nothing; a be64 balance of each account */
};

enum ledger_status {
	LEDGER_OK,
	LEDGER_BAD_ORDER,
	LEDGER_BAD_PROCEDURE,
};

/*
 * A transfer, in network order. @attempt counts the calls that were made for
 * it: the log shows by it which of them was executed.
 */
struct order {
	uint32_t	id;
	uint32_t	attempt;
	uint32_t	from;
	uint32_t	to;
	uint32_t	amount;
};

#define LEDGER_REPLY_MAX	(ACCOUNTS * sizeof(uint64_t))

/*
 * A request over plain UDP, or the reply to it, which has the same number;
 * in network order.
 */
struct datagram {
	uint32_t	number;
	uint32_t	procedure;
	char		body[LEDGER_REPLY_MAX];
};

#define DATAGRAM_HEADER		offsetof(struct datagram, body)

#endif /* DEMO_H */
