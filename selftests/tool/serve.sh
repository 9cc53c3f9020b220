#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Test: quick=no timeout=180
#
# tern call, serve and ping between two nodes and within one.
set -euo pipefail

# shellcheck source=selftests/tool/lib.sh
. "$(dirname "$0")/lib.sh"

namespace client
namespace server
link client server
# shellcheck disable=SC2154
a=("${client[@]}" tern) b=("${server[@]}" tern)

# echoes FILE COMMAND...: it writes what it reads, the same bytes.
echoes()
{
	local file=$1
	shift

	"$@" <"$file" >"$work/echo" && cmp "$file" "$work/echo"
}

check "a node that is down reaches no other" \
	ends 3 "not executed" "${a[@]}" call 10.8.0.2/5000 1 timeout 2s
check "client up" "${a[@]}" up
check "server up" "${b[@]}" up

check "a node that is not allowed gets no answer" matches '1 calls, 0 answered' \
	exits 1 "${a[@]}" ping 10.8.0.2 count 1 timeout 300ms
check "allow the client" "${b[@]}" up allow 10.8.0.0/24 allow fd08::/64
check "ping" matches '3 calls, 3 answered, round trip min .* max ' \
	"${a[@]}" ping 10.8.0.2 count 3 interval 10ms
check "ping over IPv6" shows '.calls == 2 and .answered == 2 and .min_us <= .max_us' \
	"${a[@]}" -j ping fd08::2 count 2 interval 1ms
check "ping the node itself" shows '.answered == 1' "${a[@]}" -j ping ::1 count 1
check "ping a service that is not there" \
	matches 'call 1 not executed: .*refused' \
	exits 1 "${a[@]}" ping 10.8.0.2/5000 count 1
check "ping a host that is not there" matches '1 calls, 0 answered' \
	exits 1 "${a[@]}" ping 10.8.0.77 count 1 timeout 200ms

"${a[@]}" ping 10.8.0.2 interval 1h >"$work/ping" &
ping=$!
check "ping without a count begins" \
	eventually grep -q 'call 1 answered' "$work/ping"
kill -INT "$ping"
ended "ping ends at a signal" "$ping"
check "ping prints its summary then" grep -q '1 calls, 1 answered' "$work/ping"

check "no such service" \
	ends 3 "not executed" "${a[@]}" call 10.8.0.2/5000 1 hello

start "tr" 5000 --exec 'tr a-z A-Z'
check "call with a word" prints HELLO "${a[@]}" call 10.8.0.2/5000 1 hello
check "call with the word request" \
	prints TIMEOUT "${a[@]}" call 10.8.0.2/5000 1 request timeout
check "call with standard input" \
	prints ABC "${a[@]}" call 10.8.0.2/5000 7 - timeout 3s <<<abc
check "call with nothing" prints "" "${a[@]}" call 10.8.0.2/5000 1
check "call over IPv6" prints SIX "${a[@]}" call '[fd08::2]:18018/5000.1' 1 six
check "call within the node" prints SELF "${b[@]}" call any/5000 1 self
check "another version is not there" \
	ends 3 "not executed" "${a[@]}" call 10.8.0.2/5000.2 1 hello
check "a second server is refused" \
	refused 1 "cannot offer service 5000.1" "${b[@]}" serve 5000 --exec true
check "ping a service" shows '.answered == 2' \
	"${a[@]}" -j ping 10.8.0.2/5000 count 2 interval 1ms
stop "tr"
check "its service is gone" eventually is_unbound 5000

head -c 65536 /dev/urandom >"$work/64k"
head -c 1 /dev/zero >"$work/zero"
: >"$work/empty"
start "cat" 5000 --exec cat workers 4
for file in 64k zero empty; do
	check "binary data: $file" echoes "$work/$file" \
		"${a[@]}" call 10.8.0.2/5000 1 -
done
head -c 65537 /dev/zero >"$work/long"
check "a request that is too long" \
	ends 3 "not executed" "${a[@]}" call 10.8.0.2/5000 1 - <"$work/long"
stop "four workers"

# shellcheck disable=SC2016 # the command's own variables
start "with a status" 5001.3 --exec \
	'printf "%s %s %s" "$TERN_PROCEDURE" "$TERN_PEER" "$TERN_TIME_LEFT_MS"; exit 7'
check "a service's status" \
	ends 5 "status 7" "${a[@]}" call 10.8.0.2/5001.3 42 timeout 5s
