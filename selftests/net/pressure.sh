#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Test: kernels=uml timeout=300
#
# Memory is short: fewer calls at a time are made, what is over a limit is
# refused at once, and nothing that somebody may still ask for is given up.
#
#    one, two, three, four  10.8.N.1 ---eth0------ethN--- server  10.8.N.2
set -euo pipefail

# shellcheck source=selftests/net/lib.sh
. "$(dirname "$0")/lib.sh"

cgroup=/sys/fs/cgroup/tern-$$

# connect NAME N: a namespace with a link to the server, up.
connect()
{
	local full=tern-$1-$$
	local -n node=$1

	namespace "$1"
	ip -n "$full" link add eth0 type veth peer name "eth$2" \
		netns "tern-server-$$"
	ip -n "$full" addr add "10.8.$2.1/24" dev eth0
	ip -n "tern-server-$$" addr add "10.8.$2.2/24" dev "eth$2"
	ip -n "$full" link set eth0 up
	ip -n "tern-server-$$" link set "eth$2" up
	filterable "$1"
	"${node[@]}" tern up allow 10.8.0.0/16 timeout 60s
}

# from NAME COMMAND...: with NAME as the client.
from()
{
	local -n node=$1
	# shellcheck disable=SC2034 # for the functions of lib.sh
	local client=("${node[@]}") to
	local -A number=([one]=1 [two]=2 [three]=3 [four]=4)

	# shellcheck disable=SC2034
	to=10.8.${number[$1]}.2
	shift
	"$@"
}

# peer_fits NODE JQ: what is shown of its only peer fits the expression.
peer_fits()
{
	local -n node=$1

	shows "length == 1 and (.[0] | $2)" "${node[@]}" tern -j peer show
}

# at_server N JQ: what the server has of client number N fits the expression.
at_server()
{
	"${server[@]}" tern -j peer show | jq -e \
		".[] | select(.address == \"10.8.$1.1\") | $2"
}

# limit SETTING VALUE...: of the server.
limit_server()
{
	"${server[@]}" tern up "$@"
}

# background NAME [OPTION VALUE]...: calls; callers_ended waits for all.
callers=()
background()
{
	from "$1" calls "${@:2}" &
	callers+=($!)
}

callers_ended()
{
	wait "${callers[@]}"
	callers=()
}

# The service takes no requests, and goes on.
stop_service()
{
	kill -STOP "$pid"
}

continue_service()
{
	kill -CONT "$pid"
}

# crowd NAME FIRST [OPTION VALUE]...: 300 calls, 192 at a time.
crowd()
{
	local i

	for i in 0 100 200; do
		background "$1" first $(($2 + i)) count 100 parallel 64 "${@:3}"
	done
}

# press: what the system does when memory is short.
press()
{
	echo 2 >/proc/sys/vm/drop_caches
}

# Keeps up the pressure, which lasts for some time only.
pressed()
{
	press
	peer_fits "$@"
}

# pressed_away N: the server has no association with client number N any more.
pressed_away()
{
	press
	"${server[@]}" tern -j peer show | jq -e \
		"all(.[] | select(.address == \"10.8.$1.1\"); .state != \"up\")"
}

# grown NAME FIRST: 64 calls are made, after which more than the least is offered.
# Since it may be asked often, the numbers from FIRST on are for it alone.
grown()
{
	tried=$((${tried-0} + 64))
	from "$1" calls first $(($2 + tried)) count 64 parallel 64 delay 50
	peer_fits "$1" '.granted > 64'
}

# All slots that are offered are in use, and perhaps two calls from before on
# others; the rest of the crowd waits.
least='.granted == 64 and .slots_used <= 66 and .waiting >= 126'

none_refused()
{
	prints 0 stat server refused-cache-full
	prints 0 stat server refused-queue-full
	prints 0 stat server refused-no-memory
}

# sum OF: what the server has of all clients.
sum()
{
	"${server[@]}" tern -j peer show | jq "[.[].$1] | add"
}

# refuses NAME ID [OPTION VALUE]...: a call is refused at once.
refuses()
{
	from "$1" calls first "$2" "${@:3}"
	tail -n 1 "$out"
	tail -n 1 "$out" | awk -v id="$2" -v error="$(number_of ENOBUFS)" '
		{ exit !($1 == id && $2 == "not-executed" && $3 == error &&
			 $6 < 10000) }'
}

# replies NAME ID: a call is executed.
replies()
{
	from "$1" calls first "$2"
	grep "^$2 replied" "$out"
}

namespace server
connect one 1
connect two 2
connect three 3
connect four 4
patience=30
limit_server allow 10.8.0.0/16 grace 60s
serve 8

# Acknowledgements are lost, so that all replies stay cached.
lose one egress $ack
stop_service
crowd one 1 reply 1000
check "more slots are offered with use" eventually peer one slots-used 192
continue_service
callers_ended
check "every call has its reply" ended 300 replied
check "the replies are cached" at_server 1 '.cached == 192'

# each packet has at most 16 of them
check "and acknowledged in vain" eventually counted one acks-sent 12
let_pass one egress
bytes=$(at_server 1 .cached_bytes)
limit_server cache-peer $((bytes * 6 / 5))
check "the cache of a peer is nearly full: a call" replies one 1000
check "the least is offered" peer one granted 64
check "what is kept is acknowledged again" \
	eventually at_server 1 '.cached == 0'
