# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# Sourced by the network tests: two nodes, a service on one of them that counts
# what it executes, and what must be true of it and of its callers.
#
#    client  10.8.0.1 fd08::1 ---eth0------eth0--- server  10.8.0.2 fd08::2

# shellcheck source=selftests/tool/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/../tool/lib.sh"

# shellcheck source=selftests/net/verify.sh
. "$(dirname "${BASH_SOURCE[0]}")/verify.sh"

programs=build/selftests/net
program=5000
log=$work/log out=$work/outcomes

# nodes [SETTING VALUE]...: both, with a link, up.
nodes()
{
	namespace client
	namespace server
	link client server
	filterable client
	up "$@"
}

# filterable NAME: so that what it sends and receives on eth0 can be lost.
filterable()
{
	local -n node=$1

	"${node[@]}" tc qdisc add dev eth0 clsact
}

# Types of packets, as "lose" takes them.
# shellcheck disable=SC2034 # for who sources this
bye=4 request=6 reply=7 cancel=10 ack=11

# lose NAME DIRECTION [TYPE [MATCH...]]: packets of this type, or all; direction
# is egress or ingress. let_pass NAME DIRECTION: no more.
lose()
{
	local -n node=$1
	local words=(match u8 17 0xff at 9)

	[ $# -lt 3 ] || words+=(match u8 "$3" 0xff at 29 "${@:4}")
	"${node[@]}" tc filter add dev eth0 "$2" protocol ip \
		u32 "${words[@]}" action drop
}

let_pass()
{
	local -n node=$1

	"${node[@]}" tc filter del dev eth0 "$2"
}

# Replies of workers; outcomes without one pass.
lose_replies()
{
	local replied=0	# enum tern_outcome

	lose "$1" ingress $reply match u8 $replied 0xff at 76
}

# up [SETTING VALUE]...: both nodes.
up()
{
	# shellcheck disable=SC2154
	"${client[@]}" tern up allow 10.8.0.0/24 allow fd08::/64 "$@"
	# shellcheck disable=SC2154
	"${server[@]}" tern up allow 10.8.0.0/24 allow fd08::/64 "$@"
}

# impair WORDS...: netem in both directions; heal: none any more.
impair()
{
	"${client[@]}" tc qdisc replace dev eth0 root netem "$@"
	"${server[@]}" tc qdisc replace dev eth0 root netem "$@"
}

heal()
{
	"${client[@]}" tc qdisc del dev eth0 root
	"${server[@]}" tc qdisc del dev eth0 root
}

serves()
{
	service program $program sockets "${1-1}"
}

# serve [THREADS]: starts the service, more of them when called again; the last
# one's number is in the variable pid.
sockets=0
serve()
{
	"${server[@]}" "$programs/counter" "$program" "$log" "${1-1}" &
	pid=$!
	sockets=$((sockets + 1))
	eventually serves "$sockets"
}

# tells WORD VALUE...: the text on standard input, what one object is shown as,
# has each word, and its value behind it.
tells()
{
	local text

	# fails at the end of its input
	IFS= read -rd '' text || text=${text%$'\n'}
	echo "$text"
	# further objects are further lines that do not begin with a space
	[[ $text != *$'\n'[!\ $'\t']* ]] || return
	text=" ${text//[$'\n\t']/ } "
	while (($#)); do
		[[ $text == *" $1 $2 "* ]] || return
		shift 2
	done
}

# service WORD VALUE...: the only service is shown with these.
service()
{
	tells "$@" < <("${server[@]}" tern service show)
}

# start_worker [OPTION]...: a worker of the service with the policy "expire",
# whose number is in the variable worker; see worker.c.
start_worker()
{
	"${server[@]}" "$programs/worker" "$program" 0 "$@" >"$work/worker" &
	# shellcheck disable=SC2034 # for who sources this
	worker=$!
	eventually serves
}

# said TEXT: the worker has printed it.
said()
{
	cat "$work/worker"
	grep -q "^[0-9]* $1" "$work/worker"
}

# end_service [SIGNAL] [PID]: and waits; its exit status is in the variable
# status. Not in a check, whose subshell cannot wait for it.
end_service()
{
	status=0
	kill "-${1-TERM}" "${2-$pid}"
	wait "${2-$pid}" 2>/dev/null || status=$?
	sockets=$((sockets - 1))
}

# calls [OPTION VALUE]... : calls the service; see caller.c. With a number of
# seconds in the variable limit it then begins no more calls, and fails.
calls()
{
	"${client[@]}" ${limit:+timeout "$limit"} "$programs/caller" "$@" \
		"${to-10.8.0.2}/$program" "$out"
}

# start_calls [OPTION VALUE]...: without end, in the background; end_calls ends
# them. The caller is in the variable caller.
start_calls()
{
	"${client[@]}" "$programs/caller" count 1000000000 "$@" \
		"${to-10.8.0.2}/$program" "$out" &
	caller=$!
}

end_calls()
{
	kill -TERM "$caller"
	wait "$caller"
}

# stat NODE NAME: the value of a counter of client or server.
stat()
{
	local -n node=$1
	local value

	read -r _ value < <("${node[@]}" tern stat show all "$2")
	echo "$value"
}

# counted NODE NAME [MINIMUM]: a counter has at least this value.
counted()
{
	local value

	value=$(stat "$1" "$2")
	echo "$1: $2: $value"
	[ "$value" -ge "${3-1}" ]
}

# peer NODE WORD VALUE...: its only peer is shown with these.
peer()
{
	local -n node=$1

	tells "${@:2}" < <("${node[@]}" tern peer show)
}
