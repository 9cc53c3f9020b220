# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# Sourced by tests that call the counting service: what must be true of its log,
# $log, and of what callers wrote: the outcomes, $out, and which calls those
# made that ended by themselves, $out.made.

# shellcheck disable=SC2154 # set by who sources this

# forget: what was executed and called before is checked no more.
forget()
{
	# the service has the log open
	: >"$log"
	: >"$out"
	: >"$out.made"
}

# executed ID: the service has begun with the call.
executed()
{
	[ -e "$log" ] && grep -qx "$1" "$log"
}

# verify [again]: each call has one outcome, nothing ran twice (unless "again"),
# what was replied to ran and has the right reply, what was reported as not
# executed did not run. Prints what it counted.
verify()
{
	touch "$log" "$out" "$out.made"
	awk -v again="${1-}" '
	FILENAME == ARGV[1] { ran[$1]++; executed++; next }
	FILENAME == ARGV[3] {
		for (id = $1; id <= $2; id++)
			if (!known[id])
				fail("no outcome: " id)
		next
	}
	{
		if (known[$1]++)
			fail("another outcome: " $0)
		ended[$2]++
		if ($2 == "replied" && ($4 != 0 || $5 != "right"))
			fail("wrong reply: " $0)
		if ($2 ~ /^(replied|delivered)$/ && !ran[$1])
			fail("not executed: " $0)
		if ($2 == "not-executed" && ran[$1])
			fail("executed: " $0)
	}
	END {
		for (id in ran)
			if (ran[id] > 1 && again == "")
				fail("executed " ran[id] " times: " id)
		printf "%d executed", executed
		for (outcome in ended)
			printf ", %d %s", ended[outcome], outcome
		print ""
		exit failed > 0
	}
	function fail(text) { if (failed++ < 10) print text }' \
		"$log" "$out" "$out.made"
}

# number_of ERRNO: the number of an error.
number_of()
{
	awk -v name="$1" '$2 == name { print $3; found = 1 } END { exit !found }' \
		/usr/include/asm-generic/errno-base.h /usr/include/asm-generic/errno.h
}

# ended COUNT OUTCOME [ERRNO]: so many calls ended like this. ERRNO is a name.
ended()
{
	local number=''

	[ $# -lt 3 ] || number=$(number_of "$3")
	awk '{ n[$2 " " $3]++ } END { for (k in n) print n[k], k }' "$out"
	tail -n 20 "$out"
	[ "$(awk -v outcome="$2" -v number="$number" \
		'$2 == outcome && (number == "" || $3 == number)' "$out" |
		wc -l)" = "$1" ]
}

# became ID OUTCOME [ERRNO]: how the call with this number ended.
became()
{
	tail -n 20 "$out"
	grep -q "^$1 $2 ${3+$(number_of "$3") }" "$out"
}

# took MINIMUM MAXIMUM: how many milliseconds each call took.
took()
{
	awk -v min="$1" -v max="$2" '
		{ print }
		$6 < min || $6 > max { failed = 1 }
		END { exit failed || !NR }' "$out"
}
