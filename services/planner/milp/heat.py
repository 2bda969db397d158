"""When heat pumps run, read off the energy that they use at any power."""

import numpy as np

from luna.energy.timeline import FloatArray
from services.planner.problem.demands import HeatDemand

_NOTHING_K = 1e-6


def takes_any_power(demand: HeatDemand, hours: FloatArray) -> bool:
    """Return whether a pump may take anything from nothing to its power in every slot."""
    rules = demand.rules(hours)
    return demand.pump.min_power_kw == 0 and rules.shortest_run == rules.shortest_rest == 1


def schedule_runs(demand: HeatDemand, wanted_kwh: FloatArray, hours: FloatArray) -> FloatArray:
    """Return 1 in the slots in which a pump is on, 0 elsewhere, shape ``(slots,)``: it follows what is wanted, and keeps the store within its band.

    Source: Sager, Bock and Diehl (2012), sum-up rounding: what was given never differs from what was wanted by more than a run.

    Args:
        wish: the pump and its store.
        wanted_kwh: electricity in each slot if it could take any power, shape ``(slots,)``.
        hours: of each slot.
    """
    rules, level = demand.rules(hours), max(demand.pump.min_power_kw, 1e-3) * hours
    on, lacking, now = np.zeros(hours.size), 0.0, demand.start_c
    is_on = bool(rules.was_on)
    since = (rules.shortest_run if is_on else rules.shortest_rest) - rules.stays
    for slot in range(hours.size):
        lacking += wanted_kwh[slot]
        if since >= (rules.shortest_run if is_on else rules.shortest_rest):
            begins, rests = 1 if is_on else rules.shortest_run, rules.shortest_rest if is_on else 1
            turned = _gets_cold(demand, slot, now, rests) or _has_room(demand, slot, (now, lacking), begins * float(level[slot]))
            is_on, since = turned, since if turned == is_on else 0
        given = max(level[slot], min(lacking, demand.pump.power_kw * hours[slot])) if is_on else 0.0
        on[slot], since = float(is_on), since + 1
        lacking -= given
        now = _next_c(demand, slot, now, given)
    return on


def _gets_cold(demand: HeatDemand, slot: int, now: float, rests: int) -> bool:
    """Return whether the store gets colder than it should in so many slots without heat."""
    for later in range(slot, min(slot + rests, demand.cop.size)):
        now = _next_c(demand, later, now, 0.0)
        if now < demand.aim_c[later] - _NOTHING_K:
            return True
    return False


def _has_room(demand: HeatDemand, slot: int, state: tuple[float, float], run_kwh: float) -> bool:
    """Return whether half of a run is lacking, and the store takes all of it."""
    now, lacking = state
    return bool(lacking >= run_kwh / 2 and _next_c(demand, slot, now, run_kwh) <= demand.most_c[slot] + _NOTHING_K)


def _next_c(demand: HeatDemand, slot: int, now: float, used_kwh: float) -> float:
    warming = demand.warming
    return float(warming.keep[slot] * now + warming.per_kwh[slot] * demand.cop[slot] * used_kwh + warming.drift_c[slot])
