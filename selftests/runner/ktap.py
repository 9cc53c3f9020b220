# SPDX-License-Identifier: GPL-2.0
"""Reads KTAP (and TAP) and compares it with the exit status of its program."""

import re

SKIP = 4  # exit status of a kselftest that checked nothing

PLAN = re.compile(r'^( *)1\.\.(\d+)(?:\s*#\s*SKIP\b[:\s]*(.*))?\s*$', re.I)
RESULT = re.compile(r'^( *)(ok|not ok)\b(?: +(\d+))?(?: +-)?(?: +([^#]*?))?'
                    r'\s*(?:#\s*(SKIP|XFAIL|TODO)\b[:\s]*(.*))?(?:#.*)?$')


class Report:
    """What one test program reported."""

    def __init__(self):
        self.passed = 0
        self.failed = []    # names
        self.skipped = []   # (name, reason)
        self.problems = []  # what is wrong with the report itself

    @property
    def failures(self):
        return len(self.failed) + len(self.problems)


class Level:
    """Results of one indentation; those of deeper ones belong to its next."""

    def __init__(self, indent, failures):
        self.indent = indent
        self.failures_before = failures
        self.plan = None
        self.count = 0
        self.failed_below = None  # failures of a finished deeper level


def close(level, report):
    if level.plan is None:
        # KUnit plans no parameters of a test
        if level.indent == 0 and level.count:
            report.problems.append('no plan (1..N)')
    elif level.plan != level.count:
        report.problems.append(
            f'{level.count} results, but {level.plan} were planned')


def parse(lines):
    report = Report()
    top = Level(0, 0)
    levels = [top]
    whole_skip = None

    def enter(indent):
        while levels[-1].indent > indent:
            done = levels.pop()
            close(done, report)
            if levels[-1].indent < indent:
                levels.append(Level(indent, done.failures_before))
            levels[-1].failed_below = report.failures - done.failures_before
        if levels[-1].indent < indent:
            levels.append(Level(indent, report.failures))
        return levels[-1]

    for line in lines:
        line = line.rstrip('\r\n')
        if line.startswith('Bail out!'):
            report.problems.append(line)
            continue
        match = PLAN.match(line)
        if match:
            level = enter(len(match[1]))
            if level.plan is not None:
                report.problems.append('more than one plan')
            level.plan = int(match[2])
            if level is top and level.plan == 0:
                whole_skip = match[3] or 'no reason given'
            continue
        match = RESULT.match(line)
        if not match:
            continue
        level = enter(len(match[1]))
        level.count += 1
        name = match[4] or match[6] or f'number {level.count}'
        if match[3] and int(match[3]) != level.count:
            report.problems.append(
                f'result {level.count} has the number {match[3]}')
        if level.failed_below is not None:
            # a summary of the deeper level, which was counted already
            if match[2] == 'not ok' and level.failed_below == 0:
                report.failed.append(name)
            level.failed_below = None
        elif match[5] == 'SKIP':
            report.skipped.append((name, match[6]))
        elif match[2] == 'ok' or match[5] in ('XFAIL', 'TODO'):
            report.passed += 1
        else:
            report.failed.append(name)

    while levels:
        close(levels.pop(), report)
    if whole_skip is not None and top.count == 0:
        report.skipped.append(('everything', whole_skip))
    elif top.count == 0 and not report.problems:
        report.problems.append('no result')
    return report


def judge(lines, status):
    """Report of a program that printed lines and exited with status."""
    report = parse(lines)
    if report.failed:
        agrees = status not in (0, SKIP)
    elif report.passed:
        agrees = status == 0
    else:
        agrees = status in (0, SKIP)
    if not agrees and not report.problems:
        report.problems.append(f'exit status {status} disagrees with the results')
    return report
