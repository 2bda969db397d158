"""Heat pumps of a plan in the words of the outward interface: what each slot gives them, and where comfort is missed."""

from collections.abc import Iterator
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np

from luna.contracts.plan import CompromiseReply
from luna.timeline import FloatArray, Timeline
from luna.wording import Language
from luna.wording.compromises import say_part
from services.planner.answer.compromise import name_compromise
from services.planner.placing.heat_wish import HeatWish
from services.planner.placing.placement import Placement

_NOTHING_K = 0.01
Fields = dict[str, Any]


def heat_flows(placement: Placement) -> dict[str, list[Fields]]:
    """Return what each heat pump does, slot by slot."""
    return {wish.pump.name: _flows(wish, used) for wish, used in zip(placement.wishes.heat_pumps, placement.heat_kwh, strict=True)}


def _flows(wish: HeatWish, used_kwh: FloatArray) -> list[Fields]:
    columns = {"energy_kwh": used_kwh, "heat_kwh": used_kwh * wish.cop, "temperature_c": wish.temperature_c(used_kwh)}
    rows = zip(*(np.round(values, 6).tolist() for values in columns.values()), strict=True)
    return [dict(zip(columns, row, strict=True)) | {"on": row[0] > 0} for row in rows]


def missed_comfort(placement: Placement, timeline: Timeline, told: tuple[float, Language], *, zone: ZoneInfo) -> Iterator[CompromiseReply]:
    """Yield where a store is too cold or too warm, the lack of heat at the dearest price, and what was assumed of it, in a language (``told``)."""
    dearest, language = told
    for wish, used in zip(placement.wishes.heat_pumps, placement.heat_kwh, strict=True):
        temperature = wish.temperature_c(used)
        kwh = wish.pump.store.capacity_kwh_per_k / float(wish.cop.mean())
        for code, bound, missed in (("heat_least", wish.least_c, wish.least_c - temperature), ("heat_most", wish.most_c, temperature - wish.most_c)):
            worst = int(missed.argmax())
            if missed[worst] > _NOTHING_K:
                figures = {
                    "name": wish.pump.name,
                    "wanted": float(bound[worst]),
                    "worst": list(timeline)[worst].astimezone(zone),
                    "kelvin": float(missed[worst]),
                }
                cost = float(missed[worst]) * kwh * dearest if code == "heat_least" else 0.0
                yield name_compromise(code, language, cost=cost, outside=_start(wish, worst, language), **figures)
        for code, celsius in wish.assumed:
            yield name_compromise(code, language, name=wish.pump.name, celsius=celsius)


def _start(wish: HeatWish, worst: int, language: Language) -> str:
    outside = not wish.least_c[0] <= wish.start_c <= wish.pump.store.max_c
    return say_part("outside", language=language, celsius=wish.start_c) if outside and worst < wish.cop.size // 2 else ""
