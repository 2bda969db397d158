"""What a plan made of what batteries should hold: where that decides, and what they lack."""

from zoneinfo import ZoneInfo

import numpy as np

from luna.contracts.plan import CompromiseReply
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
