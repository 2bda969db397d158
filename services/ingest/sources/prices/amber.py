"""Amber in Australia, for its customers: what a kWh costs and earns, with tax and network fees.

Prices ahead are forecasts, and the current one may be an estimate: both change.

Source: api.amber.com.au, OpenAPI document 2.0.0, ``/sites``, ``/sites/{siteId}/prices`` and
``/sites/{siteId}/prices/current``. It does not say when prices were published.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from pydantic import AwareDatetime, BaseModel, RootModel

from luna.energy.timeline import SLOT, floor_to, parse_zone
from services.ingest.sources.prices.declaration import PriceSourceDeclaration, canonical_market
from services.ingest.sources.prices.publication import (
    MINUTE,
    DeliveryWindow,
    Issue,
    Product,
    make_sheets,
)
from services.ingest.sources.source import PriceSheet, SourceError, SourceRefusedError
from services.ingest.sources.web import Parameters, Web, WebAnswer

URL = "https://api.amber.com.au/v1/sites"
# The national market's time has no daylight saving. Source: AEMO, "NEM time", UTC+10.
NEM = "Australia/Brisbane"
FEED_IN = "feedIn"
CODES = {
    "AU-AMBER": "general",
    "AU-AMBER-FEEDIN": FEED_IN,
    "AU-AMBER-CONTROLLED": "controlledLoad",
}
CENTS = 100.0
ACTIVE = "active"
FORECAST = "ForecastInterval"
FIVE_MINUTES = 5
SLOT_MINUTES = SLOT // MINUTE
# ``startTime`` is one second after the interval's start.
START_DELAYS = (timedelta(0), timedelta(seconds=1))
# It answers a week of days, and as many intervals ahead.
LONGEST = timedelta(days=7)
MOST_AHEAD = 2_048


class _Channel(BaseModel):
    type: str


class _Site(BaseModel):
    id: str
    status: str
    channels: list[_Channel]

    def supplies(self, channel: str) -> bool:
        types = {own.type for own in self.channels}
        return self.status == ACTIVE and channel in types


class _Sites(RootModel[list[_Site]]):
    pass


class _Prediction(BaseModel):
    predicted: float


class _Interval(BaseModel):
    type: str
    duration: int
    startTime: AwareDatetime  # noqa: N815 - the service's names
    endTime: AwareDatetime  # noqa: N815
    perKwh: float  # noqa: N815
    channelType: str  # noqa: N815
    advancedPrice: _Prediction | None = None  # noqa: N815

    @property
    def start(self) -> datetime:
        return self.endTime - self.duration * MINUTE

    @property
    def is_consistent(self) -> bool:
        return self.startTime - self.start in START_DELAYS

    def as_product(self) -> Product:
        cents = self.perKwh
        # Amber's own forecast, "if you need a single number"; ``perKwh`` is the market operator's.
        if self.type == FORECAST and self.advancedPrice is not None:
            cents = self.advancedPrice.predicted
        # Below zero means that the customer is paid.
        earned = -1.0 if self.channelType == FEED_IN else 1.0
        return Product(self.start, self.duration, earned * cents / CENTS)


class _Intervals(RootModel[list[_Interval]]):
    pass


@dataclass(frozen=True)
class Amber:
    """Prices from Amber.

    They are those of the intervals by which the customer is billed, 5 or 30 minutes.

    Args:
        web: HTTP client.
        token: a customer's access token.
    """

    name = "amber"
    web: Web
    token: str = field(repr=False)

    def fetch(self, market: str, first: datetime, end: datetime) -> list[PriceSheet]:
        channel = CODES[canonical_market(market)]
        window = DeliveryWindow(market, first, end)
        site = self._choose_site(channel)
        intervals = [*self._ask_past(site, window), *self._ask_ahead(site, window)]
        products = []
        for interval in intervals:
            if interval.channelType != channel:
                continue
            if not interval.is_consistent:
                raise SourceError(
                    f"answers {interval.duration} minutes from {interval.startTime.isoformat()} "
                    f"to {interval.endTime.isoformat()}",
                    field=self.name,
                    remedy="Try again later.",
                )
            products.append(interval.as_product())
        return make_sheets(window, on_slots(products), Issue("AUD", per_kwh=1.0))

    def _choose_site(self, channel: str) -> str:
        for site in self._get(URL, {}).parse(_Sites).root:
            if site.supplies(channel):
                return site.id
        raise SourceRefusedError(
            "the account has no active site with this channel",
            field=self.name,
            value=channel,
            remedy="Check the market in the tariff.",
        )

    def _ask_past(self, site: str, window: DeliveryWindow) -> Iterator[_Interval]:
        """Yield the intervals of the window's days until today."""
        zone = parse_zone(NEM)
        today = self.web.clock.now().astimezone(zone).date()
        days = [day for day in window.days(zone) if day <= today]
        for week in _split(days):
            parameters = {"startDate": week[0].isoformat(), "endDate": week[-1].isoformat()}
            answer = self._get(f"{URL}/{site}/prices", parameters)
            yield from answer.parse(_Intervals).root

    def _ask_ahead(self, site: str, window: DeliveryWindow) -> list[_Interval]:
        """Return the current interval and those until the window's end."""
        ahead = window.end - self.web.clock.now()
        if ahead <= timedelta(0):
            return []
        count = min(ahead // (FIVE_MINUTES * MINUTE) + 1, MOST_AHEAD)
        answer = self._get(f"{URL}/{site}/prices/current", {"next": count})
        return answer.parse(_Intervals).root

    def _get(self, url: str, parameters: Parameters) -> WebAnswer:
        headers = {"authorization": f"Bearer {self.token}"}
        return self.web.get(url, parameters, headers=headers)


def _split(days: list[date]) -> Iterator[list[date]]:
    for first in range(0, len(days), LONGEST.days):
        yield days[first : first + LONGEST.days]


def on_slots(products: Iterable[Product]) -> list[Product]:
    """Return the products with those of five minutes as quarter-hours at their mean.

    A quarter-hour of which a part is missing is left out.
    """
    longer = []
    parts: dict[datetime, dict[datetime, float]] = defaultdict(dict)
    for product in products:
        if product.minutes == FIVE_MINUTES and product.price is not None:
            # Of a repeated part the later one is valid.
            parts[floor_to(product.start, SLOT)][product.start] = product.price
        else:
            longer.append(product)
    quarter_hours = []
    for start, prices in parts.items():
        if len(prices) * FIVE_MINUTES == SLOT_MINUTES:
            mean = sum(prices.values()) / len(prices)
            quarter_hours.append(Product(start, SLOT_MINUTES, mean))
    return longer + quarter_hours


SOURCE = PriceSourceDeclaration(
    codes=CODES,
    open=lambda access: Amber(access.web, access.token),
    setting="amber_token",
    currencies=frozenset({"AUD"}),
    clock=NEM,
    publication="forecast",
)
