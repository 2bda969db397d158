"""Writes to points of devices that wear out by them: those of the last day, stored before they are made, so that no restart forgets one."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

from sqlalchemy import Connection, delete, func, select

from luna.platform.database.schema.plans import device_writes

WINDOW = timedelta(days=1)


def spend(connection: Connection, device: str, most: Mapping[str, int], *, now: datetime) -> datetime | None:
    """Count a write of each point at ``now``, or none of them where one had its ``most`` within a day; return then when there is room again, else None."""
    # Two that count at once would each find the last one free.
    connection.execute(select(func.pg_advisory_xact_lock(func.hashtext(device))))
    connection.execute(delete(device_writes).where(device_writes.c.device == device, device_writes.c.written_at <= now - WINDOW))
    written: dict[str, list[datetime]] = {point: [] for point in most}
    own = (device_writes.c.device == device) & device_writes.c.point.in_(most)
    for point, at in connection.execute(select(device_writes.c.point, device_writes.c.written_at).where(own).order_by(device_writes.c.written_at)):
        written[point].append(at.astimezone(UTC))
    # Room comes back as the oldest writes grow older than a day.
    free_at = [written[point][-count] + WINDOW for point, count in most.items() if len(written[point]) >= count]
    if not free_at:
        connection.execute(device_writes.insert().values([{"device": device, "point": point, "written_at": now} for point in most]))
    return max(free_at, default=None)
