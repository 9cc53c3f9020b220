#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Test: timeout=240
#
# A node that listens on several addresses calls from the one that leads to the
# peer.  A peer answers only the address that it allows, so whoever is answered has
# called from there.
#
#    left  10.8.1.1 ---eth1---left1---           ---right2---eth2---  10.8.2.1  right
#          fd08:1::1                    server                        fd08:2::1
#                                                ---right3---eth3---  10.8.3.1
#                                                                     fd08:3::1
set -euo pipefail

# shellcheck source=selftests/net/lib.sh
. "$(dirname "$0")/lib.sh"

# at COMMAND...: ip, at the server.
at()
{
	ip -n "tern-server-$$" "$@"
}

# wire NAME N: link N of the server, to this node.
wire()
{
	local far="tern-$1-$$"

	at link add "$1$2" type veth peer name "eth$2" netns "$far"
	at addr add "10.8.$2.2/24" dev "$1$2"
	at addr add "fd08:$2::2/64" dev "$1$2" nodad
	at link set "$1$2" up
	ip -n "$far" addr add "10.8.$2.1/24" dev "eth$2"
	ip -n "$far" addr add "fd08:$2::1/64" dev "eth$2" nodad
	ip -n "$far" link set "eth$2" up
}

# listen ADDRESS...
listen()
{
	local words=() address

	for address; do
		words+=(address "$address")
	done
	"${server[@]}" tern down
	"${server[@]}" tern up lease 5s "${words[@]}"
}

# comes_from ADDRESS NAME PEER: this node's address, which allows only the former.
comes_from()
{
	local -n node=$2

	# what there was of the last case
	"${node[@]}" tern down
	"${node[@]}" tern up lease 5s allow "$1"
	"${server[@]}" tern ping "$3" count 1 timeout 5s
}

answers()
{
	"${server[@]}" tern ping "$1" count 1 timeout 300ms
}

for node in server left right; do
	namespace $node
done
wire left 1
wire right 2
wire right 3
# shellcheck disable=SC2154
"${server[@]}" sysctl -q net.ipv4.conf.all.promote_secondaries=1

# not what routes prefer, but of the link
at addr add 10.8.2.3/24 dev right2
at addr add fd08:2::3/64 dev right2 nodad preferred_lft 0
for two in 10.8.2.2/fd08:2::2 10.8.2.3/fd08:2::3; do
	v4=${two%/*} v6=${two#*/}
	listen 10.8.1.2 fd08:1::2 "$v4" "$v6"
	check "$two and others: to the left" \
		comes_from 10.8.1.2 left 10.8.1.1
	check "$two and others: to the left, IPv6" \
		comes_from fd08:1::2 left fd08:1::1
	check "$two and others: to the right" comes_from "$v4" right 10.8.2.1
	check "$two and others: to the right, IPv6" \
		comes_from "$v6" right fd08:2::1
done

listen 10.8.2.3 10.8.2.2 fd08:2::3 fd08:2::2
check "of two on the link, the one that the routes prefer" \
	comes_from 10.8.2.2 right 10.8.2.1
check "of two on the link, IPv6" comes_from fd08:2::2 right fd08:2::1
listen 10.8.2.2 10.8.2.3 fd08:2::2 fd08:2::3
at route change 10.8.2.0/24 dev right2 src 10.8.2.3
at route add fd08:2::1 dev right2 src fd08:2::3
check "the one that a route names" comes_from 10.8.2.3 right 10.8.2.1
check "the one that a route names, IPv6" comes_from fd08:2::3 right fd08:2::1
at route change 10.8.2.0/24 dev right2 src 10.8.2.2
at route del fd08:2::1 dev right2

# Two ways lead to the right.
ip -n "tern-right-$$" addr add 10.9.0.1/32 dev lo
ip -n "tern-right-$$" addr add fd09::1/128 dev lo nodad
for way in "2 10" "3 20"; do
	read -r link metric <<<"$way"
	at route add 10.9.0.1 via "10.8.$link.1" metric "$metric"
	at route add fd09::1 via "fd08:$link::1" metric "$metric"
done
listen 10.8.2.2 10.8.3.2 fd08:2::2 fd08:3::2
check "a peer behind two links: the better one" \
	comes_from 10.8.2.2 right 10.9.0.1
check "a peer behind two links, IPv6" comes_from fd08:2::2 right fd09::1
at route del 10.9.0.1 metric 10
at route del fd09::1 metric 10
listen 10.8.2.2 10.8.3.2 fd08:2::2 fd08:3::2
check "a peer behind two links: the other one" \
	comes_from 10.8.3.2 right 10.9.0.1
check "a peer behind two links: the other one, IPv6" \
	comes_from fd08:3::2 right fd09::1

# An address goes away while the node listens on it.
listen 10.8.2.3 10.8.1.2 10.8.2.2
check "before an address goes away" comes_from 10.8.2.2 right 10.8.2.1
at addr del 10.8.2.2/24 dev right2
# shellcheck disable=SC2154
"${right[@]}" tern up allow 10.8.2.3
check "calls fail, and say so" exits '3|4' \
	"${server[@]}" tern call 10.8.2.1/5000 1 timeout 300ms
check "after that they come from another one" eventually answers 10.8.2.1
# The only other one is of another link.
listen 10.8.2.3 10.8.1.2
at addr add 10.8.2.4/24 dev right2
at addr del 10.8.2.3/24 dev right2
ip -n "tern-right-$$" route add 10.8.1.0/24 via 10.8.2.4
check "an address that is gone is not taken" \
	comes_from 10.8.1.2 right 10.8.2.1
finish
