// SPDX-License-Identifier: GPL-2.0
/* Requests to the kernel over generic netlink. */
#include "netlink.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <linux/genetlink.h>
#include <linux/netlink.h>
#include <netlink/genl/ctrl.h>
#include <netlink/genl/genl.h>
#include <netlink/netlink.h>

#include "field.h"
#include "tool.h"

/* Longer than any request: "tern up" with as many prefixes as there may be. */
#define REQUEST_SIZE	65536

/* A list that changes while it is read is read again, this often. */
#define DUMP_TRIES	8

static struct nl_sock *sock;
static int family;

/* What one exchange with the kernel is about. */
struct exchange {
	struct nlmsghdr *request;
	const struct field *fields;
	const char *what;
	struct netlink_replies *replies;
	bool done;
};

static void *check_memory(void *memory)
{
	if (!memory)
		fail("out of memory");
	return memory;
}

static void open_socket(void)
{
	int one = 1;
	int err;

	sock = check_memory(nl_socket_alloc());
	err = genl_connect(sock);
	if (err)
		fail("cannot open a netlink socket: %s", nl_geterror(err));
	setsockopt(nl_socket_get_fd(sock), SOL_NETLINK, NETLINK_EXT_ACK, &one,
		   sizeof(one));
	setsockopt(nl_socket_get_fd(sock), SOL_NETLINK, NETLINK_GET_STRICT_CHK,
		   &one, sizeof(one));
	family = genl_ctrl_resolve(sock, TERN_FAMILY_NAME);
	if (family < 0)
		fail("the kernel does not know Tern; is the module tern loaded?");
}

struct nl_msg *netlink_request(uint8_t command)
{
	struct nl_msg *msg;

	if (!sock)
		open_socket();
	msg = check_memory(nlmsg_alloc_size(REQUEST_SIZE));
	check_memory(genlmsg_put(msg, NL_AUTO_PORT, NL_AUTO_SEQ, family, 0, 0,
				 command, TERN_FAMILY_VERSION));
	return msg;
}

/* The setting that lies at @offset of the request, or NULL. */
static const struct field *setting_at(const struct exchange *x, uint32_t offset)
{
	const char *at = (const char *)x->request + offset;
	struct nlattr *settings, *attr;
	int rest;

	settings = nlmsg_find_attr(x->request, GENL_HDRLEN, TERN_A_SETTINGS);
	if (!settings)
		return NULL;
	nla_for_each_nested(attr, settings, rest) {
		const struct field *field = x->fields;

		if (at < (char *)attr || at >= (char *)attr + nla_len(attr) +
					       NLA_HDRLEN)
			continue;
		while (field->name && field->attr != nla_type(attr))
			field++;
		return field->name ? field : NULL;
	}
	return NULL;
}

/* Ends the program when the policy of a setting tells what its range is. */
static void fail_range(const struct exchange *x, const struct field *setting,
		       struct nlattr *policy)
{
	struct nlattr *tb[NL_POLICY_TYPE_ATTR_MAX + 1];
	char min[TEXT_MAX], max[TEXT_MAX];

	if (nla_parse_nested(tb, NL_POLICY_TYPE_ATTR_MAX, policy, NULL) ||
	    !tb[NL_POLICY_TYPE_ATTR_MIN_VALUE_U] ||
	    !tb[NL_POLICY_TYPE_ATTR_MAX_VALUE_U])
		return;
	field_number_text(setting,
			  nla_get_u64(tb[NL_POLICY_TYPE_ATTR_MIN_VALUE_U]),
			  min);
	field_number_text(setting,
			  nla_get_u64(tb[NL_POLICY_TYPE_ATTR_MAX_VALUE_U]),
			  max);
	fail_usage("cannot %s: %s: must be from %s to %s", x->what,
		   setting->name, min, max);
}

/* Ends the program with error @error, explained by the attributes at @attrs. */
static void fail_refused(const struct exchange *x, int error,
			 struct nlattr *attrs, int len)
{
	struct nlattr *tb[NLMSGERR_ATTR_MAX + 1] = { NULL };
	const struct field *setting = NULL;
	const char *text = NULL;

	if (len > 0)
		nla_parse(tb, NLMSGERR_ATTR_MAX, attrs, len, NULL);
	if (tb[NLMSGERR_ATTR_MSG])
		text = nla_get_string(tb[NLMSGERR_ATTR_MSG]);
	if (tb[NLMSGERR_ATTR_OFFS] && x->fields)
		setting = setting_at(x, nla_get_u32(tb[NLMSGERR_ATTR_OFFS]));
	if (!text)
		text = strerror(error);
	if (setting && error == ERANGE && tb[NLMSGERR_ATTR_POLICY])
		fail_range(x, setting, tb[NLMSGERR_ATTR_POLICY]);
	/* Whatever the node is like, this value cannot be had. */
	if (setting && (error == EINVAL || error == E2BIG))
		fail_usage("cannot %s: %s: %s", x->what, setting->name, text);
	if (setting)
		fail("cannot %s: %s: %s", x->what, setting->name, text);
	fail("cannot %s: %s", x->what, text);
}

