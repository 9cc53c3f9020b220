#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Test: kernels=uml,debug timeout=180
#
# Allocations that fail at random: calls may be refused or time out, but nothing
# is executed twice, and no outcome is wrong.
set -euo pipefail

# shellcheck source=selftests/net/lib.sh
. "$(dirname "$0")/../net/lib.sh"

failslab=/sys/kernel/debug/failslab
# more than fail at most; what is left of it is there afterwards
times=1000000000

# fail PERCENT: of the allocations that may not sleep, everywhere.
fail()
{
	echo "$1" >"$failslab"/probability
	echo "$times" >"$failslab"/times
	echo 0 >"$failslab"/verbose
	echo Y >"$failslab"/ignore-gfp-wait
	echo N >"$failslab"/task-filter
}

under_failure()
{
	fail "$1"
	calls count 300 parallel 8 size "$2" reply "$2" timeout 5000 || true
	failed=$((times - $(<"$failslab"/times)))
	fail 0
	echo "$failed allocations failed"
	awk "{ print \$2, \$3 }" "$out" | sort | uniq -c
	[ "$failed" -gt 0 ]
}

ends_all()
{
	[ "$(wc -l <"$out")" = 300 ]
}

mountpoint -q /sys/kernel/debug || mount -t debugfs none /sys/kernel/debug
nodes timeout 60s
serve 4
for size in 100 5000; do
	for percent in 2 10; do
		forget
		name="$percent % of allocations fail, $size bytes"
		check "$name" under_failure "$percent" "$size"
		check "$name: every call ends" ends_all
		check "$name: executed at most once" verify
	done
done
forget
check "with memory again" calls count 50 parallel 8
check "with memory again: every call has its reply" ended 50 replied
end_service
finish
