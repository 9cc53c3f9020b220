// SPDX-License-Identifier: GPL-2.0
/* What was measured in a run, as JSON and by name. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <time.h>

#include <json-c/json.h>

#include "clock.h"
#include "peer.h"
#include "place.h"
#include "result.h"
#include "work.h"

void run_begin(struct run *run)
{
	time_t now = time(NULL);
	struct utsname name;

	uname(&name);
	*run = (struct run){ .instructions = clock_counts_instructions() };
	strftime(run->date, sizeof(run->date), "%Y-%m-%d", gmtime(&now));
	snprintf(run->kernel, sizeof(run->kernel), "%s", name.release);
}

void run_free(struct run *run)
{
	free(run->entries);
	*run = (struct run){ 0 };
}

void run_add(struct run *run, const struct cell *cell,
	     const struct result *result)
{
	struct entry *entries;

	entries = realloc(run->entries, (run->count + 1) * sizeof(*entries));
	if (!entries)
		fail_errno("memory for results");
	entries[run->count++] = (struct entry){ *cell, *result };
	run->entries = entries;
}

const struct result *run_look(const struct run *run, const char *peer,
			      enum place place, const char *work)
{
	for (size_t i = 0; i < run->count; i++) {
		const struct cell *cell = &run->entries[i].cell;

		if (cell->place == place && !strcmp(cell->peer->name, peer) &&
		    !strcmp(cell->work->name, work))
			return &run->entries[i].result;
	}
	return NULL;
}

const struct result *run_find(const struct run *run, const char *peer,
			      enum place place, const char *work)
{
	const struct result *result = run_look(run, peer, place, work);

	return result && !*result->why ? result : NULL;
}

static enum place find_place(const char *name)
{
	for (enum place place = 0; place < PLACES; place++)
		if (!strcmp(place_names[place], name))
			return place;
	return PLACES;
}

const struct result *run_named(const struct run *run, const char *name)
{
	char peer[32], place[8], work[32];
	enum place where;

	if (sscanf(name, "%31[^/]/%7[^/]/%31s", peer, place, work) != 3)
		fail("'%s' is not PEER/PLACE/WORK", name);
	where = find_place(place);
	if (!peer_find(peer))
		fail("no peer '%s' (in '%s')", peer, name);
	if (where == PLACES)
		fail("no place '%s' (in '%s')", place, name);
	if (!work_find(work))
		fail("no work '%s' (in '%s')", work, name);
	return run_look(run, peer, where, work);
}

const char *run_unit(const struct run *run)
{
	return run->instructions ? "instructions" : "ns";
}

/* ---- JSON ---- */

static void add_text(struct json_object *object, const char *key,
		     const char *text)
{
	json_object_object_add(object, key, json_object_new_string(text));
}

/* Tenths are enough, and do not depend on the machine. */
static void add_number(struct json_object *object, const char *key,
		       double number)
{
	char text[32];

	snprintf(text, sizeof(text), "%.1f", number);
	json_object_object_add(object, key,
			       json_object_new_double_s(number, text));
}

static struct json_object *entry_json(const struct entry *entry)
{
	const struct result *result = &entry->result;
	struct json_object *object = json_object_new_object();
	struct json_object *latency;

	add_text(object, "peer", entry->cell.peer->name);
	add_text(object, "place", place_names[entry->cell.place]);
	add_text(object, "work", entry->cell.work->name);
	if (*result->why) {
		add_text(object, result->failed ? "failed" : "refused",
			 result->why);
		return object;
	}
	add_number(object, "cost", result->cost);
	add_number(object, "least", result->least);
	add_number(object, "most", result->most);
	if (!result->latency[QUANTILES - 1])
		return object;
	latency = json_object_new_array();
	for (size_t i = 0; i < QUANTILES; i++)
		json_object_array_add(latency,
				      json_object_new_int64(result->latency[i]));
	json_object_object_add(object, "latency", latency);
	json_object_object_add(object, "p999",
			       json_object_new_int64(result->p999));
	return object;
}

void run_write_json(const struct run *run)
{
	struct json_object *object = json_object_new_object();
	struct json_object *cells = json_object_new_array();

	add_text(object, "version", TERN_VERSION);
	add_text(object, "date", run->date);
	add_text(object, "kernel", run->kernel);
	add_text(object, "clock", run_unit(run));
	for (size_t i = 0; i < run->count; i++)
		json_object_array_add(cells, entry_json(&run->entries[i]));
	json_object_object_add(object, "cells", cells);
	puts(json_object_to_json_string_ext(object, JSON_C_TO_STRING_PRETTY |
					    JSON_C_TO_STRING_SPACED));
	json_object_put(object);
}

static const char *get_text(struct json_object *object, const char *key)
{
	struct json_object *value;

	if (!json_object_object_get_ex(object, key, &value))
		return "";
	return json_object_get_string(value) ?: "";
}

static double get_number(struct json_object *object, const char *key)
{
	struct json_object *value;

	if (!json_object_object_get_ex(object, key, &value))
		return 0;
	return json_object_get_double(value);
}

static void read_result(struct json_object *object, struct result *result)
{
	struct json_object *latency;

	*result = (struct result){
		.failed = *get_text(object, "failed"),
		.cost = get_number(object, "cost"),
		.least = get_number(object, "least"),
		.most = get_number(object, "most"),
		.p999 = get_number(object, "p999"),
	};
	snprintf(result->why, sizeof(result->why), "%s%s",
		 get_text(object, "failed"), get_text(object, "refused"));
	if (!json_object_object_get_ex(object, "latency", &latency) ||
	    json_object_array_length(latency) != QUANTILES)
		return;
	for (size_t i = 0; i < QUANTILES; i++)
		result->latency[i] =
			json_object_get_int64(json_object_array_get_idx(latency, i));
}

static void read_cell(struct run *run, const char *path,
		      struct json_object *object)
{
	struct cell cell = {
		.peer = peer_find(get_text(object, "peer")),
		.work = work_find(get_text(object, "work")),
		.place = find_place(get_text(object, "place")),
	};
	struct result result;

	if (!cell.peer || !cell.work || cell.place == PLACES)
		fail("%s: no such cell: %s/%s/%s", path, get_text(object, "peer"),
		     get_text(object, "place"), get_text(object, "work"));
	read_result(object, &result);
	run_add(run, &cell, &result);
}

void run_read_json(struct run *run, const char *path)
{
	struct json_object *object, *cells;

	object = strcmp(path, "-") ? json_object_from_file(path) :
				     json_object_from_fd(0);
	if (!object || !json_object_object_get_ex(object, "cells", &cells) ||
	    !json_object_is_type(cells, json_type_array))
		fail("%s: not the results of a run", path);
	*run = (struct run){
		.instructions = !strcmp(get_text(object, "clock"), "instructions"),
	};
	snprintf(run->date, sizeof(run->date), "%s", get_text(object, "date"));
	snprintf(run->kernel, sizeof(run->kernel), "%s",
		 get_text(object, "kernel"));
	for (size_t i = 0; i < json_object_array_length(cells); i++)
		read_cell(run, path, json_object_array_get_idx(cells, i));
	json_object_put(object);
}
