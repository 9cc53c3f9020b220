#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Test: mode=vm2 kernels=uml,6.12 timeout=300
#
# The server's machine is reset in mid-traffic, twice, and boots again.
set -euo pipefail

# shellcheck source=selftests/vm2/lib.sh
. "$(dirname "$0")/lib.sh"

start
check "client up" up_a timeout 30s
check "server up" up_b

calls count 1000000 parallel 8 delay 1 gap 5 timeout 4000
for life in 2 3; do
	seen=$(count_executed)
	check "calls are executed, life $((life - 1))" \
		until_true executed $((seen + 100))
	check "the server's machine is reset" reset_b
	check "server up, life $life" up_b
done
check "calls are executed, life 3" \
	until_true executed $(($(count_executed) + 100))
check "no more calls" vm2_run A "pkill -TERM -x caller"
check "the caller ends" vm2_wait A "$caller"
collect
check "nothing ran twice, every outcome is true" verify
check "some calls met the reset: unknown" \
	awk '$2 == "unknown" { n++ } END { exit n < 1 }' "$out"
check "the client was told of the reboots" counted A stales-received

# Idempotent calls are made again, in the next life.
calls first 5000001 count 400 parallel 8 delay 20 timeout 60000 idempotent 1
check "idempotent calls are executed" until_true executed 50 5000001
idempotent=$caller
calls first 6000001 delay 60000 timeout 30000 maybe 1
check "a call that is sent once executes" until_true executed 1 6000001
maybe=$caller
check "the service stands still" vm2_run B "pkill -STOP -x counter"
calls first 7000001 oneway 1
check "a one-way call is sent" vm2_wait A "$caller"
collect 7000001
check "and is delivered" ended 1 delivered
check "the machine is reset once more" reset_b
check "server up, life 4" up_b
check "the idempotent caller ends" vm2_wait A "$idempotent"
check "the caller of what was sent once ends" vm2_wait A "$maybe"
collect 5000001 5999999
check "every idempotent call has its reply" ended 400 replied
check "each of them ran" verify again
collect 6000001 6999999
check "what was sent once: unknown, as others met the next life" \
	ended 1 unknown ECONNRESET
check "it did not run again" verify
collect 7000001
check "the one-way call was lost with its queue" test ! -s "$log"

check "no kernel reported anything" vm2_stop
finish
