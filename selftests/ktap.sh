# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# Sourced by shell tests: prints results in KTAP.
#
#   check NAME COMMAND...   ok when COMMAND, which may be a function, succeeds,
#                           in a subshell with set -e; shows its output if not
#   skip NAME REASON        a check that cannot be made here
#   skip_all REASON         ends the test: nothing can be checked here
#   finish                  prints the plan and exits: 0, or 1 after a failure,
#                           or 4 when everything was skipped

ktap_count=0 ktap_failed=0 ktap_skipped=0
echo "KTAP version 1"

check()
{
	local name=$1 flags=$- output status
	shift

	# not after "||", where nothing in COMMAND would end it
	set +e
	output=$(set -e; "$@" 2>&1)
	status=$?
	[[ $flags != *e* ]] || set -e
	ktap_count=$((ktap_count + 1))
	if ((status == 0)); then
		echo "ok $ktap_count - $name"
		return
	fi
	ktap_failed=$((ktap_failed + 1))
	echo "# $* : exit status $status"
	[ -z "$output" ] || echo "# ${output//$'\n'/$'\n# '}"
	echo "not ok $ktap_count - $name"
}

skip()
{
	ktap_count=$((ktap_count + 1))
	ktap_skipped=$((ktap_skipped + 1))
	echo "ok $ktap_count - $1 # SKIP $2"
}

skip_all()
{
	echo "1..0 # SKIP $1"
	exit 4
}

finish()
{
	echo "1..$ktap_count"
	((ktap_count && !ktap_failed)) || exit 1
	((ktap_count > ktap_skipped)) || exit 4
	exit 0
}
