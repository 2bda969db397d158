"""Savings over a span of local days, by policy.

Cost and emissions are summed over days that count; others are left out or still to be replayed.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from functools import cached_property
from typing import Literal

from luna.energy.day_fault import DayFault

# The inverter alone, Luna, and perfect foresight.
WITHOUT = "self_consumption"
LUNA = "mpc"
POSSIBLE = "oracle"
# A day counts once all of these are replayed.
NEEDED = (WITHOUT, LUNA, POSSIBLE)
# Smaller possible savings are rounding.
LITTLE_MONEY = 0.005
G_PER_KG = 1000

LeftOutCode = Literal[
    "excluded", "not_recorded", "no_forecast", "gaps", "estimated", "no_prices", "not_replayed"
]


@dataclass(frozen=True, slots=True)
class CountedDay:
    """Cost and emissions of a counted day, by policy.

    Cost is less the batteries' gain in stored value, emissions are those of its import where known.
    ``by_luna``: Luna controlled the batteries for most of the day. On other days its savings are
    what it would have saved. ``is_outdated``: a price was corrected since, and the day is to be
    replayed.
    """

    day: date
    cost: Mapping[str, float]
    carbon_kg: Mapping[str, float]
    by_luna: bool = False
    is_outdated: bool = False

    @property
    def saved(self) -> float:
        """Savings of Luna over the inverter alone."""
        return self.cost[WITHOUT] - self.cost[LUNA]

    @property
    def possible(self) -> float:
        """Savings of perfect foresight over the inverter alone."""
        return self.cost[WITHOUT] - self.cost[POSSIBLE]


@dataclass(frozen=True, slots=True)
class LeftOutDay:
    """A day that does not count, with the faults of its quality verdict."""

    day: date
    code: LeftOutCode
    faults: Sequence[DayFault] = ()


@dataclass(frozen=True)
class Savings:
    """The days from ``first`` to ``last``, and the sums of those that count.

    Invariants: every day is in exactly one of the two lists; a policy's sum is that of its days.
    """

    first: date
    last: date
    counted: Sequence[CountedDay]
    left_out: Sequence[LeftOutDay]

    @property
    def days(self) -> int:
        """Number of days in the span."""
        return (self.last - self.first).days + 1

    @property
    def done(self) -> "Savings":
        """The same span with those counted days alone on which Luna was in control."""
        return replace(self, counted=[day for day in self.counted if day.by_luna])

    @property
    def proposed(self) -> "Savings":
        """The same span with the counted days on which Luna was not in control."""
        return replace(self, counted=[day for day in self.counted if not day.by_luna])

    @property
    def saved(self) -> float | None:
        """Savings of Luna over the inverter alone on the counted days; None without one."""
        return sum(day.saved for day in self.counted) if self.counted else None

    @cached_property
    def cost(self) -> dict[str, float]:
        """Total cost by policy, of the policies known on all counted days."""
        return _sum([day.cost for day in self.counted])

    @cached_property
    def carbon_days(self) -> list[CountedDay]:
        """The counted days with known emissions."""
        return [day for day in self.counted if all(name in day.carbon_kg for name in NEEDED)]

    @cached_property
    def carbon_kg(self) -> dict[str, float]:
        """Emissions of the import by policy over ``carbon_days``."""
        return _sum([day.carbon_kg for day in self.carbon_days])

    def tail(self, days: int) -> "Savings":
        """Return the savings of the last ``days`` of the span."""
        first = max(self.first, self.last - timedelta(days=days - 1))
        counted = [day for day in self.counted if day.day >= first]
        left_out = [day for day in self.left_out if day.day >= first]
        return Savings(first, self.last, counted, left_out)

    def find_missing_spans(self) -> list[tuple[date, date]]:
        """Return the runs of days to be replayed, as first and last day.

        They could be replayed and were not, or a price was corrected since.
        """
        days = [left.day for left in self.left_out if left.code == "not_replayed"]
        days += [counted.day for counted in self.counted if counted.is_outdated]
        spans: list[tuple[date, date]] = []
        for day in sorted(days):
            if spans and day - spans[-1][1] == timedelta(days=1):
                spans[-1] = (spans[-1][0], day)
            else:
                spans.append((day, day))
        return spans


def share_of_possible(amounts: Mapping[str, float], *, policy: str = LUNA) -> float | None:
    """Return a policy's share of the possible savings.

    None where next to nothing could be saved.
    """
    possible = amounts[WITHOUT] - amounts[POSSIBLE]
    return (amounts[WITHOUT] - amounts[policy]) / possible if possible > LITTLE_MONEY else None


def _sum(days: Sequence[Mapping[str, float]]) -> dict[str, float]:
    names = set.intersection(*(set(day) for day in days)) if days else set()
    return {name: sum(day[name] for day in days) for name in sorted(names)}
