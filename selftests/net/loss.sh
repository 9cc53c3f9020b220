#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Test: quick=no timeout=240
#
# A network that loses, repeats, reorders, delays and damages packets: every
# call ends with its reply, and is executed once.
set -euo pipefail

# shellcheck source=selftests/net/lib.sh
. "$(dirname "$0")/lib.sh"

nodes timeout 60s
serve 8

many=$((300 / part))
while IFS='|' read -r name words; do
	forget
	# shellcheck disable=SC2086
	impair $words
	check "$name" calls count $many parallel 8 reply 100
	check "$name: every call has its reply" ended $many replied
	check "$name: executed once" verify
	heal
done <<'EOT'
a perfect network|delay 0
loss 5 %|loss 5%
loss 30 %|loss 30%
duplication 50 %|duplicate 50%
reordering|delay 5ms reorder 50% 25%
corruption 5 %|corrupt 5%
delay and jitter|delay 10ms 8ms
all at once|delay 5ms 5ms loss 10% duplicate 30% corrupt 3% reorder 25%
EOT

check "requests were sent again" counted client retransmissions $((50 / part))
check "duplicates were filtered" counted server duplicates-filtered $((50 / part))
check "replies were served from the cache" counted server replies-from-cache $((20 / part))
check "late replies matched no other call" counted client drop-late-reply $((50 / part))
check "all slots are free" eventually peer client slots-used 0
end_service
check "the service ends" test "$status" = 0
finish
