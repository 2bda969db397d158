"""The room that a month's peak leaves to a slot, and the cost of raising it."""

from zoneinfo import ZoneInfo

import numpy as np

from luna.energy.economics.charges import month_shares
from luna.energy.timeline import FloatArray
from services.planner.dp.plan import Plan

# Room for this much is no room.
_LITTLE_KWH = 1e-4


def find_peak_limit(plan: Plan) -> FloatArray:
    """Return each slot's import before a month's peak rises, kWh, ``(slots,)``.

    It is infinite where no peak is at work.
    """
    hours = plan.problem.outlook.timeline.hours
    if plan.load_schedule is None or not plan.problem.site.tariff.peak:
        return np.full(hours.size, np.inf)
    limit = plan.load_schedule.import_limit_kwh
    connection = plan.problem.connection_limit_kwh
    # A car's charging limit from surplus alone narrows the import as well, down to nothing.
    is_peak = (limit < connection - _LITTLE_KWH) & (limit > _LITTLE_KWH)
    return np.where(is_peak, limit, np.inf)


def find_peak_price(plan: Plan) -> FloatArray:
    """Return the monthly price of one more kilowatt, ``(slots,)``.

    It sums the tariff components that count each slot.
    """
    timeline = plan.problem.outlook.timeline
    price = np.zeros(timeline.count)
    if not plan.problem.site.tariff.peak:
        return price
    zone = ZoneInfo(plan.problem.site.timezone)
    for peak in plan.problem.site.tariff.peaks:
        for share in month_shares(peak, timeline, zone):
            price[share.slots] += peak.price_per_kw_month / peak.highest
    return price
