#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Test: mode=travel timeout=180
#
# Leases, deadlines and retransmission over minutes and hours.
set -euo pipefail

# shellcheck source=selftests/net/lib.sh
. "$(dirname "$0")/lib.sh"

# Time is free here, but looking is not.
# shellcheck disable=SC2034 # for "eventually"
patience=20 pace=0.5

# address_known A B HOST: A need not ask the link for HOST, which is B. Else who
# is silent for long is also reported as unreachable, depending on the time.
address_known()
{
	ip -n "tern-$1-$$" neigh replace "$3" dev eth0 nud permanent lladdr \
		"$(ip -j -n "tern-$2-$$" link show eth0 | jq -r '.[0].address')"
}

nodes lease 5s
address_known client server 10.8.0.2
address_known server client 10.8.0.1
serve 4
first_pid=$pid

calls first 1
check "a call" ended 1 replied
check "a silent association ends at its client" \
	eventually counted client associations-ended 1
check "and at its server" eventually counted server associations-ended 1
calls first 2
check "a later call works" ended 2 replied
check "on a new association" prints 2 stat client associations-made

forget
calls first 10 delay 3600000 timeout 7200000
check "a call may execute for an hour" ended 1 replied
check "its association was kept alive" prints 2 stat client associations-made
check "the service had it all the time" took 3600000 3700000

forget
"${server[@]}" tc qdisc add dev eth0 root netem loss 100%
calls first 20 timeout 0
check "the deadline is finite by default" ended 1 unknown ETIMEDOUT
check "and is ten seconds" took 9900 10900
check "its slot is in quarantine" peer client quarantined 1
check "until the association ends" eventually counted client associations-ended 2
"${server[@]}" tc qdisc del dev eth0 root

forget
calls first 30
impair loss 100%
before=$(stat client retransmissions)
calls first 31 timeout 60000
check "a minute without an answer" grep -q '^31 unknown' "$out"
# 10 ms doubled up to 2 s, and 2 s from then on
check "it was sent again, ever more seldom" \
	test "$(($(stat client retransmissions) - before))" -ge 30 -a \
	"$(($(stat client retransmissions) - before))" -le 60
heal
check "what was said is true" verify

# The server forgets a call that executes, since its client is not heard.
for flag in 0 1; do
	forget
	calls first 40 idempotent $flag delay 60000 timeout 300000 &
	caller=$!
	check "a call executes, idempotent $flag" eventually executed 40
	ends=$(stat server associations-ended) stales=$(stat server stales-sent)
	impair loss 100%
	check "the server's lease is over" eventually counted server \
		associations-ended $((ends + 1))
	heal
	wait $caller
	check "the server knew its association no more" \
		counted server stales-sent $((stales + 1))
	if [ $flag = 0 ]; then
		check "unknown: it may have run, and has" \
			ended 1 unknown ECONNRESET
		check "it did not run again" verify
	else
		check "the idempotent call was made again" ended 1 replied
		check "it has the right reply" verify again
	fi
	calls first 50
	check "calls go on" grep -q '^50 replied' "$out"
done

# A call that is sent once is not asked after, and nobody is heard meanwhile.
forget
calls first 60 maybe 1 delay 150000 timeout 300000
check "sent once, executing for longer than the lease: replied" ended 1 replied
check "executing orphans are counted" counted server requests-orphaned 2

# Nor does it keep others from being made.
serve 10
calls first 70
before=$(stat client associations-made)
for i in 71 72 73 74 75 76 77 78 79; do
	calls first $i maybe 1 delay 3600000 timeout 7200000 &
	check "call $i, sent once, executes" eventually executed $i
	made=$(stat client calls)
	check "the node calls beside it" eventually counted client calls $((made + 1))
done
calls first 80
check "calls go on beside many that are sent once" grep -q '^80 replied' "$out"
check "on the same association" \
	prints "$before" stat client associations-made
end_service
end_service TERM "$first_pid"
check "the service ends" test "$status" = 0
finish
