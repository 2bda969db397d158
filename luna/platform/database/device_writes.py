"""Counts the writes to points that wear out, over the last day.

Stored before the write, so that a restart forgets none.

Limits of a point: ``luna.drivers.write_limits``.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy import Engine, delete, func, select

from luna.platform.clock import Clock
from luna.platform.database.engine import unit_of_work
from luna.platform.database.schema.plans import device_writes

WINDOW = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class StoredWrites:
    """The writes of one device, a ``luna.drivers.write_limits.WriteCounter``.

    ``device`` is its address.
    """

    engine: Engine
    clock: Clock
    device: str

    def spend(self, most: Mapping[str, int]) -> datetime | None:
        """Count one write of each point and return None.

        A point that had its ``most`` within a day stops them all: then none is counted, and the
        instant is returned at which the budget has room again.

        Raises:
            UnavailableError: the database is away.
        """
        with unit_of_work(self.engine) as connection:
            # Serialises concurrent counters, which would each see the last free write.
            connection.execute(select(func.pg_advisory_xact_lock(func.hashtext(self.device))))
            now = self.clock.now()
            connection.execute(
                delete(device_writes).where(
                    device_writes.c.device == self.device,
                    device_writes.c.written_at <= now - WINDOW,
                )
            )
            written: dict[str, list[datetime]] = {point: [] for point in most}
            of_points = (device_writes.c.device == self.device) & device_writes.c.point.in_(most)
            for point, at in connection.execute(
                select(device_writes.c.point, device_writes.c.written_at)
                .where(of_points)
                .order_by(device_writes.c.written_at)
            ):
                written[point].append(at.astimezone(UTC))
            # A budget has room again when its oldest counted write is a day old.
            free_at = [
                written[point][-count] + WINDOW
                for point, count in most.items()
                if len(written[point]) >= count
            ]
            if not free_at:
                rows = [
                    {"device": self.device, "point": point, "written_at": now} for point in most
                ]
                connection.execute(device_writes.insert().values(rows))
        return max(free_at, default=None)

    def read_share(self, most: Mapping[str, int]) -> float:
        """Return the largest used share, 0–1, of the points' ``most`` writes within a day.

        Raises:
            UnavailableError: the database is away.
        """
        recent = (device_writes.c.device == self.device) & (
            device_writes.c.written_at > self.clock.now() - WINDOW
        )
        query = (
            select(device_writes.c.point, func.count())
            .where(recent, device_writes.c.point.in_(most))
            .group_by(device_writes.c.point)
        )
        with unit_of_work(self.engine) as connection:
            return max(
                (count / most[point] for point, count in connection.execute(query)), default=0.0
            )
