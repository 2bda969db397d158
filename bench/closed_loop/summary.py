"""Results of closed loops, by scenario and in total."""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from bench.closed_loop.followers import FOLLOWED, REPLAYED
from bench.closed_loop.grid import Scenario
from bench.closed_loop.loop import IDLE, SELF, Failure, LoopResults

# Tolerated loss against self-consumption: rounding under a flat tariff, elsewhere a share of the
# possible savings.
FLAT_TOLERANCE = 1e-6
SHARE_TOLERANCE = 0.005
SAME = 1e-9
# Below this, EUR a week, a share of the possible savings is meaningless.
LEAST_SAVINGS = 0.1
WORST = 10
_NUMBER = re.compile(r"[-+]?\d[\d.]*(?:e[-+]?\d+)?")


@dataclass(frozen=True, slots=True)
class Row:
    """A scenario's figures by column: EUR a week, slots in breach, exceptions, processor seconds.

    And the time of the slowest decision.
    """

    scenario: Scenario
    costs: dict[str, float]
    breaches: dict[str, int]
    failures: dict[str, list[Failure]]
    seconds: dict[str, float]
    slowest_s: float

    @property
    def name(self) -> str:
        """The scenario's name."""
        return self.scenario.name

    @property
    def over_self(self) -> float:
        """The extra cost of ``followed`` over plain self-consumption, EUR a week."""
        return self.costs[FOLLOWED] - self.costs[SELF]

    @property
    def share(self) -> float:
        """``over_self`` as a share of the possible savings."""
        return self.over_self / self.savings

    @property
    def savings(self) -> float:
        """The savings of the best column over no control, EUR a week, at least
        ``LEAST_SAVINGS``.
        """
        return max(self.costs[IDLE] - min(self.costs.values()), LEAST_SAVINGS)

    @property
    def replay_gap(self) -> float:
        """The absolute difference in cost between ``followed`` and ``replayed``."""
        return abs(self.costs[FOLLOWED] - self.costs[REPLAYED])

    @property
    def exceptions(self) -> int:
        """The number of exceptions of all policies."""
        return sum(map(len, self.failures.values()))

    @property
    def must_not_lose(self) -> bool:
        """Whether the planner must not lose against self-consumption: always, but under variable
        prices with biased forecasts.
        """
        return self.scenario.flat or not self.scenario.biased

    @property
    def loses(self) -> bool:
        """Whether ``followed`` loses more than tolerated."""
        return self._loses(FOLLOWED)

    @property
    def replay_loses(self) -> bool:
        """Whether ``replayed`` loses more than tolerated."""
        return self._loses(REPLAYED)

    @property
    def fails(self) -> bool:
        """Whether the scenario fails: by loss, exception, breach, or a gap to the replay."""
        return (
            self.loses
            or self.exceptions > 0
            or any(self.breaches.values())
            or self.replay_gap > SAME
        )

    def _loses(self, column: str) -> bool:
        over = self.costs[column] - self.costs[SELF]
        return self.must_not_lose and over > (
            FLAT_TOLERANCE if self.scenario.flat else SHARE_TOLERANCE * self.savings
        )

    def document(self) -> dict[str, Any]:
        """Return the JSON document."""
        found = {
            "name": self.name,
            "over_self": self.over_self,
            "share": self.share,
            "loses": self.loses,
            "fails": self.fails,
        }
        return (
            found
            | {key: value for key, value in asdict(self).items() if key != "scenario"}
            | {"week": self.scenario.week}
        )


def read_rows(scenarios: Sequence[Scenario], results: LoopResults) -> list[Row]:
    """Return the rows of a batch's scenarios, in order."""
    costs = results.costs.tolist()
    breaches = results.breached.sum(axis=-1).tolist()
    rows = []
    for place, scenario in enumerate(scenarios):
        guards = dict(
            zip(results.names, results.guards[place * len(results.names) :], strict=False)
        )
        failures = {name: guard.failures for name, guard in guards.items() if guard.failures}
        spent, broke = (
            dict(zip(results.names, values[place], strict=True)) for values in (costs, breaches)
        )
        seconds = {name: round(guard.busy_s, 3) for name, guard in guards.items()}
        rows.append(
            Row(
                scenario,
                spent,
                broke,
                failures,
                seconds,
                max(guard.slowest_s for guard in guards.values()),
            )
        )
    return rows


def summarise(rows: Sequence[Row]) -> dict[str, Any]:
    """Return the summary: the worst of each figure, the number of failures, and every scenario's
    EUR a week in the order of ``columns``.
    """
    kinds: dict[str, Callable[[Row], bool]] = {
        "flat": lambda row: row.scenario.flat,
        "elsewhere": lambda row: row.must_not_lose and not row.scenario.flat,
        "biased": lambda row: not row.must_not_lose,
    }
    worst = sorted((row for row in rows if row.must_not_lose), key=lambda row: -row.over_self)[
        :WORST
    ]
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
    """Return the greatest loss of ``followed`` against self-consumption, EUR a week and as a share,
    and the number of scenarios with a loss.
    """
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
    """Count the exceptions' messages by column, without their numbers, the most frequent first."""
    raised = (
        (column, failure)
        for row in rows
        for column, failures in row.failures.items()
        for failure in failures
    )
    return dict(
        Counter(normalise(column, failure.message) for column, failure in raised).most_common(WORST)
    )


def normalise(column: str, message: str) -> str:
    """Return a message with its numbers removed, so that similar ones are equal."""
    return f"{column}: {_NUMBER.sub('#', message)}"
