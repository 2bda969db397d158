"""Days of replays under way: what an interrupted one goes on from."""

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any

from sqlalchemy import Connection, delete, func, or_, select
from sqlalchemy.dialects.postgresql import insert

from luna.platform.database import sites
from luna.platform.database.schema.plans import replay_days

# Nobody goes on from what lay for longer.
RETENTION = timedelta(days=14)
DayRecords = dict[str, dict[str, Any]]


def read_days(connection: Connection, site_id: str, replay: str) -> dict[date, DayRecords]:
    """Return the days of a replay that were lived already, in order; records are documents by policy.

    Raises:
        NotFoundError: no such site.
    """
    table = replay_days.c
    query = select(table.day, table.records).where(table.site_key == sites.key_of(connection, site_id), table.replay == replay)
    return {row.day: row.records for row in connection.execute(query.order_by(table.day))}


def keep_day(connection: Connection, site_id: str, replay: str, *, day: date, records: Mapping[str, Mapping[str, Any]]) -> None:
    """Store a day that was lived; the same again changes nothing.

    Raises:
        NotFoundError: no such site.
    """
    row = {"site_key": sites.key_of(connection, site_id), "replay": replay, "day": day, "records": records}
    connection.execute(insert(replay_days).values(row).on_conflict_do_nothing())


def forget(connection: Connection, site_id: str, replay: str) -> None:
    """Delete the days of a replay that has ended, and of those of the site that nobody went on with.

    Raises:
        NotFoundError: no such site.
    """
    table = replay_days.c
    over = or_(table.replay == replay, table.recorded_at < func.now() - RETENTION)
    connection.execute(delete(replay_days).where(table.site_key == sites.key_of(connection, site_id), over))


def forget_abandoned(connection: Connection) -> int:
    """Delete the days of replays of all sites that nobody went on with, and return how many."""
    return connection.execute(delete(replay_days).where(replay_days.c.recorded_at < func.now() - RETENTION)).rowcount
