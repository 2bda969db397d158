"""Queries stored series from any table; shared by command line and gateway.

Sensor readings: ``luna.platform.database.reading_history``.
"""

from dataclasses import replace
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection

from luna.energy.buckets import EXTREMES, RESOLUTIONS, end_of_page, find_width
from luna.energy.observations import ESTIMABLE
from luna.energy.series_query import (
    SeriesAnswer,
    SeriesQuery,
    reduce_series,
    reduce_summed,
    require_window,
)
from luna.energy.timeline import SLOT, FloatArray, Timeline, floor_to, parse_zone
from luna.platform.database import (
    energy_intervals,
    forecast_activations,
    forecasts,
    observations,
    plans,
    prices,
    quality,
    rollups,
    sites,
    timescale,
)

# Quarter-hours that can be read within a second or two. Plans are documents, of which each hour may
# have one.
MOST_SLOTS = {"plans": 31 * 96, "slot_forecasts": 366 * 96}
MOST_SLOTS_ELSEWHERE = 400_000
# Stands for the site's active forecast version.
ACTIVE = "active"
FIRST = datetime(1970, 1, 1, tzinfo=UTC)
LAST = datetime(9999, 1, 1, tzinfo=UTC)


def query_series(connection: Connection, site_id: str, query: SeriesQuery) -> SeriesAnswer:
    """Return the series of ``query``; days are the site's local days.

    Raises:
        NotFoundError: no such site or market.
        InvalidInputError: the window is too long to be thinned.
    """
    site = sites.load(connection, site_id)
    zone = parse_zone(site.timezone)
    end = _end(query, zone)
    start = floor_to(query.first, SLOT)
    timeline = Timeline(start, SLOT, -((start - end) // SLOT))
    # Extremes need quarter-hours, not rollups.
    rolled = (
        query.name.source == "slot_observations"
        and query.name.parts[0] in rollups.SERIES
        and query.reduced_by not in EXTREMES
    )
    width = find_width(timeline, query.resolution, zone) if rolled else None
    # Rollups that TimescaleDB maintains may be outdated.
    if (
        width
        and timescale.keeps_rollups(connection)
        and rollups.are_fresh(connection, site_id, timeline)
    ):
        summed = rollups.read_parts(
            connection, site_id, query.name.parts[0], timeline=timeline, width=width
        )
        answer = reduce_summed(
            query,
            timeline,
            summed,
            zone.key,
            estimated=_read_estimated(connection, site_id, timeline, query),
        )
    else:
        values = _read_slots(connection, site_id, timeline, query)
        answer = reduce_series(
            query,
            timeline,
            values,
            zone.key,
            estimated=_read_estimated(connection, site_id, timeline, query),
        )
    if query.name.source == "slot_observations":
        series = query.name.parts[0]
        counted = energy_intervals.read(connection, site_id, series, first=start, end=end)
        answer = replace(
            answer,
            intervals=counted,
            unusable=quality.list_unusable(connection, site, series, first=start, end=end),
        )
    return replace(answer, following=end if end < query.end else None)


def _end(query: SeriesQuery, zone: ZoneInfo) -> datetime:
    """Return the end of the answer: the window's, or that of one page."""
    per_bucket = max(1, RESOLUTIONS[query.resolution] // SLOT)
    most = max(1, MOST_SLOTS.get(query.name.source, MOST_SLOTS_ELSEWHERE) // per_bucket)
    if query.points is not None:
        require_window(query.first, query.end, longest=most * per_bucket * SLOT)
        return query.end
    if query.limit is None:
        return query.end
    return end_of_page(
        query.first, query.end, query.resolution, zone=zone, most=min(most, query.limit)
    )


def _read_slots(
    connection: Connection, site_id: str, timeline: Timeline, query: SeriesQuery
) -> FloatArray:
    source = query.name.source
    parts = query.name.parts
    if source == "market_prices":
        prices.require_market(connection, parts[0])
        site = sites.load(connection, site_id)
        return prices.read(
            connection, parts[0], timeline, currency=site.currency, known_at=query.known_at
        )
    if source == "slot_forecasts":
        version, column = parts
        if version == ACTIVE:
            site = sites.load(connection, site_id)
            version = forecast_activations.find_active(connection, site).forecast_version
        return forecasts.read_latest(
            connection, site_id, timeline, version=version, column=column, issued=_issued(query)
        )
    if source == "plans":
        latest = plans.read_latest(
            connection, site_id, timeline, columns=parts[:1], issued=_issued(query)
        )
        return latest.columns[parts[0]]
    return observations.read_series(connection, site_id, timeline, parts)[parts[0]]


def _read_estimated(
    connection: Connection, site_id: str, timeline: Timeline, query: SeriesQuery
) -> NDArray[np.bool_] | None:
    """Return which quarter-hours are estimates filled to a meter's total.

    None for series without meters.
    """
    series = query.name.parts[0]
    if query.name.source != "slot_observations" or series not in ESTIMABLE:
        return None
    return np.asarray(
        quality.read_estimated(connection, site_id, timeline) >> ESTIMABLE.index(series) & 1 > 0
    )


def _issued(query: SeriesQuery) -> tuple[datetime, datetime]:
    """Return the first and the last time of issue to consider."""
    if query.issued_at is not None:
        return query.issued_at, query.issued_at
    return FIRST, query.known_at or LAST
