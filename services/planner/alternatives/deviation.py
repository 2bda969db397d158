"""A plan from which a battery departs in some slots: what comes before stays, what comes after is planned anew."""

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from typing import TypeVar

import numpy as np

from luna.physics import Flows, Mode, SetPoint, clamp, settle
from luna.schedule import pick_slot
from services.planner.alternatives.rest import remain
from services.planner.model.solver import Solver
from services.planner.plan import Plan, objective, price_flows, weigh_flows
from services.planner.planning import decide

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
        left = [plan.flows.stored_kwh[0] - lowest for plan in (self.before, self.after)]
        worth = self.before.value.function.integral(*left)[self.end - 1]
        before, after = (weigh_flows(problem, plan.flows).total for plan in (self.before, self.after))
        return float((after - before)[here].sum() - worth)


def depart(plan: Plan, setpoints: SetPoint, first: int, solver: Solver) -> Deviation:
    """Return what becomes of a plan when other set-points hold from slot ``first`` on, as many as there are; then it is planned anew.

    Args:
        plan: as it was made.
        setpoints: of the slots that go another way, the slot as last axis; not clamped yet.
        first: their first slot.
        solver: plans what comes after.

    Raises:
        SolverError: no plan for what comes after.
    """
    problem = plan.problem
    told, flows = _settle(plan, setpoints, first)
    end = first + told.mode.shape[-1]
    followed, settled = [take(plan.setpoints, slice(first)), told], [take(plan.flows, slice(first)), flows]
    if end < problem.outlook.timeline.count:
        modes = tuple(Mode(mode) for mode in told.mode[:, -1].tolist())
        rest = decide(replace(remain(problem, end, flows.stored_kwh[:, -1], np.append(plan.flows.import_kwh[:first], flows.import_kwh)), modes=modes), solver)
        followed.append(rest.setpoints)
        settled.append(rest.flows)
    whole = join(settled)
    starts = np.concatenate([problem.stored_kwh[:, None], whole.stored_kwh[:, :-1]], axis=1)
    after = replace(plan, flows=whole, setpoints=join(followed), costs=price_flows(problem, whole), start_kwh=starts, values=(), spread=None)
    return Deviation(plan, after, first, end)


def _settle(plan: Plan, setpoints: SetPoint, first: int) -> tuple[SetPoint, Flows]:
    """Return what the safety layer leaves of the set-points, and what physics makes of them, slot by slot."""
    stored = plan.start_kwh[:, first : first + 1]
    told, settled = [], []
    before = plan.flows.import_kwh[:first]
    for place in range(setpoints.mode.shape[-1]):
        now = remain(plan.problem, first + place, stored[:, 0], before)
        limits = replace(now.limits, import_limit_kw=now.limits.import_limit_kw[:1], export_limit_kw=now.limits.export_limit_kw[:1])
        told.append(clamp(pick_slot(setpoints, place), stored, limits))
        energies = {"load_kwh": now.outlook.load_kwh[:1], "pv_kwh": now.outlook.pv_kwh[:1]}
        settled.append(settle(told[-1], stored, **energies, limits=limits, hours=float(now.outlook.timeline.hours[0])))
        stored, before = settled[-1].stored_kwh, np.append(before, settled[-1].import_kwh)
    return join(told), join(settled)


def take(part: Part, slots: slice) -> Part:
    """Return some slots of flows or set-points."""
    return type(part)(**{each.name: getattr(part, each.name)[..., slots] for each in fields(part)})


def join(parts: Sequence[Part]) -> Part:
    """Return flows or set-points of consecutive slots as one."""
    return type(parts[0])(**{each.name: np.concatenate([getattr(part, each.name) for part in parts], axis=-1) for each in fields(parts[0])})
