# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0
#
# Starts guests; for the scripts vm and vm2.sh. A guest has a folder:
#
#   share/       seen by the guest, see the script guest
#   console.log  what its kernel printed
#   machine.log  what QEMU printed
#
# shellcheck disable=SC2054 # commas within words
#
# The guest_* variables below are the machine's settings. Standard input and
# output of guest_start are the guest's channel.

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
repo=$(cd "$here/../.." && pwd)

guest_kernel='' guest_smp='' guest_mem='' guest_icount=no guest_travel=no
guest_wrapper=()
guest_load=yes guest_leaks=yes guest_mode=run guest_out='' cmd='' guest_boot_timeout=120

# printed by a kernel that has found a bug
report_pattern='WARNING:|BUG:|kernel BUG at|Oops|Kernel panic|general protection fault'
report_pattern+='|KASAN:|UBSAN:|ODEBUG:|refcount_t:|ref_tracker:.*(leak|has)|(list|slab)_(add|del).*corruption'
report_pattern+='|possible (circular|recursive) locking|possible irq lock inversion'
report_pattern+='|inconsistent lock state|(HARDIRQ|SOFTIRQ)-safe|suspicious RCU usage'
report_pattern+='|bad unlock balance|held lock freed|Invalid wait context|still has locks held'
report_pattern+='|lock held when returning|sleeping function called|scheduling while atomic'
report_pattern+='|DEBUG_LOCKS_WARN_ON|kmemleak: [0-9]+ new|unreferenced object|INFO: task .* blocked'
report_pattern+='|self-detected stall|detected (expedited )?stalls|soft lockup|hard LOCKUP'
report_pattern+='|workqueue lockup|unregister_netdevice: waiting|Unable to handle|stack-protector:|bad page state'

exec {nap_fd}<> <(:)

# Waits SECONDS without starting a process.
nap()
{
	read -rt "$1" -u "$nap_fd" || :
}

# initrd_make MODULES FILE: busybox, init, and the modules that init needs.
initrd_make()
{
	local modules=$1 file=$2 tmp path release kind first

	tmp=$(mktemp -d "$file.XXXXXX")
	mkdir -p "$tmp/tree/bin" "$tmp/tree/modules"
	cp "$(command -v busybox)" "$tmp/tree/bin/busybox"
	ln -s busybox "$tmp/tree/bin/sh"
	cp "$here/init" "$tmp/tree/init"
	chmod 755 "$tmp/tree/init"
	release=$(basename "$modules")
	while read -r kind path first; do
		[ "$kind" = insmod ] || continue
		case $path in
		*.xz)	xz -dc "$path" >"$tmp/tree/modules/$(basename "$path" .xz)" ;;
		*.zst)	zstd -qdc "$path" >"$tmp/tree/modules/$(basename "$path" .zst)" ;;
		*)	cp "$path" "$tmp/tree/modules/" ;;
		esac
		path=$(basename "$path")
		path=${path%.xz}
		echo "${path%.zst}"
	done < <(for first in virtio_pci 9pnet_virtio 9p overlay virtio_console virtio_rng; do
			modprobe -d "${modules%/lib/modules/*}" -S "$release" \
				--show-depends "$first" 2>/dev/null
		 done) | awk '!seen[$0]++' >"$tmp/tree/modules/order"
	(cd "$tmp/tree" && find . | cpio --quiet -o -H newc | gzip -1) >"$tmp/initrd"
	mv "$tmp/initrd" "$file"
	rm -r "$tmp"
}

