#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Test: mode=travel timeout=120
#
# A client's node that restarts, and what its former life has left at the server
# under each policy for orphans: the new life goes at once, or has another port, or
# the old one's request comes late.
set -euo pipefail

# shellcheck source=selftests/net/lib.sh
. "$(dirname "$0")/lib.sh"

# shellcheck disable=SC2034 # for "eventually"
patience=30 pace=0.2
policies=(expire reincarnate gentle exterminate)

# call_each FIRST: of each policy's worker, 5000 to 5003, one call, with the
# numbers from FIRST on.
call_each()
{
	local i

	for i in "${!policies[@]}"; do
		"${client[@]}" "$programs/caller" first $(($1 + i)) timeout 60000 \
			delay 1000000 "10.8.0.2/$((program + i))" "$out.$i" &
		callers+=($!)
	done
}

# said POLICY TEXT: its worker has printed it.
said()
{
	cat "$work/$1"
	grep -q "^[0-9]* $2" "$work/$1"
}

# silent POLICY TEXT: it has not.
silent()
{
	! said "$@"
}

# services COUNT: the server has so many.
services()
{
	"${server[@]}" tern -j service show | jq -e "length == $1"
}

# dies: the client's node, without a word, and its callers with it.
dies()
{
	lose client egress $bye
	"${client[@]}" tern down
	wait "${callers[@]}" || true
	callers=()
	let_pass client egress
}

# revives [SETTING VALUE]...
revives()
{
	"${client[@]}" tern up allow 10.8.0.0/24 lease 5s "$@"
}

exterminates()
{
	"${client[@]}" tern peer exterminate "${to-10.8.0.2}"
}

# hold: requests of the client for four seconds. held COUNT: so many are now, or
# more; let_go: no further ones.
hold()
{
	"${client[@]}" tc qdisc add dev eth0 root handle 1: prio
	"${client[@]}" tc qdisc add dev eth0 parent 1:3 handle 30: netem delay 4s
	"${client[@]}" tc filter add dev eth0 parent 1: protocol ip \
		u32 match u8 $request 0xff at 29 flowid 1:3
}

held()
{
	"${client[@]}" tc -s -j qdisc show dev eth0 |
		jq -e "any(.kind == \"netem\" and .qlen >= $1)"
}

let_go()
{
	"${client[@]}" tc filter del dev eth0 parent 1:
}

arrived()
{
	! held 1
}

callers=()
nodes lease 5s
for i in "${!policies[@]}"; do
	"${server[@]}" "$programs/worker" $((program + i)) "$i" \
		>"$work/${policies[i]}" &
	eventually services $((i + 1))
done

call_each 1
for i in "${!policies[@]}"; do
	check "${policies[i]}: a call executes" \
		eventually said "${policies[i]}" "begin $((i + 1))"
done
dies
check "the server ends the association" \
	eventually counted server associations-ended
revives
# Faster than the server's sweep looks.
check "a new life names the old one's calls" exterminates
"${client[@]}" tern down
for i in 1 2 3; do
	check "${policies[i]}: the worker is told" \
		eventually said "${policies[i]}" "event $((i + 1)) 104"
	check "${policies[i]}: the call is given up" \
		eventually said "${policies[i]}" "gone $((i + 1))"
done
check "expire: its worker is not" silent expire event

revives
call_each 11
check "calls execute" eventually said exterminate "begin 14"
dies
revives port 18019
to=10.8.0.2:18018
forget
calls first 21
check "a new life at another port calls" ended 1 replied
check "and names its calls" exterminates
calls first 22 delay 2000
for i in "${!policies[@]}"; do
	check "${policies[i]}: those of the old one go on" \
		silent "${policies[i]}" "event $((11 + i))"
done
"${client[@]}" tern down
unset to

revives port 18018
hold
call_each 31
check "requests are on their way" eventually held 4
dies
let_go
revives
forget
calls first 41
check "the new life calls" ended 1 replied
check "the old one's requests arrive" eventually arrived
for i in "${!policies[@]}"; do
	check "${policies[i]}: they do not begin" \
		silent "${policies[i]}" "begin $((31 + i))"
done
finish
