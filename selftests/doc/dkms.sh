#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Test: mode=host timeout=300
#
# README's commands for DKMS, in folders of their own, for one of the kernels that
# lint builds the module for. DKMS is only unpacked, since the package, once
# installed, builds for the kernels of this machine. What is built is what is
# committed.
set -euo pipefail

# shellcheck source=selftests/ktap.sh
. "$(dirname "$0")/../ktap.sh"
# shellcheck source=selftests/doc/lib.sh
. "$(dirname "$0")/lib.sh"

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

unpacks()
{
	cd "$work"
	apt-get -q -o APT::Sandbox::User=root download dkms
	dpkg-deb -x dkms_*.deb package
}

# With the folders and the kernel that it would find where it is installed;
# depmod needs a whole kernel.
# shellcheck disable=SC2317 # called by README's commands
dkms()
{
	"$work/package/usr/sbin/dkms" "$@" --no-depmod \
		-k "$release" --kernelsourcedir "$headers" \
		--sourcetree "$work/src" --dkmstree "$work/tree" \
		--installtree "$work/modules"
}

installs()
{
	local commands

	commands=$(block "Building and installing" "By DKMS")
	echo "$commands"
	[ "$(wc -l <<<"$commands")" = 2 ]
	mkdir -p "$work/src" "$work/modules/$release"
	eval "${commands//\/usr\/src/"$work/src"}"
	[[ $(modinfo -F vermagic "$work/modules/$release"/*/*/tern.ko*) == "$release "* ]]
}

# The version is in the commands, in dkms.conf, and in the Makefile.
is_version()
{
	local version

	version=$(sed -n 's/^VERSION := //p' Makefile)
	[ -d "$work/tree/tern/$version/$release" ]
}

headers=$(selftests/vm/kernel --path 6.12 build)
release=$(basename "$(selftests/vm/kernel --path 6.12 modules)")
check "DKMS is there" unpacks
check "it installs the module" installs
check "of this version" is_version
finish
