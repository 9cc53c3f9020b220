#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Test: mode=vm2 kernels=uml timeout=240
#
# All requests of a session are sent again to a server that has rebooted, by a
# machine in the middle, which is guest A: its client is in a namespace.
#
#    guest A: client ---eth0---left--- replay ---link0------link0--- guest B
set -euo pipefail

# shellcheck source=selftests/vm2/lib.sh
. "$(dirname "$0")/lib.sh"

request=6

set_up_wire()
{
	vm2_run A "
		ip netns add client
		ip link add left type veth peer name eth0 netns client
		ip addr flush dev link0
		ip link set link0 promisc on
		ip link set left up
		ip -n client link set lo up
		ip -n client addr add 10.9.0.3/24 dev eth0
		ip -n client link set eth0 up
		ip netns exec client tern up"
}

# wire RULES: begins to pass frames; end_wire: ends it.
wire()
{
	wire=$(vm2_bg A "exec $programs/replay left link0 $*")
	# the first come before it listens
	vm2_run A "timeout 60 sh -c '
		until ip netns exec client ping -c 1 -W 1 10.9.0.2; do :; done'"
}

end_wire()
{
	vm2_run A "pkill -TERM -x replay"
	vm2_wait A "$wire"
}

calls()
{
	vm2_run A "ip netns exec client \
		$programs/caller $* 10.9.0.2/$program /out/out.$EPOCHREALTIME"
}

start
check "client and wire up" set_up_wire
check "server up" up_b
wire save $request /session >/dev/null
check "a session" calls count 300 parallel 4
end_wire >"$vm2_dir/saved"
check "its requests were saved" \
	awk '{ exit $12 < 300 }' "$vm2_dir/saved"
collect
check "every call has its reply" ended 300 replied

check "the server's machine is reset" reset_b
check "server up again" up_b
wire send /session >/dev/null
check "every old request is refused" until_true counted B stales-sent 300
check "none of them was taken" test "$(stat B requests)" = 0
check "a new session" calls first 1001 count 100 parallel 4
end_wire >"$vm2_dir/sent"
# Numbers that the new session has not reached yet are no new calls either.
wire send /session >/dev/null
check "every old request is refused beside a new session" \
	until_true counted B stales-sent 600
end_wire >"$vm2_dir/again"
collect
check "nothing ran twice" verify
check "the new session has its replies" ended 400 replied
check "no kernel reported anything" vm2_stop
finish
