"""Store issued plans with their complete requests, and find the plan in force.

A plan can be solved again from its request.

``prod`` is the system whose plans drive devices. A plan that starts long before it was issued (a
replay) never drives any.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import UTC, datetime
from functools import partial
from math import ceil
from typing import Any, Self

import numpy as np
from sqlalchemy import (
    ColumnElement,
    Connection,
    Row,
    Select,
    TableValuedAlias,
    Text,
    cast,
    func,
    literal,
    select,
    tuple_,
    update,
)
from sqlalchemy.dialects.postgresql import ARRAY

from luna.contracts import PlanReply, PlanRequest
from luna.contracts.plan.columns import PlanColumns
from luna.contracts.plan_questions import PlanSummary
from luna.energy.refusals import refuse
from luna.energy.timeline import SLOT, FloatArray, Timeline
from luna.platform.database import copy, plan_forms, sites
from luna.platform.database.schema.plans import plan_history
from luna.platform.database.stored_rows import read_each

Window = tuple[datetime | None, datetime | None]
# Rows per fetch; they are unpacked one by one, because a plan is large.
_AT_ONCE = 100
# A slot counts as driven by the last plan that was issued within this time after its start.
DRIVES_WITHIN = SLOT / 2
_TYPES: dict[object, str] = {str: "text", datetime: "timestamptz", float: "float8", bytes: "bytea"}


@dataclass(frozen=True, slots=True)
class PlanRow:
    """A plan as stored, packed by ``plan_forms``.

    Columns for queries, the complete request and the reply. ``prod`` drives devices.
    """

    plan_id: str
    site: str
    system_id: str
    issued_at: datetime
    starts_at: datetime
    ends_at: datetime
    status: str
    total_cost: float
    currency: str
    inputs_digest: str
    packed_inputs: bytes
    packed_reply: bytes

    @classmethod
    def of(
        cls,
        plan: PlanColumns,
        *,
        site_id: str,
        inputs_digest: str,
        inputs: bytes,
        system_id: str = "prod",
    ) -> Self:
        """Return the packed row of a plan.

        Args:
            plan: the reply.
            site_id: the site's name.
            inputs_digest: of the complete request.
            inputs: the complete request, as ``write_inputs`` writes it.
            system_id: ``prod`` drives devices.
        """
        head = plan.head
        return cls(
            plan_id=head.plan_id,
            site=site_id,
            system_id=system_id,
            issued_at=head.issued_at,
            starts_at=plan.start,
            ends_at=plan.end,
            status=head.status,
            total_cost=head.cost.total,
            currency=head.currency,
            inputs_digest=inputs_digest,
            packed_inputs=plan_forms.pack_inputs(inputs),
            packed_reply=plan_forms.pack_reply(plan),
        )


# PostgreSQL type of each column for COPY.
_COPIED = {column.name: _TYPES[column.type] for column in fields(PlanRow)}


def write(connection: Connection, rows: Sequence[PlanRow]) -> dict[str, str]:
    """Store packed plans and return their ids by site. Idempotent."""
    documents = []
    for row in rows:
        documents.append({name: getattr(row, name) for name in _COPIED})
    copy.upsert_rows(connection, plan_history, _COPIED, documents, on_conflict="keep")
    return {row.site: row.plan_id for row in rows}


def list_outdated(
    connection: Connection, names: Sequence[str], *, issued_before: datetime
) -> list[str]:
    """Return the sites without a plan for its own time issued since ``issued_before``."""
    table = plan_history.c
    listed = _listed(names)
    newer = select(table.plan_id).where(
        table.site == listed.c.name,
        table.system_id == "prod",
        table.issued_at >= issued_before,
        _of_its_time(),
    )
    outdated = select(listed.c.name).where(~newer.exists()).order_by(listed.c.name)
    return list(connection.scalars(outdated))


def load(connection: Connection, plan_id: str) -> PlanReply:
    """Return a plan's reply.

    Raises:
        NotFoundError: no plan of that id.
    """
    row = _find(connection, plan_id, plan_history.c.packed_reply)
    return plan_forms.read_reply(row.packed_reply)


def load_inputs(connection: Connection, plan_id: str) -> PlanRequest:
    """Return a plan's complete request; solving it again gives the same plan.

    Raises:
        NotFoundError: no plan of that id.
    """
    row = _find(connection, plan_id, plan_history.c.packed_inputs)
    return plan_forms.read_inputs(row.packed_inputs)


def state_gap(
    connection: Connection, plan_id: str, *, gap: float, gap_cost: float, status: str
) -> None:
    """Replace the proven gap that a stored plan states.

    Raises:
        NotFoundError: no plan of that id.
    """
    row = _find(connection, plan_id, plan_history.c.packed_reply)
    packed = plan_forms.change_head(row.packed_reply, gap=gap, gap_cost=gap_cost, status=status)
    connection.execute(
        update(plan_history)
        .where(plan_history.c.plan_id == plan_id)
        .values(packed_reply=packed, status=status)
    )


def _find(connection: Connection, plan_id: str, *columns: ColumnElement[Any]) -> Any:
    row = connection.execute(select(*columns).where(plan_history.c.plan_id == plan_id)).first()
    if row is None:
        raise refuse(
            "not-found",
            field="plan_id",
            value=plan_id,
            thing="plan",
            source="the answer of a plan: plan_id",
        )
    return row


def read_issued(
    connection: Connection, site_id: str, first: datetime, end: datetime
) -> Iterator[tuple[PlanReply, PlanRequest]]:
    """Yield a site's plans issued in ``first`` ≤ issue < ``end``, with complete requests.

    The oldest comes first.
    """
    table = plan_history.c
    issued = (
        select(table.plan_id)
        .where(table.site == site_id, table.issued_at >= first, table.issued_at < end)
        .order_by(table.issued_at, table.plan_id)
    )
    for plan_id in connection.scalars(issued).all():
        # One by one: a year of plans does not fit in memory.
        row = _find(connection, plan_id, table.packed_reply, table.packed_inputs)
        yield from read_each([row], _read_both)


def _read_both(row: Any) -> tuple[PlanReply, PlanRequest]:
    return plan_forms.read_reply(row.packed_reply), plan_forms.read_inputs(row.packed_inputs)


def list_newest(
    connection: Connection,
    site_id: str,
    *,
    issued: Window = (None, None),
    system_id: str = "prod",
    after: tuple[datetime, str] | None = None,
    limit: int = 50,
) -> list[PlanSummary]:
    """Return the plans issued for a site, the newest first.

    Args:
        issued: first instant of issue and the one after the last; None: unbounded.
        system_id: ``prod`` drives devices.
        after: the cursor: issue and id of the last plan of the previous page.
        limit: how many at most.

    Raises:
        NotFoundError: no such site.
    """
    sites.key_of(connection, site_id)
    table = plan_history.c
    first, end = issued
    bounds = []
    if first is not None:
        bounds.append(table.issued_at >= first)
    if end is not None:
        bounds.append(table.issued_at < end)
    if after is not None:
        bounds.append(tuple_(table.issued_at, table.plan_id) < tuple_(*after))
    columns = (
        table.plan_id,
        table.system_id,
        table.issued_at,
        table.starts_at,
        table.ends_at,
        table.status,
        table.total_cost,
        table.currency,
    )
    query = select(*columns).where(table.site == site_id, table.system_id == system_id, *bounds)
    rows = connection.execute(
        query.order_by(table.issued_at.desc(), table.plan_id.desc()).limit(limit)
    )
    return [_summary(row) for row in rows]


def _summary(row: Iterable[object]) -> PlanSummary:
    values = [value.astimezone(UTC) if isinstance(value, datetime) else value for value in row]
    return PlanSummary.model_validate(dict(zip(PlanSummary.model_fields, values, strict=True)))


def read_text(connection: Connection, plan_id: str) -> str:
    """Return a plan's reply as JSON.

    Raises:
        NotFoundError: no plan of that id.
    """
    row = _find(connection, plan_id, plan_history.c.packed_reply)
    return plan_forms.write_text(row.packed_reply)


def latest_id(
    connection: Connection, site_id: str, *, now: datetime, system_id: str = "prod"
) -> str:
    """Return the id of a site's current plan.

    The last issued of those that cover ``now``, else the last issued.

    Raises:
        NotFoundError: no such site, or no plan of it.
    """
    plan_id: str | None = connection.scalar(
        _select_latest((plan_history.c.plan_id,), site_id, now, system_id)
    )
    if plan_id is None:
        sites.key_of(connection, site_id)
        raise refuse("no-plan-yet", field="site_id", value=site_id)
    return plan_id


def latest(
    connection: Connection, site_id: str, *, now: datetime, system_id: str = "prod"
) -> PlanReply | None:
    """Return a site's current plan, see ``latest_id``; None without a readable one."""
    rows = connection.scalars(
        _select_latest((plan_history.c.packed_reply,), site_id, now, system_id)
    )
    return next(iter(read_each(rows, plan_forms.read_reply)), None)


