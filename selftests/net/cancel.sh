#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Test: timeout=200
#
# Asynchronous calls to another node that are withdrawn: while they are queued
# or execute, and while their CANCEL or its answer is lost.
set -euo pipefail

# shellcheck source=selftests/net/lib.sh
. "$(dirname "$0")/lib.sh"

# start_call ID [OPTION VALUE]...: an asynchronous call, in the background.
start_call()
{
	start_calls first "$1" count 1 async 1 "${@:2}"
}

withdraw()
{
	# shellcheck disable=SC2154
	kill -USR1 "$caller"
}

# repeated: the CANCEL of the call is sent again.
repeated()
{
	eventually counted client cancels-sent $((sent + 3))
}

# how long a worker takes, in ms: longer than what is looked at meanwhile
long=6000
[ "${TERN_KERNEL-}" != debug ] || long=40000

nodes timeout 60s
serve

# One thread, which has a call: the others wait for it.
start_calls first 1 count 1 delay 600000 timeout 600000
holder=$caller
check "a call executes" eventually executed 1

start_call 2
check "another is queued" eventually service queued 1 executing 1
withdraw
wait "$caller"
check "withdrawn while it is queued: not executed" \
	became 2 not-executed ECANCELED
check "it was taken out of the queue" service queued 0 executing 1
check "as the server counts" prints 1 stat server requests-cancelled

start_call 3
check "a third is queued" eventually service queued 1
# shellcheck disable=SC2154
lose client egress "$cancel"
sent=$(stat client cancels-sent)
withdraw
check "no CANCEL arrives: it is repeated" repeated
check "the call stays in the queue" service queued 1
check "and has no outcome" exits 1 grep '^3 ' "$out"
let_pass client egress
wait "$caller"
check "then one arrives: not executed" became 3 not-executed ECANCELED
check "the queue is empty" service queued 0

start_call 4
check "a fourth is queued" eventually service queued 1
# shellcheck disable=SC2154
lose client ingress "$reply"
sent=$(stat client cancels-sent)
withdraw
check "no answer arrives: the CANCEL is repeated" repeated
check "the call was taken out of the queue" service queued 0
let_pass client ingress
wait "$caller"
check "the outcome is told again: not executed" \
	became 4 not-executed ECANCELED
check "each is counted once" prints 3 stat server requests-cancelled

end_service KILL
wait "$holder"
check "none of them ran" prints 1 cat "$log"
check "what was said is true" verify

# A worker that hears of what is not wanted any more, and goes on.
forget
start_worker
unwanted=$(number_of ECANCELED)
start_call 11 delay $long
check "a call executes there" eventually said "begin 11"
withdraw
check "its worker is told" eventually said "event 11 $unwanted"
check "the call has no outcome yet" exits 1 grep '^11 ' "$out"
wait "$caller"
check "that is what the worker replies" became 11 replied

start_call 12 delay $long
check "another call executes" eventually said "begin 12"
lose client egress "$cancel"
sent=$(stat client cancels-sent)
withdraw
check "no CANCEL of it arrives: it is repeated" repeated
check "the worker knows nothing" exits 1 said "event 12"
let_pass client egress
check "then it is told" eventually said "event 12 $unwanted"
check "once" prints 1 grep -c ' event 12 ' "$work/worker"
wait "$caller"
check "and replies" became 12 replied

start_call 13 delay 100000 timeout $((long / 2))
check "a call executes that does not end in time" eventually said "begin 13"
withdraw
check "it is withdrawn before" eventually said "event 13 $unwanted"
wait "$caller"
check "its deadline passes: unknown" became 13 unknown ETIMEDOUT
check "the worker has lost it" eventually said "gone 13"
check "all slots are free" \
	eventually peer client slots-used 0 quarantined 0
# shellcheck disable=SC2154
kill "$worker"
finish
