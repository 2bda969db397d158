"""Store sensor readings as received, with their reported units; NaN means unavailable."""

import math
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray
from psycopg import sql
from sqlalchemy import Connection, func, select
from sqlalchemy.dialects.postgresql import insert

from luna.energy.reading_history import Register
from luna.energy.refusals import refuse
from luna.energy.timeline import FloatArray, IndexArray, InstantArray
from luna.energy.units import StatedUnits, UnitHistory, ratio
from luna.platform.database import chunks, copy, sensor_units, sites
from luna.platform.database.schema.series import sensor_readings, sensors, smart_meter_readings

LONG_GAP = np.timedelta64(30, "D")


def register(
    connection: Connection, site_id: str, units: Mapping[str, str | None]
) -> dict[str, int]:
    """Create missing sensors of a site and return the key of each.

    Args:
        units: sensor → the unit of its readings, stored where none is known yet; None: unknown.
    """
    key = sites.key_of(connection, site_id)
    stored = _find_sensors(connection, key, units)
    new = {}
    for name, unit in units.items():
        lacks_unit = name in stored and unit is not None and stored[name].unit is None
        if name not in stored or lacks_unit:
            new[name] = unit
    if new:
        # INSERT … ON CONFLICT consumes a sequence value even for existing rows, and the keys are 32
        # bits: insert new ones only.
        statement = insert(sensors)
        first_unit = {"unit": func.coalesce(sensors.c.unit, statement.excluded.unit)}
        rows = [{"site_key": key, "name": name, "unit": unit} for name, unit in new.items()]
        connection.execute(
            statement.on_conflict_do_update(index_elements=["site_key", "name"], set_=first_unit),
            rows,
        )
        stored = _find_sensors(connection, key, units)
    return {name: row.sensor_key for name, row in stored.items()}


def upsert(
    connection: Connection,
    sensor_keys: NDArray[np.int32],
    instants: InstantArray,
    value: FloatArray,
    *,
    units: StatedUnits | None = None,
) -> copy.Written:
    """Store readings; ``sensor_keys`` come from ``register``.

    NaN means unavailable: it is stored where there is no number, and a number replaces it.

    Args:
        units: of the values; None, or a value without one: the sensor's unit at that instant.
    """
    silent = np.isnan(value)
    stored = copy.Written()
    in_other_units = 0
    if units is not None:
        in_other_units = sensor_units.note(
            connection,
            sensor_keys[~silent],
            instants[~silent],
            StatedUnits(units.names, units.codes[~silent]),
        )
    _upsert_silent(connection, sensor_keys[silent], instants[silent])
    columns = {
        "sensor_key": sensor_keys[~silent],
        "instant": instants[~silent],
        "value": value[~silent],
    }
    for places in _stretches(instants[~silent]):
        stored += copy.upsert(
            connection, sensor_readings, {name: column[places] for name, column in columns.items()}
        )
    # The same number in another unit counts as a change.
    changed = min(in_other_units, stored.unchanged)
    return copy.Written(stored.inserted, stored.updated + changed, stored.unchanged - changed)


def _stretches(instants: InstantArray) -> list[IndexArray]:
    """Split the positions at long gaps in time.

    A device whose clock started in 1970 must not create a hypertable's chunks for decades.
    """
    if not instants.size or np.ptp(instants) <= LONG_GAP:
        return [np.arange(instants.size)]
    ordered = np.argsort(instants, kind="stable")
    return np.split(ordered, np.flatnonzero(np.diff(instants[ordered]) > LONG_GAP) + 1)


def _find_sensors(connection: Connection, site_key: int, names: Iterable[str]) -> dict[str, Any]:
    rows = connection.execute(
        select(sensors).where(sensors.c.site_key == site_key, sensors.c.name.in_(list(names)))
    )
    return {row.name: row for row in rows}


def _upsert_silent(
    connection: Connection, sensor_keys: NDArray[np.int32], instants: InstantArray
) -> None:
    if not sensor_keys.size:
        return
    for places in _stretches(instants):
        chunks.prepare(connection, sensor_readings, {"instant": instants[places]})
    # COPY here encodes NaN as NULL, which this column refuses; INSERT stores PostgreSQL's NaN.
    moments = instants.astype("datetime64[us]").tolist()
    rows = [
        {"sensor_key": key, "instant": moment.replace(tzinfo=UTC), "value": math.nan}
        for key, moment in zip(sensor_keys.tolist(), moments, strict=True)
    ]
    connection.execute(insert(sensor_readings).on_conflict_do_nothing(), rows)


