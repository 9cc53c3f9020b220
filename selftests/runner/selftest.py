#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
# Test: mode=host timeout=120
"""Runs the runner on made-up tests, in a tree with a made-up machine."""

import os
import re
import shutil
import subprocess
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
SELFTESTS = os.path.dirname(HERE)

# "runs" a guest's command here, where nothing may reach the kernel's log
VM = r'''#!/bin/bash
while getopts k:c:t:o:T option; do
	case $option in
	k) export TERN_KERNEL=$OPTARG ;;
	c) command=$OPTARG ;;
	o) export TERN_OUT=$OPTARG ;;
	*) ;;
	esac
done
mkfifo dead 2>/dev/null
(read -r <dead; kill -9 $$) &
trap 'kill %1' EXIT
export command
unshare --user --map-root-user --mount bash -c \
	'mount --bind /dev/null /dev/kmsg; exec $command' || exit
echo "console of $TERN_KERNEL" >&2
exit "$(cat vm-status 2>/dev/null || echo 0)"
'''
NOTHING = '#!/bin/bash\n'

# name: (body, counts of passed, failed and skipped)
PROGRAMS = {
    'pass': ('echo 1..2; echo ok 1 a; echo ok 2 b', (2, 0, 0)),
    'fail': ('echo 1..2; echo ok 1 a; echo not ok 2 b; exit 1', (1, 1, 0)),
    'skip': ('echo "1..0 # SKIP not here"; exit 4', (0, 0, 1)),
    'skip-one': ('echo 1..2; echo ok 1 a; echo "ok 2 b # SKIP not here"', (1, 0, 1)),
    'mute': (':', (0, 1, 0)),
    'no-plan': ('echo ok 1 a', (1, 1, 0)),
    'short': ('echo 1..3; echo ok 1 a; echo ok 2 b', (2, 1, 0)),
    'twice': ('echo 1..2; echo ok 1 a; echo ok 1 a', (2, 1, 0)),
    'lie-good': ('echo 1..1; echo not ok 1 a', (0, 2, 0)),
    'lie-bad': ('echo 1..1; echo ok 1 a; exit 3', (1, 1, 0)),
    'lie-skip': ('echo 1..1; echo ok 1 a; exit 4', (1, 1, 0)),
    'no-newline': ('echo 1..1; printf "ok 1 a"', (1, 0, 0)),
    'nested': ('echo "1..2"; echo "    1..2"; echo "    ok 1 a"; echo "    ok 2 b"; '
               'echo "ok 1 s"; echo "    1..1"; echo "    not ok 1 c"; '
               'echo "not ok 2 t"; exit 1', (2, 1, 0)),
    'bail': ('echo 1..1; echo ok 1 a; echo "Bail out! no"; exit 1', (1, 1, 0)),
}
HANG = 'trap "" TERM; echo 1..1; echo ok 1 a; while :; do sleep 1 & wait; done'

count = failed = 0


def check(name, holds, shown=''):
    global count, failed
    count += 1
    if not holds:
        failed += 1
        for line in shown.splitlines():
            print('# ' + line)
    print(f'{"ok" if holds else "not ok"} {count} - {name}', flush=True)


class Tree:
    """A folder with the runner, a machine and tests."""

    def __init__(self, tests, vm=VM):
        self.folder = tempfile.TemporaryDirectory()
        self.top = self.folder.name
        shutil.copytree(HERE, self.top + '/selftests/runner',
                        ignore=shutil.ignore_patterns('selftest.py', '__pycache__'))
        shutil.copy(SELFTESTS + '/run', self.top + '/selftests/run')
        for name, text in (('vm', vm), ('kernel', NOTHING), ('module', NOTHING)):
            self.script('selftests/vm/' + name, text)
        for name, (declaration, body) in tests.items():
            self.script(f'selftests/a/{name}.sh',
                        f'#!/bin/bash\n# Test: {declaration}\n{body}\n')

    def script(self, path, text):
        path = os.path.join(self.top, path)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, 'w', encoding='utf-8') as file:
            file.write(text)
        os.chmod(path, 0o755)

    def run(self, *args, ci='false'):
        """Exit status, output, and the counts of the last line."""
        process = subprocess.run(
            [self.top + '/selftests/run', *args], text=True, check=False,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, env=dict(os.environ, CI=ci))
        last = (process.stdout.splitlines() or [''])[-1]
        match = re.fullmatch(r'(\d+) passed, (\d+) failed, (\d+) skipped', last)
        counts = tuple(int(n) for n in match.groups()) if match else None
        return process.returncode, process.stdout, counts


def reports(declaration, where):
    """What each kind of test program makes of a run, alone."""
    for name, (body, counts) in PROGRAMS.items():
        status, output, seen = Tree({name: (declaration, body)}).run()
        good = not counts[1] and counts[0]
        check(f'{name}, {where}', seen == counts and (status == 0) == bool(good),
              f'expected {counts}, status {status}\n{output}')


