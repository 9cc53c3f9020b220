#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Test: mode=vm2 kernels=uml timeout=300
#
# Who a node is does not depend on its clock, and does when it reboots: clocks
# that jump by a day end no call and no lease, and when both machines are reset
# at once, neither takes the other for who it was before.
set -euo pipefail

# shellcheck source=selftests/vm2/lib.sh
. "$(dirname "$0")/lib.sh"

day=86400

# jump A|B SECONDS: its clock.
jump()
{
	vm2_run "$1" "date -s @\$((\$(date +%s) + $2))"
}

reset_both()
{
	vm2_kill A
	vm2_kill B
	cp "$vm2_dir"/B/share/out/log.* "$vm2_dir"
	vm2_power A
	vm2_power B
	vm2_ready A && vm2_ready B
}

start
check "client up" up_a
check "server up" up_b

first=1
for guest in A B; do
	for seconds in $day -$((2 * day)) $day; do
		calls first $first count 4 parallel 4 delay 3000 timeout 30000
		check "calls execute" until_true executed 4 $first
		check "the clock of $guest jumps by $seconds s" \
			jump "$guest" "$seconds"
		check "the calls end" vm2_wait A "$caller"
		collect $first
		check "each by its reply" ended 4 replied
		check "each was executed once" verify
		first=$((first + 10))
	done
done
check "no association has ended" test "$(stat A associations-ended)" = 0
check "no more than one was made" test "$(stat B associations-made)" = 1
calls first $first timeout 2000 count 4 parallel 4 delay 6000
check "a deadline is as far away as ever" vm2_wait A "$caller"
collect $first
check "and is the call's end" ended 4 unknown ETIMEDOUT
check "in time" took 1900 5500

calls first 1001 count 4 parallel 4 delay 600000 timeout 600000
check "calls execute before the reset" until_true executed 4 1001
check "both machines are reset at once" reset_both
check "client up again" up_a
check "server up again" up_b
calls first 2001 count 100 parallel 4
check "calls are made in the new lives" vm2_wait A "$caller"
collect 2001
check "each has its reply" ended 100 replied
collect
check "nothing ran twice, in either life" verify

check "no kernel reported anything" vm2_stop
finish
