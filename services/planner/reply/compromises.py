"""What a plan could not hold, in words."""

from datetime import date
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np

from luna.contracts.plan import CompromiseReply
from luna.wording import Language
from luna.wording.compromises import say_compromise
from services.planner.dp.plan import Plan


def name_compromise(code: str, language: Language, *, cost: float = 0.0, **figures: Any) -> CompromiseReply:
    """Return a compromise in words; ``cost`` and figures are rounded to what leaves the planner."""
    constraint, shortfall = say_compromise(code, language=language, **figures)
    told = {name: _tell(value) for name, value in figures.items()}
    return CompromiseReply(code=code, constraint=constraint, shortfall=shortfall, cost=round(cost, 6) + 0.0, figures=told)


def _tell(value: Any) -> Any:
    return value.isoformat() if isinstance(value, date) else round(value, 6) + 0.0 if isinstance(value, float) else value


_NOTHING_KWH = 1e-4


def missed_reserves(plan: Plan, language: Language) -> list[CompromiseReply]:
    """Return what batteries lack of their reserves where that is most, at the horizon's dearest import price."""
    problem, dearest = plan.problem, max(float(plan.problem.paid.outlook.import_price.max()), 0.0)
    if problem.storage.reserve_kwh is None:
        return []
    starts, zone, found = list(problem.outlook.timeline), ZoneInfo(problem.site.timezone), []
    for battery, lacking in zip(problem.site.batteries, np.maximum(problem.storage.reserve_kwh - plan.flows.stored_kwh, 0.0), strict=True):
        slot = int(lacking.argmax())
        if lacking[slot] > _NOTHING_KWH:
            figures = {"name": battery.name, "worst": starts[slot].astimezone(zone), "missing": float(lacking[slot]) / battery.capacity_kwh}
            found.append(name_compromise("reserve", language, cost=float(lacking[slot]) * dearest, **figures))
    return found
