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
check "the machine is reset once more" reset_b
check "server up, life 4" up_b
check "the idempotent caller ends" vm2_wait A "$caller"
collect 5000001
check "every idempotent call has its reply" ended 400 replied
check "each of them ran" verify again

check "no kernel reported anything" vm2_stop
finish
