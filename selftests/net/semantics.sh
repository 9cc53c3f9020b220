#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Test: quick=no timeout=180
#
# What each semantics makes of a network that loses packets: how often a call
# runs, what is sent again, and what the server keeps.
set -euo pipefail

# shellcheck source=selftests/net/lib.sh
. "$(dirname "$0")/lib.sh"

# unchanged NODE NAME VALUE: the counter is what it was.
unchanged()
{
	prints "$3" stat "$1" "$2"
}

# runs COUNT: lines of the log, some of which may be of the same call.
runs()
{
	wc -l <"$log"
	[ "$(wc -l <"$log")" -ge "$1" ]
}

nodes
serve 8

# At-least-once: the server keeps nothing, and so runs some again.
impair loss 30%
calls first 1 count 300 parallel 8 timeout 60000 idempotent 1
check "at-least-once: every call has its reply" ended 300 replied
check "at-least-once: the right one" verify again
check "at-least-once: some ran more than once" runs 301
check "at-least-once: nothing is kept" peer server cached-bytes 0
check "at-least-once: nothing came from the cache" \
	unchanged server replies-from-cache 0
check "at-least-once: requests were sent again" \
	counted client retransmissions 1
heal

# Maybe: one request, one reply.
forget
sent=$(stat client retransmissions)
calls first 1001 count 8 parallel 8 delay 1500 maybe 1
check "maybe: every call has its reply when none is lost" ended 8 replied
check "maybe: nothing was sent again" \
	unchanged client retransmissions "$sent"
check "maybe: nothing is kept" peer server cached-bytes 0
forget
filtered=$(stat server duplicates-filtered)
requests=$(stat server requests)
impair loss 30%
calls first 2001 count 200 parallel 16 timeout 600 maybe 1
heal
check "maybe: what was said is true, nothing ran twice" verify
check "maybe: some were lost" awk '$2 == "unknown" { n++ }
	$2 == "not-executed" { n++ } END { exit n < 20 }' "$out"
check "maybe: most were not" awk '$2 == "replied" { n++ } END { exit n < 50 }' \
	"$out"
check "maybe: no request came twice" \
	unchanged server duplicates-filtered "$filtered"
check "maybe: no more requests came than were made" \
	test "$(stat server requests)" -le $((requests + 200))
check "maybe: nothing came from the cache of those that ran" \
	test "$(stat server requests-executed)" -ge 8
check "maybe: nothing is kept after the loss" peer server cached-bytes 0
check "maybe: no slot is left" \
	eventually peer client slots-used 0 quarantined 0

at_most_one_cached()
{
	shows '.[0].cached <= 1' "${server[@]}" tern -j peer show
}

# At-most-once: when the reply that is kept may go.
forget
acks=$(stat client acks-sent)
start_calls first 3001 gap 50
check "a small reply is kept" eventually peer server cached 1
check "one after the other" eventually runs 20
check "and no more than one" at_most_one_cached
end_calls
# A call that a busy machine holds up finds the slot idle.
check "the next request acknowledges it" \
	test "$(stat client acks-sent)" -lt $((acks + 10))
check "the last one is acknowledged when the slot idles" \
	eventually counted client acks-sent $((acks + 1))
check "so that nothing is kept" eventually peer server cached-bytes 0

forget
acks=$(stat client acks-sent)
calls first 4001 reply 20000
check "a large reply" ended 1 replied
check "is acknowledged at once" counted client acks-sent $((acks + 1))
check "so that it is not kept" eventually peer server cached-bytes 0
calls first 4002 reply 20000 idempotent 1
check "a large reply to at-least-once" grep -q '^4002 replied' "$out"
check "is not kept either" eventually peer server cached-bytes 0

# One-way: until the client knows that it is delivered.
forget
filtered=$(stat server duplicates-filtered)
retransmissions=$(stat client retransmissions)
impair loss 30%
calls first 6001 count 100 parallel 8 oneway 1
heal
check "one-way: every call is delivered" ended 100 delivered
check "one-way: each of them runs" eventually runs 100
check "one-way: once" verify
check "one-way: requests were lost" \
	counted client retransmissions $((retransmissions + 20))
check "one-way: so was the word that they are delivered" \
	counted server duplicates-filtered $((filtered + 10))

# Quiet: its socket is closed before the request can have arrived.
forget
impair delay 400ms
calls first 5001 count 5 oneway 1 quiet 1
check "quiet: submitted, and nothing more" ended 5 submitted
check "quiet: before it was delivered" took 0 390
for id in 5001 5002 5003 5004 5005; do
	check "quiet: call $id is executed" eventually executed $id
done
heal
check "quiet: once" verify
check "quiet: nothing is left of it" \
	eventually peer client slots-used 0 quarantined 0

# Quiet calls that nobody answers: so many go on without their socket.
forget
"${client[@]}" tern up queue-net 200K
impair loss 100%
calls first 7001 count 8 parallel 8 size 60000 oneway 1 quiet 1
check "quiet: the node keeps as many as it may queue" \
	peer client slots-used 8 quarantined 5
heal
check "quiet: those run" eventually runs 3
check "quiet: nothing is left of any" \
	eventually peer client slots-used 0 quarantined 0
check "quiet: the others do not run" test "$(wc -l <"$log")" = 3
check "quiet: none ran twice" verify
"${client[@]}" tern up queue-net 256M

end_service
check "the service ends" test "$status" = 0
finish
