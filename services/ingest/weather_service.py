"""Fetch the weather of sites.

Forecasts with the instant of issue, measurements as known when their slot ended.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import httpx
import numpy as np
import structlog
from sqlalchemy import Connection, Engine

from luna.contracts import FetchWeatherReply, FetchWeatherRequest, SiteWeatherReply
from luna.energy.refusals import refuse
from luna.energy.timeline import SLOT, Timeline, floor_to
from luna.platform.clock import Clock
from luna.platform.database import sites, weather_carbon
from luna.platform.database.engine import unit_of_work
from luna.platform.settings import Settings
from services.ingest.sources.open_meteo import OpenMeteo, WeatherSheet
from services.ingest.sources.source import SourceError, SourceRefusedError, SourceUnreachedError
from services.ingest.sources.web import Web

# Horizon of plans, and a day more.
AHEAD = timedelta(days=3)
FURTHEST = timedelta(days=15)
SPAN = timedelta(days=90)
INTERVAL = timedelta(seconds=0.2)

log = structlog.get_logger("luna.ingest")


@dataclass(slots=True)
class _SiteWeather:
    """The weather of one site.

    Stretches of the past and of the forecast, and the faults of the service; ``reached``: whether
    the service answered.
    """

    site: str
    past: list[WeatherSheet] = field(default_factory=list)
    ahead: list[WeatherSheet] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    reached: bool = True


def fetch_weather(
    engine: Engine,
    request: FetchWeatherRequest,
    settings: Settings,
    *,
    clock: Clock,
    transport: httpx.BaseTransport | None = None,
) -> FetchWeatherReply:
    """Fetch the weather of the sites that say where they are.

    No transaction is open while the service is waited for.

    A fault of the service is named in the reply. Where ``outside_services`` is off, nothing is
    fetched for sites that nobody named.

    Raises:
        NotFoundError: no such site.
        InvalidInputError: the site named does not say where it is, or the window is upside down or
            too far ahead.
    """
    if request.site_id is None and not settings.outside_services:
        return FetchWeatherReply(sites=[])
    now = clock.now()
    windows = list(split_window(request, now=now))
    with unit_of_work(engine) as connection:
        if request.site_id is None:
            places = [
                (site.name, site.location)
                for site in sites.load_all(connection).sites
                if site.location
            ]
        else:
            named = sites.load(connection, request.site_id)
            if named.location is None:
                raise refuse("site-without-place", field="site.location", value=named.name)
            places = [(named.name, named.location)]
    source = OpenMeteo(Web(OpenMeteo.name, transport, INTERVAL))
    fetched = []
    for site, location in places:
        weather = _SiteWeather(site)
        fetched.append(weather)
        for window in windows:
            ask, sheets = (
                (source.past, weather.past)
                if window.end <= now
                else (source.forecast, weather.ahead)
            )
            try:
                sheets.append(ask(location, window))
            except (SourceError, SourceRefusedError) as error:
                weather.reached = not isinstance(error, SourceUnreachedError)
                weather.faults.append(str(error))
    replies = []
    with unit_of_work(engine) as connection:
        for weather in fetched:
            written = sum(
                _store_sheet(connection, weather.site, sheet, issued_at=None, now=now)
                for sheet in weather.past
            )
            written += sum(
                _store_sheet(connection, weather.site, sheet, issued_at=now, now=now)
                for sheet in weather.ahead
            )
            replies.append(
                SiteWeatherReply(site_id=weather.site, written=written, faults=weather.faults)
            )
    return FetchWeatherReply(
        sites=replies, reached=any(weather.reached for weather in fetched) or not fetched
    )


def tell(reply: FetchWeatherReply) -> FetchWeatherReply:
    """Write a reply into the log, a line for each site, and return it.

    That the service is away is no error of ours.
    """
    if not reply.reached:
        log.info("weather not fetched: nobody is reached", faults=reply.sites[0].faults)
        return reply
    for site in reply.sites:
        log.info("weather fetched", **site.model_dump())
    return reply


def split_window(request: FetchWeatherRequest, *, now: datetime) -> Iterator[Timeline]:
    """Yield the stretches to ask for, of a season at most.

    Each is either before ``now`` or from then on.

    Raises:
        InvalidInputError: the window is upside down, or further ahead than anybody looks.
    """
    present = floor_to(now, SLOT)
    first = floor_to(request.first, SLOT) if request.first else present
    end = request.end or max(first, present) + AHEAD
    if not first < end <= now + FURTHEST:
        raise refuse("weather-window", field="end", value=end.isoformat(), days=FURTHEST.days)
    while first < end:
        edge = present if first < present else end
        last = min(first + SPAN, edge, end)
        yield Timeline(first, SLOT, -((first - last) // SLOT))
        first = last


def _store_sheet(
    connection: Connection,
    site: str,
    sheet: WeatherSheet,
    *,
    issued_at: datetime | None,
    now: datetime,
) -> int:
    """Store the slots whose weather differs from the stored one.

    An hour without news adds no row.
    """
    stored = weather_carbon.read_weather(connection, site, sheet.timeline, known_at=now)
    changed = np.logical_or.reduce(
        [np.isfinite(series) & (series != stored[name]) for name, series in sheet.values.items()]
    )
    # Missing or impossible values of an answer do not hide the stored ones.
    values = {
        name: np.where(np.isfinite(series), series, stored[name])[changed]
        for name, series in sheet.values.items()
    }
    issued = (
        None
        if issued_at is None
        else np.full(int(changed.sum()), np.datetime64(issued_at.replace(tzinfo=None), "us"))
    )
    written = weather_carbon.upsert(
        connection, "weather", site, sheet.timeline.starts[changed], values=values, issued_at=issued
    )
    return written.inserted + written.updated
