// SPDX-License-Identifier: GPL-2.0
/* The counters of the node: tern stat show. */
#include <fnmatch.h>
#include <json-c/json.h>
#include <stdio.h>
#include <string.h>

#include "netlink.h"
#include "tool.h"

/* Which counters are wanted. */
struct filter {
	char **patterns;	/* ended by NULL; none of them: all names */
	bool zero;		/* also those that are 0 */
};

static bool is_wanted(const struct filter *filter, const char *name,
		      unsigned long long value)
{
	if (!value && !filter->zero)
		return false;
	if (!*filter->patterns)
		return true;
	for (char **pattern = filter->patterns; *pattern; pattern++)
		if (!fnmatch(*pattern, name, 0))
			return true;
	return false;
}

static bool is_counter(const struct netlink_replies *replies, const char *pattern)
{
	for (size_t i = 0; i < replies->count; i++) {
		struct nlattr *stat = netlink_object(replies->msgs[i],
						     TERN_A_STAT);
		struct nlattr *name = nla_find(nla_data(stat), nla_len(stat),
					       TERN_A_STAT_NAME);

		if (name && !fnmatch(pattern, nla_get_string(name), 0))
			return true;
	}
	return false;
}

static void print_stats(const struct netlink_replies *replies,
			const struct filter *filter)
{
	json_object *object = cli_json ? json_object_new_object() : NULL;

	for (size_t i = 0; i < replies->count; i++) {
		struct nlattr *stat = netlink_object(replies->msgs[i],
						     TERN_A_STAT);
		struct nlattr *tb[TERN_A_STAT_MAX + 1];
		const char *name;
		unsigned long long value;

		if (nla_parse_nested(tb, TERN_A_STAT_MAX, stat, NULL) ||
		    !tb[TERN_A_STAT_NAME] || !tb[TERN_A_STAT_VALUE])
			fail("the kernel's answer lacks an attribute");
		name = nla_get_string(tb[TERN_A_STAT_NAME]);
		value = nla_get_u64(tb[TERN_A_STAT_VALUE]);
		if (!is_wanted(filter, name, value))
			continue;
		if (object)
			json_object_object_add(object, name,
					       json_object_new_uint64(value));
		else
			printf("%-32s %llu\n", name, value);
	}
	if (object) {
		puts(json_object_to_json_string_ext(object,
						    JSON_C_TO_STRING_PLAIN));
		json_object_put(object);
	}
	finish_output();
}

int stat_run(struct args *args)
{
	struct netlink_replies replies;
	struct filter filter = { 0 };

	args_verb(args, "stat");
	if (args_peek(args) && !strcmp(args_peek(args), "all")) {
		args_next(args);
		filter.zero = true;
	}
	/* Who asks for a counter by its name wants to see it. */
	if (args_peek(args))
		filter.zero = true;
	filter.patterns = args->next;
	replies = netlink_dump(TERN_CMD_STAT_GET, "show the counters");
	for (char **pattern = filter.patterns; *pattern; pattern++)
		if (!is_counter(&replies, *pattern))
			fail("no counter is named '%s'", *pattern);
	print_stats(&replies, &filter);
	netlink_replies_free(&replies);
	return 0;
}
