#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
#
# Lists of hundreds of services and calls, which take many messages of netlink:
# each is there once, also while others come and go.

import ctypes
import json
import os
import subprocess
import sys
import threading

CLONE_NEWNET = 0x40000000
PROGRAM = 2000
SERVICES = 400
CALLS = 300
TIMEOUT_MS = 100000
SOL_SOCKET = 1
SO_SNDBUFFORCE = 32
SO_RCVBUFFORCE = 33

libc = ctypes.CDLL(None, use_errno=True)
tern = ctypes.CDLL('libtern.so.0')
results = []


class Address(ctypes.Structure):
    """struct sockaddr_tern"""
    _fields_ = [('family', ctypes.c_uint16), ('port', ctypes.c_uint16),
                ('scope', ctypes.c_uint32), ('address', ctypes.c_uint8 * 16),
                ('service', ctypes.c_uint32), ('version', ctypes.c_uint32)]


class Options(ctypes.Structure):
    """struct tern_call_opts"""
    _fields_ = [('timeout_ms', ctypes.c_uint32), ('flags', ctypes.c_uint32),
                ('resv', ctypes.c_uint32 * 6)]


def check(name, good, why=''):
    results.append(good)
    if not good:
        print(f'# {why}')
    print(f'{"ok" if good else "not ok"} {len(results)} - {name}', flush=True)


def show(what):
    """The objects that the tool lists."""
    done = subprocess.run(['tern', '-j', what, 'show'], check=True,
                          stdout=subprocess.PIPE)
    return json.loads(done.stdout)


def bind(program, version):
    fd = tern.tern_socket(0)
    error = tern.tern_bind(fd, program, version, 0)
    if fd < 0 or error:
        sys.exit(f'cannot bind {program}.{version}: {fd} {error}')
    return fd


def enlarge(fd, option):
    """Room for all calls; the default buffers would make them wait."""
    size = ctypes.c_int(1 << 26)
    if libc.setsockopt(fd, SOL_SOCKET, option, ctypes.byref(size), 4):
        sys.exit('cannot enlarge a buffer')


def numbers(services):
    return [(s['program'], s['version']) for s in services
            if s['program'] >= PROGRAM]


def many_services():
    wanted = {(PROGRAM + i, i % 3) for i in range(SERVICES)}
    fds = [bind(program, version) for program, version in sorted(wanted)]
    seen = numbers(show('service'))
    check('every service is listed once',
          len(seen) == SERVICES and set(seen) == wanted, len(seen))
    return fds


def changing_services():
    stop = threading.Event()
    first = PROGRAM + SERVICES

    def change():
        fds = []
        while not stop.is_set():
            fds = [bind(first + i, 1) for i in range(200)]
            for fd in fds:
                os.close(fd)

    thread = threading.Thread(target=change)
    thread.start()
    good = True
    for _ in range(8):
        seen = [s for s in numbers(show('service')) if s[0] < first]
        good = good and len(seen) == SERVICES == len(set(seen))
    stop.set()
    thread.join()
    check('services that stay are listed once while others come and go', good,
          len(seen))


def many_calls(service):
    """To the first service of many_services(), which never replies."""
    address = Address()
    if tern.tern_addr_parse(b'any/%d.0' % PROGRAM, ctypes.byref(address)):
        sys.exit('cannot parse an address')
    options = Options(timeout_ms=TIMEOUT_MS)
    fd = tern.tern_socket(0)
    enlarge(fd, SO_SNDBUFFORCE)
    enlarge(service, SO_RCVBUFFORCE)
    for number in range(CALLS):
        error = tern.tern_send_call(fd, ctypes.byref(address),
                                    ctypes.c_uint64(number), number + 1,
                                    None, ctypes.c_size_t(0),
                                    ctypes.byref(options))
        if error:
            sys.exit(f'cannot send call {number}: {error}')
    calls = show('call')
    mine = [c['procedure'] for c in calls
            if c['side'] == 'client' and c['program'] == PROGRAM]
    check('every call is listed once on the client side',
          sorted(mine) == list(range(1, CALLS + 1)), len(mine))
    served = [c for c in calls if c['side'] == 'server']
    check('calls on the server side are queued at the service',
          len(served) == CALLS and
          all(c['program'] == PROGRAM and c['state'] == 'queued'
              for c in served), len(served))
    check('calls have an age and time left',
          all(0 <= c['age_ms'] and
              # each node rounds the rest of the time up
              0 < c['age_ms'] + c['left_ms'] <= TIMEOUT_MS + 2
              for c in calls), calls[:2])
    queued = [s['queued'] for s in show('service') if s['program'] == PROGRAM]
    check('the service counts them', queued == [CALLS], queued)
    os.close(fd)
    check('calls of a socket that is closed are gone', not show('call'))


def main():
    if libc.unshare(CLONE_NEWNET):
        sys.exit('cannot make a network namespace')
    subprocess.run(['ip', 'link', 'set', 'lo', 'up'], check=True)
    print('KTAP version 1')
    check('no services at first', show('service') == [])
    check('no calls at first', show('call') == [])
    check('no peers at first', show('peer') == [])
    fds = many_services()
    changing_services()
    many_calls(fds[0])
    for fd in fds:
        os.close(fd)
    check('services of sockets that are closed are gone', show('service') == [])
    print(f'1..{len(results)}')
    sys.exit(0 if all(results) else 1)


main()
