"""Store why the last planning of a site failed.

The next plan removes the fault.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import Connection, select
from sqlalchemy.dialects.postgresql import insert

from luna.energy.errors import LunaError, read_problem
from luna.platform.database import sites
from luna.platform.database.schema.plans import plan_faults


@dataclass(frozen=True, slots=True)
class PlanFault:
    """The error of a failed planning, and when it was tried."""

    tried_at: datetime
    error: LunaError


def save(connection: Connection, faults: Mapping[str, LunaError], *, now: datetime) -> None:
    """Store the faults of sites by name.

    Sites that no longer exist are left out.
    """
    keys = sites.keys_of(connection, faults)
    rows = [
        {"site_key": keys[name], "tried_at": now, "problem": error.problem()}
        for name, error in faults.items()
        if name in keys
    ]
    if rows:
        statement = insert(plan_faults).values(sorted(rows, key=lambda row: row["site_key"]))
        anew = {"tried_at": statement.excluded.tried_at, "problem": statement.excluded.problem}
        connection.execute(statement.on_conflict_do_update(index_elements=["site_key"], set_=anew))


def forget(connection: Connection, names: Collection[str]) -> None:
    """Delete the faults of sites that have been planned."""
    if keys := sites.keys_of(connection, names).values():
        connection.execute(plan_faults.delete().where(plan_faults.c.site_key.in_(keys)))


def load(connection: Connection, site_id: str) -> PlanFault | None:
    """Return the fault of a site's last planning, None where it succeeded or was never tried.

    Raises:
        NotFoundError: no such site.
    """
    row = connection.execute(
        select(plan_faults).where(plan_faults.c.site_key == sites.key_of(connection, site_id))
    ).first()
    return (
        None if row is None else PlanFault(row.tried_at.astimezone(UTC), read_problem(row.problem))
    )
