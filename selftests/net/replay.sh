#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Test: quick=no timeout=240
#
# What passes between two nodes is sent again, damaged and forged by a machine
# in the middle, which makes all checksums right.
#
#    client ---eth0---left--- middle ---right---eth0--- server
set -euo pipefail

# shellcheck source=selftests/net/lib.sh
. "$(dirname "$0")/lib.sh"

# The wire is no part of the link: it goes, and with it all that passes.
middle_of()
{
	local a=tern-client-$$ b=tern-server-$$ m=tern-middle-$$

	namespace middle
	ip netns exec "$m" sysctl -qw net.ipv6.conf.default.disable_ipv6=1 \
		net.ipv6.conf.all.disable_ipv6=1
	ip -n "$m" link add left type veth peer name eth0 netns "$a"
	ip -n "$m" link add right type veth peer name eth0 netns "$b"
	ip -n "$a" addr add 10.8.0.1/24 dev eth0
	ip -n "$b" addr add 10.8.0.2/24 dev eth0
	ip -n "$a" addr add fd08::1/64 dev eth0 nodad
	ip -n "$b" addr add fd08::2/64 dev eth0 nodad
	for device in "$m left" "$m right" "$a eth0" "$b eth0"; do
		ip -n "${device% *}" link set "${device#* }" up
	done
}

# wire [RULE]...: begins to pass frames.
wire()
{
	: >"$work/wire"
	# shellcheck disable=SC2154
	"${middle[@]}" "$programs/replay" left right "$@" >"$work/wire" &
	wire=$!
	eventually "${client[@]}" ping -c 1 -W 1 10.8.0.2
}

# cut: ends it; did NAME MINIMUM then tells whether it did something often
# enough.
cut()
{
	kill -TERM $wire
	wait $wire
	cat "$work/wire"
}

did()
{
	cat "$work/wire"
	awk -v name="$1" -v min="$2" '
		{ for (i = 1; i < NF; i += 2) count[$i] = $(i + 1) }
		END { exit count[name] < min }' "$work/wire"
}

namespace client
namespace server
middle_of
up timeout 20s
serve 4

# Every request again, before and after its reply, and after the reply was
# acknowledged, which a long one is at once and a short one after a second;
# replies too.
wire repeat $request 200,2000,20000,200000,2500000 \
	repeat $reply 200,2000,20000,200000
made=0
# again COUNT [OPTION VALUE]...: further calls
again()
{
	calls first $((made + 1)) count "$1" parallel 4 "${@:2}"
	made=$((made + $1))
}
for to in 10.8.0.2 fd08::2; do
	again $((700 / part)) reply 100
	# again while it executes
	again $((48 / part)) delay 30
	again $((100 / part)) reply 5000
done
unset to
check "every call has its reply" ended $made replied
cut
# the last copies have arrived by now
check "requests and replies were sent again" did repeated $((12000 / part))
check "no request ran twice" verify
check "copies were filtered" counted server duplicates-filtered $((1000 / part))
check "or were old" counted server drop-old-duplicate $((100 / part))
check "replies came from the cache" counted server replies-from-cache $((500 / part))
check "second replies matched no call" counted client drop-late-reply $((1000 / part))

# Wrong bits that only Tern can find.
forget
limit=60
wire damage $request 30 damage $reply 30
check "calls go on" calls first 1 count 300 parallel 4 timeout 10000
check "longer ones, too" \
	calls first 301 count 100 parallel 2 size 5000 reply 5000 timeout 10000
cut
check "packets were damaged" did damaged 200
check "every call of them has its reply" ended 400 replied
check "executed once, with the right content" verify
check "damaged requests were dropped" counted server drop-bad-check 100
check "damaged replies were dropped" counted client drop-bad-check 100
# nodes that took in wrong bits are not fit for the rest
((ktap_failed == 0)) || finish
unset limit

# Packets that no node sends.
forget
wire forge 3000
calls first 1 count $((1000 / part)) parallel 4 timeout 10000 reply 50
calls first 1001 count 48 parallel 2 timeout 10000 size 20000 reply 20000
cut
check "packets were forged" did forged $((2000 / part))
check "every call has its reply" ended $((1000 / part + 48)) replied
check "executed once" verify
for counter in bad-length bad-version bad-type bad-reserved bad-slot \
	unknown-association; do
	check "server: drop-$counter" counted server "drop-$counter"
done
for counter in bad-length bad-version bad-type bad-reserved; do
	check "client: drop-$counter" counted client "drop-$counter"
done
check "strangers were told that their association is stale" \
	counted server stales-sent

# A whole session again, after the server's node has ended and begun anew.
forget
wire save $request "$work/session"
calls first 1 count 200 parallel 4
cut
check "the session was saved" did saved 200
"${server[@]}" tern down
"${server[@]}" tern up
before=$(stat server requests) stale=$(stat server stales-sent)
wire send "$work/session"
check "the old session was sent again" eventually counted server stales-sent \
	$((stale + 200))
check "it was refused as a whole" prints "$before" stat server requests
calls first 1001 count 20
cut
check "no call of it ran again" verify
check "the new session works" \
	awk '$1 > 1000 && $2 == "replied" { n++ } END { exit n != 20 }' "$out"

check "all slots are free" eventually shows \
	'all(.slots_used == 0)' "${client[@]}" tern -j peer show
end_service
check "the service ends" test "$status" = 0
finish
