"""Record changes that make a site's plan outdated.

They are noted in the transaction of the change, and removed by the plan that accounts for them.
"""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Literal
from uuid import UUID

from sqlalchemy import (
    Connection,
    Select,
    Text,
    cast,
    func,
    literal,
    or_,
    select,
    text,
    tuple_,
    update,
)
from sqlalchemy.dialects.postgresql import ARRAY, insert

from luna.platform.database.schema.plans import plan_causes
from luna.platform.database.schema.sites import sites

CauseKind = Literal["site", "forecast", "prices", "session", "block", "override", "owner", "limit"]
# An owner's order for a device and an operator's limit are planned at once, also where sites are
# planned only while they are armed.
ORDERS: tuple[CauseKind, ...] = ("block", "override", "limit")
# The identity of a change, by site and kind.
Causes = Mapping[tuple[int, str], UUID]
# A plan that has not arrived by then is requested again: its worker may have died.
REQUEST_VALIDITY = timedelta(minutes=1)

# Finds the market by its quoted name in the configuration; a false match only causes an extra plan.
_OF_MARKET = text(
    "INSERT INTO plan_causes (site_key, kind) SELECT latest.site_key, 'prices' FROM"
    " (SELECT DISTINCT ON (site_key) site_key, configuration FROM site_versions ORDER BY "
    "site_key, version DESC) AS latest"
    " JOIN sites USING (site_key) WHERE strpos(latest.configuration::text, :quoted) > 0 OR "
    "starts_with(:market, 'site:' || sites.name || ':')"
    " ORDER BY latest.site_key ON CONFLICT (site_key, kind) DO UPDATE SET change_id = "
    "gen_random_uuid(), asked_at = NULL"
)


def note(connection: Connection, keys: Collection[int], kind: CauseKind) -> None:
    """Record a change of sites that affects their plans."""
    if keys:
        # In one order everywhere, to avoid deadlocks.
        statement = insert(plan_causes).values(
            [{"site_key": key, "kind": kind} for key in sorted(set(keys))]
        )
        anew = {"change_id": func.gen_random_uuid(), "asked_at": None}
        connection.execute(
            statement.on_conflict_do_update(index_elements=["site_key", "kind"], set_=anew)
        )


def note_market(connection: Connection, market: str) -> None:
    """Record a change of prices for every site whose tariff uses them.

    The prices are a market's, or a site's own series.
    """
    connection.execute(_OF_MARKET, {"market": market, "quoted": f'"{market}"'})


def is_any_due(connection: Connection, names: Sequence[str], *, now: datetime) -> bool:
    """Return whether ``take_due`` would return any of these sites."""
    return bool(connection.scalar(select(_select_due(names, now=now).exists())))


def take_due(connection: Connection, names: Sequence[str], *, now: datetime) -> list[str]:
    """Return the sites that have changed since their last plan, sorted, marked as requested.

    Each is due again where no plan follows.
    """
    # Rows locked by an ongoing change are due at the next call.
    due = _select_due(names, now=now).order_by(plan_causes.c.site_key, plan_causes.c.kind)
    causes = connection.execute(due.with_for_update(of=plan_causes, skip_locked=True)).all()
    if causes:
        requested = tuple_(plan_causes.c.site_key, plan_causes.c.kind).in_(
            [(row.site_key, row.kind) for row in causes]
        )
        connection.execute(update(plan_causes).where(requested).values(asked_at=now))
    return sorted({row.name for row in causes})


def _select_due(names: Sequence[str], *, now: datetime) -> Select[tuple[int, str, str]]:
    # A request in the future, from before the clock went back, does not count.
    is_requested = plan_causes.c.asked_at.between(now - REQUEST_VALIDITY, now)
    causes = select(plan_causes.c.site_key, plan_causes.c.kind, sites.c.name).join(
        sites, sites.c.site_key == plan_causes.c.site_key
    )
    among = sites.c.name == func.any(cast(literal(list(names), ARRAY(Text)), ARRAY(Text)))
    return causes.where(or_(plan_causes.c.asked_at.is_(None), ~is_requested), among)


def list_ordered(connection: Connection) -> list[str]:
    """Return, sorted, the sites with an order or limit since their last plan."""
    query = (
        select(sites.c.name)
        .join(plan_causes, sites.c.site_key == plan_causes.c.site_key)
        .where(plan_causes.c.kind.in_(ORDERS))
    )
    return list(connection.scalars(query.distinct().order_by(sites.c.name)))


def list_changed_sites(connection: Connection, names: Collection[str]) -> list[str]:
    """Return, sorted, the sites whose configuration has changed since their last plan."""
    query = (
        select(sites.c.name)
        .join(plan_causes, sites.c.site_key == plan_causes.c.site_key)
        .where(plan_causes.c.kind == "site", sites.c.name.in_(names))
    )
    return list(connection.scalars(query.order_by(sites.c.name)))


def read(connection: Connection, names: Collection[str]) -> Causes:
    """Return the changes of sites. Call it before reading the data for their plans."""
    query = (
        select(plan_causes.c.site_key, plan_causes.c.kind, plan_causes.c.change_id)
        .join(sites, sites.c.site_key == plan_causes.c.site_key)
        .where(sites.c.name.in_(names))
    )
    return {(row.site_key, row.kind): row.change_id for row in connection.execute(query)}


def forget(connection: Connection, causes: Causes) -> None:
    """Remove the changes that a plan stored in this transaction accounts for.

    Later ones stay.
    """
    if causes:
        rows = sorted((key, kind, change) for (key, kind), change in causes.items())
        unchanged = tuple_(plan_causes.c.site_key, plan_causes.c.kind, plan_causes.c.change_id).in_(
            rows
        )
        # In the same order as elsewhere, to avoid deadlocks.
        connection.execute(
            select(plan_causes.c.site_key)
            .where(unchanged)
            .order_by(plan_causes.c.site_key, plan_causes.c.kind)
            .with_for_update()
        )
        connection.execute(plan_causes.delete().where(unchanged))
