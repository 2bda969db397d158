"""Appliances and programmes of a plan in the words of the outward interface: what each slot gives them, and what they lack."""

from collections.abc import Iterator
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np

from luna.contracts.plan import CompromiseReply
from luna.site import DeferrableLoad
from luna.timeline import FloatArray
from services.planner.placing.placement import Placement
from services.planner.placing.wishes import LoadWish, ProgrammeWish

_NOTHING_KWH = 1e-4
Fields = dict[str, Any]


def appliance_flows(placement: Placement) -> dict[str, list[Fields]]:
    """Return what each appliance and programme does, slot by slot."""
    wishes = placement.wishes
    named = [*(wish.load.name for wish in wishes.loads), *(wish.load.name for wish in wishes.programmes)]
    # Rounding leaves a minus before some zeros; adding nothing takes it away.
    used = (np.round(np.concatenate([placement.load_kwh, placement.programmes.use_kwh]), 6) + 0.0).tolist()
    return {name: [{"energy_kwh": energy, "on": energy > 0} for energy in each] for name, each in zip(named, used, strict=True)}


def missed_appliances(placement: Placement, *, dearest: float, zone: ZoneInfo) -> Iterator[CompromiseReply]:
    """Yield what appliances and programmes lack; missing energy at the ``dearest`` price."""
    for wish, missing, too_long in zip(placement.wishes.loads, placement.load_missing_kwh, placement.off_too_long, strict=True):
        yield from _missed_needs(wish, missing, dearest)
        if too_long > _NOTHING_KWH:
            limit = f"load {wish.load.name}: off for at most {wish.load.max_gap_hours:g} h (max_gap_hours)"
            yield CompromiseReply(constraint=limit, shortfall=f"{round(too_long)} times", cost=0.0)
    for programme, missed in zip(placement.wishes.programmes, placement.programmes.missed, strict=True):
        yield from _missed_runs(programme, missed, dearest, zone=zone)


def _missed_needs(wish: LoadWish, missing_kwh: FloatArray, dearest: float) -> Iterator[CompromiseReply]:
    for need, missing in zip(wish.needs, missing_kwh.tolist(), strict=True):
        if missing > _NOTHING_KWH:
            constraint = f"load {wish.load.name}: {need.need_kwh:.2f} kWh {need.when}{_limits(wish.load)}"
            yield CompromiseReply(constraint=constraint, shortfall=f"{missing:.3f} kWh", cost=round(missing * dearest, 6))


def _missed_runs(wish: ProgrammeWish, missed: FloatArray, dearest: float, *, zone: ZoneInfo) -> Iterator[CompromiseReply]:
    for run, share in zip(wish.runs, missed.tolist(), strict=True):
        if share > 0 and not run.open:
            constraint = f"load {wish.load.name}: one run by {run.by.astimezone(zone):%Y-%m-%d %H:%M}{_limits(wish.load)}"
            yield CompromiseReply(constraint=constraint, shortfall="not run", cost=round(wish.energy_kwh * dearest, 6))


def _limits(load: DeferrableLoad) -> str:
    """Return what keeps an appliance from running whenever it would, in words."""
    said = {
        "at its allowed times": load.allowed or load.forbidden,
        f"below {load.price_limit} per kWh or on PV surplus": load.price_limit is not None,
        "on PV surplus": load.surplus_only,
    }
    words = " and ".join(word for word, holds in said.items() if holds)
    return f", only {words}" if words else ""
