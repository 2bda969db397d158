"""Search further for stored plans whose gap is open, and replace those that can be beaten.

The better plan is made from the same inputs, so it is a new version of the plan in force. It counts
as issued just after it: any plan that was made from later inputs goes before it, and the next one
by the clock is due when it would have been.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from time import monotonic
from typing import NamedTuple
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, Engine

from luna.contracts.fleet import PlanSitesRequest
from luna.contracts.plan import Assumption, PlanReply, PlanRequest
from luna.contracts.plan.columns import PlanColumns
from luna.contracts.plan.request_bytes import write_inputs
from luna.contracts.plan_improvement import SearchOutcome
from luna.energy.errors import NotFoundError
from luna.platform.database import jobs, plans, sites
from luna.platform.database.engine import unit_of_work
from luna.platform.database.plans import PlanRow
from luna.platform.queue.task_metrics import TaskCounter
from luna.words import Numbers
from services.planner.milp.solver import Solver
from services.planner.problem.build import PLACING_GAP, PLACING_GAP_COST
from services.planner.problem.problem import SearchLimits
from services.planner.reply.notes import format_notes
from services.planner.reply.reply import digest, plan_columns

# A plan may cost at most this much above the optimum; beyond it the search goes on.
ALLOWED = SearchLimits(mip_gap=PLACING_GAP, gap_cost=PLACING_GAP_COST)
# A plan that gains less than half a cent does not replace another.
LEAST_GAIN = 0.005
# A new version counts as issued so much after the plan that it replaces.
VERSION_STEP = timedelta(milliseconds=1)
_SAME_COST = 1e-6
# Jobs that go first: sites wait for new plans.
_FIRST_TASKS = (PlanSitesRequest.task, PlanRequest.task)

SEARCHES = TaskCounter(
    "luna_planner_searches_total",
    "Plans with an open gap that were searched further, by what came of it.",
    ["outcome"],
)


def has_open_gap(plan: PlanReply) -> bool:
    """Return whether a plan may cost over 0.3 % or a cent above the optimum."""
    if plan.status == "optimal":
        return False
    if plan.gap_cost is None or plan.objective_value is None:
        return True
    return plan.gap_cost > ALLOWED.allow(plan.objective_value)


def search_plans(
    engine: Engine,
    plan_ids: Sequence[str],
    *,
    limit: timedelta,
    now: Callable[[], datetime],
) -> tuple[dict[str, SearchOutcome], list[str]]:
    """Search further for plans, and return the outcome of each and the ids of the new plans.

    Each plan is read and stored in transactions of its own; none is open during the search.

    Args:
        engine: of the database.
        plan_ids: of stored plans; those that are no longer in force are left as they are.
        limit: of all searches together, so that plans due meanwhile hardly wait.
        now: returns the current instant.
    """
    outcomes: dict[str, SearchOutcome] = {}
    new_ids: list[str] = []
    left = limit
    for plan_id in plan_ids:
        with unit_of_work(engine) as connection:
            is_postponed = left <= timedelta() or jobs.is_any_queued(connection, _FIRST_TASKS)
            begun = None if is_postponed else _read_open(connection, plan_id, now())
        if is_postponed:
            outcome: SearchOutcome = "postponed"
        elif begun is None:
            outcome = "superseded"
        else:
            begun_s = monotonic()
            found = _search_longer(begun, left)
            left -= timedelta(seconds=monotonic() - begun_s)
            with unit_of_work(engine) as connection:
                outcome = _store_better(connection, begun, found, now())
            if outcome == "improved":
                new_ids.append(found.plan.head.plan_id)
        outcomes[plan_id] = outcome
        SEARCHES.labels(outcome).inc()
    return outcomes, new_ids


@dataclass(frozen=True, slots=True)
class _OpenPlan:
    """A stored plan with its complete request."""

    reply: PlanReply
    request: PlanRequest


@dataclass(frozen=True, slots=True)
class _FoundPlan:
    """The plan of a longer search, with its complete request as bytes."""

    plan: PlanColumns
    inputs: bytes
    inputs_digest: str


def _read_open(connection: Connection, plan_id: str, now: datetime) -> _OpenPlan | None:
    """Return a plan that may be searched further, with its request; None: see ``_find_open``."""
    reply = _find_open(connection, plan_id, now)
    return None if reply is None else _OpenPlan(reply, plans.load_inputs(connection, plan_id))


def _find_open(connection: Connection, plan_id: str, now: datetime) -> PlanReply | None:
    """Return a plan with an open gap, None unless it is in force and its first slot still runs.

    A longer search decides from the first slot on, so it must not be over.
    """
    try:
        reply = plans.load(connection, plan_id)
        if plans.latest_id(connection, reply.site, now=now) != plan_id:
            return None
    except NotFoundError:
        return None
    is_begun = now >= reply.slots[0].start + timedelta(minutes=reply.slot_minutes)
    return None if is_begun or not has_open_gap(reply) else reply


def _search_longer(begun: _OpenPlan, limit: timedelta) -> _FoundPlan:
    """Return the plan of the same inputs, searched until it is proven or the limit is over."""
    options = begun.request.options.model_copy(
        update={"prove": True, "time_limit_s": limit.total_seconds()}
    )
    request = begun.request.model_copy(update={"options": options})
    inputs = write_inputs(request)
    inputs_digest = digest(inputs)
    plan = plan_columns(
        request,
        now=begun.reply.issued_at + VERSION_STEP,
        solver=Solver(),
        inputs_digest=inputs_digest,
    )
    return _FoundPlan(plan, inputs, inputs_digest)


def _store_better(
    connection: Connection, begun: _OpenPlan, found: _FoundPlan, now: datetime
) -> SearchOutcome:
    """Store the found plan if it is better, or the gap that it proves of the one in force."""
    before = begun.reply
    site_id = before.site
    if not sites.hold(connection, [site_id]):
        return "superseded"
    if _find_open(connection, before.plan_id, now) is None:
        return "superseded"
    head = found.plan.head
    bound = max(_find_bound(before), _find_bound(head))
    if not _is_better(head, before):
        return _narrow_gap(connection, before, bound)
    note = _note_improvement(before, head)
    numbers = Numbers(begun.request.options.language, ZoneInfo(before.timezone), before.currency)
    notes = [*head.notes, *format_notes([note], numbers)]
    plan = found.plan.changed(notes=notes)
    stated = _state_gap(head, bound)
    if stated is not None:
        plan = plan.changed(**stated._asdict())
    row = PlanRow.of(plan, site_id=site_id, inputs_digest=found.inputs_digest, inputs=found.inputs)
    plans.write(connection, [row])
    return "improved"


def _find_bound(plan: PlanReply) -> float:
    """Return what every plan of the same inputs costs at least, as the plan proves."""
    if plan.gap_cost is None or plan.objective_value is None:
        return -float("inf")
    return plan.objective_value - plan.gap_cost


def _is_better(found: PlanReply, before: PlanReply) -> bool:
    """Return whether a plan misses less than another, or as little and costs less."""
    if found.objective_value is None:
        return False
    if before.objective_value is None:
        return True
    more_missed = _sum_missed(found) - _sum_missed(before)
    if abs(more_missed) > _SAME_COST:
        return more_missed < 0
    return before.objective_value - found.objective_value >= LEAST_GAIN


def _sum_missed(plan: PlanReply) -> float:
    return sum(miss.cost for miss in plan.compromises)


def _note_improvement(before: PlanReply, found: PlanReply) -> Assumption:
    figures: dict[str, object] = {"plan_id": before.plan_id}
    is_as_complete = abs(_sum_missed(found) - _sum_missed(before)) <= _SAME_COST
    if before.objective_value is None or found.objective_value is None or not is_as_complete:
        return Assumption(code="plan_found", figures=figures)
    saved = round(before.objective_value - found.objective_value, 6)
    return Assumption(code="plan_improved", figures=figures | {"saved": saved})


def _narrow_gap(connection: Connection, before: PlanReply, bound: float) -> SearchOutcome:
    """Store the smaller gap that a bound proves of a plan."""
    stated = _state_gap(before, bound)
    if stated is None or stated.gap_cost == before.gap_cost:
        return "unchanged"
    plans.state_gap(
        connection,
        before.plan_id,
        gap=stated.gap,
        gap_cost=stated.gap_cost,
        status=stated.status,
    )
    return "narrowed"


class _StatedGap(NamedTuple):
    """The distance from the optimum that a plan states."""

    gap: float
    gap_cost: float
    status: str


def _state_gap(plan: PlanReply, bound: float) -> _StatedGap | None:
    """Return gap and status of a plan above a bound; None where nothing is proven."""
    cost = plan.objective_value
    if cost is None or bound == -float("inf"):
        return None
    gap_cost = round(max(cost - bound, 0.0), 6)
    gap = round(gap_cost / max(abs(cost), 1e-9), 9)
    is_proven = plan.status == "feasible" and gap_cost <= ALLOWED.allow(cost)
    status = "optimal" if is_proven else plan.status
    return _StatedGap(gap, gap_cost, status)
