#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Test: mode=host timeout=600
#
# The model of the protocol, tern.pml: it holds at each size, for all orders of
# events there are; and without any one of its guards it does not.
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=selftests/ktap.sh
. "$here/../ktap.sh"

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# search CFLAGS ARGUMENTS DEFINITION...: all states of the model with these
# definitions, or those up to the first error; the report is $work/report.
search()
{
	local cflags=$1 arguments=$2
	shift 2

	rm -rf "$work/pan"
	mkdir "$work/pan"
	cd "$work/pan"
	spin -a "${@/#/-D}" "$here/tern.pml" >"$work/report" ||
		{ cat "$work/report"; return 1; }
	# shellcheck disable=SC2086 # several words each
	gcc -w -DNOREDUCE -DMEMLIM=3000 $cflags -o pan pan.c
	# shellcheck disable=SC2086
	./pan -m100000 $arguments >"$work/report"
}

# On failure: the end of the history that leads there.
trail()
{
	cat "$work/report"
	cd "$work/pan"
	[ ! -e tern.pml.trail ] ||
		spin -k tern.pml.trail -p "${@/#/-D}" "$here/tern.pml" |
		grep '^ *[0-9]*:' | tail -n 80
	return 1
}

# Every state was seen, and none was wrong.
complete()
{
	grep -q 'errors: 0$' "$work/report" &&
		! grep -E 'not completed|too small|Bit statespace' "$work/report"
}

# No step of the model is impossible, which would prove less than it seems.
nothing_idle()
{
	complete
	! grep 'tern.pml:[0-9]*, state' "$work/report" | grep -v '"-end-"'
}

holds()
{
	search '-O2 -DSAFETY' -w22 "$@"
	complete || trail "$@"
}

ends()
{
	search -O2 '-w22 -a' PROGRESS "$@"
	complete || trail PROGRESS "$@"
}

# size NAME DEFINITION...: the properties hold at this size.
size()
{
	local name=$1
	shift

	check "$name: no property is violated" holds "$@"
	awk '/ states, stored/ { states = $1 }
	     / transitions / { transitions = $1 }
	     /depth reached/ { depth = $6 + 0 }
	     /total actual memory/ { memory = $1 }
	     END { printf "# %d states, %d transitions, depth %d, %d MiB\n",
		   states, transitions, depth, memory }' "$work/report"
}

# breaks MUTATION PROPERTY DEFINITION...: without the guard, just this property is
# violated.
breaks()
{
	local mutation=$1 property=$2
	shift 2

	case $property in
	rest)
		search -O0 '-w20 -a' PROGRESS "$mutation" "$@"
		grep 'acceptance cycle' "$work/report" ;;
	*)
		search '-O0 -DSAFETY' -w20 "$mutation" ONLY="$property" "$@"
		grep 'assertion violated' "$work/report" ;;
	esac || { cat "$work/report"; return 1; }
}

# What is looked at alone, each with the faults that it may meet.
small=(CALLS=2 SLOTS=1)
few=(SLOTS=1 DEATHS=0 PARTINGS=0 CANCELS=1)
# shellcheck disable=SC2034 # by their names, below
parts=(CALLS=2 PARTS=2 "${few[@]}") \
	twin=(CALLS=3 TWIN=2 "${few[@]}") \
	resets=(CALLS=2 RESETS=1 "${few[@]}") \
	takeover=(CALLS=2 TAKEOVER=1 "${few[@]}") \
	replies=(CALLS=2 REPLY_PARTS=2 "${few[@]}") \
	oneway=(CALLS=2 ONEWAY=1 SLOTS=1 PARTINGS=0 CANCELS=1)
size "2 calls, 1 slot, every fault" "${small[@]}"
check "2 calls, 1 slot: every step of the model is possible" nothing_idle
check "2 calls, 1 slot: a healed network comes to rest" ends "${small[@]}"
size "3 calls, 2 slots, 2 cancels, reboot, process death" LEASES=0 PARTINGS=0
size "3 calls, 2 slots, 1 cancel, reboot, association ended" \
	DEATHS=0 PARTINGS=0 CANCELS=1
while read -r size name; do
	declare -n definitions=$size
	size "$name" "${definitions[@]}"
	check "$name: a healed network comes to rest" ends "${definitions[@]}"
done <<'EOT'
parts requests in two parts
twin an idempotent call, which may be moved, and another
resets a reboot of the client
takeover another node takes over the address
replies replies in two parts
oneway a one-way call and another
EOT

# The table is that of Documentation/testing.rst, "The model".
while read -r mutation property size; do
	declare -n definitions=${size:-small}
	check "$mutation breaks $property" \
		breaks "$mutation" "$property" "${definitions[@]}"
done <<'EOT'
NO_DUPLICATE_FILTER 1
NO_OLD_FILTER 1
EVICT_UNDER_PRESSURE 1
RESTART_REQUEUES 1
ASSOC_ID_REUSED 1
WELCOME_TWICE 1
CANCEL_LEAVES_NO_RECORD 2
WITHDRAW_LEAVES_QUEUED 2
REFUSAL_WITHOUT_RECORD 2
DEATH_MEANS_NOT_EXECUTED 2
TIMEOUT_MEANS_NOT_EXECUTED 2
END_MEANS_NOT_EXECUTED 2
STALE_MEANS_NOT_EXECUTED 2
AGES_NOT_COMPARED 2
OTHER_EPOCH_IS_PROOF 2 takeover
SAME_SEQ 3
REPLY_BY_SLOT_ONLY 3
REPLY_OF_ANY_ASSOC 3
REUSE_SLOT_EARLY 4
CANCEL_NOT_REPEATED 4
NO_IDLE_ACK 4
ACK_FREES_ANY 5
EVICT_REPLY_ONLY 5
NO_RETRANSMIT 5
LATE_REPLY_ASKS rest
REVIVE_UNKNOWN_ASSOC 6
WITHDRAW_LEAVES_PARTS 2 parts
NO_RESEND 5 parts
PART_RUNS 7 parts
RERUN_FORGETS 2 twin
CANCEL_FORGETS_RUN 2 twin
MOVE_FORGETS 2 twin
LATE_RERUN_BLOCKS 4 twin
CLIENT_ID_REUSED 3 resets
FORMER_LIFE_KEPT 4 resets
REPLY_PART_IS_WHOLE 7 replies
NO_RESEND_OF_REPLY rest replies
RESEND_NOT_REFUSED 5 replies
ACK_BEFORE_WHOLE 5 replies
ONEWAY_LEAVES_NO_RECORD 1 oneway
CANCEL_DENIES_DELIVERED 2 oneway
ONEWAY_ENDS_WITH_ASSOC 8 oneway
EOT
finish
