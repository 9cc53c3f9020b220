#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# The list of prefixes: who is taken off it loses the association at once.
set -euo pipefail

# shellcheck source=selftests/net/lib.sh
. "$(dirname "$0")/lib.sh"

nodes
serve
check "a node that is allowed" calls timeout 10000
check "its call has its reply" ended 1 replied
forget
# shellcheck disable=SC2154
check "it is taken off the list" "${server[@]}" tern up allow 192.0.2.0/24
check "its association is gone" eventually test "$(
	"${client[@]}" tern -j peer show | jq '[.[] | select(.state == "up")] | length')" = 0
calls timeout 1000
check "its call is not executed" ended 1 not-executed
check "nothing ran" test ! -s "$log"
check "it is put on the list again" "${server[@]}" tern up allow 10.8.0.0/24
forget
calls timeout 10000
check "it is served again" ended 1 replied

# What a node asked for itself needs nobody's leave.
forget
check "the client allows nobody" "${client[@]}" tern up allow 192.0.2.0/24
calls timeout 10000
check "its own association stays" ended 1 replied
# shellcheck disable=SC2154
check "the other node may not call back on it" refused 3 "ermission denied" \
	"${server[@]}" tern call "10.8.0.1/0.0" 0
check "that is counted" counted client drop-not-allowed
check "nothing ran twice" verify
end_service
finish
