"""Denmark through Energinet: no token, quarter-hours since October 2025, in euros or kroner.

Kroner are missing until a day has a rate of exchange, at weekends and on holidays.

Source: energidataservice.dk, API guide and dataset ``DayAheadPrices``. It does not say when prices
were published.
"""

import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from pydantic import BaseModel, NaiveDatetime

from luna.energy.timeline import SLOT, parse_zone
from services.ingest.sources.prices.declaration import PriceSourceDeclaration, canonical_market
from services.ingest.sources.prices.publication import (
    MINUTE,
    DeliveryWindow,
    Issue,
    Product,
    make_sheets,
)
from services.ingest.sources.source import PriceSheet, SourceError
from services.ingest.sources.web import Web

URL = "https://api.energidataservice.dk/dataset/DayAheadPrices"
# Requested times are read on this clock.
CLOCK = "Europe/Copenhagen"
CODES = {"DK1": "DK1", "DK2": "DK2"}
CURRENCIES = frozenset({"DKK", "EUR"})
# As a limit it stands for all records.
ALL = 0


class _Record(BaseModel):
    TimeUTC: NaiveDatetime
    PriceArea: str
    DayAheadPriceEUR: float | None
    DayAheadPriceDKK: float | None

    def as_product(self, currency: str) -> Product:
        price = self.DayAheadPriceDKK if currency == "DKK" else self.DayAheadPriceEUR
        return Product(self.TimeUTC.replace(tzinfo=UTC), SLOT // MINUTE, price)


class _Dataset(BaseModel):
    records: list[_Record]


@dataclass(frozen=True)
class Energinet:
    """Prices from Energinet.

    Args:
        web: HTTP client.
        currency: one of ``CURRENCIES``.
    """

    name = "energinet"
    web: Web
    currency: str = "EUR"

    def fetch(self, market: str, first: datetime, end: datetime) -> list[PriceSheet]:
        area = CODES[canonical_market(market)]
        sheets: list[PriceSheet] = []
        for window in DeliveryWindow(market, first, end).split():
            # Whole days: midnight is never shown twice.
            days = window.days(parse_zone(CLOCK))
            parameters: dict[str, str | int] = {
                "start": days[0].isoformat(),
                "end": (days[-1] + timedelta(days=1)).isoformat(),
                "filter": json.dumps({"PriceArea": [area]}),
                "sort": "TimeUTC",
                "limit": ALL,
            }
            records = self.web.get(URL, parameters).parse(_Dataset).records
            other_areas = {record.PriceArea for record in records} - {area}
            if other_areas:
                raise SourceError(
                    f"answers prices of {', '.join(sorted(other_areas))}, wanted is {area}",
                    field=self.name,
                    remedy="Try again later.",
                )
            products = [record.as_product(self.currency) for record in records]
            sheets += make_sheets(window, products, Issue(self.currency))
        return sheets


SOURCE = PriceSourceDeclaration(
    codes=CODES,
    open=lambda access: Energinet(access.web, access.currency),
    currencies=CURRENCIES,
)
