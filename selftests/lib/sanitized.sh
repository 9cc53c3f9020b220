#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Test: kernels=6.12,6.1 timeout=400
#
# The tests of the library with AddressSanitizer and UndefinedBehaviorSanitizer
# in both, which end a program at the first thing they find.
set -euo pipefail

# shellcheck source=selftests/ktap.sh
. "$(dirname "$0")/../ktap.sh"

for source in selftests/lib/*.c; do
	name=$(basename "$source" .c)
	check "$name" "build/sanitized/$name"
done
finish