def _select_latest(
    columns: Sequence[ColumnElement[Any]], site_id: str, now: datetime, system_id: str
) -> Select[Any]:
    table = plan_history.c
    # A plan for tomorrow, or a replay, must not hide the plan for now.
    covers = (
        (table.starts_at <= now)
        & (table.ends_at > now)
        & (table.starts_at > table.issued_at - SLOT)
    )
    return (
        select(*columns)
        .where(table.site == site_id, table.system_id == system_id)
        .order_by(covers.desc(), table.issued_at.desc())
        .limit(1)
    )


def issued_last(connection: Connection, site_id: str) -> datetime | None:
    """Return the last issue of a site's plan for its own time, if any."""
    of_site = (plan_history.c.site == site_id) & (plan_history.c.system_id == "prod")
    issued: datetime | None = connection.scalar(
        select(func.max(plan_history.c.issued_at)).where(of_site, _of_its_time())
    )
    return issued


def issued_last_each(connection: Connection, names: Sequence[str]) -> dict[str, datetime]:
    """Return ``issued_last`` of many sites by name, without those that have no plan."""
    listed = _listed(names)
    of_site = (plan_history.c.site == listed.c.name) & (plan_history.c.system_id == "prod")
    last = (
        select(func.max(plan_history.c.issued_at)).where(of_site, _of_its_time()).scalar_subquery()
    )
    rows = connection.execute(select(listed.c.name, last))
    return {name: issued for name, issued in rows if issued is not None}


