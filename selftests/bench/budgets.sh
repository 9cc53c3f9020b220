#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Test: mode=icount kernels=6.12 timeout=300
#
# No call costs more than its budget allows.
set -euo pipefail

# shellcheck source=selftests/ktap.sh
. "$(dirname "$0")/../ktap.sh"

budgets=tools/ternbench/budgets
results=$(mktemp)
trap 'rm -f "$results"' EXIT

measure()
{
	ternbench -j run quick budgets "$budgets" >"$results"
}

check "what the budgets are about is measured" measure
# which goals are missed is told in any case
status=0
ternbench check "$budgets" "$results" | sed 's/^/# /' || status=$?
check "no limit is exceeded" test "$status" = 0
finish
