#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
# Test: none
"""Judges the history of a chaos run: check.py DIR

Every promise of Documentation/overview.rst that callers and services can see
must have held, and everything that is to be survived must have happened. DIR has

called.NODE.BOOT.PROFILE.PROCESS    what a caller wrote, see caller.c
called. ... .made                   has a line when it ended by itself
executed.NODE.BOOT.PROCESS          what a service wrote, see counter.c
faults                              begin, end, fault, arguments; times in ms
stat.NODE.TIME                      counters of a node, before its end
"""

import collections
import errno
import json
import os
import random
import sys
from dataclasses import dataclass

import schedule

# How much later than exact things may be, in ms: processes wait for processors.
MARGIN = 5000
# Executions of calls that were long on their way, at most, in per cent.
LATE = 1
# Calls that have their reply, at least, in per cent.
REPLIED = 25
# Errors of a kind that are shown.
SHOWN = 5

COUNTERS = ('retransmissions', 'duplicates-filtered', 'replies-from-cache',
            'drop-late-reply', 'drop-old-duplicate', 'stales-sent', 'cancels-sent',
            'requests-cancelled', 'requests-expired', 'requests-owner-died',
            'refused-no-service', 'refused-queue-full', 'packets-no-memory')
OUTCOMES = ('replied', 'delivered', 'not-executed', 'unknown')


@dataclass(slots=True)
class Call:
    node: str
    once: bool
    timeout: int
    submitted: int
    outcome: str = None


@dataclass(slots=True)
class Execution:
    node: str
    boot: str
    time: int
    left: int


@dataclass
class Fault:
    begin: int
    end: int
    name: str
    arguments: list


def lines_of(path):
    """Words of each line; not of the last one when its writer died in it."""
    with open(path, encoding='ascii', errors='replace') as file:
        for line in file:
            if line.endswith('\n'):
                yield line.split()


