# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# Sourced by the tests with two guests: callers in guest A, the counting service
# in guest B. What B writes outlives its resets, if they are done by reset_b.

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=selftests/ktap.sh
. "$here/../ktap.sh"
# shellcheck source=selftests/vm/vm2.sh
. "$here/../vm/vm2.sh"
# shellcheck source=selftests/net/verify.sh
. "$here/../net/verify.sh"

programs=build/selftests/net
program=5000

start()
{
	vm2_start
	log=$vm2_dir/log out=$vm2_dir/out
	# so that there is one
	: >"$vm2_dir/log.0"
}

# collect [FIRST [LAST]]: makes $log, $out and $out.made of what was written of
# these calls.
collect()
{
	local first=${1-0} last=${2-1000000000}
	local range="\$1 >= $first && \$1 <= $last"

	awk "$range" "$vm2_dir"/log.* "$vm2_dir"/B/share/out/log.* >"$log"
	awk "$range" "$vm2_dir"/A/share/out/out.*[0-9] >"$out"
	awk -v first="$first" -v last="$last" '
		$2 >= first && $1 <= last {
			print ($1 < first ? first : $1), ($2 > last ? last : $2)
		}' "$vm2_dir"/A/share/out/out.*.made >"$out.made"
}

# up_a [WORDS], up_b [WORDS]: the nodes; B with the service, which is there
# before the node is, so that no call comes too early.
up_a()
{
	vm2_run A "tern up allow 10.9.0.0/24 allow fd09::/64 $*"
}

up_b()
{
	vm2_bg B "$programs/counter $program /out/log.$EPOCHREALTIME 4" >/dev/null
	vm2_run B "until tern -j service show | jq -e length==1; do
			sleep 0.05; done >/dev/null
		tern up allow 10.9.0.0/24 allow fd09::/64 $*"
}

# reset_b: pulls B's plug, and boots it again.
reset_b()
{
	vm2_kill B
	cp "$vm2_dir"/B/share/out/log.* "$vm2_dir"
	vm2_boot B
}

# calls WORDS: starts a caller in A; its job is in the variable caller.
calls()
{
	# shellcheck disable=SC2034
	caller=$(vm2_bg A "$programs/caller $* ${to-10.9.0.2}/$program /out/out.$EPOCHREALTIME")
}

# until_true COMMAND...: it succeeds within a minute.
until_true()
{
	local end=$((SECONDS + 60))

	until "$@"; do
		((SECONDS < end)) || return 1
		nap 0.05
	done
}

# executed COUNT [FIRST]: so many calls were executed, from FIRST on.
executed()
{
	awk -v first="${2-0}" -v count="$1" '
		$1 >= first { n++ }
		END { exit n < count }' "$vm2_dir"/log.* "$vm2_dir"/B/share/out/log.*
}

count_executed()
{
	cat "$vm2_dir"/log.* "$vm2_dir"/B/share/out/log.* | wc -l
}

# stat A|B NAME: value of a counter; counted A|B NAME [MINIMUM].
stat()
{
	vm2_run "$1" "tern -j stat show all | jq '.[\"$2\"]'"
}

counted()
{
	local value

	value=$(stat "$1" "$2")
	echo "$1: $2: $value"
	[ "$value" -ge "${3-1}" ]
}

# shows A|B JQ WORDS: what "tern -j WORDS" prints fits.
shows()
{
	vm2_run "$1" "tern -j $3 | jq -e '$2'"
}
