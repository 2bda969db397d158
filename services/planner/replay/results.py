"""Summarise a replay: cost by policy and day, scores against the oracle, weeks against
self-consumption, and the cost of faults.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np

from luna.contracts.replay import DayCost, FaultReply, PolicyReply, WeeksReply
from luna.energy.physics.mode import Mode
from luna.energy.timeline import FloatArray
from services.planner.dp.plan import Plan
from services.planner.dp.segments import FORBIDDEN_VALUE
from services.planner.replay.data import ReplayData, Rules
from services.planner.replay.days import PolicyDay
from services.planner.replay.faults import PlacedFault


def value_stored_energy(
    oracle: Plan, rules: Rules, slot: int, stored_kwh: Sequence[float]
) -> float:
    """Return the value of energy stored at the end of ``slot`` by the oracle's V′.

    -1 is the start of the first slot.

    Of several batteries each is valued by its own function, with the others as in the oracle's
    plan. Without functions, a stored kWh has the terminal value.
    """
    above = np.array(stored_kwh) - rules.limits.batteries.min_kwh[:, 0]
    if not oracle.values:
        return float(rules.terminal_value * above.sum())
    worth = 0.0
    for battery_value, kwh in zip(oracle.values, above.tolist(), strict=True):
        length, value = battery_value.function.after(slot)
        # Penalties on limits are not money.
        priced = np.where(np.abs(value) < FORBIDDEN_VALUE / 2, value, 0.0)
        worth += float((np.clip(kwh - (np.cumsum(length) - length), 0.0, length) * priced).sum())
    return worth


WEEK = 7
# Tolerance of rounding.
_LITTLE_MONEY = 1e-6


@dataclass(frozen=True, slots=True)
class ReplayResults:
    """The days of every run, in order, and the oracle's plan, which values the energy stored
    between them.
    """

    scene: ReplayData
    rules: Rules
    oracle: Plan
    dates: Sequence[date]
    days: Mapping[str, Sequence[PolicyDay]]

    def settled_cost(self, label: str) -> float:
        """Return a run's cost less the terminal value of its gain in stored energy."""
        return sum(day.cost for day in self.days[label]) - self._gained(label)

    def score(self, label: str) -> float | None:
        """Return a run's share of the oracle's savings over idle.

        None where nothing can be saved.
        """
        idle = self.settled_cost("idle")
        possible = idle - self.settled_cost("oracle")
        return (idle - self.settled_cost(label)) / possible if possible > _LITTLE_MONEY else None

    def day_costs(self, label: str) -> list[DayCost]:
        """Return each day's cost, and its gain in stored energy at the terminal value and at the
        oracle's V′ of that midnight.
        """
        begin = self._initial_kwh
        costs = []
        worth = value_stored_energy(self.oracle, self.rules, -1, begin)
        stored = sum(begin)
        for number, day, (_, end) in zip(
            self.dates, self.days[label], self.scene.days, strict=True
        ):
            stored_at_end = sum(day.standing.stored_kwh)
            worth_at_end = value_stored_energy(
                self.oracle, self.rules, end - 1, day.standing.stored_kwh
            )
            gain = self.rules.terminal_value * (stored_at_end - stored)
            counted = {"import_carbon_g": day.import_carbon_g, "corrected": day.corrected}
            costs.append(
                DayCost(
                    day=number,
                    cost=day.cost,
                    stored_gain=gain,
                    value_gain=worth_at_end - worth,
                    **counted,
                )
            )
            stored = stored_at_end
            worth = worth_at_end
        return costs

    def describe(self, label: str) -> PolicyReply:
        """Return a run's summary."""
        days = self.days[label]
        usable = sum(battery.usable_kwh for battery in self.scene.site.batteries)
        return PolicyReply(
            cost=self.settled_cost(label),
            import_kwh=sum(day.import_kwh for day in days),
            export_kwh=sum(day.export_kwh for day in days),
            cycles=sum(day.discharge_kwh for day in days) / usable if usable else 0.0,
            score=self.score(label),
            violations=sum(day.violations for day in days),
            unserved_kwh=sum(day.unserved_kwh for day in days),
            mode_changes_per_day=sum(day.mode_changes for day in days) / len(days),
            terminal_value=self.rules.terminal_value,
            stored_gain=self._gained(label),
            days=self.day_costs(label),
            weeks=self.weeks(label),
        )

    def weeks(self, label: str) -> WeeksReply | None:
        """Return a run's gains by week over self-consumption; None for less than a week."""
        own, other = (
            ([day.settled for day in self.day_costs(name)]) for name in (label, "self_consumption")
        )
        firsts = range(0, len(own) - WEEK + 1, WEEK)
        gains = [
            sum(other[first : first + WEEK]) - sum(own[first : first + WEEK]) for first in firsts
        ]
        if not gains:
            return None
        worst = min(range(len(gains)), key=gains.__getitem__)
        losing = sum(gain < -_LITTLE_MONEY for gain in gains)
        return WeeksReply(
            count=len(gains),
            losing=losing,
            worst_from=self.dates[worst * WEEK],
            worst_gain=gains[worst],
            gain=sum(gains),
        )

    def fault(self, placed: PlacedFault | None, labels: Mapping[str, str]) -> FaultReply:
        """Return a fault's cost to each policy.

        ``labels`` maps policies to their runs with the fault.
        """
        days = [day for label in labels.values() for day in self.days[label]]
        return FaultReply(
            fault=placed.fault if placed else None,
            spans=list(placed.spans) if placed else [],
            cost={
                policy: self.settled_cost(label) - self.settled_cost(policy)
                for policy, label in labels.items()
            },
            unserved_kwh={
                policy: sum(day.unserved_kwh for day in self.days[label])
                for policy, label in labels.items()
            },
            violations=sum(day.violations for day in days),
        )

    @property
    def _initial_kwh(self) -> list[float]:
        initial: FloatArray = self.rules.initial_kwh[:, 0]
        return [float(kwh) for kwh in initial]

    def _gained(self, label: str) -> float:
        return self.rules.terminal_value * (
            sum(self.days[label][-1].standing.stored_kwh) - sum(self._initial_kwh)
        )


@dataclass(frozen=True, slots=True)
class OracleDay:
    """A day's cost under the oracle and without control, and the oracle's modes by battery.

    ``soc`` is at the end of each slot.
    """

    oracle: DayCost
    idle: DayCost
    modes: dict[str, list[str]]
    soc: dict[str, list[float]]


def list_oracle_days(ledger: ReplayResults) -> list[OracleDay]:
    """Return every day of a replay under the oracle's plan."""
    batteries = ledger.scene.site.batteries
    plan = ledger.oracle
    costs = zip(
        ledger.scene.days, ledger.day_costs("oracle"), ledger.day_costs("idle"), strict=True
    )
    return [
        OracleDay(
            oracle,
            idle,
            {
                battery.name: [
                    Mode(mode).word for mode in plan.setpoints.mode[index, first:end].tolist()
                ]
                for index, battery in enumerate(batteries)
            },
            {
                battery.name: (plan.flows.stored_kwh[index, first:end] / battery.capacity_kwh)
                .round(4)
                .tolist()
                for index, battery in enumerate(batteries)
            },
        )
        for (first, end), oracle, idle in costs
    ]
