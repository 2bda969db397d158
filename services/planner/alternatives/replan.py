"""Plan again around other set-points in some slots of a plan, and price the difference."""

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

import numpy as np

from luna.energy.outlook import Outlook
from luna.energy.physics.limits import SiteLimits
from luna.energy.physics.mode import Mode, SetPoint
from luna.energy.physics.safety import clamp
from luna.energy.physics.simulation import Flows, SlotActuals, simulate_slot
from luna.energy.schedule import pick_slot
from services.planner.dp.plan import Plan, objective, weigh_flows
from services.planner.milp.battery_constraints import carry_today
from services.planner.milp.solver import Solver
from services.planner.planner import decide
from services.planner.problem.owner_constraints import Manual
from services.planner.problem.problem import Problem, StorageBounds, Uncertainty
from services.planner.problem.scenarios import ScenarioSet

Tail = TypeVar("Tail", Outlook, SiteLimits, Manual, StorageBounds)
Part = TypeVar("Part", Flows, SetPoint)
# Fields of a problem with one value per battery, not per slot.
_BY_BATTERY = frozenset({"stored_kwh"})


def tail_problem(problem: Problem, past: Flows) -> Problem:
    """Return the problem of the slots after ``past``.

    The horizon, its terminal rule and its prices stay.

    Args:
        problem: without flexible loads.
        past: the flows of its first slots.
    """
    first = past.import_kwh.size
    timeline = problem.outlook.timeline
    count = timeline.count
    changes: dict[str, Any] = {}
    for field in fields(problem):
        value = getattr(problem, field.name)
        if field.name not in _BY_BATTERY and _has_slots(value, count):
            changes[field.name] = value[..., first:]
    zone = ZoneInfo(problem.site.timezone)
    charges = [
        charge.after(past.import_kwh, timeline, zone=zone) for charge in problem.tariff.charges
    ]
    outlook = _cut(problem.outlook, first, count)
    storage = _cut(replace(problem.storage, discharged_today_kwh=None), first, count)
    discharged_today = carry_today(problem, past.discharge_kwh)
    changes |= {
        "outlook": replace(outlook, timeline=timeline.window(first, count - first)),
        "limits": _cut(problem.limits, first, count),
        "manual": problem.manual and _cut(problem.manual, first, count),
        "uncertainty": _cut_scenarios(problem.uncertainty, first),
        "storage": replace(storage, discharged_today_kwh=discharged_today),
        "tariff": replace(problem.tariff, charges=tuple(charges)),
        "billed": problem.billed and tail_problem(problem.billed, past),
        "stored_kwh": past.stored_kwh[:, -1],
    }
    return replace(problem, **changes)


def _cut_scenarios(uncertainty: Uncertainty, first: int) -> Uncertainty:
    """Return the scenarios of load and PV and of forecast errors from slot ``first`` on."""

    def shorten(scenarios: ScenarioSet | None) -> ScenarioSet | None:
        if scenarios is None:
            return None
        return scenarios.begin_at(first)

    return replace(
        uncertainty, scenarios=shorten(uncertainty.scenarios), errors=shorten(uncertainty.errors)
    )


def _cut(part: Tail, first: int, count: int) -> Tail:
    """Return the part with every series shortened and everything else unchanged."""
    values: dict[str, Any] = {}
    for field in fields(part):
        value = getattr(part, field.name)
        values[field.name] = value[..., first:] if _has_slots(value, count) else value
    return type(part)(**values)


def _has_slots(value: object, count: int) -> bool:
    return isinstance(value, np.ndarray) and value.shape[-1:] == (count,)


