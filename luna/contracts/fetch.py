"""Fetch from outside services what sites need: day-ahead prices of their markets, weather where they are."""

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from luna.contracts.message import Instant, Message, Request

PriceService = Literal["entsoe", "energy_charts", "nord_pool", "awattar", "tibber"]
MarketName = Annotated[str, Field(min_length=1, max_length=32)]


class MarketPricesReply(Message):
    """What became of one market: quarter-hours by the service they came from, and those still unknown of the time asked for."""

    market: str
    currency: str
    first: Instant
    end: Instant
    added: int
    revised: int
    missing: int
    sources: dict[str, int] = {}
    faults: Annotated[list[str], Field(description="what services said that gave nothing")] = []


class FetchPricesReply(Message):
    """One entry for each market that was asked for; none where everything was known."""

    markets: list[MarketPricesReply]


class FetchPricesRequest(Request):
    """Fetch day-ahead prices; without ``first`` and ``end`` what is missing, and once an hour what may have been revised.

    ``market``: one alone, default: every market that a site's tariff names. ``source``: one service alone, default: in order of preference.
    """

    task: ClassVar[str] = "ingest.prices.fetch"
    reply: ClassVar[type[Message]] = FetchPricesReply

    market: MarketName | None = None
    currency: Annotated[str | None, Field(pattern=r"^[A-Z]{3}$", description="default: that of the sites on this market, else EUR")] = None
    first: Instant | None = None
    end: Instant | None = None
    source: PriceService | None = None


class SiteWeatherReply(Message):
    """What became of the weather at one site: quarter-hours that are new or changed."""

    site_id: str
    written: int
    faults: list[str] = []


class FetchWeatherReply(Message):
    """One entry for each site that says where it is."""

    sites: list[SiteWeatherReply]


class FetchWeatherRequest(Request):
    """Fetch the weather where sites are: the forecast, or from ``first`` on, before ``end``, what it was and is expected to be.

    ``site_id``: one alone, default: every site with a location.
    """

    task: ClassVar[str] = "ingest.weather.fetch"
    reply: ClassVar[type[Message]] = FetchWeatherReply

    site_id: Annotated[str | None, Field(min_length=1, max_length=64)] = None
    first: Instant | None = None
    end: Instant | None = None
