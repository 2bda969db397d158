"""EPEX in Germany and Austria through aWATTar: no token, hours, in euros.

Source: aWATTar, data feed API, ``/v1/marketdata``. It does not say when prices were published.
"""

from dataclasses import dataclass
from datetime import datetime

from pydantic import BaseModel

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

MILLISECONDS = 1_000
UNIT = "eur/mwh"
# The countries whose market it has, by their domains.
CODES = {"AT": "at", "DE-LU": "de"}


class _Product(BaseModel):
    start_timestamp: int
    end_timestamp: int
    marketprice: float | None
    unit: str

    def as_product(self) -> Product:
        start = instant_of(self.start_timestamp / MILLISECONDS)
        end = instant_of(self.end_timestamp / MILLISECONDS)
        return Product(start, (end - start) // MINUTE, self.marketprice)


class _Feed(BaseModel):
    data: list[_Product]


@dataclass(frozen=True)
class Awattar:
    """Prices from aWATTar."""

    name = "awattar"
    web: Web

    def fetch(self, market: str, first: datetime, end: datetime) -> list[PriceSheet]:
        country = CODES[canonical_market(market)]
        sheets: list[PriceSheet] = []
        for window in DeliveryWindow(market, first, end).split():
            parameters = {
                "start": int(window.first.timestamp() * MILLISECONDS),
                "end": int(window.end.timestamp() * MILLISECONDS),
            }
            answer = self.web.get(f"https://api.awattar.{country}/v1/marketdata", parameters)
            feed = answer.parse(_Feed)
            for product in feed.data:
                if product.unit.lower() != UNIT:
                    raise SourceError(
                        f"answers prices in {product.unit}",
                        field=self.name,
                        remedy="Try again later.",
                    )
            products = [product.as_product() for product in feed.data]
            sheets += make_sheets(window, products, Issue("EUR"))
        return sheets


SOURCE = PriceSourceDeclaration(
    codes=CODES, open=lambda access: Awattar(access.web), currencies=frozenset({"EUR"})
)
