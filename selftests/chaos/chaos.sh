#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Test: none
#
# Every promise holds while everything fails: all kinds of faults, twice in
# another order. "make chaos" draws others. Not yet part of "make check": its
# rules of how much must have happened are too narrow for a machine that is busy.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=selftests/ktap.sh
. "$here/../ktap.sh"

for seed in 1 2; do
	check "seed $seed: every promise held" \
		"$here/run" -k "$TERN_KERNEL" -s $seed -n 3000
done
finish
