"""Stores the gatekeeper's and owner's decisions about an agent's control modes.

The last one of each policy and mode is in force.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, RowMapping, select
from sqlalchemy.dialects.postgresql import distinct_on

from luna.contracts.agent import SHADOW_POLICIES
from luna.contracts.agent_control import CONTROL_MODES, ControlMode, GateCode, GateEntry
from luna.energy.site import Site
from luna.platform.database import sites
from luna.platform.database.schema.agent import agent_gates
from luna.platform.database.stored_rows import read_each, read_page

LastDecisions = Mapping[ControlMode, GateEntry]


@dataclass(frozen=True, slots=True)
class EffectiveMode:
    """The mode in which the agent acts.

    ``code`` is why it is lower than requested, None where it is not.
    """

    mode: ControlMode
    code: GateCode | None = None


def record(connection: Connection, site_id: str, entry: GateEntry) -> None:
    """Store a decision.

    Raises:
        NotFoundError: no such site.
    """
    row = entry.model_dump(exclude={"evidence"})
    row["evidence"] = [evidence.model_dump(mode="json") for evidence in entry.evidence]
    row["site_key"] = sites.key_of(connection, site_id)
    connection.execute(agent_gates.insert().values(**row))


def list_newest(
    connection: Connection, site_id: str, *, before: int | None = None, limit: int = 50
) -> list[tuple[int, GateEntry]]:
    """Return decisions with their ids, the latest first, below the id ``before``.

    Raises:
        NotFoundError: no such site.
    """
    table = agent_gates.c
    query = _select(connection, site_id).add_columns(table.gate_id).order_by(table.gate_id.desc())
    if before is not None:
        query = query.where(table.gate_id < before)
    return read_page(connection, query, lambda row: (row["gate_id"], _entry(row)), limit=limit)


def read_standing(
    connection: Connection, site_id: str, *, policy: str
) -> dict[ControlMode, GateEntry]:
    """Return the decision in force for each mode of a policy.

    Modes that were never decided about are left out.

    Raises:
        NotFoundError: no such site.
    """
    return _last_by_mode(
        connection,
        _select(connection, site_id).where(
            agent_gates.c.policy == policy, agent_gates.c.state.is_not(None)
        ),
    )


def read_turns(
    connection: Connection, site_id: str, *, policy: str
) -> dict[ControlMode, GateEntry]:
    """Return the last withdrawal or restoration of each mode of a policy.

    Modes that have none are left out.

    Raises:
        NotFoundError: no such site.
    """
    turned = agent_gates.c.kind.in_(("withdrawn", "restored"))
    return _last_by_mode(
        connection, _select(connection, site_id).where(agent_gates.c.policy == policy, turned)
    )


def find_before_withdrawal(
    connection: Connection, site_id: str, *, policy: str, mode: ControlMode
) -> GateEntry | None:
    """Return the last decision about a mode that was no withdrawal, if there is one.

    Raises:
        NotFoundError: no such site.
    """
    table = agent_gates.c
    in_force = (
        (table.policy == policy)
        & (table.mode == mode)
        & table.state.is_not(None)
        & (table.state != "withdrawn")
    )
    row = (
        connection.execute(
            _select(connection, site_id).where(in_force).order_by(table.gate_id.desc()).limit(1)
        )
        .mappings()
        .first()
    )
    return None if row is None else _entry(row)


def find_turn(
    connection: Connection, site_id: str, *, policy: str, mode: ControlMode
) -> GateEntry | None:
    """Return the decision since which a mode has its current state, if there is one.

    Raises:
        NotFoundError: no such site.
    """
    table = agent_gates.c
    has_state = (table.policy == policy) & (table.mode == mode) & table.state.is_not(None)
    rows = connection.execute(
        _select(connection, site_id).where(has_state).order_by(table.gate_id.desc())
    ).mappings()
    last: GateEntry | None = None
    for entry in read_each(rows, _entry):
        if last is not None and entry.state != last.state:
            break
        last = entry
    return last


def _last_by_mode(connection: Connection, query: Any) -> dict[ControlMode, GateEntry]:
    table = agent_gates.c
    rows = connection.execute(
        query.ext(distinct_on(table.mode)).order_by(table.mode, table.gate_id.desc())
    ).mappings()
    return {entry.mode: entry for entry in read_each(rows, _entry)}


def read_effective_mode(connection: Connection, site: Site) -> EffectiveMode:
    """Return the lower of the requested and the offered mode of a stored site's agent."""
    requested = site.antares.control_mode
    if requested == "shadow":
        return EffectiveMode("shadow", "mode_is_shadow")
    return find_effective_mode(
        requested,
        read_standing(
            connection, site.name, policy=SHADOW_POLICIES[site.antares.shadow_policy_type]
        ),
    )


def _is_offered(mode: ControlMode, standing: LastDecisions) -> bool:
    return mode in standing and standing[mode].state == "offered"


def find_effective_mode(requested: ControlMode, standing: LastDecisions) -> EffectiveMode:
    """Return the highest offered mode that does not exceed the requested one.

    Invariants: never above ``requested``; a mode that is withdrawn, not ready or unjudged is never
    effective.
    """
    if requested == "shadow":
        return EffectiveMode("shadow", "mode_is_shadow")
    allowed = [
        mode
        for mode in CONTROL_MODES
        if _rank(mode) <= _rank(requested) and _is_offered(mode, standing)
    ]
    least: ControlMode = "shadow"
    effective = max(allowed, key=_rank, default=least)
    if effective == requested:
        return EffectiveMode(effective)
    withdrawn = requested in standing and standing[requested].state == "withdrawn"
    return EffectiveMode(effective, "mode_withdrawn" if withdrawn else "mode_not_offered")


def _rank(mode: ControlMode) -> int:
    return CONTROL_MODES.index(mode)


def last_judged(connection: Connection, site_id: str, *, policy: str) -> datetime | None:
    """Return when the gatekeeper last judged a policy; None: never."""
    table = agent_gates.c
    newest = (
        _select(connection, site_id)
        .where(table.policy == policy, table.kind == "judged")
        .order_by(table.gate_id.desc())
        .limit(1)
    )
    row = connection.execute(newest).mappings().first()
    return None if row is None else _entry(row).at


def _select(connection: Connection, site_id: str) -> Any:
    columns = [agent_gates.c[name] for name in GateEntry.model_fields]
    return select(*columns).where(agent_gates.c.site_key == sites.key_of(connection, site_id))


def _entry(row: RowMapping) -> GateEntry:
    stored = {name: row[name] for name in GateEntry.model_fields}
    return GateEntry.model_validate(stored | {"at": row["at"].astimezone(UTC)})
