"""Appliances and programmes of a plan in the words of the outward interface: what each slot gives them, and what they lack."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np

from luna.contracts.plan import CompromiseReply
from luna.site import DeferrableLoad
from luna.timeline import FloatArray
from luna.wording import Language
from luna.wording.compromises import PARTS, say_part
from services.planner.answer.compromise import name_compromise
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


def missed_appliances(placement: Placement, told: tuple[float, Language], *, zone: ZoneInfo) -> Iterator[CompromiseReply]:
    """Yield what appliances and programmes lack; missing energy at the dearest price, in a language (``told``)."""
    for wish, missing, too_long in zip(placement.wishes.loads, placement.load_missing_kwh, placement.off_too_long, strict=True):
        yield from _missed_needs(wish, missing, *told)
        if too_long > _NOTHING_KWH:
            yield name_compromise("load_gap", told[1], name=wish.load.name, hours=wish.load.max_gap_hours, count=round(too_long))
    for programme, missed in zip(placement.wishes.programmes, placement.programmes.missed, strict=True):
        yield from _missed_runs(programme, missed, told, zone=zone)


def _missed_needs(wish: LoadWish, missing_kwh: FloatArray, dearest: float, language: Language) -> Iterator[CompromiseReply]:
    for need, missing in zip(wish.needs, missing_kwh.tolist(), strict=True):
        if missing > _NOTHING_KWH:
            code = "load_by" if isinstance(need.when, datetime) else "load_day"
            figures = {"name": wish.load.name, "wanted": need.need_kwh, "by": need.when, "only": _limits(wish.load, language), "kwh": missing}
            yield name_compromise(code, language, cost=missing * dearest, **figures)


def _missed_runs(wish: ProgrammeWish, missed: FloatArray, told: tuple[float, Language], *, zone: ZoneInfo) -> Iterator[CompromiseReply]:
    dearest, language = told
    for run, share in zip(wish.runs, missed.tolist(), strict=True):
        if share > 0 and not run.open:
            figures = {"name": wish.load.name, "by": run.by.astimezone(zone), "only": _limits(wish.load, language)}
            yield name_compromise("load_run", language, cost=wish.energy_kwh * dearest, **figures)


def _limits(load: DeferrableLoad, language: Language) -> str:
    """Return what keeps an appliance from running whenever it would, in words."""
    said = {"allowed": load.allowed or load.forbidden, "price_limit": load.price_limit is not None, "surplus_only": load.surplus_only}
    rules = [say_part(name, language=language, price=load.price_limit) for name, holds in said.items() if holds]
    return say_part("only", language=language, rules=PARTS["and"][language].join(rules)) if rules else ""
