"""Heat pumps of a plan in the words of the outward interface: what each slot gives them, and where comfort is missed."""

from collections.abc import Iterator
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np

from luna.contracts.plan import CompromiseReply
from luna.timeline import FloatArray, Timeline
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


def missed_comfort(placement: Placement, timeline: Timeline, *, dearest: float, zone: ZoneInfo) -> Iterator[CompromiseReply]:
    """Yield where a store is too cold or too warm, the lack of heat at the ``dearest`` price, and what was assumed of it."""
    for wish, used in zip(placement.wishes.heat_pumps, placement.heat_kwh, strict=True):
        name, temperature = wish.pump.name, wish.temperature_c(used)
        kwh = wish.pump.store.capacity_kwh_per_k / float(wish.cop.mean())
        for word, bound, missed in (("at least", wish.least_c, wish.least_c - temperature), ("at most", wish.most_c, temperature - wish.most_c)):
            worst = int(missed.argmax())
            if missed[worst] > _NOTHING_K:
                when = list(timeline)[worst].astimezone(zone)
                constraint = f"heat pump {name}: {word} {bound[worst]:.1f} °C, missed most at {when:%Y-%m-%d %H:%M}{_start(wish, worst)}"
                cost = float(missed[worst]) * kwh * dearest if word == "at least" else 0.0
                yield CompromiseReply(constraint=constraint, shortfall=f"{missed[worst]:.1f} K", cost=round(cost, 6))
        for each in wish.assumed:
            yield CompromiseReply(constraint=f"heat pump {name}: {each}", shortfall="assumed", cost=0.0)


def _start(wish: HeatWish, worst: int) -> str:
    outside = not wish.least_c[0] <= wish.start_c <= wish.pump.store.max_c
    return f"; it starts at {wish.start_c:g} °C" if outside and worst < wish.cop.size // 2 else ""
