#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Test: mode=guest timeout=180
#
# A client whose server lies.
set -euo pipefail

# shellcheck source=selftests/net/lib.sh
. "$(dirname "$0")/lib.sh"

# lie MODE: the server is such a liar, and nothing has been counted.
lie()
{
	[ -z "${liar-}" ] || kill "$liar"
	"${client[@]}" tern down
	"${client[@]}" tern up
	coproc { exec "${server[@]}" "$programs/liar" "$1"; }
	liar=$COPROC_PID
	read -r <&"${COPROC[0]}"
	begun=$(stat client hellos-sent)
}

# few MOST: the client has said HELLO no more often.
few()
{
	local said=$(($(stat client hellos-sent) - begun))

	echo "$said times HELLO"
	((said > 1 && said <= $1))
}

namespace client
namespace server
link client server
# shellcheck disable=SC2154
"${client[@]}" tern up

lie twice
# shellcheck disable=SC2154
# shellcheck disable=SC2154
check "of two replies the first counts" \
	prints first "${client[@]}" tern call 10.8.0.2/5000 1
check "the other one is late" eventually counted client drop-late-reply

for mode in bye stale; do
	lie "$mode"
	forget
	calls timeout 5000 idempotent 1
	check "$mode: the call ends at its deadline" ended 1 unknown ETIMEDOUT
	check "$mode: in time" took 4500 6000
	check "$mode: associations are not asked for in a row" few 20
done

lie resend
forget
calls timeout 5000
check "asked again and again: the call ends" ended 1 unknown ETIMEDOUT
check "asked again and again: in time" took 4500 6000
check "it is not sent for each" counted client drop-resend-too-soon
# one in 5 ms
check "but now and then" exits 1 counted client resends-served 1250
check "at least once" counted client resends-served

# 50 replies would take 3.2 MB, and more with their packets
lie parts
"${client[@]}" tern up queue-net 1048576
forget
calls timeout 5000 count 50 parallel 50
check "without a last segment: the calls end" ended 50 unknown ETIMEDOUT
check "without a last segment: what has no room is dropped" \
	counted client drop-reply-no-room
kill "$liar"
"${client[@]}" tern down
"${client[@]}" tern up
# shellcheck disable=SC2154
"${server[@]}" tern up allow 10.8.0.1
serve
forget
calls count 20 parallel 20 reply 60000
check "what was held has gone: large replies arrive" ended 20 replied
end_service
finish
