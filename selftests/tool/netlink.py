#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
#
# Requests of generic netlink that the tool would not make: each is refused with
# a message and the attribute that is wrong, and changes nothing.

import ctypes
import errno
import os
import random
import socket
import struct
import subprocess
import sys

CLONE_NEWNET = 0x40000000
SOL_NETLINK = 270
NETLINK_EXT_ACK = 11
NETLINK_GENERIC = 16
NLMSG_ERROR, NLMSG_DONE = 2, 3
NLM_F_REQUEST, NLM_F_ACK, NLM_F_DUMP = 1, 4, 0x300
NLM_F_ACK_TLVS, NLM_F_CAPPED = 0x200, 0x100
ERR_ATTR_MSG, ERR_ATTR_OFFSET = 1, 2
NESTED = 0x8000
GENL_ID_CTRL, CTRL_CMD_GETFAMILY = 16, 3
CTRL_ATTR_ID, CTRL_ATTR_NAME = 1, 2

# include/uapi/linux/tern_netlink.h
NODE_GET, NODE_SET, NODE_DOWN, PEER_GET, SERVICE_GET, CALL_GET, STAT_GET = \
    range(1, 8)
A_NODE, A_SETTINGS, A_PEER = 1, 2, 3
(S_PORT, S_ADDRESSES, S_ALLOW, S_TIMEOUT, S_LEASE, S_GRACE, S_SLOTS, S_PEERS,
 S_CACHE) = range(2, 11)
ADDRESS, PREFIX, P_ADDRESS, P_LENGTH = 1, 1, 1, 2

results = []


def check(name, good, why=''):
    results.append(good)
    if not good:
        print(f'# {why}')
    print(f'{"ok" if good else "not ok"} {len(results)} - {name}', flush=True)


def attr(kind, data):
    whole = struct.pack('HH', len(data) + 4, kind) + data
    return whole + bytes(-len(whole) % 4)


def nest(kind, *inner):
    return attr(kind | NESTED, b''.join(inner))


def attrs_of(data):
    found = {}
    while len(data) >= 4:
        length, kind = struct.unpack_from('HH', data)
        found[kind & 0x3fff] = data[4:length]
        data = data[(length + 3) & ~3:]
    return found


class Refusal:
    """error: errno or 0; message and offset of the extended acknowledgement."""

    def __init__(self, header, data):
        flags = header[2]
        self.error = -struct.unpack_from('i', data)[0]
        self.message, self.offset = '', None
        if flags & NLM_F_ACK_TLVS:
            skip = 20
            if not flags & NLM_F_CAPPED:
                skip += (struct.unpack_from('I', data, 4)[0] - 16 + 3) & ~3
            found = attrs_of(data[skip:])
            self.message = found.get(ERR_ATTR_MSG, b'').rstrip(b'\0').decode()
            if ERR_ATTR_OFFSET in found:
                self.offset = struct.unpack('I', found[ERR_ATTR_OFFSET])[0]

    def __str__(self):
        return (f'{errno.errorcode.get(self.error, self.error)} '
                f'"{self.message}" at {self.offset}')


class Netlink:
    def __init__(self):
        self.socket = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW,
                                    NETLINK_GENERIC)
        self.socket.bind((0, 0))
        self.socket.setsockopt(SOL_NETLINK, NETLINK_EXT_ACK, 1)
        self.seq = 0
        self.family = GENL_ID_CTRL
        self.send(CTRL_CMD_GETFAMILY, attr(CTRL_ATTR_NAME, b'tern\0'))
        found = attrs_of(self.messages()[0][1][4:])
        self.family = struct.unpack('H', found[CTRL_ATTR_ID])[0]
        self.messages()

    def send(self, command, payload=b'', flags=NLM_F_ACK):
        self.seq += 1
        body = struct.pack('BBH', command, 1, 0) + payload
        self.socket.send(struct.pack('IHHII', len(body) + 16, self.family,
                                     NLM_F_REQUEST | flags, self.seq, 0) + body)

    def messages(self, size=65536):
        data, found = self.socket.recv(size), []
        while data:
            header = struct.unpack_from('IHHII', data)
            found.append((header, data[16:header[0]]))
            data = data[(header[0] + 3) & ~3:]
        return found

    def do(self, command, payload=b''):
        """Sends a request; returns how it ended."""
        self.send(command, payload)
        while True:
            for header, data in self.messages():
                if header[1] == NLMSG_ERROR and header[3] == self.seq:
                    return Refusal(header, data)

    def dump(self, command, size):
        """The objects of a list, read in pieces of so many bytes."""
        self.send(command, flags=NLM_F_DUMP)
        found = []
        while True:
            for header, data in self.messages(size):
                if header[1] == NLMSG_DONE:
                    return found
                if header[1] == NLMSG_ERROR:
                    raise OSError(str(Refusal(header, data)))
                found.append(data[4:])


