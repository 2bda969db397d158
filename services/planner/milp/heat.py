"""When heat pumps run, read off the energy that they use at any power."""

import numpy as np

from luna.timeline import FloatArray
from services.planner.problem.demands import HeatWish

_NOTHING_K = 1e-6


def takes_any_power(wish: HeatWish, hours: FloatArray) -> bool:
    """Return whether a pump may take anything from nothing to its power in every slot."""
    rules = wish.rules(hours)
    return wish.pump.min_power_kw == 0 and rules.shortest_run == rules.shortest_rest == 1


def schedule_runs(wish: HeatWish, wanted_kwh: FloatArray, hours: FloatArray) -> FloatArray:
    """Return 1 in the slots in which a pump is on, 0 elsewhere, shape ``(slots,)``: it follows what is wanted, and keeps the store within its band.

    Source: Sager, Bock and Diehl (2012), sum-up rounding: what was given never differs from what was wanted by more than a run.

    Args:
        wish: the pump and its store.
        wanted_kwh: electricity in each slot if it could take any power, shape ``(slots,)``.
        hours: of each slot.
    """
    rules, level = wish.rules(hours), max(wish.pump.min_power_kw, 1e-3) * hours
    on, lacking, now = np.zeros(hours.size), 0.0, wish.start_c
    is_on = bool(rules.was_on)
    since = (rules.shortest_run if is_on else rules.shortest_rest) - rules.stays
    for slot in range(hours.size):
        lacking += wanted_kwh[slot]
        if since >= (rules.shortest_run if is_on else rules.shortest_rest):
            begins, rests = 1 if is_on else rules.shortest_run, rules.shortest_rest if is_on else 1
            turned = _gets_cold(wish, slot, now, rests) or _has_room(wish, slot, (now, lacking), begins * float(level[slot]))
            is_on, since = turned, since if turned == is_on else 0
        given = max(level[slot], min(lacking, wish.pump.power_kw * hours[slot])) if is_on else 0.0
        on[slot], since = float(is_on), since + 1
        lacking -= given
        now = _next_c(wish, slot, now, given)
    return on


def _gets_cold(wish: HeatWish, slot: int, now: float, rests: int) -> bool:
    """Return whether the store gets colder than it should in so many slots without heat."""
    for later in range(slot, min(slot + rests, wish.cop.size)):
        now = _next_c(wish, later, now, 0.0)
        if now < wish.aim_c[later] - _NOTHING_K:
            return True
    return False


def _has_room(wish: HeatWish, slot: int, state: tuple[float, float], run_kwh: float) -> bool:
    """Return whether half of a run is lacking, and the store takes all of it."""
    now, lacking = state
    return bool(lacking >= run_kwh / 2 and _next_c(wish, slot, now, run_kwh) <= wish.most_c[slot] + _NOTHING_K)


def _next_c(wish: HeatWish, slot: int, now: float, used_kwh: float) -> float:
    warming = wish.warming
    return float(warming.keep[slot] * now + warming.per_kwh[slot] * wish.cop[slot] * used_kwh + warming.drift_c[slot])
