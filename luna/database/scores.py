"""What policies cost, day by day."""

from datetime import date

from sqlalchemy import Connection, select
from sqlalchemy.dialects.postgresql import insert

from luna.contracts import ReplayReply
from luna.contracts.replay import DayCost
from luna.database import sites
from luna.database.schema.plans import daily_scores

DAY_COLUMNS = ("day", "cost", "stored_gain", "value_gain", "import_carbon_g")


def upsert_daily(connection: Connection, site_id: str, *, system_id: str, replay: ReplayReply) -> None:
    """Store what every policy of a replay cost on every day; a day scored again takes the place of the first."""
    key = sites.key_of(connection, site_id)
    rows = [
        {"site_key": key, "system_id": system_id, "policy": name, "currency": replay.currency} | {column: getattr(day, column) for column in DAY_COLUMNS}
        for name, policy in replay.policies.items()
        for day in policy.days
    ]
    if rows:
        statement = insert(daily_scores)
        changed = {name: statement.excluded[name] for name in (*DAY_COLUMNS[1:], "currency", "scored_at")}
        connection.execute(statement.on_conflict_do_update(constraint=daily_scores.primary_key, set_=changed), rows)


def read_daily(connection: Connection, site_id: str, *, system_id: str, first: date | None = None, last: date | None = None) -> dict[str, list[DayCost]]:
    """Return the scored days of every policy, in order; from ``first`` to ``last``, default: all there are."""
    table = daily_scores.c
    query = select(table.policy, *(table[column] for column in DAY_COLUMNS)).where(
        table.site_key == sites.key_of(connection, site_id), table.system_id == system_id
    )
    if first is not None:
        query = query.where(table.day >= first)
    if last is not None:
        query = query.where(table.day <= last)
    days: dict[str, list[DayCost]] = {}
    for policy, *values in connection.execute(query.order_by(table.policy, table.day)):
        days.setdefault(policy, []).append(DayCost(**dict(zip(DAY_COLUMNS, values, strict=True))))
    return days
