#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
# Test: none
"""Judges the history of a chaos run: check.py [-e] DIR

Every promise of Documentation/overview.rst that callers and services can see
must have held, and everything that is to be survived must have happened; with -e
only the latter is looked at. DIR has

called.NODE.BOOT.PROCESS        what a caller wrote, see client.c
called.NODE.BOOT.PROCESS.made   has a line when it ended by itself
executed.NODE.BOOT.PROCESS      what a service wrote, see counter.c
clock.NODE.BOOT                 when the machine made the file clock.NODE.BOOT.made: two
                                readings of its clock
still.NODE.BOOT.KIND            begin and end of the times when a process of that
                                kind found that it had stood still, and signs of
                                life, where both are the same
faults                          begin, end, fault, arguments; times in ms
stat.NODE.BOOT                  counters of a node
wire.counted                    what became of the frames of each node
"""

import bisect
import collections
import errno
import itertools
import json
import os
import sys
from dataclasses import dataclass

import schedule

# How much later than exact things may be, in ms, beside what was measured.
MARGIN = 2000
# Calls that a process may have outstanding, and lines that may get lost when
# its machine is reset: see client.c.
OUTSTANDING, UNWRITTEN = 80, 256
# Without a sign of life for so long, in ms, a process stood still: see history.h.
SIGN = 1500
# Errors of a kind that are shown.
SHOWN = 5

COUNTERS = ('retransmissions', 'duplicates-filtered', 'replies-from-cache',
            'drop-late-reply', 'drop-old-duplicate', 'drop-bad-check', 'stales-sent',
            'stales-received', 'cancels-sent', 'requests-cancelled',
            'requests-expired', 'requests-owner-died', 'refused-no-service',
            'refused-queue-full', 'packets-no-memory')
OUTCOMES = ('replied', 'delivered', 'not-executed', 'unknown')
ENDS = OUTCOMES + ('abandoned', 'not-made')
# By the number of a call, modulo 16: see client.c.
KINDS = [f'{semantics} {form}' for semantics in ('once', 'again', 'maybe')
         for form in ('call', 'oneway', 'quiet')]
# By the number of a process, modulo 3: see keep.
WAYS = schedule.WAYS


@dataclass(slots=True)
class Call:
    node: str
    timeout: int
    submitted: int
    outcome: str = None


@dataclass(slots=True)
class Execution:
    node: str
    boot: int
    time: int
    left: int


@dataclass
class Fault:
    begin: int
    end: int
    name: str
    arguments: list


def lines_of(path):
    """Words of each line, as far as it was written when its writer died."""
    with open(path, encoding='ascii', errors='replace') as file:
        for line in file:
            if not line.endswith('\n') or '\0' in line:
                return
            yield line.split()


def kind_of(number):
    return KINDS[number % 16]


def process_of(number):
    return number >> 30


def way_of(number):
    return WAYS[(process_of(number) & 0x3fff) % len(WAYS)]


class Still:
    """Times when something stood still."""

    def __init__(self, gaps):
        self.begins, self.ends, self.before = [], [], [0]
        for begin, end in sorted(gaps):
            if self.ends and begin <= self.ends[-1]:
                begin = self.ends[-1]
                if end <= begin:
                    continue
            self.begins.append(begin)
            self.ends.append(end)
            self.before.append(self.before[-1] + end - begin)

    def until(self, time):
        i = bisect.bisect_right(self.begins, time)
        return self.before[i] - max(0, self.ends[i - 1] - time if i else 0)

    def within(self, begin, end):
        return self.until(end) - self.until(begin)


