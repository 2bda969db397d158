"""Fetching of the grid's carbon intensity where sites are.

Forecasts have their instant of issue, measurements are known when their slot ends.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from operator import attrgetter

import httpx
import numpy as np
import structlog
from numpy.typing import NDArray
from sqlalchemy import Connection, Engine

from luna.contracts import FetchCarbonReply, FetchCarbonRequest
from luna.contracts.data import SiteCarbonReply
from luna.energy.refusals import refuse
from luna.energy.site import Site
from luna.energy.timeline import SLOT, FloatArray, InstantArray, Timeline, floor_to
from luna.platform.clock import Clock
from luna.platform.database import sites, weather_carbon
from luna.platform.database.engine import unit_of_work
from luna.platform.settings import Settings
from luna.platform.site_country import country_of
from services.ingest.sources.carbon.declaration import GridPlace
from services.ingest.sources.carbon.registry import ZonedSource, choose_sources
from services.ingest.sources.prices.declaration import canonical_market
from services.ingest.sources.source import (
    CarbonSheet,
    SourceError,
    SourceRefusedError,
    SourceUnreachedError,
)

# A day to measure, and the horizon of plans.
BACK = timedelta(days=1)
AHEAD = timedelta(days=2)
LONGEST_WINDOW = timedelta(days=3 * 366)
# Old plants that burn lignite or oil shale emit some 1,200 g/kWh.
ABSURD_G_PER_KWH = 2_000.0

log = structlog.get_logger("luna.ingest")


@dataclass(slots=True)
class CollectedCarbon:
    """Carbon intensities collected for a place.

    Args:
        g_per_kwh: on the timeline, NaN: none.
        is_measured: of each intensity; else it is a forecast.
        source: the service they are from; None: no service had any.
        is_preferred: whether it is the first of the place's services.
        reached: whether any service answered, be it with a fault.
    """

    timeline: Timeline
    g_per_kwh: FloatArray
    is_measured: NDArray[np.bool_]
    source: str | None = None
    is_preferred: bool = False
    faults: list[str] = field(default_factory=list)
    reached: bool = False

    @classmethod
    def nothing(cls, timeline: Timeline) -> "CollectedCarbon":
        """Return a result without intensities."""
        count = timeline.count
        return cls(timeline, np.full(count, np.nan), np.zeros(count, dtype=np.bool_))


def collect(
    sources: Sequence[ZonedSource],
    timeline: Timeline,
    *,
    now: datetime,
    away: dict[str, str] | None = None,
) -> CollectedCarbon:
    """Return the carbon intensities of the first source that has any.

    One source alone, for each counts emissions in its own way: a plan would take the step between
    two of them for a cleaner hour. A source that fails is noted and left out.

    Args:
        sources: the preferred one first.
        timeline: requested quarter-hours.
        now: end of the past.
        away: errors by name of the sources that were not reached in this run; these are skipped,
            and those of this place are added.
    """
    away = {} if away is None else away
    collected = CollectedCarbon.nothing(timeline)
    for number, zoned in enumerate(sources):
        name = zoned.source.name
        if name in away:
            collected.faults.append(away[name])
            continue
        try:
            sheets = zoned.source.fetch(zoned.zone, timeline.start, timeline.end, now=now)
        except SourceUnreachedError as error:
            away[name] = str(error)
            collected.faults.append(str(error))
            continue
        except (SourceError, SourceRefusedError) as error:
            collected.reached = True
            collected.faults.append(str(error))
            continue
        collected.reached = True
        _add_sheets(collected, name, sheets)
        if np.isfinite(collected.g_per_kwh).any():
            collected.source = name
            collected.is_preferred = number == 0
            break
    return collected


def _add_sheets(collected: CollectedCarbon, source: str, sheets: Sequence[CarbonSheet]) -> None:
    """Place the intensities of a source, measured ones over forecast ones."""
    timeline = collected.timeline
    absurd_count = 0
    for sheet in sorted(sheets, key=attrgetter("is_measured")):
        is_absurd = (sheet.g_per_kwh < 0) | (sheet.g_per_kwh > ABSURD_G_PER_KWH)
        places = ((sheet.starts - timeline.starts[0]) // np.timedelta64(SLOT)).astype(np.int64)
        inside = (places >= 0) & (places < timeline.count)
        absurd_count += int((inside & is_absurd).sum())
        usable = inside & ~is_absurd
        collected.g_per_kwh[places[usable]] = sheet.g_per_kwh[usable]
        collected.is_measured[places[usable]] = sheet.is_measured
    if absurd_count:
        collected.faults.append(
            f"{source}: {absurd_count} quarter-hours are below 0 or above "
            f"{ABSURD_G_PER_KWH:g} g/kWh and left out."
        )


def date_intensities(
    collected: CollectedCarbon, stored: FloatArray, issued_at: InstantArray, *, now: datetime
) -> tuple[NDArray[np.bool_], InstantArray]:
    """Return which intensities are new or revised, and when each of them became known.

    A first measurement became known at the end of its slot. A forecast and a revised measurement
    become known now.

    Args:
        stored: newest stored intensities, NaN where none.
        issued_at: issue of each of them, NaT where none.

    Invariants: an intensity equal to the stored one is not new; a forecast revises no measurement,
        and a service that stands in for the preferred one does not either.
    """
    ends = (collected.timeline.starts + np.timedelta64(SLOT)).astype("datetime64[us]")
    moment = np.datetime64(now.replace(tzinfo=None), "us")
    was_measured = issued_at >= ends
    revises = collected.is_measured & collected.is_preferred
    differs = np.isfinite(collected.g_per_kwh) & (collected.g_per_kwh != stored)
    chosen = differs & (revises | ~was_measured)
    is_first = collected.is_measured & ~was_measured & (ends <= moment)
    return chosen, np.where(is_first, ends, moment)


def fetch_carbon(
    engine: Engine,
    request: FetchCarbonRequest,
    settings: Settings,
    *,
    clock: Clock,
    transport: httpx.BaseTransport | None = None,
) -> FetchCarbonReply:
    """Fetch the carbon intensity where sites are.

    No transaction is open during the requests to services. Sites in the same place share them.

    The reply lists the faults of services. Where ``outside_services`` is off, only a named site's
    is fetched.

    Raises:
        NotFoundError: no such site.
        InvalidInputError: no service has the named site's country, or the window or the named
            service is unusable.
    """
    if request.site_id is None and not settings.outside_services:
        return FetchCarbonReply(sites=[])
    now = clock.now()
    timeline = choose_window(request, now=now)
    with unit_of_work(engine) as connection:
        if request.site_id is None:
            stored = sites.load_all(connection).sites
        else:
            stored = [sites.load(connection, request.site_id)]
    collected_by_place: dict[GridPlace, CollectedCarbon] = {}
    away: dict[str, str] = {}
    fetched: list[tuple[str, CollectedCarbon]] = []
    for site in stored:
        place = place_of(site)
        if place not in collected_by_place:
            sources = choose_sources(place, settings, named=request.source, transport=transport)
            if not sources and request.site_id is not None:
                raise refuse("site-without-carbon", field="site.country", value=site.country)
            if not sources:
                continue
            collected_by_place[place] = collect(sources, timeline, now=now, away=away)
        fetched.append((site.name, collected_by_place[place]))
    with unit_of_work(engine) as connection:
        replies = []
        for name, collected in fetched:
            replies.append(store_carbon(connection, name, collected, now=clock.now()))
    reached = not fetched or any(collected.reached for _, collected in fetched)
    return FetchCarbonReply(sites=replies, reached=reached)


def tell(reply: FetchCarbonReply) -> FetchCarbonReply:
    """Log a reply, one line per site, and return it.

    An unreachable service is no error of Luna.
    """
    if not reply.reached:
        log.info("carbon not fetched: nobody is reached", faults=reply.sites[0].faults)
        return reply
    for site in reply.sites:
        log.info("carbon fetched", **site.model_dump(mode="json"))
    return reply


def place_of(site: Site) -> GridPlace:
    """Return a site's place in the grid: its country, and the markets of its tariff."""
    markets = tuple(canonical_market(market) for market in site.tariff.markets)
    return GridPlace(country_of(site), markets)


