#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Test: mode=vm2 kernels=uml timeout=240
#
# A request lies in the buffer of a server's machine that stands still: its time
# counts from its arrival. It is executed after its deadline, when the word that
# it was withdrawn gets lost, and the history of a chaos run shows why.
set -euo pipefail

# shellcheck source=selftests/vm2/lib.sh
. "$(dirname "$0")/lib.sh"

# late LEFT: call 2 began after its deadline with so much time left, in ms.
late()
{
	cat "$vm2_dir/B/share/out/log.still"
	awk -v left="$1" '$1 == 2 && $3 >= left { n++ } END { exit n != 1 }' \
		"$vm2_dir/B/share/out/log.still"
}

# stood_still MS: the service has written down that it did, for as long.
stood_still()
{
	cat "$vm2_dir/B/share/out/clock"
	awk -v ms="$1" '$2 - $1 >= ms { n++ } END { exit !n }' \
		"$vm2_dir/B/share/out/clock"
}

start
check "client up" up_a lease 60s
service=$(vm2_bg B "$programs/counter $program /out/log.still 4 /out/clock")
check "the service is there" vm2_expect B "$service" ready
check "server up" vm2_run B "tern up allow 10.9.0.0/24 lease 60s"
calls first 1 timeout 30000
check "a call works" vm2_wait A "$caller"

vm2_pause B
made=$(stat A calls)
calls first 2 timeout 5000
check "a request is sent" until_true counted A calls $((made + 1))
vm2_link A down
check "the call ends at its deadline" vm2_wait A "$caller"
collect 2
check "as unknown" ended 1 unknown ETIMEDOUT
check "it was not executed until then" test "$(count_executed)" = 1
vm2_resume B
check "it is executed after that" until_true executed 1 2
check "with its time left" late 3000
check "since its machine stood still, as the service has seen" stood_still 4000
vm2_link A up
calls first 3 timeout 30000
check "calls work again" vm2_wait A "$caller"
collect 1
check "what was said is true" verify

check "no kernel reported anything" vm2_stop
finish
