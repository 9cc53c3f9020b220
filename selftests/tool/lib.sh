# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# Sourced by the tests of the tool "tern".

# shellcheck source=selftests/ktap.sh
. "$(dirname "${BASH_SOURCE[0]}")/../ktap.sh"

work=$(mktemp -d)
namespaces=()

cleanup()
{
	local namespace pids

	for namespace in "${namespaces[@]}"; do
		mapfile -t pids < <(ip netns pids "$namespace")
		[ "${#pids[@]}" = 0 ] || kill -KILL "${pids[@]}" 2>/dev/null || true
		ip netns del "$namespace"
	done
	wait
	rm -rf "$work"
}
trap cleanup EXIT

# namespace NAME: makes one that goes at the end, and sets the variable NAME to
# the words that run a command in it.
namespace()
{
	local full="tern-$1-$$"

	ip netns add "$full"
	namespaces+=("$full")
	declare -ga "$1=($PWD/build/selftests/tool/netns $full)"
	ip -n "$full" link set lo up
}

# link A B: a veth link, 10.8.0.1 and fd08::1 in A, 10.8.0.2 and fd08::2 in B.
link()
{
	local a="tern-$1-$$" b="tern-$2-$$"

	ip -n "$a" link add eth0 type veth peer name eth0 netns "$b"
	ip -n "$a" addr add 10.8.0.1/24 dev eth0
	ip -n "$b" addr add 10.8.0.2/24 dev eth0
	ip -n "$a" addr add fd08::1/64 dev eth0 nodad
	ip -n "$b" addr add fd08::2/64 dev eth0 nodad
	ip -n "$a" link set eth0 up
	ip -n "$b" link set eth0 up
}

# refused STATUS TEXT COMMAND...: it ends with this status, and one line on
# standard error that contains the text.
refused()
{
	local want=$1 text=$2 status=0
	shift 2

	"$@" >"$work/out" 2>"$work/err" </dev/null || status=$?
	cat "$work/err"
	[ "$status" = "$want" ] || { echo "exit status $status"; return 1; }
	[ "$(wc -l <"$work/err")" = 1 ] || return 1
	grep -qF -- "$text" "$work/err"
}

# shows JQ COMMAND...: the JSON that it prints fits the expression.
shows()
{
	local expression=$1
	shift

	"$@" >"$work/json" || return
	cat "$work/json"
	jq -e "$expression" "$work/json" >/dev/null
}

# prints TEXT COMMAND...: it prints exactly this.
prints()
{
	local want=$1 got
	shift

	got=$("$@") || return
	echo "$got"
	[ "$got" = "$want" ]
}

# matches REGEX COMMAND...: a line that it prints matches.
matches()
{
	local regex=$1 got
	shift

	got=$("$@") || return
	echo "$got"
	grep -qE -- "$regex" <<<"$got"
}

# exits STATUS COMMAND...: it ends with this status, or one of "4|5".
exits()
{
	local want=$1 status=0
	shift

	"$@" || status=$?
	[[ $status =~ ^($want)$ ]] || { echo "exit status $status"; return 1; }
}

# say WORD: to the command that reads the fifo "go", if it does.
say()
{
	# shellcheck disable=SC2016 # the words of the inner shell
	timeout 20 sh -c 'echo "$1" >"$2"' - "$1" "$work/go" || true
}

# Where a command takes seconds, what is waited for takes longer too, and who
# looks too often takes the processor from it. Of what is done by the hundred only
# a part is done there, the number in the variable part telling which.
# shellcheck disable=SC2034 # part is for who sources this
case ${TERN_KERNEL-} in
debug)	patience=60 pace=0.2 part=4 ;;
6.*)	patience=20 pace=0.05 part=1 ;;
*)	patience=20 pace=0.02 part=1 ;;
esac

# eventually COMMAND...: it succeeds within the seconds in the variable patience;
# looks each time that as many seconds as in the variable pace are over.
exec {nap}<> <(:)
eventually()
{
	local end=$((SECONDS + patience))

	until "$@" >"$work/eventually" 2>&1; do
		((SECONDS < end)) || { cat "$work/eventually"; return 1; }
		# no process for it
		read -rt "$pace" -u "$nap" || :
	done
}

# What follows is for a namespace "server".
# shellcheck disable=SC2154

is_bound()
{
	"${server[@]}" tern -j service show | jq -e "any(.program == $1)"
}

is_unbound()
{
	! is_bound "$1"
}

# start NAME PROGRAM WORDS...: runs "tern serve"; its number is in the variable
# pid.
start()
{
	local name=$1
	shift

	"${server[@]}" tern serve "$@" >"$work/serve" 2>&1 </dev/null &
	pid=$!
	check "serve $name" eventually is_bound "${1%.*}"
}

# ended NAME PID: it ends by itself and with status 0.
ended()
{
	local status=0

	wait "$2" || status=$?
	check "$1" test "$status" = 0
}

# stop NAME [SIGNAL]: ends the server.
stop()
{
	kill "-${2:-TERM}" "$pid"
	ended "end the server of $1" "$pid"
}

# ends STATUS TEXT COMMAND...: like refused, with output on standard output.
ends()
{
	local want=$1 text=$2 status=0
	shift 2

	"$@" >"$work/out" 2>"$work/err" || status=$?
	cat "$work/err"
	[ "$status" = "$want" ] || { echo "exit status $status"; return 1; }
	grep -qF -- "$text" "$work/err"
}

# A service executes one call.
executes()
{
	"${server[@]}" tern -j service show | jq -e 'any(.executing == 1)'
}
