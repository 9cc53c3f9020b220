// SPDX-License-Identifier: GPL-2.0
/* Prints objects by tables of their attributes. */
#include "field.h"

#include <json-c/json.h>
#include <net/if.h>
#include <netlink/attr.h>
#include <stdio.h>
#include <string.h>

#include "tool.h"

static const char *enum_name(const struct field *field, uint32_t number)
{
	const char *const *name = field->names;

	while (*name && number--)
		name++;
	return *name ? *name : "unknown";
}

static bool address_of(struct nlattr *attr, char text[TEXT_MAX])
{
	if (!attr || nla_len(attr) != TEXT_ADDRESS_LEN)
		return false;
	text_from_address(nla_data(attr), text);
	return true;
}

static bool prefix_of(struct nlattr *attr, char text[TEXT_MAX])
{
	struct nlattr *tb[TERN_A_PREFIX_MAX + 1];
	struct nlattr *address;

	if (nla_parse_nested(tb, TERN_A_PREFIX_MAX, attr, NULL))
		return false;
	address = tb[TERN_A_PREFIX_ADDRESS];
	if (!address || nla_len(address) != TEXT_ADDRESS_LEN ||
	    !tb[TERN_A_PREFIX_LENGTH])
		return false;
	text_from_prefix(nla_data(address), nla_get_u8(tb[TERN_A_PREFIX_LENGTH]),
			 text);
	return true;
}

static bool item_of(const struct field *field, struct nlattr *attr,
		    char text[TEXT_MAX])
{
	return field->type == FIELD_PREFIXES ? prefix_of(attr, text) :
					       address_of(attr, text);
}

static bool is_list(const struct field *field)
{
	return field->type == FIELD_ADDRESSES || field->type == FIELD_PREFIXES;
}

static uint64_t number_of(const struct field *field, struct nlattr *attr)
{
	switch (field->type) {
	case FIELD_U16:
		return nla_get_u16(attr);
	case FIELD_U64:
	case FIELD_HEX64:
	case FIELD_MS64:
	case FIELD_BYTES64:
		return nla_get_u64(attr);
	default:
		return nla_get_u32(attr);
	}
}

void field_number_text(const struct field *field, uint64_t number,
		       char text[TEXT_MAX])
{
	switch (field->type) {
	case FIELD_HEX64:
		snprintf(text, TEXT_MAX, "0x%016llx",
			 (unsigned long long)number);
		break;
	case FIELD_MS32:
	case FIELD_MS64:
		text_from_ms(number, text);
		break;
	case FIELD_US32:
		text_from_us(number, text);
		break;
	case FIELD_BYTES32:
	case FIELD_BYTES64:
		text_from_bytes(number, text);
		break;
	default:
		snprintf(text, TEXT_MAX, "%llu", (unsigned long long)number);
		break;
	}
}

/* The text of a value that is not a list; false when there is none. */
static bool value_text(const struct field *field, struct nlattr *attr,
		       char text[TEXT_MAX])
{
	switch (field->type) {
	case FIELD_STRING:
		snprintf(text, TEXT_MAX, "%s", nla_get_string(attr));
		return true;
	case FIELD_ENUM:
		snprintf(text, TEXT_MAX, "%s",
			 enum_name(field, nla_get_u32(attr)));
		return true;
	case FIELD_DEVICE:
		if (!nla_get_u32(attr))
			return false;
		if (!if_indextoname(nla_get_u32(attr), text))
			snprintf(text, TEXT_MAX, "%u", nla_get_u32(attr));
		return true;
	case FIELD_ADDRESS:
		return address_of(attr, text);
	case FIELD_FLAG:
	case FIELD_ADDRESSES:
	case FIELD_PREFIXES:
		return false;
	default:
		field_number_text(field, number_of(field, attr), text);
		return true;
	}
}

/* One field as text; @started when something precedes it. */
static bool print_item(const struct field *field, const char *value,
		       bool started)
{
	const char *before = "";

	if (started)
		before = field->place == FIELD_NEWLINE ? "\n    " : " ";
	if (field->place == FIELD_BARE)
		printf("%s%s", before, value);
	else
		printf("%s%s %s", before, field->name, value);
	return true;
}

