"""Tibber, for its customers: prices of today and tomorrow.

A bidding zone's are those of the energy alone, those of ``DE-TIBBER`` what the customer pays.

Source: developer.tibber.com, GraphQL reference, ``Subscription.priceInfo``, ``Price.energy`` and
``Price.total``. It does not say when prices were published.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NoReturn

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
from services.ingest.sources.source import PriceSheet, SourceError, SourceRefusedError
from services.ingest.sources.web import Web

URL = "https://api.tibber.com/v1-beta/gql"
QUERY = """{ viewer { homes {
  address { country }
  meteringPointData { priceAreaCode }
  currentSubscription {
    priceInfo(resolution: QUARTER_HOURLY) {
      today { energy total startsAt currency }
      tomorrow { energy total startsAt currency }
    }
  }
} } }"""
REFUSED = "UNAUTHENTICATED"
# Price areas, and countries of one area. Source: Tibber, Home.address.country.
_PRICE_AREAS = ("NO1", "NO2", "NO3", "NO4", "NO5", "SE1", "SE2", "SE3", "SE4")
_ENERGIES = {name: name for name in _PRICE_AREAS} | {"DE-LU": "DE", "NL": "NL"}
# Markets with what a customer pays, by country.
_TOTALS = {f"{country}-TIBBER": country for country in ("DE", "NL", "NO", "SE")}
CODES = _ENERGIES | _TOTALS


class _Price(BaseModel):
    energy: float | None
    total: float | None
    startsAt: AwareDatetime  # noqa: N815 - the service's names
    currency: str


class _Prices(BaseModel):
    today: list[_Price] = []
    tomorrow: list[_Price] = []


class _Subscription(BaseModel):
    priceInfo: _Prices | None = None  # noqa: N815


class _Address(BaseModel):
    country: str | None = None


class _MeteringPoint(BaseModel):
    priceAreaCode: str | None = None  # noqa: N815


class _Home(BaseModel):
    address: _Address | None = None
    meteringPointData: _MeteringPoint | None = None  # noqa: N815
    currentSubscription: _Subscription | None = None  # noqa: N815

    def lies_in(self, code: str) -> bool:
        area = self.meteringPointData.priceAreaCode if self.meteringPointData else None
        country = self.address.country if self.address else None
        return code in {area, country}

    def prices(self) -> list[_Price]:
        info = self.currentSubscription.priceInfo if self.currentSubscription else None
        if info is None:
            return []
        return [*info.today, *info.tomorrow]


class _Viewer(BaseModel):
    homes: list[_Home]


class _Data(BaseModel):
    viewer: _Viewer


class _Reply(BaseModel):
    data: _Data | None = None
    errors: list[dict[str, Any]] = []


@dataclass(frozen=True)
class Tibber:
    """Prices from Tibber.

    Args:
        web: HTTP client.
        token: a customer's access token.
    """

    name = "tibber"
    web: Web
    token: str = field(repr=False)

    def fetch(self, market: str, first: datetime, end: datetime) -> list[PriceSheet]:
        headers = {"authorization": f"Bearer {self.token}"}
        reply = self.web.post(URL, {"query": QUERY}, headers=headers).parse(_Reply)
        if reply.data is None:
            self._refuse(reply.errors)
        area = canonical_market(market)
        homes = [home for home in reply.data.viewer.homes if home.lies_in(CODES[area])]
        if not homes:
            raise SourceRefusedError(
                "the account has no home in this market",
                field=self.name,
                value=area,
                remedy="Ask another source.",
            )
        # A home that the customer has left keeps its place among them, without prices.
        prices = next((home.prices() for home in homes if home.prices()), [])
        if not prices:
            return []
        currencies = {price.currency for price in prices}
        if len(currencies) > 1:
            raise SourceError(
                f"answers one home's prices in {' and '.join(sorted(currencies))}",
                field=self.name,
                remedy="Try again later.",
            )
        starts = [price.startsAt for price in prices]
        amounts = [price.total if area in _TOTALS else price.energy for price in prices]
        products = measure_lengths(starts, amounts, parse_zone(COUPLED))
        issue = Issue(currencies.pop(), per_kwh=1.0)
        return make_sheets(DeliveryWindow(market, first, end), products, issue)

    def _refuse(self, errors: Sequence[Mapping[str, Any]]) -> NoReturn:
        codes = {(error.get("extensions") or {}).get("code") for error in errors}
        if REFUSED in codes:
            raise SourceRefusedError(
                "does not accept the token", field=self.name, remedy="Check LUNA_TIBBER_TOKEN."
            )
        reason = "no reason given"
        if errors:
            reason = str(errors[0].get("message", reason))
        raise SourceError(
            f"answers no prices: {reason}", field=self.name, remedy="Try again later."
        )


SOURCE = PriceSourceDeclaration(
    codes=CODES, open=lambda access: Tibber(access.web, access.token), setting="tibber_token"
)
