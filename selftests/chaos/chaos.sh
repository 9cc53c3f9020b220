#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Test: mode=vm2 kernels=uml timeout=1800
#
# Every promise holds while everything fails: all kinds of faults, in an order that
# does not change. "make chaos" draws others.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=selftests/ktap.sh
. "$here/../ktap.sh"

check "seed 1: every promise held" \
	"$here/run" -k "$TERN_KERNEL" -s 1 -n 3000 -g 500
finish
