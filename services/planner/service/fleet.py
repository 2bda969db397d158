"""Plan many stored sites in a batch, with one read and one write for all.

Each site is planned by itself.

A fault of one site does not stop the others.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from datetime import datetime
from functools import partial

from sqlalchemy import Connection, Engine

from luna.contracts.charging_sessions import FollowSessionsReply
from luna.contracts.fleet import (
    FollowChangesReply,
    PlanSitesReply,
    PlanSitesRequest,
    RefreshPlansReply,
    SiteFault,
)
from luna.contracts.forecast import RefreshForecastsRequest
from luna.contracts.job import Job
from luna.contracts.plan import PlanReply, PlanRequest
from luna.contracts.plan.request_bytes import write_inputs
from luna.energy.errors import InvalidInputError
from luna.energy.policy import REPLAN_AGE
from luna.energy.site import Site, parse_site
from luna.energy.timeline import SLOT, floor_to
from luna.platform.database import control, plan_causes, plan_faults, plans, sites
from luna.platform.database.engine import unit_of_work
from luna.platform.database.plans import PlanRow
from luna.platform.database.site_facts import PlanningFacts, read_demands_each
from luna.platform.queue.site_batch import SiteBatch
from luna.platform.queue.task_metrics import TaskCounter
from luna.platform.settings import Settings
from services.planner.devices import PLANNED_KINDS
from services.planner.milp.solver import Solver
from services.planner.reply.reply import digest, plan_columns
from services.planner.service.inputs import read_facts
from services.planner.service.plan_search import has_open_gap
from services.planner.service.plans import complete, count_plan

# One slot before the executor itself would request a new plan.
RENEW_AGE = REPLAN_AGE - SLOT
_STORED = tuple(kind.stored for kind in PLANNED_KINDS if kind.stored)
_ROLES = tuple(role for stored in _STORED for role in stored.roles)

FAULTS = TaskCounter(
    "luna_planner_batch_faults_total",
    "Sites of batches that got no new plan, by the code of why.",
    ["code"],
)


def plan_sites(
    connection: Connection, request: PlanSitesRequest, *, now: datetime
) -> PlanSitesReply:
    """Plan stored sites and store the plans; each plan equals that of its site planned alone.

    Args:
        connection: of one transaction.
        request: with the sites' names.
        now: the instant of issue.

    Raises:
        UnavailableError: the database is away; nothing was stored.
    """
    batch = SiteBatch(connection, PlanSitesRequest.task)
    start = floor_to(now, SLOT)
    names = list(dict.fromkeys(request.site_ids))
    changes = plan_causes.read(connection, names)
    stored = sites.read_configurations(connection, names)

    def parse(name: str) -> Site:
        if name in stored:
            return sites.parse_stored(name, stored[name])
        return sites.load(connection, name)

    by_name = batch.each(names, parse)

    def read(some: Sequence[str]) -> dict[str, PlanningFacts]:
        return read_facts(connection, [by_name[name] for name in some], start, now=now)

    facts = batch.together(list(by_name), read)

    open_names: set[str] = set()

    def plan(name: str) -> PlanRow:
        head, row = _plan_site(connection, facts[name], now)
        if has_open_gap(head):
            open_names.add(name)
        return row

    rows = batch.each(list(facts), plan)
    there = sites.hold(connection, list(rows))
    # A plan of a site removed meanwhile would drive the next site of its name: it becomes a fault.
    batch.each([name for name in rows if name not in there], partial(sites.load, connection))

    def write(some: Sequence[str]) -> dict[str, str]:
        return plans.write(connection, [rows[name] for name in some])

    written = batch.together([name for name in rows if name in there], write)
    # Also for sites that failed: the next change, or the next refresh of old plans, tries again.
    plan_causes.forget(connection, changes)
    plan_faults.forget(connection, written)
    plan_faults.save(connection, batch.faults, now=now)
    for error in batch.faults.values():
        FAULTS.labels(error.code).inc()
    faults = [
        SiteFault(site_id=name, error=error.problem()) for name, error in batch.faults.items()
    ]
    open_gaps = [written[name] for name in written if name in open_names]
    return PlanSitesReply(plans=written, faults=faults, open_gaps=open_gaps)


def _plan_site(
    connection: Connection, facts: PlanningFacts, now: datetime
) -> tuple[PlanReply, PlanRow]:
    """Return the head of a site's new plan, made from its facts, and its row."""
    request = complete(connection, facts, PlanRequest(site_id=facts.site.name))
    inputs = write_inputs(request)
    inputs_digest = digest(inputs)
    # A used solver would start from another site's basis, and might end in a different plan of the
    # same cost.
    reply = plan_columns(request, now=now, solver=Solver(), inputs_digest=inputs_digest)
    count_plan(reply.head)
    row = PlanRow.of(reply, site_id=facts.site.name, inputs_digest=inputs_digest, inputs=inputs)
    return reply.head, row


