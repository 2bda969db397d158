"""Whether sites are armed, what they were told last, and the log of it all."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, null, select
from sqlalchemy.dialects.postgresql import insert

from luna.contracts.control import ControlEntry, ControlState, Decision, Override
from luna.contracts.setpoint import BatterySetpoint
from luna.database import sites
from luna.database.schema.identity import sites as site_table
from luna.database.schema.plans import control_log, control_state


def load(connection: Connection, site_id: str) -> ControlState:
    """Return how a site stands; one that was never armed is not.

    Raises:
        NotFoundError: no such site.
    """
    row = connection.execute(select(control_state).where(control_state.c.site_key == sites.key_of(connection, site_id))).mappings().first()
    return ControlState(site=site_id) if row is None else _state(site_id, row)


def load_active(connection: Connection) -> list[ControlState]:
    """Return the sites that are armed, or that were told something and are not yet handed back, in order of their names."""
    rows = connection.execute(
        select(site_table.c.name, control_state)
        .join(site_table, site_table.c.site_key == control_state.c.site_key)
        .where(control_state.c.armed_at.is_not(None) | control_state.c.decision.is_not(None))
        .order_by(site_table.c.name)
    )
    return [_state(row["name"], row) for row in rows.mappings()]


def arm(connection: Connection, site_id: str, *, at: datetime, by: str) -> None:
    """Let commands be sent from now on; a site that is armed stays so since when it was."""
    if load(connection, site_id).armed_at is None:
        _put(connection, site_id, {"armed_at": at, "armed_by": by})


def disarm(connection: Connection, site_id: str) -> None:
    """Let no commands be sent any more but the one that hands the inverters back; an override ends too."""
    _put(connection, site_id, {"armed_at": None, "armed_by": None, "override": null()})


def override(connection: Connection, site_id: str, wanted: Override | None) -> None:
    """Store what the owner wants instead of the plan; None: the plan again."""
    _put(connection, site_id, {"override": null() if wanted is None else wanted.model_dump(mode="json")})


def decide(connection: Connection, state: ControlState, decision: Decision) -> bool:
    """Store a decision or how far it is; False, and nothing stored, where another did so since ``state`` was read."""
    key = sites.key_of(connection, state.site)
    row = {"decision": decision.model_dump(mode="json"), "version": state.version + 1}
    current = (control_state.c.site_key == key) & (control_state.c.version == state.version)
    return connection.execute(control_state.update().where(current).values(row)).rowcount == 1


def record(connection: Connection, site_id: str, decision: Decision, confirmed: Mapping[str, str] | None) -> None:
    """Add a row to the log."""
    row = {
        "site_key": sites.key_of(connection, site_id),
        "slot_start": decision.slot_start,
        "decided_by": decision.decided_by,
        "plan_id": decision.plan_id,
        "requested": _document(decision.requested),
        "allowed": _document(decision.allowed),
        "confirmed": null() if confirmed is None else dict(confirmed),
        "reason": decision.reason,
    }
    connection.execute(control_log.insert().values(row))


def read_log(connection: Connection, site_id: str, *, limit: int) -> list[ControlEntry]:
    """Return the last rows of a site's log, the latest first."""
    query = select(*(control_log.c[name] for name in ControlEntry.model_fields)).where(control_log.c.site_key == sites.key_of(connection, site_id))
    rows = connection.execute(query.order_by(control_log.c.entry_id.desc()).limit(limit)).mappings()
    return [ControlEntry.model_validate(dict(row)) for row in rows]


def _document(setpoints: Mapping[str, BatterySetpoint]) -> dict[str, Any]:
    return {battery: setpoint.model_dump(mode="json") for battery, setpoint in setpoints.items()}


def _put(connection: Connection, site_id: str, values: Mapping[str, Any]) -> None:
    statement = insert(control_state).values(site_key=sites.key_of(connection, site_id), **values)
    connection.execute(statement.on_conflict_do_update(index_elements=["site_key"], set_=dict(values)))


def _state(site_id: str, row: Mapping[Any, Any]) -> ControlState:
    names = ("armed_at", "armed_by", "override", "decision", "version")
    return ControlState.model_validate({"site": site_id} | {name: row[name] for name in names})
