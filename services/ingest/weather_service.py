"""Fetching of the weather at the sites.

Forecasts have their instant of issue, measurements are known when their slot ends.
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
from luna.energy.site import Location
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
    """The weather of one site: stretches of the past and of the forecast, and faults.

    ``reached``: whether the service answered.
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
    """Fetch the weather of the sites with a location.

    No transaction is open during requests. The reply lists the faults of the service. Where
    ``outside_services`` is off, only a named site's weather is fetched.

    Raises:
        NotFoundError: no such site.
        InvalidInputError: the named site has no location, or the window is reversed or too far
            ahead.
    """
    if request.site_id is None and not settings.outside_services:
        return FetchWeatherReply(sites=[])
    now = clock.now()
    windows = list(split_window(request, now=now))
    with unit_of_work(engine) as connection:
        if request.site_id is None:
            stored = sites.load_all(connection).sites
            places = [(site.name, site.location) for site in stored if site.location]
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
            _fetch_window(source, weather, location, window, now=now)
    replies = []
    with unit_of_work(engine) as connection:
        for weather in fetched:
            site = weather.site
            written = 0
            for sheet in weather.past:
                written += _store_sheet(connection, site, sheet, issued_at=None, now=now)
            for sheet in weather.ahead:
                written += _store_sheet(connection, site, sheet, issued_at=now, now=now)
            reply = SiteWeatherReply(site_id=site, written=written, faults=weather.faults)
            replies.append(reply)
    reached = not fetched or any(weather.reached for weather in fetched)
    return FetchWeatherReply(sites=replies, reached=reached)


def _fetch_window(
    source: OpenMeteo,
    weather: _SiteWeather,
    location: Location,
    window: Timeline,
    *,
    now: datetime,
) -> None:
    try:
        if window.end <= now:
            weather.past.append(source.past(location, window))
        else:
            weather.ahead.append(source.forecast(location, window))
    except (SourceError, SourceRefusedError) as error:
        weather.reached = not isinstance(error, SourceUnreachedError)
        weather.faults.append(str(error))


def tell(reply: FetchWeatherReply) -> FetchWeatherReply:
    """Log a reply, one line per site, and return it.

    An unreachable service is no error of Luna.
    """
    if not reply.reached:
        log.info("weather not fetched: nobody is reached", faults=reply.sites[0].faults)
        return reply
    for site in reply.sites:
        log.info("weather fetched", **site.model_dump())
    return reply


def split_window(request: FetchWeatherRequest, *, now: datetime) -> Iterator[Timeline]:
    """Yield the stretches to request, each of a season at most, either past or future.

    Raises:
        InvalidInputError: the window is reversed or too far ahead.
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
    """Store the slots with changed weather, and return the number of rows.

    So an hour without news adds no row.
    """
    stored = weather_carbon.read_weather(connection, site, sheet.timeline, known_at=now)
    differences = []
    for name, series in sheet.values.items():
        differences.append(np.isfinite(series) & (series != stored[name]))
    changed = np.logical_or.reduce(differences)
    values = {}
    for name, series in sheet.values.items():
        # A missing or impossible value of an answer leaves the stored one.
        values[name] = np.where(np.isfinite(series), series, stored[name])[changed]
    issued = None
    if issued_at is not None:
        moment = np.datetime64(issued_at.replace(tzinfo=None), "us")
        issued = np.full(int(changed.sum()), moment)
    written = weather_carbon.upsert(
        connection, "weather", site, sheet.timeline.starts[changed], values=values, issued_at=issued
    )
    return written.inserted + written.updated
