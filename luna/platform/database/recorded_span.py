"""Read the recorded spans of a site, of each of its series, and of a market.

The one place for the extent of data.

A span is the start of the first and the end of the last quarter-hour of which something is known,
in UTC. How far a source was read is another question (``source_cursors``).
"""

from collections.abc import Collection, Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import NamedTuple

from sqlalchemy import ColumnElement, Connection, func, or_, select

from luna.energy.observations import SERIES
from luna.energy.resolution import kind_of
from luna.energy.series_query import COLUMNS
from luna.energy.site import Site
from luna.energy.timeline import SLOT, local_midnight, parse_zone
from luna.platform.database import sensor_units, sites
from luna.platform.database.observations import MEASURED, PRICES
from luna.platform.database.prices import StoredSeries, stored_series
from luna.platform.database.schema.plans import plan_history
from luna.platform.database.schema.series import (
    market_prices,
    sensor_readings,
    sensors,
    slot_forecasts,
    slot_observations,
)
from luna.platform.database.schema.sites import sites as site_table

Span = tuple[datetime, datetime]


class RecordedSeries(NamedTuple):
    """A series as ``luna.energy.series_query.SeriesName`` reads it, with unit and span.

    The unit is None where nobody named it.
    """

    series: str
    unit: str | None
    span: Span


_JUDGED = (*SERIES, *PRICES)


def of_site(connection: Connection, site_id: str) -> Span | None:
    """Return the span of a site's measurements, None without any. Prices do not count."""
    start = slot_observations.c.slot_start
    measured = or_(*(slot_observations.c[name].is_not(None) for name in MEASURED))
    slots = (
        select(start)
        .where(slot_observations.c.site_key == sites.key_of(connection, site_id), measured)
        .limit(1)
    )
    first = connection.scalar(slots.order_by(start.asc()))
    last = connection.scalar(slots.order_by(start.desc()))
    return _span(first, last)


def of_each(connection: Connection, keys: Collection[int]) -> dict[int, Span]:
    """Return the spans of many sites' measurements by the sites' keys, without empty ones."""
    slots = slot_observations.c
    is_measured = (
        slots.site_key == site_table.c.site_key,
        or_(*(slots[name].is_not(None) for name in MEASURED)),
    )
    ends = [
        select(slots.slot_start).where(*is_measured).order_by(order).limit(1).scalar_subquery()
        for order in (slots.slot_start.asc(), slots.slot_start.desc())
    ]
    rows = connection.execute(
        select(site_table.c.site_key, *ends).where(site_table.c.site_key.in_(keys))
    )
    spans = {key: _span(first, last) for key, first, last in rows}
    return {key: span for key, span in spans.items() if span is not None}


def whole_days(
    connection: Connection, site: Site, *, until: datetime | None = None
) -> tuple[date, date] | None:
    """Return the first and last local day that was wholly measured, if there is one.

    Both end by ``until``.
    """
    zone = parse_zone(site.timezone)
    span = of_site(connection, site.name)
    if span is None:
        return None
    first = span[0].astimezone(zone).date()
    if local_midnight(first, zone) != span[0]:
        first += timedelta(days=1)
    end = span[1] if until is None else min(span[1], until)
    last = end.astimezone(zone).date() - timedelta(days=1)
    return (first, last) if first <= last else None


def first_day(connection: Connection, site: Site) -> date:
    """Return the local day of a site's first measurement, else that on which it was added."""
    span = of_site(connection, site.name)
    if span:
        begin = span[0]
    else:
        query = select(site_table.c.created_at).where(site_table.c.name == site.name)
        begin = connection.execute(query).scalar_one()
    return begin.astimezone(parse_zone(site.timezone)).date()


def of_series(connection: Connection, site_id: str) -> dict[str, Span]:
    """Return the recorded span of each of a site's series and prices, without empty ones."""
    table = slot_observations.c
    extremes: list[ColumnElement[datetime]] = []
    for name in _JUDGED:
        is_known = table[name].is_not(None)
        extremes.append(func.min(table.slot_start).filter(is_known))
        extremes.append(func.max(table.slot_start).filter(is_known))
    query = select(*extremes).where(table.site_key == sites.key_of(connection, site_id))
    bounds = connection.execute(query).one()
    spans = {}
    for name, first, last in zip(_JUDGED, bounds[::2], bounds[1::2], strict=True):
        span = _span(first, last)
        if span is not None:
            spans[name] = span
    return spans


