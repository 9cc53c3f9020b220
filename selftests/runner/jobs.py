# SPDX-License-Identifier: GPL-2.0
"""Runs tests: on the host, or in a guest, which then runs one or several."""

import os
import secrets
import selectors
import shutil
import signal
import subprocess
import tempfile
import threading
import time
from dataclasses import dataclass

from . import ktap

BOOT = 240  # seconds that a guest may take to boot, and to end
MACHINE = 'selftests/vm'
LOGS = 'build/check'
CLOCKS = {'travel': '-T', 'icount': '-i'}  # options of the machine
# guests that share a kernel's tests: of the slow one several, to run side by side
GUESTS = {'6.12': 1, '6.1': 1, 'debug': 3}


@dataclass
class Job:
    """What takes one of the places: a guest's tests, or one on the host."""
    kernel: str
    mode: str
    tests: list
    name: str  # of the log of what belongs to no test

    @property
    def smp(self):
        """Whether its guest has two processors."""
        return self.kernel not in ('host', 'uml')


def jobs_of(tests):
    """Few boots for all tests of a stock or debug kernel; else one for each.

    Those of many tests come first, since they take the longest.
    """
    alone, shared = [], {}
    for test in tests:
        if test.mode == 'guest' and test.kernel in GUESTS:
            shared.setdefault(test.kernel, []).append(test)
        else:
            alone.append(Job(test.kernel, test.mode, [test], test.name))
    return [Job(kernel, 'guest', several[i::GUESTS[kernel]], f'guest-{i + 1}')
            for kernel, several in shared.items()
            for i in range(min(GUESTS[kernel], len(several)))] + alone


class Lines:
    """Lines of a process's output, with a time limit for each wait."""

    def __init__(self, process):
        self.process = process
        self.rest = b''
        self.selector = selectors.DefaultSelector()
        self.selector.register(process.stdout, selectors.EVENT_READ)

    def __call__(self, deadline):
        """The lines that came, [] at the end of the output, None at the deadline."""
        while b'\n' not in self.rest:
            ended = self.process.poll() is not None
            wait = 0 if ended else min(1, max(0, deadline - time.monotonic()))
            data = b''
            if self.selector.select(wait):
                data = os.read(self.process.stdout.fileno(), 65536)
            elif not ended:
                if time.monotonic() < deadline:
                    continue
                return None
            if not data:
                # at the end, or it has ended and left children with its output
                last, self.rest = self.rest, b''
                return [last.decode(errors='replace')] if last else []
            self.rest += data
        whole, _, self.rest = self.rest.rpartition(b'\n')
        return whole.decode(errors='replace').split('\n')


running = set()
stopping = threading.Event()
starting = threading.Lock()


def start(command, **options):
    with starting:
        if stopping.is_set():
            raise InterruptedError
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL,
                                   start_new_session=True, **options)
        running.add(process)
    return process


def signal_group(process, number):
    try:
        os.killpg(process.pid, number)
        return True
    except ProcessLookupError:
        return False


def stop(process):
    """Ends a process that has not ended, and its group: politely, then at once."""
    if process.poll() is None and signal_group(process, signal.SIGTERM):
        until = time.monotonic() + 20
        while signal_group(process, 0) and time.monotonic() < until:
            process.poll()
            time.sleep(0.02)
    signal_group(process, signal.SIGKILL)
    running.discard(process)
    return process.wait()


def stop_all():
    """Ends everything that was started, and lets nothing start any more."""
    with starting:
        stopping.set()
    for process in list(running):
        stop(process)


def environment(top, kernel):
    build = os.path.join(top, 'build')
    return dict(os.environ, TERN_KERNEL=kernel,
                LD_LIBRARY_PATH=os.path.join(build, 'lib'),
                PATH=os.path.join(build, 'bin') + ':' + os.environ['PATH'])


def not_ended(test):
    return f'not ended after {test.timeout} s'


