"""What a plan could not hold, in words."""

from collections.abc import Sequence
from datetime import date
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np

from luna.contracts.plan import CompromiseReply
from luna.words import Language
from luna.words.compromises import say_compromise
from services.planner.devices import PLANNED_KINDS
from services.planner.dp.plan import Plan


def name_compromise(code: str, language: Language, *, cost: float = 0.0, **figures: Any) -> CompromiseReply:
    """Return a compromise in words; ``cost`` and figures are rounded to what leaves the planner."""
    constraint, shortfall = say_compromise(code, language=language, **figures)
    rounded = {name: _tell(value) for name, value in figures.items()}
    return CompromiseReply(code=code, constraint=constraint, shortfall=shortfall, cost=round(cost, 6) + 0.0, figures=rounded)


# What is assumed, and blocks whose device is full or empty: no search finds another way.
_UNAVOIDABLE = frozenset({"carbon_unknown", "manual_full", "manual_empty"}).union(*(kind.unavoidable for kind in PLANNED_KINDS))
# Models price a missed demand at more than this many times its energy cost.
_LEAST_WEIGHT = 10.0


def mark_unproven(missed: Sequence[CompromiseReply], room: float) -> list[CompromiseReply]:
    """Return compromises, marking those that an unfinished search has not proven necessary.

    Could all of them be met, the plan would weigh less by far more than their energy costs: where it cannot weigh so much less, they must be.

    Args:
        missed: what a plan could not hold.
        room: by how much the plan might weigh less, for all that is proven, in its currency.
    """
    sought = [each for each in missed if each.code not in _UNAVOIDABLE]
    if room == 0 or room < _LEAST_WEIGHT * sum(each.cost for each in sought):
        return [*missed]
    return [each if each.code in _UNAVOIDABLE else each.model_copy(update={"unproven": True}) for each in missed]


def room_of_placement(plan: Plan) -> float:
    """Return by how much what is placed, with the batteries beside it, might weigh less than it does, for all that is proven."""
    if plan.placement is None or plan.placement.proven:
        return 0.0
    return np.inf if plan.placement.gap is None else plan.placement.gap * abs(plan.placement.objective)


def room_of_batteries(plan: Plan) -> float:
    """Return by how much a plan might weigh less than it does, for all that is proven; what physics did not confirm is no lack of time."""
    if plan.proven or plan.disagreements:
        return 0.0
    if plan.placement is not None and plan.gap is not None:
        return room_of_placement(plan)
    return np.inf if plan.gap is None or plan.gap > plan.problem.search.mip_gap else 0.0


def _tell(value: Any) -> Any:
    return value.isoformat() if isinstance(value, date) else round(value, 6) + 0.0 if isinstance(value, float) else value


_NOTHING_KWH = 1e-4


def find_compromises(plan: Plan, language: Language = "en") -> list[CompromiseReply]:
    """Return what batteries and connection could not hold: named, by how much, and what the missing energy is worth at the horizon's dearest import price."""
    problem, flows, hours = plan.problem, plan.flows, plan.problem.outlook.timeline.hours
    dearest, zone, compromises = max(float(problem.at_tariff_prices.outlook.import_price.max()), 0.0), ZoneInfo(problem.site.timezone), list[CompromiseReply]()
    for battery, stored, least, most in zip(problem.site.batteries, flows.stored_kwh, *problem.terminal_bounds, strict=True):
        for code, bound, missing in (("end_at_least", least, float(least - stored[-1])), ("end_at_most", most, float(stored[-1] - most))):
            if missing > _NOTHING_KWH:
                figures: dict[str, Any] = {"name": battery.name, "wanted": float(bound) / battery.capacity_kwh, "kwh": missing}
                compromises.append(name_compromise(code, language, cost=missing * dearest, **figures))
    for code, limit_kwh, energy in (
        ("import_limit", problem.connection_limit_kwh, flows.import_kwh),
        ("export_limit", problem.export_limit_kwh, flows.export_kwh),
    ):
        beyond = np.maximum(energy - limit_kwh, 0.0)
        broken = np.flatnonzero(beyond > _NOTHING_KWH)
        if broken.size:
            starts, worst = list(problem.outlook.timeline), int((beyond / hours).argmax())
            name = code if broken.size == 1 else f"{code}_often"
            figures = {"limit_kw": float(limit_kwh[worst] / hours[worst]), "kw": float(beyond[worst] / hours[worst]), "count": int(broken.size)}
            figures |= {"first": starts[broken[0]].astimezone(zone), "worst": starts[worst].astimezone(zone)}
            compromises.append(name_compromise(name, language, cost=float(beyond.sum()) * dearest, **figures))
    return compromises


def missed_reserves(plan: Plan, language: Language) -> list[CompromiseReply]:
    """Return what batteries lack of their reserves where that is most, at the horizon's dearest import price."""
    problem, dearest = plan.problem, max(float(plan.problem.at_tariff_prices.outlook.import_price.max()), 0.0)
    if problem.storage.reserve_kwh is None:
        return []
    starts, zone, compromises = list(problem.outlook.timeline), ZoneInfo(problem.site.timezone), []
    for battery, shortfall_kwh in zip(problem.site.batteries, np.maximum(problem.storage.reserve_kwh - plan.flows.stored_kwh, 0.0), strict=True):
        slot = int(shortfall_kwh.argmax())
        if shortfall_kwh[slot] > _NOTHING_KWH:
            figures = {"name": battery.name, "worst": starts[slot].astimezone(zone), "missing": float(shortfall_kwh[slot]) / battery.capacity_kwh}
            compromises.append(name_compromise("reserve", language, cost=float(shortfall_kwh[slot]) * dearest, **figures))
    return compromises
