"""What is drawn behind the plan for comparison: the site without Luna, the plan of the last midnight, the forecast that was valid then."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np

from luna.energy.devices import CHARGED_KINDS, SWITCHED_KINDS
from luna.energy.site import Site
from luna.energy.timeline import SLOT, FloatArray, Timeline
from luna.energy.without_luna import ChargerStay, House, WithoutLuna, run_without_luna
from services.api.timeline.measured import PER_HOUR, Measured, MeasuredPrices, power_column
from services.api.timeline.window import Window

A_DAY = 96


@dataclass(frozen=True, slots=True)
class Seen:
    """What ghosts are compared with: what was measured, what is planned in kW, ``soc`` as planned, and the stays at chargers."""

    measured: Measured
    planned: Mapping[str, FloatArray]
    prices: MeasuredPrices
    soc: FloatArray
    stays: Sequence[Mapping[str, Any]]


def read_stays(state: Mapping[str, Any] | None, site: Site, timeline: Timeline) -> list[dict[str, Any]]:
    """Return the stays at chargers that a plan was made for and that reach into a timeline, in the order they begin; each device stands under its kind."""
    inside = []
    for kind in CHARGED_KINDS:
        begun = (state or {}).get(kind.section) or {}
        for device in kind.of(site):
            for stay in begun.get(device.name, {}).get("sessions", ()):
                if _instant(stay["from"]) < timeline.end and _instant(stay["to"]) > timeline.start:
                    shown = {name: stay.get(name) for name in ("from", "to", "target_soc")}
                    inside.append({kind.name: device.name, **shown, "charge_kw": device.charge_limit_kw})
    return sorted(inside, key=lambda stay: _instant(stay["from"]))


def trace_reserve(reserves: Iterable[Mapping[str, Any]] | None, site: Site, timeline: Timeline) -> FloatArray:
    """Return which share all batteries together keep in each slot: their least, and what is asked of them beyond; NaN where there are none."""
    if not site.batteries:
        return np.full(timeline.count, np.nan)
    kept = np.array([np.full(timeline.count, battery.min_soc) for battery in site.batteries])
    for reserve in reserves or ():
        inside = timeline.overlap_hours(_instant(reserve["from"]), _instant(reserve["to"])) > 0
        for row, battery in zip(kept, site.batteries, strict=True):
            if reserve.get("battery") in (None, battery.name):
                row[inside] = np.maximum(row[inside], min(float(reserve["soc"]), battery.max_soc))
    return np.average(kept, axis=0, weights=[battery.capacity_kwh for battery in site.batteries])


def trace_without_luna(window: Window, seen: Seen, expected: Mapping[str, FloatArray]) -> tuple[int, WithoutLuna] | None:
    """Return from which slot on it is told, and what the site would do from there; None where nothing is planned or no state of charge is known.

    It begins after the first measured state of charge. What was not measured is what the forecast of that time expected, else none.
    """
    measured, planned = seen.measured, seen.planned
    known = np.flatnonzero(np.isfinite(measured.soc[: window.past]))
    ahead = np.isfinite(planned["load_kw"])
    if not known.size or not ahead.any():
        return None
    first, end = int(known[0]) + 1, int(np.flatnonzero(ahead)[-1]) + 1
    timeline = window.timeline.window(first, end - first)
    span = slice(first, end)
    flows = measured.flows
    # What is switched on and off counts as it ran, or is to run.
    own = sum(np.nan_to_num(flows[power_column(series)]) for kind in SWITCHED_KINDS for series in kind.submetered)
    switched = sum(planned[column] for kind in SWITCHED_KINDS for column in kind.flows.values())
    load = _first_known(flows["load_kw"] + own, planned["load_kw"] + switched, expected["load_kw"])
    pv = _first_known(flows["pv_kw"], planned["pv_kw"], expected["pv_kw"])
    # Of what a plan says of a device that is charged, what it takes stands first.
    pairs = [(flows[power_column(series)], planned[next(iter(kind.flows.values()))]) for kind in CHARGED_KINDS for series in kind.submetered]
    charged = np.sum([_first_known(*each) for each in pairs], axis=0)
    inside = [_stay(stay, timeline) for stay in seen.stays]
    needs = [values[span] / PER_HOUR for values in (load, pv, charged)]
    house = House(timeline, needs[0], needs[1], needs[2], [stay for stay in inside if stay.end > stay.first])
    paid = (np.nan_to_num(seen.prices.import_price[span]), np.nan_to_num(seen.prices.export_price[span]))
    return first, run_without_luna(window.site, house, soc=float(measured.soc[first - 1]), prices=paid)


def compare_next_day(window: Window, seen: Seen, without: tuple[int, WithoutLuna] | None, *, energy_value: float | None) -> dict[str, float] | None:
    """Return what the next 24 hours cost with the plan and without it; what either leaves more in the batteries counts at the value of stored energy.

    None where less than a day is planned.
    """
    span = slice(window.past, window.past + A_DAY)
    bought, sold = seen.planned["import_kw"][span] / PER_HOUR, seen.planned["export_kw"][span] / PER_HOUR
    paid = (seen.prices.import_price[span], seen.prices.export_price[span])
    if without is None or not np.isfinite([bought, sold, *paid]).all() or bought.size < A_DAY:
        return None
    first, alone = without
    place = slice(span.start - first, span.stop - first)
    cost, other = (
        float(imported @ paid[0] - exported @ paid[1]) for imported, exported in ((bought, sold), (alone.import_kwh[place], alone.export_kwh[place]))
    )
    capacity = sum(battery.capacity_kwh for battery in window.site.batteries)
    left_kwh = float(np.nan_to_num(seen.soc[span.stop - 1] - alone.soc[place][-1])) * capacity
    return {"cost": cost, "cost_without_luna": other + left_kwh * (energy_value or 0.0)}


def _stay(stay: Mapping[str, Any], timeline: Timeline) -> ChargerStay:
    first, end = (int(np.clip(-((timeline.start - _instant(stay[name])) // SLOT), 0, timeline.count)) for name in ("from", "to"))
    return ChargerStay(first, end, float(stay["charge_kw"]))


def _first_known(*sources: FloatArray) -> FloatArray:
    known = np.zeros_like(sources[0])
    for source in reversed(sources):
        known = np.where(np.isfinite(source), source, known)
    return known


def _instant(text: str) -> datetime:
    return datetime.fromisoformat(text)
