"""Prices, weather and carbon of a site: what it pays, and fetching what is missing."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from math import isnan
from typing import Annotated

from pydantic import Field
from sqlalchemy import Connection

from luna.contracts.data import (
    CarbonService,
    FetchCarbonReply,
    FetchCarbonRequest,
    FetchPricesReply,
    FetchPricesRequest,
    FetchWeatherReply,
    FetchWeatherRequest,
    MarketName,
    PriceService,
)
from luna.contracts.message import Message
from luna.energy.economics.prices import price_slots
from luna.energy.market_publication import PriceVersion
from luna.energy.refusals import refuse
from luna.energy.series_query import require_window
from luna.energy.timeline import SLOT, Instant, Timeline, floor_to, parse_zone
from luna.house.capability import CapabilityCall, ReplyTable, SiteName, TextTable, capability
from luna.platform.database import prices, sites
from luna.platform.paging import Cursor, From, Limit, To, read_text, write_cursor
from luna.words import Numbers, say_instant

_NOUN = "prices"
_PATH = "/v1/sites/{site_id}/prices"
KnownAt = Annotated[Instant | None, Field(description="prices as known at this time; default: now")]
# Default window: the day behind, and the two published ahead.
USUAL_PAST = timedelta(days=1)
USUAL_AHEAD = timedelta(days=2)
LONGEST = timedelta(days=3_660)


class SlotPrice(Message):
    """Prices of a quarter-hour, with the tariff's taxes and fees."""

    start: Annotated[Instant, Field(description="start of the quarter-hour")]
    import_price: Annotated[
        float | None, Field(description="of the first kWh bought, currency/kWh; null: not known")
    ]
    export_price: Annotated[
        float | None, Field(description="of a kWh sold, currency/kWh; null: not known")
    ]
    version: Annotated[
        PriceVersion | None,
        Field(
            description=(
                "forecast: may still change; day_ahead: fixed before delivery; settled: what is "
                "paid. Of several markets the least certain one counts. null: a market's price is "
                "not known, or the tariff follows no market"
            )
        ),
    ] = None


class PriceList(Message):
    """Prices by the site's tariff, quarter-hour by quarter-hour."""

    currency: Annotated[str, Field(description="ISO 4217")]
    timezone: Annotated[str, Field(description="the site's time zone")]
    prices: Annotated[list[SlotPrice], Field(description="in order of time")]
    cursor: Annotated[str | None, Field(description="of the next page; null: this is the last")]


class PriceOrder(Message):
    """Prices to fetch; without ``from`` and ``to`` those that are missing."""

    market: Annotated[
        MarketName | None,
        Field(description="a market of the site's tariff; default: the only one"),
    ] = None
    from_: Annotated[
        Instant | None,
        Field(alias="from", description="start; default: where data is missing"),
    ] = None
    to: Annotated[Instant | None, Field(description="the end, not included")] = None
    source: Annotated[
        PriceService | None, Field(description="only this service; default: one after the other")
    ] = None


class WeatherOrder(Message):
    """Weather to fetch; without ``from`` and ``to`` the forecast."""

    from_: Annotated[Instant | None, Field(alias="from", description="start")] = None
    to: Annotated[Instant | None, Field(description="end, not included; at most 15 days ahead")] = (
        None
    )


class CarbonOrder(Message):
    """Carbon intensity to fetch; without ``from`` and ``to`` the last day and the forecast."""

    from_: Annotated[Instant | None, Field(alias="from", description="start")] = None
    to: Annotated[Instant | None, Field(description="the end, not included")] = None
    source: Annotated[
        CarbonService | None, Field(description="only this service; default: one after the other")
    ] = None


_HEADINGS = ("from", "import price", "export price")


def _show(row: SlotPrice, numbers: Numbers) -> list[str]:
    return [
        say_instant(row.start, numbers.zone),
        numbers.number(row.import_price, 4),
        numbers.number(row.export_price, 4),
    ]