def v4(text):
    return bytes(10) + b'\xff\xff' + socket.inet_aton(text)


def prefix(*inner):
    return nest(S_ALLOW, nest(PREFIX, *inner))


def settings():
    shown = subprocess.run(['tern', '-j', 'show'], check=True,
                           stdout=subprocess.PIPE)
    return shown.stdout


def u8(number):
    return struct.pack('B', number)


def u32(number):
    return struct.pack('I', number)


# Name, attributes within the settings, error, text in the message. The offset
# must be within the message; that of the tool's own errors is tested elsewhere.
REFUSED = [
    ('an unknown setting', attr(77, u32(1)), errno.EINVAL, 'nknown'),
    ('the pad', attr(1, b''), errno.EINVAL, 'nsupported'),
    ('a port of 4 bytes', attr(S_PORT, u32(1)), errno.EINVAL, 'length'),
    ('port 0', attr(S_PORT, b'\0\0'), errno.ERANGE, 'out of range'),
    ('a short time', attr(S_TIMEOUT, b'\1\0'), errno.EINVAL, 'length'),
    ('no time', attr(S_TIMEOUT, u32(0)), errno.ERANGE, 'out of range'),
    ('a time of more than a day', attr(S_TIMEOUT, u32(86400001)),
     errno.ERANGE, 'out of range'),
    ('a short lease', attr(S_LEASE, u32(4999)), errno.ERANGE, 'out of range'),
    ('a long lease', attr(S_LEASE, u32(3600001)), errno.ERANGE, 'out of range'),
    ('a long grace', attr(S_GRACE, u32(60001)), errno.ERANGE, 'out of range'),
    ('too many slots', attr(S_SLOTS, u32(4097)), errno.ERANGE, 'out of range'),
    ('slots in odd steps', attr(S_SLOTS, u32(100)), errno.EINVAL, 'multiple'),
    ('a size of 4 bytes', attr(S_CACHE, u32(1)), errno.EINVAL, 'length'),
    ('a list that is no nest', attr(S_ALLOW, b''), errno.EINVAL, ''),
    ('an address of 15 bytes', nest(S_ADDRESSES, attr(ADDRESS, bytes(15))),
     errno.ERANGE, ''),
    ('the address ::', nest(S_ADDRESSES, attr(ADDRESS, bytes(16))),
     errno.EINVAL, 'not the address of a host'),
    ('the address 0.0.0.0', nest(S_ADDRESSES, attr(ADDRESS, v4('0.0.0.0'))),
     errno.EINVAL, 'not the address of a host'),
    ('an IPv6 multicast address',
     nest(S_ADDRESSES, attr(ADDRESS, b'\xff\2' + bytes(13) + b'\1')),
     errno.EINVAL, 'not the address of a host'),
    ('an IPv4 multicast address',
     nest(S_ADDRESSES, attr(ADDRESS, v4('224.0.0.1'))),
     errno.EINVAL, 'not the address of a host'),
    ('nine addresses',
     nest(S_ADDRESSES, *[attr(ADDRESS, v4(f'127.0.0.{i}'))
                         for i in range(1, 10)]),
     errno.E2BIG, 'too many addresses'),
    ('a prefix without a length', prefix(attr(P_ADDRESS, bytes(16))),
     errno.EINVAL, 'missing'),
    ('a prefix without an address', prefix(attr(P_LENGTH, u8(8))),
     errno.EINVAL, 'missing'),
    ('a prefix with neither', prefix(), errno.EINVAL, 'missing'),
    ('a prefix of 129 bits',
     prefix(attr(P_ADDRESS, bytes(16)), attr(P_LENGTH, u8(129))),
     errno.ERANGE, 'out of range'),
    ('a prefix with bits beyond its length',
     prefix(attr(P_ADDRESS, v4('10.0.0.1')), attr(P_LENGTH, u8(104))),
     errno.EINVAL, 'beyond'),
    ('257 prefixes',
     nest(S_ALLOW, *[nest(PREFIX, attr(P_ADDRESS, v4(f'10.{i % 2}.{i // 2}.0')),
                          attr(P_LENGTH, u8(120))) for i in range(257)]),
     errno.E2BIG, 'too many prefixes'),
    ('a good setting before a wrong one',
     attr(S_TIMEOUT, u32(4321)) + attr(S_SLOTS, u32(0)), errno.ERANGE, ''),
]


