// SPDX-License-Identifier: GPL-2.0
/* The works that are measured. */
#include <string.h>

#include "work.h"

#define KIB		1024
#define MIB		(1024 * KIB)
#define SMALL		64
#define TIMED_MOST	2000

/* Calls one by one with a small reply; the arguments say what is more. */
#define ONE(...)	.depth = 1, .workers = 1, .reply = SMALL, __VA_ARGS__
#define MANY(...)	.workers = 1, .request = SMALL, .reply = SMALL, __VA_ARGS__

const struct work works[] = {
	{ "call", "one call at a time",
	  ONE(.request = SMALL, .calls = 100, .quick = true) },

	{ "depth-8", "8 outstanding", MANY(.depth = 8, .calls = 640) },
	{ "depth-32", "32 outstanding", MANY(.depth = 32, .calls = 1280) },
	{ "depth-64", "64 outstanding",
	  MANY(.depth = 64, .calls = 1920, .quick = true) },
	{ "depth-512", "512 outstanding", MANY(.depth = 512, .calls = 4096) },

	{ "workers-4", "4 workers, 4 clients",
	  .depth = 1, .workers = 4, .request = SMALL, .reply = SMALL, .calls = 200 },
	{ "workers-16", "16 workers, 16 clients",
	  .depth = 1, .workers = 16, .request = SMALL, .reply = SMALL, .calls = 800 },

	{ "size-256", "256 B", ONE(.request = 256, .calls = 100) },
	{ "size-1k", "1 KiB", ONE(.request = KIB, .calls = 100) },
	{ "size-4k", "4 KiB", ONE(.request = 4 * KIB, .calls = 100) },
	{ "size-16k", "16 KiB", ONE(.request = 16 * KIB, .calls = 50) },
	{ "size-64k", "64 KiB", ONE(.request = 64 * KIB, .calls = 20) },
	{ "size-256k", "256 KiB", ONE(.request = 256 * KIB, .calls = 10) },
	{ "size-1m", "1 MiB",
	  ONE(.request = MIB, .calls = 4, .quick = true) },
	{ "size-4m", "4 MiB", ONE(.request = 4 * MIB, .calls = 2) },
	{ "size-16m", "16 MiB", ONE(.request = 16 * MIB, .calls = 1) },

	{ "w1", "W1, a key-value store", ONE(.sizes = 1, .calls = 200) },
	{ "w2", "W2, search", ONE(.sizes = 2, .calls = 200) },
	{ "w3", "W3, a data center", ONE(.sizes = 3, .calls = 200) },
	{ "w4", "W4, Hadoop", ONE(.sizes = 4, .calls = 20) },
	{ "w5", "W5, web search", ONE(.sizes = 5, .calls = 20) },

	{ "beside-32k", "small calls beside one of 32 KiB",
	  ONE(.request = SMALL, .beside = 32 * KIB, .calls = 50) },
	{ "beside-1m", "small calls beside one of 1 MiB",
	  ONE(.request = SMALL, .beside = MIB, .calls = 20) },

	{ "loss-0.1", "0.1 % lost",
	  ONE(.request = SMALL, .loss = 10, .calls = 100) },
	{ "loss-1", "1 % lost",
	  ONE(.request = SMALL, .loss = 100, .calls = 100) },
	{ "loss-10", "10 % lost",
	  ONE(.request = SMALL, .loss = 1000, .calls = 100) },

	{ "duplicate", "a duplicate, at the server",
	  .kind = KIND_DUPLICATE, .workers = 1, .calls = 400, .quick = true },
	{ "filter-1000", "a duplicate, 1,000 replies cached",
	  .kind = KIND_FILTER, .workers = 1, .records = 1000, .calls = 200, .quick = true },
	{ "filter-10000", "a duplicate, 10,000 replies cached",
	  .kind = KIND_FILTER, .workers = 1, .records = 10000, .calls = 200, .quick = true },
	{ "filter-100000", "a duplicate, 100,000 replies cached",
	  .kind = KIND_FILTER, .workers = 1, .records = 100000, .calls = 200 },
	{ "filter-1000000", "a duplicate, 1,000,000 replies cached",
	  .kind = KIND_FILTER, .workers = 1, .records = 1000000, .calls = 200 },
};

const size_t work_count = COUNT(works);

const struct work *work_find(const char *name)
{
	for (size_t i = 0; i < COUNT(works); i++)
		if (!strcmp(works[i].name, name))
			return &works[i];
	return NULL;
}

unsigned int work_timed(const struct work *work)
{
	return work->calls * 20 < TIMED_MOST ? work->calls * 20 : TIMED_MOST;
}