def find_previous(connection: Connection, plan_id: str) -> str:
    """Return the id of a plan's predecessor.

    The newest plan of the same site and system that was issued before it and covers its start.

    Raises:
        NotFoundError: no plan of that id, or none before it.
    """
    plan = plan_history.alias("plan").c
    earlier = plan_history.alias("earlier").c
    query = (
        select(earlier.plan_id)
        .where(
            plan.plan_id == plan_id,
            earlier.site == plan.site,
            earlier.system_id == plan.system_id,
            earlier.issued_at < plan.issued_at,
            earlier.starts_at <= plan.starts_at,
            earlier.ends_at > plan.starts_at,
        )
        .order_by(earlier.issued_at.desc())
        .limit(1)
    )
    previous: str | None = connection.scalar(query)
    if previous is None:
        raise refuse("no-plan-before", field="plan_id", value=plan_id)
    return previous


def read_due(
    connection: Connection, site_id: str, at: datetime, *, until: datetime | None = None
) -> PlanReply | None:
    """Return the plan in force at an instant.

    The last issued of those that cover it.

    None without one that can be read.

    A replay, which starts long before its issue, is never in force. ``until`` drops the slots that
    start later, except the first slot.
    """
    rows = connection.scalars(
        _select_due((plan_history.c.packed_reply,), literal(site_id, Text), at)
    )
    return next(iter(read_each(rows, partial(plan_forms.read_reply, until=until))), None)


def read_in_force_each(
    connection: Connection, names: Collection[str], at: datetime, *, until: datetime
) -> dict[str, tuple[PlanReply, PlanRequest]]:
    """Return the plan in force of each site with its complete request, see ``read_due``.

    Sites without a readable plan are left out.

    Slots that start after ``until`` are dropped.
    """
    if not names:
        return {}
    listed = _listed(names)
    in_force = _select_due(
        (plan_history.c.packed_reply, plan_history.c.packed_inputs), listed.c.name, at
    ).lateral("due")
    rows = connection.execute(select(listed.c.name, in_force))

    def read_plan(row: Row[Any]) -> tuple[str, tuple[PlanReply, PlanRequest]]:
        reply = plan_forms.read_reply(row.packed_reply, until=until)
        return row.name, (reply, plan_forms.read_inputs(row.packed_inputs))

    return dict(read_each(rows, read_plan))


def _select_due(
    columns: Sequence[ColumnElement[Any]], site: ColumnElement[str], at: datetime
) -> Select[Any]:
    of_site = (plan_history.c.site == site) & (plan_history.c.system_id == "prod")
    covers = (
        (plan_history.c.starts_at <= at)
        & (plan_history.c.ends_at > at)
        & (plan_history.c.issued_at <= at)
    )
    looks_ahead = plan_history.c.starts_at > plan_history.c.issued_at - SLOT
    return (
        select(*columns)
        .where(of_site, covers, looks_ahead)
        .order_by(plan_history.c.issued_at.desc())
        .limit(1)
    )


