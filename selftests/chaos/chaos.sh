#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Test: mode=vm2 kernels=uml timeout=900
#
# Every promise holds while everything fails: all kinds of faults, twice in
# another order. "make chaos" draws others.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=selftests/ktap.sh
. "$here/../ktap.sh"

for seed in 1 2; do
	check "seed $seed: every promise held" \
		"$here/run" -k "$TERN_KERNEL" -s $seed -n 3000
done
finish
