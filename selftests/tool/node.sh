#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# tern up, down, show: settings, their limits, and who may change them.
set -euo pipefail

# shellcheck source=selftests/tool/lib.sh
. "$(dirname "$0")/lib.sh"

namespace node
# shellcheck disable=SC2154
tern=("${node[@]}" tern)

epoch()
{
	"${tern[@]}" -j show | jq -r .epoch
}

is_free()
{
	! "${node[@]}" grep "$1" /proc/net/udp /proc/net/udp6
}

check "a new node is down" shows '
	.up == false and (has("epoch") | not) and
	.port == 18018 and .address == [] and .allow == [] and
	.timeout_ms == 10000 and .lease_ms == 60000 and .grace_ms == 1000 and
	.slots == 1024 and .services == 0 and .associations == 0 and
	.message_max == 65536' \
	"${tern[@]}" -j show
check "show as text" matches '^node down ' "${tern[@]}" show
check "show the default settings as text" \
	matches 'timeout 10s lease 60s grace 1s slots 1024' "${tern[@]}" show

check "up" "${tern[@]}" up
check "the node is up" shows '
	.up == true and (.epoch | test("^0x[0-9a-f]{16}$")) and
	.uptime_ms < 60000' "${tern[@]}" -j show
first=$(epoch)
check "up again changes nothing" "${tern[@]}" up
check "the epoch is the same" prints "$first" epoch

check "change every setting that a node which is up can change" \
	"${tern[@]}" up allow 10.8.0.0/24 allow fd08::/64 allow 10.9.0.1 \
	timeout 1500ms lease 5s grace 1min slots 64 peers 10 cache-peer 1M \
	cache-net 2M queue-peer 1.5M queue-net 3000000
check "the settings are changed" shows '
	.allow == ["10.8.0.0/24", "fd08::/64", "10.9.0.1/32"] and
	.timeout_ms == 1500 and .lease_ms == 5000 and .grace_ms == 60000 and
	.slots == 64 and .peers == 10 and
	.cache_peer == 1048576 and .cache_net == 2097152 and
	.queue_peer == 1572864 and .queue_net == 3000000' "${tern[@]}" -j show
check "change one setting" "${tern[@]}" up timeout 2s
check "the others are as they were" shows '
	.timeout_ms == 2000 and .lease_ms == 5000 and (.allow | length) == 3' \
	"${tern[@]}" -j show
check "replace a list" "${tern[@]}" up allow ::/0
check "the list is replaced" shows '.allow == ["::/0"]' "${tern[@]}" -j show
check "empty a list" "${tern[@]}" up allow none
check "the list is empty" shows '.allow == []' "${tern[@]}" -j show
check "show an empty list as text" matches 'allow none$' "${tern[@]}" show

# What the kernel refuses: 2 where no node could have that, 1 where this one cannot.
while IFS='|' read -r want words text; do
	before=$("${tern[@]}" -j show | jq -c 'del(.uptime_ms)')
	# shellcheck disable=SC2086
	check "tern $words" refused "$want" "$text" "${tern[@]}" $words
	check "tern $words changes nothing" shows \
		"del(.uptime_ms) == $before" "${tern[@]}" -j show
done <<'EOT'
2|up address 127.0.0.1 address ::ffff:127.0.0.1|cannot set up the node: address: given twice
2|up address fe80::1|cannot set up the node: address: link-local addresses cannot be chosen
2|up port 0|cannot set up the node: port: must be from 1 to 65535
2|up lease 0|cannot set up the node: lease: must be from 5s to 1h
2|up lease 4999|cannot set up the node: lease: must be from 5s to 1h
2|up lease 3600001|cannot set up the node: lease: must be from 5s to 1h
2|up grace 60001|cannot set up the node: grace: must be from 0ms to 60s
2|up timeout 0|cannot set up the node: timeout: must be from 1ms to 24h
2|up timeout 86400001|cannot set up the node: timeout: must be from 1ms to 24h
2|up slots 0|cannot set up the node: slots: must be from 64 to 4096
2|up slots 100|cannot set up the node: slots: not a multiple of 64
2|up slots 4160|cannot set up the node: slots: must be from 64 to 4096
2|up peers 0|cannot set up the node: peers: must be from 1 to 4294967295
1|up timeout 3s port 18019|cannot set up the node: port:
1|up timeout 3s address ::1|cannot set up the node: address:
2|up timeout 3s lease 1h slots 5000|cannot set up the node: slots:
EOT

