#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Test: mode=host timeout=120
#
# ternbench without a kernel: wrong command lines, and what it makes of results.
set -euo pipefail

# shellcheck source=selftests/tool/lib.sh
. "$(dirname "$0")/../tool/lib.sh"

budgets=$work/budgets results=$work/results

# wrong STATUS TEXT WORD...: ternbench refuses these words so.
wrong()
{
	refused "$1" "$2" ternbench "${@:3}"
}

# results CLOCK TERN UDP: what the two cost in small calls.
results()
{
	cat >"$results" <<-END
		{ "date": "2026-01-01", "kernel": "6.12", "clock": "$1", "cells": [
		{ "peer": "tern", "place": "net", "work": "call",
		  "cost": $2, "least": $2, "most": $2 },
		{ "peer": "udp", "place": "net", "work": "call",
		  "cost": $3, "least": $3, "most": $3 },
		{ "peer": "tern", "place": "net", "work": "size-4k",
		  "cost": 5000.0, "least": 4000.0, "most": 6000.0 },
		{ "peer": "tern", "place": "net", "work": "size-1m",
		  "refused": "too large" } ] }
	END
}

# budget GOAL LIMIT
budget()
{
	echo "net tern/net/call udp/net/call $1 $2 # small calls" >"$budgets"
}

ends_so()
{
	local expected=$1 text=$2 output status=0
	shift 2

	output=$("$@") || status=$?
	echo "$output"
	[ "$status" = "$expected" ]
	grep -qF -- "$text" <<<"$output"
}

check "no command" wrong 2 "a command is missing"
check "an unknown command" wrong 2 "unknown command 'fly'" fly
check "an unknown option" wrong 2 "unknown option '--fast'" --fast
check "an unknown word" wrong 2 "unknown word 'slow'" run slow
check "no value" wrong 2 "peer is missing" run peer
check "an unknown peer" wrong 2 "no peer 'carrier-pigeon'" run peer carrier-pigeon
check "an unknown place" wrong 2 "no place 'moon'" run place moon
check "an unknown work" wrong 2 "no work 'hard'" run work hard
check "a word too many" wrong 2 "unexpected word 'x'" list x
check "a file that is not there" wrong 1 "$work/none" show "$work/none"
echo '{}' >"$results"
check "a file with something else" wrong 1 "not the results" show "$results"
check "an unknown format" wrong 2 "no format 'gif'" plot "$results" "$work" gif

results instructions 1250.0 1000.0
budget 0.85 1.30
check "a goal that is missed" \
	ends_so 0 "goal missed" ternbench check "$budgets" "$results"
check "it is counted" ends_so 0 "0 limits exceeded, 1 goals missed" \
	ternbench check "$budgets" "$results"
budget 1.25 1.30
check "a goal that is kept" \
	ends_so 0 "0 limits exceeded, 0 goals missed" ternbench check "$budgets" "$results"
budget 0.85 1.24
check "a limit that is exceeded" \
	ends_so 1 "LIMIT EXCEEDED" ternbench check "$budgets" "$results"
budget 0.85 -
check "a limit that is to be set" \
	ends_so 1 "give it a limit" ternbench check "$budgets" "$results"
echo 'net-1m tern/net/size-1m tern/net/call 1 -' >"$budgets"
check "what cannot be measured yet" \
	ends_so 0 "too large" ternbench check "$budgets" "$results"
echo 'net-1m tern/net/size-1m tern/net/call 1 1' >"$budgets"
check "what can not be measured any more" \
	ends_so 1 "too large" ternbench check "$budgets" "$results"
for line in 'net tern/net/call' 'net tern/net/call udp/net/call 1 1 1' \
	'net tern/net/call udp/net/call 0.85 much'; do
	echo "$line" >"$budgets"
	check "a wrong line: $line" wrong 1 "$budgets:1:" check "$budgets" "$results"
done
echo 'net tern/net/call udp/net/nap 1 1' >"$budgets"
check "an unknown cell" wrong 1 "no work 'nap'" check "$budgets" "$results"
budget 0.85 1.30
results ns 1250.0 1000.0
check "another clock" wrong 1 "instruction clock" check "$budgets" "$results"

results instructions 1250.0 1000.0
check "JSON is read and written" \
	diff <(ternbench -j show "$results" | jq -S .cells) <(jq -S .cells "$results")
check "the report" ends_so 0 "1250 (1.25)" ternbench report "$budgets" "$results"
check "the report has the budgets" \
	ends_so 0 "1.250 | 0.85 | **missed**" ternbench report "$budgets" "$results"
ternbench plot "$results" "$work" svg
check "a plot as SVG" grep -q '<svg' "$work/performance-size-net.svg"
ternbench plot "$results" "$work" png
check "a plot as PNG" sh -c 'file "$1" | grep -q "PNG image"' - \
	"$work/performance-size-net.png"
check "the budgets of the project are understood" \
	ternbench check tools/ternbench/budgets "$results"

words=$(sed -n '/^static const char help/,/;$/s/^"  \([a-z]*\) .*/\1/p' \
	tools/ternbench/main.c)
for word in $words; do
	check "the manual has '$word'" \
		grep -qE "^\.(It )?Cm $word" Documentation/man/man8/ternbench.8
done
finish
