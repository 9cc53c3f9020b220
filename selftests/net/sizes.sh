#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Test: quick=no timeout=240
#
# Messages of all sizes, both ways, over IPv4 and IPv6, through loss.
set -euo pipefail

# shellcheck source=selftests/net/lib.sh
. "$(dirname "$0")/lib.sh"

nodes timeout 60s
serve 4

first=1
for to in 10.8.0.2 fd08::2; do
	for impairment in "delay 0" "loss 10% duplicate 10%"; do
		# shellcheck disable=SC2086
		impair $impairment
		for size in 16 17 255 256 1379 1380 1381 4096 65535 65536; do
			calls first $first count 4 parallel 2 size $size reply 0
			calls first $((first + 4)) count 4 parallel 2 reply $size
			first=$((first + 8))
		done
		heal
	done
	check "$to: every size arrives, both ways" \
		ended $((first - 1)) replied
	check "$to: executed once, with the right content" verify
done
unset to

check "an empty request and reply" "${client[@]}" tern ping 10.8.0.2/$program count 3
check "segments were asked for again" counted server resends-asked
check "and served" counted client resends-served
check "for replies too" counted client resends-asked
check "the longest reply is acknowledged" counted client acks-sent
# shellcheck disable=SC2154
check "no reply is cached for long" eventually shows 'length == 2 and all(.cached_bytes == 0)' \
	"${server[@]}" tern -j peer show
end_service
check "the service ends" test "$status" = 0
finish
