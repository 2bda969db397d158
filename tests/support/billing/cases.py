"""Months to be billed: tariffs as several countries have them, each with the same five months.

Their figures are made up, at about the size that such tariffs have; what counts is that every
rule occurs. Readings and prices come from curves and seeded chance: a case is always the same.
"""

import calendar
import math
import random
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

from tests.support.billing.tariffs import MID_MONTH, TARIFFS, TariffCase

QUARTER = timedelta(minutes=15)
MONTHS = {
    "clock forward": (2026, 3),
    "negative prices": (2026, 5),
    "fees change on the 15th": (int(MID_MONTH[:4]), int(MID_MONTH[5:7])),
    "clock back": (2026, 10),
    "leap day": (2028, 2),
}
NEGATIVE_MONTH = (2026, 5)

Reading = tuple[datetime, float, float]
PriceSeries = Mapping[datetime, float]


@dataclass(frozen=True)
class BillCase:
    """One tariff in one local month, with what its meter counted and what the markets asked."""

    tariff_case: TariffCase
    month: tuple[int, int]

    @property
    def name(self) -> str:
        """The tariff and the month."""
        year, month = self.month
        return f"{self.tariff_case.name}, {year}-{month:02}"

    @property
    def tariff(self) -> dict[str, Any]:
        """The tariff as a site's file has it."""
        return self.tariff_case.tariff

    @property
    def timezone(self) -> str:
        """Time zone of the site."""
        return self.tariff_case.timezone

    @property
    def currency(self) -> str:
        """Currency of the tariff and of its market's prices."""
        return self.tariff_case.currency

    @property
    def readings(self) -> tuple[Reading, ...]:
        """Begin (UTC), bought and sold kWh of every quarter-hour of the month."""
        return read_made_up_meter(self.timezone, self.month)

    @property
    def market_prices(self) -> dict[str, PriceSeries]:
        """Price per kWh by market and begin (UTC) of the quarter-hour."""
        scale = self.tariff_case.money_scale
        return {
            market: make_up_prices(market, self.timezone, self.month, scale)
            for market in self.tariff_case.markets
        }

    @property
    def own_prices(self) -> dict[str, PriceSeries]:
        """Price per kWh of the site's own series, by name and begin (UTC) of the quarter-hour."""
        scale = self.tariff_case.money_scale
        return {
            name: make_up_prices(name, self.timezone, self.month, scale)
            for name in self.tariff_case.own_series
        }


def list_cases() -> list[BillCase]:
    """Return every tariff with every month."""
    return [BillCase(tariff, month) for tariff in TARIFFS for month in MONTHS.values()]


@lru_cache(maxsize=128)
def list_quarters(timezone: str, month: tuple[int, int]) -> tuple[datetime, ...]:
    """Return the begin (UTC) of every quarter-hour of a local month."""
    first = date(*month, 1)
    following = first + timedelta(days=calendar.monthrange(*month)[1])
    begin = _midnight(first, timezone)
    end = _midnight(following, timezone)
    count = (end - begin) // QUARTER
    return tuple(begin + number * QUARTER for number in range(count))


@lru_cache(maxsize=128)
def read_made_up_meter(timezone: str, month: tuple[int, int]) -> tuple[Reading, ...]:
    """Return the readings of a home with a roof and a car, kWh with three digits.

    On every third day the roof gives nothing, and on every fourth the car charges with 11 kW from
    midnight to four.
    """
    zone = ZoneInfo(timezone)
    chance = random.Random(f"meter {timezone} {month}")
    readings = []
    for begin in list_quarters(timezone, month):
        local = begin.astimezone(zone)
        hour = local.hour + local.minute / 60

        load_kw = 0.25 + 0.6 * chance.random()
        if 17 <= hour < 21:
            load_kw += 2.0
        if local.day % 4 == 0 and hour < 4:
            load_kw += 11.0

        pv_kw = 0.0
        if local.day % 3 != 0:
            pv_kw = max(0.0, 6.0 * math.sin(math.pi * (hour - 6) / 12))

        # Near zero a meter counts in both directions within a quarter-hour.
        net_kw = load_kw - pv_kw
        swing_kw = 0.4 * chance.random() if pv_kw > 0 else 0.0
        both_kw = max(0.0, swing_kw - abs(net_kw))
        import_kw = max(net_kw, 0.0) + both_kw
        export_kw = max(-net_kw, 0.0) + both_kw
        readings.append((begin, round(import_kw / 4, 3), round(export_kw / 4, 3)))
    return tuple(readings)


@lru_cache(maxsize=256)
def make_up_prices(
    market: str, timezone: str, month: tuple[int, int], money_scale: float
) -> PriceSeries:
    """Return a market's prices of a local month, per kWh with five digits.

    They are highest in the evening and lowest about noon, by UTC; in ``NEGATIVE_MONTH`` noon falls
    below zero on most days, and within one hour some quarter-hours do and others do not.
    """
    chance = random.Random(f"{market} {timezone} {month}")
    curve = curve_of_a_day(0.16 if month == NEGATIVE_MONTH else 0.05)
    prices = {}
    for begin in list_quarters(timezone, month):
        usual = curve[4 * begin.hour + begin.minute // 15]
        wobble = 0.06 * (chance.random() - 0.5)
        prices[begin] = round(money_scale * (usual + wobble), 5)
    return prices


@lru_cache
def curve_of_a_day(noon_dip: float) -> tuple[float, ...]:
    """Return what a kWh usually costs in the 96 quarter-hours from midnight UTC on."""
    curve = []
    for quarter in range(96):
        hour = quarter / 4
        evening = 0.06 * math.exp(-(((hour - 18) / 2) ** 2))
        noon = noon_dip * math.exp(-(((hour - 12) / 2.5) ** 2))
        curve.append(0.09 + evening - noon)
    return tuple(curve)


def _midnight(day: date, timezone: str) -> datetime:
    local = datetime(day.year, day.month, day.day, tzinfo=ZoneInfo(timezone))
    return local.astimezone(UTC)