def choose_window(request: FetchCarbonRequest, *, now: datetime) -> Timeline:
    """Return the requested quarter-hours, by default the last day and the horizon of plans.

    Raises:
        InvalidInputError: the window is open, reversed or too long.
    """
    first = request.first
    end = request.end
    if first is None and end is None:
        return Timeline(floor_to(now, SLOT) - BACK, SLOT, (BACK + AHEAD) // SLOT)
    if first is None or end is None or not first < end <= first + LONGEST_WINDOW:
        raise refuse("window-of-days", field="first", days=LONGEST_WINDOW.days)
    start = floor_to(first, SLOT)
    return Timeline(start, SLOT, -((start - end) // SLOT))


def store_carbon(
    connection: Connection, site: str, collected: CollectedCarbon, *, now: datetime
) -> SiteCarbonReply:
    """Store new and revised intensities of a site; idempotent."""
    timeline = collected.timeline
    stored, issued_at = weather_carbon.read_newest_carbon(connection, site, timeline, known_at=now)
    chosen, known_at = date_intensities(collected, stored, issued_at, now=now)
    weather_carbon.upsert(
        connection,
        "carbon_intensity",
        site,
        timeline.starts[chosen],
        values={"carbon_g_per_kwh": collected.g_per_kwh[chosen]},
        issued_at=known_at[chosen],
    )
    sources = {}
    if collected.source is not None:
        sources[collected.source] = int(np.isfinite(collected.g_per_kwh).sum())
    return SiteCarbonReply(
        site_id=site,
        first=timeline.start,
        end=timeline.end,
        added=int((chosen & np.isnan(stored)).sum()),
        revised=int((chosen & np.isfinite(stored)).sum()),
        missing=int((np.isnan(stored) & np.isnan(collected.g_per_kwh)).sum()),
        sources=sources,
        faults=collected.faults,
    )
