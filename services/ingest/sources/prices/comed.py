"""Northern Illinois through ComEd: no token, 5-minute prices in cents, known only afterwards.

Beside them ``comed_day_ahead`` has forecasts.

A quarter-hour has the mean of its three prices; with one missing, it has none. ComEd bills the
hour's mean (Rate BESH), so a use within the hour costs that, not its quarter-hour's price. The feed
skips a price now and then.

Source: hourlypricing.comed.com, "5-Minute Price Data API". Its times are taken as those at which
the five minutes begin.
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from statistics import fmean

from pydantic import BaseModel, RootModel

from luna.energy.timeline import SLOT, floor_to, parse_zone
from services.ingest.sources.prices.declaration import PriceSourceDeclaration, canonical_market
from services.ingest.sources.prices.publication import (
    MINUTE,
    DeliveryWindow,
    Issue,
    Product,
    make_sheets,
)
from services.ingest.sources.source import PriceSheet, SourceError
from services.ingest.sources.web import Web, instant_of

URL = "https://hourlypricing.comed.com/api"
CLOCK = "America/Chicago"
# Of tomorrow's forecasts, on the day before.
PUBLISHED = time(16, 30)
CODES = {"US-COMED": "5minutefeed"}
MILLISECONDS = 1_000
CENTS = 100
STEP = 5 * MINUTE
# Requested times are read on the local clock, which shows an hour twice in autumn: more is
# requested, and cut off.
MARGIN = timedelta(hours=2)


class _Price(BaseModel):
    millisUTC: int  # noqa: N815 - the service's names
    price: float


class _Feed(RootModel[list[_Price]]):
    pass


@dataclass(frozen=True)
class ComEd:
    """Prices from ComEd."""

    name = "comed"
    web: Web

    def fetch(self, market: str, first: datetime, end: datetime) -> list[PriceSheet]:
        feed = CODES[canonical_market(market)]
        zone = parse_zone(CLOCK)
        sheets: list[PriceSheet] = []
        for window in DeliveryWindow(market, first, end).split():
            parameters = {
                "type": feed,
                "datestart": f"{(window.first - MARGIN).astimezone(zone):%Y%m%d%H%M}",
                "dateend": f"{(window.end + MARGIN).astimezone(zone):%Y%m%d%H%M}",
            }
            prices = self.web.get(URL, parameters).parse(_Feed).root
            products = self._average(prices)
            sheets += make_sheets(window, products, Issue("USD", per_kwh=1.0))
        return sheets

    def _average(self, prices: Iterable[_Price]) -> list[Product]:
        """Return the products of the quarter-hours whose prices are all there, USD per kWh."""
        cents_in: dict[datetime, dict[datetime, float]] = defaultdict(dict)
        for row in prices:
            start = instant_of(row.millisUTC / MILLISECONDS)
            if floor_to(start, STEP) != start:
                raise SourceError(
                    f"has a price at {start.isoformat()}",
                    field=self.name,
                    remedy="Try again later.",
                )
            cents_in[floor_to(start, SLOT)][start] = row.price
        return [
            Product(slot_start, SLOT // MINUTE, fmean(cents.values()) / CENTS)
            for slot_start, cents in cents_in.items()
            if len(cents) == SLOT // STEP
        ]


SOURCE = PriceSourceDeclaration(
    codes=CODES,
    open=lambda access: ComEd(access.web),
    currencies=frozenset({"USD"}),
    clock=CLOCK,
    published=PUBLISHED,
    publication="forecast",
)
