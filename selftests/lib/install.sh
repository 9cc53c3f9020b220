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
	local words server

	cd "$(mktemp -d)"
	mapfile -t words < <(pkg-config --cflags --libs libtern | xargs -n 1)
	cc -o client "$repo/lib/examples/client.c" "${words[@]}"
	cc -o server "$repo/lib/examples/server.c" "${words[@]}"
	./server >/dev/null 2>&1 &
	server=$!
	until tern -j service show | grep -q 4000; do
		kill -0 "$server"
	done
	[ "$(./client any/4000.1 hello)" = HELLO ]
	kill "$server"
}

check "make install" installs
check "the tool runs" tool_runs
check "programs are built by pkg-config and run" example_runs
check "the manual is found" man -w tern.7 tern.8 tern_call.3 tern_bind.3
finish
