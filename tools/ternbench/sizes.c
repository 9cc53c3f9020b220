// SPDX-License-Identifier: GPL-2.0
/*
 * The sizes of messages of five applications, known as W1 to W5 since they were
 * used in B. Montazeri et al., "Homa: A Receiver-Driven Low-Latency Transport
 * Protocol Using Network Priorities", SIGCOMM 2018, which names where each was
 * measured.  Here are a few points of each, between which is interpolated.
 */
#include "bench.h"
#include "sizes.h"

struct point {
	size_t	size;
	double	part;	/* of the messages, that are not longer */
};

/*
 * Memcached at Facebook, the pool ETC: the values' sizes as B. Atikoglu et al.
 * give them in "Workload Analysis of a Large-Scale Key-Value Store", SIGMETRICS
 * 2012: a table up to 15 bytes, above it a generalized Pareto distribution with
 * the scale 214.476 and the shape 0.348238.
 */
static const struct point w1[] = {
	{ 1, 0.006 }, { 2, 0.184 }, { 3, 0.276 }, { 10, 0.328 }, { 11, 0.418 },
	{ 15, 0.470 }, { 50, 0.548 }, { 100, 0.634 }, { 150, 0.700 },
	{ 250, 0.790 }, { 400, 0.869 }, { 600, 0.922 }, { 1000, 0.966 },
	{ 2000, 0.9915 }, { 4000, 0.9984 }, { 8000, 0.9997 }, { 20000, 1 },
};

/* A search application at Google. */
static const struct point w2[] = {
	{ 1, 0 }, { 2, 0.076 }, { 4, 0.151 }, { 32, 0.189 }, { 64, 0.326 },
	{ 128, 0.342 }, { 256, 0.464 }, { 320, 0.642 }, { 427, 0.821 },
	{ 512, 0.910 }, { 1024, 0.958 }, { 2048, 0.981 }, { 4096, 0.9953 },
	{ 16384, 0.9989 }, { 65536, 0.99935 }, { 262144, 0.999975 },
	{ 3529904, 1 },
};

/* All applications in a data center of Google. */
static const struct point w3[] = {
	{ 1, 0 }, { 2, 0.277 }, { 3, 0.461 }, { 4, 0.553 }, { 7, 0.646 },
	{ 32, 0.738 }, { 64, 0.797 }, { 128, 0.827 }, { 256, 0.857 },
	{ 512, 0.939 }, { 1024, 0.961 }, { 2048, 0.974 }, { 4096, 0.9814 },
	{ 8192, 0.9898 }, { 16384, 0.9956 }, { 65536, 0.9981 },
	{ 262144, 0.99955 }, { 12158197, 1 },
};

/* Hadoop at Facebook. */
static const struct point w4[] = {
	{ 92, 0.007 }, { 300, 0.052 }, { 326, 0.138 }, { 425, 0.223 },
	{ 480, 0.264 }, { 600, 0.459 }, { 737, 0.552 }, { 1042, 0.610 },
	{ 1664, 0.667 }, { 7830, 0.708 }, { 31946, 0.721 }, { 44260, 0.758 },
	{ 51046, 0.816 }, { 75180, 0.842 }, { 102058, 0.889 },
	{ 184284, 0.926 }, { 288520, 0.954 }, { 736642, 0.968 },
	{ 1769244, 0.981 }, { 2169118, 0.987 }, { 10000000, 1 },
};

/* Web search, as DCTCP was measured with: packets of 1460 bytes. */
#define PACKETS(count)	((count) * 1460)
static const struct point w5[] = {
	{ PACKETS(1), 0.025 }, { PACKETS(7), 0.163 }, { PACKETS(20), 0.310 },
	{ PACKETS(34), 0.407 }, { PACKETS(54), 0.532 }, { PACKETS(133), 0.600 },
	{ PACKETS(248), 0.622 }, { PACKETS(667), 0.700 }, { PACKETS(1333), 0.800 },
	{ PACKETS(3333), 0.900 }, { PACKETS(6667), 0.900 },
	{ PACKETS(20000), 1 },
};

static const struct point *const distributions[SIZES] = { w1, w2, w3, w4, w5 };

static size_t size_at(unsigned int which, double part)
{
	const struct point *point = distributions[which - 1];
	double size;

	while (part > point[1].part)
		point++;
	size = point[0].size;
	if (part > point[0].part)
		size += (part - point[0].part) /
			(point[1].part - point[0].part) *
			(point[1].size - point[0].size);
	if (size < sizeof(struct message))
		return sizeof(struct message);
	return size < MESSAGE_MAX ? size : MESSAGE_MAX;
}

size_t sizes_draw(unsigned int which, unsigned int i, unsigned int calls)
{
	/* a prime, so that each part comes once */
	return size_at(which, (i * 7907 % calls + 0.5) / calls);
}

size_t sizes_longest(unsigned int which, unsigned int calls)
{
	return size_at(which, (calls - 0.5) / calls);
}
