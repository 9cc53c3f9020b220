# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0
#
# Two guests, A and B, with a link between them; sourced by tests.
#
#   vm2_start                boot both (kernel: $TERN_KERNEL, or uml)
#   vm2_stop                 end both; fails if a kernel reported something
#
#   vm2_run A CMD            run CMD in A: prints its output, returns its status
#   vm2_bg A CMD             start CMD in A, print the name of the job
#   vm2_expect A JOB TEXT    wait until the job has printed TEXT
#   vm2_wait A JOB           wait for the job: prints and returns as vm2_run
#
#   vm2_kill A               pull the plug
#   vm2_boot A               boot it again, with the module loaded again
#   vm2_reboot A             both
#   vm2_pause A, vm2_resume A
#                            stop and continue the whole machine
#   vm2_link COMMAND...      change the link: the commands of wire.c, as in
#                            "vm2_link B drop 5" or "vm2_link down"
#
# A has 10.9.0.1 and fd09::1 on its device link0, B 10.9.0.2 and fd09::2. All
# that waits gives up after $vm2_timeout seconds with status 124; what needs a
# guest that is down returns 125. $vm2_dir/A/console.log has A's kernel
# messages, and $vm2_dir/A/share/out is its /out. The guest_* settings of
# boot.sh may be changed before vm2_start, which takes the shell's EXIT trap: one
# that replaces it has to call vm2_cleanup. The other functions may be called in
# subshells.

# shellcheck source=SCRIPTDIR/boot.sh
. "$(dirname "${BASH_SOURCE[0]}")/boot.sh"

guest_kernel=${TERN_KERNEL:-uml} guest_mode=agent
vm2_timeout=60 vm2_dir=''

vm2_error()
{
	echo "vm2: $*" >&2
}

vm2_is_up()
{
	[ -e "$vm2_dir/$1/pid" ] && kill -0 "$(<"$vm2_dir/$1/pid")" 2>/dev/null
}

# Starts a guest; whether it boots is seen by vm2_ready.
vm2_power()
{
	local guest=$1 dir=$vm2_dir/$1 address=1 bus=pci
	local -a arguments

	[ "$guest" = A ] || address=2
	if [ "$guest_kernel" = uml ]; then
		guest_wrapper=("$vm2_wire" attach 9 "$vm2_dir" "$guest")
		arguments=("vec0:transport=fd,fd=9,mac=02:00:00:09:00:0$address")
	else
		[ "$guest_kernel" != debug ] || bus=device
		arguments=(-netdev "dgram,id=link,local.type=unix,local.path=$vm2_dir/guest-$guest,remote.type=unix,remote.path=$vm2_dir/wire-$guest"
			   -device "virtio-net-$bus,netdev=link,mac=02:00:00:09:00:0$address")
	fi
	rm -f "$dir/requests" "$vm2_dir/guest-$guest"
	mkfifo "$dir/requests"
	guest_start "$dir" "$guest" "$address" "${arguments[@]}" \
		<>"$dir/requests" >/dev/null
	echo "$guest_pid" >"$dir/pid"
}

vm2_ready()
{
	local guest=$1 dir=$vm2_dir/$1

	if ! guest_wait_boot "$dir" "$(<"$dir/pid")"; then
		vm2_error "GUEST $guest ($guest_kernel) DID NOT BOOT, TRYING ONCE MORE"
		guest_show_console "$dir" 15
		guest_stop "$(<"$dir/pid")"
		vm2_power "$guest"
		if ! guest_wait_boot "$dir" "$(<"$dir/pid")"; then
			vm2_error "guest $guest ($guest_kernel) did not boot"
			guest_show_console "$dir"
			vm2_kill "$guest"
			return 126
		fi
	fi
	# made before "booted" when the module cannot be loaded
	if [ -e "$dir/share/unloadable" ]; then
		vm2_error "guest $guest cannot load the module"
		vm2_kill "$guest"
		return 126
	fi
}

vm2_boot()
{
	vm2_power "$1"
	vm2_ready "$1"
}

# Ends a guest at once and keeps what its kernel said.
vm2_kill()
{
	local dir=$vm2_dir/$1 pid

	[ -e "$dir/pid" ] || return 0
	pid=$(<"$dir/pid")
	guest_stop "$pid"
	rm "$dir/pid"
	if guest_report "$dir"; then
		vm2_error "in guest $1"
		echo "$1" >>"$vm2_dir/reports"
	fi
	cat "$dir/console.log" >>"$dir/console-all.log"
}

