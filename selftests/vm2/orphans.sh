#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Test: mode=vm2 kernels=uml timeout=400
#
# Calls whose client's node is gone while they execute, under each policy: the
# client's machine is reset, or the network between both is cut.
set -euo pipefail

# shellcheck source=selftests/vm2/lib.sh
. "$(dirname "$0")/lib.sh"

policies=(expire reincarnate gentle exterminate)
grace=2000
declare -A workers

# A worker for each policy: services 5001 to 5004. Not in a check, whose subshell
# would know the workers alone.
start_workers()
{
	local i

	for i in "${!policies[@]}"; do
		workers[${policies[i]}]=$(vm2_bg B \
			"exec $programs/worker $((program + 1 + i)) $i")
	done
}

up_workers()
{
	vm2_run B "until tern -j service show | jq -e length==4; do
			sleep 0.05; done >/dev/null
		tern up allow 10.9.0.0/24 allow fd09::/64 grace ${grace}ms $*"
}

# call_each FIRST TIMEOUT: of each policy's worker a call that never ends by
# itself, with the numbers from FIRST on; waits until they execute.
call_each()
{
	local first=$1 timeout=$2 i

	for i in "${!policies[@]}"; do
		vm2_bg A "$programs/caller first $((first + i)) delay 1000000 \
			timeout $timeout 10.9.0.2/$((program + 1 + i)) \
			/out/out.$EPOCHREALTIME" >/dev/null
		check "${policies[i]}: a call executes" \
			says "${policies[i]}" "begin $((first + i))"
	done
}

# said POLICY TEXT: the worker has printed it.
said()
{
	grep -F -- " $2" "$vm2_dir/B/share/${workers[$1]}.out"
}

says()
{
	vm2_expect B "${workers[$1]}" " $2"
}

# silent POLICY ID: nothing was said of the call since it began.
silent()
{
	cat "$vm2_dir/B/share/${workers[$1]}.out"
	! said "$1" "event $2 " && ! said "$1" "gone $2"
}

# runs_on POLICY ID SECONDS: nothing is said of the call for so long.
runs_on()
{
	local end=$((SECONDS + $3))

	while ((SECONDS < end)); do
		silent "$1" "$2" || return
		nap 0.2
	done
}

# The event tells of the end, which comes no earlier than the grace time.
told_before_gone()
{
	local out="$vm2_dir/B/share/${workers[$1]}.out"

	cat "$out"
	awk -v id="$2" -v cause="$3" -v grace="$grace" '
		$2 == "event" && $3 == id { n++; told = $1; why = $4; left = $5 }
		$2 == "gone" && $3 == id && n == 1 { gone = $1; g++ }
		$2 == "begin" && $3 == id { begun++ }
		END { exit !(n == 1 && g == 1 && begun == 1 && why == cause &&
			     left <= grace + 50 &&
			     gone - told >= left - 50) }' "$out"
}

# given_up POLICY ID CAUSE: told, and given up after that.
given_up()
{
	says "$1" "event $2 $3 " && says "$1" "gone $2" &&
		told_before_gone "$1" "$2" "$3"
}

# Words of the client's node to that of the server: exterminate.
exterminate()
{
	vm2_run A "$programs/caller procedure 1 10.9.0.2/0.0 \
		/out/exterminated && cat /out/exterminated &&
		grep -q '^1 replied' /out/exterminated"
}

ETIMEDOUT=110 ECONNRESET=104 ECANCELED=125

# withdraw_each FIRST: calls that their workers have been told of, with the time
# that is left then, and that execute on.
withdraw_each()
{
	local first=$1 i

	for i in "${!policies[@]}"; do
		vm2_bg A "$programs/caller first $((first + i)) delay 1000000 \
			timeout 90000 async 1 10.9.0.2/$((program + 1 + i)) \
			/out/out.$EPOCHREALTIME" >/dev/null
		check "${policies[i]}: another call executes" \
			says "${policies[i]}" "begin $((first + i))"
	done
	vm2_run A "pkill -USR1 -x caller"
	for i in "${!policies[@]}"; do
		check "${policies[i]}: it is withdrawn" \
			says "${policies[i]}" "event $((first + i)) $ECANCELED "
	done
}