class History:
    def __init__(self, folder):
        self.folder = folder
        self.calls = {}
        self.executions = collections.defaultdict(list)
        self.errors = collections.Counter()
        self.outcomes = collections.Counter()
        self.callers = collections.Counter()
        self.open = 0
        self.killed = 0
        self.late = 0
        self.faults = [Fault(int(begin), int(end), name, arguments)
                       for begin, end, name, *arguments in
                       lines_of(os.path.join(folder, 'faults'))]
        for path in self.files('executed'):
            self.read_executed(path)
        for path in self.files('called'):
            if not path.endswith('.made'):
                self.read_called(path)

    def files(self, kind):
        return [name for name in sorted(os.listdir(self.folder))
                if name.startswith(kind + '.')]

    def error(self, promise, text):
        self.errors[promise] += 1
        if self.errors[promise] <= SHOWN:
            print(f'WRONG, {promise}: {text}')

    def read_executed(self, name):
        _, node, boot, _ = name.split('.')
        for number, time, left in lines_of(os.path.join(self.folder, name)):
            run = Execution(node, boot, int(time), int(left))
            self.executions[int(number)].append(run)

    def read_called(self, name):
        _, node, _, profile, _ = name.split('.')
        last = {}
        for number, word, *rest in lines_of(os.path.join(self.folder, name)):
            number = int(number)
            if word == 'submitted':
                thread, semantics, timeout, time = rest
                if number in self.calls:
                    self.error('the test', f'{name}: {number} submitted twice')
                self.need_outcome(name, last.get(thread))
                last[thread] = number
                self.calls[number] = Call(node, semantics == 'once', int(timeout),
                                          int(time))
            else:
                self.ended(f'{name}: {number} {word} {" ".join(rest)}',
                           number, word, *rest)
                self.callers[node, profile, word] += 1
        if not last:
            return
        if os.path.getsize(os.path.join(self.folder, name + '.made')):
            for number in last.values():
                self.need_outcome(name, number)
        else:
            self.died(name, node, last)

    def need_outcome(self, name, number):
        """What a thread called before it called again."""
        if number is not None and not self.calls[number].outcome:
            self.error('8. no silent drop', f'{name}: {number}: no outcome')

    def died(self, name, node, last):
        """A process is killed by a fault only, and then its calls are open."""
        self.killed += 1
        self.open += sum(not self.calls[number].outcome for number in last.values())
        time = max(self.calls[number].submitted for number in last.values())
        if not any(fault.end >= time and fault.arguments[0] == node and
                   fault.name in ('kill-client', 'reset', 'memory')
                   for fault in self.faults):
            self.error('the test', f'{name}: its process died by itself')

    def ended(self, text, number, outcome, cause, status, right, ms):
        call = self.calls.get(number)
        if call is None:
            self.error('5. no reply of another call', f'{text}: not submitted')
            return
        if call.outcome:
            self.error('3. one outcome', f'{text}: it was {call.outcome} before')
        call.outcome = outcome
        self.outcomes[outcome, int(cause)] += 1
        ran = number in self.executions
        if outcome not in OUTCOMES:
            self.error('3. one outcome', f'{text}: no such outcome')
        if outcome == 'replied' and (right != 'right' or status != '0'):
            self.error('5. no reply of another call', text)
        if outcome == 'replied' and not ran:
            self.error('3. replied means executed', text)
        if outcome == 'not-executed' and ran:
            self.error('3. not executed means never', self.story(number, text))
        if int(ms) > call.timeout + MARGIN:
            end = call.submitted + int(ms)
            late = int(ms) - call.timeout - MARGIN
            if late > self.held(call.submitted, end,
                                [('pause', call.node), ('stop-client', call.node)]):
                self.error('7. a deadline', f'{text}: {late} ms too late')

    def held(self, begin, end, standing):
        """For how much of this time, in ms, one of these stood still."""
        return sum(max(0, min(end, fault.end) - max(begin, fault.begin))
                   for fault in self.faults
                   if (fault.name, fault.arguments[0]) in standing)

    def story(self, number, text):
        call = self.calls[number]
        runs = ', '.join(f'on {run.node} in boot {run.boot} '
                         f'{run.time - call.submitted} ms later'
                         for run in self.executions[number])
        return f'{text}; submitted at {call.submitted} by {call.node}, executed {runs}'

    def judge_execution(self, number, runs):
        call = self.calls.get(number)
        if call is None:
            self.error('5. no call of nobody', f'{number} was executed, not submitted')
            return
        if call.once and len(runs) > 1:
            boots = {run.boot for run in runs}
            self.error('1. never twice in one boot' if len(boots) < len(runs) else
                       '6. not in the next boot', self.story(number, f'{number}'))
        for run in runs:
            if run.left > call.timeout:
                self.error('7. a deadline', f'{number}: {run.left} ms were left')
            self.judge_begin(number, call, run)

    def judge_begin(self, number, call, run):
        """Nothing begins after its deadline, of which the server knows how much
        was left when the request was sent. A request that had time left when a
        worker took it was late on its way, or its worker stood still then."""
        if run.time <= call.submitted + call.timeout + MARGIN:
            return
        if run.left:
            self.late += 1
        else:
            self.error('7. expired work is dropped', self.story(number, f'{number}'))

    def judge_faults(self):
        draw = random.Random(0)
        wanted = {begin[0] for begin, _ in schedule.conditions(draw)}
        wanted |= {fault[0] for fault in schedule.faults(draw)}
        words = collections.Counter(fault.name for fault in self.faults)
        for fault in self.faults:
            if fault.name == 'network':
                words.update(set(fault.arguments) &
                             {'loss', 'duplicate', 'corrupt', 'reorder'})
        print('faults:', ', '.join(f'{n} {name}' for name, n in sorted(words.items())))
        for name in sorted(wanted | {'loss', 'duplicate', 'corrupt', 'reorder'}):
            if not words[name]:
                self.error('the test', f'no {name} happened')

    def judge_counters(self):
        total = collections.Counter()
        for name in self.files('stat'):
            with open(os.path.join(self.folder, name), encoding='ascii') as file:
                total.update(json.load(file))
        print('counters:', ', '.join(f'{value} {name}'
                                     for name, value in total.items() if value))
        for name in COUNTERS:
            if not total[name]:
                self.error('the test', f'counter {name}: nothing was counted')

    def judge_amount(self):
        ended = collections.Counter()
        for (outcome, _), count in self.outcomes.items():
            ended[outcome] += count
        for outcome in OUTCOMES:
            if not ended[outcome]:
                self.error('the test', f'no call was {outcome}')
        if ended['replied'] * 100 < REPLIED * len(self.calls):
            self.error('the test', f'only {ended["replied"]} of {len(self.calls)} '
                       'calls had a reply')
        for node, profile in sorted({key[:2] for key in self.callers}):
            if not (self.callers[node, profile, 'replied'] or
                    self.callers[node, profile, 'delivered']):
                self.error('the test', f'no call of {node}, {profile}, succeeded')

    def judge(self):
        for number, runs in self.executions.items():
            self.judge_execution(number, runs)
        runs = sum(len(runs) for runs in self.executions.values())
        again = sum(len(runs) > 1 for runs in self.executions.values())
        print(f'{len(self.calls)} calls, {runs} executions, {again} calls executed '
              f'again, {self.killed} callers killed with {self.open} open calls, '
              f'{self.late} requests long on their way')
        if self.late * 100 > LATE * runs:
            self.error('7. a deadline', f'{self.late} of {runs} executions began late')
        for (outcome, cause), count in sorted(self.outcomes.items()):
            print(f'outcome: {count} {outcome} {errno.errorcode.get(cause, cause or "")}')
        self.judge_faults()
        self.judge_counters()
        self.judge_amount()
        for promise, count in sorted(self.errors.items()):
            print(f'{count} WRONG, {promise}')
        return not self.errors


def main():
    if len(sys.argv) != 2:
        sys.exit('check.py DIR')
    sys.exit(not History(sys.argv[1]).judge())


if __name__ == '__main__':
    main()
