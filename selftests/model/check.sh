#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Test: mode=host timeout=900
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

# The compiler takes longer than the search, at most sizes.
holds()
{
	search '-O1 -DSAFETY' -w22 "$@"
	complete || trail "$@"
}

# The same, and the network comes to rest, in one search.
holds_and_rests()
{
	search -O1 '-w22 -a' PROGRESS "$@"
	complete || trail PROGRESS "$@"
}

numbers()
{
	awk '/ states, stored/ { states = $1 }
	     / transitions / { transitions = $1 }
	     /depth reached/ { depth = $6 + 0 }
	     /total actual memory/ { memory = $1 }
	     END { printf "# %d states, %d transitions, depth %d, %d MiB\n",
		   states, transitions, depth, memory }' "$work/report"
}

# large NAME DEFINITION..., size NAME DEFINITION...: the properties hold; at a
# smaller size also that of a healed network.
large()
{
	local name=$1
	shift

	check "$name: no property is violated" holds "$@"
	numbers
}

size()
{
	local name=$1
	shift

	check "$name: no property is violated, a healed network comes to rest" \
		holds_and_rests "$@"
	numbers
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
	oneway=(CALLS=2 ONEWAY=1 SLOTS=1 PARTINGS=0 CANCELS=1) \
	orphans=(CALLS=2 SLOTS=1 RESETS=1 REBOOTS=0 DEATHS=0 PARTINGS=0)
# shellcheck disable=SC2034
expire=(ORPHANS=EXPIRE CANCELS=1 "${orphans[@]}") \
	extend=(ORPHANS=REINCARNATE EXTENDS=1 CANCELS=0 "${orphans[@]}") \
	reincarnate=(ORPHANS=REINCARNATE CANCELS=1 "${orphans[@]}") \
	gentle=(ORPHANS=GENTLE HEIRS=1 CANCELS=1 "${orphans[@]}") \
	exterminate=(ORPHANS=EXTERMINATE CANCELS=1 "${orphans[@]}")
# Smaller ones, in which a mutation is found sooner.
# shellcheck disable=SC2034
death=(CALLS=2 SLOTS=1 REBOOTS=0 LEASES=0 PARTINGS=0 CANCELS=0) \
	reboot=(CALLS=2 SLOTS=1 DEATHS=0 LEASES=0 PARTINGS=0 CANCELS=0) \
	named=(ORPHANS=EXTERMINATE CANCELS=0 "${orphans[@]}")
size "2 calls, 1 slot, every fault" "${small[@]}"
check "2 calls, 1 slot: every step of the model is possible" nothing_idle
large "3 calls, 2 slots, 2 cancels, reboot, process death" LEASES=0 PARTINGS=0
large "3 calls, 2 slots, 1 cancel, reboot, association ended" \
	DEATHS=0 PARTINGS=0 CANCELS=1
while read -r size name; do
	declare -n definitions=$size
	size "$name" "${definitions[@]}"
done <<'EOT'
parts requests in two parts
twin an idempotent call, which may be moved, and another
resets a reboot of the client
takeover another node takes over the address
replies replies in two parts
oneway a one-way call and another
expire orphans that end at their deadline
extend a worker that asks for more time
reincarnate orphans that end with the life of their client
gentle orphans whose owner is asked, and may live elsewhere
exterminate orphans that are named
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
RESTART_REQUEUES 1 death
ASSOC_ID_REUSED 1
WELCOME_TWICE 1
CANCEL_LEAVES_NO_RECORD 2
WITHDRAW_LEAVES_QUEUED 2
REFUSAL_WITHOUT_RECORD 2
DEATH_MEANS_NOT_EXECUTED 2 death
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
REVIVE_UNKNOWN_ASSOC 6 reboot
WITHDRAW_LEAVES_PARTS 2 parts
NO_RESEND 5 parts
PART_RUNS 7 parts
RERUN_FORGETS 2 twin
CANCEL_FORGETS_RUN 2 twin
MOVE_FORGETS 2 twin
LATE_RERUN_BLOCKS 4 twin
CLIENT_ID_REUSED 3 resets
FORMER_LIFE_KEPT 4 resets
NEW_IS_KEPT 4 resets
REPLY_PART_IS_WHOLE 7 replies
NO_RESEND_OF_REPLY rest replies
RESEND_NOT_REFUSED 5 replies
ACK_BEFORE_WHOLE 5 replies
ONEWAY_LEAVES_NO_RECORD 1 oneway
CANCEL_DENIES_DELIVERED 2 oneway
ONEWAY_ENDS_WITH_ASSOC 8 oneway
GIVE_UP_MEANS_NOT_EXECUTED 2 expire
REBORN_ENDS_ALL 10 expire
ORPHANS_HAVE_TIME 11 expire
ASK_NOT_REPEATED 11 extend
ORPHAN_KEEPS_ASKING 11 extend
KILL_WITHOUT_EVENT 9 reincarnate
SILENCE_IS_DEATH 10 reincarnate
ANY_EPOCH 10 reincarnate
OLD_ORPHANS_KEPT 11 reincarnate
NOBODY_IS_ASKED 10 gentle
OWN_IS_GONE 10 gentle
GONE_IS_OWN 11 gentle
STALE_ENDS_NONE 11 gentle
WITHDRAWN_IS_GONE 10 exterminate
NAMES_PRESENT 10 named
GONE_GOES_ON 11 exterminate
EOT
finish
