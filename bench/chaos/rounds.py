"""Rounds: moments under load, how long Luna takes to be itself again after each, and the audit of the ledger at the end of each round."""

import sys
import time
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from typing import Any

import httpx
import numpy as np
import psycopg

from bench.chaos.audit import Findings, audit
from bench.chaos.contents import Contents
from bench.chaos.faults import FalseClock, Moment, Saboteur, draw_jumps, draw_moments
from bench.chaos.load import Load
from bench.chaos.stack import Stack
from bench.ledger import Ledger

# Beyond this it is a fault that something does not come back.
RECOVERY_SECONDS = 240.0
# A message that was lost is sent again after two minutes, and its worker's death may be noticed two minutes later.
SETTLE_SECONDS = 900.0
WARM_SECONDS = 10.0
OPEN_JOBS = "SELECT count(*) FROM jobs WHERE status IN ('queued', 'running')"


@dataclass
class Outcome:
    """What a run gave."""

    recoveries: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    functions: dict[str, dict[str, list[float]]] = field(default_factory=lambda: defaultdict(lambda: defaultdict(list)))
    counts: Counter[str] = field(default_factory=Counter)
    stuck: list[str] = field(default_factory=list)
    not_struck: list[str] = field(default_factory=list)
    settled: list[float] = field(default_factory=list)
    findings: Findings = field(default_factory=Findings)
    answers: Counter[tuple[str, str]] = field(default_factory=Counter)


class Run:
    """A stack under load in which faults are made."""

    def __init__(self, stack: Stack, load: Load, ledger: Ledger, *, saboteur: Saboteur, outcome: Outcome) -> None:
        self._stack, self._load, self._saboteur, self._ledger, self._outcome = stack, load, saboteur, ledger, outcome
        self._expected: set[str] = set()
        # Whether the fault before is overcome: else what is measured is not this one's alone.
        self._is_well = True

    def play(self, moments: Sequence[Moment]) -> None:
        """Go through ``moments`` under load, then let everything settle and audit, also where Ctrl-C ends the moments early."""
        try:
            with self._load:
                time.sleep(WARM_SECONDS)
                self._expected = self._expected or self._stack.kinds
                for number, moment in enumerate(moments, 1):
                    time.sleep(moment.pause)
                    self._strike(number, moment, awaited=moment.awaited or moment is moments[-1])
        finally:
            self._settle()

    def _strike(self, number: int, moment: Moment, *, awaited: bool) -> None:
        name = f"{moment.fault} {moment.target}".strip()
        hit = self._saboteur.strike(moment)
        over = time.monotonic()
        if hit:
            self._outcome.not_struck.append(f"{name}: {hit}")
        self._outcome.counts[moment.fault] += 1
        said = self._await(name, over) if awaited else "not awaited"
        self._is_well &= awaited
        say(f"{number:4} {name}: {hit or said}")

    def _await(self, name: str, since: float) -> str:
        """Wait until all is well and return how long that took, or what has not come back."""
        was_well, self._is_well = self._is_well, True
        if missing := self._wait_until_well(since):
            self._outcome.stuck.append(f"{name}: after {RECOVERY_SECONDS:g} s without {', '.join(sorted(missing))}")
            return self._outcome.stuck[-1]
        if was_well:
            self._note(name, since)
        slowest = max(self._load.callers, key=lambda function: self._load.seen.first_since(function, since) or 0)
        return f"{time.monotonic() - since:.1f} s, {slowest} last"

    def _wait_until_well(self, since: float) -> set[str]:
        """Return what has not come back in time: functions that have not worked since, and kinds of processes."""
        missing: set[str] = set()
        while time.monotonic() < since + RECOVERY_SECONDS:
            self._stack.watch()
            missing = {function for function in self._load.callers if self._load.seen.first_since(function, since) is None}
            # To look through all processes takes a while.
            if not missing and not (missing := self._expected - self._stack.kinds):
                return missing
            time.sleep(0.1)
        return missing

    def _note(self, name: str, since: float) -> None:
        times = {function: self._load.seen.first_since(function, since) or since for function in self._load.callers}
        self._outcome.recoveries[name].append(time.monotonic() - since)
        for function, at in times.items():
            self._outcome.functions[name][function].append(at - since)

    def _settle(self) -> None:
        """Wait until no job is open, and compare the ledger with the database."""
        begun = time.monotonic()
        while self._is_unsettled() and time.monotonic() < begun + SETTLE_SECONDS:
            self._stack.watch()
            time.sleep(1)
        # What a broker keeps for the recorder comes at once; its rows a moment later.
        time.sleep(WARM_SECONDS)
        self._outcome.settled.append(time.monotonic() - begun)
        with self._stack.database() as database:
            self._outcome.findings = audit(self._ledger.read(), database)
        self._outcome.answers = self._load.seen.answers
        for fault in self._outcome.findings.faults[:20]:
            say(f"     {fault}")
        found = self._outcome.findings
        say(f"     settled in {self._outcome.settled[-1]:.0f} s; {sum(found.acknowledged.values())} acknowledged, {len(found.faults)} faults")

    def _is_unsettled(self) -> bool:
        with suppress(psycopg.Error, OSError, httpx.HTTPError), self._stack.database() as database:
            return database.execute(OPEN_JOBS).fetchall() != [(0,)]
        return True


