#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""Reports what the demo did: report.py FOLDER, the one that "run" has filled.

The logs of the ledger are the truth, against which the outcomes are held that
the clients were told. Exit status 1 when a promise of Tern was broken.
"""

import json
import os
import sys
from collections import Counter, namedtuple

REPLIED, NOT_EXECUTED, UNKNOWN = range(3)
ACCOUNTS = 100
FIRST_BALANCE = 1000000
WIDTH = 24

Call = namedtuple('Call', 'number attempt outcome cause sent us')


def rows(path):
    with open(path, encoding='ascii') as file:
        return [tuple(map(int, line.split())) for line in file]


def load_json(path):
    with open(path, encoding='ascii') as file:
        return json.load(file)


def balances_of(transfers):
    balances = [FIRST_BALANCE] * ACCOUNTS
    for payer, payee, cents in transfers:
        balances[payer - 1] -= cents
        balances[payee - 1] += cents
    return balances


class Part:
    """What one way of calling did, by its traces."""

    def __init__(self, folder, transfers):
        self.calls = [Call(*row) for row in rows(f'{folder}/calls')]
        log = rows(f'{folder}/log')
        # how often each attempt, and each transfer, was executed
        self.ran = Counter(row[:2] for row in log)
        self.times = Counter(row[0] for row in log)
        self.foreign = sum(transfers.get(row[0]) != row[2:] for row in log)
        self.balances = [row[0] for row in rows(f'{folder}/balances')]
        self.logged = balances_of(row[2:] for row in log)
        self.last = {call.number: call for call in self.calls}
        self.ended = Counter(call.number for call in self.calls
                             if call.outcome != NOT_EXECUTED)
        self.intended = balances_of(
            transfers[call.number] for call in self.last.values()
            if call.outcome == REPLIED or
            call.outcome == UNKNOWN and self.did_run(call))
        self.stats = Counter()
        for side in 'client', 'server':
            self.stats.update(load_json(f'{folder}/{side}.json'))
        self.lost = sum(qdisc['drops'] for side in ('out', 'back')
                        for qdisc in load_json(f'{folder}/{side}.json'))
        self.seconds = rows(f'{folder}/seconds')[0][0]
        self.us = sorted(call.us for call in self.last.values())

    def did_run(self, call):
        return self.ran[call.number, call.attempt] > 0

    def with_outcome(self, outcome, ran=None):
        return sum(call.outcome == outcome and
                   (ran is None or self.did_run(call) == ran)
                   for call in self.calls)

    def causes(self, outcome):
        return Counter(call.cause for call in self.calls
                       if call.outcome == outcome)

    def sent_again(self):
        return sum(call.sent - 1 for call in self.calls)

    def cents_misplaced(self):
        return sum(abs(a - b) for a, b in zip(self.balances, self.intended)) // 2

    def percentile(self, share):
        return self.us[min(int(len(self.us) * share), len(self.us) - 1)]


def money(cents):
    return f'{cents / 100:.2f}'


def milliseconds(us):
    return f'{us / 1000:.1f} ms'


def head(text):
    print(f'\n{text:44}{"Tern":>14}{"plain UDP":>14}')


def line(depth, text, *values):
    print(f'{"  " * depth + text:44}' + ''.join(f'{value:>14}' for value in values))


def print_outcomes(tern, udp):
    for outcome, title in ((REPLIED, 'replied'),
                           (NOT_EXECUTED, 'not executed, safe to try again'),
                           (UNKNOWN, 'unknown')):
        line(1, title, tern.with_outcome(outcome), udp.with_outcome(outcome))
        causes = tern.causes(outcome), udp.causes(outcome)
        for cause in sorted(set(causes[0] + causes[1]) - {0}):
            line(2, os.strerror(cause).lower(), *(c[cause] for c in causes))


def print_table(tern, udp):
    both = tern, udp
    head('transfers')
    line(1, 'sent', *(len(p.last) for p in both))
    line(1, 'executed', *(len(p.times) for p in both))
    line(1, 'executed twice or more',
         *(sum(n > 1 for n in p.times.values()) for p in both))
    line(1, 'given up as not executed',
         *(sum(call.outcome == NOT_EXECUTED for call in p.last.values())
           for p in both))
    head('calls, by outcome')
    print_outcomes(tern, udp)
    head('outcomes against the ledger')
    line(1, 'replied but missing from it',
         *(p.with_outcome(REPLIED, False) for p in both))
    line(1, 'not executed but found in it',
         *(p.with_outcome(NOT_EXECUTED, True) for p in both))
    line(1, 'unknown and found in it',
         *(p.with_outcome(UNKNOWN, True) for p in both))
    line(1, 'unknown and missing from it',
         *(p.with_outcome(UNKNOWN, False) for p in both))
    head('money')
    line(1, 'in all accounts, before',
         *(money(ACCOUNTS * FIRST_BALANCE) for p in both))
    line(1, 'in all accounts, after', *(money(sum(p.balances)) for p in both))
    line(1, 'moved to wrong accounts', *(money(p.cents_misplaced()) for p in both))
    head('network')
    line(1, 'packets lost', *(p.lost for p in both))
    line(1, 'requests sent again, by kernel or program',
         tern.stats['retransmissions'], udp.sent_again())
    line(1, 'duplicates filtered', tern.stats['duplicates-filtered'] +
         tern.stats['drop-old-duplicate'], 0)
    line(1, 'replies served from the cache',
         tern.stats['replies-from-cache'], 0)
    head('time')
    line(1, 'in all', *(f'{p.seconds} s' for p in both))
    for share in 0.5, 0.99, 0.999:
        line(1, f'p{share * 100:g} of a transfer',
             *(milliseconds(p.percentile(share)) for p in both))


def print_histogram(tern, udp):
    """Each row twice as late as the one above."""
    rows_of = [Counter((us // 1000).bit_length() for us in p.us)
               for p in (tern, udp)]
    used = sorted(set(rows_of[0]) | set(rows_of[1]))
    print('\nlatency of a transfer, until its outcome')
    print(f'{"":14}{"Tern":{WIDTH + 8}}plain UDP')
    for bucket in range(used[0], used[-1] + 1):
        cells = []
        for part in rows_of:
            bar = '#' * -(-part[bucket] * WIDTH // max(part.values()))
            cells.append(f'{part[bucket]:6} {bar:{WIDTH}}')
        print(f'  < {1 << bucket:5} ms {" ".join(cells)}'.rstrip())


def promises(tern, transfers):
    """(whether it was kept, what it is)."""
    yield (set(tern.last) == set(transfers) and
           all(tern.ended[number] == 1 or
               tern.last[number].outcome == NOT_EXECUTED
               for number in transfers)), 'each transfer has one outcome'
    yield max(tern.times.values(), default=0) == 1, 'no transfer was executed twice'
    yield tern.with_outcome(REPLIED, False) == 0, \
        'each call that was replied to was executed'
    yield tern.with_outcome(NOT_EXECUTED, True) == 0, \
        'no call that was reported as not executed was executed'
    yield set(tern.ran) <= {call[:2] for call in tern.calls} and \
        not tern.foreign, 'nothing was executed that was not asked for'
    yield sum(tern.balances) == ACCOUNTS * FIRST_BALANCE and \
        tern.balances == tern.logged == tern.intended, \
        'each account has the money that the outcomes say'
    yield tern.stats['retransmissions'] > 0 < tern.stats['replies-from-cache'] and \
        tern.with_outcome(NOT_EXECUTED) > 0 < tern.lost, \
        'network and ledger were as bad as they should be'


def main():
    folder = sys.argv[1]
    transfers = {row[0]: row[1:] for row in rows(f'{folder}/transfers')}
    tern, udp = (Part(f'{folder}/{name}', transfers) for name in ('tern', 'udp'))

    print_table(tern, udp)
    print_histogram(tern, udp)
    print()
    broken = 0
    for kept, what in promises(tern, transfers):
        print(f'{"kept  " if kept else "BROKEN"}  {what}')
        broken += not kept
    return 1 if broken else 0


if __name__ == '__main__':
    sys.exit(main())
