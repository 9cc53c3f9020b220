#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Test: mode=vm2 kernels=uml timeout=240
#
# A client's machine that dies with its calls, and a server's machine that
# stands still for longer than the lease.
set -euo pipefail

# shellcheck source=selftests/vm2/lib.sh
. "$(dirname "$0")/lib.sh"

start
check "client up" up_a lease 5s
check "server up" up_b lease 5s

# The client's machine dies.
calls first 1 count 6 parallel 6 delay 2000 timeout 60000
check "its calls execute" until_true executed 4
check "the service stands still" vm2_run B "pkill -STOP -x counter"
calls first 50 oneway 1
check "a one-way call is sent" vm2_wait A "$caller"
collect 50
check "and is delivered" ended 1 delivered
vm2_kill A
check "the server gives its association up" until_true counted B \
	associations-ended
check "the service goes on" vm2_run B "pkill -CONT -x counter"
check "the one-way call is executed" until_true executed 1 50
check "orphans are counted, or have ended before" until_true \
	shows B '.[0] | .executing == 0 and .queued == 0' "service show"
check "nothing is kept for the dead one" until_true shows B \
	'all(.cached_bytes == 0 and .queued_bytes == 0)' "peer show"
check "no more was executed than sent" test "$(count_executed)" -le 7
check "the client's machine boots again" vm2_boot A
check "client up again" up_a lease 5s
calls first 101 count 50 parallel 4
check "it calls again" vm2_wait A "$caller"
collect 101
check "every call has its reply" ended 50 replied
check "executed once" verify

# The server's machine stands still.
ends=$(stat A associations-ended)
vm2_pause B
calls first 201 count 4 parallel 4 timeout 3000
check "calls to it end at their deadline" vm2_wait A "$caller"
collect 201
check "as unknown" ended 4 unknown ETIMEDOUT
check "the client gives its association up" until_true counted A \
	associations-ended $((ends + 1))
vm2_resume B
calls first 301 count 50 parallel 4
check "it goes on: calls work again" vm2_wait A "$caller"
collect 201
check "every later call has its reply" ended 50 replied
check "what was said is true" verify

check "no kernel reported anything" vm2_stop
finish
