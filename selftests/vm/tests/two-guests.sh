#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Test: mode=vm2 kernels=uml,6.12 timeout=300
#
# Two guests on a link: what happens to one does not happen to the other.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=SCRIPTDIR/../../ktap.sh
. "$here/../../ktap.sh"

# a project whose module is a stub, since this test is of the machine
top=$(mktemp -d)
modules=$("$here/planted/build" "${TERN_KERNEL:-uml}")
mkdir -p "$top/build/${TERN_KERNEL:-uml}" "$top/selftests"
cp "$modules/tern.ko" "$top/build/${TERN_KERNEL:-uml}/"
cp -r "$here/.." "$top/selftests/vm"
# shellcheck source=SCRIPTDIR/../vm2.sh
. "$top/selftests/vm/vm2.sh"

# STATUS COMMAND...
fails_with()
{
	local wanted=$1 status=0
	shift

	"$@" || status=$?
	[ "$status" = "$wanted" ] || { echo "exit status $status"; return 1; }
}

# pings GUEST ADDRESS TEXT: ten pings end with this summary.
pings()
{
	local output

	# which fails when there is no answer
	output=$(vm2_run "$1" "ping -i 0.05 -W 4 -c 10 $2" || :)
	grep -E "$3" <<<"$output" || { echo "$output"; return 1; }
}

# received COUNT GUEST ADDRESS: of ten pings, this many are answered.
received()
{
	pings "$2" "$3" " $1 received"
}

# From here on the link carries nothing but the pings.
quiet()
{
	local guest

	vm2_run A 'ip neigh replace 10.9.0.2 lladdr 02:00:00:09:00:02 dev link0 nud permanent'
	vm2_run B 'ip neigh replace 10.9.0.1 lladdr 02:00:00:09:00:01 dev link0 nud permanent'
	for guest in A B; do
		vm2_run "$guest" 'echo 1 >/proc/sys/net/ipv6/conf/link0/disable_ipv6'
	done
}

prints()
{
	[ "$(vm2_run B 'hostname; echo error >&2')" = $'B\nerror' ]
}

# A job that counts up; its last line is how far it has come.
count()
{
	tail -n 1 "$vm2_dir/B/share/$job.out"
}

# The paused guest does not count, and goes on where it was.
pauses()
{
	local before

	vm2_pause B
	before=$(count)
	received 0 A 10.9.0.2 || return
	[ "$(count)" = "$before" ] || return
	vm2_resume B
	vm2_expect B "$job" "$((before + 3))" && received 10 A 10.9.0.2
}

boot_id()
{
	vm2_run "$1" 'cat /proc/sys/kernel/random/boot_id'
}

reboots()
{
	local a b

	a=$(boot_id A)
	b=$(boot_id B)
	vm2_reboot B || return
	[ "$(boot_id A)" = "$a" ] && [ "$(boot_id B)" != "$b" ] &&
		vm2_run B 'grep "^tern " /proc/modules' && received 10 A 10.9.0.2
}

slow()
{
	vm2_link delay 400
	# a busy machine adds hundreds of milliseconds
	pings A 10.9.0.2 'rtt min/avg/max/mdev = ([89][0-9]{2}|1[0-9]{3})\.'
}

# Every second request is dropped; of the answers none.
drops()
{
	vm2_link A drop 2 && received 5 A 10.9.0.2
}

duplicates()
{
	vm2_link B dup 1 5
	pings A 10.9.0.2 '\+(9|10) duplicates'
}

if ! vm2_start; then
	check "start" false
	finish
fi
trap 'vm2_cleanup; rm -rf "$top"' EXIT
check "IPv4" received 10 A 10.9.0.2
check "IPv6" received 10 B fd09::1
check "output" prints
check "exit status" fails_with 7 vm2_run A 'exit 7'
check "module" vm2_run A 'grep "^tern " /proc/modules'

quiet
check "link down" vm2_link down
check "nothing passes" received 0 A 10.9.0.2
check "link up" vm2_link up
check "all passes" received 10 A 10.9.0.2
check "drop" drops
vm2_link clear
check "duplicates" duplicates
vm2_link clear
check "delay" slow
vm2_link clear
check "unknown command" fails_with 1 vm2_link fold

# shellcheck disable=SC2016 # for the guest
job=$(vm2_bg B 'while :; do echo $((i++)); sleep 0.1; done')
check "a job in the background" vm2_expect B "$job" 3
check "pause and resume" pauses
vm2_timeout=1
check "give up waiting" fails_with 124 vm2_expect B "$job" 'never printed'
vm2_timeout=60

vm2_kill B
check "a guest that is down" fails_with 125 vm2_run B true
check "no answer from it" received 0 A 10.9.0.2
check "boot it again" vm2_boot B
check "answers again" received 10 A 10.9.0.2
check "reboot" reboots

check "no report so far" [ ! -e "$vm2_dir/reports" ]
vm2_run B "insmod '$modules/planted.ko' bug=warn" || :
check "a report makes the end fail" fails_with 1 vm2_stop
finish
