#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Test: mode=host timeout=900
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

# first NODE BOOT PROCESS: a number before those of its calls; see keep.
first()
{
	echo $((36#$1 << 58 | $2 << 44 | $3 << 30))
}

# The kinds, see client.c: 0 once, 3 again, 6 maybe; +1 oneway, +2 quiet.
a=$(first A 1 1)
replied=$((a + 16)) open=$((a + 32)) refused=$((a + 48)) again=$((a + 64 + 3))
oneway=$((a + 80 + 1)) quiet=$((a + 96 + 2)) maybe=$((a + 112 + 6))
left=$((a + 128)) unmade=$((a + 144))
killed=$(first A 1 2)

# one NODE OTHER PROCESS: a process with a call that was replied to.
one()
{
	local number=$(($(first "$1" 1 "$3") + 16))

	printf '%s\n' "$number submitted 4000 1000 far" "$number replied 0 0 right 5" \
		>"$history/called.$1.1.$3"
	echo "$number 1001 4000" >>"$history/executed.$2.1.1"
	echo ended >"$history/called.$1.1.$3.made"
}

# A call of each kind and in each way, of a node to the other one. The number of a
# process tells its way, see keep.
kinds()
{
	local number kind base

	one "$1" "$2" 3
	one "$1" "$2" 5
	base=$(first "$1" 1 1)
	for kind in {0..8}; do
		number=$((base + 16 * 1000 + kind))
		echo "$number submitted 4000 1000 far" >&3
		case $((kind % 3)) in
		0)	echo "$number replied 0 0 right 5" >&3 ;;
		1)	echo "$number delivered 0 0 right 5" >&3 ;;
		esac
		echo "$number 1001 4000" >&4
	done 3>>"$history/called.$1.1.1" 4>>"$history/executed.$2.1.1"
	echo ended >"$history/called.$1.1.1.made"
}

# A process on A that ended and one that was killed, services on both nodes, on B
# in two boots, every kind of fault, every counter. The time is in ms.
write_truth()
{
	local time=1000000

	mkdir "$history"
	kinds A B
	kinds B A
	cat >>"$history/called.A.1.1" <<-EOT
		$replied submitted 4000 1000 far
		$open submitted 4000 1001 far
		$replied replied 0 0 right 5
		$refused submitted 4000 1010 far
		$open unknown 110 0 right 4000
		$again submitted 4000 1020 far
		$refused not-executed 111 0 right 3
		$again replied 0 0 right 30
		$oneway submitted 4000 1040 far
		$oneway delivered 0 0 right 30
		$quiet submitted 4000 1050 far
		$maybe submitted 4000 1060 far
		$maybe unknown 110 0 right 4000
		$left submitted 4000 1070 far
		$left abandoned
		$unmade submitted 4000 1080 far
		$unmade not-made 11
	EOT
	cat >"$history/called.A.1.2" <<-EOT
		$((killed + 16)) submitted 40 2000 far
		$((killed + 32)) submitted 40 2000 far
		$((killed + 16)) replied 0 0 right 5
		$((killed + 48)) submitted 40 2006 far
	EOT
	: >"$history/called.A.1.2.made"
	printf '%s 4000\n' "$replied 1002" "$open 1003" "$again 1021" "$again 1022" \
		"$oneway 1041" "$quiet 1051" "$left 1071" >>"$history/executed.B.1.1"
	printf '%s\n' "$((killed + 16)) 2002 40" "$((killed + 32)) 2003 40" \
		"$again 1025 4000" >"$history/executed.B.2.1"
	echo '2990 3000 kill-client A' >"$history/faults"
	"$here/schedule.py" 1 | sed /cycle/q | grep -v cycle |
		while read -r _ fault; do
			time=$((time + 1000))
			echo "$time $((time + 500)) $fault"
		done >>"$history/faults"
	python3 -c 'import check, json; print(json.dumps(dict.fromkeys(check.COUNTERS, 3)))' \
		>"$history/stat.A.1"
	echo 'A dropped=3 corrupted=3' >"$history/wire.counted"
}

