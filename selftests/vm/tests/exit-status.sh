#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Test: mode=vm2 kernels=uml,6.12 timeout=300
#
# What the machine returns, prints and leaves behind.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=SCRIPTDIR/../../ktap.sh
. "$here/../../ktap.sh"
kernel=${TERN_KERNEL:-uml}
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
# to know the guests of this test by their command lines
export TMPDIR=$dir

# vm OPTION...: what the machine did: $status, $output and $errors.
vm()
{
	status=0
	"$here/../vm" -k "$kernel" -n -l "$@" >"$dir/output" 2>"$dir/errors" || status=$?
	output=$(tr -d '\0' <"$dir/output")
}

expect()
{
	local what=$1 wanted=$2 got=$3

	[ "$wanted" = "$got" ] && return
	echo "$what: wanted '$wanted', got '$got'"
	cat "$dir/errors"
	return 1
}

returns()
{
	vm -c "exit $1"
	expect status "$1" "$status"
}

prints()
{
	# shellcheck disable=SC2016 # for the guest
	vm -c 'echo one; echo two >&2; echo three >/dev/stderr; id -u; pwd
	       echo "$TERN_KERNEL"; printf "no newline"'
	expect output "$(printf 'one\ntwo\nthree\n0\n%s\n%s\nno newline' \
		"$(cd "$here/../../.." && pwd)" "$kernel")" "$output"
}

# All bytes, and more than any buffer on the way holds.
prints_all()
{
	head -c 2000000 /dev/urandom >"$dir/random"
	vm -c "cat '$dir/random'"
	expect status 0 "$status" && cmp "$dir/random" "$dir/output"
}

dies_by_signal()
{
	# shellcheck disable=SC2016 # for the guest
	vm -c 'kill -KILL $$'
	expect status 137 "$status"
}

# Processes that the command leaves behind do not hold up the end.
ends_with_leftovers()
{
	vm -t 100 -c 'sleep 1000 & (trap "" TERM HUP; while :; do sleep 1; done) & echo done'
	expect status 0 "$status" && expect output "done" "$output"
}

writes_out_only()
{
	mkdir "$dir/out"
	vm -o "$dir/out" -c "echo kept >/out/file; rm -r '$dir/random'; touch '$dir/new'"
	expect status 0 "$status" && expect "the file" kept "$(cat "$dir/out/file")" &&
		expect "written files" "" "$(ls -d "$dir/new" 2>/dev/null)" &&
		[ -e "$dir/random" ] && grep -q 'Linux version' "$dir/out/console.log"
}

times_out()
{
	vm -t 2 -c 'echo begun; sleep 1000'
	expect status 124 "$status" && expect output begun "$output"
}

# plant BUG STATUS TEXT: the report is shown, although the command succeeds.
plant()
{
	vm -t "${4:-60}" -c "insmod '$modules/planted.ko' bug=$1; exit 0"
	expect status "$2" "$status" && grep -q "$3" "$dir/errors"
}

# module STATUS TEXT COMMAND: in a project whose module is a stub.
module()
{
	local repo=$dir/repo

	mkdir -p "$repo/build/$kernel" "$repo/selftests"
	cp -r "$here/.." "$repo/selftests/vm"
	cp "$modules/tern.ko" "$repo/build/$kernel/"
	status=0
	"$repo/selftests/vm/vm" -k "$kernel" -c "$3" \
		>"$dir/output" 2>"$dir/errors" || status=$?
	expect status "$1" "$status" && grep -q "$2" "$dir/output" "$dir/errors"
}

no_module()
{
	local repo=$dir/empty

	mkdir -p "$repo/selftests"
	cp -r "$here/.." "$repo/selftests/vm"
	status=0
	"$repo/selftests/vm/vm" -k "$kernel" -c true 2>"$dir/errors" || status=$?
	expect status 126 "$status" && grep -q 'tern.ko cannot be loaded' "$dir/errors"
}

does_not_boot()
{
	vm -m 20 -c true
	expect status 126 "$status" && grep -q 'TRYING ONCE MORE' "$dir/errors"
}

# Ended by a signal, the machine takes the guest with it.
leaves_nothing()
{
	"$here/../vm" -k "$kernel" -n -l -c 'echo up; sleep 1000' >"$dir/output" &
	local pid=$!

	until grep -q up "$dir/output"; do
		kill -0 "$pid"
		read -rt 0.1 <> <(:) || :
	done
	kill -TERM "$pid"
	wait "$pid" || status=$?
	expect status 143 "$status" && expect processes '' "$(pgrep -af "$dir/tern-vm")"
}

two_at_once()
{
	local first second status=0

	"$here/../vm" -k "$kernel" -n -l -c 'echo a; exit 3' >"$dir/a" &
	first=$!
	"$here/../vm" -k "$kernel" -n -l -c 'echo b; exit 4' >"$dir/b" &
	second=$!
	wait "$first" || status=$?
	expect status 3 "$status" || return
	wait "$second" || status=$?
	expect status 4 "$status" && expect output ab "$(cat "$dir/a" "$dir/b" | tr -d '\n')"
}

no_terminal()
{
	vm </dev/null
	expect status 2 "$status" && grep -q 'needs a terminal' "$dir/errors"
}

modules=$("$here/planted/build" "$kernel")
check "exit status 255" returns 255
check "much output" prints_all
check "processes left running" ends_with_leftovers
check "a time-out" times_out
check "a warning" plant warn 125 'WARNING: CPU:'
check "a panic" plant panic 125 'Kernel panic'
check "the module" module 9 '^tern ' 'lsmod; exit 9'
check "ended by a signal" leaves_nothing
check "a shell without a terminal" no_terminal
# what follows depends on scripts that all kernels share
if [ "$kernel" = uml ]; then
	for status in 0 1 124; do
		check "exit status $status" returns "$status"
	done
	check "death by a signal" dies_by_signal
	check "output" prints
	check "what is written" writes_out_only
	check "a hang" plant hang 124 'ended after 5 s' 5
	check "a module that stays" module 125 'tern cannot be unloaded' \
		"rmmod tern; insmod '$modules/tern.ko' bug=stay"
	check "no module" no_module
	check "no boot" does_not_boot
	check "two at once" two_at_once
fi
finish
