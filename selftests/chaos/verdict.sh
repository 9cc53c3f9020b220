#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Test: mode=host
#
# The checker of "make chaos": it notices each kind of lie in a history, and no
# other, and that a history contains too little.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=selftests/ktap.sh
. "$here/../ktap.sh"

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
history=$work/history

# A process on A that ended and one that was killed, services on A and on B in
# two boots, every kind of fault, every counter. The time is in ms.
truth()
{
	local time=1000000

	rm -rf "$history"
	mkdir "$history"
	cat >"$history/called.A.1.1.1" <<-EOT
		1 submitted 0 once 4000 1000
		2 submitted 1 once 4000 1001
		1 replied 0 0 right 5
		3 submitted 0 once 4000 1010
		2 unknown 110 0 right 4000
		4 submitted 1 again 4000 1020
		3 not-executed 111 0 right 3
		4 replied 0 0 right 30
		5 submitted 0 once 4000 1040
		5 delivered 0 0 right 30
	EOT
	echo 1 5 >"$history/called.A.1.1.1.made"
	cat >"$history/called.A.1.2.1" <<-EOT
		11 submitted 0 once 40 2000
		12 submitted 1 once 40 2000
		11 replied 0 0 right 5
		13 submitted 0 once 40 2006
	EOT
	: >"$history/called.A.1.2.1.made"
	printf '%s\n' '1 1002 4000' '2 1003 4000' '4 1021 4000' '4 1022 4000' \
		'5 1041 4000' >"$history/executed.B.1.1"
	printf '%s\n' '11 2002 40' '12 2003 40' '4 1025 4000' \
		>"$history/executed.B.2.1"
	echo '2990 3000 kill-client A' >"$history/faults"
	"$here/schedule.py" 1 | sed /cycle/q | grep -v cycle |
		while read -r _ fault; do
			time=$((time + 1000))
			echo "$time $((time + 500)) $fault"
		done >>"$history/faults"
	python3 -c 'import check, json; print(json.dumps(dict.fromkeys(check.COUNTERS, 3)))' \
		>"$history/stat.A.3000"
}

judge()
{
	"$here/check.py" "$history"
}

# notices PROMISE: the history is wrong, and in this way only.
notices()
{
	local said

	said=$(! judge)
	echo "$said"
	[ "$(grep -c '^[0-9]* WRONG' <<<"$said")" = 1 ] &&
		grep -q "^[0-9]* WRONG, $1" <<<"$said"
}

# lie FILE SED-COMMAND...: the truth but for this.
lie()
{
	truth
	sed -i "${@:2}" "$history/$1"
}

# add FILE LINE: the truth and this.
add()
{
	truth
	echo "$2" >>"$history/$1"
}

export PYTHONPATH=$here PYTHONDONTWRITEBYTECODE=1
truth
check "the truth" judge

add executed.B.1.1 '1 1009 4000'
check "executed twice" notices 1
add executed.B.1.2 '1 1009 4000'
check "executed twice, by two processes" notices 1
add executed.B.2.1 '1 1900 4000'
check "executed in two boots" notices 6
add executed.B.1.1 '2 1900 4000'
check "executed twice, with an unknown outcome" notices 1
add executed.B.2.1 '13 2010 40'
check "executed, of a caller that was killed" judge
add executed.B.1.1 '3 1900 4000'
check "not executed, but it was" notices 3
add executed.B.2.1 '3 9900 4000'
check "not executed, but it was later, in another boot" notices 3
lie executed.B.1.1 1d
check "replied to, but not executed" notices 3
lie executed.B.1.1 /^5/d
check "delivered, but its process was killed" judge
lie called.A.1.1.1 's/1 replied 0 0 right/1 replied 0 0 wrong/'
check "a wrong reply" notices 5
lie called.A.1.1.1 's/1 replied 0 0/1 replied 0 7/'
check "a wrong status" notices 5
add called.A.1.1.1 '77 replied 0 0 right 3'
check "an outcome of no call" notices 5
add executed.B.1.1 '78 1009 4000'
check "an execution of no call" notices 5
add called.A.1.1.1 '2 unknown 110 0 right 4000'
check "two outcomes" notices 3
lie called.A.1.1.1 '/^2 unknown/d; $a 6 submitted 1 once 4000 1050\n6 unknown 1 0 right 1'
check "no outcome" notices 8
lie called.A.1.2.1 '/^11 replied/d'
check "no outcome, though the thread went on, before it was killed" notices 8
truth
printf '13 repl' >>"$history/called.A.1.2.1"
printf '12' >>"$history/executed.B.2.1"
check "killed while they wrote" judge
lie called.A.1.1.1 's/unknown 110 0 right 4000/unknown 110 0 right 9500/'
check "an outcome too late" notices 7
sed -i '$a 1500 9000 pause A 7.5' "$history/faults"
check "which it is not when its machine stood still" judge
lie executed.B.1.1 's/^2 1003 4000/2 10100 0/'
check "executed after its deadline" notices 7
lie executed.B.1.1 's/^2 1003 4000/2 10100 3000/'
for ((call = 100; call < 300; call++)); do
	cat >>"$history/called.A.1.1.1" <<-EOT
		$call submitted 0 once 4000 1000
		$call replied 0 0 right 3
	EOT
	echo "$call 1001 3999" >>"$history/executed.B.1.1"
done
check "which one may be that was long on its way" judge
sed -i '/^1[0-9][0-9] /s/1001 3999/10100 3000/' "$history/executed.B.1.1"
check "but not many" notices 7
lie executed.B.1.1 's/^2 1003 4000/2 1003 4001/'
check "more time left than the caller gave" notices 7
lie faults 's/^2990 3000 kill-client A/10 20 kill-client A/; /reset A\|kill-client A\|memory A/{/^10 /!s/ A/ B/}'
check "a caller that died by itself" notices 'the test'
for fault in reset pause stop-server failslab corrupt; do
	lie faults "/$fault/d"
	check "no $fault happened" notices 'the test'
done
lie stat.A.3000 's/filtered": 3/filtered": 0/'
check "no duplicate was filtered" notices 'the test'
truth
for ((call = 100; call < 200; call++)); do
	cat >>"$history/called.A.1.1.1" <<-EOT
		$call submitted 0 once 4000 1000
		$call not-executed 110 0 right 3
	EOT
done
check "too few calls succeeded" notices 'the test'
truth && sed -i 's/^11 replied/11 unknown/' "$history/called.A.1.2.1"
check "none of a caller's calls succeeded" notices 'the test'
finish
