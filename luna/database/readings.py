"""Raw values of sensors, as received."""

from collections.abc import Mapping
from datetime import datetime

import numpy as np
from numpy.typing import NDArray
from psycopg import sql
from sqlalchemy import Connection, select
from sqlalchemy.dialects.postgresql import insert

from luna.database import copy, sites
from luna.database.schema.series import sensor_readings, sensors
from luna.errors import NotFoundError
from luna.timeline import FloatArray, InstantArray


def register(connection: Connection, site_id: str, units: Mapping[str, str | None]) -> dict[str, int]:
    """Make sure the named sensors of a site exist and return the number of each.

    Args:
        units: sensor → unit; None keeps the unit that is stored.
    """
    key = sites.key_of(connection, site_id)
    rows = [{"site_key": key, "name": name, "unit": unit} for name, unit in units.items()]
    statement = insert(sensors)
    known_unit = {"unit": statement.excluded.unit}
    changed = statement.excluded.unit.is_not(None) & statement.excluded.unit.is_distinct_from(sensors.c.unit)
    connection.execute(statement.on_conflict_do_update(index_elements=["site_key", "name"], set_=known_unit, where=changed), rows)
    found = connection.execute(select(sensors.c.name, sensors.c.sensor_key).where(sensors.c.site_key == key, sensors.c.name.in_(list(units))))
    return {row.name: row.sensor_key for row in found}


def upsert(connection: Connection, sensor_keys: NDArray[np.int32], instants: InstantArray, value: FloatArray) -> copy.Written:
    """Store readings; ``sensor_keys`` come from ``register``."""
    return copy.upsert(connection, sensor_readings, {"sensor_key": sensor_keys, "instant": instants, "value": value})


def key_of(connection: Connection, site_id: str, sensor: str) -> int:
    """Return the number that stands for a sensor.

    Raises:
        NotFoundError: no such site, or no such sensor at it; the remedy lists those there are.
    """
    found = connection.execute(select(sensors.c.name, sensors.c.sensor_key).where(sensors.c.site_key == sites.key_of(connection, site_id)))
    known = {row.name: row.sensor_key for row in found}
    if sensor not in known:
        there = ", ".join(sorted(known))
        remedy = f"Sensors of {site_id}: {there}." if there else "Load some with `luna data load --kind readings`."
        raise NotFoundError("no such sensor", field="sensor", value=sensor, remedy=remedy)
    return int(known[sensor])


def read(connection: Connection, site_id: str, sensor: str, *, first: datetime, end: datetime) -> tuple[InstantArray, FloatArray]:
    """Return instants and values of a sensor from ``first`` on, before ``end``.

    Raises:
        NotFoundError: no such site or sensor.
    """
    query = sql.SQL("SELECT instant, value FROM sensor_readings WHERE sensor_key = {} AND instant >= {} AND instant < {} ORDER BY instant").format(
        key_of(connection, site_id, sensor), first, end
    )
    rows = copy.read(connection, query, {"instant": "M8[us]", "value": "f8"})
    return rows["instant"], rows["value"]