def read_units(connection: Connection, site_id: str) -> dict[str, UnitHistory]:
    """Return the unit history of a site's sensors by name.

    Raises:
        NotFoundError: no such site.
    """
    rows = connection.execute(
        select(sensors.c.name, sensors.c.sensor_key).where(
            sensors.c.site_key == sites.key_of(connection, site_id)
        )
    )
    keys = {row.name: row.sensor_key for row in rows}
    units = sensor_units.read(connection, keys.values())
    return {name: units[key] for name, key in keys.items()}


def last_instant(
    connection: Connection, site_id: str, names: Collection[str], *, now: datetime
) -> datetime | None:
    """Return the last reading's instant of the named sensors at or before ``now``, if any.

    Raises:
        NotFoundError: no such site.
    """
    keys = (
        select(sensors.c.sensor_key)
        .where(
            sensors.c.site_key == sites.key_of(connection, site_id), sensors.c.name.in_(list(names))
        )
        .subquery()
    )
    # Per sensor, an index lookup each; one query over all of them would read every row.
    newest = select(func.max(sensor_readings.c.instant)).where(
        sensor_readings.c.sensor_key == keys.c.sensor_key, sensor_readings.c.instant <= now
    )
    instant: datetime | None = connection.scalar(
        select(func.max(newest.scalar_subquery())).select_from(keys)
    )
    return instant


def read_spans(
    connection: Connection, site_id: str, names: Collection[str], *, now: datetime
) -> dict[str, tuple[datetime, datetime]]:
    """Return the first and last known instants of each named sensor up to ``now``.

    Sensors without a known value are left out.

    Raises:
        NotFoundError: no such site.
    """
    # PostgreSQL orders NaN (unknown) above all numbers.
    has_value = (
        sensor_readings.c.sensor_key == sensors.c.sensor_key,
        sensor_readings.c.instant <= now,
        sensor_readings.c.value < math.inf,
    )
    instant = sensor_readings.c.instant
    first = select(func.min(instant)).where(*has_value).scalar_subquery()
    last = select(func.max(instant)).where(*has_value).scalar_subquery()
    is_named = (
        sensors.c.site_key == sites.key_of(connection, site_id),
        sensors.c.name.in_(list(names)),
    )
    rows = connection.execute(
        select(sensors.c.name, first.label("first"), last.label("last")).where(*is_named)
    )
    return {
        row.name: (row.first.astimezone(UTC), row.last.astimezone(UTC))
        for row in rows
        if row.last is not None
    }


def key_of(connection: Connection, site_id: str, sensor: str) -> int:
    """Return a sensor's numeric key.

    Raises:
        NotFoundError: no such site, or no such sensor of it; the remedy lists the existing ones.
    """
    query = select(sensors.c.name, sensors.c.sensor_key).where(
        sensors.c.site_key == sites.key_of(connection, site_id)
    )
    keys_by_name = {row.name: row.sensor_key for row in connection.execute(query)}
    if sensor not in keys_by_name:
        sensor_names = ", ".join(sorted(keys_by_name))
        if sensor_names:
            remedy = f"Sensors of {site_id}: {sensor_names}."
        else:
            remedy = "Load some with `luna data load --kind readings`."
        raise refuse("no-such-sensor", field="sensor", value=sensor, remedy=remedy)
    return int(keys_by_name[sensor])


def rows_of(connection: Connection, site_id: str, sensor: str | Register) -> sql.Composed:
    """Return table and WHERE clause of the readings of a sensor or a meter register.

    The caller adds a window.

    A sensor's values are converted to its newest unit, see ``recorded_span.list_series``; values
    that cannot be converted are left out.

    Raises:
        NotFoundError: no such site, sensor or register.
    """
    if isinstance(sensor, str):
        key = key_of(connection, site_id, sensor)
        history = sensor_units.read(connection, [key])[key]
        if not history.later:
            return sql.SQL("sensor_readings WHERE sensor_key = {}").format(key)
        factors: list[float | None] = []
        for name in history.names:
            factor_of_unit = ratio(name, history.newest())
            factors.append(None if math.isnan(factor_of_unit) else factor_of_unit)
        # The first unit has no instant: it is the ELSE below.
        changes = zip(reversed(history.since.tolist()), reversed(factors), strict=False)
        whens = sql.SQL(" ").join(
            sql.SQL("WHEN instant >= {} THEN {}").format(since.replace(tzinfo=UTC), factor)
            for since, factor in changes
        )
        factor = sql.SQL("CAST(CASE {} ELSE {} END AS float8)").format(whens, factors[0])
        # PostgreSQL flattens this subquery, so a window still uses the index.
        return sql.SQL(
            "(SELECT instant, value * {0} AS value FROM sensor_readings WHERE sensor_key = "
            "{1} AND {0} IS NOT NULL) AS converted WHERE true"
        ).format(factor, key)
    sites.key_of(connection, site_id)
    meter = smart_meter_readings.c
    is_register = (meter.meter == sensor.meter) & (meter.register == sensor.register)
    if connection.scalar(select(meter.meter).where(is_register).limit(1)) is None:
        raise refuse("no-such-register", field="series", value=f"{sensor.meter}:{sensor.register}")
    return sql.SQL("smart_meter_readings WHERE meter = {} AND register = {}").format(
        sensor.meter, sensor.register
    )