def refusals(netlink):
    before = settings()
    for name, payload, error, text in REFUSED:
        message = nest(A_SETTINGS, payload)
        end = netlink.do(NODE_SET, message)
        # 16 bytes of netlink, 4 of generic netlink, 4 of the nest
        check(f'{name} is refused',
              end.error == error and text in end.message and
              end.offset is not None and 24 <= end.offset < 20 + len(message),
              end)
    check('nothing has changed', settings() == before, settings())


def others(netlink):
    end = netlink.do(NODE_SET, nest(A_NODE, attr(2, b'')))
    check('the state of the node cannot be set', end.error == errno.EINVAL, end)
    end = netlink.do(NODE_SET, nest(A_PEER, attr(2, bytes(16))))
    check('a peer cannot be set', end.error == errno.EINVAL, end)
    end = netlink.do(PEER_GET)
    check('a list cannot be had without a dump',
          end.error == errno.EOPNOTSUPP, end)
    end = netlink.do(99)
    check('an unknown command', end.error == errno.EOPNOTSUPP, end)
    end = netlink.do(NODE_SET)
    check('a node comes up without settings', end.error == 0, end)
    end = netlink.do(NODE_SET, nest(A_SETTINGS))
    check('and with empty ones', end.error == 0, end)
    end = netlink.do(NODE_DOWN)
    check('and goes down', end.error == 0, end)


def small_pieces(netlink):
    """The kernel fits what it sends to what is asked for."""
    whole = netlink.dump(STAT_GET, 65536)
    pieces = Netlink().dump(STAT_GET, 4096)
    check('a list in small pieces is the same', whole == pieces and
          len(whole) > 20, (len(whole), len(pieces)))


def noise(netlink):
    """Attributes at random, of which some are right."""
    chance = random.Random(1)
    ends = {}
    for _ in range(3000):
        inner = b''
        for _ in range(chance.randrange(1, 5)):
            data = bytes(chance.choice((0, 0, 1, 255, chance.randrange(256)))
                         for _ in range(chance.choice((0, 1, 2, 4, 8, 16, 20))))
            kind = chance.randrange(13) | chance.choice((0, NESTED))
            inner += attr(kind, data)
        if chance.random() < 0.1:
            inner = inner[:chance.randrange(len(inner))]
        end = netlink.do(chance.choice((NODE_SET, NODE_DOWN)),
                         nest(chance.choice((A_NODE, A_SETTINGS)), inner))
        ends[end.error] = ends.get(end.error, 0) + 1
    check('noise is refused or taken', ends.get(0, 0) > 0 and
          ends.get(errno.EINVAL, 0) > 0 and ends.get(errno.ERANGE, 0) > 0, ends)
    netlink.do(NODE_DOWN)
    subprocess.run(['tern', 'up', 'port', '18018', 'address', 'any',
                    'timeout', '10s'], check=True)
    check('the node still works',
          subprocess.run(['tern', 'ping', '::1', 'count', '1', 'timeout', '9s'],
                         stdout=subprocess.DEVNULL).returncode == 0)


def main():
    if ctypes.CDLL(None).unshare(CLONE_NEWNET):
        sys.exit(f'cannot make a network namespace: {os.getpid()}')
    subprocess.run(['ip', 'link', 'set', 'lo', 'up'], check=True)
    print('KTAP version 1')
    netlink = Netlink()
    refusals(netlink)
    others(netlink)
    small_pieces(netlink)
    noise(netlink)
    print(f'1..{len(results)}')
    sys.exit(0 if all(results) else 1)


main()
