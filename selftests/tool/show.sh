#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# What the lists of peers, services, calls and counters show while a call runs.
set -euo pipefail

# shellcheck source=selftests/tool/lib.sh
. "$(dirname "$0")/lib.sh"

namespace client
namespace server
link client server
# shellcheck disable=SC2154
a=("${client[@]}" tern) b=("${server[@]}" tern)

for object in peer service call; do
	check "no $object at first" shows '. == []' "${a[@]}" -j "$object" show
	check "no $object as text" prints "" "${a[@]}" "$object" show
done
check "all counters are 0 at first" shows '. == {}' "${a[@]}" -j stat show
check "each counter has a name" shows \
	'length > 20 and .calls == 0 and all(. == 0)' "${a[@]}" -j stat show all
check "a host whose name is not known" refused 1 "'nohost.invalid/5000'" \
	"${a[@]}" call nohost.invalid/5000 1

"${a[@]}" up
"${b[@]}" up allow 10.8.0.1
mkfifo "$work/go"
"${b[@]}" serve 5000.2 orphans gentle --exec "cat <$work/go" >/dev/null 2>&1 </dev/null &
check "a service is listed" eventually shows \
	'length == 1 and (.[0] | .program == 5000 and .version == 2 and
	.sockets == 1 and .executing == 0 and .queued == 0 and
	.limit_bytes > 0 and .orphans == "gentle")' "${b[@]}" -j service show
check "a service as text" \
	matches '^program 5000 version 2 sockets 1 .* orphans gentle$' \
	"${b[@]}" service show

"${a[@]}" call 10.8.0.2/5000.2 9 hello timeout 10min >"$work/reply.1" &
first=$!
check "a call that executes is listed at its server" eventually shows '
	length == 1 and (.[0] | .side == "server" and .state == "executing" and
	.peer == "10.8.0.1" and .program == 5000 and .version == 2 and
	.procedure == 9 and .request_bytes == 5 and .left_ms <= 600000)' \
	"${b[@]}" -j call show
check "and at its client" shows '
	length == 1 and (.[0] | .side == "client" and .state == "sent" and
	.peer == "10.8.0.2" and .port == 18018 and .procedure == 9 and
	.request_bytes == 5 and .left_ms <= 600000 and has("slot") and .seq >= 1)' \
	"${a[@]}" -j call show
check "both have the same slot and sequence number" shows \
	"map([.slot, .seq]) == $("${b[@]}" -j call show | jq -c 'map([.slot, .seq])')" \
	"${a[@]}" -j call show
check "a call as text" \
	matches '^client peer 10.8.0.2 port 18018 program 5000 version 2 procedure 9 state sent$' \
	"${a[@]}" call show

"${a[@]}" call 10.8.0.2/5000.2 10 next timeout 10min >"$work/reply.2" &
second=$!
check "a second call is queued" eventually shows '
	(map(.state) | sort) == ["executing", "queued"]' "${b[@]}" -j call show
check "the service counts both" shows \
	'.[0] | .executing == 1 and .queued == 1 and .queued_bytes > 0' \
	"${b[@]}" -j service show

check "the server is a peer of the client" shows '
	length == 1 and (.[0] | .address == "10.8.0.2" and .port == 18018 and
	.state == "up" and .slots_used == 2 and .quarantined == 0 and
	.granted >= 2 and .waiting == 0 and .rto_us > 0 and
	.segment_size > 1000 and .age_ms >= 0 and .heard_ms >= 0)' \
	"${a[@]}" -j peer show
check "the client is a peer of the server" shows '
	length == 1 and (.[0] | .address == "10.8.0.1" and .state == "up" and
	.slots_used == 0 and .offered >= 2)' "${b[@]}" -j peer show
check "each knows the epoch of the other" shows \
	"(.[0] | [.remote_epoch, .local_epoch]) ==
	$("${a[@]}" -j peer show | jq -c '.[0] | [.local_epoch, .remote_epoch]')" \
	"${b[@]}" -j peer show
check "the local epoch is that of the node" shows \
	".[0].local_epoch == $("${a[@]}" -j show | jq .epoch)" \
	"${a[@]}" -j peer show
check "a peer as text" \
	matches '^10\.8\.0\.2 port 18018 state up age ' "${a[@]}" peer show
check "the node counts them" shows \
	'.known_peers == 1 and .associations == 1' "${a[@]}" -j show

# From here on nothing that the client acknowledges arrives.
tc=("${server[@]}" tc)
"${tc[@]}" qdisc add dev eth0 clsact
"${tc[@]}" filter add dev eth0 ingress protocol ip u32 match u32 0 0 action drop
say one
wait "$first" || true
check "the first call has its reply" grep -qx one "$work/reply.1"
check "its reply is cached" shows \
	'.[0].cached == 1 and .[0].cached_bytes > 0' "${b[@]}" -j peer show
check "a call whose reply is cached is listed" shows '
	map([.state, .procedure, .reply_bytes]) | contains([["done", 9, 4]])' \
	"${b[@]}" -j call show
"${tc[@]}" qdisc del dev eth0 clsact
# The next call on the slot acknowledges it, and is acknowledged when idle.
check "another call" "${a[@]}" ping 10.8.0.2 count 1 timeout 20s
check "a reply that is acknowledged is not kept" eventually shows \
	'.[0].cached == 0 and .[0].cached_bytes == 0' "${b[@]}" -j peer show
say two
wait "$second" || true
check "the second call has its reply" grep -qx two "$work/reply.2"
check "no call is left at the client" shows '. == []' "${a[@]}" -j call show

check "the counters have counted" shows \
	'.calls == 3 and ."calls-replied" == 3 and has("calls-unknown") == false' \
	"${a[@]}" -j stat show
check "counters by name" shows \
	'. == {calls: 3, "calls-unknown": 0}' "${a[@]}" -j stat show calls calls-unknown
check "counters by pattern" shows \
	'keys | length > 3 and all(startswith("calls"))' \
	"${a[@]}" -j stat show 'calls*'
check "counters as text" matches '^calls +3$' "${a[@]}" stat show
check "a counter that does not exist" refused 1 "no counter is named 'nonsense'" \
	"${a[@]}" stat show calls nonsense

"${a[@]}" down
check "a node that is down has no associations" shows \
	'.up == false and .associations == 0' "${a[@]}" -j show
finish