def run_here(top, test, done):
    """A test that runs on the host."""
    begin = time.monotonic()
    process = start(['bash', '-c', test.command + '; exit $?'], cwd=top,
                    env=environment(top, test.kernel),
                    stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    read, lines, ended = Lines(process), [], None
    while ended is None:
        new = read(begin + test.timeout)
        if new is None:
            ended = not_ended(test)
        elif not new:
            try:
                process.wait(max(0, begin + test.timeout - time.monotonic()))
                ended = ''
            except subprocess.TimeoutExpired:
                ended = not_ended(test)
        else:
            lines += new
    status = stop(process)
    report = ktap.parse(lines) if ended else ktap.judge(lines, status)
    if ended:
        report.problems.append(ended)
    done(test.name, report, lines, time.monotonic() - begin)


class Guest:
    """A guest that runs the tests of a job one after another."""

    def __init__(self, top, job, done):
        self.top = top
        self.job = job
        self.done = done
        self.mark = '@' + secrets.token_hex(8)
        self.current = None  # index of the running test
        self.next = 0
        self.lines = []
        self.kept = None     # a lone test's report waits for the guest's end
        self.deadline = time.monotonic() + BOOT
        self.folder = tempfile.TemporaryDirectory(dir=os.path.join(top, 'build'),
                                                  prefix='guest.')
        out = self.folder.name
        # the clock of these tells nothing about a hang
        limits = [0 if job.mode in CLOCKS else test.timeout for test in job.tests]
        with open(os.path.join(out, 'tests'), 'w', encoding='utf-8') as file:
            file.writelines(f'{limit} {test.command}\n'
                            for limit, test in zip(limits, job.tests))
        with open(os.path.join(out, 'mark'), 'w', encoding='utf-8') as file:
            file.write(self.mark + '\n')
        limit = sum(test.timeout for test in job.tests) + 2 * BOOT
        command = [os.path.join(top, MACHINE, 'vm'), '-k', job.kernel,
                   '-t', str(limit), '-o', out, '-c', 'selftests/runner/in-guest']
        if job.mode in CLOCKS:
            command.append(CLOCKS[job.mode])
        self.console = open(os.path.join(out, 'console'), 'w+', errors='replace',
                            encoding='utf-8')
        self.process = start(command, cwd=top, stdout=subprocess.PIPE,
                             stderr=self.console)

    def run(self):
        read, stalled = Lines(self.process), False
        while True:
            new = read(self.deadline)
            if not new:
                stalled = new is None
                break
            for line in new:
                self.take(line)
        status = stop(self.process)
        self.console.seek(0)
        console = self.console.read().splitlines()
        self.console.close()
        self.keep_console()
        self.folder.cleanup()
        for line in console:
            if line.startswith('vm:'):
                print(f'{self.job.kernel}: {line}', flush=True)
        self.finish(status, stalled, console)

    def keep_console(self):
        log = os.path.join(self.folder.name, 'console.log')
        kept = os.path.join(self.top, LOGS, self.job.kernel,
                            self.job.name + '.console.log')
        if os.path.exists(log):
            os.makedirs(os.path.dirname(kept), exist_ok=True)
            shutil.copy(log, kept)

    def take(self, line):
        if not line.startswith(self.mark):
            self.lines.append(line)
            return
        words = line.split()
        index = int(words[2]) - 1
        now = time.monotonic()
        if words[1] == 'begin':
            self.current, self.begin, self.lines = index, now, []
            # more than the guest's own limit
            self.deadline = now + self.job.tests[index].timeout + 30
            return
        if self.lines and not self.lines[-1]:
            self.lines.pop()  # ended an unfinished line
        wrong = {'unload': 'the module cannot be unloaded after it',
                 'timeout': not_ended(self.job.tests[index])}.get(words[3])
        if wrong:
            report = ktap.parse(self.lines)
            report.problems = [wrong]
        else:
            report = ktap.judge(self.lines, int(words[3]))
        self.current, self.next = None, index + 1
        self.deadline = now + BOOT
        ended = (self.job.tests[index].name, report, self.lines, now - self.begin)
        self.lines = []
        if len(self.job.tests) == 1:
            self.kept = ended
        else:
            self.done(*ended)

    def finish(self, status, stalled, console):
        word = 'hung' if stalled else f'ended with status {status}'
        ended_well = status == 0 and not stalled
        if self.kept:
            name, report, lines, seconds = self.kept
            if not ended_well:
                report.problems.append(f'the guest {word}')
                lines += console
            self.done(name, report, lines, seconds)
            return
        if self.current is not None:
            report = ktap.parse(self.lines)
            report.problems.append(f'the guest {word} during this test')
            self.done(self.job.tests[self.current].name, report,
                      self.lines + console,
                      time.monotonic() - self.begin)
            self.next = self.current + 1
        for test in self.job.tests[self.next:]:
            report = ktap.Report()
            report.problems.append(f'not run: the guest {word}')
            self.done(test.name, report, self.lines + console, 0)
            console = []
        if self.next == len(self.job.tests) and self.current is None \
                and not ended_well:
            report = ktap.Report()
            report.problems.append(f'the guest {word} after its tests')
            self.done(self.job.name, report, console, 0)


def run(top, job, done):
    def report(*ended):
        done(job.kernel, *ended)

    if job.mode == 'guest' or job.mode in CLOCKS:
        Guest(top, job, report).run()
    else:
        run_here(top, job.tests[0], report)
