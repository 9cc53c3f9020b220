#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Test: timeout=240
#
# Processes that are killed: workers that execute, queues without a worker,
# services that are restarted, clients.
set -euo pipefail

# shellcheck source=selftests/net/lib.sh
. "$(dirname "$0")/lib.sh"

nodes timeout 30s

# A worker that executes.
serve
calls first 1 delay 60000 &
first=$!
check "a call executes" eventually executed 1
calls first 2 &
second=$!
check "another is queued" eventually shows \
	'.[0] | .queued == 1 and .executing == 1' "${server[@]}" tern -j service show
end_service KILL
wait $first $second
check "its worker was killed: unknown" ended 1 unknown EOWNERDEAD
check "nobody is left for the other: not executed" \
	ended 1 not-executed ECONNREFUSED
check "both at once" took 0 20000
check "what was said is true" verify
check "the death is counted" counted server requests-owner-died

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
check "a third call is queued" eventually shows \
	'.[0] | .queued == 1 and .executing == 2' "${server[@]}" tern -j service show
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
	eventually peer client '.slots_used == 0 and .quarantined == 0'
check "the service is idle" eventually shows \
	'.[0] | .executing == 0 and .queued == 0' "${server[@]}" tern -j service show
check "what the client had queued did not run" \
	awk 'END { exit NR > 3 }' "$log"
calls first 100
check "another client is served" ended 1 replied
check "nothing ran twice" verify
end_service
check "the service ends" test "$status" = 0
finish