@dataclass(frozen=True)
class Place:
    """Where a run takes place: the data folder's parent, the ledger's folder, and ports of gateway and broker."""

    disk: Path
    folder: Path
    port: int
    broker_port: int


def settings_of(place: Place) -> dict[str, str]:
    """Return what the stack is told: nothing from outside, no limit to how much is asked of it."""
    return {
        "LUNA_OUTSIDE_SERVICES": "false",
        "LUNA_EMBEDDING_DOWNLOAD": "false",
        "LUNA_MQTT_URL": f"mqtt://127.0.0.1:{place.broker_port}",
        "LUNA_MQTT_PUBLISH": "sensors",
        "LUNA_REQUESTS_PER_MINUTE": "1000000",
        "LUNA_SOLVES_PER_MINUTE": "1000000",
    }


@dataclass(frozen=True)
class Extent:
    """How much is done: ``kills`` and as many other faults as ``draw_moments`` adds, in ``rounds`` rounds, then ``jumps`` of the clock in a last one."""

    seed: int
    kills: int
    rounds: int
    jumps: int


def run(place: Place, extent: Extent, outcome: Outcome) -> None:
    """Go through a run; ``outcome`` has what is known by then also where this is interrupted."""
    seed, moments = extent.seed, draw_moments(extent.seed, extent.kills)
    size = max(1, -(-len(moments) // extent.rounds))
    with ExitStack() as resources:
        ledger = Ledger(place.folder / "ledger")
        resources.callback(ledger.close)
        chance = np.random.default_rng((seed, extent.kills))
        stack = resources.enter_context(started(Stack(place.disk / "luna", place.port, settings_of(place), log=place.folder / "luna.log")))
        load = Load(stack, ledger, Contents(seed, datetime.now(UTC).date()), place.broker_port)
        resources.callback(load.close)
        load.prepare()
        part = Run(stack, load, ledger, saboteur=Saboteur(stack, chance), outcome=outcome)
        for first in range(0, len(moments), size):
            part.play(moments[first : first + size])
        if extent.jumps:
            clock = FalseClock(place.folder)
            stack.start_anew(clock.environment)
            Run(stack, load, ledger, saboteur=Saboteur(stack, chance, clock), outcome=outcome).play(draw_jumps(seed, extent.jumps))


@contextmanager
def started(stack: Stack) -> Iterator[Stack]:
    """Run a stack while the block runs."""
    try:
        stack.start()
        yield stack
    finally:
        stack.end()


def describe(outcome: Outcome, seed: int) -> dict[str, Any]:
    """Return a run's figures."""
    found = outcome.findings
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
        "recovery_s": {name: _summarise(values) for name, values in sorted(outcome.recoveries.items())},
        "settled_s": outcome.settled,
        "answers": _by_caller(outcome.answers),
        "faults": found.faults[:100],
        "stuck": outcome.stuck,
        "not_struck": outcome.not_struck,
        "slowest_function": {name: max(found, key=lambda each: median(found[each])) for name, found in sorted(outcome.functions.items())},
    }


def _summarise(values: Iterable[float]) -> dict[str, float]:
    ordered = sorted(values)
    return {"times": len(ordered), "median": round(median(ordered), 1), "worst": round(ordered[-1], 1)}


def _by_caller(answers: Mapping[tuple[str, str], int]) -> dict[str, dict[str, int]]:
    said: dict[str, dict[str, int]] = {}
    for (caller, answer), number in sorted(answers.items()):
        said.setdefault(caller, {})[answer] = number
    return said


def say(words: str) -> None:
    """Tell who watches."""
    print(words, file=sys.stderr, flush=True)
