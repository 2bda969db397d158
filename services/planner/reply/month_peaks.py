"""What a month's peak lets a slot import, and what raising it costs."""

from zoneinfo import ZoneInfo

import numpy as np

from luna.energy.economics.charges import month_shares
from luna.energy.timeline import FloatArray
from services.planner.dp.plan import Plan

# Room for this much is no room.
_LITTLE_KWH = 1e-4


def find_peak_limit(plan: Plan) -> FloatArray:
    """Return what each slot may import before a month's peak rises, kWh, infinite where no peak is
    at work, shape ``(slots,)``.
    """
    hours = plan.problem.outlook.timeline.hours
    if plan.placement is None or not plan.problem.site.tariff.peak:
        return np.full(hours.size, np.inf)
    limit = plan.placement.import_limit_kwh
    connection = plan.problem.site.grid.import_limit_kw * hours
    # What a car may charge from surplus alone narrows the import as well, down to nothing.
    is_peak = (limit < connection - _LITTLE_KWH) & (limit > _LITTLE_KWH)
    return np.where(is_peak, limit, np.inf)


def find_peak_price(plan: Plan) -> FloatArray:
    """Return what a kilowatt more in one interval costs a month, by the components that count each
    slot, shape ``(slots,)``.
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