# Settles the machine's settings; to be called once, before guest_start.
guest_prepare()
{
	local hash

	guest_image=$("$here/kernel" --path "$guest_kernel" image)
	guest_modules=$("$here/kernel" --path "$guest_kernel" modules)
	hash=$(cat "$here/init" "${BASH_SOURCE[0]}" "$(command -v busybox)" |
	       sha256sum | cut -c1-12)
	guest_initrd=${guest_modules%%/root/lib/*}/initrd-$hash
	[ -e "$guest_initrd" ] || initrd_make "$guest_modules" "$guest_initrd"

	case $guest_kernel in
	uml)	: "${guest_mem:=512}" ;;
	debug)	: "${guest_mem:=1024}" ;;
	*)	: "${guest_mem:=1024}" ;;
	esac
	: "${guest_smp:=2}"
	[ "$guest_icount" = no ] || guest_smp=1
}

# guest_share DIR NAME ADDRESS: what the script guest reads.
guest_share()
{
	local share=$1/share rows columns

	rm -rf "$share"
	mkdir -p "$share/out"
	read -r rows columns < <(stty size 2>/dev/null || echo 0 0)
	# a terminal may not know its size either
	[ "$rows" != 0 ] || rows=25 columns=80
	ln -s "$here/guest" "$share/guest"
	printf '%s\n' "$cmd" >"$share/cmd"
	cat >"$share/env" <<-EOF
		TERN_KERNEL=$guest_kernel
		TERM=${TERM:-dumb}
		repo=$(printf %q "$repo")
		modules=$(printf %q "$guest_modules")
		name=$2
		mode=$guest_mode
		load=$guest_load
		leaks=$guest_leaks
		address=$3
		rows=$rows
		columns=$columns
	EOF
}

# Common end of both command lines.
kernel_arguments()
{
	local out=$guest_out

	[ "$guest_leaks" = no ] || echo -n 'kmemleak=on '
	echo "panic=-1 ignore_loglevel tern_share=$1/share tern_out=$out"
}

uml_command()
{
	local dir=$1 input=fd:0
	shift

	[ "$guest_mode" != run ] || input=null
	command=("$guest_image" "mem=${guest_mem}M" "initrd=$guest_initrd"
		 "uml_dir=$dir/" umid=uml con=null con0=null,fd:2 "con1=$input,fd:1"
		 ssl=null console=tty0)
	[ "$guest_travel" = no ] || command+=(time-travel=inf-cpu)
	# shellcheck disable=SC2207 # no spaces in them
	command+=($(kernel_arguments "$dir") "$@")
}

qemu_command()
{
	local dir=$1 bus=pci channel=virtserialport
	local cpu=max,-la57 append='console=ttyS0 reboot=t tsc=reliable'
	# what was translated of a program serves when it runs again elsewhere, too
	append+=' norandmaps'
	shift

	command=(qemu-system-x86_64 -nodefaults -no-user-config -display none
		 -no-reboot -m "$guest_mem" -smp "$guest_smp")
	if [ "$guest_kernel" = debug ]; then
		bus=device
		command+=(-M "microvm,acpi=off,pit=on,pic=on,rtc=on,isa-serial=on")
	else
		command+=(-M pc,usb=off,vmport=off)
	fi
	if [ "$guest_icount" = yes ]; then
		command+=(-accel tcg,thread=single -icount shift=0,sleep=off
			  -rtc base=2024-01-01,clock=vm -seed 1)
		# "rep movsb" would count each byte that is copied
		cpu+=,-rdrand,-rdseed,-erms,-fsrm
		append+=' nokaslr'
	else
		command+=(-accel tcg,thread=multi -device "virtio-rng-$bus")
	fi
	[ "$guest_mode" != shell ] || channel=virtconsole
	command+=(-cpu "$cpu" -kernel "$guest_image" -initrd "$guest_initrd"
		-serial "file:$dir/console.log"
		-chardev stdio,id=channel,signal=off
		-device "virtio-serial-$bus" -device "$channel,chardev=channel"
		-fsdev local,id=root,path=/,security_model=none,readonly=on,multidevs=remap
		-device "virtio-9p-$bus,fsdev=root,mount_tag=root"
		-fsdev "local,id=share,path=$dir/share,security_model=none,multidevs=remap"
		-device "virtio-9p-$bus,fsdev=share,mount_tag=share")
	if [ -n "$guest_out" ]; then
		command+=(-fsdev "local,id=out,path=$guest_out,security_model=none,multidevs=remap"
			  -device "virtio-9p-$bus,fsdev=out,mount_tag=out")
	fi
	command+=("$@" -append "$append $(kernel_arguments "$dir")")
}

# guest_start DIR NAME ADDRESS ARGUMENT...: start a guest in the background;
# its process, which leads a process group, is then $guest_pid. The arguments
# are added to its command line, guest_wrapper goes before it.
guest_start()
{
	local dir=$1 name=$2 address=$3 log=$1/machine.log session=(setsid)
	local -a command
	shift 3

	guest_share "$dir" "$name" "$address"
	: >"$dir/console.log"
	if [ "$guest_kernel" = uml ]; then
		log=$dir/console.log
		uml_command "$dir" "$@"
	else
		qemu_command "$dir" "$@"
	fi
	# an interactive shell needs the terminal
	[ "$guest_mode" != shell ] || session=()
	# UML aborts, and so would leave a core, when its kernel panics
	(ulimit -c 0 && exec "${session[@]}" "${guest_wrapper[@]}" "${command[@]}") \
		<&0 2>>"$log" &
	# shellcheck disable=SC2034 # for the caller
	guest_pid=$!
	# no "Killed" from the shell
	disown "$guest_pid"
}

# guest_stop PID: end a guest at once.
guest_stop()
{
	kill -KILL -- "-$1" 2>/dev/null || kill -KILL "$1" 2>/dev/null || :
	guest_wait_end "$1" 10 || :
}

# guest_wait_boot DIR PID
guest_wait_boot()
{
	local deadline=$((SECONDS + guest_boot_timeout))

	until [ -e "$1/share/booted" ]; do
		((SECONDS < deadline)) && kill -0 "$2" 2>/dev/null || return 1
		nap 0.02
	done
}

# guest_wait_end PID SECONDS
guest_wait_end()
{
	local deadline=$((SECONDS + $2))

	while kill -0 "$1" 2>/dev/null; do
		((SECONDS < deadline)) || return 1
		nap 0.02
	done
}

# Shows what the guest's kernel reported, if it did.
guest_report()
{
	local line

	[ ! -e "$1/share/notes" ] || cat "$1/share/notes" >&2
	line=$(grep -Eanm 1 "$report_pattern" "$1/console.log") || {
		[ -e "$1/share/report" ]
		# said, since in a trap it would be the status from before that
		return $?
	}
	line=${line%%:*}
	echo "vm: kernel report:" >&2
	tail -n "+$((line > 3 ? line - 3 : 1))" "$1/console.log" | head -n 150 |
		tr -d '\r' >&2
}

guest_show_console()
{
	echo "vm: the end of the console:" >&2
	tail -n "${2:-40}" "$1/console.log" | tr -d '\r' >&2
	[ ! -s "$1/machine.log" ] || cat "$1/machine.log" >&2
}
