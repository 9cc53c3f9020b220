# SPDX-License-Identifier: GPL-2.0
# Test: none
"""What the faults of a chaos run explain, by their kinds and times."""

import bisect
import errno
from dataclasses import dataclass

# How much later, in ms, the consequence of a fault may come.
MARGIN = 2000
NEVER = 1 << 62

# Faults that end the life of a node; and what it does for others.
NEW_LIFE = ('reset', 'silent-reset', 'restart', 'silent-restart')
ENDS_SERVICE = NEW_LIFE + ('kill-server', 'memory')
# Faults that a caller dies of.
ENDS_CALLER = ('kill-client', 'reset', 'silent-reset', 'memory')
# Of what fault an outcome with this cause is the consequence, if a call may have run.
CONSEQUENCES = {
    errno.ECONNRESET: NEW_LIFE,
    errno.ENETDOWN: NEW_LIFE,
    errno.ECONNREFUSED: ENDS_SERVICE,
    errno.EOWNERDEAD: ENDS_SERVICE,
}
# Faults by which a node may hear nothing of another until its lease is over.
SILENCE = NEW_LIFE + ('partition', 'pause')
# Faults during which nothing is noticed, either.
DELAYS = SILENCE + ('stop-client',)
# What lasts until the same fault comes with such a last argument.
LASTING = ('network', 'memory', 'damage', 'failslab', 'limits')
ENDS = ('0', '0ms', 'default')


@dataclass
class Fault:
    begin: int
    end: int
    name: str
    arguments: list

    def hits(self, node):
        return node is None or self.arguments[0] in (node, 'both')


class Times:
    """Spans of time, merged."""

    def __init__(self, spans):
        self.begins, self.ends, self.before = [], [], [0]
        for begin, end in sorted(spans):
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


class Faults(list):
    """Those of a run, in the order of their times."""

    def __init__(self, lines):
        super().__init__(Fault(int(begin), int(end), name, arguments)
                         for begin, end, name, *arguments in lines)
        self.known = {}

    def span(self, i):
        """When something may come of a fault: as long as it lasts, and until what
        delays that is over."""
        fault = self[i]
        end = fault.end
        if fault.name in LASTING and fault.arguments[-1] not in ENDS:
            end = next((later.end for later in self[i + 1:]
                        if later.name == fault.name and later.arguments[-1] in ENDS and
                        later.hits(fault.arguments[0])), NEVER)
        end += MARGIN
        for later in self[i + 1:]:
            if later.begin > end:
                break
            if later.name in DELAYS:
                end = max(end, later.end + MARGIN)
        return fault.begin, end

    def explain(self, begin, end, names=None, node=None):
        """Whether something may come then of one of these faults of this node."""
        times = self.known.get((names, node))
        if times is None:
            times = Times(self.span(i) for i, fault in enumerate(self)
                          if (names is None or fault.name in names) and fault.hits(node))
            self.known[names, node] = times
        return times.within(begin, end + 1) > 0
