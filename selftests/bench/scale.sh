#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Test: mode=icount kernels=6.12 timeout=900
#
# 10,000 peers and 100,000 cached replies: what a duplicate costs, and how much
# memory the slots and the cached calls take.
set -euo pipefail

# shellcheck source=selftests/net/lib.sh
. "$(dirname "$0")/../net/lib.sh"

numbers=$work/numbers

# number NAME: what scale.c found.
number()
{
	awk -v name="$1" '$1 == name { print $2; found = 1 } END { exit !found }' \
		"$numbers"
}

cached()
{
	"${server[@]}" tern -j peer show |
		jq -r '"\(length) peers, \(map(.cached) | add) replies"'
}

# at_most LIMIT VALUE
at_most()
{
	echo "$2, at most $1"
	awk -v limit="$1" -v value="$2" 'BEGIN { exit !(value <= limit) }'
}

# as_fast NAME: within 5 % of few peers and few replies.
as_fast()
{
	awk -v few="$(number few-peers-few-cached)" -v many="$(number "$1")" '
		BEGIN {
			printf "%d and %d instructions\n", few, many
			exit !(many <= few * 1.05 && many >= few * 0.95)
		}'
}

# slot_bytes STRUCT: of one slot, when a chunk of 64 is allocated.
slot_bytes()
{
	pahole -C "$1" "build/$TERN_KERNEL/tern.ko" | awk '
		/size:/ {
			for (chunk = 1024; chunk < $3 * 64; chunk *= 2)
				;
			print chunk / 64
		}'
}

executed_once()
{
	[ "$(wc -l <"$log")" = "$(number executed | cut -d . -f 1)" ]
	[ -z "$(cut -d ' ' -f 1 "$log" | sort | uniq -d)" ]
}

nodes lease 1h
"${client[@]}" tern down
"${client[@]}" ip route add local 10.20.0.0/16 dev lo
"${server[@]}" ip route add 10.20.0.0/16 via 10.8.0.1
"${server[@]}" tern up allow 10.20.0.0/16
serve
"${client[@]}" build/selftests/bench/scale 10.8.0.2 "$program" 10.20.0.1 |
	tee "$numbers" | sed -u 's/^/# /'
check "all calls were executed once" executed_once
check "the replies are cached" prints "10000 peers, 100000 replies" cached

client_slot=$(slot_bytes tern_txslot) server_slot=$(slot_bytes tern_rxslot)
echo "# bytes-per-idle-slot $client_slot at the client, $server_slot at the server"
check "a duplicate costs the same with many peers" as_fast many-peers-few-cached
check "and with many cached replies" as_fast many-peers-many-cached
check "an idle slot takes 64 bytes" at_most 64 $((client_slot + server_slot))
check "at the server as much as its structure says" \
	at_most $((server_slot + 1)) "$(number bytes-per-server-slot)"
check "a cached call takes 256 bytes and its reply" \
	at_most 256 "$(number bytes-per-cached-call)"
end_service
check "the service ends" test "$status" = 0
finish
