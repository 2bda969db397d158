"""What closed loops came to, scenario by scenario and in all."""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from bench.closed_loop.followers import FOLLOWED, REPLAYED
from bench.closed_loop.grid import Scenario
from bench.closed_loop.loop import IDLE, SELF, Failure, LoopResults

# What may be lost against self-consumption: rounding where a kWh costs the same at any time, elsewhere a share of what can be saved.
FLAT_TOLERANCE, SHARE_TOLERANCE = 1e-6, 0.005
SAME = 1e-9
# Below this, EUR a week, a share of what can be saved says nothing.
LEAST_SAVINGS = 0.1
WORST = 10
_NUMBER = re.compile(r"[-+]?\d[\d.]*(?:e[-+]?\d+)?")


@dataclass(frozen=True, slots=True)
class Row:
    """One scenario's figures by column: EUR a week, slots that breached a limit, what was raised, processor seconds; and how long the slowest decision took."""

    scenario: Scenario
    costs: dict[str, float]
    breaches: dict[str, int]
    failures: dict[str, list[Failure]]
    seconds: dict[str, float]
    slowest_s: float

    @property
    def name(self) -> str:
        """The scenario's."""
        return self.scenario.name

    @property
    def over_self(self) -> float:
        """What following costs more than plain self-consumption."""
        return self.costs[FOLLOWED] - self.costs[SELF]

    @property
    def share(self) -> float:
        """The same as a share of what can be saved."""
        return self.over_self / self.savings

    @property
    def savings(self) -> float:
        """What the best of all columns saves over no control."""
        return max(self.costs[IDLE] - min(self.costs.values()), LEAST_SAVINGS)

    @property
    def replay_gap(self) -> float:
        """How far following is from what is replayed, either way."""
        return abs(self.costs[FOLLOWED] - self.costs[REPLAYED])

    @property
    def exceptions(self) -> int:
        """How often any policy raised something."""
        return sum(map(len, self.failures.values()))

    @property
    def must_not_lose(self) -> bool:
        """Whether following may not lose against self-consumption here: everywhere but where prices move and forecasts err to one side."""
        return self.scenario.flat or not self.scenario.biased

    @property
    def loses(self) -> bool:
        """Whether following loses more than it may."""
        return self._loses(FOLLOWED)

    @property
    def replay_loses(self) -> bool:
        """The same of what is replayed."""
        return self._loses(REPLAYED)

    @property
    def fails(self) -> bool:
        """Whether anything here is not as it has to be."""
        return self.loses or self.exceptions > 0 or any(self.breaches.values()) or self.replay_gap > SAME

    def _loses(self, column: str) -> bool:
        over = self.costs[column] - self.costs[SELF]
        return self.must_not_lose and over > (FLAT_TOLERANCE if self.scenario.flat else SHARE_TOLERANCE * self.savings)

    def document(self) -> dict[str, Any]:
        """Return all of it for a file."""
        found = {"name": self.name, "over_self": self.over_self, "share": self.share, "loses": self.loses, "fails": self.fails}
        return found | {key: value for key, value in asdict(self).items() if key != "scenario"} | {"week": self.scenario.week}


def read_rows(scenarios: Sequence[Scenario], results: LoopResults) -> list[Row]:
    """Return the figures of scenarios that were simulated side by side, in order."""
    costs, breaches = results.costs.tolist(), results.breached.sum(axis=-1).tolist()
    rows = []
    for place, scenario in enumerate(scenarios):
        guards = dict(zip(results.names, results.guards[place * len(results.names) :], strict=False))
        failures = {name: guard.failures for name, guard in guards.items() if guard.failures}
        spent, broke = (dict(zip(results.names, values[place], strict=True)) for values in (costs, breaches))
        seconds = {name: round(guard.busy_s, 3) for name, guard in guards.items()}
        rows.append(Row(scenario, spent, broke, failures, seconds, max(guard.slowest_s for guard in guards.values())))
    return rows


def summarise(rows: Sequence[Row]) -> dict[str, Any]:
    """Return the figures of all scenarios: the worst of each kind, how many fail, and every scenario's EUR a week in the order of ``columns``."""
    kinds: dict[str, Callable[[Row], bool]] = {
        "flat": lambda row: row.scenario.flat,
        "elsewhere": lambda row: row.must_not_lose and not row.scenario.flat,
        "biased": lambda row: not row.must_not_lose,
    }
    worst = sorted((row for row in rows if row.must_not_lose), key=lambda row: -row.over_self)[:WORST]
    return {
        "scenarios": len(rows),
        **{kind: _worst(filter(belongs, rows)) for kind, belongs in kinds.items()},
        "exceptions": sum(row.exceptions for row in rows),
        "breaches": sum(sum(row.breaches.values()) for row in rows),
        "largest_from_replayed": max(row.replay_gap for row in rows),
        "failing": sum(row.fails for row in rows),
        "slowest_decision_s": max(row.slowest_s for row in rows),
        "processor_s_per_scenario": sum(sum(row.seconds.values()) for row in rows) / len(rows),
        "worst": {row.name: row.over_self for row in worst},
        "messages": group_messages(rows),
        "columns": list(rows[0].costs),
        "costs": {row.name: [round(cost, 6) for cost in row.costs.values()] for row in rows},
    }


def _worst(rows: Iterable[Row]) -> dict[str, Any]:
    """Return what following loses at most against self-consumption, EUR a week and as a share, and in how many scenarios it does so."""
    among = list(rows)
    if not among:
        return {}
    return {
        "scenarios": len(among),
        "losing": sum(row.loses for row in among),
        "worst_over_self": max(row.over_self for row in among),
        "worst_share": max(row.share for row in among),
    }


def group_messages(rows: Iterable[Row]) -> dict[str, int]:
    """Return how often each message was raised, by column, numbers left out, the commonest first."""
    raised = ((column, failure) for row in rows for column, failures in row.failures.items() for failure in failures)
    return dict(Counter(normalise(column, failure.message) for column, failure in raised).most_common(WORST))


def normalise(column: str, message: str) -> str:
    """Return a message without its numbers, so that alike ones are one."""
    return f"{column}: {_NUMBER.sub('#', message)}"
