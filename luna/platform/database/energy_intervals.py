"""Stores energies of intervals longer than a slot: what counters counted while silent.

Quarter-hours, hours and days are derived from them.
"""

from collections.abc import Collection
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, Select, and_, delete, exists, or_, select
from sqlalchemy.dialects.postgresql import insert

from luna.energy.observations import EnergyInterval
from luna.energy.timeline import Timeline
from luna.platform.database import sites
from luna.platform.database.schema.series import energy_intervals, sensor_readings, sensors

_TABLE = energy_intervals.c


def read(
    connection: Connection, site_id: str, series: str, *, first: datetime, end: datetime
) -> list[EnergyInterval]:
    """Return the intervals of a series that overlap ``first`` ≤ t < ``end``, in order."""
    of_series = _select(connection, site_id, first=first, end=end).where(_TABLE.series == series)
    return _intervals(connection, of_series)


def settle(
    connection: Connection,
    site_id: str,
    intervals: Collection[EnergyInterval],
    *,
    window: Timeline,
    reading_span: tuple[datetime, datetime],
) -> None:
    """Replace the stored intervals that the readings contradict by those found within ``window``.

    Intervals whose readings were deleted stay. Idempotent.

    Args:
        intervals: of the site's sensors, each overlapping ``window``.
        window: the slots that were built.
        reading_span: first and last instant of the readings used.
    """
    within = _select(connection, site_id, first=window.start, end=window.end)
    at = sensor_readings.c
    has_reading = exists().where(at.sensor_key == _TABLE.sensor_key)
    both = and_(
        has_reading.where(at.instant == _TABLE.starts_at),
        has_reading.where(at.instant == _TABLE.ends_at),
        _TABLE.starts_at >= reading_span[0],
        _TABLE.ends_at <= reading_span[1],
    )
    judged = within.where(
        or_(both, has_reading.where(at.instant > _TABLE.starts_at, at.instant < _TABLE.ends_at))
    )
    before = set(_intervals(connection, judged))
    after = set(intervals)
    if before == after:
        return
    site_sensors = select(sensors.c.name, sensors.c.sensor_key).where(
        sensors.c.site_key == sites.key_of(connection, site_id)
    )
    keys = {row.name: row.sensor_key for row in connection.execute(site_sensors)}
    for interval in before - after:
        connection.execute(
            delete(energy_intervals).where(
                _TABLE.sensor_key == keys[interval.sensor],
                _TABLE.series == interval.series,
                _TABLE.starts_at == interval.first,
            )
        )
    for interval in after - before:
        values = {
            "ends_at": interval.end,
            "energy_kwh": interval.energy_kwh,
            "certainty": interval.certainty,
        }
        new = insert(energy_intervals).values(
            sensor_key=keys[interval.sensor],
            series=interval.series,
            starts_at=interval.first,
            **values,
        )
        connection.execute(
            new.on_conflict_do_update(constraint=energy_intervals.primary_key, set_=values)
        )


def _select(connection: Connection, site_id: str, *, first: datetime, end: datetime) -> Select[Any]:
    intervals = select(
        _TABLE.series,
        sensors.c.name,
        _TABLE.starts_at,
        _TABLE.ends_at,
        _TABLE.energy_kwh,
        _TABLE.certainty,
    ).join_from(energy_intervals, sensors)
    within = intervals.where(
        sensors.c.site_key == sites.key_of(connection, site_id),
        _TABLE.starts_at < end,
        _TABLE.ends_at > first,
    )
    return within.order_by(_TABLE.starts_at, _TABLE.series, sensors.c.name)


def _intervals(connection: Connection, query: Select[Any]) -> list[EnergyInterval]:
    return [
        EnergyInterval(
            row.series,
            row.name,
            row.starts_at.astimezone(UTC),
            row.ends_at.astimezone(UTC),
            row.energy_kwh,
            row.certainty,
        )
        for row in connection.execute(query)
    ]
