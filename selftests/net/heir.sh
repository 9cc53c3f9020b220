#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Test: mode=travel timeout=120
#
# The client gets another address while its call executes, and another node gets
# the former one: whatever the policy for orphans, both are served.
#
#    client  10.8.0.1, then 10.8.0.3 ---eth0---client--- server  10.8.0.2
#    heir    10.8.0.9, then 10.8.0.1 ---eth0---heir-----
set -euo pipefail

# shellcheck source=selftests/net/lib.sh
. "$(dirname "$0")/lib.sh"

# shellcheck disable=SC2034 # for "eventually"
patience=20 pace=0.2
to=10.8.0.2

# wire NAME: a link to the server. leads_to NAME ADDRESS: who has an address, for
# the server.
wire()
{
	ip -n "tern-$1-$$" link add eth0 type veth peer name "$1" \
		netns "tern-server-$$"
	ip -n "tern-$1-$$" link set eth0 up
	ip -n "tern-server-$$" addr add $to/32 dev "$1"
	ip -n "tern-server-$$" link set "$1" up
}

leads_to()
{
	ip -n "tern-$1-$$" addr add "$2/32" dev eth0
	ip -n "tern-$1-$$" route replace $to/32 dev eth0 src "$2"
	ip -n "tern-server-$$" route replace "$2/32" dev "$1"
}

for node in client server heir; do
	namespace $node
done
wire client
wire heir

# serves_both POLICY NAME
serves_both()
{
	local name=$2 caller worker before

	leads_to client 10.8.0.1
	for node in client server; do
		declare -n prefix=$node
		"${prefix[@]}" tern up allow 10.8.0.0/24
	done
	"${server[@]}" "$programs/worker" "$program" "$1" >"$work/worker" &
	worker=$!
	eventually serves
	calls first 1 delay 10000 timeout 30000 &
	caller=$!
	check "$name: a call executes" eventually said "begin 1"
	leads_to client 10.8.0.3
	ip -n "tern-client-$$" addr del 10.8.0.1/32 dev eth0
	before=$(stat server busy-sent)
	check "$name: the server hears of the client at another address" \
		eventually counted server busy-sent $((before + 1))
	leads_to heir 10.8.0.1
	# shellcheck disable=SC2154
	"${heir[@]}" tern up allow 10.8.0.0/24
	"${heir[@]}" "$programs/caller" first 201 $to/"$program" "$work/heir"
	check "$name: the heir is served" grep -q '^201 replied' "$work/heir"
	calls first 2
	check "$name: so are new calls of the client" grep "^2 replied" "$out"
	wait $caller
	check "$name: the client's call is not ended" ended 2 replied
	check "$name: no event" silent "event"
	kill $worker
	for node in client heir server; do
		declare -n prefix=$node
		"${prefix[@]}" tern down
	done
	ip -n "tern-client-$$" addr flush dev eth0
	ip -n "tern-heir-$$" addr flush dev eth0
	rm "$out" "$work/heir"
}

silent()
{
	! said "$@"
}

serves_both 0 expire
serves_both 1 reincarnate
serves_both 2 gentle
finish