static int on_error(struct sockaddr_nl *from, struct nlmsgerr *error, void *arg)
{
	struct nlmsghdr *header = (struct nlmsghdr *)error - 1;
	size_t skip = sizeof(*error);

	(void)from;
	if (!(header->nlmsg_flags & NLM_F_CAPPED))
		skip += error->msg.nlmsg_len - sizeof(error->msg);
	skip = NLMSG_ALIGN(skip);
	if (!(header->nlmsg_flags & NLM_F_ACK_TLVS))
		skip = (size_t)nlmsg_datalen(header);
	fail_refused(arg, -error->error,
		     (struct nlattr *)((char *)error + skip),
		     nlmsg_datalen(header) - (int)skip);
	return NL_STOP;
}

static int on_ack(struct nl_msg *msg, void *arg)
{
	struct exchange *x = arg;

	(void)msg;
	x->done = true;
	return NL_STOP;
}

/* The end of a list carries an error, when there was one. */
static int on_finish(struct nl_msg *msg, void *arg)
{
	struct nlmsghdr *header = nlmsg_hdr(msg);
	struct exchange *x = arg;
	int error = 0;

	if (nlmsg_datalen(header) >= (int)sizeof(error))
		memcpy(&error, nlmsg_data(header), sizeof(error));
	if (error < 0)
		fail_refused(x, -error,
			     nlmsg_attrdata(header, sizeof(error)),
			     header->nlmsg_flags & NLM_F_ACK_TLVS ?
			     nlmsg_attrlen(header, sizeof(error)) : 0);
	x->done = true;
	return NL_STOP;
}

static int on_reply(struct nl_msg *msg, void *arg)
{
	struct netlink_replies *replies = ((struct exchange *)arg)->replies;

	if (!replies)
		return NL_OK;
	replies->msgs = check_memory(reallocarray(replies->msgs,
						  replies->count + 1,
						  sizeof(*replies->msgs)));
	nlmsg_get(msg);
	replies->msgs[replies->count++] = msg;
	return NL_OK;
}

/* Sends a request and reads until its end; returns a code of libnl. */
static int exchange(struct nl_msg *request, struct exchange *x)
{
	struct nl_cb *cb = check_memory(nl_cb_alloc(NL_CB_DEFAULT));
	int err;

	x->request = nlmsg_hdr(request);
	nl_cb_err(cb, NL_CB_CUSTOM, on_error, x);
	nl_cb_set(cb, NL_CB_ACK, NL_CB_CUSTOM, on_ack, x);
	nl_cb_set(cb, NL_CB_FINISH, NL_CB_CUSTOM, on_finish, x);
	nl_cb_set(cb, NL_CB_VALID, NL_CB_CUSTOM, on_reply, x);

	err = nl_send_auto(sock, request);
	while (err >= 0 && !x->done)
		err = nl_recvmsgs(sock, cb);
	nl_cb_put(cb);
	nlmsg_free(request);
	if (err < 0 && err != -NLE_DUMP_INTR)
		fail("cannot %s: %s", x->what, nl_geterror(err));
	return err;
}

void netlink_do(struct nl_msg *request, const char *what,
		const struct field *fields, struct netlink_replies *replies)
{
	struct exchange x = {
		.fields = fields, .what = what, .replies = replies,
	};

	nlmsg_hdr(request)->nlmsg_flags |= NLM_F_ACK;
	exchange(request, &x);
}

struct netlink_replies netlink_dump(uint8_t command, const char *what)
{
	struct netlink_replies replies = { NULL, 0 };
	struct exchange x = { .what = what, .replies = &replies };

	for (int i = 0; i < DUMP_TRIES; i++) {
		struct nl_msg *request = netlink_request(command);

		nlmsg_hdr(request)->nlmsg_flags |= NLM_F_DUMP;
		x.done = false;
		if (exchange(request, &x) != -NLE_DUMP_INTR)
			return replies;
		netlink_replies_free(&replies);
	}
	fail("cannot %s: the list changes too fast", what);
}

struct nlattr *netlink_object(struct nl_msg *msg, uint16_t attr)
{
	struct nlattr *nest = nlmsg_find_attr(nlmsg_hdr(msg), GENL_HDRLEN,
					      attr);

	if (!nest)
		fail("the kernel's answer lacks an attribute");
	return nest;
}

void netlink_replies_free(struct netlink_replies *replies)
{
	for (size_t i = 0; i < replies->count; i++)
		nlmsg_free(replies->msgs[i]);
	free(replies->msgs);
	*replies = (struct netlink_replies){ NULL, 0 };
}
