"""Plans of many stored sites: one read for all, each planned as if alone, one write for all. What is wrong with one site keeps no other waiting."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Self

from sqlalchemy import Connection, Engine

from luna.contracts.charging_stays import FollowStaysReply
from luna.contracts.fleet import FollowChangesReply, PlanSitesReply, PlanSitesRequest, RefreshPlansReply, SiteFault
from luna.contracts.forecast import RefreshForecastsRequest
from luna.contracts.job import Job
from luna.contracts.plan import PlanRequest
from luna.contracts.plan.columns import PlanColumns
from luna.contracts.plan.request import write_inputs
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
from services.planner.dp.plan import Plan
from services.planner.following import follow_each
from services.planner.milp.solver import Solver
from services.planner.planner import make_plan
from services.planner.problem.build import build_problem
from services.planner.problem.problem import Problem
from services.planner.reply.reply import Answered, answer_each, digest, set_beside
from services.planner.service.inputs import read_facts
from services.planner.service.plans import complete, count_plan

# A plan is renewed before anybody who follows it asks for another.
RENEW_AGE = REPLAN_AGE - SLOT
# What devices say of themselves beside plans.
_STORED = tuple(kind.stored for kind in PLANNED_KINDS if kind.stored)
_ROLES = tuple(role for stored in _STORED for role in stored.roles)

FAULTS = TaskCounter("luna_planner_batch_faults_total", "Sites of batches that got no new plan, by the code of why.", ["code"])


def plan_sites(connection: Connection, request: PlanSitesRequest, *, now: datetime) -> PlanSitesReply:
    """Plan stored sites and store the plans; each plan equals that of its site planned alone.

    Args:
        connection: of one unit of work: all that is stored is committed together.
        request: names the sites.
        now: the instant of issue.

    Raises:
        UnavailableError: the database is away; nothing was stored, and all of it is to be done again.
    """
    batch, start = SiteBatch(connection, PlanSitesRequest.task), floor_to(now, SLOT)
    names = list(dict.fromkeys(request.site_ids))
    changes = plan_causes.read(connection, names)
    stored = sites.read_configurations(connection, names)
    by_name = batch.each(names, lambda name: sites.parse_stored(name, stored[name]) if name in stored else sites.load(connection, name))
    facts = batch.together(list(by_name), lambda some: read_facts(connection, [by_name[name] for name in some], start, now=now))
    solved = batch.each(list(facts), lambda name: _SolvedSite.of(connection, facts[name]))
    answered = batch.together(list(solved), lambda some: dict(zip(some, _answer([solved[name] for name in some], now), strict=True)))
    rows = batch.each(list(answered), lambda name: solved[name].store(name, *answered[name]))
    there = sites.hold(connection, list(rows))
    # A plan of a site that was removed meanwhile would drive the next one of its name.
    batch.each([name for name in rows if name not in there], lambda name: sites.load(connection, name))
    written = batch.together([name for name in rows if name in there], lambda some: plans.write(connection, [rows[name] for name in some]))
    # Also of a site that cannot be planned: the next change, or the next look at old plans, tries again.
    plan_causes.forget(connection, changes)
    plan_faults.forget(connection, written)
    plan_faults.save(connection, batch.faults, now=now)
    for error in batch.faults.values():
        FAULTS.labels(error.code).inc()
    faults = [SiteFault(site_id=name, error=error.problem()) for name, error in batch.faults.items()]
    return PlanSitesReply(plans=written, faults=faults)


@dataclass(frozen=True, slots=True)
class _SolvedSite:
    """The least-cost plan of a site, the complete request that it was made from, in bytes as well, their digest, and the solver that made it."""

    problem: Problem
    plan: Plan
    request: PlanRequest
    inputs: bytes
    inputs_digest: str
    solver: Solver

    @classmethod
    def of(cls, connection: Connection, facts: PlanningFacts) -> Self:
        """Return the plan of a site from its facts."""
        request = complete(connection, facts, PlanRequest(site_id=facts.site.name))
        inputs = write_inputs(request)
        # A solver that had planned another site before would begin from that one's optimum, and might end in another of the same cost.
        problem, solver = build_problem(request), Solver()
        return cls(problem, make_plan(problem, solver), request, inputs, digest(inputs), solver)

    def store(self, name: str, plan: Plan, answer: PlanColumns) -> PlanRow:
        """Return the row of the plan as it is followed and was answered."""
        reply = set_beside(answer, plan, self.request, self.solver)
        count_plan(reply.head)
        return PlanRow.of(reply, site_id=name, inputs_digest=self.inputs_digest, inputs=self.inputs)


def _answer(solved: Sequence[_SolvedSite], now: datetime) -> Iterator[tuple[Plan, PlanColumns]]:
    """Return plans as they are followed, and as they are answered."""
    plans = follow_each([(each.problem, each.plan) for each in solved])
    answered = [Answered(plan, each.request, each.inputs_digest) for plan, each in zip(plans, solved, strict=True)]
    return zip(plans, answer_each(answered, issued_at=now), strict=True)


def refresh_plans(engine: Engine, settings: Settings, *, ask: Callable[[PlanSitesRequest, str], Job], now: datetime) -> RefreshPlansReply:
    """Have the sites planned whose last plan grows old, in batches, each a job of its own; one that is open already goes on.

    Args:
        engine: of the database.
        settings: say which sites are planned by the clock, and how many by one task.
        ask: accepts a job under a key.
        now: by which plans are old.
    """
    with unit_of_work(engine) as connection:
        names = control.list_planned(connection, settings.plan_refresh)
        due = set(plans.list_outdated(connection, names, issued_before=now - RENEW_AGE))
    # Batches are cut from all sites, so that the open job of a batch is found again whichever of its sites are due now.
    cut = [[name for name in part if name in due] for part in _cut(names, settings.plan_batch_sites)]
    jobs = [ask(PlanSitesRequest(site_ids=part), f"batch {number}") for number, part in enumerate(cut) if part]
    return RefreshPlansReply(sites=len(due), jobs=[job.job_id for job in jobs])


def follow_changes(
    engine: Engine, settings: Settings, *, ask: Callable[[PlanSitesRequest | RefreshForecastsRequest], object], now: datetime
) -> FollowChangesReply:
    """Have the sites planned of which something has changed since their last plan, in batches; of what was just stored a forecast is missing first.

    Args:
        engine: of the database.
        settings: say which sites are planned by the clock, and how many by one task.
        ask: has a batch planned, or forecast; nobody waits for it.
        now: by which what was asked for is old.
    """
    with unit_of_work(engine) as connection:
        due = plan_causes.take_due(connection, control.list_planned(connection, settings.plan_refresh), now=now)
        changed = plan_causes.list_changed_sites(connection, due)
    for part in _cut(changed, settings.plan_batch_sites):
        ask(RefreshForecastsRequest(site_ids=list(part)))
    for part in _cut(due, settings.plan_batch_sites):
        ask(PlanSitesRequest(site_ids=list(part)))
    return FollowChangesReply(sites=len(due))


def follow_stays(engine: Engine, settings: Settings, *, now: datetime) -> FollowStaysReply:
    """Note of the sites whose devices say something else than the plan in force has that their stays have changed; ``follow_changes`` has them planned.

    Args:
        engine: of the database.
        settings: say which sites are planned by the clock.
        now: what was said by then is known.
    """
    with unit_of_work(engine) as connection:
        sensing: list[Site] = []
        for configuration in sites.read_sensing(connection, control.list_planned(connection, settings.plan_refresh), roles=_ROLES).values():
            # Why one cannot be read its plan says.
            with suppress(InvalidInputError):
                sensing.append(parse_site(configuration))
        keys = sites.keys_of(connection, [site.name for site in sensing])
        by_key = {keys[site.name]: site for site in sensing}
        facts = read_demands_each(connection, by_key, floor_to(now, SLOT), now=now)
        changed = [key for key, site in by_key.items() if any(stored.says_news(site, facts[key], now) for stored in _STORED)]
        plan_causes.note(connection, changed, "stay")
    return FollowStaysReply(sites=len(changed))


def _cut(names: Sequence[str], most: int) -> Iterator[Sequence[str]]:
    return (names[first : first + most] for first in range(0, len(names), most))
