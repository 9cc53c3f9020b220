/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Requests to the kernel over generic netlink.  The socket is opened by the
 * first request, so that everything else works without it.  All functions end
 * the program with a clear line when something goes wrong.
 */
#ifndef TERN_NETLINK_H
#define TERN_NETLINK_H

#include <netlink/attr.h>
#include <netlink/msg.h>
#include <linux/tern_netlink.h>

struct field;

struct netlink_replies {
	struct nl_msg **msgs;
	size_t count;
};

/* A request for TERN_CMD_@command, to be filled with attributes. */
struct nl_msg *netlink_request(uint8_t command);

/*
 * Sends @request, frees it, and adds what the kernel replies to @replies,
 * which may be NULL.  @what says what was tried, for errors.  An error about
 * an attribute inside TERN_A_SETTINGS names it by @fields.
 */
void netlink_do(struct nl_msg *request, const char *what,
		const struct field *fields, struct netlink_replies *replies);

/* The objects that a TERN_CMD_@command lists, as one consistent list. */
struct netlink_replies netlink_dump(uint8_t command, const char *what);

/* The attributes in the nest @attr of a reply; the nest must be there. */
struct nlattr *netlink_object(struct nl_msg *msg, uint16_t attr);

void netlink_replies_free(struct netlink_replies *replies);

#endif
