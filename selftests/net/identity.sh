#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Test: quick=no timeout=120
#
# The client stays who it is when a NAT between both gives it another port, or
# another address, while its calls are outstanding.
#
#    client  10.8.0.1 ---eth0---left--- nat ---right---eth0--- server  10.8.1.2
set -euo pipefail

# shellcheck source=selftests/net/lib.sh
. "$(dirname "$0")/lib.sh"

port=18018
to=10.8.1.2

# wire NAMESPACE ADDRESS DEVICE ADDRESS: a link to the device in the middle.
wire()
{
	ip -n "tern-$1-$$" link add eth0 type veth peer name "$3" \
		netns "tern-nat-$$"
	ip -n "tern-$1-$$" addr add "$2/24" dev eth0
	ip -n "tern-$1-$$" link set eth0 up
	ip -n "tern-nat-$$" addr add "$4/24" dev "$3"
	ip -n "tern-nat-$$" link set "$3" up
	ip -n "tern-$1-$$" route add default via "$4"
}

# map ADDRESS PORT: what the server sees of the client from now on. What comes
# for the mapping before that is refused, as by a host with a closed port. It
# keeps no state, so that nothing of the old mapping is left.
map()
{
	# shellcheck disable=SC2154
	"${nat[@]}" nft -f - <<-EOF2
		table ip nat
		delete table ip nat
		table ip nat {
			chain out {
				type filter hook postrouting priority 100;
				oifname right udp sport $port ip saddr set $1 udp sport set $2
			}
			chain in {
				type filter hook prerouting priority -300;
				iifname right udp dport $2 ip daddr $1 ip daddr set 10.8.0.1 udp dport set $port
			}
		}
	EOF2
}


# queued COUNT: so many calls wait at the service.
queued()
{
	"${server[@]}" tern -j service show | jq -e "any(.queued == $1)"
}

for node in client nat server; do
	namespace $node
done
wire client 10.8.0.1 left 10.8.0.254
wire server 10.8.1.2 right 10.8.1.1
ip -n "tern-nat-$$" addr add 10.8.1.3/24 dev right
# shellcheck disable=SC2154
"${nat[@]}" sysctl -qw net.ipv4.ip_forward=1
for node in client server; do
	declare -n prefix=$node
	"${prefix[@]}" tern up allow 10.8.0.0/16
done
serve 8
check "the NAT has a mapping" map 10.8.1.1 40001
calls first 1
check "a call through it" ended 1 replied

first=100
for mapping in "10.8.1.1 40002" "10.8.1.3 40002" "10.8.1.1 40001"; do
	forget
	# stopped, so that no reply is faster than the change
	kill -STOP "$pid"
	calls first "$first" count 8 parallel 8 timeout 20000 &
	caller=$!
	check "calls are outstanding" eventually queued 8
	# shellcheck disable=SC2086
	check "now it is $mapping" map $mapping
	kill -CONT "$pid"
	wait $caller
	check "the replies found it" ended 8 replied
	check "each was executed once" verify
	calls first $((first + 10)) count 4
	check "calls go on" ended 12 replied
	first=$((first + 100))
done
check "on the same association" prints 1 stat server associations-made
end_service
check "the service ends" test "$status" = 0
finish
