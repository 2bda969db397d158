"""Typical day-ahead prices by month and hour of the day.

They stand in for a market's price while nobody has published any.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from zoneinfo import ZoneInfo

import numpy as np

from luna.energy.economics import typical_price_table
from luna.energy.part import PER_EURO
from luna.energy.site.countries import COUNTRIES
from luna.energy.suppliers.products import find_all_in_country
from luna.energy.timeline import FloatArray, Timeline, local_offsets

_EURO_PER_MWH = {"NL": typical_price_table.NETHERLANDS}
# A market without figures of its own is taken to be like this one: the coupled markets of Central
# Europe share most of their days.
NEAREST = "NL"


@dataclass(frozen=True, slots=True)
class TypicalPrices:
    """Typical prices per slot, currency/kWh, and the market whose figures they are."""

    like: str
    price: FloatArray


@cache
def read_typical_prices() -> Mapping[str, FloatArray]:
    """Return the typical prices by market, EUR/kWh, shape ``(12, 24)``.

    Rows are months, columns hours of the local clock.
    """
    tables = {}
    for market, rows in _EURO_PER_MWH.items():
        euro_per_mwh = np.array([row.split() for row in rows], dtype=np.float64)
        tables[market] = euro_per_mwh / 1000.0
    return tables


def expect_typical(
    market: str, timeline: Timeline, *, zone: ZoneInfo, currency: str, is_southern: bool = False
) -> TypicalPrices | None:
    """Return the typical prices of a market on a timeline.

    Those of an all-in market have the usual taxes, fees and supplier's part of its country on top.
    None in a currency whose level is not known.

    Args:
        market: its name in tariffs; one without figures of its own is like ``NEAREST``.
        timeline: the slots.
        zone: whose clock tells the hours.
        currency: of the prices, converted at the round rate of ``PER_EURO``.
        is_southern: the market's seasons are those south of the equator.
    """
    if currency not in PER_EURO:
        return None
    tables = read_typical_prices()
    like = market if market in tables else NEAREST
    local = timeline.starts + local_offsets(timeline.starts, zone)
    half_year = 6 if is_southern else 0
    month = (local.astype("datetime64[M]").astype(int) + half_year) % 12
    hour = (local - local.astype("datetime64[D]")).astype("timedelta64[h]").astype(int)
    price = tables[like][month, hour] * PER_EURO[currency]
    usual = COUNTRIES.get(find_all_in_country(market) or "")
    if usual is not None and usual.currency == currency:
        price = (price + usual.markup) * (1.0 + usual.vat)
    return TypicalPrices(like, price)