truth()
{
	rm -rf "$history"
	cp -r "$work/truth" "$history"
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

# signs FROM TO: signs of life.
signs()
{
	local time

	for ((time = $1; time <= $2; time += 1000)); do
		echo "$time $time"
	done
}

# A later boot of A, which ended process 2 by a reset.
reset_follows()
{
	echo "$(($(first A 2 1) + 16)) submitted 40 9000 far" >"$history/called.A.2.1"
	echo '2990 3000 reset A' >>"$history/faults"
}

export PYTHONPATH=$here PYTHONDONTWRITEBYTECODE=1
write_truth
cp -r "$history" "$work/truth"
check "the truth" judge
check "all that there is to be survived" "$here/check.py" -e "$history"

add executed.B.1.1 "$replied 1009 4000"
check "executed twice" notices 1
add executed.B.1.2 "$replied 1009 4000"
check "executed twice, by two processes" notices 1
add executed.B.2.1 "$replied 1900 4000"
check "executed in two boots" notices 6
add executed.B.1.1 "$open 1900 4000"
check "executed twice, with an unknown outcome" notices 1
add executed.B.1.1 "$quiet 1900 4000"
check "a quiet call, executed twice" notices 1
add executed.B.1.1 "$left 1900 4000"
check "executed twice, and nobody waits for it" notices 1
add executed.B.1.1 "$maybe 1900 4000"
check "a maybe call, executed" judge
echo "$maybe 1902 4000" >>"$history/executed.B.1.1"
check "a maybe call, executed twice" notices 1
add executed.B.1.1 "$again 1900 4000"
check "an idempotent call, executed again" judge
lie called.A.1.1 "s/^$again replied.*/$again not-executed 111 0 right 3/"
check "an idempotent call, not executed, but it was" notices 3
add executed.B.2.1 "$((killed + 48)) 2010 40"
check "executed, of a caller that was killed" judge
add executed.B.1.1 "$refused 1900 4000"
check "not executed, but it was" notices 3
add executed.B.2.1 "$refused 1990 4000"
check "not executed, but it was later, in another boot" notices 3
add executed.B.1.1 "$unmade 1990 4000"
check "not made, but executed" notices 3
lie executed.B.1.1 "/^$replied /d"
check "replied to, but not executed" notices 3
lie executed.B.1.1 "/^$oneway /d"
check "delivered, but not executed" notices 8
for fault in kill-server silent-reset; do
	echo "1990 2000 $fault B" >"$history/faults"
	sed 1d "$work/truth/faults" >>"$history/faults"
	check "which may be by a $fault" judge
done
sed -i '1s/B/A/' "$history/faults"
check "but not on the other node" notices 8
sed -i '1s/.*/6990 7000 kill-server B/' "$history/faults"
check "nor at another time" notices 8
sed -i "s/^$oneway submitted 4000/$oneway submitted 2000/" "$history/called.A.1.1"
check "or when it had little time" judge
lie executed.B.1.1 "/^$oneway /d; s/^$open 1003 4000/$open 4900 101/"
check "or the queue was long" judge
lie executed.B.1.1 "/^$oneway /d"
echo '1500 5000' >"$history/still.B.1.server.1"
check "or its service stood still" judge
lie executed.B.1.1 "/^$replied /d"
echo "$replied 1002 4000" >>"$history/executed.A.1.1"
check "executed by another node than was called" notices 5
sed -i "s/^$replied submitted.*/$replied submitted 4000 1000 near/" "$history/called.A.1.1"
check "by that which was called" judge
for ending in 'replied 111' 'not-executed 0' 'not-executed 130' 'unknown 0' 'unknown 11'; do
	lie called.A.1.1 "s/^$replied replied 0/$replied $ending/"
	[[ $ending = not-* ]] && sed -i "/^$replied /d" "$history/executed.B.1.1"
	check "$ending: not its cause" notices 3
done
lie called.A.1.1 "s/^$open unknown 110 0 right 4000/$open delivered 0 0 right 400/"
check "delivered, of a call that waits for a reply" notices 3
lie called.A.1.1 "s/^$oneway delivered 0/$oneway replied 0/"
check "replied, of a one-way call" notices 3
lie called.A.1.1 "s/$replied replied 0 0 right/$replied replied 0 0 wrong/"
check "a wrong reply" notices 5
lie called.A.1.1 "s/$replied replied 0 0/$replied replied 0 7/"
check "a wrong status" notices 5
add called.A.1.1 "$((a + 16 * 777)) replied 0 0 right 3"
check "an outcome of no call" notices 5
add executed.B.1.1 "$((a + 16 * 1001)) 1009 4000"
check "an execution of no call" notices 5
add executed.B.1.1 "$((killed + 64)) 1009 4000"
check "an execution of no call, of a process that was killed" notices 5
reset_follows
check "which may be lost when a machine was reset" judge
echo "$((killed + 64)) 1010 4000" >>"$history/executed.B.1.1"
check "but it still is executed once" notices 1
add called.A.1.1 "$open unknown 110 0 right 4000"
check "two outcomes" notices 3
add called.A.1.1 "$quiet delivered 0 0 right 4"
check "an outcome of a quiet call" notices 3
lie called.A.1.1 "/^$open unknown/d"
check "no outcome" notices 8
lie called.A.1.2 "/^$((killed + 16)) replied/d"
check "no outcome, of a process that was killed" judge
for ((call = 100; call < 200; call++)); do
	echo "$((killed + 16 * call)) submitted 40 2006 far" >>"$history/called.A.1.2"
done
check "no outcome, of more calls than a process has at a time" notices 8
truth
printf '13 repl' >>"$history/called.A.1.2"
printf '12' >>"$history/executed.B.2.1"
check "killed while they wrote" judge
# unknowns CAUSE MS: a hundred calls that end so.
unknowns()
{
	local call number

	truth
	for call in {5001..5100}; do
		number=$((a + 16 * call))
		printf '%s\n' "$number submitted 4000 100000 far" "$number unknown $1 0 right $2"
	done >>"$history/called.A.1.1"
}

unknowns 104 3
check "many calls unknown by a new life, without that" notices 3
sed -i '1s/.*/100001 100002 restart B/' "$history/faults"
check "which there was" judge
unknowns 130 3
check "many calls unknown by a worker's death, without that" notices 3
unknowns 110 4000
check "many calls unknown at their deadlines, while nothing fails" notices 3
sed -i '1a\90000 90001 network both loss 3%' "$history/faults"
check "while something does" judge
sed -i '2a\90100 90101 network both delay 0ms' "$history/faults"
check "until that had ended" notices 3
lie called.A.1.1 "s/^$open unknown 110 0 right 4000/$open unknown 110 0 right 5/"
check "a deadline too early" notices 7
sed -i '1a\1002 1003 partition both 0' "$history/faults"
check "which it is not when the other node is silent" judge
lie called.A.1.1 "s/^$open unknown 110 0 right 4000/$open unknown 110 0 right 2000/"
check "a round trip before the deadline" judge
lie called.A.1.2 "s/replied 0 0 right 5/unknown 110 0 right 2030/"
check "an outcome too late, of a call with little time" notices 7
lie called.A.1.1 "s/^$open unknown 110 0 right 4000/$open unknown 110 0 right 9500/"
check "an outcome too late" notices 7
printf '%s\n' '1500 3500' '2000 8000' >"$history/still.A.1.client.1"
check "which it is not when its process stood still" judge
{ echo '1500 4800'; signs 5000 11000; } >"$history/still.A.1.client.1"
check "but for too short" notices 7
mv "$history/still.A.1.client.1" "$history/still.A.1.client.2"
echo '1500 8000' >"$history/still.A.1.client.2"
check "or another process did" notices 7
rm "$history/still.A.1.client.2"
{ signs 500 1500; signs 8000 9000; } >"$history/still.A.1.client.1"
check "nor when there is no sign of life for as long" judge
signs 500 9000 >"$history/still.A.1.client.1"
check "which is given all the time" notices 7
lie executed.B.1.1 "s/^$open 1003 4000/$open 10100 3000/"
check "executed long after it was sent" notices 7
echo '1500 8100' >"$history/still.B.1.server.1"
check "which may be when the service stood still" judge
echo '1500 3000' >"$history/still.B.1.server.1"
check "but for too short" notices 7
echo '9900 90000' >"$history/still.B.1.server.1"
check "or at another time" notices 7
lie executed.B.1.1 "s/ 1\([0-9]*\) 4000/ 51\1 4000/"
check "a clock that is ahead, without that being known" notices 7
: >"$history/clock.B.1.made"
made=$(stat -c %Z "$history/clock.B.1.made")
echo "$((made + 50)).5 $((made + 50)).6" >"$history/clock.B.1"
sed -i 's/submitted 4000 1000/submitted 4000 51000/' "$history"/called.B.1.[135]
check "a clock that is ahead, which is known" judge
lie executed.B.1.1 "s/^$open 1003 4000/$open 1003 4001/"
check "more time left than the caller gave" notices 7
lie faults 's/^2990 3000 kill-client A/10 20 kill-client A/; /reset A\|kill-client A\|memory A/{/^10 /!s/ A/ B/}'
check "a caller that died by itself" notices 'the test'
for fault in ' reset' pause stop-server failslab silent-reset ' corrupt' damage; do
	lie faults "/$fault/d"
	check "no${fault# } happened" notices 'the test'
done
lie stat.A.1 's/filtered": 3/filtered": 0/'
check "no duplicate was filtered" notices 'the test'
lie wire.counted s/corrupted=3//
check "no frame was damaged" notices 'the test'
lie called.B.1.1 's/^\([0-9]*\) delivered 0/\1 unknown 4/'
check "none of some kinds of calls succeeded" notices 'the test'
lie called.B.1.5 's/ replied 0/ unknown 4/'
check "none of the calls by an event loop on poll succeeded" notices 'the test'
finish
