"""Stores the steps of an agent's training episodes: state, action and reward."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, func, or_, select
from sqlalchemy.dialects.postgresql import insert

from luna.platform.database import sites
from luna.platform.database.schema.plans import antares_learning


@dataclass(frozen=True, slots=True)
class EpisodeStep:
    """One slot of an episode.

    ``system_id`` is its source (``prod``, ``simulation``); a reward is None until it is known.
    """

    system_id: str
    slot_start: datetime
    state: Mapping[str, Any]
    action: Mapping[str, Any]
    reward: float | None


def upsert(connection: Connection, site_id: str, steps: Sequence[EpisodeStep]) -> None:
    """Store steps by site, system and slot.

    The last of several for a slot wins. An unknown reward never replaces a stored one.

    Raises:
        NotFoundError: no such site.
    """
    key = sites.key_of(connection, site_id)
    table = antares_learning.c
    statement = insert(antares_learning)
    new_values = {
        "state": statement.excluded.state,
        "action": statement.excluded.action,
        "reward": func.coalesce(statement.excluded.reward, table.reward),
    }
    changed = or_(*(table[name].is_distinct_from(value) for name, value in new_values.items()))
    rows = [
        {
            "site_key": key,
            "system_id": step.system_id,
            "slot_start": step.slot_start,
            "state": step.state,
            "action": step.action,
            "reward": step.reward,
        }
        for step in steps
    ]
    connection.execute(
        statement.on_conflict_do_update(
            index_elements=list(antares_learning.primary_key), set_=new_values, where=changed
        ),
        rows,
    )


def read(
    connection: Connection, site_id: str, system_id: str, *, first: datetime, end: datetime
) -> list[EpisodeStep]:
    """Return the steps of a system in ``first`` ≤ slot < ``end``, in order of time.

    Raises:
        NotFoundError: no such site.
    """
    table = antares_learning.c
    query = (
        select(table.system_id, table.slot_start, table.state, table.action, table.reward)
        .where(
            table.site_key == sites.key_of(connection, site_id),
            table.system_id == system_id,
            table.slot_start >= first,
            table.slot_start < end,
        )
        .order_by(table.slot_start)
    )
    steps = []
    for row in connection.execute(query):
        slot_start = row.slot_start.astimezone(UTC)
        steps.append(EpisodeStep(row.system_id, slot_start, row.state, row.action, row.reward))
    return steps
