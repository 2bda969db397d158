"""Conversion of published day-ahead products into price sheets in currency per kWh.

The products of a sheet are equally long; missing products stay missing.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from itertools import groupby, pairwise
from math import isfinite
from operator import attrgetter, itemgetter
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
    """The price of a product of ``minutes`` from ``start`` on, currency per MWh, or None."""

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
    """Attributes that all prices of an answer share.

    Args:
        published_at: instant of publication; None: not stated.
        per_kwh: energy unit of the prices in kWh.
    """

    currency: str
    published_at: datetime | None = None
    per_kwh: float = KWH_PER_MWH


def make_sheets(
    window: DeliveryWindow, products: Iterable[Product], issue: Issue
) -> list[PriceSheet]:
    """Return the products that begin within the window, long ones first, in a sheet per length.

    Raises:
        SourceError: a product is no quarter-hour, half-hour or hour, or does not begin on a
            quarter-hour.
    """
    traded = [
        product
        for product in products
        if product.is_priced and window.first <= product.start < window.end
    ]
    traded.sort(key=_longest_first)
    sheets = []
    for minutes, group in groupby(traded, attrgetter("minutes")):
        # Of a repeated product the later one is valid.
        price_at: dict[datetime, float | None] = {}
        for product in group:
            is_on_grid = product.start.timestamp() % SLOT.total_seconds() == 0
            if minutes not in LENGTHS or not is_on_grid:
                raise SourceError(
                    f"has a product of {minutes} minutes at {product.start.isoformat()}",
                    field=window.market,
                    remedy="Ask another source.",
                )
            price_at[product.start.astimezone(UTC).replace(tzinfo=None)] = product.price
        starts = np.array(list(price_at), dtype="datetime64[s]")
        per_kwh = np.array(list(price_at.values()), dtype=np.float64) / issue.per_kwh
        sheet = PriceSheet(
            market=window.market,
            currency=issue.currency,
            minutes=minutes,
            published_at=issue.published_at,
            starts=starts,
            price=per_kwh,
        )
        sheets.append(sheet)
    return sheets


def _longest_first(product: Product) -> tuple[int, datetime]:
    return -product.minutes, product.start


def measure_lengths(
    starts: Sequence[datetime], prices: Sequence[float | None], zone: ZoneInfo
) -> list[Product]:
    """Return products of services that publish starts only.

    Within a local day all are as long as the shortest distance between two starts. Per day, for
    a market may change its product length; the shortest, so that a missing product does not
    lengthen the one before.
    """

    def local_day(row: tuple[datetime, float | None]) -> date:
        return row[0].astimezone(zone).date()

    rows = sorted(zip(starts, prices, strict=True), key=itemgetter(0))
    products: list[Product] = []
    minutes = LENGTHS[-1]
    for _, group in groupby(rows, local_day):
        day = list(group)
        # A repeated start has no distance.
        day_starts = sorted({start for start, _ in day})
        distances = [(later - earlier) // MINUTE for earlier, later in pairwise(day_starts)]
        # A day of one product is measured by the day before.
        minutes = min(distances, default=minutes)
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