@dataclass(frozen=True, slots=True)
class AlternativePlan:
    """A plan, and the plan with other set-points in slots ``first`` to ``end`` (exclusive).

    ``after`` has all slots; those from ``end`` on are planned again.
    """

    before: Plan
    after: Plan
    first: int
    end: int

    @property
    def cost(self) -> float:
        """The additional cost over the horizon by the plan's objective.

        It includes the value of the energy left in the batteries.
        """
        return objective(self.after) - objective(self.before)

    @property
    def cost_by_value(self) -> float | None:
        """The additional cost by the value of stored energy at ``end``.

        None where the plan has no such function.
        """
        if self.before.value is None:
            return None
        problem = self.before.problem
        lowest = problem.limits.batteries.min_kwh[0, 0]
        stored_before = self.before.flows.stored_kwh[0] - lowest
        stored_after = self.after.flows.stored_kwh[0] - lowest
        worth = self.before.value.function.integral(stored_before, stored_after)[self.end - 1]
        cost_before = weigh_flows(problem, self.before.flows).total
        cost_after = weigh_flows(problem, self.after.flows).total
        alternative = slice(self.first, self.end)
        return float((cost_after - cost_before)[alternative].sum() - worth)


def replan_after(plan: Plan, setpoints: SetPoint, first: int, solver: Solver) -> AlternativePlan:
    """Return a plan with other set-points from slot ``first`` on, replanned after them.

    Args:
        plan: as it was made.
        setpoints: of the alternative's slots, the slot as last axis; not clamped yet.
        first: their first slot.
        solver: plans the slots after them.

    Raises:
        SolverError: no plan for the slots after them.
    """
    problem = plan.problem
    safe, flows = _settle(plan, setpoints, first)
    end = first + safe.mode.shape[-1]
    setpoint_parts = [take_slots(plan.setpoints, slice(first)), safe]
    flow_parts = [take_slots(plan.flows, slice(first)), flows]
    if end < problem.outlook.timeline.count:
        modes = tuple(Mode(mode) for mode in safe.mode[:, -1].tolist())
        tail = tail_problem(problem, join_slots(flow_parts))
        rest = decide(replace(tail, following=replace(tail.following, modes=modes)), solver)
        setpoint_parts.append(rest.setpoints)
        flow_parts.append(rest.flows)
    whole = join_slots(flow_parts)
    starts = np.concatenate([problem.stored_kwh[:, None], whole.stored_kwh[:, :-1]], axis=1)
    after = replace(
        plan,
        flows=whole,
        setpoints=join_slots(setpoint_parts),
        costs=weigh_flows(problem.at_tariff_prices, whole),
        start_kwh=starts,
        values=(),
        spread=None,
    )
    return AlternativePlan(plan, after, first, end)


def _settle(plan: Plan, setpoints: SetPoint, first: int) -> tuple[SetPoint, Flows]:
    """Return the set-points after the safety layer and their simulated flows, slot by slot."""
    stored = plan.start_kwh[:, first : first + 1]
    outlook = plan.problem.outlook
    limits = plan.problem.limits
    shape = (outlook.timeline.count,)
    imports = np.broadcast_to(limits.import_limit_kw, shape)
    exports = np.broadcast_to(limits.export_limit_kw, shape)
    safe = []
    settled = []
    for place in range(setpoints.mode.shape[-1]):
        slot = slice(first + place, first + place + 1)
        slot_limits = replace(limits, import_limit_kw=imports[slot], export_limit_kw=exports[slot])
        setpoint = clamp(pick_slot(setpoints, place), stored, slot_limits)
        hours = float(outlook.timeline.hours[slot][0])
        expected = SlotActuals(outlook.load_kwh[slot], outlook.pv_kwh[slot], hours)
        flows = simulate_slot(setpoint, stored, expected, limits=slot_limits)
        safe.append(setpoint)
        settled.append(flows)
        stored = flows.stored_kwh
    return join_slots(safe), join_slots(settled)


def take_slots(part: Part, slots: slice) -> Part:
    """Return some slots of flows or set-points."""
    values = {field.name: getattr(part, field.name)[..., slots] for field in fields(part)}
    return type(part)(**values)


def join_slots(parts: Sequence[Part]) -> Part:
    """Return flows or set-points of consecutive slots as one."""
    values = {}
    for field in fields(parts[0]):
        series = [getattr(part, field.name) for part in parts]
        values[field.name] = np.concatenate(series, axis=-1)
    return type(parts[0])(**values)