def together():
    tree = Tree({name: ('kernels=6.1,uml', body)
                 for name, (body, _) in PROGRAMS.items()})
    total = tuple(2 * sum(column)
                  for column in zip(*(counts for _, counts in PROGRAMS.values())))
    status, output, seen = tree.run()
    check('the sum of all, in one boot and in many', seen == total and status == 1,
          f'expected {total}\n{output}')
    status, output, seen = tree.run('-k', '6.1', 'a/pass', 'skip*')
    check('a kernel and globs choose', seen == (2, 0, 0) and status == 0, output)
    status, output, seen = tree.run('-k', '6.1', 'a/skip*')
    check('skips are no failures', seen == (1, 0, 2) and status == 0, output)
    status, output, seen = tree.run('-k', '6.1', 'a/skip*', '--strict')
    check('skips are failures with --strict', seen == (1, 0, 2) and status == 1, output)
    status, output, seen = tree.run('-k', '6.1', 'a/skip*', ci='true')
    check('skips are failures with CI=true', seen == (1, 0, 2) and status == 1, output)
    tree = Tree({'slow': ('quick=no', PROGRAMS['pass'][0])})
    status, output, seen = tree.run()
    check('uml is left out of slow tests', seen == (6, 0, 0) and status == 0
          and ' uml ' not in output, output)
    status, output, seen = tree.run('-k', 'uml')
    check('unless it is asked for', seen == (2, 0, 0) and status == 0, output)
    tree = Tree({})
    status, output, _ = tree.run('nothing')
    check('no test matches', status == 1 and 'no test matches nothing' in output, output)


def limits():
    for declaration in ('mode=host timeout=1', 'kernels=uml timeout=1'):
        tree = Tree({'hang': (declaration, HANG)})
        status, output, seen = tree.run()
        check(f'a test hangs, {declaration}', status == 1 and seen[1] == 1, output)


def guests():
    passing = PROGRAMS['pass'][0]
    tests = {'a': ('kernels=6.1', passing), 'b': ('kernels=6.1', passing),
             'c': ('kernels=6.1', passing)}
    tree = Tree(tests | {'b': ('kernels=6.1', 'echo 1..1; echo >dead; sleep 5')})
    status, output, seen = tree.run()
    check('a guest that dies fails the tests without a result',
          status == 1 and seen == (2, 3, 0) and 'during this test' in output
          and 'not run' in output, output)
    for name, chosen, expected in (('several', tests, (6, 1, 0)),
                                   ('one', {'a': tests['a']}, (2, 1, 0))):
        tree = Tree(chosen)
        tree.script('vm-status', '125')
        status, output, seen = tree.run()
        check(f'the status of a guest with {name} counts, its console is shown',
              status == 1 and seen == expected and '| console of 6.1' in output, output)
    tree = Tree(tests)
    tree.script('selftests/vm/module', '#!/bin/bash\necho no compiler; exit 1\n')
    status, output, seen = tree.run()
    check('a module that cannot be built fails its tests',
          status == 1 and seen == (0, 3, 0) and '| no compiler' in output, output)


def lives(pid):
    try:
        with open(f'/proc/{pid}/stat', encoding='utf-8') as file:
            return file.read().rpartition(')')[2].split()[0] != 'Z'
    except OSError:
        return False


def interrupted():
    # as a guest, what it starts has a session of its own, and it ends that itself
    body = ('setsid sleep 1000 & trap "kill $!; exit" TERM; '
            'echo $$ $! >>pids; echo 1..1; wait; echo ok 1 a')
    body = f"bash -c '{body}'; true"
    tree = Tree({name: ('mode=host', body) for name in 'abcd'})
    os.mkfifo(tree.top + '/pids')
    process = subprocess.Popen([tree.top + '/selftests/run'], text=True,
                               stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)
    with open(os.open(tree.top + '/pids', os.O_RDWR), encoding='utf-8') as pids:
        tests = [int(pid) for _ in range(2) for pid in pids.readline().split()]
        process.terminate()
        output = process.communicate()[0]
    # they were killed, but die when the kernel comes to it
    alive, until = tests, time.monotonic() + 10
    while alive and time.monotonic() < until:
        alive = [pid for pid in alive if lives(pid)]
        time.sleep(0.01)
    check('a runner that is ended leaves nothing running',
          process.returncode == 143 and not alive,
          f'status {process.returncode}, alive {alive}\n{output}')


def declarations():
    for declaration, word in (('mode=boat', 'boat'), ('kernels=2.4', '2.4'),
                              ('colour=red', 'colour=red'),
                              ('quick=maybe', 'quick=maybe'),
                              ('kernels=uml quick=no', 'quick=no'),
                              ('mode=host kernels=uml', 'uml')):
        status, output, _ = Tree({'a': (declaration, ':')}).run()
        check(f'{declaration} is refused', status == 1 and word in output, output)


print('KTAP version 1')
reports('mode=host', 'on the host')
reports('kernels=6.1', 'in a guest')
together()
limits()
guests()
interrupted()
declarations()
print(f'1..{count}')
raise SystemExit(failed != 0)
