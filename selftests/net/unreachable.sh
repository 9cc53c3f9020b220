#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Test: quick=no timeout=240
#
# Nodes that are down, do not exist, do not allow, or have lost their link.
set -euo pipefail

# shellcheck source=selftests/net/lib.sh
. "$(dirname "$0")/lib.sh"

# one NAME OUTCOME ERRNO MAXIMUM [OPTION VALUE]...: a call that ends like this,
# within so many milliseconds.
one()
{
	local name=$1 outcome=$2 error=$3 max=$4
	shift 4

	forget
	calls "$@"
	check "$name" ended 1 "$outcome" "$error"
	check "$name: in time" took 0 "$max"
}

namespace client
namespace server
link client server
one "the own node is down" not-executed ENETDOWN 1000
# shellcheck disable=SC2154
"${client[@]}" tern up

one "the peer is down: its host says so" not-executed ECONNREFUSED 1000
check "an ICMP error is counted" counted client icmp-errors
to=fd08::2
one "the peer is down, IPv6" not-executed ECONNREFUSED 1000
to=10.99.0.1
one "no route" not-executed EHOSTUNREACH 3000 timeout 2000
to=10.8.0.77
one "no such host" not-executed EHOSTUNREACH 8000 timeout 6000
"${client[@]}" ip route add blackhole 10.98.0.0/24
to=10.98.0.1
one "a route that leads nowhere" not-executed EHOSTUNREACH 3000 timeout 2000
to=127.0.0.1:9
one "the loopback has the node at its own port only" not-executed ECONNREFUSED 1000
unset to

# shellcheck disable=SC2154
"${server[@]}" tern up
to=10.8.0.255
one "all hosts of a network" not-executed EHOSTUNREACH 3000 timeout 2000
unset to
check "none of them heard of it" prints 0 stat server packets-in
check "nor would they answer: a packet to all of them" "${client[@]}" python3 -S -c '
import socket
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
s.sendto(bytes(100), ("10.8.0.255", 18018))'
check "is dropped" eventually counted server drop-not-unicast
one "not allowed: nothing was sent" not-executed ETIMEDOUT 1500 timeout 1000
check "refused handshakes are counted" counted server drop-not-allowed
check "and spend no memory" shows '. == []' "${server[@]}" tern -j peer show
check "nor an association" prints 0 stat server associations-made

"${server[@]}" tern up allow 10.8.0.1
one "allowed, but no such service" not-executed ECONNREFUSED 1000
check "counted" counted server refused-no-service
to=fd08::2
one "the other family is not allowed" not-executed ETIMEDOUT 1500 timeout 1000
unset to

serve
forget
start_calls first 100
# the link goes down and comes up again while calls run
for _ in 1 2 3; do
	before=$(stat server requests-executed)
	check "calls go on" eventually counted server requests-executed \
		$((before + 3))
	"${client[@]}" ip link set eth0 down
	"${client[@]}" tern ping 10.8.0.2 count 1 timeout 200ms >"$work/ping" || true
	"${client[@]}" ip link set eth0 up
done
end_calls
check "every call has its reply in the end" ended "$(wc -l <"$out")" replied
check "executed once" verify

"${server[@]}" tern up allow none
one "not allowed any more" not-executed ETIMEDOUT 1500 timeout 1000
check "its association was ended" counted server associations-ended
"${client[@]}" tern up allow 10.8.0.2
forget
calls timeout 20000 &
waits()
{
	[ "$("${client[@]}" tern -j call show | jq length)" -gt 0 ]
}
check "a call waits for an association" eventually waits
check "the server calls the client" "${server[@]}" tern ping 10.8.0.1 count 1
wait $!
check "the call goes to the association that there is" ended 1 not-executed EACCES
one "which is not for calls to the server" not-executed EACCES 1000
check "they did not run" verify
end_service

# A fourth is for nodes that call this one. Packets to the others get lost, so that
# these stay known as long as they are called.
"${client[@]}" tern up peers 12
hosts=(10.8.0.1{1..9})
for host in "${hosts[@]}"; do
	"${client[@]}" ip neigh replace "$host" lladdr 02:00:00:00:00:01 dev eth0
	"${client[@]}" tern call "$host/$program" 1 oneway quiet timeout 600s ||
		break
done
to=10.8.0.20
one "one node more than may be known" not-executed ENOBUFS 1000
finish