class History:
    def __init__(self, folder):
        self.folder = folder
        self.calls = {}
        self.executions = collections.defaultdict(list)
        self.errors = collections.Counter()
        self.outcomes = collections.Counter()
        self.succeeded = collections.Counter()
        self.last = {}
        self.lost = set()
        self.open = 0
        self.killed = 0
        self.late = 0
        self.latest = 0
        self.faults = [Fault(int(begin), int(end), name, arguments)
                       for begin, end, name, *arguments in
                       lines_of(os.path.join(folder, 'faults'))]

    def read(self):
        self.ahead = {tuple(name.split('.')[1:3]): self.read_clock(name)
                      for name in self.files('clock') if not name.endswith('.made')}
        self.still = {(node, kind): self.read_still(node, kind)
                      for node in schedule.NODES for kind in ('client', 'server')}
        for name in self.files('executed'):
            self.read_executed(name)
        called = [name for name in self.files('called') if not name.endswith('.made')]
        self.boots = {node: max(int(name.split('.')[2]) for name in called
                                if name.split('.')[1] == node)
                      for node in {name.split('.')[1] for name in called}}
        for name in called:
            self.read_called(name)

    def files(self, kind):
        return [name for name in sorted(os.listdir(self.folder))
                if name.startswith(kind + '.')]

    def error(self, promise, text):
        self.errors[promise] += 1
        if self.errors[promise] <= SHOWN:
            print(f'WRONG, {promise}: {text}')

    def read_still(self, node, kind):
        kinds = {kind, 'proof'} if kind == 'client' else {kind}
        gaps, signs = [], []
        for name in self.files(f'still.{node}'):
            _, _, boot, writer = name.split('.')
            if writer in kinds:
                ahead = self.ahead.get((node, boot), 0)
                told = [(int(begin) - ahead, int(end) - ahead) for begin, end in
                        lines_of(os.path.join(self.folder, name))]
                gaps += told
                if writer == kind:
                    signs += told
        # who was killed while it stood still could not tell
        signs.sort()
        gaps += [(end, begin) for (_, end), (begin, _) in itertools.pairwise(signs)
                 if begin > end + SIGN]
        return Still(gap for gap in gaps if gap[0] < gap[1])

    def read_clock(self, name):
        """By how many ms the clock of a machine is ahead of the host's."""
        path = os.path.join(self.folder, name)
        made = os.stat(path + '.made').st_ctime
        for before, after in lines_of(path):
            return round(((float(before) + float(after)) / 2 - made) * 1000)
        return 0

    def read_executed(self, name):
        _, node, boot, _ = name.split('.')
        ahead = self.ahead.get((node, boot), 0)
        for number, time, left in lines_of(os.path.join(self.folder, name)):
            run = Execution(node, int(boot), int(time) - ahead, int(left))
            self.executions[int(number)].append(run)

    def read_called(self, name):
        _, node, boot, _ = name.split('.')
        ahead = self.ahead.get((node, boot), 0)
        numbers = []
        for number, word, *rest in lines_of(os.path.join(self.folder, name)):
            number = int(number)
            if word == 'submitted':
                if number in self.calls:
                    self.error('the test', f'{name}: {number} submitted twice')
                numbers.append(number)
                self.calls[number] = Call(node, int(rest[0]), int(rest[1]) - ahead)
            else:
                self.ended(f'{name}: {number} {word} {" ".join(rest)}',
                           number, word, rest)
        if not numbers:
            return
        self.last[process_of(numbers[0])] = max(numbers)
        left = [number for number in numbers
                if not (self.calls[number].outcome or 'quiet' in kind_of(number))]
        made = os.path.join(self.folder, name + '.made')
        if os.path.exists(made) and os.path.getsize(made):
            for number in left:
                self.error('8. no silent drop', f'{name}: {number}: no outcome')
        else:
            self.died(name, node, int(boot), numbers, left)

    def died(self, name, node, boot, numbers, left):
        """A process is killed by a fault only, and then its calls are open."""
        self.killed += 1
        self.open += len(left)
        may = OUTSTANDING
        if boot < self.boots[node]:
            # what was not yet in the host's hands
            self.lost.add(process_of(numbers[0]))
            may += UNWRITTEN
        if len(left) > may:
            self.error('8. no silent drop', f'{name}: {len(left)} calls have no outcome')
        time = max(self.calls[number].submitted for number in numbers)
        if not any(fault.end >= time and fault.arguments[0] == node and
                   fault.name in ('kill-client', 'reset', 'silent-reset', 'memory')
                   for fault in self.faults):
            self.error('the test', f'{name}: its process died by itself')

    def ended(self, text, number, outcome, rest):
        call = self.calls.get(number)
        if call is None:
            self.error('5. no reply of another call', f'{text}: not submitted')
            return
        if call.outcome or 'quiet' in kind_of(number) and outcome in OUTCOMES:
            self.error('3. one outcome', f'{text}: it was {call.outcome} before')
        if outcome not in ENDS:
            self.error('3. one outcome', f'{text}: no such outcome')
        call.outcome = outcome
        ran = number in self.executions
        if outcome in ('not-executed', 'not-made') and ran:
            self.error('3. not executed means never', self.story(number, text))
        if outcome not in OUTCOMES:
            self.outcomes[outcome, int(rest[0]) if rest else 0] += 1
            return
        cause, status, right, ms = rest
        self.outcomes[outcome, int(cause)] += 1
        if outcome in ('replied', 'delivered'):
            self.succeeded[call.node, kind_of(number)] += 1
            self.succeeded[call.node, way_of(number)] += 1
        if outcome == 'replied' and (right != 'right' or status != '0'):
            self.error('5. no reply of another call', text)
        if outcome == 'replied' and not ran:
            self.error('3. replied means executed', text)
        late = int(ms) - call.timeout - MARGIN
        if late > 0 and late > self.still[call.node, 'client'].within(
                call.submitted, call.submitted + int(ms)):
            self.error('7. a deadline', f'{text}: {late} ms too late')

    def story(self, number, text):
        call = self.calls[number]
        runs = ', '.join(f'on {run.node} in boot {run.boot} '
                         f'{run.time - call.submitted} ms later with {run.left} ms left'
                         for run in self.executions[number])
        return (f'{text} ({kind_of(number)}); submitted at {call.submitted} by '
                f'{call.node} with {call.timeout} ms, executed {runs}')

    def may_be_lost(self, number):
        """Whether the line of a call was lost when its machine was reset."""
        process = process_of(number)
        node, boot = 'AB'[(process >> 28) - 10], process >> 14 & 0x3fff
        if boot >= self.boots.get(node, 0):
            return False
        if process in self.lost:
            return number // 16 > self.last[process] // 16 - UNWRITTEN
        return process > max((other for other in self.last
                              if other >> 14 == process >> 14), default=0)

    def judge_execution(self, number, runs):
        call = self.calls.get(number)
        if not kind_of(number).startswith('again') and len(runs) > 1:
            boots = {run.boot for run in runs}
            self.error('1. never twice in one boot' if len(boots) < len(runs) else
                       '6. not in the next boot',
                       self.story(number, f'{number}') if call else f'{number}')
        if call is None:
            if not self.may_be_lost(number):
                self.error('5. no call of nobody',
                           f'{number} was executed, not submitted')
            return
        for run in runs:
            if run.left > call.timeout:
                self.error('7. a deadline', f'{number}: {run.left} ms were left')
            self.judge_begin(number, call, run)

    def judge_begin(self, number, call, run):
        """The server counts the time that is left from the arrival of a request:
        what has passed, but for that, is the time that it was on its way. No
        longer than it has to is it there, nor does it stand in a queue unseen,
        unless a machine or a process stood still, which was measured."""
        way = run.time - call.submitted - (call.timeout - run.left)
        self.latest = max(self.latest, way)
        if way <= MARGIN:
            return
        self.late += 1
        held = (self.still[call.node, 'client'].within(call.submitted, run.time) +
                self.still[run.node, 'server'].within(call.submitted, run.time))
        if way > MARGIN + held:
            self.error('7. a deadline', self.story(
                number, f'{number} was {way} ms on its way, {held} of them held up'))

    def judge_faults(self):
        words = collections.Counter(fault.name for fault in self.faults)
        for fault in self.faults:
            if fault.name == 'network':
                words.update(set(fault.arguments) &
                             {'loss', 'duplicate', 'corrupt', 'reorder'})
        print('faults:', ', '.join(f'{n} {name}' for name, n in sorted(words.items())))
        for name in sorted(schedule.kinds() | {'loss', 'duplicate', 'corrupt', 'reorder'}):
            if not words[name]:
                self.error('the test', f'no {name} happened')

    def judge_counters(self):
        total = collections.Counter()
        for name in self.files('stat'):
            with open(os.path.join(self.folder, name), encoding='ascii') as file:
                total.update(json.load(file))
        for name in self.files('wire'):
            for word in itertools.chain(*lines_of(os.path.join(self.folder, name))):
                what, equals, value = word.partition('=')
                if equals:
                    total[f'frames-{what}'] += int(value)
        print('counters:', ', '.join(f'{value} {name}'
                                     for name, value in total.items() if value))
        for name in COUNTERS + ('frames-dropped', 'frames-corrupted'):
            if not total[name]:
                self.error('the test', f'counter {name}: nothing was counted')

    def judge_amount(self):
        ended = collections.Counter()
        for (outcome, _), count in self.outcomes.items():
            ended[outcome] += count
        for outcome in ENDS[:-1]:
            if not ended[outcome]:
                self.error('the test', f'no call was {outcome}')
        for node, kind in itertools.product(schedule.NODES, KINDS + list(WAYS)):
            # of a quiet call only its execution is seen
            if not self.succeeded[node, kind]:
                self.error('the test', f'no {kind} of {node} succeeded')

    def judge_history(self):
        self.read()
        for number, runs in self.executions.items():
            if 'quiet' in kind_of(number) and number in self.calls:
                self.succeeded[self.calls[number].node, kind_of(number)] += 1
            self.judge_execution(number, runs)
        runs = sum(len(runs) for runs in self.executions.values())
        again = sum(len(runs) > 1 for runs in self.executions.values())
        times = [call.submitted for call in self.calls.values()]
        seconds = (max(times, default=0) - min(times, default=0)) / 1000 or 1
        print(f'{len(self.calls)} calls in {seconds:.0f} s, {len(times) / seconds:.0f} '
              f'each; {runs} executions, {again} calls executed again; '
              f'{self.killed} callers killed with {self.open} open calls')
        print('clocks ahead, in ms:', ', '.join(f'{node} in boot {boot} {ahead}' for
                                               (node, boot), ahead in self.ahead.items()))
        print(f'{self.late} requests were on their way for more than {MARGIN} ms, '
              f'one for {self.latest} ms')
        print('stood still, in s:', ', '.join(f'{kind} of {node} {still.before[-1] // 1000}'
                                              for (node, kind), still in self.still.items()))
        for (outcome, cause), count in sorted(self.outcomes.items()):
            print(f'outcome: {count} {outcome} {errno.errorcode.get(cause, cause or "")}')
        self.judge_amount()

    def judge(self, everything):
        if everything:
            self.judge_history()
        self.judge_faults()
        self.judge_counters()
        for promise, count in sorted(self.errors.items()):
            print(f'{count} WRONG, {promise}')
        return not self.errors


def main():
    arguments = sys.argv[1:]
    everything = arguments[:1] != ['-e']
    if len(arguments) != 2 - everything:
        sys.exit('check.py [-e] DIR')
    sys.exit(not History(arguments[-1]).judge(everything))


if __name__ == '__main__':
    main()