@capability(
    "GET",
    _PATH,
    noun=_NOUN,
    scope="read",
    command="data tariff",
    shown=ReplyTable(_HEADINGS, _show, "prices", words=_HEADINGS[:1]),
    # Quarter-hour by quarter-hour it is more than an assistant can read; its tool tells prices of a
    # day in words.
    for_assistants=False,
)
def list_prices(  # noqa: PLR0913 - one per parameter of the query
    call: CapabilityCall,
    site_id: SiteName,
    *,
    first: From = None,
    end: To = None,
    known_at: KnownAt = None,
    limit: Limit = 500,
    cursor: Cursor = None,
) -> PriceList:
    """List a site's electricity prices.

    Return import and export price of each quarter-hour by the site's tariff. Default: from one day
    ago to two days ahead.
    """
    after = read_text(cursor)
    begin = floor_to(first or min(call.now - USUAL_PAST, end - SLOT if end else call.now), SLOT)
    until = end or max(call.now, begin) + USUAL_AHEAD
    if after is not None:
        try:
            start = datetime.fromisoformat(after)
        except ValueError:
            start = None
        if start is None or start.tzinfo is None:
            raise refuse("no-cursor", field="cursor", value=after)
        if start < begin or start != floor_to(start, SLOT):
            raise refuse("no-cursor", field="cursor", value=after)
        begin = start
    require_window(begin, until, longest=LONGEST)
    until = floor_to(until + SLOT - timedelta(microseconds=1), SLOT)
    slots_wanted = (until - begin) // SLOT
    slots = Timeline(begin, SLOT, max(min(slots_wanted, limit), 1))
    site = sites.load(call.connection, site_id)
    spot = prices.read_tariff(call.connection, site, slots, known_at=known_at)
    imported, exported = price_slots(site.tariff, slots, zone=parse_zone(site.timezone), spot=spot)
    versions = prices.find_versions(
        call.connection, site, slots, known_at=known_at, now=known_at or call.now
    )
    rows = []
    for start, bought, sold, version in zip(
        slots, imported.tolist(), exported.tolist(), versions, strict=True
    ):
        rows.append(
            SlotPrice(
                start=start,
                import_price=_round_price(bought),
                export_price=_round_price(sold),
                version=version,
            )
        )
    following = write_cursor((slots.end.isoformat(),)) if slots.end < until else None
    return PriceList(currency=site.currency, timezone=site.timezone, prices=rows, cursor=following)


def _show_fetched(reply: FetchPricesReply, _: Numbers) -> Iterator[str | TextTable]:
    if not reply.markets:
        yield "Nothing is missing."
    for entry in reply.markets:
        sources = ", ".join(f"{name} {count:,}" for name, count in entry.sources.items()) or "–"
        row = [
            entry.market,
            sources,
            f"{entry.added:,}",
            f"{entry.revised:,}",
            f"{entry.missing:,}",
        ]
        yield TextTable(
            ("market", "quarter-hours from", "new", "revised", "still unknown"),
            [row],
            words=("quarter-hours from",),
        )
        yield from (f"  {fault}" for fault in entry.faults)


@capability(
    "POST",
    _PATH,
    noun=_NOUN,
    scope="data",
    local_command="data prices",
    shown=_show_fetched,
    status=202,
)
def fetch_prices(call: CapabilityCall, site_id: SiteName, order: PriceOrder) -> FetchPricesRequest:
    """Fetch day-ahead prices.

    Fetch the prices of a market of the site's tariff as a job; it can be repeated.
    """
    market = _find_market(call.connection, site_id, order.market)
    return FetchPricesRequest(market=market, first=order.from_, end=order.to, source=order.source)


def _round_price(price: float) -> float | None:
    return None if isnan(price) else round(price, 6)


def _find_market(connection: Connection, site_id: str, named: str | None) -> str:
    markets = sites.load(connection, site_id).tariff.markets
    if named in markets or (named is None and len(markets) == 1):
        return named or next(iter(markets))
    if markets:
        remedy = f"Choose one of: {', '.join(markets)}."
    else:
        remedy = "The tariff needs no market prices, so there is nothing to fetch."
    raise refuse("market-not-of-tariff", field="market", value=named, remedy=remedy)


def _show_weather(reply: FetchWeatherReply, _: Numbers) -> Iterator[str]:
    for site in reply.sites:
        yield f"{site.written:,} quarter-hours are new or changed."
        yield from (f"  {fault}" for fault in site.faults)


@capability(
    "POST",
    "/v1/sites/{site_id}/weather",
    noun=_NOUN,
    scope="data",
    local_command="data weather",
    shown=_show_weather,
    status=202,
)
def fetch_weather(
    call: CapabilityCall, site_id: SiteName, order: WeatherOrder
) -> FetchWeatherRequest:
    """Fetch the weather.

    Fetch the weather at the site as a job: the forecast, or past and expected weather of a window.
    """
    sites.key_of(call.connection, site_id)
    return FetchWeatherRequest(site_id=site_id, first=order.from_, end=order.to)


def _show_carbon(reply: FetchCarbonReply, _: Numbers) -> Iterator[str | TextTable]:
    for site in reply.sites:
        sources = ", ".join(f"{name} {count:,}" for name, count in site.sources.items()) or "–"
        row = [sources, f"{site.added:,}", f"{site.revised:,}", f"{site.missing:,}"]
        yield TextTable(
            ("quarter-hours from", "new", "revised", "still unknown"),
            [row],
            words=("quarter-hours from",),
        )
        yield from (f"  {fault}" for fault in site.faults)


@capability(
    "POST",
    "/v1/sites/{site_id}/carbon",
    noun=_NOUN,
    scope="data",
    local_command="data carbon",
    shown=_show_carbon,
    status=202,
)
def fetch_carbon(call: CapabilityCall, site_id: SiteName, order: CarbonOrder) -> FetchCarbonRequest:
    """Fetch the grid's carbon intensity.

    Fetch the carbon intensity of the site's grid as a job: measured and forecast quarter-hours.
    """
    sites.key_of(call.connection, site_id)
    return FetchCarbonRequest(site_id=site_id, first=order.from_, end=order.to, source=order.source)


CAPABILITIES = (
    list_prices,
    fetch_prices,
    fetch_weather,
    fetch_carbon,
)
