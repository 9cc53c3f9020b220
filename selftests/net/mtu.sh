#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Test: quick=no timeout=120
#
# Narrow paths: 1280 bytes from the start, and a router whose next link becomes
# narrower while calls run.
#
#    client 10.8.0.1 ---- 10.8.0.254 router 10.8.1.254 ---- 10.8.1.2 server
set -euo pipefail

# shellcheck source=selftests/net/lib.sh
. "$(dirname "$0")/lib.sh"

mtu()
{
	local name=$1
	shift

	ip -n "tern-$name-$$" link set "$1" mtu "$2"
}

# segments NODE JQ: the size of segments to each peer fits.
segments()
{
	local -n node=$1

	"${node[@]}" tern -j peer show | jq -e "map(.segment_size) | $2"
}

nodes timeout 10s
mtu client eth0 1280
mtu server eth0 1280
serve 4
for to in 10.8.0.2 fd08::2; do
	forget
	calls timeout 10000 count 8 parallel 2 size 65000 reply 65000
	check "$to with 1280 bytes" ended 8 replied
	check "$to with 1280 bytes: executed once" verify
done
unset to
check "segments fit into 1280 bytes" segments client 'length == 2 and all(. < 1200)'
check "and are not much smaller" segments client 'all(. > 1100)'
end_service

# The same server behind a router.
namespace router
a=tern-client-$$ b=tern-server-$$ r=tern-router-$$
ip -n "$a" link del eth0
ip -n "$r" link add eth0 type veth peer name eth0 netns "$a"
ip -n "$r" link add eth1 type veth peer name eth0 netns "$b"
ip -n "$a" addr add 10.8.0.1/24 dev eth0
ip -n "$r" addr add 10.8.0.254/24 dev eth0
ip -n "$r" addr add 10.8.1.254/24 dev eth1
ip -n "$b" addr add 10.8.1.2/24 dev eth0
ip -n "$a" addr add fd08::1/64 dev eth0 nodad
ip -n "$r" addr add fd08::254/64 dev eth0 nodad
ip -n "$r" addr add fd08:1::254/64 dev eth1 nodad
ip -n "$b" addr add fd08:1::2/64 dev eth0 nodad
for device in "$a eth0" "$r eth0" "$r eth1" "$b eth0"; do
	ip -n "${device% *}" link set "${device#* }" up
done
ip -n "$a" route add default via 10.8.0.254
ip -n "$b" route add default via 10.8.1.254
ip -n "$a" route add default via fd08::254
ip -n "$b" route add default via fd08:1::254
# shellcheck disable=SC2154
"${router[@]}" sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1
"${client[@]}" tern up allow 10.8.0.0/16 allow fd08::/32
"${server[@]}" tern up allow 10.8.0.0/16 allow fd08::/32
serve 4

for to in 10.8.1.2 fd08:1::2; do
	forget
	calls first 1 timeout 10000 count 8 parallel 2 size 60000 reply 60000
	check "$to through a router" ended 8 replied
	check "$to: segments are as long as the path takes" \
		segments client 'any(. > 1300)'
	# each link becomes narrow at both its ends: the node behind the
	# router must learn of it
	mtu router eth1 1400
	mtu server eth0 1400
	calls first 9 timeout 10000 count 8 parallel 2 size 60000
	check "$to: the way to the server became narrower" ended 16 replied
	check "$to: later segments fit" segments client \
		'map(select(. <= 1400 - 28 - 72)) | length >= 1'
	mtu router eth0 1300
	mtu client eth0 1300
	calls first 17 timeout 10000 count 8 parallel 2 reply 60000
	check "$to: the way to the client became narrower" ended 24 replied
	check "$to: executed once" verify
	# and now without a word from the router
	mtu client eth0 1500
	mtu router eth0 1280
	calls first 25 timeout 10000 count 4 parallel 2 size 60000
	check "$to: the way swallows long packets" ended 28 replied
	for end in "router eth0" "client eth0" "router eth1" "server eth0"; do
		mtu "${end% *}" "${end#* }" 1500
	done
done
end_service
check "the service ends" test "$status" = 0
finish
