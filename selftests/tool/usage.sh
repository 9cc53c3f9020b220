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

version=$(sed -n 's/^VERSION := //p' Makefile)
for option in -V --version; do
	check "tern $option" prints "tern $version" tern "$option"
done

# words_of COMMAND: those that it understands, from its source.
words_of()
{
	case $1 in
	up)
		sed -n '/settings_fields\[\]/,/FIELD_END/s/.*FIELD("\([^"]*\)".*/\1/p' \
			tools/tern/node.c
		grep -o '\.empty = "[^"]*"' tools/tern/node.c ;;
	*)
		grep -o 'strcmp([^"]*, "[^"]*")' "tools/tern/$1.c" ;;
	esac | sed 's/[^"]*"\([^"]*\).*/\1/'
}

# help_of COMMAND: the parts of the help that begin with it.
help_of()
{
	tern help | awk -v command="$1" '
		/^  [a-z]/ || /^$/ { shown = $1 == command }
		shown' | grep -oE '[a-z-]+'
}

# manual_of COMMAND: the fixed words in its synopsis and description.
manual_of()
{
	awk -v command="$1" '
		/^\.(Nm|Sh|Ss)/ || /^\.It Cm (up|down|show|peer|service|call|stat|ping|serve)( |$)/ {
			shown = $2 $3 == "Cm" command
		}
		/^\.Cm/ { for (i = 2; i <= NF; i++) if ($i == command) shown = 1 }
		shown' Documentation/man/man8/tern.8 |
		grep -oE 'Cm [a-z-]+|Fl$' | sed 's/Cm //; s/Fl/-/'
}

# completed_of COMMAND: the words that are proposed after it.
completed_of()
{
	# shellcheck source=tools/tern/tern.bash-completion
	. tools/tern/tern.bash-completion
	{
		_tern_words "$1"
		_tern_words "$1" word
		_tern_words "$1" word word word
		_tern_values address
		_tern_values allow
	} | tr ' ' '\n'
}

# has_all WORDS COMMAND...: each of the words is a line that it prints.
has_all()
{
	local wanted=$1 text word status=0
	shift

	[ -n "$wanted" ] || return 1
	text=$("$@")
	for word in $wanted; do
		grep -qxe "$word" <<<"$text" || { echo "missing: $word"; status=1; }
	done
	return "$status"
}

for command in up peer call stat ping serve; do
	understood=$(words_of "$command")
	check "help of $command" has_all "$understood" help_of "$command"
	check "manual of $command" has_all "$understood" manual_of "$command"
	# a dash needs no completion
	check "completion of $command" has_all \
		"$(grep -vxe - <<<"$understood")" completed_of "$command"
done

# The words, and the one that the error names.
while IFS='|' read -r words bad; do
	# shellcheck disable=SC2086
	check "tern $words" refused 2 "'$bad'" tern $words
done <<'EOT'
|tern help
frobnicate|frobnicate
-x show|-x
-xj show|-xj
--json=x show|--json=x
--jsn show|--jsn
help me|me
show it|it
down now|now
up prot 1|prot
up port|port
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
up timeout 1.5|1.5
up timeout 10parsec|10parsec
up timeout .5s|.5s
up timeout 1.s|1.s
up timeout 4294967296|4294967296
up lease forever|forever
up grace soon|soon
up slots 4294967296|4294967296
up peers many|many
up cache-peer -1|-1
up cache-net 1T|1T
up queue-peer 18446744073709551616|18446744073709551616
up queue-net 17179869184G|17179869184G
peer|peer
peer list|list
peer show all|all
peer exterminate ::1 now|now
peer exterminate ::1/5000|::1/5000
peer exterminate 127.0.0.1:x|127.0.0.1:x/0.0
service show 5|5
call|call
call show all|all
call 127.0.0.1 1|127.0.0.1
call 127.0.0.1/|127.0.0.1/
call 127.0.0.1/5000.1.2 1|127.0.0.1/5000.1.2
call 127.0.0.1:65536/5000 1|127.0.0.1:65536/5000
call 127.0.0.1/5000|127.0.0.1/5000
call 127.0.0.1/5000 -1|-1
call 127.0.0.1/5000 4294967296|4294967296
call 127.0.0.1/5000 1 text more|more
call 127.0.0.1/5000 1 timeout|timeout
call 127.0.0.1/5000 1 timeout 86400001|86400001
call 127.0.0.1/5000 1 request|request
call 127.0.0.1/5000 1 extend x|x
call 127.0.0.1/5000 1 extend 86400001|86400001
call 127.0.0.1/5000 1 maybe idempotent|maybe
call 127.0.0.1/5000 1 x quiet|quiet
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
serve 5000 --exec true orphans adopt|adopt
EOT

