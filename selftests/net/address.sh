#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Test: timeout=60
#
# The client's address changes while its call executes: the reply goes where
# the client is now.
set -euo pipefail

# shellcheck source=selftests/net/lib.sh
. "$(dirname "$0")/lib.sh"

nodes
# the second address shall stay when the first goes
# shellcheck disable=SC2154
"${client[@]}" sysctl -qw net.ipv4.conf.eth0.promote_secondaries=1
serve
for family in 4 6; do
	if [ $family = 4 ]; then
		to=10.8.0.2 old=10.8.0.1/24 new=10.8.0.3/24
	else
		to=fd08::2 old=fd08::1/64 new=fd08::3/64
	fi
	forget
	calls first $family delay 1500 timeout 10000 &
	caller=$!
	check "IPv$family: the call executes" eventually executed $family
	# shellcheck disable=SC2046
	"${client[@]}" ip addr add $new dev eth0 $([ $family = 4 ] || echo nodad)
	"${client[@]}" ip addr del $old dev eth0
	wait $caller
	check "IPv$family: the reply found the client" ended 1 replied
	check "IPv$family: executed once" verify
	calls first 1$family timeout 5000
	check "IPv$family: calls go on" ended 2 replied
done
check "on the same association" prints 2 stat server associations-made
end_service
finish
