"""Nord Pool's data portal, without a token for about two months back.

Prices are in several currencies, with the instant of publication.

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
CODES = {
    name: name for name in ("AT", "BE", "BG", "EE", "FR", "LT", "LV", "NL", "PL", *_NORDIC)
} | {"DE-LU": "GER", "RO": "TEL"}
CURRENCIES = frozenset({"BGN", "DKK", "EUR", "NOK", "PLN", "RON", "SEK"})
# It answers 204 before a day's prices are out.
NOTHING = 204


class _Entry(BaseModel):
    deliveryStart: AwareDatetime  # noqa: N815 - the service's names
    deliveryEnd: AwareDatetime  # noqa: N815
    entryPerArea: dict[str, float | None]  # noqa: N815

    def trade(self, area: str) -> Product:
        return Product(
            self.deliveryStart.astimezone(UTC),
            (self.deliveryEnd - self.deliveryStart) // MINUTE,
            self.entryPerArea.get(area),
        )


class _Day(BaseModel):
    updatedAt: AwareDatetime  # noqa: N815
    currency: str
    multiAreaEntries: list[_Entry]  # noqa: N815


@dataclass(frozen=True)
class NordPool:
    """Prices from Nord Pool.

    Args:
        web: the way there.
        currency: in which to ask; the portal converts by the rate of the auction.
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
            products = [entry.trade(area) for entry in document.multiAreaEntries]
            sheets += make_sheets(
                window, products, Issue(document.currency, document.updatedAt.astimezone(UTC))
            )
        return sheets


SOURCE = PriceSourceDeclaration(
    codes=CODES, open=lambda access: NordPool(access.web, access.currency)
)
