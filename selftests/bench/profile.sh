#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Test: mode=vm2 kernels=6.12 timeout=300
#
# A profile shows what a cell of ternbench executes.
set -euo pipefail

top=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
# shellcheck source=selftests/ktap.sh
. "$top/selftests/ktap.sh"
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT

profile()
{
	"$top/tools/ternbench/profile/profile" -n 0 tern same call >"$dir/profile" || return
	sed -n 1,5p "$dir/profile"
}

# has NAME: 50 instructions a call or more are of a function.
has()
{
	awk -v name="$1" '$NF == name && $1 >= 50 { found = 1 }
			  END { exit !found }' "$dir/profile"
}

# Every instruction of the kernel is of some function.
is_complete()
{
	awk '/^  programs/ { whole = $4 + $6 }
	     /^ +[0-9.]+ /  { sum += $1 }
	     END { print whole, sum; exit !(whole && sum > whole - 50 && sum < whole + 50) }' \
		"$dir/profile"
}

# what ternbench says beside it
costs()
{
	awk 'NR == 1 { cost = $2 } END { exit !(cost > 3000 && cost < 60000) }' \
		"$dir/profile"
}

check "a cell is profiled" profile
check "all is shown" is_complete
check "a call takes what a call may take" costs
check "the module's functions are there" has tern_call_submit
check "the kernel's functions are there" has __schedule
check "what does not run is not" eval '! has udp_sendmsg'
finish
