"""What policies cost, day by day."""

from sqlalchemy import Connection, select
from sqlalchemy.dialects.postgresql import insert

from luna.contracts import ReplayReply
from luna.contracts.replay import DayCost
from luna.database import sites
from luna.database.schema.plans import daily_scores


def upsert_daily(connection: Connection, site_id: str, *, system_id: str, replay: ReplayReply) -> None:
    """Store what every policy of a replay cost on every day; a day scored again takes the place of the first."""
    key = sites.key_of(connection, site_id)
    rows = [
        {"site_key": key, "day": day.day, "system_id": system_id, "policy": name, "cost": day.cost, "stored_gain": day.stored_gain, "currency": replay.currency}
        for name, policy in replay.policies.items()
        for day in policy.days
    ]
    if rows:
        statement = insert(daily_scores)
        changed = {name: statement.excluded[name] for name in ("cost", "stored_gain", "currency", "scored_at")}
        connection.execute(statement.on_conflict_do_update(constraint=daily_scores.primary_key, set_=changed), rows)


def read_daily(connection: Connection, site_id: str, *, system_id: str) -> dict[str, list[DayCost]]:
    """Return the scored days of every policy, in order."""
    table = daily_scores.c
    query = select(table.policy, table.day, table.cost, table.stored_gain).where(
        table.site_key == sites.key_of(connection, site_id), table.system_id == system_id
    )
    days: dict[str, list[DayCost]] = {}
    for policy, day, cost, gain in connection.execute(query.order_by(table.policy, table.day)):
        days.setdefault(policy, []).append(DayCost(day=day, cost=cost, stored_gain=gain))
    return days
