"""Store the unit history of sensors.

The first known unit with the sensor, and each later change with its instant.
"""

from collections.abc import Collection, Sequence
from datetime import UTC

import numpy as np
from numpy.typing import NDArray
from psycopg import sql
from sqlalchemy import Connection, delete, func, insert, select, tuple_, update

from luna.energy.timeline import InstantArray, to_instant
from luna.energy.units import NOT_SAID, StatedUnits, UnitHistory
from luna.platform.database import copy
from luna.platform.database.schema.series import sensor_readings, sensor_units, sensors


def read(connection: Connection, sensor_keys: Collection[int]) -> dict[int, UnitHistory]:
    """Return the unit histories of sensors by their keys."""
    units = select(
        sensors.c.sensor_key,
        sensors.c.unit,
        sensor_units.c.since,
        sensor_units.c.unit.label("later"),
    ).outerjoin_from(sensors, sensor_units)
    query = units.where(sensors.c.sensor_key.in_(sensor_keys)).order_by(sensor_units.c.since)
    first: dict[int, str | None] = {}
    changes: dict[int, list[tuple[np.datetime64, str]]] = {}
    for row in connection.execute(query):
        first[row.sensor_key] = row.unit
        changes_of_sensor = changes.setdefault(row.sensor_key, [])
        if row.since is not None:
            changes_of_sensor.append((to_instant(row.since), row.later))
    histories = {}
    for key, unit in first.items():
        since = np.array([since for since, _ in changes[key]], dtype="datetime64[us]")
        histories[key] = UnitHistory(unit, since, tuple(later for _, later in changes[key]))
    return histories


def read_named(
    connection: Connection, sensor_names: Sequence[tuple[int, str]]
) -> dict[tuple[int, str], UnitHistory]:
    """Return the unit histories of sensors by site key and name.

    Unknown sensors are left out.
    """
    if not sensor_names:
        return {}
    table = sensors.c
    rows = connection.execute(
        select(table.site_key, table.name, table.sensor_key).where(
            tuple_(table.site_key, table.name).in_(sensor_names)
        )
    )
    keys = {row.sensor_key: (row.site_key, row.name) for row in rows}
    return {keys[key]: units for key, units in read(connection, keys).items()}


def note(
    connection: Connection,
    sensor_keys: NDArray[np.int32],
    instants: InstantArray,
    stated: StatedUnits,
) -> int:
    """Store the units of readings that are about to be stored, without affecting other readings.

    Return how many stored readings had another unit.

    Args:
        sensor_keys: of the readings.
        instants: of the readings; each once per sensor.
        stated: their units.
    """
    has_unit = stated.codes != NOT_SAID
    changed = 0
    for key, history in read(connection, np.unique(sensor_keys[has_unit]).tolist()).items():
        is_sensor = has_unit & (sensor_keys == key)
        units = StatedUnits(stated.names, stated.codes[is_sensor])
        if not history.agrees(instants[is_sensor], units):
            changed += _change(connection, key, instants[is_sensor], units)
    return changed


def _change(connection: Connection, key: int, instants: InstantArray, stated: StatedUnits) -> int:
    # Serialised per sensor: each change keeps the units that an earlier one stated for other
    # readings.
    connection.execute(
        select(sensors.c.sensor_key)
        .where(sensors.c.sensor_key == key)
        .with_for_update(key_share=True)
    )
    previous = read(connection, [key])[key]
    # The stored readings from the first instant to the next one after the last.
    first, last = (
        extreme.astype("datetime64[us]").item().replace(tzinfo=UTC)
        for extreme in (instants.min(), instants.max())
    )
    of_sensor = sensor_readings.c.sensor_key == key
    instant = sensor_readings.c.instant
    following = connection.scalar(select(func.min(instant)).where(of_sensor, instant > last))
    query = sql.SQL(
        "SELECT instant FROM sensor_readings WHERE sensor_key = {} AND instant >= {} AND "
        "instant <= {}"
    ).format(key, first, following or last)
    stored = copy.read(connection, query, {"instant": "M8[us]"})["instant"]
    changed = previous.with_stated(instants, stated, stored)
    if changed.first != previous.first:
        connection.execute(
            update(sensors).where(sensors.c.sensor_key == key).values(unit=changed.first)
        )
    connection.execute(delete(sensor_units).where(sensor_units.c.sensor_key == key))
    rows = [
        {"sensor_key": key, "since": since.replace(tzinfo=UTC), "unit": unit}
        for since, unit in zip(changed.since.tolist(), changed.later, strict=True)
    ]
    if rows:
        connection.execute(insert(sensor_units), rows)
    before, after = (
        np.array(history.names, dtype=np.object_)[history.places(instants)]
        for history in (previous, changed)
    )
    return int((np.isin(instants, stored) & (before != after)).sum())
