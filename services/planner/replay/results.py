"""Summarise a replay: costs by policy and day, scores, weeks, and the cost of faults."""

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
from services.planner.replay.faults import TimedFault


def value_stored_energy(
    oracle: Plan, rules: Rules, slot: int, stored_kwh: Sequence[float]
) -> float:
    """Return the value of energy stored at the end of ``slot`` by the oracle's V′.

    A ``slot`` of -1 stands for the start of the first slot. Of several batteries each is valued by
    its own function, with the others as in the oracle's plan. Without functions, a stored kWh has
    the terminal value.
    """
    above = np.array(stored_kwh) - rules.limits.batteries.min_kwh[:, 0]
    if not oracle.values:
        return float(rules.terminal_value * above.sum())
    worth = 0.0
    for battery_value, kwh in zip(oracle.values, above.tolist(), strict=True):
        length, value = battery_value.function.after(slot)
        # Penalties on limits are not money.
        price = np.where(np.abs(value) < FORBIDDEN_VALUE / 2, value, 0.0)
        segment_starts = np.cumsum(length) - length
        filled = np.clip(kwh - segment_starts, 0.0, length)
        worth += float((filled * price).sum())
    return worth


WEEK = 7
# Tolerance of rounding.
_LITTLE_MONEY = 1e-6


@dataclass(frozen=True, slots=True)
class ReplayResults:
    """The days of every run, in order, and the oracle's plan, which values stored energy."""

    scene: ReplayData
    rules: Rules
    oracle: Plan
    dates: Sequence[date]
    days: Mapping[str, Sequence[PolicyDay]]

    def settled_cost(self, label: str) -> float:
        """Return a run's cost less the terminal value of its gain in stored energy."""
        return sum(day.cost for day in self.days[label]) - self._gained(label)

    def score(self, label: str) -> float | None:
        """Return a run's share of the oracle's savings over idle, None if nothing can be saved."""
        idle = self.settled_cost("idle")
        possible = idle - self.settled_cost("oracle")
        if possible <= _LITTLE_MONEY:
            return None
        return (idle - self.settled_cost(label)) / possible

    def day_costs(self, label: str) -> list[DayCost]:
        """Return each day's cost and its gain in stored energy.

        The gain is valued at the terminal value and at the oracle's V′ of that midnight.
        """
        costs = []
        worth = value_stored_energy(self.oracle, self.rules, -1, self._initial_kwh)
        stored = sum(self._initial_kwh)
        days = zip(self.dates, self.days[label], self.scene.days, strict=True)
        for date_, day, (_, end) in days:
            stored_kwh = day.standing.stored_kwh
            stored_at_end = sum(stored_kwh)
            worth_at_end = value_stored_energy(self.oracle, self.rules, end - 1, stored_kwh)
            day_cost = DayCost(
                day=date_,
                cost=day.cost,
                stored_gain=self.rules.terminal_value * (stored_at_end - stored),
                value_gain=worth_at_end - worth,
                import_carbon_g=day.import_carbon_g,
                corrected=day.corrected,
            )
            costs.append(day_cost)
            stored = stored_at_end
            worth = worth_at_end
        return costs

    def describe(self, label: str) -> PolicyReply:
        """Return a run's summary."""
        days = self.days[label]
        usable = sum(battery.usable_kwh for battery in self.scene.site.batteries)
        discharge_kwh = sum(day.discharge_kwh for day in days)
        mode_changes = sum(day.mode_changes for day in days)
        return PolicyReply(
            cost=self.settled_cost(label),
            import_kwh=sum(day.import_kwh for day in days),
            export_kwh=sum(day.export_kwh for day in days),
            cycles=discharge_kwh / usable if usable else 0.0,
            score=self.score(label),
            violations=sum(day.violations for day in days),
            unserved_kwh=sum(day.unserved_kwh for day in days),
            mode_changes_per_day=mode_changes / len(days),
            terminal_value=self.rules.terminal_value,
            stored_gain=self._gained(label),
            days=self.day_costs(label),
            weeks=self.weeks(label),
        )

    def weeks(self, label: str) -> WeeksReply | None:
        """Return a run's gains by week over self-consumption; None for less than a week."""
        costs = [day.settled for day in self.day_costs(label)]
        other_costs = [day.settled for day in self.day_costs("self_consumption")]
        gains = []
        for first in range(0, len(costs) - WEEK + 1, WEEK):
            week = slice(first, first + WEEK)
            gains.append(sum(other_costs[week]) - sum(costs[week]))
        if not gains:
            return None
        worst_gain = min(gains)
        return WeeksReply(
            count=len(gains),
            losing=sum(gain < -_LITTLE_MONEY for gain in gains),
            worst_from=self.dates[gains.index(worst_gain) * WEEK],
            worst_gain=worst_gain,
            gain=sum(gains),
        )

    def fault(self, timed: TimedFault | None, labels: Mapping[str, str]) -> FaultReply:
        """Return a fault's cost to each policy.

        ``labels`` maps policies to their runs with the fault.
        """
        cost = {}
        unserved_kwh = {}
        violations = 0
        for policy, label in labels.items():
            days = self.days[label]
            cost[policy] = self.settled_cost(label) - self.settled_cost(policy)
            unserved_kwh[policy] = sum(day.unserved_kwh for day in days)
            violations += sum(day.violations for day in days)
        return FaultReply(
            fault=timed.fault if timed else None,
            spans=list(timed.spans) if timed else [],
            cost=cost,
            unserved_kwh=unserved_kwh,
            violations=violations,
        )

    @property
    def _initial_kwh(self) -> list[float]:
        initial: FloatArray = self.rules.initial_kwh[:, 0]
        return [float(kwh) for kwh in initial]

    def _gained(self, label: str) -> float:
        stored_at_end = sum(self.days[label][-1].standing.stored_kwh)
        return self.rules.terminal_value * (stored_at_end - sum(self._initial_kwh))


@dataclass(frozen=True, slots=True)
class OracleDay:
    """A day's cost under the oracle and without control, and the oracle's modes by battery.

    ``soc`` is at the end of each slot.
    """

    oracle: DayCost
    idle: DayCost
    modes: dict[str, list[str]]
    soc: dict[str, list[float]]


def list_oracle_days(results: ReplayResults) -> list[OracleDay]:
    """Return every day of a replay under the oracle's plan."""
    plan = results.oracle
    costs = zip(
        results.scene.days, results.day_costs("oracle"), results.day_costs("idle"), strict=True
    )
    days = []
    for (first, end), oracle, idle in costs:
        modes = {}
        soc = {}
        for index, battery in enumerate(results.scene.site.batteries):
            day_modes = plan.setpoints.mode[index, first:end].tolist()
            day_soc = plan.flows.stored_kwh[index, first:end] / battery.capacity_kwh
            modes[battery.name] = [Mode(mode).word for mode in day_modes]
            soc[battery.name] = day_soc.round(4).tolist()
        days.append(OracleDay(oracle, idle, modes, soc))
    return days
