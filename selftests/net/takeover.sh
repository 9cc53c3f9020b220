#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Test: timeout=60
#
# Another node takes over the server's address, while the server lives and cannot
# be heard.
#
#    client  10.8.0.1 ---server---eth0--- server  10.8.0.2
#                     ---heir-----eth0--- heir    10.8.0.2
set -euo pipefail

# shellcheck source=selftests/net/lib.sh
. "$(dirname "$0")/lib.sh"

to=10.8.0.2

# wire NAME: a link of the client to the node that has the address.
wire()
{
	ip -n "tern-client-$$" link add "$1" type veth peer name eth0 \
		netns "tern-$1-$$"
	ip -n "tern-client-$$" addr add 10.8.0.1/32 dev "$1"
	ip -n "tern-client-$$" link set "$1" up
	ip -n "tern-$1-$$" addr add $to/32 dev eth0
	ip -n "tern-$1-$$" link set eth0 up
	ip -n "tern-$1-$$" route add 10.8.0.1/32 dev eth0
}

# leads_to NAME: who has the address now, for the client.
leads_to()
{
	ip -n "tern-client-$$" route replace $to/32 dev "$1" src 10.8.0.1
}

for node in client server heir; do
	namespace $node
done
wire server
wire heir
leads_to server
for node in client server; do
	declare -n prefix=$node
	"${prefix[@]}" tern up allow 10.8.0.0/24
done
serve
calls
check "a call" ended 1 replied

# The server is not heard of any more after the heir has begun.
forget
# shellcheck disable=SC2154
"${heir[@]}" tern up allow 10.8.0.0/24
"${server[@]}" tc qdisc add dev eth0 root netem loss 100%
calls first 2 timeout 20000 &
caller=$!
check "a call executes" eventually executed 2
leads_to heir
wait $caller
check "the heir does not know it" counted client stales-received
check "it may have run" became 2 unknown ECONNRESET
check "and has" verify
calls first 3
check "the heir is another node" became 3 not-executed ECONNREFUSED

end_service
check "the service ends" test "$status" = 0
finish
