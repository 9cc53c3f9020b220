#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Test: quick=no timeout=120
#
# What a call to another node has come to when its time is over.
set -euo pipefail

# shellcheck source=selftests/net/lib.sh
. "$(dirname "$0")/lib.sh"

# withhold TYPE MS: what the client sends of this type of packet comes late.
withhold()
{
	"${client[@]}" tc qdisc add dev eth0 root handle 1: prio bands 3 \
		priomap 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0
	"${client[@]}" tc qdisc add dev eth0 parent 1:3 netem delay "$2ms"
	"${client[@]}" tc filter add dev eth0 protocol ip parent 1: u32 \
		match u8 17 0xff at 9 match u8 "$1" 0xff at 29 flowid 1:3
}

# a worker may be late for longer than a call executes here
nodes grace 60s
serve
calls
check "a call in time" ended 1 replied

# One thread: the second call waits for the first.
forget
calls first 10 delay 6000 timeout 500 &
first=$!
check "the first call executes" eventually executed 10
# it goes on when everything has been seen, however slow this machine is
kill -STOP "$pid"
calls first 11 timeout 500
wait $first
check "queued at the deadline: not executed" grep -q '^11 not-executed 110 ' "$out"
check "executing at the deadline: unknown" grep -q '^10 unknown 110 ' "$out"
check "both end at their deadline" took 300 3000
check "the withdrawn request is counted" counted server requests-cancelled
check "the open call is in quarantine" \
	eventually peer client slots-used 1 quarantined 1
kill -CONT "$pid"
check "until the server tells its fate" \
	eventually peer client slots-used 0 quarantined 0
check "what was said is true" verify

# The request comes a second late: its cancel overtakes it.
forget
withhold $request 1500
before=$(stat server packets-in)
calls first 20 timeout 400
check "a cancel overtook its request: not executed" ended 1 not-executed ETIMEDOUT
check "the outcome was there at the deadline" took 200 1450
check "then the request arrives" \
	eventually counted server packets-in $((before + 2))
filtered=$(stat server duplicates-filtered)
check "and is filtered" eventually counted server duplicates-filtered $((filtered < 1 ? 1 : filtered))
check "and is not executed" verify
heal_client=("${client[@]}" tc qdisc del dev eth0 root)
"${heal_client[@]}"

# The caller is killed, and its CANCEL is there before its request.
forget
withhold $request 6000
filtered=$(stat server duplicates-filtered)
start_calls first 25 count 1
check "a request is on its way" eventually peer client slots-used 1
{ kill -KILL "$caller" && ! wait "$caller"; } 2>/dev/null
check "its caller is killed: it is withdrawn" \
	eventually peer client slots-used 0 quarantined 0
check "before the request is there" \
	prints "$filtered" stat server duplicates-filtered
check "which then comes in vain" \
	eventually counted server duplicates-filtered $((filtered + 1))
check "and is not executed" test ! -s "$log"
"${heal_client[@]}"

# Nothing comes through after the request was sent.
forget
"${client[@]}" tc qdisc add dev eth0 root netem loss 100%
calls first 30 timeout 500 &
first=$!
calls first 31 timeout 500 maybe 1 &
second=$!
calls first 33 timeout 500 idempotent 1
wait $first $second
check "sent into a black hole: unknown" became 30 unknown ETIMEDOUT
check "sent into it once: unknown" became 31 unknown ETIMEDOUT
check "idempotent, sent into it: unknown" became 33 unknown ETIMEDOUT
check "at the deadline" took 400 3000
check "the slots are in quarantine" peer client quarantined 3
"${heal_client[@]}"
check "when the network heals the slots are free" \
	eventually peer client slots-used 0 quarantined 0
check "the calls were withdrawn before they could run" verify
check "none of them ran" test ! -s "$log"
calls first 32
check "other calls go on" became 32 replied

# One-way calls: delivered, or the same outcomes.
forget
calls first 40 oneway 1
check "a one-way call is delivered" ended 1 delivered
check "and executed" eventually executed 40
"${server[@]}" tc qdisc add dev eth0 root netem loss 100%
calls first 41 timeout 500 oneway 1
check "no word of its delivery: unknown" grep -q '^41 unknown' "$out"
"${server[@]}" tc qdisc del dev eth0 root
check "what was said is true of one-way calls" verify

# What takes long is known only when the call is already there.
forget
calls first 50 delay 9000 timeout 6000 &
first=$!
check "a call executes" eventually executed 50
"${client[@]}" tc qdisc add dev eth0 root netem delay 1500ms
check "the network becomes slow" "${client[@]}" tern ping 10.8.0.2 \
	count 3 timeout 5000
wait $first
check "the call ends at its deadline all the same" took 5900 6900
"${heal_client[@]}"
check "and what was said of it is true" verify

end_service
check "the service ends" test "$status" = 0
finish
