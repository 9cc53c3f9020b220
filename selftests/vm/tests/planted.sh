#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Test: mode=vm2 kernels=uml,debug timeout=300
#
# Each check of the debug kernels finds a bug that was planted for it, and the
# machine makes a run with such a report fail.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=SCRIPTDIR/../../ktap.sh
. "$here/../../ktap.sh"
kernel=${TERN_KERNEL:-uml}
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT

# The machine fails, and the kernel has printed TEXT.
reported()
{
	local name=$1 text=$2 status=0
	shift 2

	"$here/../vm" -k "$kernel" -n -t 60 -o "$dir/$name" "$@" \
		-c "insmod '$modules/planted.ko' bug=$name" || status=$?
	if [ "$status" != 125 ]; then
		echo "exit status $status, not 125"
		return 1
	fi
	grep -aq "$text" "$dir/$name/console.log" ||
		{ echo "nothing was printed of: $text"; return 1; }
}

modules=$("$here/planted/build" "$kernel")
while read -r name text; do
	# one boot each, since a report may switch the checks off
	case $name in
	leak)	options=() ;;
	*)	options=(-l) ;;
	esac
	check "$name" reported "$name" "$text" "${options[@]}"
done < <(
	cat <<-EOF
		use-after-free KASAN: slab-use-after-free
		lock-order possible circular locking dependency
		rcu suspicious RCU usage
		leak new suspected memory leaks
	EOF
	[ "$kernel" != uml ] || cat <<-EOF
		out-of-bounds KASAN: slab-out-of-bounds
		double-free KASAN: double-free
		null Kernel panic
		lock-softirq inconsistent lock state
		lock-left held lock freed
		sleep sleeping function called from invalid context
		refcount refcount_t: addition on 0
		shift UBSAN: shift-out-of-bounds
		index UBSAN: array-index-out-of-bounds
		timer ODEBUG: free active
		work ODEBUG: free active
		rcu-head ODEBUG: activate active
		list list_add double add
	EOF
)
finish
