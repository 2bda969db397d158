"""Store the agent's shadow plans, each beside the planner's plan from the same inputs."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, RowMapping, Select, func, select, tuple_
from sqlalchemy.dialects.postgresql import insert

from luna.contracts.agent_control import GateVerdict, ShadowPlanSummary
from luna.contracts.plan import PlanReply
from luna.contracts.plan.columns import PlanColumns
from luna.energy.refusals import refuse
from luna.energy.timeline import SLOT
from luna.platform.database import plan_forms, sites
from luna.platform.database.schema.agent import antares_plan_history
from luna.platform.database.stored_rows import read_each, read_page

# Prefix of the system of shadow plans; the policy's name follows.
SHADOW = "prod_shadow_"
SLOT_MINUTES = SLOT // timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class ShadowPlan:
    """An attempt of the agent at a plan.

    Attributes:
        based_on: the planner's plan beside it.
        starts_at: of the planner's plan.
        ends_at: of the planner's plan.
        plan_id: of the agent's plan, None where the attempt made none.
    """

    based_on: str
    policy: str
    issued_at: datetime
    starts_at: datetime
    ends_at: datetime
    verdict: GateVerdict
    run_id: str | None = None
    metrics: Mapping[str, float] = field(default_factory=dict)
    plan_id: str | None = None


def save(
    connection: Connection, site_id: str, row: ShadowPlan, plan: PlanColumns | None = None
) -> None:
    """Store an attempt, with its plan if there is one.

    Idempotent; a plan replaces an attempt without one.

    Raises:
        NotFoundError: no such site.
    """
    names = ("based_on", "policy", "run_id", "plan_id", "issued_at", "starts_at", "ends_at")
    values = {name: getattr(row, name) for name in names} | {
        "site_key": sites.key_of(connection, site_id),
        "system_id": SHADOW + row.policy,
        "metrics": dict(row.metrics),
        "verdict": row.verdict.model_dump(mode="json"),
        "packed_reply": None if plan is None else plan_forms.pack_reply(plan),
    }
    statement = insert(antares_plan_history).values(values)
    table = antares_plan_history.c
    key_columns = ("based_on", "policy", "site_key", "system_id")
    changed = {name: statement.excluded[name] for name in values if name not in key_columns}
    has_new_plan = table.plan_id.is_(None) & statement.excluded.plan_id.is_not(None)
    connection.execute(
        statement.on_conflict_do_update(
            constraint=antares_plan_history.primary_key, set_=changed, where=has_new_plan
        )
    )


def find(connection: Connection, based_on: str, policy: str) -> ShadowPlan | None:
    """Return a policy's attempt beside a plan of the planner, if there is one."""
    table = antares_plan_history.c
    row = (
        connection.execute(_select().where(table.based_on == based_on, table.policy == policy))
        .mappings()
        .first()
    )
    return None if row is None else _plan(row)


def load(connection: Connection, plan_id: str) -> PlanReply:
    """Return a plan of the agent.

    Raises:
        NotFoundError: no plan of that id.
    """
    packed = connection.scalar(
        select(antares_plan_history.c.packed_reply).where(antares_plan_history.c.plan_id == plan_id)
    )
    if packed is None:
        raise refuse(
            "not-found",
            field="shadow_id",
            value=plan_id,
            thing="agent-plan",
            source="the list of the agent's plans: plan_id",
        )
    return plan_forms.read_reply(packed)


def list_newest(
    connection: Connection,
    site_id: str,
    *,
    policy: str | None = None,
    issued: tuple[datetime | None, datetime | None] = (None, None),
    after: tuple[datetime, str] | None = None,
    limit: int = 50,
) -> list[ShadowPlanSummary]:
    """Return the agent's plans of a site, the newest first.

    Args:
        policy: of this policy; None: of all.
        issued: first instant of issue and the one after the last; None: unbounded.
        after: the cursor: issue and ``based_on`` of the last plan of the previous page.
        limit: how many at most.

    Raises:
        NotFoundError: no such site.
    """
    table = antares_plan_history.c
    first, end = issued
    bounds = []
    if policy is not None:
        bounds.append(table.policy == policy)
    if first is not None:
        bounds.append(table.issued_at >= first)
    if end is not None:
        bounds.append(table.issued_at < end)
    if after is not None:
        bounds.append(tuple_(table.issued_at, table.based_on) < tuple_(*after))
    columns = [table[name] for name in ShadowPlanSummary.model_fields]
    query = select(*columns).where(table.site_key == sites.key_of(connection, site_id), *bounds)
    query = query.order_by(table.issued_at.desc(), table.based_on.desc())
    return read_page(connection, query, _summary, limit=limit)


def _summary(row: Mapping[Any, Any]) -> ShadowPlanSummary:
    return ShadowPlanSummary.model_validate(_in_utc(row))


def _plan_with_reply(row: RowMapping) -> tuple[ShadowPlan, PlanReply]:
    return _plan(row), plan_forms.read_reply(row["packed_reply"])


