#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Test: kernels=uml
#
# What "make install" leaves runs without the project's folder.
set -euo pipefail

# shellcheck source=selftests/ktap.sh
. "$(dirname "$0")/../ktap.sh"

unset LD_LIBRARY_PATH PKG_CONFIG_PATH
PATH=/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
repo=$PWD

installs()
{
	make -s install-lib install-tools install-man
}

tool_runs()
{
	cd /
	[ "$(command -v tern)" = /usr/local/bin/tern ]
	tern ping 127.0.0.1 count 1
}

example_runs()
{
	local name words server async_server

	cd "$(mktemp -d)"
	mapfile -t words < <(pkg-config --cflags --libs libtern | xargs -n 1)
	for name in client server async_client async_server; do
		cc -o "$name" "$repo/lib/examples/$name.c" "${words[@]}"
	done
	./server >/dev/null 2>&1 &
	server=$!
	./async_server any/4000.1 >/dev/null 2>&1 &
	async_server=$!
	until [ "$(tern service show | grep -c -E '\<400[01]')" = 2 ]; do
		kill -0 "$server"
		kill -0 "$async_server"
	done
	[ "$(./client any/4000.1 hello)" = HELLO ]
	# In any order; the second server asks the first.
	[ "$(./async_client any/4001.1 one two | sort)" = $'one: ONE\ntwo: TWO' ]
	kill "$server" "$async_server"
}

check "make install" installs
check "the tool runs" tool_runs
check "programs are built by pkg-config and run" example_runs
check "the manual is found" man -w tern.7 tern.8 tern_call.3 tern_bind.3 \
	tern_loop_run.3
finish
