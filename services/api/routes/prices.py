"""Prices and weather of a site: what it pays, and fetching what is missing."""

from datetime import datetime, timedelta
from math import isnan
from typing import Annotated

from fastapi import Query, Response
from pydantic import Field
from sqlalchemy import Connection

from luna.contracts.data import FetchPricesRequest, FetchWeatherRequest, MarketName, PriceService
from luna.contracts.job import Job
from luna.contracts.message import Message
from luna.energy.economics import price_slots
from luna.energy.errors import InvalidInputError
from luna.energy.history import require_window
from luna.energy.instant import Instant
from luna.energy.refusals import refuse
from luna.energy.site import Site
from luna.energy.timeline import SLOT, Timeline, floor_to, parse_zone
from luna.platform.capabilities.jobs import JobReply
from luna.platform.clock import SystemClock
from luna.platform.database import prices, sites
from luna.platform.database.engine import unit_of_work
from luna.platform.paging import Cursor, From, Limit, To, read_text, write_cursor
from services.api.gateway import CurrentGateway, Gateway
from services.api.routes.jobs import submit_for_site
from services.api.routing import ResourceRouter, SitePath

router = ResourceRouter("prices")

# Where nobody says how far to look: the day behind, and the two that are published ahead.
USUAL_PAST, USUAL_AHEAD, LONGEST = timedelta(days=1), timedelta(days=2), timedelta(days=3_660)


class SlotPrice(Message):
    """What a kWh costs and earns in one quarter-hour, taxes and fees of the tariff counted in."""

    start: Annotated[Instant, Field(description="start of the quarter-hour")]
    import_price: Annotated[float | None, Field(description="of the first kWh bought, currency/kWh; null: not known")]
    export_price: Annotated[float | None, Field(description="of a kWh sold, currency/kWh; null: not known")]


class PriceList(Message):
    """Prices by the site's tariff, quarter-hour by quarter-hour."""

    currency: Annotated[str, Field(description="ISO 4217")]
    timezone: Annotated[str, Field(description="where the site's clock stands")]
    prices: Annotated[list[SlotPrice], Field(description="in order of time")]
    cursor: Annotated[str | None, Field(description="of the next page; null: this is the last")]


class PriceOrder(Message):
    """Which prices to fetch; without ``from`` and ``to`` what is missing."""

    market: Annotated[MarketName | None, Field(description="one of those that the site's tariff names; default: the only one")] = None
    from_: Annotated[Instant | None, Field(alias="from", description="the first instant; default: what is missing")] = None
    to: Annotated[Instant | None, Field(description="the instant after the last")] = None
    source: Annotated[PriceService | None, Field(description="one service alone; default: one after the other")] = None


class WeatherOrder(Message):
    """Which weather to fetch; without ``from`` and ``to`` the forecast."""

    from_: Annotated[Instant | None, Field(alias="from", description="the first instant")] = None
    to: Annotated[Instant | None, Field(description="the instant after the last, at most 15 days ahead")] = None


@router.operation("List what a site pays and earns")
def list_prices(  # noqa: PLR0913 - one per parameter of the query
    site_id: SitePath,
    gateway: CurrentGateway,
    *,
    first: From = None,
    end: To = None,
    known_at: Annotated[Instant | None, Query(description="as prices were known then; usual: as they are known now")] = None,
    limit: Limit = 500,
    cursor: Cursor = None,
) -> PriceList:
    """Return import and export price of each quarter-hour by the site's tariff; without `from` and `to` from a day back to two days ahead."""
    window = _find_window(first, end, after=read_text(cursor))
    slots = Timeline(window[0], SLOT, max(min((window[1] - window[0]) // SLOT, limit), 1))
    with unit_of_work(gateway.database) as connection:
        site = sites.load(connection, site_id)
        rows = _read_prices(connection, site, slots, known_at=known_at)
    following = write_cursor((slots.end.isoformat(),)) if slots.end < window[1] else None
    return PriceList(currency=site.currency, timezone=site.timezone, prices=rows, cursor=following)


def _find_window(first: datetime | None, end: datetime | None, *, after: str | None) -> tuple[datetime, datetime]:
    now = SystemClock().now()
    begin = floor_to(first or min(now - USUAL_PAST, end - SLOT if end else now), SLOT)
    until = end or max(now, begin) + USUAL_AHEAD
    if after is not None:
        begin = _read_start(after, begin)
    require_window(begin, until, longest=LONGEST)
    return begin, floor_to(until + SLOT - timedelta(microseconds=1), SLOT)


def _read_start(text: str, begin: datetime) -> datetime:
    try:
        start = datetime.fromisoformat(text)
    except ValueError:
        start = None
    if start is None or start.tzinfo is None or start < begin or start != floor_to(start, SLOT):
        raise refuse("no-cursor", field="cursor", value=text)
    return start


def _read_prices(connection: Connection, site: Site, slots: Timeline, *, known_at: datetime | None) -> list[SlotPrice]:
    spot = prices.read_tariff(connection, site, slots, known_at=known_at)
    imported, exported = price_slots(site.tariff, slots, zone=parse_zone(site.timezone), spot=spot)
    values = ([None if isnan(price) else round(price, 6) for price in series.tolist()] for series in (imported, exported))
    return [SlotPrice(start=start, import_price=bought, export_price=sold) for start, bought, sold in zip(slots, *values, strict=True)]


@router.operation("Fetch day-ahead prices", status_code=202, response_model=JobReply)
def fetch_prices(site_id: SitePath, order: PriceOrder, gateway: CurrentGateway, response: Response) -> Job:
    """Fetch the prices of a market that the site's tariff names, as a job; fetching them again changes nothing."""
    market = _find_market(gateway, site_id, order.market)
    return submit_for_site(gateway, site_id, FetchPricesRequest(market=market, first=order.from_, end=order.to, source=order.source), response)


def _find_market(gateway: Gateway, site_id: str, named: str | None) -> str:
    with unit_of_work(gateway.database) as connection:
        markets = sites.load(connection, site_id).tariff.markets
    if named in markets or (named is None and len(markets) == 1):
        return named or next(iter(markets))
    remedy = f"Its tariff names {', '.join(markets)}." if markets else "Its tariff names no market: there is nothing to fetch."
    raise InvalidInputError("is no market of the site's tariff", field="market", value=named, remedy=remedy)


@router.operation("Fetch the weather", status_code=202, response_model=JobReply)
def fetch_weather(site_id: SitePath, order: WeatherOrder, gateway: CurrentGateway, response: Response) -> Job:
    """Fetch the weather where the site is, as a job: the forecast, or what it was and is expected to be in a window."""
    return submit_for_site(gateway, site_id, FetchWeatherRequest(site_id=site_id, first=order.from_, end=order.to), response)
