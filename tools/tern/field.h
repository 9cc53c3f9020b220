/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Objects are printed by tables: one row for each attribute, in the order of
 * the output, for text and JSON alike.
 */
#ifndef TERN_FIELD_H
#define TERN_FIELD_H

#include <stdint.h>

#include "netlink.h"
#include "text.h"

/* In JSON times are plain numbers and their keys end in "_ms" or "_us". */
enum field_type {
	FIELD_FLAG,
	FIELD_U16,
	FIELD_U32,
	FIELD_U64,
	FIELD_HEX64,
	FIELD_STRING,
	FIELD_ENUM,	/* u32, its words in @names */
	FIELD_MS32,
	FIELD_MS64,
	FIELD_US32,
	FIELD_BYTES32,
	FIELD_BYTES64,
	FIELD_DEVICE,	/* u32, interface index; not printed when 0 */
	FIELD_ADDRESS,
	FIELD_ADDRESSES,
	FIELD_PREFIXES,
};

/* Where a field goes in text. */
enum field_place {
	FIELD_INLINE,
	FIELD_NEWLINE,	/* starts a line */
	FIELD_BARE,	/* its value without its name */
};

struct field {
	const char *name;
	uint16_t attr;
	enum field_type type;
	enum field_place place;
	const char *const *names;	/* ended by NULL */
};

/* Rows of a table, and its end. */
#define FIELD(label, number, kind, where) { .name = (label), .attr = (number), \
	.type = FIELD_##kind, .place = FIELD_##where }
#define FIELD_NAMED(label, number, where, words) { .name = (label), \
	.attr = (number), .type = FIELD_ENUM, .place = FIELD_##where, \
	.names = (words) }
#define FIELD_END { .name = NULL }

/* Prints the objects in the nests @attr of @replies, in JSON as one array. */
void field_print_list(const struct netlink_replies *replies, uint16_t attr,
		      const struct field *fields);

/* One object whose attributes are in several nests. */
struct field_part {
	struct nlattr *object;
	const struct field *fields;
};

/* A value of the field in words. */
void field_number_text(const struct field *field, uint64_t number,
		       char text[TEXT_MAX]);

void field_print_object(const struct field_part *parts, unsigned int count);

#endif
