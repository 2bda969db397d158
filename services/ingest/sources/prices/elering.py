"""Nord Pool's prices of the Baltic states and Finland through Elering: no token, in euros.

Elering is Estonia's grid operator. Quarter-hours since October 2025, hours before.

Source: dashboard.elering.ee, API documentation, ``/api/nps/price``; euros per MWh, epoch seconds.
It does not say when prices were published.
"""

from dataclasses import dataclass
from datetime import datetime

from pydantic import AwareDatetime, BaseModel

from luna.energy.timeline import parse_zone
from services.ingest.sources.prices.declaration import (
    COUPLED,
    PriceSourceDeclaration,
    canonical_market,
)
from services.ingest.sources.prices.publication import (
    DeliveryWindow,
    Issue,
    make_sheets,
    measure_lengths,
)
from services.ingest.sources.source import PriceSheet, SourceError
from services.ingest.sources.web import Web

URL = "https://dashboard.elering.ee/api/nps/price"
CODES = {"EE": "ee", "FI": "fi", "LT": "lt", "LV": "lv"}


class _Price(BaseModel):
    timestamp: AwareDatetime
    price: float | None


class _Reply(BaseModel):
    success: bool
    # By country; one without prices may be missing.
    data: dict[str, list[_Price]] = {}


@dataclass(frozen=True)
class Elering:
    """Prices from Elering."""

    name = "elering"
    web: Web

    def fetch(self, market: str, first: datetime, end: datetime) -> list[PriceSheet]:
        country = CODES[canonical_market(market)]
        sheets: list[PriceSheet] = []
        for window in DeliveryWindow(market, first, end).split():
            parameters = {
                "start": f"{window.first:%Y-%m-%dT%H:%M:%SZ}",
                "end": f"{window.end:%Y-%m-%dT%H:%M:%SZ}",
            }
            reply = self.web.get(URL, parameters).parse(_Reply)
            if not reply.success:
                raise SourceError("says that it failed", field=self.name, remedy="Try again later.")
            prices = reply.data.get(country, [])
            starts = [price.timestamp for price in prices]
            values = [price.price for price in prices]
            products = measure_lengths(starts, values, parse_zone(COUPLED))
            sheets += make_sheets(window, products, Issue("EUR"))
        return sheets


SOURCE = PriceSourceDeclaration(
    codes=CODES, open=lambda access: Elering(access.web), currencies=frozenset({"EUR"})
)
