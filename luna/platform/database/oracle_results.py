"""The optimum in hindsight, a row per local day."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date
from typing import Any

from sqlalchemy import Connection, or_, select
from sqlalchemy.dialects.postgresql import insert

from luna.platform.database import sites
from luna.platform.database.schema.plans import oracle_daily_results


@dataclass(frozen=True, slots=True)
class OracleResult:
    """What a day cost with everything known and without control; gains are what the batteries' energy gained in worth that day.

    ``schedule`` holds the commands of the oracle's batteries, and their state of charge at the end of each slot.
    """

    day: date
    oracle_cost: float
    idle_cost: float
    oracle_gain: float | None
    idle_gain: float | None
    currency: str
    schedule: Mapping[str, Any]


def upsert(connection: Connection, site_id: str, results: Sequence[OracleResult]) -> None:
    """Store results by site and day; the same again changes nothing.

    Raises:
        NotFoundError: no such site.
    """
    if not results:
        return
    key, table, statement = sites.key_of(connection, site_id), oracle_daily_results.c, insert(oracle_daily_results)
    names = [name for name in OracleResult.__dataclass_fields__ if name != "day"]
    changed = or_(*(table[name].is_distinct_from(statement.excluded[name]) for name in names))
    fresh = {name: statement.excluded[name] for name in (*names, "recorded_at")}
    rows = [asdict(result) | {"site_key": key} for result in results]
    connection.execute(statement.on_conflict_do_update(constraint=oracle_daily_results.primary_key, set_=fresh, where=changed), rows)


def read(connection: Connection, site_id: str, first: date, last: date) -> list[OracleResult]:
    """Return the results of the days from ``first`` to ``last``, in order.

    Raises:
        NotFoundError: no such site.
    """
    table = oracle_daily_results.c
    columns = [table[name] for name in OracleResult.__dataclass_fields__]
    query = select(*columns).where(table.site_key == sites.key_of(connection, site_id), table.day.between(first, last)).order_by(table.day)
    return [OracleResult(**row) for row in connection.execute(query).mappings()]
