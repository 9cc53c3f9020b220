// SPDX-License-Identifier: GPL-2.0
/* The node: tern up, tern down, tern show. */
#include <stdio.h>
#include <string.h>

#include "field.h"
#include "text.h"
#include "tool.h"

/* The names are also the words of "tern up". */
static const struct field settings_fields[] = {
	FIELD("port", TERN_A_SETTINGS_PORT, U16, NEWLINE),
	FIELD("address", TERN_A_SETTINGS_ADDRESSES, ADDRESSES, INLINE),
	FIELD("allow", TERN_A_SETTINGS_ALLOW, PREFIXES, NEWLINE),
	FIELD("timeout", TERN_A_SETTINGS_TIMEOUT_MS, MS32, NEWLINE),
	FIELD("lease", TERN_A_SETTINGS_LEASE_MS, MS32, INLINE),
	FIELD("grace", TERN_A_SETTINGS_GRACE_MS, MS32, INLINE),
	FIELD("slots", TERN_A_SETTINGS_SLOTS_MAX, U32, INLINE),
	FIELD("peers", TERN_A_SETTINGS_PEERS_MAX, U32, INLINE),
	FIELD("cache-peer", TERN_A_SETTINGS_CACHE_BYTES_PEER, BYTES64, NEWLINE),
	FIELD("cache-net", TERN_A_SETTINGS_CACHE_BYTES_NET, BYTES64, INLINE),
	FIELD("queue-peer", TERN_A_SETTINGS_QUEUE_BYTES_PEER, BYTES64, INLINE),
	FIELD("queue-net", TERN_A_SETTINGS_QUEUE_BYTES_NET, BYTES64, INLINE),
	FIELD_END
};

static const struct field node_fields[] = {
	FIELD("up", TERN_A_NODE_UP, FLAG, INLINE),
	FIELD("epoch", TERN_A_NODE_EPOCH, HEX64, INLINE),
	FIELD("uptime", TERN_A_NODE_UPTIME_MS, MS64, INLINE),
	FIELD("known-peers", TERN_A_NODE_PEERS, U32, INLINE),
	FIELD("associations", TERN_A_NODE_ASSOCIATIONS, U32, INLINE),
	FIELD("services", TERN_A_NODE_SERVICES, U32, INLINE),
	FIELD("message-max", TERN_A_NODE_MESSAGE_MAX, BYTES32, INLINE),
	FIELD_END
};

static const struct field *setting_find(const char *word)
{
	const struct field *field = settings_fields;

	while (field->name && strcmp(field->name, word))
		field++;
	return field->name ? field : NULL;
}

/*
 * Items of a list may come one by one between other settings, but the kernel
 * wants each list in one nest, so they are put once all words are read.
 */
struct list {
	struct nl_msg *items;
	const char *empty;	/* the word that stands for no items */
	bool has_empty;
};

/* What follows the name of a setting, in the words of the help. */
static const char *value_word(const struct field *field)
{
	switch (field->type) {
	case FIELD_ADDRESSES:
		return "ADDRESS or 'any'";
	case FIELD_PREFIXES:
		return "PREFIX or 'none'";
	case FIELD_MS32:
		return "TIME";
	case FIELD_BYTES64:
		return "SIZE";
	default:
		return "N";
	}
}

/* What it may look like; which of these are allowed is told by the kernel. */
static const char *value_form(const struct field *field)
{
	switch (field->type) {
	case FIELD_ADDRESSES:
		return "an IPv4 or IPv6 address";
	case FIELD_PREFIXES:
		return "ADDRESS/LENGTH, without bits beyond the length";
	case FIELD_MS32:
		return "a time, such as 300ms, 1.5s, 2m or 1h";
	case FIELD_BYTES64:
		return "a size, such as 4096, 64K, 1.5M or 2G";
	case FIELD_U16:
		return "a number up to 65535";
	default:
		return "a number up to 4294967295";
	}
}

static void bad_value(const struct field *field, const char *text)
{
	fail_usage("'%s' is not a valid value of '%s': it is %s", text,
		   field->name, value_form(field));
}

static void put(int err)
{
	if (err)
		fail("the request is too long");
}

