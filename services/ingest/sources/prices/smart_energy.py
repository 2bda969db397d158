"""Quarter-hours of smartENERGY, for its customers in Austria: today and tomorrow, no token.

The exchange's price with Austria's VAT of 20 %; smartENERGY's own charge, grid fees and levies come
on top.

Source: smartenergy.at, API of market prices, ``/market/v1/price``. It does not say when prices were
published.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise

from pydantic import AwareDatetime, BaseModel

from services.ingest.sources.prices.declaration import PriceSourceDeclaration
from services.ingest.sources.prices.publication import (
    MINUTE,
    DeliveryWindow,
    Issue,
    Product,
    make_sheets,
)
from services.ingest.sources.source import PriceSheet, SourceError
from services.ingest.sources.web import Web

URL = "https://apis.smartenergy.at/market/v1/price"
UNIT = "ct/kWh"
CENTS_PER_EURO = 100.0
# It answers one market alone, without asking which.
CODES = {"AT-SMARTENERGY": "EPEXSPOTAT"}


class _Price(BaseModel):
    date: AwareDatetime
    value: float | None

    def as_product(self, minutes: int) -> Product:
        price = None if self.value is None else self.value / CENTS_PER_EURO
        return Product(self.date, minutes, price)


class _Prices(BaseModel):
    unit: str
    interval: int
    data: list[_Price]


@dataclass(frozen=True)
class SmartEnergy:
    """Prices from smartENERGY."""

    name = "smart_energy"
    web: Web

    def fetch(self, market: str, first: datetime, end: datetime) -> list[PriceSheet]:
        document = self.web.get(URL, {}).parse(_Prices)
        if document.unit != UNIT:
            raise SourceError(
                f"answers prices in {document.unit}", field=self.name, remedy="Try again later."
            )
        distance = _shortest_distance(price.date for price in document.data)
        if distance is not None and distance < document.interval * MINUTE:
            raise SourceError(
                f"answers prices of {document.interval} minutes every {distance // MINUTE}",
                field=self.name,
                remedy="Try again later.",
            )
        products = [price.as_product(document.interval) for price in document.data]
        return make_sheets(DeliveryWindow(market, first, end), products, Issue("EUR", per_kwh=1.0))


def _shortest_distance(starts: Iterable[datetime]) -> timedelta | None:
    """Return the shortest time between two different starts, None of fewer than two."""
    ordered = sorted(set(starts))
    return min((later - earlier for earlier, later in pairwise(ordered)), default=None)


SOURCE = PriceSourceDeclaration(
    codes=CODES, open=lambda access: SmartEnergy(access.web), currencies=frozenset({"EUR"})
)
