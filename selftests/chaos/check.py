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
still.NODE.BOOT.KIND.PROCESS    begin and end of the times when a process found that
                                it had stood still, and signs of life, where both
                                are the same
faults                          begin, end, fault, arguments; times in ms
stat.NODE.BOOT                  counters of a node
wire.counted                    what became of the frames of each node
"""

import collections
import errno
import itertools
import json
import os
import sys
from dataclasses import dataclass

import schedule
from faults import (CONSEQUENCES, ENDS_CALLER, ENDS_SERVICE, MARGIN, NEVER, SILENCE,
                    Faults, Times)

# How much later an outcome may be, in ms, than its process had measured that it stood
# still. MARGIN is that of everything else.
LATE = 1500
# How much earlier: two ticks of a guest's clock.
EARLY = 20
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
# The causes that a call may end with in each way, see semantics.rst and tern(7).
ANY_TIME = {errno.EINTR, errno.ECANCELED, errno.ETIMEDOUT}
TROUBLE = {errno.ECONNREFUSED, errno.ECONNRESET, errno.EHOSTUNREACH, errno.ENETDOWN,
           errno.ENOBUFS}
CAUSES = {
    'replied': {0},
    'delivered': {0},
    'not-executed': ANY_TIME | TROUBLE | {errno.EAGAIN, errno.ENOMEM},
    'unknown': ANY_TIME | TROUBLE | {errno.EOWNERDEAD},
}
OUTCOMES = tuple(CAUSES)
# The form that a call has to have for an outcome that tells of success.
FORMS = {'replied': 'call', 'delivered': 'oneway'}
ENDS = OUTCOMES + ('abandoned', 'not-made')
# By the number of a call, modulo 16: see client.c.
KINDS = [f'{semantics} {form}' for semantics in ('once', 'again', 'maybe')
         for form in ('call', 'oneway', 'quiet')]
# By the number of a process, modulo 3: see keep.
WAYS = schedule.WAYS


@dataclass(slots=True)
class Call:
    node: str
    boot: str
    timeout: int
    submitted: int
    target: str
    outcome: str = None
    cause: int = 0
    took: int = 0

    @property
    def ended(self):
        return self.submitted + self.took


@dataclass(slots=True)
class Execution:
    node: str
    boot: int
    time: int
    left: int


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


def still_by(signs, others=()):
    """When a process stood still by what it told, or other processes did."""
    # who was killed while it stood still could not tell
    silent = [(end, begin) for (_, end), (begin, _) in itertools.pairwise(sorted(signs))
              if begin > end + SIGN]
    return Times(span for span in itertools.chain(signs, others, silent)
                 if span[0] < span[1])


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
        self.faults = Faults(lines_of(os.path.join(folder, 'faults')))

    def read(self):
        self.ahead = {tuple(name.split('.')[1:3]): self.read_clock(name)
                      for name in self.files('clock') if not name.endswith('.made')}
        self.still = {(node, kind): self.read_still(node, kind)
                      for node in schedule.NODES for kind in ('client', 'server')}
        self.own = {tuple(name.split('.')[i] for i in (1, 2, 4)):
                    still_by(self.read_signs(name) + [(NEVER, NEVER)])
                    for name in self.files('still') if '.server.' not in name}
        for name in self.files('executed'):
            self.read_executed(name)
        called = [name for name in self.files('called') if not name.endswith('.made')]
        self.boots = {node: max(int(name.split('.')[2]) for name in called
                                if name.split('.')[1] == node)
                      for node in {name.split('.')[1] for name in called}}
        for name in called:
            self.read_called(name)
        self.waits = {node: Times(self.read_waits(node)) for node in schedule.NODES}

    def files(self, kind):
        return [name for name in sorted(os.listdir(self.folder))
                if name.startswith(kind + '.')]

    def error(self, promise, text):
        self.errors[promise] += 1
        if self.errors[promise] <= SHOWN:
            print(f'WRONG, {promise}: {text}')

    def read_signs(self, name):
        _, node, boot, *_ = name.split('.')
        ahead = self.ahead.get((node, boot), 0)
        return [(int(begin) - ahead, int(end) - ahead) for begin, end in
                lines_of(os.path.join(self.folder, name))]

    def read_still(self, node, kind):
        """When the processes of a kind stood still, of which there is one at a time
        and, when it ends, another."""
        kinds = {kind, 'proof'} if kind == 'client' else {kind}
        signs, others = [], []
        for name in self.files(f'still.{node}'):
            writer = name.split('.')[3]
            if writer in kinds:
                (signs if writer == kind else others).extend(self.read_signs(name))
        return still_by(signs, others)

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

    def read_waits(self, node):
        """When requests stood in a node's queue for long."""
        for number, runs in self.executions.items():
            for run in runs:
                if run.node == node and number in self.calls:
                    begin = run.time - (self.calls[number].timeout - run.left)
                    if run.time - begin > MARGIN:
                        yield begin, run.time

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
                timeout, time, where = rest
                self.calls[number] = Call(
                    node, boot, int(timeout), int(time) - ahead,
                    node if where == 'near' else schedule.OTHER[node])
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
        if not any(fault.end >= time and fault.hits(node) and fault.name in ENDS_CALLER
                   for fault in self.faults):
            self.error('the test', f'{name}: its process died by itself')

    def ended(self, text, number, outcome, rest):
        call = self.calls.get(number)
        if call is None:
            self.error('5. no reply of another call', f'{text}: not submitted')
            return
        if call.outcome or 'quiet' in kind_of(number) and outcome in OUTCOMES:
            self.error('3. one outcome', f'{text}: it was {call.outcome} before')
        elif outcome in FORMS and FORMS[outcome] != kind_of(number).split()[1]:
            self.error('3. an outcome of its form', f'{text} ({kind_of(number)})')
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
        call.cause, call.took = int(cause), int(ms)
        self.outcomes[outcome, call.cause] += 1
        if outcome in FORMS:
            self.succeeded[call.node, kind_of(number)] += 1
            self.succeeded[call.node, way_of(number)] += 1
        if call.cause not in CAUSES[outcome]:
            self.error('3. a cause of its outcome', text)
        if outcome == 'replied' and (right != 'right' or status != '0'):
            self.error('5. no reply of another call', text)
        if outcome == 'replied' and not ran:
            self.error('3. replied means executed', text)
        self.judge_time(number, call, text)

    def judge_time(self, number, call, text):
        """A call ends at its deadline, if not before. It is withdrawn a round trip
        earlier, and not in the first half of its time."""
        late = call.took - call.timeout - LATE
        if late > 0:
            own = self.own.get((call.node, call.boot, str(process_of(number) & 0x3fff)))
            if not own or late > own.within(call.submitted, call.ended):
                self.error('7. a deadline', f'{text}: {late} ms too late')
        if (call.cause == errno.ETIMEDOUT and call.took < call.timeout / 2 - EARLY and
                not self.faults.explain(call.submitted, call.ended, SILENCE)):
            self.error('7. a deadline', f'{text}: with {call.timeout} ms, too early')

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
            if run.node != call.target:
                self.error('5. no call of another node', self.story(number, f'{number}'))
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

    def judge_unknown(self):
        """What is unknown has a reason: some causes are the consequence of a fault, and
        what never ran can be told when nothing fails. An association that ends without
        a fault, since a machine was too slow, takes no more calls with it than there
        are."""
        without = [number for number, call in self.calls.items()
                   if call.outcome == 'unknown' and not self.is_explained(number, call)]
        print(f'{len(without)} unknown without a reason')
        if len(without) > OUTSTANDING:
            for number in without:
                call = self.calls[number]
                self.error('3. unknown with a reason', f'{number} at {call.submitted} of '
                           f'{call.node}, after {call.took} ms: {call.cause}')

    def is_explained(self, number, call):
        times = call.submitted, call.ended
        faults = CONSEQUENCES.get(call.cause)
        if faults:
            return self.faults.explain(*times, faults)
        held = sum(self.still[node, kind].within(*times)
                   for node, kind in itertools.product(schedule.NODES, ('client', 'server')))
        return (number in self.executions or self.faults.explain(*times) or
                # withdrawn at any time, or with too little time for a slow machine
                call.cause in (errno.EINTR, errno.ECANCELED) or
                call.timeout <= MARGIN + held)

    def judge_delivered(self):
        """What is in the queue of a service is executed, unless that ends, or does not
        get to it before the deadline."""
        for number, call in self.calls.items():
            if call.outcome != 'delivered' or number in self.executions:
                continue
            times = call.submitted, call.submitted + call.timeout
            held = (self.still[call.target, 'server'].within(*times) +
                    self.waits[call.target].within(*times))
            if (call.timeout - call.took - held > MARGIN and
                    not self.faults.explain(*times, ENDS_SERVICE, call.target)):
                self.error('8. no silent drop', f'{number} of {call.node} at '
                           f'{call.submitted} with {call.timeout} ms was delivered to '
                           f'{call.target} after {call.took}, but not executed')

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
        self.judge_delivered()
        self.judge_unknown()
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