# told_again POLICY ID: another event says that the end comes sooner.
told_again()
{
	says "$1" "event $2 $ECONNRESET " && says "$1" "gone $2" &&
		awk -v id="$2" -v grace="$grace" '
			{ print }
			$2 == "event" && $3 == id { n++; told = $1; left = $5 }
			$2 == "gone" && $3 == id { gone = $1 }
			END { exit !(n == 2 && left <= grace + 50 &&
				     gone - told >= left - 50) }' \
			"$vm2_dir/B/share/${workers[$1]}.out"
}

start
# it lets nobody call it, and need not
check "client up" vm2_run A "tern up"
start_workers
check "workers up" up_workers

# ended_since COUNT: the server has ended more associations than these.
ended_since()
{
	counted B associations-ended $(($1 + 1))
}

# The client's machine is reset, and comes up within the lease.
call_each 1 90000
withdraw_each 31
check "the client's machine is reset" vm2_reboot A
for i in "${!policies[@]}"; do
	check "${policies[i]}: nobody knows of it yet" \
		silent "${policies[i]}" $((1 + i))
done
check "client up again" vm2_run A "tern up"
check "and calls" vm2_run A "tern ping 10.9.0.2 count 1"
check "the server knows of the reboot" until_true counted B peer-reboots
check "reincarnate: the new epoch ends the call" \
	given_up reincarnate 2 $ECONNRESET
check "gentle: the owner is asked" until_true counted B owners-asked
check "gentle: who does not know the call ends it" \
	given_up gentle 3 $ECONNRESET
check "expire: the call runs on" runs_on expire 1 3
check "exterminate: the call runs on until it is named" silent exterminate 4
check "the client's node names its calls" exterminate
check "exterminate: that ends them" given_up exterminate 4 $ECONNRESET
check "expire: the call runs on even then" silent expire 1
for i in 1 2 3; do
	check "${policies[i]}: the end of a call that was withdrawn is told again" \
		told_again "${policies[i]}" $((31 + i))
done

# It comes up when the server has forgotten it already.
check "a short lease" vm2_run B "tern up lease 5s"
call_each 11 90000
ends=$(stat B associations-ended)
vm2_kill A
check "the server forgets the client" until_true ended_since "$ends"
for i in "${!policies[@]}"; do
	check "${policies[i]}: the call runs on" \
		silent "${policies[i]}" $((11 + i))
done
check "the client's machine boots" vm2_boot A
check "client up once more" up_a lease 5s
check "and calls again" vm2_run A "tern ping 10.9.0.2 count 1"
check "reincarnate: the new epoch ends what was forgotten" \
	given_up reincarnate 12 $ECONNRESET
check "gentle: so it does, since nobody knows the call" \
	given_up gentle 13 $ECONNRESET
check "exterminate: it does not" runs_on exterminate 14 3
check "the client's node names its calls again" exterminate
check "exterminate: now it does" given_up exterminate 14 $ECONNRESET
check "expire: the forgotten call runs on" silent expire 11

# The network is cut instead, for longer than the lease, and heals.
call_each 21 30000
ends=$(stat B associations-ended)
vm2_link down
check "the server forgets the client that it cannot hear" \
	until_true ended_since "$ends"
vm2_link up
check "the network heals" vm2_run A "tern ping 10.9.0.2 count 1"
for i in "${!policies[@]}"; do
	check "${policies[i]}: the call runs on" \
		runs_on "${policies[i]}" $((21 + i)) 1
done
for i in "${!policies[@]}"; do
	check "${policies[i]}: until its deadline" \
		given_up "${policies[i]}" $((21 + i)) $ETIMEDOUT
done
check "expire: the first call ends at its deadline too" \
	given_up expire 1 $ETIMEDOUT

check "no kernel reported anything" vm2_stop
finish
