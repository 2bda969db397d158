"""Convert published day-ahead products into price sheets, currency per kWh.

A sheet has products of equal length; missing products stay missing.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from itertools import groupby, pairwise
from math import isfinite
from zoneinfo import ZoneInfo

import numpy as np

from luna.energy.timeline import SLOT, FloatArray, InstantArray, hold_price
from services.ingest.sources.source import PriceSheet, SourceError

KWH_PER_MWH = 1_000.0
MINUTE = timedelta(minutes=1)
LENGTHS = (15, 30, 60)
SPAN = timedelta(days=180)


@dataclass(frozen=True, slots=True)
class Product:
    """The price of a product of ``minutes`` from ``start`` on, currency per MWh.

    None without one.
    """

    start: datetime
    minutes: int
    price: float | None

    @property
    def is_priced(self) -> bool:
        """Whether it has a finite price."""
        return self.price is not None and isfinite(self.price)


@dataclass(frozen=True, slots=True)
class DeliveryWindow:
    """A requested window of a market, from ``first`` on, before ``end``."""

    market: str
    first: datetime
    end: datetime

    def split(self) -> "Iterator[DeliveryWindow]":
        """Yield the window in pieces of half a year.

        Services give a year at most, and large answers time out.
        """
        first = self.first.astimezone(UTC)
        end = self.end.astimezone(UTC)
        while first < end:
            yield DeliveryWindow(self.market, first, min(first + SPAN, end))
            first += SPAN

    def days(self, zone: ZoneInfo) -> list[date]:
        """Return the local days that the window touches."""
        first = self.first.astimezone(zone).date()
        last = (self.end - MINUTE).astimezone(zone).date()
        return [first + timedelta(days=day) for day in range((last - first).days + 1)]


@dataclass(frozen=True, slots=True)
class Issue:
    """Attributes of all prices of an answer.

    Currency, instant of publication (None: not stated), and energy unit in kWh.
    """

    currency: str
    published_at: datetime | None = None
    per_kwh: float = KWH_PER_MWH


def make_sheets(
    window: DeliveryWindow, products: Iterable[Product], issue: Issue
) -> list[PriceSheet]:
    """Return the products that begin within the window.

    One sheet for each length, long products first.

    Raises:
        SourceError: a product is no quarter-hour, half-hour or hour, or does not begin on a
            quarter-hour.
    """
    traded = [
        product
        for product in products
        if product.is_priced and window.first <= product.start < window.end
    ]
    traded.sort(key=lambda product: (-product.minutes, product.start))
    sheets = []
    for minutes, group in groupby(traded, lambda product: product.minutes):
        same = list(group)
        odd = next(
            (
                product
                for product in same
                if minutes not in LENGTHS or product.start.timestamp() % SLOT.total_seconds()
            ),
            None,
        )
        if odd is not None:
            raise SourceError(
                f"has a product of {minutes} minutes at {odd.start.isoformat()}",
                field=window.market,
                remedy="Ask another source.",
            )
        # Of a repeated product the later one is valid.
        price = {
            product.start.astimezone(UTC).replace(tzinfo=None): product.price for product in same
        }
        starts = np.array(list(price), dtype="datetime64[s]")
        per_kwh = np.array(list(price.values()), dtype=np.float64) / issue.per_kwh
        sheets.append(
            PriceSheet(window.market, issue.currency, minutes, issue.published_at, starts, per_kwh)
        )
    return sheets


def measure_lengths(
    starts: Sequence[datetime], prices: Sequence[float | None], zone: ZoneInfo
) -> list[Product]:
    """Return products of services that publish starts only.

    Within a local day all are as long as the shortest distance between two.

    Per day, for a market may change its product length; the shortest, so that a missing product
    does not lengthen the one before.
    """
    rows = sorted(zip(starts, prices, strict=True), key=lambda row: row[0])
    products: list[Product] = []
    minutes = LENGTHS[-1]
    for _, group in groupby(rows, lambda row: row[0].astimezone(zone).date()):
        day = list(group)
        minutes = min(
            ((after[0] - before[0]) // MINUTE for before, after in pairwise(day)), default=minutes
        )
        products += [Product(start, minutes, price) for start, price in day]
    return products


def on_quarter_hours(sheet: PriceSheet) -> tuple[InstantArray, FloatArray]:
    """Return slot starts and prices of a sheet in quarter-hours.

    A longer product's price holds in each of its slots.

    Invariants: the mean over each product is unchanged.
    """
    factor = sheet.minutes * MINUTE // SLOT
    parts = np.arange(factor) * np.timedelta64(SLOT)
    return (sheet.starts[:, np.newaxis] + parts).reshape(-1), hold_price(sheet.price, factor)
