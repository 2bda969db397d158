"""What a plan made of what batteries should hold: where that decides, and what they lack."""

from dataclasses import replace
from datetime import datetime
from zoneinfo import ZoneInfo

import numpy as np

from luna.contracts.plan import CompromiseReply
from luna.schedule import Reason
from services.planner.plan import Plan

_NOTHING_KWH = 1e-4


def missed_reserves(plan: Plan) -> list[CompromiseReply]:
    """Return what batteries lack of their reserves where that is most, at the horizon's dearest import price."""
    problem, dearest = plan.problem, max(float(plan.problem.paid.outlook.import_price.max()), 0.0)
    if problem.reserve_kwh is None:
        return []
    starts, zone, found = list(problem.outlook.timeline), ZoneInfo(problem.site.timezone), []
    for battery, lacking in zip(problem.site.batteries, np.maximum(problem.reserve_kwh - plan.flows.stored_kwh, 0.0), strict=True):
        slot = int(lacking.argmax())
        if lacking[slot] > _NOTHING_KWH:
            name = f"reserve: battery {battery.name} out of reach, most at {starts[slot].astimezone(zone):%Y-%m-%d %H:%M}"
            cost = round(float(lacking[slot]) * dearest, 6)
            found.append(CompromiseReply(constraint=name, shortfall=f"{lacking[slot] / battery.capacity_kwh:.1%}", cost=cost))
    return found


def mark_reserves(reasons: list[Reason], plan: Plan) -> list[Reason]:
    """Return the reasons with the limit ``reserve`` where the first battery is down to one; where it rests for it, that is the reason."""
    problem = plan.problem
    if problem.reserve_kwh is None or not reasons or not problem.site.batteries:
        return reasons
    wanted, stored, starts = problem.reserve_kwh[0], plan.flows.stored_kwh[0], list(problem.outlook.timeline)
    held = (wanted > problem.limits.batteries.min_kwh[0, 0] + _NOTHING_KWH) & (np.abs(stored - wanted) <= _NOTHING_KWH)
    rests = plan.flows.charge_kwh[0] + plan.flows.discharge_kwh[0] <= _NOTHING_KWH
    marked = list(reasons)
    for slot in np.flatnonzero(held).tolist():
        binding = (*marked[slot].binding, *(() if "reserve" in marked[slot].binding else ("reserve",)))
        marked[slot] = replace(marked[slot], binding=binding)
        if rests[slot]:
            marked[slot] = replace(marked[slot], code="reserve_kept", figures=_figures(plan, slot, starts))
    return marked


def _figures(plan: Plan, slot: int, starts: list[datetime]) -> dict[str, float | datetime | str]:
    wanted = plan.problem.reserve_kwh
    assert wanted is not None  # noqa: S101  # the caller has looked
    lower = np.flatnonzero(wanted[0, slot:] < wanted[0, slot] - _NOTHING_KWH)
    until = {"time": starts[slot + int(lower[0])]} if lower.size else {}
    return {"start": starts[slot], "reserve": float(wanted[0, slot]) / plan.problem.site.batteries[0].capacity_kwh, **until}
