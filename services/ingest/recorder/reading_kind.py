"""Readings as rows of a spool."""

import json
import math
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import numpy as np
from sqlalchemy import Connection

from luna.database import readings
from luna.errors import InvalidInputError
from luna.timeline import require_utc
from services.ingest.reading import Reading

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)


class ReadingKind:
    """Goes to ``sensors`` and ``sensor_readings`` by sensor and instant.

    NaN, a sensor that says it knows nothing, is stored as such: left out, the value before would seem to hold on. It gives way to a number for the same
    instant and never replaces one.
    """

    name = "readings"

    def encode(self, row: Reading) -> bytes:
        """Return a reading as JSON.

        Raises:
            InvalidInputError: a sensor or unit that PostgreSQL keeps in no text, or an instant without offset.
        """
        at = (require_utc(row.instant, field="instant") - EPOCH) // MICROSECOND
        for field, name in (("sensor", row.sensor), ("unit", row.unit or "-")):
            if not _can_be_stored(name):
                raise InvalidInputError("no name that can be stored", field=field, value=name, remedy="Use letters and digits.")
        value = float(row.value)
        return json.dumps([row.sensor, at, None if math.isnan(value) else value, row.unit]).encode()

    def store(self, connection: Connection, site_id: str, bodies: Sequence[bytes]) -> None:
        """Register the sensors and write the readings; of two with the same instant the later number counts.

        Raises:
            NotFoundError: no such site.
        """
        rows = json.loads(b"[" + b",".join(bodies) + b"]")
        units: dict[str, str | None] = {}
        latest: dict[tuple[str, int], float] = {}
        for sensor, at, value, unit in rows:
            units[sensor] = unit or units.get(sensor)
            if value is not None:
                latest[sensor, at] = value
            else:
                latest.setdefault((sensor, at), math.nan)
        keys = readings.register(connection, site_id, units)
        instants = np.array([at for _, at in latest], dtype="datetime64[us]")
        sensor_keys = np.array([keys[sensor] for sensor, _ in latest], dtype=np.int32)
        readings.upsert(connection, sensor_keys, instants, np.array(list(latest.values())))


def _can_be_stored(name: str) -> bool:
    # What is left of broken bytes has no UTF-8, and PostgreSQL's texts have no character of code 0.
    return bool(name.strip()) and "\0" not in name and not any("\ud800" <= character <= "\udfff" for character in name)
