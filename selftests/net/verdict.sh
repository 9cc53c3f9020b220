#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Test: mode=host
#
# "verify", by which the tests with a network judge: it notices each kind of lie
# in a history, and no other.
set -euo pipefail

# shellcheck source=selftests/ktap.sh
. "$(dirname "$0")/../ktap.sh"
# shellcheck source=selftests/net/verify.sh
. "$(dirname "$0")/verify.sh"

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
log=$work/log out=$work/out

# What was executed, the outcomes, and the calls that were made, of four calls.
truth()
{
	printf '%s\n' 1 2 4 >"$log"
	cat >"$out" <<-EOT
		1 replied 0 0 right 5
		2 unknown 110 0 right 5
		3 not-executed 111 0 right 5
		4 delivered 0 0 right 5
	EOT
	printf '%s\n' '1 1' '2 4' >"$out.made"
}

# notices TEXT [again]: it fails, and says this.
notices()
{
	local said
	said=$(! verify "${2-}")
	echo "$said"
	grep -qx "$1" <<<"$said"
}

truth
check "the truth" verify
check "it is counted" grep -qx '3 executed, .*1 replied.*' <(verify)
echo 1 >>"$log"
check "executed twice" notices 'executed 2 times: 1'
check "which idempotent calls may be" verify again
truth && sed -i 1d "$log"
check "replied to, but not executed" notices 'not executed: 1 replied .*'
truth && sed -i /4/d "$log"
check "delivered, but not executed" notices 'not executed: 4 delivered .*'
truth && echo 3 >>"$log"
check "not executed, but it was" notices 'executed: 3 not-executed .*'
truth && sed -i 's/right/wrong/' "$out"
check "a wrong reply" notices 'wrong reply: 1 .*'
truth && sed -i '1s/0 0/0 7/' "$out"
check "a wrong status" notices 'wrong reply: 1 .*'
truth && line=$(sed -n 2p "$out") && echo "$line" >>"$out"
check "two outcomes" notices 'another outcome: 2 .*'
check "of an idempotent call" notices 'another outcome: 2 .*' again
truth && sed -i 2d "$out"
check "no outcome of a call that ran" notices 'no outcome: 2'
truth && sed -i 3d "$out"
check "no outcome of a call that did not" notices 'no outcome: 3'
truth && sed -i 3,4d "$out" && echo '1 2' >"$out.made"
check "calls of a caller that was killed need none" verify
finish
