"""Import and export prices per slot from a tariff.

Publication times of day-ahead prices stand here as well, and the extension of prices beyond what is
published.
"""

from collections.abc import Mapping
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import numpy as np

from luna.energy.refusals import refuse
from luna.energy.site import OWN_EXPORT, OWN_IMPORT, ImportRule, PriceRule, Tariff
from luna.energy.tariffs.component import PricedSlots
from luna.energy.timeline import FloatArray, InstantArray, Timeline, local_offsets, repeat_last

# Prices that are the same on paper differ in their last bits where they are sums: 0.1 + 0.2 is no
# 0.3.
PRICE_ROUNDING = 1e-9


DAY_AHEAD_PUBLISHED = time(13)
SpotPrices = Mapping[str, FloatArray]


def price_slots(
    tariff: Tariff, timeline: Timeline, *, zone: ZoneInfo, spot: SpotPrices
) -> tuple[FloatArray, FloatArray]:
    """Return import and export price per slot, shape ``(slots,)``, currency/kWh.

    NaN where the spot price is unknown.

    A price that depends on the energy drawn before is that of the first kWh; the tariff's
    ``EnergyCharge`` adds the surcharge of later ones.

    Args:
        tariff: of the site.
        timeline: the slots.
        zone: time zone of the tariff's bands.
        spot: prices on ``timeline`` of each of ``tariff.price_series``: markets, and the site's own
            series.

    Raises:
        InvalidInputError: the tariff names a market, or the site's own series, that ``spot`` does
            not hold.
    """
    imported = price_rule(tariff.import_, PricedSlots(timeline, zone, spot, OWN_IMPORT))
    exported = price_rule(tariff.export, PricedSlots(timeline, zone, spot, OWN_EXPORT))
    return imported, exported


def price_rule(rule: ImportRule | PriceRule, slots: PricedSlots) -> FloatArray:
    """Return the price of one rule per slot, shape ``(slots,)``, currency/kWh.

    See ``price_slots``.
    """
    # Parts with the same tax are added before it, as on a bill.
    net_by_vat: dict[float, FloatArray] = {}
    for component in rule.components:
        net = component.net_price(slots)
        added = net_by_vat.get(component.vat)
        net_by_vat[component.vat] = net if added is None else added + net
    total = np.zeros(slots.timeline.count)
    for vat, net in net_by_vat.items():
        total += net * (1.0 + vat)
    return total


def publication_times(
    starts: InstantArray, zone: ZoneInfo, at: time = DAY_AHEAD_PUBLISHED
) -> InstantArray:
    """Return the publication time (UTC) of each slot's day-ahead price.

    It is ``at`` local time of the day before, in the shape of ``starts``.

    Source: EPEX SPOT, SDAC timetable (12:57 at the latest on a regular day).
    """
    local_days = (starts + local_offsets(starts, zone)).astype("datetime64[D]")
    days, where = np.unique(local_days, return_inverse=True)
    published_at = []
    for day in days.tolist():
        published = datetime.combine(day - timedelta(days=1), at, zone)
        published_at.append(published.astimezone(UTC).replace(tzinfo=None))
    return np.array(published_at, dtype="datetime64[us]")[where]


def extend_prices(price: FloatArray, published: int, *, slots_per_day: int) -> FloatArray:
    """Replace the prices that are not published yet.

    From slot ``published`` on they are those of the same slot of the last published day.

    Source: docs/decisions/0004: with it, results hardly depend on the terminal value.

    Args:
        price: currency/kWh, shape ``(slots,)``; should begin a day before the slots it is needed
            for.
        published: number of leading slots whose price is published.
        slots_per_day: 96 for quarter-hours.

    Raises:
        InvalidInputError: no price is published, or the published ones have a gap.
    """
    gaps = np.flatnonzero(~np.isfinite(price[:published]))
    if published == 0 or gaps.size:
        slot = int(gaps[0]) if gaps.size else 0
        raise refuse("slot-price-missing", field=f"import_price[{slot}]")
    period = min(slots_per_day, published)
    return np.asarray(price[repeat_last(np.arange(price.size), published, period=period)])
