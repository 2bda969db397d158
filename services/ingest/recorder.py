"""Recording of live readings.

They are acknowledged once on this machine's disk, and delivered once the database answers.
"""

import asyncio
import json
import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import numpy as np
from prometheus_client import Counter, Gauge
from sqlalchemy import Connection, Engine

from luna.energy.errors import InvalidInputError
from luna.energy.timeline import require_utc
from luna.energy.units import StatedUnits
from luna.platform.database import readings
from luna.platform.settings import Settings
from luna.platform.spool.spool import SpoolWriter, open_mirror
from services.ingest.source_readings import Reading

ROWS = Gauge(
    "luna_ingest_spool_rows",
    "Readings that are safe on this machine's disk and not yet in the database.",
)
OLDEST_SECONDS = Gauge(
    "luna_ingest_spool_oldest_seconds",
    "How long the oldest of them has waited; 0 where none waits.",
)
READINGS = Counter(
    "luna_ingest_readings_total", "Live readings that were acknowledged.", ["source"]
)


class Recorder:
    """Takes the readings of live sources; any number of sources and sites share one."""

    def __init__(self, mirror: SpoolWriter) -> None:
        self._mirror = mirror
        self._kind = ReadingKind()

    async def record(self, readings: Sequence[Reading], *, site_id: str, source: str) -> None:
        """Write readings to the spool.

        Return once they outlive a crash of this process, its machine or the database.

        ``functools.partial(recorder.record, site_id=…, source=…)`` is what ``LiveSource.listen``
        takes. Callers that wait at the same time share one sync of the disk, so many small calls at
        once are as good as a large one.

        Args:
            readings: in the order received; all are kept, or none where this raises.
            site_id: the site's name. One that the database does not know keeps its readings in the
                spool until it is added.
            source: name of the source, for the metrics.

        Raises:
            MachineError: the disk is full or failing; nothing was acknowledged, and the same call
                works once there is room.
            InvalidInputError: a reading that the database would refuse.
            UnavailableError: the recorder is closed.
        """
        if readings:
            await asyncio.wrap_future(self._mirror.keep(self._kind, site_id, readings))
            READINGS.labels(source).inc(len(readings))

    @property
    def rows(self) -> int:
        """Number of readings that wait for the database."""
        return self._mirror.rows

    def flush(self, timeout: timedelta) -> bool:
        """Wait, outside the event loop, until the database has everything.

        Return whether it had within ``timeout``.
        """
        return self._mirror.flush(timeout)


@contextmanager
def open_recorder(settings: Settings, engine: Engine) -> Iterator[Recorder]:
    """Open the recorder of this machine, in ``<data folder>/spool/readings``.

    What waits there is delivered to ``engine`` while the block runs.

    The database may be away, also now, and for days: ``engine`` connects when rows are to be
    delivered. What is left at the end waits for the next start.

    Raises:
        MachineError: another process records into this data folder, or it cannot be written.
    """
    with open_mirror(settings.data_folder / "spool" / "readings", engine, ReadingKind()) as mirror:
        ROWS.set_function(lambda: mirror.rows)
        OLDEST_SECONDS.set_function(lambda: mirror.oldest_seconds)
        yield Recorder(mirror)


EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)


class ReadingKind:
    """Row kind of the spool for readings, stored by sensor and instant.

    Its tables are ``sensors`` and ``sensor_readings``.

    NaN, a sensor without a value, is stored too: left out, the value before would seem to hold on.
    A number for the same instant replaces it, never the reverse.
    """

    name = "readings"

    def encode(self, row: Reading) -> bytes:
        """Return a reading as JSON, its instant in microseconds since 1970.

        Raises:
            InvalidInputError: a sensor or unit that PostgreSQL cannot store as text, or an instant
                without offset.
        """
        microseconds = (require_utc(row.instant, field="instant") - EPOCH) // MICROSECOND
        for field, name in (("sensor", row.sensor), ("unit", row.unit or "-")):
            # Neither lone surrogates, left by broken bytes, nor NUL can be stored in a PostgreSQL
            # text.
            if (
                not name.strip()
                or "\0" in name
                or any("\ud800" <= character <= "\udfff" for character in name)
            ):
                raise InvalidInputError(
                    "no name that can be stored",
                    field=field,
                    value=name,
                    remedy="Use letters and digits.",
                )
        value = float(row.value)
        return json.dumps(
            [row.sensor, microseconds, None if math.isnan(value) else value, row.unit]
        ).encode()

    def store(self, connection: Connection, site_id: str, bodies: Sequence[bytes]) -> None:
        """Register the sensors and write the readings.

        Of two with the same instant the later number counts.

        Raises:
            NotFoundError: no such site.
        """
        rows = json.loads(b"[" + b",".join(bodies) + b"]")
        latest: dict[tuple[str, int], tuple[float, str | None]] = {}
        for sensor, microseconds, value, unit in rows:
            if value is not None:
                latest[sensor, microseconds] = value, unit
            else:
                latest.setdefault((sensor, microseconds), (math.nan, unit))
        keys = readings.register(connection, site_id, dict.fromkeys(sensor for sensor, _ in latest))
        instants = np.array([microseconds for _, microseconds in latest], dtype="datetime64[us]")
        sensor_keys = np.array([keys[sensor] for sensor, _ in latest], dtype=np.int32)
        values = np.array([value for value, _ in latest.values()])
        readings.upsert(
            connection,
            sensor_keys,
            instants,
            values,
            units=StatedUnits.of([unit for _, unit in latest.values()]),
        )
