# SPDX-License-Identifier: GPL-2.0
"""Finds the tests and what they declare about themselves.

A test is a C or C++ program in a folder of selftests/, an executable .sh or .py
file there or in vm/tests/, or another executable with a declaration. Within its
first lines a comment may declare what differs from the defaults:

    Test: mode=guest kernels=uml,6.1,6.12,debug timeout=120
    Test: none

mode      guest   runs in a guest with the module loaded
          travel  the same, in a guest whose time runs ahead when it is idle
                  (uml only); the timeout is in real seconds
          icount  the same, in a guest of its own whose clock counts
                  instructions (6.12, 6.1)
          vm2     runs here and boots its own guests of $TERN_KERNEL
          host    runs here and needs no kernel
kernels   for which kernels it runs, each time alike
timeout   seconds until it is ended, multiplied for the slower kernels
quick     "no": when all kernels are tested, uml is left out, whose checks the
          debug kernel has, too
none      this file is no test

The tests of the machine itself, vm/tests/, are mode=vm2 by default.
"""

import fnmatch
import os
import re
from dataclasses import dataclass

KERNELS = ('uml', '6.1', '6.12', 'debug')
MODES = {'guest': KERNELS, 'travel': ('uml',), 'icount': ('6.12', '6.1'),
         'vm2': ('uml',), 'host': ('host',)}
SLOWER = {'host': 1, 'uml': 1, '6.1': 2, '6.12': 2, 'debug': 4}
SOURCES = ('.c', '.cc')
SCRIPTS = ('.sh', '.py')
DECLARATION = re.compile(r'^[\s/*#]*Test:\s+(none|\w+=\S.*?)\s*(?:\*/)?$')


class Mistake(Exception):
    """A declaration that cannot be understood."""


@dataclass(frozen=True)
class Test:
    name: str
    kernel: str
    mode: str
    timeout: int
    command: str
    quick: bool


def declaration(path):
    with open(path, encoding='utf-8', errors='replace') as file:
        for _, line in zip(range(40), file):
            match = DECLARATION.match(line)
            if match:
                return match[1]
    return None


def kernels_of(mode, value):
    if value is None:
        return MODES[mode]
    kernels = tuple(value.split(','))
    allowed = KERNELS if mode == 'vm2' else MODES[mode]
    for kernel in kernels:
        if kernel not in allowed:
            raise Mistake(f'no kernel {kernel} with mode={mode}')
    return kernels


def tests_of(name, command, words):
    values = dict(word.partition('=')[::2] for word in words)
    mode = values.pop('mode', 'guest')
    if mode not in MODES:
        raise Mistake(f'no mode {mode}')
    kernels = kernels_of(mode, values.pop('kernels', None))
    timeout = values.pop('timeout', '120')
    quick = values.pop('quick', 'yes')
    if not timeout.isdigit() or quick not in ('yes', 'no') or values:
        raise Mistake(f'not understood: {" ".join(words)}')
    if quick == 'no' and not {'uml', 'debug'} <= set(kernels):
        raise Mistake('quick=no is for tests on uml and on debug')
    return [Test(name, kernel, mode, int(timeout) * SLOWER[kernel], command,
                 quick == 'yes')
            for kernel in kernels]


def look_at(top, folder, path, programs):
    """(name, command, words) of the test in folder/path, or None."""
    full = os.path.join(top, folder, path)
    base, extension = os.path.splitext(path)
    in_machine = path.startswith('vm/')
    if extension in SOURCES and path.count('/') == 1 and not in_machine:
        command = os.path.join(programs, folder, base)
    elif os.access(full, os.X_OK):
        command = os.path.join(folder, path)
    else:
        return None
    words = declaration(full)
    if words is None:
        if extension not in SOURCES + SCRIPTS:
            return None
        if in_machine and not path.startswith('vm/tests/'):
            return None
        words = 'mode=vm2' if in_machine else ''
    if words == 'none':
        return None
    return base.replace('vm/tests/', 'vm/'), command, words.split()


def find(top, folder='selftests', programs='build'):
    """All tests below top/folder."""
    found = {}
    for where, folders, files in os.walk(os.path.join(top, folder)):
        folders.sort()
        for file in sorted(files):
            path = os.path.relpath(os.path.join(where, file),
                                   os.path.join(top, folder))
            seen = look_at(top, folder, path, programs)
            if seen is None:
                continue
            name = seen[0]
            if name in found:
                raise Mistake(f'{path}: another test is called {name}, too')
            try:
                found[name] = tests_of(*seen)
            except Mistake as mistake:
                raise Mistake(f'{path}: {mistake}') from None
    return [test for tests in found.values() for test in tests]


def matches(name, globs):
    return any(fnmatch.fnmatchcase(name, glob) or
               fnmatch.fnmatchcase(name, glob + '/*') for glob in globs)
