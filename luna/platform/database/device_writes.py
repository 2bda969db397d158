"""Writes to points of devices that wear out by them: those of the last day, stored before they are made, so that no restart forgets one."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import Connection, Engine, delete, func, select

from luna.platform.clock import Clock
from luna.platform.database.engine import unit_of_work
from luna.platform.database.schema.plans import device_writes
from luna.platform.drivers.budget import WINDOW, find_room


@dataclass(frozen=True, slots=True)
class StoredWrites:
    """The writes of one device. ``device`` says where it is reached."""

    engine: Engine
    clock: Clock
    device: str

    def spend(self, most: Mapping[str, int]) -> datetime | None:
        """Count a write of each point, or none of them where one had its ``most`` within a day; return then when there is room again, else None.

        Raises:
            UnavailableError: the database is away.
        """
        with unit_of_work(self.engine) as connection:
            return spend(connection, self.device, most, now=self.clock.now())


def spend(connection: Connection, device: str, most: Mapping[str, int], *, now: datetime) -> datetime | None:
    """Count a write of each point at ``now``, or none of them where one had its ``most`` within a day; return then when there is room again, else None."""
    # Two that count at once would each find the last one free.
    connection.execute(select(func.pg_advisory_xact_lock(func.hashtext(device))))
    connection.execute(delete(device_writes).where(device_writes.c.device == device, device_writes.c.written_at <= now - WINDOW))
    written = dict[str, list[datetime]]()
    for point, at in connection.execute(select(device_writes.c.point, device_writes.c.written_at).where(device_writes.c.device == device)):
        written.setdefault(point, []).append(at.astimezone(UTC))
    until = find_room(written, most)
    if until is None:
        connection.execute(device_writes.insert().values([{"device": device, "point": point, "written_at": now} for point in most]))
    return until