static void list_add(struct list *list, const struct field *field,
		     const char *text)
{
	uint8_t address[TEXT_ADDRESS_LEN], length;
	struct nlattr *prefix;

	if (!list->items) {
		list->items = nlmsg_alloc_size(UINT16_MAX);
		if (!list->items)
			fail("out of memory");
	}
	if (!strcmp(text, list->empty)) {
		list->has_empty = true;
	} else if (field->type == FIELD_ADDRESSES) {
		if (!text_address(text, address))
			bad_value(field, text);
		put(nla_put(list->items, TERN_A_ADDRESSES_ADDRESS,
			    sizeof(address), address));
	} else {
		if (!text_prefix(text, address, &length))
			bad_value(field, text);
		prefix = nla_nest_start(list->items, TERN_A_PREFIXES_PREFIX |
					NLA_F_NESTED);
		if (!prefix)
			put(-1);
		put(nla_put(list->items, TERN_A_PREFIX_ADDRESS,
			    sizeof(address), address));
		put(nla_put_u8(list->items, TERN_A_PREFIX_LENGTH, length));
		nla_nest_end(list->items, prefix);
	}
	if (list->has_empty && nlmsg_datalen(nlmsg_hdr(list->items)))
		fail_usage("'%s %s' excludes any other '%s'", field->name,
			   list->empty, field->name);
}

static void list_put(struct list *list, struct nl_msg *settings, uint16_t attr)
{
	if (!list->items)
		return;
	put(nla_put(settings, attr | NLA_F_NESTED,
		    nlmsg_datalen(nlmsg_hdr(list->items)),
		    nlmsg_data(nlmsg_hdr(list->items))));
	nlmsg_free(list->items);
}

static void put_value(struct nl_msg *settings, const struct field *field,
		      const char *text)
{
	uint64_t number;
	uint32_t ms;

	switch (field->type) {
	case FIELD_U16:
		if (!text_number(text, UINT16_MAX, &number))
			bad_value(field, text);
		put(nla_put_u16(settings, field->attr, (uint16_t)number));
		break;
	case FIELD_MS32:
		if (!text_time(text, &ms))
			bad_value(field, text);
		put(nla_put_u32(settings, field->attr, ms));
		break;
	case FIELD_BYTES64:
		if (!text_bytes(text, &number))
			bad_value(field, text);
		put(nla_put_u64(settings, field->attr, number));
		break;
	default:
		if (!text_number(text, UINT32_MAX, &number))
			bad_value(field, text);
		put(nla_put_u32(settings, field->attr, (uint32_t)number));
		break;
	}
}

int node_up(struct args *args)
{
	struct list addresses = { .empty = "any" }, allow = { .empty = "none" };
	struct nl_msg *settings, *request;
	const struct field *field;
	const char *word, *value;

	settings = nlmsg_alloc_size(2 * UINT16_MAX);
	if (!settings)
		fail("out of memory");
	while ((word = args_next(args))) {
		field = setting_find(word);
		if (!field)
			fail_usage("unknown setting '%s'", word);
		value = args_value(args, word, value_word(field));
		if (field->type == FIELD_ADDRESSES)
			list_add(&addresses, field, value);
		else if (field->type == FIELD_PREFIXES)
			list_add(&allow, field, value);
		else
			put_value(settings, field, value);
	}
	list_put(&addresses, settings, TERN_A_SETTINGS_ADDRESSES);
	list_put(&allow, settings, TERN_A_SETTINGS_ALLOW);

	request = netlink_request(TERN_CMD_NODE_SET);
	put(nla_put(request, TERN_A_SETTINGS | NLA_F_NESTED,
		    nlmsg_datalen(nlmsg_hdr(settings)),
		    nlmsg_data(nlmsg_hdr(settings))));
	nlmsg_free(settings);
	netlink_do(request, "set up the node", settings_fields, NULL);
	return 0;
}

int node_down(struct args *args)
{
	args_end(args);
	netlink_do(netlink_request(TERN_CMD_NODE_DOWN), "bring the node down",
		   NULL, NULL);
	return 0;
}

int node_show(struct args *args)
{
	struct netlink_replies replies = { NULL, 0 };
	struct field_part parts[2] = {
		{ NULL, node_fields }, { NULL, settings_fields },
	};

	args_end(args);
	netlink_do(netlink_request(TERN_CMD_NODE_GET), "show the node", NULL,
		   &replies);
	if (!replies.count)
		fail("the kernel's answer is empty");
	parts[0].object = netlink_object(replies.msgs[0], TERN_A_NODE);
	parts[1].object = netlink_object(replies.msgs[0], TERN_A_SETTINGS);
	if (!cli_json)
		printf("node %s ", nla_find(nla_data(parts[0].object),
					    nla_len(parts[0].object),
					    TERN_A_NODE_UP) ? "up" : "down");
	field_print_object(parts, 2);
	netlink_replies_free(&replies);
	return 0;
}