def read_covering(
    connection: Connection, site_id: str, *, policy: str, first: datetime, end: datetime
) -> Iterator[tuple[ShadowPlan, PlanReply]]:
    """Yield the plans in force between two instants in order of issue, one by one to save memory.

    Raises:
        NotFoundError: no such site.
    """
    table = antares_plan_history.c
    has_plan = (
        (table.site_key == sites.key_of(connection, site_id))
        & (table.policy == policy)
        & table.plan_id.is_not(None)
    )
    names = (
        select(table.based_on)
        .where(has_plan, table.ends_at > first, table.starts_at < end, table.issued_at < end)
        .order_by(table.issued_at, table.based_on)
    )
    for based_on in connection.scalars(names).all():
        query = _select(table.packed_reply).where(
            table.based_on == based_on, table.policy == policy
        )
        yield from read_each(connection.execute(query).mappings(), _plan_with_reply)


def list_missing(
    connection: Connection, site_id: str, plan_ids: list[str], *, policy: str
) -> list[str]:
    """Return, in the given order, the planner's plans without one of the policy."""
    table = antares_plan_history.c
    has_plan = (
        (table.site_key == sites.key_of(connection, site_id))
        & (table.policy == policy)
        & table.plan_id.is_not(None)
    )
    existing = set(
        connection.scalars(select(table.based_on).where(has_plan, table.based_on.in_(plan_ids)))
    )
    return [plan_id for plan_id in plan_ids if plan_id not in existing]


@dataclass(frozen=True, slots=True)
class PlannedModes:
    """The batteries' modes in a plan of the agent per slot from its start; empty without a plan."""

    plan_id: str | None
    starts_at: datetime
    slot_minutes: int
    modes: list[str]
    verdict: GateVerdict

    def mode_at(self, start: datetime) -> str | None:
        """Return the mode at an instant; None outside of the plan."""
        place = (start - self.starts_at) // timedelta(minutes=self.slot_minutes)
        return self.modes[place] if 0 <= place < len(self.modes) else None


def read_modes(
    connection: Connection, site_id: str, plan_ids: Sequence[str], *, policy: str
) -> dict[str, PlannedModes]:
    """Return the modes of a policy by the planner's plan.

    Plans without an attempt are left out.

    Raises:
        NotFoundError: no such site.
    """
    table = antares_plan_history.c
    of_plans = (
        (table.site_key == sites.key_of(connection, site_id))
        & (table.policy == policy)
        & table.based_on.in_(plan_ids)
    )
    columns = (table.based_on, table.plan_id, table.starts_at, table.packed_reply, table.verdict)
    rows: Iterable[Any] = connection.execute(select(*columns).where(of_plans))
    return dict(read_each(rows, _modes))


@dataclass(frozen=True, slots=True)
class ShadowCount:
    """Counts of a policy's attempts.

    Attributes:
        plans: successful attempts.
        failed: attempts without a plan.
        last: issue of the last plan.
        slots: of all plans.
        interventions: slots that the safety layer corrected.
    """

    plans: int
    failed: int
    last: datetime | None
    slots: int
    interventions: int


def count(
    connection: Connection, site_id: str, *, policy: str, since: datetime | None = None
) -> ShadowCount:
    """Count the attempts of a policy from ``since`` on (None: all).

    Raises:
        NotFoundError: no such site.
    """
    table = antares_plan_history.c
    of_policy = (table.site_key == sites.key_of(connection, site_id)) & (table.policy == policy)
    if since is not None:
        of_policy &= table.issued_at >= since
    has_plan = table.plan_id.is_not(None)

    def total_of(metric: str) -> ColumnElement[float]:
        return func.coalesce(func.sum(table.metrics[metric].as_float()).filter(has_plan), 0)

    query = select(
        func.count().filter(has_plan),
        func.count().filter(~has_plan),
        func.max(table.issued_at).filter(has_plan),
        total_of("slots"),
        total_of("interventions"),
    ).where(of_policy)
    plans, failed, last, planned, corrected = connection.execute(query).one()
    last_issue = None if last is None else last.astimezone(UTC)
    return ShadowCount(plans, failed, last_issue, int(planned), int(corrected))


def _modes(row: Any) -> tuple[str, PlannedModes]:
    based_on, plan_id, starts_at, packed, verdict = row
    slot_minutes = SLOT_MINUTES
    modes: list[str] = []
    if packed is not None:
        plan = plan_forms.unpack(packed)
        slot_minutes = plan["slot_minutes"]
        modes = plan["slots"]["mode"]
    planned = PlannedModes(
        plan_id, starts_at.astimezone(UTC), slot_minutes, modes, GateVerdict.model_validate(verdict)
    )
    return based_on, planned


def _select(*beside: ColumnElement[Any]) -> Select[Any]:
    return select(
        *(antares_plan_history.c[name] for name in ShadowPlan.__dataclass_fields__), *beside
    )


def _plan(row: RowMapping) -> ShadowPlan:
    values = {name: row[name] for name in ShadowPlan.__dataclass_fields__}
    return ShadowPlan(**(_in_utc(values) | {"verdict": GateVerdict.model_validate(row["verdict"])}))


def _in_utc(row: Mapping[Any, Any]) -> dict[str, Any]:
    values = dict(row)
    for name, value in values.items():
        if isinstance(value, datetime):
            values[name] = value.astimezone(UTC)
    return values