def refresh_plans(
    engine: Engine,
    settings: Settings,
    *,
    ask: Callable[[PlanSitesRequest, str], Job],
    now: datetime,
) -> RefreshPlansReply:
    """Submit a job per batch of sites whose last plan is older than ``RENEW_AGE``.

    An open job of a batch is kept.

    Args:
        engine: of the database.
        settings: select the sites that are planned regularly, and the batch size.
        ask: submits a job under an idempotency key.
        now: the current instant.
    """
    with unit_of_work(engine) as connection:
        names = control.list_planned(connection, settings.plan_refresh)
        due = set(plans.list_outdated(connection, names, issued_before=now - RENEW_AGE))
    # Batches are cut from all sites, so that a batch keeps its key, and its open job, whichever of
    # its sites are due.
    job_ids = []
    for number, part in enumerate(_cut(names, settings.plan_batch_sites)):
        due_part = [name for name in part if name in due]
        if due_part:
            job = ask(PlanSitesRequest(site_ids=due_part), f"batch {number}")
            job_ids.append(job.job_id)
    return RefreshPlansReply(sites=len(due), jobs=job_ids)


def follow_changes(
    engine: Engine,
    settings: Settings,
    *,
    ask: Callable[[PlanSitesRequest | RefreshForecastsRequest], object],
    now: datetime,
) -> FollowChangesReply:
    """Request plans, in batches, of the sites with changes since their last plan.

    Sites whose own configuration changed get forecasts first.

    Args:
        engine: of the database.
        settings: select the sites that are planned regularly, and the batch size.
        ask: requests a batch's plans or forecasts without waiting.
        now: the current instant; requests that have gone unanswered are repeated.
    """
    with unit_of_work(engine) as connection:
        due = plan_causes.take_due(
            connection, control.list_planned(connection, settings.plan_refresh), now=now
        )
        changed = plan_causes.list_changed_sites(connection, due)
    for part in _cut(changed, settings.plan_batch_sites):
        ask(RefreshForecastsRequest(site_ids=list(part)))
    for part in _cut(due, settings.plan_batch_sites):
        ask(PlanSitesRequest(site_ids=list(part)))
    return FollowChangesReply(sites=len(due))


def follow_sessions(engine: Engine, settings: Settings, *, now: datetime) -> FollowSessionsReply:
    """Record a change for sites whose devices report other states than their plan expects.

    ``follow_changes`` then replans them.

    Args:
        engine: of the database.
        settings: select the sites that are planned regularly.
        now: the current instant.
    """
    with unit_of_work(engine) as connection:
        sensing: list[Site] = []
        planned = control.list_planned(connection, settings.plan_refresh)
        for configuration in sites.read_sensing(connection, planned, roles=_ROLES).values():
            # An invalid configuration is reported when the site is planned.
            with suppress(InvalidInputError):
                sensing.append(parse_site(configuration))
        keys = sites.keys_of(connection, [site.name for site in sensing])
        by_key = {keys[site.name]: site for site in sensing}
        facts = read_demands_each(connection, by_key, floor_to(now, SLOT), now=now)
        changed = []
        for key, site in by_key.items():
            if any(stored.contradicts_plan(site, facts[key], now) for stored in _STORED):
                changed.append(key)
        plan_causes.note(connection, changed, "session")
    return FollowSessionsReply(sites=len(changed))


def _cut(names: Sequence[str], most: int) -> Iterator[Sequence[str]]:
    return (names[first : first + most] for first in range(0, len(names), most))
