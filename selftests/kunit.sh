#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Test: kernels=uml,debug timeout=300
#
# Loads the unit tests, which report to the kernel's log.
set -euo pipefail

mark="kunit.sh $$"
echo "$mark" >/dev/kmsg
insmod "build/$TERN_KERNEL/tern_kunit.ko"
rmmod tern_kunit
dmesg --notime | sed "1,/^$mark\$/d" | awk '
	{ print }
	/^ *not ok / { failed = 1 }
	/^ *ok / { passed = 1 }
	END { exit failed || !passed }'
