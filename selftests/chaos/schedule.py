#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
# Test: none
"""The faults of a chaos run, drawn from a seed: schedule.py SEED

Prints without end, the same lines for the same seed, and "cycle" whenever every
kind of fault was there once more. A line has the time in seconds to wait after
the fault before, the fault, and its arguments; the script run carries it out.
What a fault does is said in faults() below.
"""

import random
import sys

NODES = 'AB'
OTHER = {'A': 'B', 'B': 'A'}
# How a client makes calls without waiting for each, see client.c.
WAYS = ('calls', 'uring', 'poll')
HEAL = ('network', 'both', 'delay', '0ms')


def seconds(draw, low, high):
    return f'{draw.uniform(low, high):.2f}'


def together(draw):
    """Arguments of netem: whatever may happen to a packet, in both directions."""
    return ('network', 'both',
            *f'delay {draw.randint(1, 15)}ms {draw.randint(1, 15)}ms '
            f'loss {draw.randint(1, 10)}% duplicate {draw.randint(5, 20)}% '
            f'corrupt {draw.randint(1, 5)}%'.split())


def network(draw):
    """Arguments of netem, for each kind of impairment alone."""
    loss = f'loss {draw.randint(1, 30)}%'
    duplicate = f'duplicate {draw.randint(5, 60)}%'
    delay = f'delay {draw.randint(2, 40)}ms {draw.randint(1, 40)}ms'
    reorder = f'delay {draw.randint(5, 60)}ms reorder {draw.randint(20, 80)}% 50%'
    corrupt = f'corrupt {draw.randint(1, 15)}%'
    return [('network', draw.choice((*NODES, 'both')), *words.split())
            for words in (loss, duplicate, delay, reorder, corrupt)]


def limits(draw):
    """Bytes that may be queued for a peer, and cached: less is queued than comes, or
    much is, but not all of it fits the cache. Where nothing fits the cache nothing is
    queued either."""
    first, second = draw.sample(NODES, 2)
    little = (draw.choice(('0', '1000', '2000')), draw.choice(('20000', '200000', '16M')))
    cache = draw.choice((2000, 20000))
    return [(('limits', first, *little), ('limits', first, 'default')),
            (('limits', second, '16M', str(cache)), ('limits', second, 'default'))]


def shortages(draw):
    """What lasts while other faults come: its beginning, and its end."""
    lasting = []
    for node in NODES:
        lasting += [
            # per cent of the guest's memory that something else takes
            (('memory', node, str(draw.randint(60, 90))), ('memory', node, '0')),
            # what this node sends is damaged in a way that only Tern finds
            (('damage', node, str(draw.randint(3, 50))), ('damage', node, '0')),
            # per cent of the allocations that may not wait
            (('failslab', node, str(draw.randint(1, 10))), ('failslab', node, '0')),
        ]
    return lasting


def conditions(draw):
    """Each shortage, with an impaired network. Where the cache is full requests come
    late and again, and replies get lost."""
    impaired = network(draw)
    impaired += draw.sample(impaired, 1)
    draw.shuffle(impaired)
    pairs = list(zip(impaired, shortages(draw)))
    pairs += [(together(draw), limit) for limit in limits(draw)]
    draw.shuffle(pairs)
    return pairs


def faults(draw):
    """What happens at once and, with a time, is over after it."""
    happening = [('partition', 'both', seconds(draw, 0.5, 4))]
    for node in NODES:
        happening += [
            # nothing that this node sends arrives
            ('partition', node, seconds(draw, 0.5, 4)),
            # the service's process is killed, and started after this time
            ('kill-server', node, '0'),
            ('kill-server', node, seconds(draw, 0.2, 1)),
            # the next one makes its calls in this way
            *(('kill-client', node, way) for way in WAYS),
            ('stop-server', node, seconds(draw, 0.5, 4)),
            ('stop-client', node, seconds(draw, 0.5, 2)),
            # the whole machine stands still, also for longer than the lease
            ('pause', node, seconds(draw, 0.2, 2)),
            # the whole machine loses its power
            ('reset', node, seconds(draw, 0, 1)),
            # the same, and before it nothing was heard of what it executed
            ('silent-reset', node, seconds(draw, 0.2, 2)),
            # the node begins anew, with its machine and its processes going on
            ('restart', node),
            # the same, and before it nothing was heard of what it executed
            ('silent-restart', node, seconds(draw, 0.2, 1)),
        ]
    happening += [('pause', draw.choice(NODES), seconds(draw, 5.5, 7))]
    draw.shuffle(happening)
    return happening


def cycle(draw):
    lasting, happening = conditions(draw), faults(draw)
    for i, (impaired, (begin, end)) in enumerate(lasting):
        yield from (impaired, begin)
        # as many at each time
        yield from happening[i::len(lasting)]
        yield from (end, HEAL)


def kinds():
    """The names of all faults."""
    return {fault[0] for fault in cycle(random.Random(0))}


def main():
    draw = random.Random(int(sys.argv[1]))
    while True:
        for fault in cycle(draw):
            print(seconds(draw, 0.1, 1), *fault, flush=True)
        print('0 cycle', flush=True)


if __name__ == '__main__':
    try:
        main()
    except BrokenPipeError:
        # whoever reads has enough; nothing is left to be flushed
        sys.stdout = None