mapfile -t many < <(for i in {0..256}; do echo allow; echo "10.0.$i.0/32"; done |
	sed 's/10.0.256.0/10.1.0.0/')
check "too many prefixes" refused 2 "allow:" "${tern[@]}" up "${many[@]}"
check "as many prefixes as there may be" "${tern[@]}" up "${many[@]:2}"
check "all prefixes are there" shows '.allow | length == 256' \
	"${tern[@]}" -j show

check "down" "${tern[@]}" down
check "the node is down, its settings are kept" shows '
	.up == false and (has("epoch") | not) and .timeout_ms == 2000' \
	"${tern[@]}" -j show
check "down again" "${tern[@]}" down
check "up with another port and address" \
	"${tern[@]}" up port 4000 address 127.0.0.1 address ::1
check "the port and the addresses are changed" shows '
	.up and .port == 4000 and .address == ["127.0.0.1", "::1"]' \
	"${tern[@]}" -j show
check "a node that comes up has a new epoch" test "$first" != "$(epoch)"
check "the port is in use" "${node[@]}" grep -q 0100007F:0FA0 /proc/net/udp
check "down with a port" "${tern[@]}" down
check "the port is free" is_free :0FA0
check "an address of another host" \
	refused 1 "address:" "${tern[@]}" up address 192.0.2.1
check "the node stays down" shows '.up == false' "${tern[@]}" -j show
check "any address" "${tern[@]}" up address any port 18018
check "show any address" matches 'port 18018 address any$' "${tern[@]}" show

# The project may be in a folder that only its owner can enter.
chmod 755 "$work"
cp "$(command -v tern)" build/lib/libtern.so.0 "$work/"
nobody=(env PATH="$work:$PATH" LD_LIBRARY_PATH="$work"
	setpriv --reuid 65534 --regid 65534 --clear-groups)
check "others may look" shows .up "${node[@]}" "${nobody[@]}" tern -j show
check "others may not offer a service of a low number" \
	refused 1 "programs below 1024 need CAP_NET_BIND_SERVICE" \
	"${node[@]}" "${nobody[@]}" tern serve 1023 --exec true
for program in 0 15; do
	check "nobody may offer service $program" \
		refused 1 "programs below 16 are the kernel's" \
		"${tern[@]}" serve $program --exec true
	check "service 3.$program cannot be called" \
		refused 2 "programs below 16 are the kernel's, which has only 0.0" \
		"${tern[@]}" call "any/3.$program" 1
done
check "a group of hosts cannot be called" \
	refused 2 "not the address of one host" \
	"${tern[@]}" call 224.0.0.1/5000 1
check "nor be asked whether it is there" \
	refused 2 "not the address of one host" "${tern[@]}" ping 224.0.0.1
for words in up "up timeout 1s" down; do
	# shellcheck disable=SC2086
	check "others may not: tern $words" refused 1 "not permitted" \
		"${node[@]}" "${nobody[@]}" tern $words
	# shellcheck disable=SC2086
	check "root of another user namespace may not: tern $words" \
		refused 1 "not permitted" \
		"${node[@]}" "${nobody[@]}" unshare -Ur tern $words
done
check "root of the namespace's user namespace may" \
	"${nobody[@]}" unshare -Urn sh -c '
	ip link set lo up && tern up && tern -j show | jq -e .up && tern down'
# Memory beyond the defaults is the host's to give.
for setting in peers:16384:20000 cache-peer:16M:17M cache-net:256M:257M \
	queue-peer:16M:17M queue-net:256M:1000G; do
	IFS=: read -r word usual more <<<"$setting"
	check "it may not raise $word" refused 1 \
		"$word: above the default it takes CAP_NET_ADMIN in the initial user namespace" \
		"${nobody[@]}" unshare -Urn tern up "$word" "$more"
	check "but lower it, and back" "${nobody[@]}" unshare -Urn sh -ec "
		tern up $word 1
		tern -j show | jq -e '.${word/-/_} == 1'
		tern up $word $usual"
	check "the host's root may raise $word" "${tern[@]}" up "$word" "$more"
	check "and lower it" "${tern[@]}" up "$word" "$usual"
done
check "namespaces are apart" shows .up "${tern[@]}" -j show
finish