limit_server cache-peer 16M
check "more again afterwards" eventually grown one 10000
limit_server slots 64
check "fewer are allowed: a call" replies one 1090
check "no more are offered" peer one granted 64
limit_server slots 1024
check "more are allowed again: more are offered" eventually grown one 20000

lose two egress $ack
from two calls first 2001 count 32 parallel 32 reply 60000
# three quarters of this is well below what is cached
limit_server cache-net $(($(sum cached_bytes) * 21 / 20))
check "the cache of the node is nearly full: a call" replies one 2050
check "the least is offered" peer one granted 64
stop_service
crowd one 2100
check "calls wait for a slot" eventually peer_fits one "$least"
continue_service
callers_ended
check "none was refused" none_refused
limit_server cache-net 256M
check "more again afterwards" eventually grown one 30000
check "the system was not short of memory" prints 0 stat server memory-pressed

stop_service
background one first 3000
check "an association in use" eventually peer one slots-used 1
press
background one first 3001
check "the system is short of memory: the least is offered" \
	eventually pressed one '.granted == 64'
crowd one 3100
check "calls wait for a slot" eventually pressed one "$least"
continue_service
callers_ended
check "the node was told" counted server memory-pressed
check "none was refused" none_refused
check "more again afterwards" eventually grown one 40000
check "every call had its reply" test "$(grep -vc replied "$out")" = 0
check "executed once" verify

# Associations that nobody is heard of end, but for those in use.
forget
let_pass one egress
let_pass two egress
lose_replies three
background three first 1
check "a reply that its client does not have" \
	eventually at_server 3 '.cached == 1'
lose three egress
background two first 2 delay 3000
check "a call that executes" eventually executed 2
stop_service
lose two egress
# the kernel replies
# shellcheck disable=SC2154
"${four[@]}" tern ping 10.8.4.2 count 1
check "an association that nobody uses" at_server 4 '.state == "up"'
check "ends under pressure" eventually pressed_away 4
check "one with a call that executes stays" at_server 2 '.state == "up"'
check "one with a reply that is not acknowledged stays" \
	at_server 3 '.state == "up" and .cached == 1'
continue_service
let_pass two egress
let_pass three egress
let_pass three ingress
callers_ended
check "their calls have their replies" ended 2 replied
check "executed once" verify

# The limits of the cache.
forget
lose_replies two
background two first 1 reply 1000
check "a reply that its client does not have" \
	eventually at_server 2 '.cached >= 1'
bytes=$(at_server 2 .cached_bytes)
limit_server cache-peer "$bytes"
check "the cache of its peer is full: a call is refused" refuses two 2
check "another peer's is executed" replies three 3
limit_server cache-peer 16M cache-net "$bytes"
check "the cache of the node is full: calls are refused" refuses two 4
check "another peer's, too" refuses three 5
check "what was cached is there" at_server 2 ".cached_bytes >= $bytes"
limit_server cache-net 256M
let_pass two ingress
callers_ended
check "and arrives" grep '^1 replied' "$out"
check "what was refused did not run" verify

# The limits of the queue.
forget
stop_service
background two first 1
check "a request that waits" eventually at_server 2 '.queued_bytes > 0'
bytes=$(at_server 2 .queued_bytes)
limit_server queue-peer "$bytes"
check "the queue of its peer is full: a call is refused" refuses two 2
check "so is one that is sent once" refuses two 6 maybe 1
check "so is an idempotent one" refuses two 7 idempotent 1
check "so is a one-way one" refuses two 8 oneway 1
background three first 3
check "another peer's waits" eventually at_server 3 '.queued_bytes > 0'
limit_server queue-peer 16M queue-net "$bytes"
check "the queue of the node is full: calls are refused" refuses two 4
check "another peer's, too" refuses three 5
limit_server queue-net 256M
continue_service
callers_ended
check "what was queued has its reply" ended 2 replied
check "what was refused did not run" verify

# At least once: that a copy is refused does not mean that none ran.
forget
lose_replies two
background two first 10 idempotent 1
check "an idempotent call that ran, whose reply is lost" eventually executed 10
limit_server queue-net 1
callers_ended
check "its next copy is refused: unknown" became 10 unknown ENOBUFS
check "and true" verify again
limit_server queue-net 256M
let_pass two ingress

# A cgroup that may hold some replies of many.
forget
end_service
check "the service ends" test "$status" = 0
serve 1
from four calls first 1 reply 60000
echo +memory >/sys/fs/cgroup/cgroup.subtree_control
mkdir "$cgroup"
echo "$pid" >"$cgroup/cgroup.procs"
echo 1M >"$cgroup/memory.max"
lose four egress $ack
from four calls first 2 count 32 parallel 32 reply 60000 timeout 5000
check "the memory of the service's cgroup is full" \
	awk '$1 == "max" { exit !$2 }' "$cgroup/memory.events"
check "some replies are kept" grep replied "$out"
check "some are not" grep unknown "$out"
check "the service lives" kill -0 "$pid"
echo max >"$cgroup/memory.max"
check "calls go on" replies four 100
check "what was said is true" verify
end_service
check "the service ends" test "$status" = 0
rmdir "$cgroup"
finish
