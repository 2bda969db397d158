"""Store what replays find: the days of one under way, and the optimum in hindsight.

An interrupted replay goes on from its days; the optimum has a row per local day.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date, timedelta
from typing import Any

from sqlalchemy import Connection, delete, func, or_, select
from sqlalchemy.dialects.postgresql import insert

from luna.platform.database import sites
from luna.platform.database.schema.plans import oracle_daily_results, replay_days

# Days of a replay that was interrupted for longer are not used.
RETENTION = timedelta(days=14)
DayRecords = dict[str, dict[str, Any]]


def read_days(connection: Connection, site_id: str, replay: str) -> dict[date, DayRecords]:
    """Return the days of a replay that were lived already, in order.

    Records are documents by policy.

    Raises:
        NotFoundError: no such site.
    """
    table = replay_days.c
    query = select(table.day, table.records).where(
        table.site_key == sites.key_of(connection, site_id), table.replay == replay
    )
    return {row.day: row.records for row in connection.execute(query.order_by(table.day))}


def keep_day(
    connection: Connection,
    site_id: str,
    replay: str,
    *,
    day: date,
    records: Mapping[str, Mapping[str, Any]],
) -> None:
    """Store a day that was lived; the same again changes nothing.

    Raises:
        NotFoundError: no such site.
    """
    row = {
        "site_key": sites.key_of(connection, site_id),
        "replay": replay,
        "day": day,
        "records": records,
    }
    connection.execute(insert(replay_days).values(row).on_conflict_do_nothing())


def forget(connection: Connection, site_id: str, replay: str) -> None:
    """Delete the days of a replay that has ended, and of the site's abandoned ones.

    Raises:
        NotFoundError: no such site.
    """
    table = replay_days.c
    over = or_(table.replay == replay, table.recorded_at < func.now() - RETENTION)
    connection.execute(
        delete(replay_days).where(table.site_key == sites.key_of(connection, site_id), over)
    )


def forget_abandoned(connection: Connection) -> int:
    """Delete the days of abandoned replays of all sites, and return their number."""
    return connection.execute(
        delete(replay_days).where(replay_days.c.recorded_at < func.now() - RETENTION)
    ).rowcount


@dataclass(frozen=True, slots=True)
class OracleResult:
    """The costs of a day with everything known, and without control.

    Gains are the change of the batteries' energy in worth that day.

    ``schedule`` holds the commands of the oracle's batteries, and their state of charge at the end
    of each slot.
    """

    day: date
    oracle_cost: float
    idle_cost: float
    oracle_gain: float | None
    idle_gain: float | None
    currency: str
    schedule: Mapping[str, Any]


def upsert_oracle(connection: Connection, site_id: str, results: Sequence[OracleResult]) -> None:
    """Store results by site and day; the same again changes nothing.

    Raises:
        NotFoundError: no such site.
    """
    if not results:
        return
    key = sites.key_of(connection, site_id)
    table = oracle_daily_results.c
    statement = insert(oracle_daily_results)
    names = [name for name in OracleResult.__dataclass_fields__ if name != "day"]
    changed = or_(*(table[name].is_distinct_from(statement.excluded[name]) for name in names))
    new_values = {name: statement.excluded[name] for name in (*names, "recorded_at")}
    rows = [asdict(result) | {"site_key": key} for result in results]
    connection.execute(
        statement.on_conflict_do_update(
            constraint=oracle_daily_results.primary_key, set_=new_values, where=changed
        ),
        rows,
    )


def read_oracle(
    connection: Connection, site_id: str, first: date, last: date
) -> list[OracleResult]:
    """Return the results of the days from ``first`` to ``last``, in order.

    Raises:
        NotFoundError: no such site.
    """
    table = oracle_daily_results.c
    columns = [table[name] for name in OracleResult.__dataclass_fields__]
    query = (
        select(*columns)
        .where(table.site_key == sites.key_of(connection, site_id), table.day.between(first, last))
        .order_by(table.day)
    )
    return [OracleResult(**row) for row in connection.execute(query).mappings()]
