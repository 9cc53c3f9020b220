#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Test: quick=no timeout=120
#
# A worker asks the client's node for more time through a network that loses,
# and does not wait for the answer for ever.
set -euo pipefail

# shellcheck source=selftests/net/lib.sh
. "$(dirname "$0")/lib.sh"

nodes grace 500ms
start_worker 50000

# nor do neighbours find each other when much is lost
# shellcheck disable=SC2154
"${client[@]}" ping -qc 1 10.8.0.2
impair loss 30%
calls first 1 count 10 parallel 10 timeout 100000 delay 1
heal
check "all calls have their replies" ended 10 replied
for id in {1..10}; do
	check "call $id: the owner answered" said "asked $id [0-9]"
done
check "but gave no more time" awk '$2 == "asked" && $4 > 100000 { exit 1 }' \
	"$work/worker"
check "some questions were repeated" counted server owners-asked 11

# Nothing comes back from the server.
"${server[@]}" tc qdisc add dev eth0 root netem loss 100%
asked=$(stat server owners-asked)
calls first 21 timeout 15000 delay 100000 &
caller=$!
check "a call executes" eventually said "begin 21"
check "its owner is asked again and again" \
	eventually counted server owners-asked $((asked + 3))
# shellcheck disable=SC2154
kill -USR1 "$worker"
check "a signal ends the wait" eventually said "interrupted 21"
"${server[@]}" tc qdisc del dev eth0 root
wait $caller
check "the call has the end that it had" ended 1 unknown ETIMEDOUT
check "of which the worker is told" eventually said "event 21 110"
check "and then it is given up" eventually said "gone 21"

"${server[@]}" tc qdisc add dev eth0 root netem loss 100%
calls first 31 timeout 1000 delay 1500 &
caller=$!
check "another call executes" eventually said "begin 31"
wait $caller
check "the wait ends with the call" eventually said "gone 31"
check "without an answer" exits 1 said "asked 31"
"${server[@]}" tc qdisc del dev eth0 root
check "its reply comes too late" eventually said "refused 31 2"
calls first 41 timeout 5000
check "the worker goes on" grep -q '^41 replied' "$out"

# A call is withdrawn whose CANCEL is lost: its owner says so when it is asked.
"${server[@]}" tc qdisc add dev eth0 root netem loss 100%
start_calls first 46 count 1 async 1 timeout 1000000 delay 1000000
check "a call executes whose worker asks" eventually said "begin 46"
# shellcheck disable=SC2154
lose client egress "$cancel"
sent=$(stat client cancels-sent)
kill -USR1 "$caller"
check "it is withdrawn" eventually counted client cancels-sent $((sent + 1))
"${server[@]}" tc qdisc del dev eth0 root
check "the worker is told that" \
	eventually said "event 46 $(number_of ECANCELED)"
let_pass client egress

# What was given up stays with its worker, and counts as what is queued does.
kill "$worker"
check "the worker goes" eventually exits 1 serves
wait "$caller"
check "the withdrawn call ends with it" became 46 unknown EOWNERDEAD
start_worker
calls first 51 count 32 parallel 32 timeout 10000 delay 1000000
check "many calls are given up" eventually prints 32 \
	grep -cE ' gone (5[1-9]|[67].|8[0-2])$' "$work/worker"
"${server[@]}" tern up queue-net 4K
calls first 201 timeout 5000
check "they take what the node may queue" became 201 not-executed ENOBUFS
kill "$worker"
check "the worker dies" eventually exits 1 serves
start_worker
calls first 202 timeout 5000
check "then there is room again" became 202 replied
kill "$worker"
finish
