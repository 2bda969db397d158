"""What a plan made of what batteries should hold: where that decides, and what they lack."""

from zoneinfo import ZoneInfo

import numpy as np

from luna.contracts.plan import CompromiseReply
from luna.wording import Language
from services.planner.answer.compromise import name_compromise
from services.planner.plan import Plan

_NOTHING_KWH = 1e-4


def missed_reserves(plan: Plan, language: Language) -> list[CompromiseReply]:
    """Return what batteries lack of their reserves where that is most, at the horizon's dearest import price."""
    problem, dearest = plan.problem, max(float(plan.problem.paid.outlook.import_price.max()), 0.0)
    if problem.reserve_kwh is None:
        return []
    starts, zone, found = list(problem.outlook.timeline), ZoneInfo(problem.site.timezone), []
    for battery, lacking in zip(problem.site.batteries, np.maximum(problem.reserve_kwh - plan.flows.stored_kwh, 0.0), strict=True):
        slot = int(lacking.argmax())
        if lacking[slot] > _NOTHING_KWH:
            figures = {"name": battery.name, "worst": starts[slot].astimezone(zone), "missing": float(lacking[slot]) / battery.capacity_kwh}
            found.append(name_compromise("reserve", language, cost=float(lacking[slot]) * dearest, **figures))
    return found
