"""What the slots of a plan look like to whoever thinks of using another: what a kWh more costs in each, its rank, whether a peak is at its limit."""

from dataclasses import dataclass
from itertools import pairwise
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from luna.economics import month_shares
from luna.physics import BoolArray
from luna.timeline import FloatArray, Timeline, local_offsets
from services.planner.plan import Plan

_NOTHING_KWH = 1e-6
# Room for this much is no room.
_LITTLE_KWH = 1e-4


@dataclass(frozen=True, slots=True)
class PriceView:
    """Per slot (``(slots,)``): what one kWh more of use costs, to first order; whether what is used is surplus; room under the peak; its price.

    ``peak_kwh`` is what may be imported before a peak rises, infinite where none is at work; ``peak_price`` what a kilowatt more costs a month;
    ``interval_hours`` is the longest over which a component takes its mean.
    """

    marginal: FloatArray
    surplus: BoolArray
    room_kwh: FloatArray
    peak_kwh: FloatArray
    peak_price: FloatArray
    interval_hours: float


def view_prices(plan: Plan) -> PriceView:
    """Return the view of a plan's slots."""
    paid, flows = plan.problem.paid.outlook, plan.flows
    importing, exporting = flows.import_kwh > _NOTHING_KWH, flows.export_kwh > _NOTHING_KWH
    spilled = flows.curtailed_kwh > _NOTHING_KWH
    between = _balanced_price(plan)
    marginal = np.where(importing, paid.import_price, np.where(spilled, np.minimum(paid.export_price, 0.0), np.where(exporting, paid.export_price, between)))
    serving = flows.discharge_kwh.sum(axis=0) > _NOTHING_KWH
    peak = find_peak_limit(plan)
    interval_hours = max((each.interval_minutes for each in plan.problem.site.tariff.peaks), default=0) / 60
    room = np.where(np.isfinite(peak), peak - flows.import_kwh, np.inf)
    return PriceView(marginal, ~importing & ~serving, room, peak, find_peak_price(plan), interval_hours)


def find_peak_limit(plan: Plan) -> FloatArray:
    """Return what each slot may import before a month's peak rises, kWh, infinite where no peak is at work, shape ``(slots,)``."""
    slots = plan.problem.outlook.timeline.count
    if plan.placement is None or not plan.problem.site.tariff.peaks:
        return np.full(slots, np.inf)
    limit = plan.placement.import_limit_kwh
    connection = plan.problem.site.grid.import_limit_kw * plan.problem.outlook.timeline.hours
    # What a car may charge from surplus alone narrows the import as well, down to nothing.
    return np.where((limit < connection - _LITTLE_KWH) & (limit > _LITTLE_KWH), limit, np.inf)


def find_peak_price(plan: Plan) -> FloatArray:
    """Return what a kilowatt more in one interval costs a month, by the components that count each slot, shape ``(slots,)``."""
    timeline, zone = plan.problem.outlook.timeline, ZoneInfo(plan.problem.site.timezone)
    price = np.zeros(timeline.count)
    for peak in plan.problem.site.tariff.peaks:
        for share in month_shares(peak, timeline, zone):
            price[share.slots] += peak.price_per_kw_month / peak.highest
    return price


def rank_prices(price: FloatArray, timeline: Timeline, zone: ZoneInfo) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the rank of each slot's price within its local day (1: none is cheaper) and how many slots of that day there are, ``(slots,)``."""
    days = (timeline.starts + local_offsets(timeline.starts, zone)).astype("datetime64[D]")
    edges = [0, *(np.flatnonzero(days[1:] != days[:-1]) + 1).tolist(), price.size]
    rank, count = np.empty(price.size, dtype=np.int64), np.empty(price.size, dtype=np.int64)
    for first, end in pairwise(edges):
        rank[first:end] = np.searchsorted(np.sort(price[first:end]), price[first:end]) + 1
        count[first:end] = end - first
    return rank, count


def _balanced_price(plan: Plan) -> FloatArray:
    """Return what a kWh more costs where the meter stands still: what the battery would have to give up for it."""
    paid = plan.problem.paid.outlook
    if not plan.problem.site.batteries:
        return paid.import_price
    worth = plan.energy_value[0] / plan.problem.site.batteries[0].discharge_efficiency
    # A battery outside its limits has no value of its own.
    worth = np.where(np.isfinite(worth), worth, paid.import_price)
    return np.asarray(np.clip(worth, np.minimum(paid.export_price, paid.import_price), paid.import_price))
