"""Live readings: acknowledged when they are on the disk, delivered to the database when that answers."""

import asyncio
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta

from prometheus_client import Counter, Gauge
from sqlalchemy import Engine

from luna.settings import Settings
from luna.spool import Mirror, open_mirror
from services.ingest.reading import Reading
from services.ingest.recorder.reading_kind import ReadingKind

ROWS = Gauge("luna_ingest_spool_rows", "Readings that are safe on this machine's disk and not yet in the database.")
OLDEST_SECONDS = Gauge("luna_ingest_spool_oldest_seconds", "How long the oldest of them has waited; 0 where none waits.")
READINGS = Counter("luna_ingest_readings_total", "Live readings that were acknowledged.", ["source"])


class Recorder:
    """What a live source hands its readings to; any number of sources and sites share one."""

    def __init__(self, mirror: Mirror) -> None:
        self._mirror = mirror
        self._kind = ReadingKind()

    async def record(self, readings: Sequence[Reading], *, site_id: str, source: str) -> None:
        """Return when the readings are safe, whatever then happens to this process, its machine or the database.

        ``functools.partial(recorder.record, site_id=…, source=…)`` is what ``LiveSource.listen`` takes. Callers that wait at the same time share one sync
        of the disk, so many small calls at once are as good as a large one.

        Args:
            readings: in the order received; all are kept, or none where this raises.
            site_id: the site's name. One that the database does not know keeps its readings in the spool until it is added.
            source: name of the source, for the metrics.

        Raises:
            MachineError: the disk is full or failing; nothing was acknowledged, and the same call works once there is room.
            InvalidInputError: a reading that the database would refuse.
            UnavailableError: the recorder is closed.
        """
        if readings:
            await asyncio.wrap_future(self._mirror.keep(self._kind, site_id, readings))
            READINGS.labels(source).inc(len(readings))

    @property
    def rows(self) -> int:
        """How many readings wait for the database."""
        return self._mirror.rows

    def flush(self, timeout: timedelta) -> bool:
        """Wait, outside the event loop, until the database has everything; return whether that came true in time."""
        return self._mirror.flush(timeout)


@contextmanager
def open_recorder(settings: Settings, engine: Engine) -> Iterator[Recorder]:
    """Open the recorder of this machine, in ``<data folder>/spool/readings``; what waits there is delivered to ``engine`` while the block runs.

    The database may be away, also now, and for days: ``engine`` connects when rows are to be delivered. What is left at the end waits for the next start.

    Raises:
        MachineError: another process records into this data folder, or it cannot be written.
    """
    with open_mirror(settings.data_folder / "spool" / "readings", engine, ReadingKind()) as mirror:
        ROWS.set_function(lambda: mirror.rows)
        OLDEST_SECONDS.set_function(lambda: mirror.oldest_seconds)
        yield Recorder(mirror)
