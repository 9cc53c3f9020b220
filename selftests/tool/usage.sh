#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Test: mode=host
#
# Mistakes on the command line of "tern", which it finds without the kernel, and
# what it says when the module is not there.
set -euo pipefail

# shellcheck source=selftests/tool/lib.sh
. "$(dirname "$0")/lib.sh"

check "help" prints "usage: tern [-j] COMMAND" sh -c 'tern help | head -n 1'
check "help as an option" prints "$(tern help)" tern --help

# The words, and the one that the error names.
while IFS='|' read -r words bad; do
	# shellcheck disable=SC2086
	check "tern $words" refused 2 "'$bad'" tern $words
done <<'EOT'
|tern help
frobnicate|frobnicate
-x show|-x
--jsn show|--jsn
help me|me
show it|it
down now|now
up prot 1|prot
up port|port
up port 0|0
up port 65536|65536
up port -1|-1
up port 1x|1x
up address|address
up address 10.0.0|10.0.0
up address 10.0.0.1/8|10.0.0.1/8
up address ::1 address any|address any
up address fe80::1%lo|fe80::1%lo
up allow 10.0.0.1/8|10.0.0.1/8
up allow 10.0.0.0/33|10.0.0.0/33
up allow fd00::/129|fd00::/129
up allow fd00::1/64|fd00::1/64
up allow 10.0.0.0/|10.0.0.0/
up allow none allow ::/0|allow none
up timeout 0|0
up timeout 1.5|1.5
up timeout 10parsec|10parsec
up timeout .5s|.5s
up timeout 1.s|1.s
up timeout 4294967296|4294967296
up lease forever|forever
up slots 0|0
up slots 4294967296|4294967296
up peers many|many
up cache-peer -1|-1
up cache-net 1T|1T
up queue-peer 18446744073709551616|18446744073709551616
up queue-net 17179869184G|17179869184G
peer|peer
peer list|list
peer show all|all
service show 5|5
call|call
call show all|all
call 127.0.0.1 1|127.0.0.1
call 127.0.0.1/|127.0.0.1/
call 127.0.0.1/5000.1.2 1|127.0.0.1/5000.1.2
call 127.0.0.1:65536/5000 1|127.0.0.1:65536/5000
call 127.0.0.1/5000|call
call 127.0.0.1/5000 -1|-1
call 127.0.0.1/5000 4294967296|4294967296
call 127.0.0.1/5000 1 text more|more
call 127.0.0.1/5000 1 timeout|timeout
call 127.0.0.1/5000 1 timeout 86400001|86400001
call 127.0.0.1/5000 1 request|request
stat|stat
stat list|list
ping|ping
ping 127.0.0.1/x/y|127.0.0.1/x/y
ping 127.0.0.1 count 0|0
ping 127.0.0.1 count|count
ping 127.0.0.1 interval x|x
ping 127.0.0.1 timeout 0|0
ping 127.0.0.1 often|often
serve|serve
serve 5000|serve
serve 127.0.0.1/5000 --exec true|127.0.0.1/5000
serve 5000.x --exec true|5000.x
serve 5000 --exec|--exec
serve 5000 --exec true workers 0|0
serve 5000 --exec true workers 1025|1025
serve 5000 --exec true procedure x|x
serve 5000 --exec true alone|alone
EOT

check "an interface that does not exist" refused 1 "'fe80::1%none/0.0'" \
	tern ping fe80::1%none

if [ -d /sys/module/tern ]; then
	skip "without the module" "it is loaded here"
else
	for words in up down show "peer show" "service show" "call show" \
		"stat show" "ping 127.0.0.1" "call 127.0.0.1/5000 1" \
		"serve 5000 --exec true"; do
		# shellcheck disable=SC2086
		check "tern $words without the module" \
			refused 1 "is the module tern loaded?" tern $words
	done
	check "help without the module" tern help
fi
finish
