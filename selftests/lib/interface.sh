#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# What tern.h declares, the library exports, and every function has its manual
# page.
#
# Test: mode=host
set -euo pipefail

cd "$(dirname "$0")/../.."
. selftests/ktap.sh

declared()
{
	sed -n '/^typedef/d; s/^[a-z].*[ *]\(tern_[a-z_]*\)(.*/\1/p' lib/tern.h |
		sort
}

exported()
{
	nm -D --defined-only build/lib/libtern.so |
		sed -n 's/.* T \(.*\)@@TERN_0\.1$/\1/p' | sort
}

all_functions_exported()
{
	[ "$(declared | wc -l)" -ge 20 ]
	diff <(declared) <(exported)
}

nothing_else_exported()
{
	! nm -D --defined-only build/lib/libtern.so |
		grep -v -E ' T tern_[a-z_]*@@TERN_0\.1$| A TERN_0\.1$'
}

soname()
{
	objdump -p build/lib/libtern.so | grep -E 'SONAME +libtern\.so\.0$'
}

# A page has it in its section NAME, where "make install" finds it.
has_page()
{
	sed -s '/^\.Sh NAME/,/^\.Nd/!d' Documentation/man/man3/*.3 |
		grep -E "^\.Nm $1( ,)?\$"
}

all_functions_have_a_page()
{
	local name

	for name in $(declared); do
		has_page "$name" || { echo "no page: $name"; return 1; }
	done
}

check "every declared function is exported" all_functions_exported
check "nothing else is exported" nothing_else_exported
check "the library has the soname libtern.so.0" soname
check "every function has a manual page" all_functions_have_a_page
finish