# The words, and what the error says is missing after the last one.
while IFS='|' read -r words missing; do
	# shellcheck disable=SC2086
	check "tern $words: $missing is missing" \
		refused 2 "tern: $missing must follow '${words##* }'" tern $words
done <<'EOT'
up port|N
up address|ADDRESS or 'any'
up allow|PREFIX or 'none'
up timeout|TIME
up slots|N
up cache-net|SIZE
peer|'show' or 'exterminate'
peer exterminate|HOST
service|'show'
stat|'show'
call|HOST/SERVICE or 'show'
call any/5000|PROCEDURE
call any/5000 1 timeout|TIME
call any/5000 1 extend|TIME
call any/5000 1 request|TEXT
ping|HOST[/SERVICE]
ping any count|N
ping any interval|TIME
ping any timeout|TIME
serve|SERVICE
serve 5000 --exec|COMMAND
serve 5000 --exec true workers|N
serve 5000 --exec true procedure|N
serve 5000 --exec true orphans|POLICY
EOT

# The words, and what the error says of the last one.
while IFS='|' read -r words text; do
	# shellcheck disable=SC2086
	check "tern $words: $text" refused 2 "'${words##* }' is $text" tern $words
done <<'EOT'
up port 65536|not a valid value of 'port': it is a number up to 65535
up slots -1|not a valid value of 'slots': it is a number up to 4294967295
up lease long|not a valid value of 'lease': it is a time, such as 300ms, 1.5s, 2m or 1h
up queue-net many|not a valid value of 'queue-net': it is a size, such as
up address here|not a valid value of 'address': it is an IPv4 or IPv6 address
up allow 10.0.0.1/8|not a valid value of 'allow': it is ADDRESS/LENGTH
call any/5000 1 timeout 0|not a valid time of 'timeout', from 1ms to 24h
call any/5000 1 extend 25h|not a valid time of 'extend', from 1ms to 24h
call any/5000 1 timeout 1441m|not a valid time of 'timeout', from 1ms to 24h
call any/5000 -1|not a valid procedure, from 0 to 4294967295
serve 5000 --exec true workers 0|not a valid number of workers, from 1 to 1024
EOT

for address in '[fe80::1]/70000' fe80::1/70000 '[fe80::1]:7/70000'; do
	check "$address has no interface" refused 2 \
		"'$address': a link-local address needs %INTERFACE" \
		tern call "$address" 1
done
check "an interface that does not exist" refused 1 "'fe80::1%none/0.0'" \
	tern ping fe80::1%none

if [ -d /sys/module/tern ]; then
	skip "without the module" "it is loaded here"
else
	for words in up down show "peer show" "service show" "call show" \
		"stat show" "ping 127.0.0.1" "call 127.0.0.1/5000 1" "peer exterminate 127.0.0.1" \
		"serve 5000 --exec true"; do
		# shellcheck disable=SC2086
		check "tern $words without the module" \
			refused 1 "is the module tern loaded?" tern $words
	done
	check "help without the module" tern help
fi
finish
