#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Test: quick=no timeout=360
#
# Long messages, which are sent as their receiver grants it: both ways, through
# loss, many at once, with little memory, and when an end goes away in between.
set -euo pipefail

# shellcheck source=selftests/net/lib.sh
. "$(dirname "$0")/lib.sh"

kib=1024 mib=1048576

# limits NODE SETTING VALUE...: changes what may be received.
limits()
{
	local -n node=$1

	"${node[@]}" tern up "${@:2}"
}

# held NODE BYTES: what the node has of incomplete and queued requests is not more.
held()
{
	local -n node=$1

	"${node[@]}" tern -j peer show |
		jq -e "[.[].queued_bytes] | add <= $2"
}

# shared: of 16 calls at least two came, and memory is why others did not.
shared()
{
	awk -v full="$(number_of ENOBUFS)" '
		{ print; n[$2 " " $3]++ }
		END { came = n["replied 0"]
		      exit came < 2 || came + n["not-executed " full] != 16 }
	' "$out"
}

# grows NODE NAME: the counter is higher than it was when it was looked at.
grows()
{
	local now

	now=$(stat "$1" "$2")
	((now > was))
}

nodes timeout 60s
serve 4

first=1
for to in 10.8.0.2 fd08::2; do
	for size in 65537 $((256 * kib)) $mib $((16 * mib)); do
		forget
		calls first $first size "$size"
		calls first $((first + 1)) reply "$size"
		first=$((first + 2))
		check "$to: $size bytes arrive, both ways" ended 2 replied
		check "$to: $size bytes: executed once" verify
	done
done
unset to
check "the server granted them" counted client grants-received
check "and the client" counted server grants-received

forget
calls size $((16 * mib + 1))
check "longer than the node sends: an error" \
	ended 1 not-executed EMSGSIZE
limits client message-max 64M
forget
calls size $((16 * mib + 1))
check "longer than the server takes: refused" \
	ended 1 not-executed EMSGSIZE
check "which is counted" counted server refused-too-big 1
limits server message-max 64M queue-peer 256M
limits client message-max 1M
forget
calls reply $((mib + 1))
check "a reply that is longer than the client takes: unknown" \
	ended 1 unknown EMSGSIZE
check "it ran once" verify
limits client message-max 64M
# the guests of the others have no memory for more
case ${TERN_KERNEL-} in
uml | debug) longest=$((24 * mib)) ;;
*) longest=$((64 * mib)) ;;
esac
forget
calls size $longest
check "$longest bytes arrive" ended 1 replied
end_service

# Bad networks.
serve 4
while IFS='|' read -r name words; do
	forget
	# shellcheck disable=SC2086
	impair $words
	calls count 6 parallel 3 size $mib
	calls first 7 count 6 parallel 3 reply $mib
	heal
	check "$name: long messages arrive" ended 12 replied
	check "$name: executed once" verify
done <<'EOT'
loss 1 %|loss 1%
loss 10 %|loss 10%
duplication|duplicate 50%
reordering|delay 2ms reorder 50% 25%
all at once|delay 2ms 2ms loss 5% duplicate 20% corrupt 1% reorder 25%
EOT
end_service

# Many at once. The first parts come unasked.
serve 4
forget
lost=$(stat client retransmissions)
calls count 64 parallel 64 size $mib
check "64 at once: all arrive" ended 64 replied
check "64 at once: executed once" verify
echo "$(($(stat client retransmissions) - lost)) sent again"
check "nothing is held afterwards" eventually held server 0

# With memory for two of them the others are refused, or wait and come later.
limits server queue-net 4M queue-peer 4M
forget
calls count 16 parallel 16 size $mib
check "little memory: some come, the others are refused" shared
check "little memory: executed once" verify
limits server queue-net 1M
forget
calls size $mib
check "no memory for even one: refused" ended 1 not-executed EMSGSIZE
limits server queue-net 256M queue-peer 64M
end_service

# An end goes away in mid-message.
serve 4
impair rate 20mbit
forget
was=$(stat client grants-received)
calls first 1 size $((8 * mib)) &
caller=$!
check "a long request is on its way" eventually grows client grants-received
end_service KILL
wait $caller
check "its server is killed: not executed" became 1 not-executed ECONNREFUSED
serve 4
forget
was=$(stat client grants-received)
"${client[@]}" "$programs/caller" first 2 size $((8 * mib)) \
	"10.8.0.2/$program" "$out" &
caller=$!
eventually grows client grants-received
kill -KILL $caller
wait $caller 2>/dev/null || :
check "its caller is killed: it is withdrawn" \
	eventually counted server requests-cancelled
check "nothing is held of it" eventually held server 0
forget
was=$(stat server grants-received)
calls first 3 reply $((8 * mib)) timeout 2000
check "a deadline in the middle of a reply: unknown" \
	ended 1 unknown ETIMEDOUT
check "and it had begun" grows server grants-received
heal
forget
calls first 4 size $mib reply $mib
check "later ones come" ended 1 replied
check "each ran once" verify
# shellcheck disable=SC2154
check "no reply is cached for long" eventually shows \
	'all(.cached_bytes == 0)' "${server[@]}" tern -j peer show
end_service
check "the service ends" test "$status" = 0
finish
