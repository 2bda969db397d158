"""Store what policies cost, day by day."""

from collections.abc import Collection, Mapping, Sequence
from datetime import date, datetime

from sqlalchemy import Connection, Date, cast, func, select, tuple_
from sqlalchemy.dialects.postgresql import insert

from luna.contracts import ReplayReply
from luna.contracts.replay import DayCost, DayScore
from luna.platform.database import sites
from luna.platform.database.schema.plans import daily_scores

DAY_COLUMNS = ("day", "cost", "stored_gain", "value_gain", "import_carbon_g", "corrected")


def upsert_daily(
    connection: Connection, site_id: str, *, system_id: str, replay: ReplayReply
) -> None:
    """Store what every policy of a replay cost on every day.

    A day scored again takes the place of the first.
    """
    upsert_days(
        connection,
        site_id,
        system_id=system_id,
        currency=replay.currency,
        days={name: policy.days for name, policy in replay.policies.items()},
    )


def upsert_days(
    connection: Connection,
    site_id: str,
    *,
    system_id: str,
    currency: str,
    days: Mapping[str, Sequence[DayCost]],
) -> None:
    """Store what policies cost on days, by policy.

    A day scored again takes the place of the first.
    """
    key = sites.key_of(connection, site_id)
    rows = []
    for name, costs in days.items():
        shared = {"site_key": key, "system_id": system_id, "policy": name, "currency": currency}
        for day in costs:
            row = shared | {column: getattr(day, column) for column in DAY_COLUMNS}
            rows.append(row)
    if rows:
        statement = insert(daily_scores)
        changed = {
            name: statement.excluded[name] for name in (*DAY_COLUMNS[1:], "currency", "scored_at")
        }
        connection.execute(
            statement.on_conflict_do_update(constraint=daily_scores.primary_key, set_=changed), rows
        )


def read_daily(
    connection: Connection,
    site_id: str,
    *,
    system_id: str,
    first: date | None = None,
    last: date | None = None,
) -> dict[str, list[DayCost]]:
    """Return the scored days of every policy from ``first`` to ``last`` (None: all), in order."""
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
        cost = DayCost(**dict(zip(DAY_COLUMNS, values, strict=True)))
        days.setdefault(policy, []).append(cost)
    return days


def read_instants(
    connection: Connection,
    site_id: str,
    *,
    system_id: str,
    policies: Collection[str],
    days: tuple[date, date],
) -> dict[date, datetime]:
    """Return when each day was scored: the one of ``policies`` that was scored first.

    ``days`` are the first and the last.
    """
    table = daily_scores.c
    query = (
        select(table.day, func.min(table.scored_at).label("scored_at"))
        .where(
            table.site_key == sites.key_of(connection, site_id),
            table.system_id == system_id,
            table.policy.in_(policies),
            table.day.between(*days),
        )
        .group_by(table.day)
    )
    return {row.day: row.scored_at for row in connection.execute(query)}


def list_days(
    connection: Connection,
    site_id: str,
    *,
    system_id: str,
    days: tuple[date | None, date | None],
    after: tuple[str, str] | None = None,
    limit: int = 500,
) -> list[DayScore]:
    """Return what policies cost on the local days within ``days``, by day, then policy.

    ``days`` are the first and the last; None: no bound.

    Args:
        system_id: the replay whose scores are read.
        days: first and last.
        after: day (ISO 8601) and policy of the score behind which the list begins.
        limit: how many at most.

    Raises:
        NotFoundError: no such site.
    """
    table = daily_scores.c
    first, last = days
    bounds = []
    if first is not None:
        bounds.append(table.day >= first)
    if last is not None:
        bounds.append(table.day <= last)
    if after is not None:
        after_day, after_policy = after
        bounds.append(tuple_(table.day, table.policy) > tuple_(cast(after_day, Date), after_policy))
    columns = [table[name] for name in DayScore.model_fields]
    of_system = (table.site_key == sites.key_of(connection, site_id)) & (
        table.system_id == system_id
    )
    rows = connection.execute(
        select(*columns).where(of_system, *bounds).order_by(table.day, table.policy).limit(limit)
    )
    return [DayScore.model_validate(dict(row)) for row in rows.mappings()]
