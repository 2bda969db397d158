"""A plan from which a battery departs in some slots: what comes before stays, what comes after is planned anew."""

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
from services.planner.problem.problem import Problem, StorageBounds
from services.planner.problem.scenarios import ScenarioSet

Tail = TypeVar("Tail", Outlook, SiteLimits, Manual, StorageBounds)
# What counts batteries, not slots.
_BY_BATTERY = frozenset({"stored_kwh"})


def tail_problem(problem: Problem, past: Flows) -> Problem:
    """Return the problem of the slots after ``past``; the horizon, its terminal rule and its prices stay.

    Args:
        problem: with nothing to place.
        past: what happened in its first slots.
    """
    first, timeline, courses = past.import_kwh.size, problem.outlook.timeline, problem.uncertainty.courses
    count, charge = timeline.count, problem.tariff.charge
    values = {each.name: getattr(problem, each.name) for each in fields(problem) if each.name not in _BY_BATTERY}
    series = {name: value[..., first:] for name, value in values.items() if _has_slots(value, count)}
    parts: dict[str, Any] = {
        "outlook": replace(_cut(problem.outlook, first, count), timeline=timeline.window(first, count - first)),
        "limits": _cut(problem.limits, first, count),
        "manual": problem.manual and _cut(problem.manual, first, count),
        "uncertainty": replace(problem.uncertainty, courses=courses and ScenarioSet(courses.weight, courses.load_kwh[:, first:], courses.pv_kwh[:, first:])),
        "storage": _cut(replace(problem.storage, discharged_today_kwh=None), first, count),
        "tariff": replace(problem.tariff, charge=charge and charge.after(past.import_kwh, timeline, zone=ZoneInfo(problem.site.timezone))),
        "billed": problem.billed and tail_problem(problem.billed, past),
    }
    rest = replace(problem, **series | parts, stored_kwh=past.stored_kwh[:, -1])
    return replace(rest, storage=replace(rest.storage, discharged_today_kwh=carry_today(problem, past.discharge_kwh)))


def _cut(part: Tail, first: int, count: int) -> Tail:
    """Return the part with every series shortened; what holds for all slots stays as it is."""
    values = {each.name: getattr(part, each.name) for each in fields(part)}
    shorter: dict[str, Any] = {name: value[..., first:] if _has_slots(value, count) else value for name, value in values.items()}
    return type(part)(**shorter)


def _has_slots(value: object, count: int) -> bool:
    return isinstance(value, np.ndarray) and value.shape[-1:] == (count,)


Part = TypeVar("Part", Flows, SetPoint)


@dataclass(frozen=True, slots=True)
class Deviation:
    """A plan and what becomes of it when slots ``first`` to ``end`` (exclusive) go another way; ``after`` is the plan with these and all later slots."""

    before: Plan
    after: Plan
    first: int
    end: int

    @property
    def cost(self) -> float:
        """What the alternative costs more over the horizon by what the plan optimises, what is left in the batteries counted in."""
        return objective(self.after) - objective(self.before)

    @property
    def cost_by_value(self) -> float | None:
        """The same from the value of stored energy at the end of the alternative; None where the plan has no such function."""
        if self.before.value is None:
            return None
        problem, here = self.before.problem, slice(self.first, self.end)
        lowest = problem.limits.batteries.min_kwh[0, 0]
        stored_kwh = [plan.flows.stored_kwh[0] - lowest for plan in (self.before, self.after)]
        worth = self.before.value.function.integral(*stored_kwh)[self.end - 1]
        before, after = (weigh_flows(problem, plan.flows).total for plan in (self.before, self.after))
        return float((after - before)[here].sum() - worth)


def replan_after(plan: Plan, setpoints: SetPoint, first: int, solver: Solver) -> Deviation:
    """Return a plan with other set-points from slot ``first`` on, for as many slots as they cover, replanned afterwards.

    Args:
        plan: as it was made.
        setpoints: of the slots that go another way, the slot as last axis; not clamped yet.
        first: their first slot.
        solver: plans what comes after.

    Raises:
        SolverError: no plan for what comes after.
    """
    problem = plan.problem
    safe, flows = _settle(plan, setpoints, first)
    end = first + safe.mode.shape[-1]
    followed, settled = [take(plan.setpoints, slice(first)), safe], [take(plan.flows, slice(first)), flows]
    if end < problem.outlook.timeline.count:
        modes = tuple(Mode(mode) for mode in safe.mode[:, -1].tolist())
        tail = tail_problem(problem, join(settled))
        rest = decide(replace(tail, following=replace(tail.following, modes=modes)), solver)
        followed.append(rest.setpoints)
        settled.append(rest.flows)
    whole = join(settled)
    starts = np.concatenate([problem.stored_kwh[:, None], whole.stored_kwh[:, :-1]], axis=1)
    after = replace(plan, flows=whole, setpoints=join(followed), costs=weigh_flows(problem.at_tariff_prices, whole), start_kwh=starts, values=(), spread=None)
    return Deviation(plan, after, first, end)


def _settle(plan: Plan, setpoints: SetPoint, first: int) -> tuple[SetPoint, Flows]:
    """Return the set-points after the safety layer and their simulated flows, slot by slot."""
    stored, outlook, limits = plan.start_kwh[:, first : first + 1], plan.problem.outlook, plan.problem.limits
    imports, exports = (np.broadcast_to(limit, (outlook.timeline.count,)) for limit in (limits.import_limit_kw, limits.export_limit_kw))
    safe, settled = [], []
    for place in range(setpoints.mode.shape[-1]):
        here = slice(first + place, first + place + 1)
        now = replace(limits, import_limit_kw=imports[here], export_limit_kw=exports[here])
        safe.append(clamp(pick_slot(setpoints, place), stored, now))
        expected = SlotActuals(outlook.load_kwh[here], outlook.pv_kwh[here], float(outlook.timeline.hours[here][0]))
        settled.append(simulate_slot(safe[-1], stored, expected, limits=now))
        stored = settled[-1].stored_kwh
    return join(safe), join(settled)


def take(part: Part, slots: slice) -> Part:
    """Return some slots of flows or set-points."""
    return type(part)(**{each.name: getattr(part, each.name)[..., slots] for each in fields(part)})


def join(parts: Sequence[Part]) -> Part:
    """Return flows or set-points of consecutive slots as one."""
    return type(parts[0])(**{each.name: np.concatenate([getattr(part, each.name) for part in parts], axis=-1) for each in fields(parts[0])})
