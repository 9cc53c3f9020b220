// SPDX-License-Identifier: GPL-2.0
/*
 * Names and sums of a node's counters.
 *
 * Layer: L0.
 */
#include "mib.h"

const char * const tern_mib_names[__TERN_MIB_MAX] = {
#define X(id, name) name,
	TERN_MIB_ROWS(X)
#undef X
};

/**
 * tern_mib_sum - value of a counter
 * @mib: the counters of a node
 * @i: which, enum tern_mib_counter
 *
 * Return: the sum over all CPUs.
 */
u64 tern_mib_sum(const struct tern_mib __percpu *mib, unsigned int i)
{
	u64 sum = 0;
	int cpu;

	for_each_possible_cpu(cpu)
		sum += READ_ONCE(per_cpu_ptr(mib, cpu)->v[i]);
	return sum;
}