def read(
    connection: Connection,
    site_id: str,
    sensor: str | Register,
    *,
    first: datetime,
    end: datetime,
    most: int | None = None,
) -> tuple[InstantArray, FloatArray]:
    """Return the first ``most`` instants and values of a sensor in ``first`` ≤ instant < ``end``.

    Raises:
        NotFoundError: no such site, sensor or register.
    """
    query = sql.SQL(
        "SELECT instant, value FROM {} AND instant >= {} AND instant < {} ORDER BY instant LIMIT {}"
    ).format(rows_of(connection, site_id, sensor), first, end, most)
    rows = copy.read(connection, query, {"instant": "M8[us]", "value": "f8"})
    return rows["instant"], rows["value"]


def read_each(
    connection: Connection, site_id: str, names: Collection[str], *, first: datetime, end: datetime
) -> dict[str, tuple[InstantArray, FloatArray]]:
    """Return instants and values, as received, of several sensors in one query.

    Sensors that are unknown or without readings are left out.
    """
    stored = _find_sensors(connection, sites.key_of(connection, site_id), names)
    query = sql.SQL(
        "SELECT sensor_key, instant, value FROM sensor_readings WHERE sensor_key = ANY({}) "
        "AND instant >= {} AND instant < {}"
    ).format([row.sensor_key for row in stored.values()], first, end)
    types = {"sensor_key": "i4", "instant": "M8[us]", "value": "f8"}
    rows = copy.split(copy.read(connection, query, types), by=2)
    series_by_name = {}
    for name, row in stored.items():
        series = rows.get(row.sensor_key)
        if series is not None:
            series_by_name[name] = (series["instant"], series["value"])
    return series_by_name


def read_with_previous(
    connection: Connection, site_id: str, sensor: str, *, first: datetime, end: datetime
) -> tuple[InstantArray, FloatArray]:
    """Return a sensor's readings in ``first`` ≤ instant < ``end``, with the one before them.

    The reading before holds at ``first``. Instants and values are as received.

    Raises:
        NotFoundError: no such site or sensor.
    """
    key_of(connection, site_id, sensor)
    return read_with_previous_each(
        connection, [(sites.key_of(connection, site_id), sensor)], first=first, end=end
    )[0]


def read_with_previous_each(
    connection: Connection,
    sensor_names: Sequence[tuple[int, str]],
    *,
    first: datetime,
    end: datetime,
) -> list[tuple[InstantArray, FloatArray]]:
    """Return ``read_with_previous`` of many sensors, by site key and name, in order.

    An unknown sensor has empty arrays.
    """
    if not sensor_names:
        return []
    query = sql.SQL(
        "SELECT requested.number, reading.instant, reading.value FROM unnest({}::int[], "
        "{}::text[]) WITH ORDINALITY AS requested (site_key, name, number)"
        " JOIN sensors USING (site_key, name) CROSS JOIN LATERAL ("
        "(SELECT instant, value FROM sensor_readings AS before WHERE before.sensor_key = "
        "sensors.sensor_key AND instant < {} ORDER BY instant DESC LIMIT 1)"
        " UNION ALL (SELECT instant, value FROM sensor_readings AS since WHERE "
        "since.sensor_key = sensors.sensor_key AND instant >= {} AND instant < {})"
        ") AS reading"
    ).format(
        [key for key, _ in sensor_names], [name for _, name in sensor_names], first, first, end
    )
    types = {"number": "i8", "instant": "M8[us]", "value": "f8"}
    rows = copy.split(copy.read(connection, query, types), by=2)
    no_readings = {"instant": np.empty(0, dtype="M8[us]"), "value": np.empty(0)}
    all_series = []
    for number in range(1, len(sensor_names) + 1):
        series = rows.get(number, no_readings)
        all_series.append((series["instant"], series["value"]))
    return all_series
