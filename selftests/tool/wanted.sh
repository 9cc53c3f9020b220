#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Test: quick=no timeout=180
#
# tern call, serve and peer exterminate: kinds of calls, more time, and what
# happens to a command whose reply nobody wants any more.
set -euo pipefail

# shellcheck source=selftests/tool/lib.sh
. "$(dirname "$0")/lib.sh"

namespace client
namespace server
link client server
# shellcheck disable=SC2154
a=("${client[@]}" tern) b=("${server[@]}" tern)
far=10.8.0.2
"${a[@]}" up allow 10.8.0.0/24
"${b[@]}" up allow 10.8.0.0/24 grace 500ms

# A command that says when it begins, and when it is asked to end.
# shellcheck disable=SC2016 # the command's own variables
tidy='trap "echo told >told.$TERN_PROCEDURE; exit 3" TERM
	echo begun >begun.$TERN_PROCEDURE; sleep 1000 & wait'
# One that must be killed.
# shellcheck disable=SC2016
stubborn='trap "" TERM; echo $$ >stubborn.$TERN_PROCEDURE; sleep 1000'

begun()
{
	[ -e "$work/begun.$1" ]
}

told()
{
	[ -e "$work/told.$1" ]
}

not_told()
{
	! told "$1"
}

# is_dead PROCEDURE: the stubborn command ran, and does not any more.
is_dead()
{
	[ -s "$work/stubborn.$1" ] &&
		! kill -0 "$(<"$work/stubborn.$1")" 2>/dev/null
}

# call_in_background PROGRAM PROCEDURE: its number is in the variable call.
call_in_background()
{
	"${a[@]}" call "$far/$1" "$2" timeout 100s >/dev/null 2>&1 &
	call=$!
}

start "tr" 5000 --exec 'tr a-z A-Z'
check "a call of the kind maybe" prints HELLO \
	"${a[@]}" call "$far/5000" 1 hello maybe
stop "tr"

start "quiet calls" 5001 --exec "cat >$work/quiet"
check "a quiet call" prints "" "${a[@]}" call "$far/5001" 1 sent oneway quiet
check "it is executed" eventually grep -q sent "$work/quiet"
check "nothing is told of a quiet call that fails" \
	prints "" "${a[@]}" call "$far/5999" 1 sent oneway quiet
stop "quiet calls"

"${server[@]}" build/selftests/tool/asker 5002 3600000 &
check "a service asks for more time" eventually is_bound 5002
check "it gets what the call allows" matches '^6[45][0-9]{3}$' \
	"${a[@]}" call "$far/5002" 1 timeout 5s extend 1min
check "without that it gets none" matches '^([0-4][0-9]{0,3}|5000)$' \
	"${a[@]}" call "$far/5002" 1 timeout 5s

cd "$work"
start "what is not wanted" 5003 --exec "$tidy" workers 2
call_in_background 5003 1
first=$call
check "a call executes" eventually begun 1
call_in_background 5003 2
second=$call
check "another one executes" eventually begun 2
kill "$first"
check "the command of a caller who dies is told" eventually told 1
check "the other command is not" not_told 2
check "the other call is outstanding" kill -0 "$second"
kill "$second" || true
check "now it is" eventually told 2
check "a call reaches its deadline" \
	exits '4|5' "${a[@]}" call "$far/5003" 3 timeout 3s
check "its command had begun" begun 3
check "its command is told" eventually told 3
stop "what is not wanted"

start "commands that do not listen" 5004 --exec "$stubborn" workers 2
check "the caller learns it after the deadline" \
	exits '4|5' "${a[@]}" call "$far/5004" 1 timeout 500ms
check "the command is killed" eventually is_dead 1
check "a one-way call" "${a[@]}" call "$far/5004" 2 oneway timeout 500ms
check "its command is killed, too" eventually is_dead 2
stop "commands that do not listen"

executing()
{
	"${server[@]}" tern -j service show |
		jq -e "any(.program == $1 and .executing == $2)"
}

# orphan NUMBER POLICY: service 50NUMBER executes procedure NUMBER.
orphan()
{
	start "orphans $2" "50$1" --exec "$tidy" orphans "$2"
	servers+=("$pid")
	call_in_background "50$1" "$1"
	calls+=("$call")
	check "$2: the call executes" eventually begun "$1"
}

# The client's node has crashed: nobody was told.
crash()
{
	kill -KILL "${calls[@]}"
	wait "${calls[@]}" 2>/dev/null || true
	calls=()
	"${a[@]}" down
	"${a[@]}" up
	# what waits for an answer to ARP would get through after all
	"${client[@]}" ip neigh flush dev eth0
	"${client[@]}" tc qdisc del dev eth0 root
	check "the client is back" eventually \
		"${a[@]}" ping "$far" count 1 timeout 300ms
}

# ends_by NUMBER POLICY: the call of orphan() is given up.
ends_by()
{
	check "$2: the command is told" eventually told "$1"
	check "$2: the call is over" eventually executing "50$1" 0
}

goes_on()
{
	check "$2: the command is not told" not_told "$1"
	check "$2: the call executes on" executing "50$1" 1
}

# Of two calls through a link that is cut, the one of the kind maybe is not.
sent_again()
{
	"${a[@]}" -j call show | jq -e '
		any(.procedure == 20 and .retransmissions > 2) and
		any(.procedure == 21) and
		all(.procedure != 21 or .retransmissions == 0)'
}

cut=("${client[@]}" tc qdisc add dev eth0 root netem loss 100%)
servers=() calls=()
orphan 10 expire
orphan 11 reincarnate
orphan 12 exterminate
"${cut[@]}"
for kind in "20" "21 maybe"; do
	# shellcheck disable=SC2086
	"${a[@]}" call "$far/5010" $kind timeout 100s >/dev/null 2>&1 &
	calls+=("$!")
done
check "a call of the kind maybe is not sent again" eventually sent_again
crash
ends_by 11 reincarnate
goes_on 10 expire
goes_on 12 exterminate
check "exterminate" "${a[@]}" peer exterminate "$far"
ends_by 12 exterminate
goes_on 10 expire
check "exterminate at a node that is not there" \
	exits 3 "${a[@]}" peer exterminate 10.8.0.77

orphan 13 gentle
"${cut[@]}"
crash
ends_by 13 gentle
goes_on 10 expire
kill -KILL "${servers[@]}"
finish
