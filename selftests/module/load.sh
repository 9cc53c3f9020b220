#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Test: quick=no timeout=180
#
# Loading and unloading: the family number, autoload, users that hold the
# module, nodes that are busy when it goes.
set -euo pipefail

# shellcheck source=selftests/tool/lib.sh
. "$(dirname "$0")/../tool/lib.sh"

module=build/$TERN_KERNEL/tern.ko

# refuses_family NUMBER TEXT: loading fails, and the kernel's log says why.
refuses_family()
{
	local mark="family $1 $$"

	echo "$mark" >/dev/kmsg
	if insmod "$module" "family=$1"; then
		echo "loaded"
		return 1
	fi
	[ ! -d /sys/module/tern ]
	dmesg | sed "1,/$mark/d" | grep -F "tern: $2"
}

takes_family()
{
	insmod "$module" "family=$1"
	[ "$(cat /sys/module/tern/parameters/family)" = "$1" ]
	python3 -c "import socket; socket.socket($1, socket.SOCK_RDM)"
	tern ping 127.0.0.1 count 1
	rmmod tern
}

# The kernel loads the module for a socket of its family, by its alias.
# modprobe finds it in a folder with nothing else, which is soon searched.
loads_itself()
{
	local folder root

	root=$(mktemp -d /tern.XXXXXX)
	folder=$root/lib/modules/$(uname -r)
	mkdir -p "$folder"
	touch "$folder/modules.order" "$folder/modules.builtin"
	cp "$module" "$folder/"
	depmod -b "$root" "$(uname -r)"
	printf '#!/bin/sh\nexec modprobe -d %s "$@"\n' "$root" >"$root/modprobe"
	chmod +x "$root/modprobe"
	sysctl -qw kernel.modprobe="$root/modprobe"
	[ ! -d /sys/module/tern ]
	python3 -c 'import socket; socket.socket(18, socket.SOCK_RDM)'
	[ -d /sys/module/tern ]
	rmmod tern
	rm -r "$root"
}

stays_while_used()
{
	python3 -c 'if True:
		import socket, subprocess
		held = socket.socket(18, socket.SOCK_RDM)
		done = subprocess.run(["rmmod", "tern"], stderr=subprocess.PIPE)
		assert done.returncode and b"in use" in done.stderr, done'
	[ -d /sys/module/tern ]
}

# Packets that mean something: HELLO from a node that may associate, and calls
# on associations that nobody knows, as fast as they can be sent.
flood()
{
	ip netns exec "tern-other-$$" python3 -c 'if True:
		import socket, struct, time
		def crc32c(crc, data):
			for byte in data:
				crc ^= byte
				for _ in range(8):
					crc = crc >> 1 ^ (0x82f63b78 & -(crc & 1))
			return crc
		def seal(packet):
			seed = struct.unpack(">I", packet[:4])[0]
			check = struct.pack(">I", crc32c(seed, packet[8:]))
			return packet[:4] + check + packet[8:]
		hello = seal(struct.pack(">BBHIIQQQQIHHII", 1, 1, 0, 0, 1, 0, 99,
					 5, 0, 60000, 64, 1400, 0, 0))
		cancel = seal(struct.pack(">BBHIIQQQHHI", 1, 10, 0, 0, 1, 77, 99,
					  1, 0, 0, 0))
		s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
		s.connect(("10.8.0.1", 18018))
		end = time.monotonic() + 20
		while time.monotonic() < end:
			try:
				s.send(hello)
				s.send(cancel)
			except OSError:
				pass'
}

goes_under_load()
{
	local sent=0

	for _ in 1 2 3 4 5; do
		rmmod tern
		insmod "$module"
		# shellcheck disable=SC2154
		"${node[@]}" tern up allow 10.8.0.0/24
		eventually test "$("${node[@]}" tern -j stat show all |
			jq '.["hellos-received"] > 0')"
		sent=$((sent + $("${node[@]}" tern -j stat show all |
			jq '.["cookies-sent"] + .["stales-sent"]')))
	done
	echo "answered $sent"
	[ "$sent" -gt 0 ]
}

# A namespace with a node that has associations and calls goes away.
namespace_goes()
{
	for _ in 1 2 3; do
		namespace a
		namespace b
		link a b
		# shellcheck disable=SC2154
		"${a[@]}" tern up allow 10.8.0.0/24
		# shellcheck disable=SC2154
		"${b[@]}" tern up allow 10.8.0.0/24
		"${a[@]}" tern ping 10.8.0.2 count 2 interval 0
		ip netns del "tern-b-$$"
		if "${a[@]}" tern ping 10.8.0.2 count 1 timeout 300; then
			return 1
		fi
		ip netns del "tern-a-$$"
		unset 'namespaces[-1]' 'namespaces[-1]'
	done
}

namespace node
namespace other
link node other
check "the alias of the family" \
	grep -qx net-pf-18 <(modinfo -F alias "$module")
check "a socket holds the module" stays_while_used
check "it goes when nothing holds it" rmmod tern
check "a family that is taken" refuses_family 1 "address family 1 is taken"
check "the last family is below AF_MAX" refuses_family 99 "family=99 is not"
check "family 0 is none" refuses_family 0 "family=0 is not"
check "another family" takes_family 22
modprobe=$(sysctl -n kernel.modprobe)
check "a socket loads the module" loads_itself
sysctl -qw kernel.modprobe="$modprobe"
check "it can be loaded again" insmod "$module"
flood &
flood=$!
check "it goes while packets arrive" goes_under_load
kill "$flood" 2>/dev/null || true
wait "$flood" 2>/dev/null || true
check "namespaces go with their nodes" namespace_goes
finish