static bool print_list(const struct field *field, struct nlattr *list,
		       bool started)
{
	struct field item = *field;
	char text[TEXT_MAX];
	struct nlattr *attr;
	bool any = false;
	int rest;

	nla_for_each_nested(attr, list, rest) {
		if (!item_of(field, attr, text))
			continue;
		started = print_item(&item, text, started);
		item.place = FIELD_INLINE;
		any = true;
	}
	if (any)
		return started;
	return print_item(field, field->type == FIELD_PREFIXES ? "none" : "any",
			  started);
}

/* Prints the fields of one object that are there. */
static bool print_text(const struct field_part *part, bool started)
{
	for (const struct field *field = part->fields; field->name; field++) {
		struct nlattr *attr = nla_find(nla_data(part->object),
					       nla_len(part->object),
					       field->attr);
		char text[TEXT_MAX];

		if (!attr)
			continue;
		if (is_list(field))
			started = print_list(field, attr, started);
		else if (value_text(field, attr, text))
			started = print_item(field, text, started);
	}
	return started;
}

static json_object *list_json(const struct field *field, struct nlattr *list)
{
	json_object *array = json_object_new_array();
	char text[TEXT_MAX];
	struct nlattr *attr;
	int rest;

	nla_for_each_nested(attr, list, rest)
		if (item_of(field, attr, text))
			json_object_array_add(array,
					      json_object_new_string(text));
	return array;
}

/* NULL when there is no value. */
static json_object *value_json(const struct field *field, struct nlattr *attr)
{
	char text[TEXT_MAX];

	switch (field->type) {
	case FIELD_FLAG:
		return json_object_new_boolean(1);
	case FIELD_ADDRESSES:
	case FIELD_PREFIXES:
		return list_json(field, attr);
	case FIELD_HEX64:
	case FIELD_STRING:
	case FIELD_ENUM:
	case FIELD_DEVICE:
	case FIELD_ADDRESS:
		return value_text(field, attr, text) ?
			json_object_new_string(text) : NULL;
	default:
		return json_object_new_uint64(number_of(field, attr));
	}
}

static void json_key(const struct field *field, char key[TEXT_MAX])
{
	const char *suffix = "";

	switch (field->type) {
	case FIELD_MS32:
	case FIELD_MS64:
		suffix = "_ms";
		break;
	case FIELD_US32:
		suffix = "_us";
		break;
	default:
		break;
	}
	snprintf(key, TEXT_MAX, "%s%s", field->name, suffix);
	for (char *c = key; *c; c++)
		if (*c == '-')
			*c = '_';
}

static void add_json(const struct field_part *part, json_object *object)
{
	for (const struct field *field = part->fields; field->name; field++) {
		struct nlattr *attr = nla_find(nla_data(part->object),
					       nla_len(part->object),
					       field->attr);
		json_object *value = NULL;
		char key[TEXT_MAX];

		if (attr)
			value = value_json(field, attr);
		else if (field->type == FIELD_FLAG)
			value = json_object_new_boolean(0);
		json_key(field, key);
		if (value)
			json_object_object_add(object, key, value);
	}
}

static void print_json(json_object *json)
{
	puts(json_object_to_json_string_ext(json, JSON_C_TO_STRING_PLAIN |
					    JSON_C_TO_STRING_NOSLASHESCAPE));
	json_object_put(json);
}

void field_print_list(const struct netlink_replies *replies, uint16_t attr,
		      const struct field *fields)
{
	json_object *array = cli_json ? json_object_new_array() : NULL;

	for (size_t i = 0; i < replies->count; i++) {
		struct field_part part = {
			netlink_object(replies->msgs[i], attr), fields,
		};

		if (array) {
			json_object *object = json_object_new_object();

			add_json(&part, object);
			json_object_array_add(array, object);
		} else if (print_text(&part, false)) {
			putchar('\n');
		}
	}
	if (array)
		print_json(array);
	finish_output();
}

void field_print_object(const struct field_part *parts, unsigned int count)
{
	json_object *object = cli_json ? json_object_new_object() : NULL;
	bool started = false;

	for (unsigned int i = 0; i < count; i++) {
		if (object)
			add_json(&parts[i], object);
		else
			started = print_text(&parts[i], started);
	}
	if (object)
		print_json(object);
	else
		putchar('\n');
	finish_output();
}
