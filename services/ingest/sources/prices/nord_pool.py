"""Nord Pool's data portal: several currencies, with the instant of publication.

No token is needed for about two months back.

Source: dataportal-api.nordpoolgroup.com, ``/api/DayAheadPrices``.
"""

from dataclasses import dataclass
from datetime import UTC, datetime

from pydantic import AwareDatetime, BaseModel

from luna.energy.timeline import parse_zone
from services.ingest.sources.prices.declaration import (
    COUPLED,
    PriceSourceDeclaration,
    canonical_market,
)
from services.ingest.sources.prices.publication import (
    MINUTE,
    DeliveryWindow,
    Issue,
    Product,
    make_sheets,
)
from services.ingest.sources.source import PriceSheet, SourceRefusedError
from services.ingest.sources.web import Web

URL = "https://dataportal-api.nordpoolgroup.com/api/DayAheadPrices"
_NORDIC = ("DK1", "DK2", "FI", "NO1", "NO2", "NO3", "NO4", "NO5", "SE1", "SE2", "SE3", "SE4")
# Source: Nord Pool's data portal.
_SAME_NAMES = ("AT", "BE", "BG", "EE", "FR", "LT", "LV", "NL", "PL", *_NORDIC)
CODES = {name: name for name in _SAME_NAMES} | {"DE-LU": "GER", "RO": "TEL"}
CURRENCIES = frozenset({"BGN", "DKK", "EUR", "NOK", "PLN", "RON", "SEK"})
# It answers 204 before a day's prices are out.
NOTHING = 204


class _Entry(BaseModel):
    deliveryStart: AwareDatetime  # noqa: N815 - the service's names
    deliveryEnd: AwareDatetime  # noqa: N815
    entryPerArea: dict[str, float | None]  # noqa: N815

    def as_product(self, area: str) -> Product:
        minutes = (self.deliveryEnd - self.deliveryStart) // MINUTE
        price = self.entryPerArea.get(area)
        return Product(self.deliveryStart.astimezone(UTC), minutes, price)


class _Day(BaseModel):
    updatedAt: AwareDatetime  # noqa: N815
    currency: str
    multiAreaEntries: list[_Entry]  # noqa: N815


@dataclass(frozen=True)
class NordPool:
    """Prices from Nord Pool.

    Args:
        web: HTTP client.
        currency: requested currency; the portal converts by the rate of the auction.
    """

    name = "nord_pool"
    web: Web
    currency: str = "EUR"

    def fetch(self, market: str, first: datetime, end: datetime) -> list[PriceSheet]:
        if self.currency not in CURRENCIES:
            raise SourceRefusedError(
                "has no prices in this currency",
                field=self.name,
                value=self.currency,
                remedy=f"It has {', '.join(sorted(CURRENCIES))}.",
            )
        window = DeliveryWindow(market, first, end)
        area = CODES[canonical_market(market)]
        sheets: list[PriceSheet] = []
        for day in window.days(parse_zone(COUPLED)):
            parameters = {
                "date": day.isoformat(),
                "market": "DayAhead",
                "deliveryArea": area,
                "currency": self.currency,
            }
            answer = self.web.get(URL, parameters, accept=(200, NOTHING))
            if answer.status == NOTHING:
                continue
            document = answer.parse(_Day)
            products = [entry.as_product(area) for entry in document.multiAreaEntries]
            issue = Issue(document.currency, document.updatedAt.astimezone(UTC))
            sheets += make_sheets(window, products, issue)
        return sheets


SOURCE = PriceSourceDeclaration(
    codes=CODES, open=lambda access: NordPool(access.web, access.currency)
)
