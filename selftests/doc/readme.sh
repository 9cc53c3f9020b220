#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# The commands of README.md, as they stand there, as far as a guest can run
# them: the module loaded by hand, and the examples of the tool.
set -euo pipefail

# shellcheck source=selftests/tool/lib.sh
. "$(dirname "$0")/../tool/lib.sh"
# shellcheck source=selftests/doc/lib.sh
. "$(dirname "$0")/lib.sh"

# The lines that load what "make" of the first line has built.
loads()
{
	local commands

	commands=$(block "Building and installing" "The module alone" |
		grep -v '^make ')
	echo "$commands"
	[ "$(wc -l <<<"$commands")" = 2 ]
	cd "build/$TERN_KERNEL"
	bash -ex <<<"$commands"
	[ -d /sys/module/tern ]
}

# The command that "make vm" runs in a guest, in a namespace that stands for one.
# Its server goes on, with its output in a file, which thus is no pipe.
in_guest()
{
	# shellcheck disable=SC2317 # called by the block
	make()
	{
		local word

		for word; do
			# shellcheck disable=SC2154
			[[ $word != CMD=* ]] ||
				timeout 60 "${guest[@]}" bash -c "${word#CMD=}"
		done
	}
	eval "$(block "The tool" "To try it in a guest")" >"$work/guest" 2>&1
	cat "$work/guest"
}

# run_on HOST LINE: in the namespace that stands for 192.0.2.HOST. A server goes
# on in the background.
run_on()
{
	local run=(ip netns exec "tern-host$1-$$" bash -c "$2")

	echo "192.0.2.$1: $2"
	case $2 in
	*serve*)
		"${run[@]}" >"$work/serve" 2>&1 &
		eventually offered "$1" ;;
	*)
		"${run[@]}"
		echo ;;		# the call's reply is no whole line
	esac
}

offered()
{
	ip netns exec "tern-host$1-$$" tern service show | grep -q program
}

# The comment of a line tells on which host it runs: .1 if nothing else.
on_two_hosts()
{
	local line

	block "The tool" "On two hosts" | while IFS= read -r line; do
		case $line in
		*'# on both'*)
			run_on 1 "$line"
			run_on 7 "$line" ;;
		*'# on .7'*)
			run_on 7 "$line" ;;
		*)
			run_on 1 "$line" ;;
		esac
	done >"$work/said"
	cat "$work/said"
}

said()
{
	cat "$work/said"
	grep -qx -- "$1" "$work/said"
}

rmmod tern_kunit 2>/dev/null || true
rmmod tern
check "the module is loaded by hand" loads
namespace guest
check "the example for a guest" prints HELLO in_guest

namespace host1
namespace host7
ip -n "tern-host1-$$" link add eth0 type veth peer name eth0 netns "tern-host7-$$"
for host in 1 7; do
	ip -n "tern-host$host-$$" addr add "192.0.2.$host/24" dev eth0
	ip -n "tern-host$host-$$" link set eth0 up
done
check "the example with two hosts" on_two_hosts
check "the other kernel answers" said '.*3 calls, 3 answered.*'
check "and the service" said HELLO
check "the peer is shown" said '.*192\.0\.2\.7 .*state up.*'
check "and counters" said 'calls-replied  *4'
finish
