"""What the slots of a plan look like to whoever thinks of using another: what a kWh more costs in each, its rank, whether a peak is at its limit."""

from itertools import pairwise
from zoneinfo import ZoneInfo

import numpy as np

from luna.energy.economics import month_shares
from luna.energy.timeline import FloatArray
from services.planner.devices.causes import PriceView
from services.planner.dp.plan import Plan

_NOTHING_KWH = 1e-6
# A price below zero by less is shown as nothing.
_SAME_PRICE = 1e-4
# Room for this much is no room.
_LITTLE_KWH = 1e-4


def view_prices(plan: Plan) -> PriceView:
    """Return the view of a plan's slots."""
    paid, flows = plan.problem.paid.outlook, plan.flows
    importing, exporting = flows.import_kwh > _NOTHING_KWH, flows.export_kwh > _NOTHING_KWH
    spilled = flows.curtailed_kwh > _NOTHING_KWH
    between = _balanced_price(plan)
    marginal = np.where(importing, paid.import_price, np.where(spilled, 0.0, np.where(exporting, paid.export_price, between)))
    given = flows.discharge_kwh.sum(axis=0) + (0.0 if plan.placement is None else plan.placement.give_kwh)
    costs = paid.export_price < -_SAME_PRICE
    sells = ~spilled & ~costs & (plan.problem.export_limit_kwh > flows.export_kwh + _NOTHING_KWH)
    peak = find_peak_limit(plan)
    interval_hours = max((each.interval_minutes for each in plan.problem.site.tariff.peaks), default=0) / 60
    room = np.where(np.isfinite(peak), peak - flows.import_kwh, np.inf)
    return PriceView(
        marginal,
        importing | spilled | exporting,
        ~importing & (given <= _NOTHING_KWH),
        np.where(sells, paid.export_price, np.nan),
        np.where(costs, -paid.export_price, np.nan),
        np.where(spilled, flows.curtailed_kwh, np.nan),
        room,
        peak,
        find_peak_price(plan),
        interval_hours,
    )


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


def rank_prices(price: FloatArray, days: list[int]) -> tuple[list[int], list[int]]:
    """Return the rank of each slot's price within its local day (1: none is cheaper) and how many slots of that day there are, by ``split_days``."""
    rank: list[int] = []
    for first, end in pairwise(days):
        rank += (np.searchsorted(np.sort(price[first:end]), price[first:end]) + 1).tolist()
    return rank, [end - first for first, end in pairwise(days) for _ in range(first, end)]


def _balanced_price(plan: Plan) -> FloatArray:
    """Return what a kWh more costs where the meter stands still: what the battery would have to give up for it."""
    paid = plan.problem.paid.outlook
    if not plan.problem.site.batteries:
        return paid.import_price
    worth = plan.energy_value[0] / plan.problem.site.batteries[0].discharge_efficiency
    # A battery outside its limits has no value of its own.
    worth = np.where(np.isfinite(worth), worth, paid.import_price)
    return np.asarray(np.clip(worth, np.minimum(paid.export_price, paid.import_price), paid.import_price))