check "the reply comes with it, with the variables" \
	grep -qE '^42 10\.8\.0\.1:18018 (5000|[1-4][0-9]{3})$' "$work/out"
check "the null procedure runs no command" \
	prints "" "${a[@]}" call 10.8.0.2/5001.3 0
stop "a status"

start "one procedure" 5002 --exec cat procedure 3
check "that procedure" prints x "${a[@]}" call 10.8.0.2/5002 3 x
check "another procedure" \
	ends 5 "status 257" "${a[@]}" call 10.8.0.2/5002 4 x
stop "one procedure"

start "too much" 5003 --exec 'head -c 65537 /dev/zero'
check "a reply that is too long" \
	ends 5 "status 258" "${a[@]}" call 10.8.0.2/5003 1
stop "too much"

start "a command that dies" 5004 --exec 'kill -KILL $$'
check "its status tells the signal" \
	ends 5 "status 137" "${a[@]}" call 10.8.0.2/5004 1
stop "a command that dies"

start "a command that does not read" 5005 --exec 'echo heard'
check "a request that is not read" prints heard \
	"${a[@]}" call 10.8.0.2/5005 1 - <"$work/64k"
stop "a command that does not read"

start "a command that leaves a child" 5006 --exec \
	'sleep 1000 & echo started'
check "the reply does not wait for the child" \
	prints started "${a[@]}" call 10.8.0.2/5006 1 timeout 5s
stop "a command that leaves a child"

start "a command that hangs" 5007 --exec \
	"echo \$\$ >$work/hanging; sleep 1000; echo late"
# Who kills the command at the deadline may still tell its caller in time.
ends_in_time()
{
	exits '4|5' timeout 5 "${a[@]}" call 10.8.0.2/5007 1 timeout 700ms \
		2>"$work/err"
	cat "$work/err"
	grep -qE 'status 259|unknown' "$work/err"
}
check "a call does not take longer than it may" ends_in_time
is_dead()
{
	! kill -0 "$(<"$work/hanging")" 2>/dev/null
}
check "the command is killed" eventually is_dead
stop "a command that hangs"

# A command that runs when the signal comes may end and reply.
mkfifo "$work/go"
start "a command that waits" 5008 --exec "cat <$work/go"
"${a[@]}" call 10.8.0.2/5008 1 timeout 100s >"$work/reply" &
call=$!
check "it executes" eventually executes
kill -TERM "$pid"
say finished
ended "the call of a server that ends succeeds" "$call"
check "with its reply" grep -q finished "$work/reply"
ended "the server has ended" "$pid"

start "a command that waits for ever" 5009 --exec 'sleep 1000'
"${a[@]}" call 10.8.0.2/5009 1 timeout 100s 2>"$work/err" &
call=$!
check "it executes, too" eventually executes
# Two signals at once are one, so it gets them until it has ended.
is_over()
{
	! kill -TERM "$pid"
}
check "more signals end it at once" eventually is_over
ended "they end it well" "$pid"
wait "$call" || true
check "its caller learns that it ended" grep -qE 'status 259|unknown' "$work/err"

start "and be killed" 5012 --exec 'sleep 1000'
"${a[@]}" call 10.8.0.2/5012 1 timeout 100s 2>"$work/err" &
call=$!
check "it executes before that" eventually executes
kill -KILL "$pid"
wait "$pid" || true
wait "$call" && status=0 || status=$?
check "the outcome is unknown" test "$status" = 4
check "and says why" grep -q '^tern: unknown: ' "$work/err"
check "the service is gone, too" eventually is_unbound 5012

start "oneway" 5010 --exec "cat >$work/oneway"
check "a one-way call" prints "" "${a[@]}" call 10.8.0.2/5010 1 sent oneway
check "it is executed" eventually grep -q sent "$work/oneway"
check "an idempotent call" prints "" "${a[@]}" call 10.8.0.2/5010 1 x idempotent
stop "oneway" INT

start "and share" 5011 --exec cat share
first=$pid
start "and share again" 5011 --exec cat share
shared()
{
	"${b[@]}" -j service show | jq -e 'any(.sockets == 2)'
}
check "share: both are there" eventually shared
stop "the second"
pid=$first
check "the first serves on" prints x "${a[@]}" call 10.8.0.2/5011 1 x
stop "the first"
finish