vm2_cleanup()
{
	local guest

	for guest in A B; do
		[ ! -e "$vm2_dir/$guest/pid" ] || guest_stop "$(<"$vm2_dir/$guest/pid")"
		[ -z "$guest_out" ] || [ ! -e "$vm2_dir/$guest/console.log" ] ||
			cat "$vm2_dir/$guest"/console{-all,}.log \
				>"$guest_out/$guest.console.log" 2>/dev/null || :
	done
	[ -z "${vm2_wire_pid:-}" ] || kill "$vm2_wire_pid" 2>/dev/null || :
	rm -rf "$vm2_dir"
}

vm2_start()
{
	vm2_wire=$repo/build/vm/wire
	if [ ! "$vm2_wire" -nt "$here/wire.c" ]; then
		mkdir -p "$repo/build/vm"
		gcc -std=gnu11 -O2 -Wall -Wextra -o "$vm2_wire.$$" "$here/wire.c"
		mv "$vm2_wire.$$" "$vm2_wire"
	fi
	guest_prepare
	vm2_dir=$(mktemp -d "${TMPDIR:-/tmp}/tern-vm2.XXXXXX")
	trap vm2_cleanup EXIT
	trap 'exit 143' TERM
	trap 'exit 130' INT
	trap 'exit 129' HUP
	mkdir "$vm2_dir/A" "$vm2_dir/B"
	mkfifo "$vm2_dir/commands" "$vm2_dir/answers"
	exec {vm2_commands}<>"$vm2_dir/commands" {vm2_answers}<>"$vm2_dir/answers"
	"$vm2_wire" "$vm2_dir" <&"$vm2_commands" >&"$vm2_answers" &
	vm2_wire_pid=$!
	disown "$vm2_wire_pid"
	read -r -t 10 -u "$vm2_answers" || return 1
	vm2_power A
	vm2_power B
	vm2_ready A && vm2_ready B
}

vm2_link()
{
	local answer

	echo "$*" >&"$vm2_commands"
	read -r -t 10 -u "$vm2_answers" answer || return 1
	[ "$answer" = ok ] || echo "$answer"
	[[ $answer != error* ]]
}

# vm2_until SECONDS GUEST COMMAND...: wait until the command succeeds.
vm2_until()
{
	local deadline=$((SECONDS + $1)) guest=$2
	shift 2

	until "$@"; do
		if ! vm2_is_up "$guest"; then
			# it may have succeeded just before
			"$@" && return
			vm2_error "guest $guest is down"
			return 125
		fi
		if ((SECONDS >= deadline)); then
			vm2_error "no end in guest $guest: $*"
			return 124
		fi
		nap 0.02
	done
}

vm2_bg()
{
	local guest=$1 job=${EPOCHREALTIME/[.,]/}-$BASHPID

	if ! vm2_is_up "$guest"; then
		vm2_error "guest $guest is down"
		return 125
	fi
	echo "$2" >"$vm2_dir/$guest/share/$job.cmd"
	echo "$job" >"$vm2_dir/$guest/requests"
	echo "$job"
}

vm2_wait()
{
	local guest=$1 job=$2 share=$vm2_dir/$1/share status=0

	vm2_until "$vm2_timeout" "$guest" test -e "$share/$job.status" || status=$?
	[ ! -e "$share/$job.out" ] || cat "$share/$job.out"
	[ "$status" = 0 ] || return "$status"
	return "$(<"$share/$job.status")"
}

vm2_expect()
{
	local guest=$1 job=$2 text=$3

	vm2_until "$vm2_timeout" "$guest" \
		grep -qsF -- "$text" "$vm2_dir/$guest/share/$job.out"
}

vm2_run()
{
	local job

	job=$(vm2_bg "$@") || return
	vm2_wait "$1" "$job"
}

vm2_reboot()
{
	vm2_kill "$1"
	vm2_boot "$1"
}

# Only the machine's own process: the processes of UML's user space are traced
# by it, and a signal to one of them would be an event in the guest.
vm2_pause()
{
	kill -STOP "$(<"$vm2_dir/$1/pid")"
}

vm2_resume()
{
	kill -CONT "$(<"$vm2_dir/$1/pid")"
}

vm2_stop()
{
	local guest pid

	for guest in A B; do
		! vm2_is_up "$guest" || echo stop >"$vm2_dir/$guest/requests"
	done
	for guest in A B; do
		[ -e "$vm2_dir/$guest/pid" ] || continue
		pid=$(<"$vm2_dir/$guest/pid")
		if ! guest_wait_end "$pid" "$vm2_timeout" ||
		   [ "$(cat "$vm2_dir/$guest/share/status" 2>/dev/null)" != 0 ]; then
			vm2_error "guest $guest did not end well"
			guest_show_console "$vm2_dir/$guest"
			echo "$guest" >>"$vm2_dir/reports"
		fi
		vm2_kill "$guest"
	done
	[ ! -e "$vm2_dir/reports" ]
}
