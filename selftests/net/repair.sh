#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Test: timeout=240
#
# One packet is lost, and it is known which: what repairs that is counted.
set -euo pipefail

# shellcheck source=selftests/net/lib.sh
. "$(dirname "$0")/lib.sh"

# Who cuts such a message, and where the offset of a segment stands in a packet.
declare -A sender=([request]=client [reply]=server)
declare -A offset_at=([request]=92 [reply]=84)

# lose_second NODE DIRECTION TYPE: of such messages of several segments the second.
lose_second()
{
	local -n cutter=${sender[$3]}
	local segment

	segment=$("${cutter[@]}" tern -j peer show | jq '.[0].segment_size')
	lose "$1" "$2" "${!3}" match u32 "$segment" 0xffffffff \
		at "${offset_at[$3]}"
}

# more NODE NAME: the counter is higher than it was in the beginning.
more()
{
	local was

	was=$(jq ".[\"$2\"]" <<<"${before[$1]}")
	eventually counted "$1" "$2" $((was + 1))
}

nodes
serve
calls first 1
check "a call" ended 1 replied
# So that few probes are sent until the loss is over.
impair delay 50ms
declare -A before

# in_vain ID [OPTION VALUE]...: a call in the background that meets a loss.
in_vain()
{
	before[client]=$("${client[@]}" tern -j stat show all)
	before[server]=$("${server[@]}" tern -j stat show all)
	calls first "$1" timeout 30000 "${@:2}" &
	lost=$!
}

# shellcheck disable=SC2154
lose client egress "$request"
in_vain 10
check "a request is lost: it is sent again" more client retransmissions
let_pass client egress
wait "$lost"
check "then it arrives" became 10 replied

# shellcheck disable=SC2154
lose client ingress "$reply"
in_vain 11
check "a reply is lost: the call is executed" eventually executed 11
check "the client asks for it" more server replies-from-cache
let_pass client ingress
wait "$lost"
check "then it arrives from the cache" became 11 replied

lose_second client egress request
in_vain 12 size 20000
check "a segment of a request is lost: the server asks for it" \
	more server resends-asked
check "the client sends it again" more client resends-served
let_pass client egress
wait "$lost"
check "then the request is whole" became 12 replied

lose_second client ingress reply
in_vain 13 reply 20000
check "a segment of a reply is lost: the client asks for it" \
	more client resends-asked
check "the server sends it again" more server resends-served
let_pass client ingress
wait "$lost"
check "then the reply is whole" became 13 replied

check "each ran once" verify

# What is missing is gone, since the server begins anew, of which BYE is lost, too.
forget
lose_second client ingress reply
# shellcheck disable=SC2154
lose client ingress "$bye"
in_vain 14 reply 20000 idempotent 1
check "a segment of another reply is lost" more client resends-asked
"${server[@]}" tern down
"${server[@]}" tern up
let_pass client ingress
wait "$lost"
check "the client learns that it will not come" counted client stales-received
check "and has the reply of the server's next life" became 14 replied
check "which is right" verify again
end_service
check "the service ends" test "$status" = 0
finish
