// SPDX-License-Identifier: GPL-2.0
/* Calls the null procedure again and again: tern ping. */
#include <errno.h>
#include <json-c/json.h>
#include <poll.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <tern.h>

#include "remote.h"
#include "text.h"
#include "tool.h"

static atomic_bool interrupted;

struct ping {
	struct sockaddr_tern to;
	char name[TERN_ADDR_TEXT_SIZE];
	uint64_t count;		/* 0: until it is interrupted */
	uint32_t interval_ms;
	uint32_t timeout_ms;
};

struct summary {
	unsigned long long calls;
	unsigned long long answered;
	unsigned long long min_us;
	unsigned long long max_us;
	unsigned long long sum_us;
};

static void interrupt(int signal)
{
	(void)signal;
	interrupted = true;
}

static uint64_t now_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

static void read_args(struct ping *ping, struct args *args)
{
	const char *target = args_value(args, "ping", "HOST[/SERVICE]");
	const char *word, *value;

	*ping = (struct ping){ .interval_ms = 1000, .timeout_ms = 1000 };
	remote_parse_node(target, &ping->to);
	while ((word = args_next(args))) {
		if (!strcmp(word, "count")) {
			value = args_value(args, word, "N");
			if (!text_number(value, UINT32_MAX, &ping->count) ||
			    !ping->count)
				fail_usage("'%s' is not a valid count", value);
		} else if (!strcmp(word, "interval")) {
			value = args_value(args, word, "TIME");
			if (!text_time(value, &ping->interval_ms))
				fail_usage("'%s' is not a valid interval",
					   value);
		} else if (!strcmp(word, "timeout")) {
			ping->timeout_ms = remote_time(args, word);
		} else {
			fail_usage("unknown word '%s' of 'ping'", word);
		}
	}
	tern_addr_format(&ping->to, ping->name, sizeof(ping->name));
}

/* Makes one call; a service may answer its null procedure with any status. */
static void ping_once(int fd, const struct ping *ping, struct summary *sum)
{
	struct tern_call_opts opts = { .timeout_ms = ping->timeout_ms };
	char text[REMOTE_TEXT_SIZE], time[TEXT_MAX];
	uint64_t start = now_us(), us;
	struct tern_result result;

	tern_call(fd, &ping->to, TERN_PROC_NULL, NULL, 0, NULL, 0, &opts,
		  &result);
	us = now_us() - start;
	/* A call that the user broke off says nothing about the node. */
	if (result.cause == EINTR && interrupted)
		return;
	if (result.cause == EINVAL)
		fail_usage("%s: %s", ping->name,
			   remote_text(&result, &ping->to, text));
	sum->calls++;
	if (result.outcome != TERN_REPLIED) {
		if (!cli_json)
			printf("%s: call %llu %s\n", ping->name,
			       sum->calls,
			       remote_text(&result, &ping->to, text));
		return;
	}
	if (!sum->answered++ || us < sum->min_us)
		sum->min_us = us;
	if (us > sum->max_us)
		sum->max_us = us;
	sum->sum_us += us;
	text_from_us(us, time);
	if (!cli_json)
		printf("%s: call %llu answered in %s\n", ping->name,
		       sum->calls, time);
}

static void print_summary(const struct ping *ping, const struct summary *sum)
{
	char min[TEXT_MAX], mean[TEXT_MAX], max[TEXT_MAX];

	printf("%s: %llu calls, %llu answered", ping->name,
	       sum->calls, sum->answered);
	if (sum->answered) {
		text_from_us(sum->min_us, min);
		text_from_us(sum->sum_us / sum->answered, mean);
		text_from_us(sum->max_us, max);
		printf(", round trip min %s mean %s max %s", min, mean, max);
	}
	putchar('\n');
}

static void add(json_object *object, const char *key, uint64_t number)
{
	json_object_object_add(object, key, json_object_new_uint64(number));
}

static void print_json(const struct ping *ping, const struct summary *sum)
{
	json_object *object = json_object_new_object();

	json_object_object_add(object, "address",
			       json_object_new_string(ping->name));
	add(object, "calls", sum->calls);
	add(object, "answered", sum->answered);
	if (sum->answered) {
		add(object, "min_us", sum->min_us);
		add(object, "mean_us", sum->sum_us / sum->answered);
		add(object, "max_us", sum->max_us);
	}
	puts(json_object_to_json_string_ext(object, JSON_C_TO_STRING_PLAIN |
					    JSON_C_TO_STRING_NOSLASHESCAPE));
	json_object_put(object);
}

/*
 * Waits with the signals let in only here, so that none is missed between the
 * look at the flag and the wait.
 */
static void wait_interval(uint32_t ms)
{
	struct timespec time = { ms / 1000, (long)(ms % 1000) * 1000000 };
	sigset_t blocked, old;

	sigemptyset(&blocked);
	sigaddset(&blocked, SIGINT);
	sigaddset(&blocked, SIGTERM);
	sigprocmask(SIG_BLOCK, &blocked, &old);
	if (!interrupted)
		ppoll(NULL, 0, &time, &old);
	sigprocmask(SIG_SETMASK, &old, NULL);
}

int ping_run(struct args *args)
{
	struct sigaction action = { .sa_handler = interrupt };
	struct summary sum = { 0 };
	struct ping ping;
	int fd;

	read_args(&ping, args);
	fd = remote_socket();
	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	while (!interrupted) {
		ping_once(fd, &ping, &sum);
		if (fflush(stdout) || (ping.count && sum.calls >= ping.count))
			break;
		wait_interval(ping.interval_ms);
	}
	close(fd);
	if (cli_json)
		print_json(&ping, &sum);
	else
		print_summary(&ping, &sum);
	finish_output();
	return sum.answered ? 0 : 1;
}
