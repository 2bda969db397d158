"""Read single slots of issued plans, and the plans that a site followed.

Whole plans are not parsed.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy import Connection, select

from luna.contracts.plan.columns import list_slots
from luna.energy.timeline import SLOT
from luna.platform.database import plan_forms
from luna.platform.database.schema.plans import control_log, plan_history
from luna.platform.database.sites import key_of
from luna.platform.database.stored_rows import read_each

# Fields of the complete request that pages show.
_INPUTS = ("state", "reserves", "first_slot_minutes")


class PlanSpan(NamedTuple):
    """A plan without its slots."""

    plan_id: str
    issued_at: datetime
    starts_at: datetime
    ends_at: datetime


class LoggedSlot(NamedTuple):
    """A logged decision on a device's slot: decider, reason code, mode (None: no command)."""

    decided_by: str
    reason: str
    mode: str | None


def list_followed(
    connection: Connection, site_id: str, first: datetime, end: datetime, *, issued_by: datetime
) -> list[PlanSpan]:
    """Return the plans in force between two instants, in order of issue.

    A replay never is.

    Of the plans issued before ``first`` only the last one is included.
    """
    table = plan_history.c
    is_followed = (
        (table.site == site_id)
        & (table.system_id == "prod")
        & (table.issued_at <= issued_by)
        & (table.starts_at > table.issued_at - SLOT)
    )
    columns = (table.plan_id, table.issued_at, table.starts_at, table.ends_at)
    within = select(*columns).where(
        is_followed, table.ends_at > first, table.starts_at < end, table.issued_at >= first
    )
    before = (
        select(*columns)
        .where(is_followed, table.ends_at > first, table.issued_at < first)
        .order_by(table.issued_at.desc())
        .limit(1)
    )
    rows = [*connection.execute(before), *connection.execute(within.order_by(table.issued_at))]
    return [PlanSpan(*row) for row in rows]


def read_slots(
    connection: Connection, plan: PlanSpan, first: datetime, last: datetime
) -> tuple[int, list[dict[str, Any]]]:
    """Return a plan's slot length in minutes, and its slots from ``first`` to ``last``.

    The slots are as in the reply.

    No slots for a plan that another release stored in its own form.
    """

    def read(packed: bytes) -> tuple[int, list[dict[str, Any]]]:
        document = plan_forms.unpack(packed)
        length = timedelta(minutes=document["slot_minutes"])
        begin, end = ((at - plan.starts_at) // length for at in (first, last))
        return document["slot_minutes"], list_slots(document, max(begin, 0), max(end + 1, 0))

    rows = connection.scalars(
        select(plan_history.c.packed_reply).where(plan_history.c.plan_id == plan.plan_id)
    )
    return next(iter(read_each(rows, read)), (SLOT // timedelta(minutes=1), []))


def read_document(
    connection: Connection, plan_id: str
) -> tuple[dict[str, Any], dict[str, Any]] | None:
    """Return a plan's reply, and some fields of its request.

    These are ``state``, ``reserves`` and ``first_slot_minutes``.

    None for a plan that another release stored in its own form.
    """
    table = plan_history.c
    rows = connection.execute(
        select(table.packed_reply, table.packed_inputs).where(table.plan_id == plan_id)
    )
    return next(iter(read_each(rows, _read_whole)), None)


def _read_whole(row: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    request = plan_forms.unpack_inputs(row.packed_inputs)
    return plan_forms.list_fields(row.packed_reply), {name: request[name] for name in _INPUTS}


def read_logged(
    connection: Connection, site_id: str, first: datetime, end: datetime, *, device: str
) -> dict[datetime, LoggedSlot]:
    """Return the last decision on each slot of a device, by slot start."""
    table = control_log.c
    in_window = (
        (table.site_key == key_of(connection, site_id))
        & (table.device == device)
        & (table.slot_start >= first)
        & (table.slot_start < end)
    )
    rows = connection.execute(
        select(table.slot_start, table.decided_by, table.reason, table.allowed)
        .where(in_window)
        .order_by(table.entry_id)
    )
    return {
        row.slot_start: LoggedSlot(row.decided_by, row.reason, _find_mode(row.allowed))
        for row in rows
    }


def _find_mode(allowed: object) -> str | None:
    """Return the mode of the device's first set-point (all batteries have the same).

    None where none is stored.
    """
    first = next(iter(allowed.values()), None) if isinstance(allowed, Mapping) else None
    mode = first.get("mode") if isinstance(first, Mapping) else None
    return mode if isinstance(mode, str) else None
