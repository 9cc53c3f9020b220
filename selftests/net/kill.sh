#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Test: quick=no timeout=360
#
# Processes that are killed: workers that execute, queues without a worker,
# services that are restarted, clients.
set -euo pipefail

# shellcheck source=selftests/net/lib.sh
. "$(dirname "$0")/lib.sh"

nodes timeout 30s

# ran ID...: these calls, each once, and no others.
ran()
{
	sort -n "$log"
	[ "$(sort -n "$log" | xargs)" = "$*" ]
}

# A worker that executes, and another call that waits for it.
for kind in "" maybe idempotent; do
	name=${kind:-at most once}
	forget
	serve
	calls first 1 delay 60000 ${kind:+"$kind" 1} &
	first=$!
	check "$name: a call executes" eventually executed 1
	calls first 2 ${kind:+"$kind" 1} &
	second=$!
	check "$name: another is queued" \
		eventually service queued 1 executing 1
	end_service KILL
	wait $first $second
	check "$name: its worker was killed: unknown" \
		became 1 unknown EOWNERDEAD
	check "$name: nobody is left for the other: not executed" \
		became 2 not-executed ECONNREFUSED
	check "$name: both at once" took 0 20000
	check "$name: what was said is true" verify
	check "$name: the other did not run" ran 1
done
check "the deaths are counted" counted server requests-owner-died 3

# One-way calls go with the worker and with the queue that have them.
forget
serve
calls first 1 delay 60000 oneway 1
check "one-way: a call executes" eventually executed 1
calls first 2 oneway 1
check "one-way: another is queued" eventually service queued 1
check "one-way: both are delivered" ended 2 delivered
end_service KILL
serve
calls first 3
check "one-way: another service is there" became 3 replied
check "one-way: it was given neither of them" ran 1 3
end_service KILL

# A worker that dies when it has replied, and the replies are lost. Its place is
# taken by another one, or by none.
for left in nobody another; do
	forget
	serve
	lose_replies client
	calls first 1 &
	first=$!
	calls first 2 maybe 1 timeout 6000 &
	second=$!
	calls first 3 idempotent 1 &
	third=$!
	for id in 1 2 3; do
		check "$left is left: call $id is executed" \
			eventually executed $id
	done
	# from now on it only has what is there
	lose client egress "$request"
	check "$left is left: all were replied to" \
		eventually service queued 0 executing 0
	copies=$(grep -cx 3 "$log")
	end_service KILL
	[ $left = nobody ] || serve
	let_pass client egress
	let_pass client ingress
	wait $first $second $third
	check "$left is left: the kernel has the reply" became 1 replied
	check "$left is left: a reply that is not kept: unknown" \
		became 2 unknown ETIMEDOUT
	if [ $left = nobody ]; then
		check "$left is left: the idempotent call ran: unknown" \
			became 3 unknown ECONNREFUSED
	else
		check "$left is left: the idempotent call is made again" \
			became 3 replied
		check "$left is left: by the other worker" \
			test "$(grep -cx 3 "$log")" -gt "$copies"
		end_service KILL
	fi
	check "$left is left: the others ran once" \
		prints "1 2" eval 'grep -vx 3 "$log" | sort | xargs'
	check "$left is left: what was said is true" verify again
done

# What is queued again, since it is idempotent, and runs no more.
forget
serve
lose_replies client
calls first 1 idempotent 1 &
first=$!
check "an idempotent call has run" eventually executed 1
calls first 2 delay 60000 &
second=$!
check "it is queued behind another" eventually executed 2
check "once more" eventually service queued 1 executing 1
end_service KILL
wait $first $second
check "the worker was killed: that it ran is remembered" \
	became 1 unknown ECONNREFUSED
check "the other one's worker was killed" became 2 unknown EOWNERDEAD
check "both are true" verify again
let_pass client ingress

# Two workers, of which one is killed: the other takes what is queued.
forget
serve
one=$pid
calls first 10 delay 60000 &
first=$!
check "the first worker executes" eventually executed 10
serve
two=$pid
calls first 11 delay 6000 &
second=$!
check "the second worker executes" eventually executed 11
calls first 12 &
third=$!
check "a third call is queued" \
	eventually service queued 1 executing 2
end_service KILL "$one"
wait $first $second $third
check "unknown is only what the dead one executed" ended 1 unknown EOWNERDEAD
check "the other worker did the rest" ended 2 replied
check "the dead one's call did not run again" verify
end_service TERM "$two"

# A service that is killed and restarted while clients go on.
for impairment in "delay 0" "loss 10% duplicate 20% delay 2ms 2ms"; do
	forget
	serve 4
	# shellcheck disable=SC2086
	impair $impairment
	start_calls parallel 8 delay 1 gap 10
	for _ in {1..6}; do
		before=$(stat server requests-executed)
		check "calls go on" eventually counted server requests-executed \
			$((before + 30))
		end_service KILL
		serve 4
	done
	end_calls
	heal
	check "$impairment: nothing ran twice, every outcome is true" verify
	check "$impairment: calls had replies" \
		awk '$2 == "replied" { n++ } END { exit n < 180 }' "$out"
	check "$impairment: some were refused or lost their worker" \
		awk '$2 != "replied" { n++ } END { exit n < 1 }' "$out"
	end_service
done

# A client that is killed.
forget
serve 2
# long enough that none of them ends before it is killed
start_calls parallel 4 delay 4000
# whichever of them came first
check "calls of a client execute" eventually test -s "$log"
{ kill -KILL "$caller" && ! wait "$caller"; } 2>/dev/null
check "the client's slots are free again" \
	eventually peer client slots-used 0 quarantined 0
check "the service is idle" eventually service executing 0 queued 0
check "what the client had queued did not run" \
	awk 'END { exit NR > 3 }' "$log"
calls first 100
check "another client is served" ended 1 replied
check "nothing ran twice" verify
end_service
check "the service ends" test "$status" = 0
finish