def of_market(connection: Connection, series: StoredSeries) -> Span | None:
    """Return the span of a price in a currency, if there is one.

    The price is a market's or a site's own.
    """
    table = market_prices.c
    of_series = table.market.in_((series.name, series.apart)) & (table.currency == series.currency)
    extremes = select(func.min(table.slot_start), func.max(table.slot_start)).where(of_series)
    first, last = connection.execute(extremes).one()
    return _span(first, last)


def of_markets(connection: Connection, markets: Sequence[StoredSeries]) -> dict[StoredSeries, Span]:
    """Return the span of each market's price; those without any are left out."""
    spans = {market: of_market(connection, market) for market in dict.fromkeys(markets)}
    return {market: span for market, span in spans.items() if span is not None}


def _span(first: datetime | None, last: datetime | None) -> Span | None:
    if first is None or last is None:
        return None
    return first.astimezone(UTC), last.astimezone(UTC) + SLOT


def list_series(connection: Connection, site_id: str) -> list[RecordedSeries]:
    """Return every series that a site has, in order of the names.

    Observations, prices of its tariff, forecasts, plans, readings of sensors.

    Raises:
        NotFoundError: no such site.
    """
    site = sites.load(connection, site_id)
    series = [
        RecordedSeries(name, _unit(name, site.currency), span)
        for name, span in of_series(connection, site_id).items()
    ]
    for market in site.tariff.price_series:
        stored = stored_series(site, market)
        span = of_market(connection, stored)
        if span is not None:
            series.append(
                RecordedSeries(f"market_prices:{stored.name}", f"{stored.currency}/kWh", span)
            )
    series += _forecasts(connection, sites.key_of(connection, site_id))
    planned = (plan_history.c.site == site_id) & (plan_history.c.system_id == "prod")
    first, end = connection.execute(
        select(func.min(plan_history.c.starts_at), func.max(plan_history.c.ends_at)).where(planned)
    ).one()
    if first is not None:
        span = first.astimezone(UTC), end.astimezone(UTC)
        series += [
            RecordedSeries(f"plans:{column}", _unit(column, site.currency), span)
            for column in COLUMNS["plans"]
        ]
    return sorted([*series, *_sensors(connection, sites.key_of(connection, site_id))])


def _unit(name: str, currency: str) -> str:
    return {"energy": "kWh", "price": f"{currency}/kWh"}.get(kind_of(name), "1")


def _forecasts(connection: Connection, key: int) -> Iterator[RecordedSeries]:
    table = slot_forecasts.c
    versions = select(table.forecast_version).where(table.site_key == key).distinct()
    for version in connection.scalars(versions).all():
        of_version = (table.site_key == key) & (table.forecast_version == version)
        # The first slot is that of the first issue, the last one of the last: an index finds both,
        # a count of all slots takes seconds.
        first, last = connection.execute(
            select(func.min(table.issued_at), func.max(table.issued_at)).where(of_version)
        ).one()
        end = connection.scalar(
            select(func.max(table.slot_start)).where(of_version, table.issued_at == last)
        )
        span = _span(first, end)
        if span is None:
            continue
        for column in COLUMNS["slot_forecasts"]:
            yield RecordedSeries(f"slot_forecasts:{version}:{column}", "kWh", span)


def _sensors(connection: Connection, key: int) -> Iterator[RecordedSeries]:
    query = select(sensors.c.sensor_key, sensors.c.name).where(sensors.c.site_key == key)
    names = {row.sensor_key: row.name for row in connection.execute(query)}
    for sensor_key, units in sensor_units.read(connection, names).items():
        instants = (
            select(sensor_readings.c.instant)
            .where(sensor_readings.c.sensor_key == sensor_key)
            .limit(1)
        )
        first = connection.scalar(instants.order_by(sensor_readings.c.instant.asc()))
        last = connection.scalar(instants.order_by(sensor_readings.c.instant.desc()))
        if first is not None and last is not None:
            span = (first.astimezone(UTC), last.astimezone(UTC))
            yield RecordedSeries(f"sensor_readings:{names[sensor_key]}", units.newest(), span)