def _listed(names: Collection[str]) -> TableValuedAlias:
    """Return the names as the column ``name`` of a derived table."""
    return func.unnest(cast(list(names), ARRAY(Text))).table_valued("name").render_derived()


def _of_its_time() -> ColumnElement[bool]:
    """Return the condition that a plan starts in the slot of its issue.

    A plan that starts later has no slots for the time until then.
    """
    table = plan_history.c
    is_not_past = table.starts_at > table.issued_at - SLOT
    return is_not_past & (table.starts_at <= table.issued_at)


@dataclass(frozen=True, slots=True)
class PlannedSlots:
    """Planned values per quarter-hour by column, NaN without a plan, and the plans' ids."""

    timeline: Timeline
    plan_ids: Sequence[str | None]
    columns: Mapping[str, FloatArray]

    def find_same(
        self, timeline: Timeline, plan_ids: Sequence[str | None]
    ) -> Iterator[tuple[int, int]]:
        """Yield the slots with the same plan, as positions in ``timeline`` and in this one."""
        ahead = (timeline.start - self.timeline.start) // SLOT
        for place, plan_id in enumerate(plan_ids):
            own_place = place + ahead
            if plan_id is None or not 0 <= own_place < self.timeline.count:
                continue
            if self.plan_ids[own_place] == plan_id:
                yield place, own_place


def read_latest(
    connection: Connection,
    site_id: str,
    timeline: Timeline,
    *,
    columns: Collection[str],
    issued: tuple[datetime, datetime],
    before: PlannedSlots | None = None,
) -> PlannedSlots:
    """Return each quarter-hour's values from its last ``prod`` plan, NaN without a plan.

    Args:
        connection: to the database.
        site_id: the site's name.
        timeline: of quarter-hours.
        columns: slot columns of the plan's reply; ``charge_kwh`` and ``discharge_kwh`` are sums
            over all batteries.
        issued: first and last instant of issue, both included.
        before: an earlier result for the same columns; plans never change, so its slots are reused.
    """
    plan_ids = _find_last(connection, site_id, timeline, issued=issued)
    slot_values = {name: np.full(timeline.count, np.nan) for name in columns}
    unread = list(plan_ids)
    if before is not None:
        for place, place_before in before.find_same(timeline, plan_ids):
            unread[place] = None
            for name, values in slot_values.items():
                values[place] = before.columns[name][place_before]
    places: dict[str, list[int]] = {}
    for place, plan_id in enumerate(unread):
        if plan_id is not None:
            places.setdefault(plan_id, []).append(place)
    for plan_id, plan_columns in _read_columns(connection, list(places), columns, timeline):
        for name, values in slot_values.items():
            values[places[plan_id]] = plan_columns[name][places[plan_id]]
    return PlannedSlots(timeline, plan_ids, slot_values)


def _read_columns(
    connection: Connection, plan_ids: list[str], columns: Collection[str], timeline: Timeline
) -> Iterator[tuple[str, Mapping[str, FloatArray]]]:
    """Yield id and slot columns of each readable plan, one by one."""
    if not plan_ids:
        return

    def read_columns(packed_reply: bytes) -> Mapping[str, FloatArray]:
        return plan_forms.read_columns(packed_reply, columns, timeline)

    query = select(plan_history.c.plan_id, plan_history.c.packed_reply).where(
        plan_history.c.plan_id == func.any(cast(plan_ids, ARRAY(Text)))
    )
    for plan_id, packed_reply in connection.execute(query.execution_options(yield_per=_AT_ONCE)):
        for plan_columns in read_each([packed_reply], read_columns):
            yield plan_id, plan_columns


def _find_last(
    connection: Connection, site_id: str, timeline: Timeline, *, issued: tuple[datetime, datetime]
) -> list[str | None]:
    """Return the id of the last issued plan of each slot.

    A site that replans on every change has hundreds of plans that were replaced before any slot.
    """
    table = plan_history.c
    query = (
        select(table.plan_id, table.starts_at, table.ends_at)
        .where(
            table.site == site_id,
            table.system_id == "prod",
            table.issued_at.between(*issued),
            table.ends_at > timeline.start,
            table.starts_at < timeline.end,
        )
        .order_by(table.issued_at)
    )
    last: list[str | None] = [None] * timeline.count
    # A later plan takes the slots of the earlier ones.
    for plan_id, starts_at, ends_at in connection.execute(query):
        first = max((starts_at - timeline.start) // SLOT, 0)
        # A slot that a plan covers in part counts.
        end = min(ceil((ends_at - timeline.start) / SLOT), timeline.count)
        last[first:end] = [plan_id] * (end - first)
    return last
