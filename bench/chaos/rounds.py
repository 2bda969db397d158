"""Rounds: inject faults under load, measure the recovery after each, and audit the ledger at the
end.
"""

import sys
import time
from collections import Counter, defaultdict
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from statistics import median
from typing import Any

import httpx
import psycopg

from bench.chaos.audit import Findings, audit
from bench.chaos.faults import Moment, Saboteur
from bench.chaos.load import Load
from bench.chaos.stack import Stack
from bench.ledger import Ledger
from bench.waiting import wait_until

# A longer recovery counts as none.
RECOVERY_SECONDS = 240.0
# A lost message is sent again after two minutes, and the death of its worker may be noticed two
# minutes later.
SETTLE_SECONDS = 900.0
WARM_SECONDS = 10.0
OPEN_JOBS = "SELECT count(*) FROM jobs WHERE status IN ('queued', 'running')"


@dataclass
class Outcome:
    """The results of a run.

    ``recoveries`` holds the seconds to full recovery by fault, ``functions`` those until each
    function worked again.
    """

    recoveries: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    functions: dict[str, dict[str, list[float]]] = field(
        default_factory=lambda: defaultdict(lambda: defaultdict(list))
    )
    counts: Counter[str] = field(default_factory=Counter)
    stuck: list[str] = field(default_factory=list)
    not_struck: list[str] = field(default_factory=list)
    settled: list[float] = field(default_factory=list)
    findings: Findings = field(default_factory=Findings)
    answers: Counter[tuple[str, str]] = field(default_factory=Counter)


class Run:
    """Injects faults into a stack under load."""

    def __init__(
        self, stack: Stack, load: Load, ledger: Ledger, *, saboteur: Saboteur, outcome: Outcome
    ) -> None:
        self._stack = stack
        self._load = load
        self._saboteur = saboteur
        self._ledger = ledger
        self._outcome = outcome
        self._expected: set[str] = set()
        # Whether the previous fault has been recovered from; otherwise the next recovery is not
        # this fault's alone and is not counted.
        self._is_well = True

    def play(self, moments: Sequence[Moment]) -> None:
        """Inject ``moments`` under load, then let everything settle and audit, also after
        Ctrl-C.
        """
        try:
            with self._load:
                time.sleep(WARM_SECONDS)
                self._expected = self._expected or set(self._stack.processes().values())
                for number, moment in enumerate(moments, 1):
                    time.sleep(moment.pause)
                    name = f"{moment.fault} {moment.target}".strip()
                    awaited = moment.awaited or moment is moments[-1]
                    hit = self._saboteur.strike(moment)
                    if hit:
                        self._outcome.not_struck.append(f"{name}: {hit}")
                    self._outcome.counts[moment.fault] += 1
                    recovery = self._await(name, time.monotonic()) if awaited else "not awaited"
                    self._is_well &= awaited
                    say(f"{number:4} {name}: {hit or recovery}")
        finally:
            self._settle()

    def _await(self, name: str, since: float) -> str:
        """Wait for full recovery.

        Return its time in words, or the functions and processes that are still missing.
        """
        was_well = self._is_well
        self._is_well = True
        while (missing := self._missing(since)) and time.monotonic() < since + RECOVERY_SECONDS:
            self._stack.watch()
            time.sleep(0.1)
        if missing:
            self._outcome.stuck.append(
                f"{name}: after {RECOVERY_SECONDS:g} s without {', '.join(sorted(missing))}"
            )
            return self._outcome.stuck[-1]
        recovery_s = time.monotonic() - since
        functions = {
            function: (self._load.seen.first_since(function, since) or since) - since
            for function in self._load.callers
        }
        if was_well:
            self._outcome.recoveries[name].append(recovery_s)
            for function, seconds in functions.items():
                self._outcome.functions[name][function].append(seconds)
        return (
            f"{recovery_s:.1f} s, {max(functions, key=lambda function: functions[function])} last"
        )

    def _missing(self, since: float) -> set[str]:
        """Return the functions that have not worked since.

        If all have, the missing kinds of processes, which are slower to list.
        """
        functions = {
            function
            for function in self._load.callers
            if self._load.seen.first_since(function, since) is None
        }
        return functions or self._expected - set(self._stack.processes().values())

    def _settle(self) -> None:
        """Wait until no job is open, and compare the ledger with the database."""
        begun = time.monotonic()
        with suppress(TimeoutError):
            wait_until(
                self._is_settled,
                seconds=SETTLE_SECONDS,
                what="an end of all jobs",
                despite=(psycopg.Error, OSError, httpx.HTTPError),
            )
        # The broker delivers the recorder's backlog at once; its rows are stored a moment later.
        time.sleep(WARM_SECONDS)
        self._outcome.settled.append(time.monotonic() - begun)
        with self._stack.database() as database:
            self._outcome.findings = audit(self._ledger.read(), database)
        self._outcome.answers = self._load.seen.answers
        found = self._outcome.findings
        for fault in found.faults[:20]:
            say(f"     {fault}")
        say(
            f"     settled in {self._outcome.settled[-1]:.0f} s; "
            f"{sum(found.acknowledged.values())} acknowledged, {len(found.faults)} faults"
        )

    def _is_settled(self) -> bool:
        self._stack.watch()
        with self._stack.database() as database:
            return database.execute(OPEN_JOBS).fetchall() == [(0,)]


def describe(outcome: Outcome, seed: int) -> dict[str, Any]:
    """Return a run's figures."""
    found = outcome.findings
    answers: dict[str, dict[str, int]] = defaultdict(dict)
    for (caller, answer), number in sorted(outcome.answers.items()):
        answers[caller][answer] = number
    return {
        "seed": seed,
        "moments": dict(outcome.counts),
        "acknowledged": dict(found.acknowledged),
        "lost": len(found.lost),
        "doubled": len(found.doubled),
        "wrong": len(found.wrong),
        "beyond_limits": len(found.beyond_limits),
        "not_recovered": len(outcome.stuck),
        "there_without_acknowledgement": dict(found.unacknowledged),
        "jobs": dict(found.job_ends),
        "recovery_s": {
            name: {
                "times": len(seconds),
                "median": round(median(seconds), 1),
                "worst": round(max(seconds), 1),
            }
            for name, seconds in sorted(outcome.recoveries.items())
        },
        "settled_s": outcome.settled,
        "answers": answers,
        "faults": found.faults[:100],
        "stuck": outcome.stuck,
        "not_struck": outcome.not_struck,
        "slowest_function": {
            name: max(each, key=lambda function: median(each[function]))
            for name, each in sorted(outcome.functions.items())
        },
    }


def say(words: str) -> None:
    """Print progress on stderr."""
    print(words, file=sys.stderr, flush=True)
