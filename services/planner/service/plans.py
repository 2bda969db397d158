"""Plan a request and store its plan.

Requests that name a stored site are completed from the database. Used by tasks and commands.
"""

from collections.abc import Callable
from datetime import datetime

import numpy as np
import structlog
from sqlalchemy import Connection

from luna.contracts.plan import PlanOptions, PlanReply, PlanRequest, Terminal
from luna.contracts.plan.columns import PlanColumns
from luna.contracts.plan.request_bytes import write_inputs
from luna.energy.devices.pv import PV
from luna.energy.economics.costs import Weights, weigh_import
from luna.energy.refusals import refuse
from luna.energy.timeline import SLOT, FloatArray, floor_to
from luna.platform.database import plan_causes, plan_faults, plans, sites
from luna.platform.database.plans import PlanRow
from luna.platform.database.site_facts import PlanningFacts
from luna.platform.queue.task_metrics import TaskCounter, TaskHistogram
from luna.platform.tracing import span
from services.planner.milp.solver import Solver
from services.planner.problem.build import TERMINAL_SHARE
from services.planner.reply.notes import (
    doubt_by_last_week,
    doubt_stale_prices,
    note_compared_forecasts,
)
from services.planner.reply.reply import digest, plan_columns
from services.planner.service.assumptions import list_assumptions
from services.planner.service.inputs import SiteInputs, gather_inputs, read_facts, read_outlook
from services.planner.service.operator_limits import limit_outlook, note_limits
from services.planner.service.owner_orders import give_way, hold_back_pv, list_ordered_blocks
from services.planner.service.state import complete_state
from services.planner.service.strategy import read_surroundings

PLANS = TaskCounter(
    "luna_planner_plans_total",
    "Plans by what made them (value, model, self_consumption) and by what is followed.",
    ["method", "policy"],
)
PLAN_STATUS = TaskCounter(
    "luna_planner_plan_status_total",
    "Plans by how good they are: optimal, feasible, compromised.",
    ["status"],
)
PLAN_GAP = TaskHistogram(
    "luna_planner_plan_gap_ratio",
    "Proven distance of a plan from the optimum, share of its cost.",
    buckets=(1e-6, 1e-4, 1e-3, 3e-3, 0.01, 0.03, 0.1, 0.3, 1),
)
SOLVE_SECONDS = TaskHistogram(
    "luna_planner_solve_seconds",
    "Time from a posed problem to a plan, checked.",
    buckets=(0.002, 0.005, 0.01, 0.03, 0.1, 0.3, 1, 3, 10, 30, 100, 300),
)
COMPROMISES = TaskCounter(
    "luna_planner_compromises_total", "Wishes that plans could not meet in full, by kind.", ["code"]
)
NOTES = TaskCounter(
    "luna_planner_notes_total",
    "What plans rest on for want of better: forecast_fallback, prices_carried_on and others.",
    ["code"],
)
DISAGREEMENTS = TaskCounter(
    "luna_planner_disagreements_total",
    "Findings of the optimisation that physics did not confirm; each is a fault to report.",
)
# Days of past prices that the prices ahead are compared with.
LAST_WEEK_DAYS = 7
log = structlog.get_logger("luna.planner")


def count_plan(plan: PlanReply) -> None:
    """Count a plan in the metrics; log its disagreements with the simulation."""
    PLAN_STATUS.labels(plan.status).inc()
    if plan.gap is not None:
        PLAN_GAP.observe(plan.gap)
    SOLVE_SECONDS.observe(plan.timing_ms["solve"] / 1e3)
    for compromise in plan.compromises:
        if compromise.code:
            COMPROMISES.labels(compromise.code).inc()
    for note in plan.notes:
        NOTES.labels(note.code).inc()
    followed = plan.followed
    if followed is None:
        return
    PLANS.labels(followed.method, followed.policy).inc()
    DISAGREEMENTS.inc(len(followed.disagreements))
    for disagreement in followed.disagreements:
        log.error("physics did not confirm a plan", plan_id=plan.plan_id, disagreement=disagreement)


def plan_and_store(
    request: PlanRequest, connection: Callable[[], Connection], *, now: datetime, solver: Solver
) -> PlanReply:
    """Return the plan of ``issue_plan`` as a ``PlanReply``."""
    return issue_plan(request, connection, now=now, solver=solver).read()


def issue_plan(
    request: PlanRequest, connection: Callable[[], Connection], *, now: datetime, solver: Solver
) -> PlanColumns:
    """Plan any request and store the plan in ``plan_history``.

    Args:
        request: with its own site, or naming a stored one.
        connection: opened when needed.
        now: the instant of issue.
        solver: for the mixed-integer model.

    Raises:
        NotFoundError: no such site, or no forecast to plan from.
        InvalidInputError: the request or the stored data cannot be planned from.
    """
    # A plan with a start of its own does not settle the changes that wait for a new plan from now.
    changes = (
        plan_causes.read(connection(), [request.site_id])
        if request.site_id is not None and request.start is None
        else {}
    )
    complete = (
        request if request.site is not None else complete_request(connection(), request, now=now)
    )
    inputs = write_inputs(complete)
    inputs_digest = digest(inputs)
    with span("planner.plan", slots=len(complete.outlook.load_kwh) if complete.outlook else 0):
        plan = plan_columns(complete, now=now, solver=solver, inputs_digest=inputs_digest)
    count_plan(plan.head)
    # The plan of a request's own site must never drive a stored site of the same name.
    system_id = "request" if request.site_id is None else "prod"
    if request.site_id is not None and not sites.hold(connection(), [request.site_id]):
        # A plan of a site removed meanwhile would drive the next site of its name.
        sites.load(connection(), request.site_id)
    plans.write(
        connection(),
        [
            PlanRow.of(
                plan,
                site_id=request.site_id or plan.head.site,
                inputs_digest=inputs_digest,
                inputs=inputs,
                system_id=system_id,
            )
        ],
    )
    if request.site_id is not None and request.start is None:
        plan_causes.forget(connection(), changes)
        plan_faults.forget(connection(), [request.site_id])
    return plan


def complete_request(connection: Connection, request: PlanRequest, *, now: datetime) -> PlanRequest:
    """Return the request with site, outlook and state of the stored site at its start.

    Raises:
        NotFoundError: no such site, or no forecast to plan from.
        InvalidInputError: other slots than of 15 minutes.
    """
    site = sites.load(connection, str(request.site_id))
    start = find_start(request, now)
    return complete(connection, read_facts(connection, [site], start, now=now)[site.name], request)


def find_start(request: PlanRequest, now: datetime) -> datetime:
    """Return the start of a stored site's plan.

    Raises:
        InvalidInputError: other slots than of 15 minutes.
    """
    if request.step != SLOT:
        raise refuse("stored-slot-length", field="slot_minutes", value=request.slot_minutes)
    return floor_to(request.start or now, SLOT)


def complete(connection: Connection, facts: PlanningFacts, request: PlanRequest) -> PlanRequest:
    """Return a request completed by its site's facts.

    ``connection`` reads facts that few sites have.

    Raises:
        NotFoundError: no forecast to plan from.
        InvalidInputError: the facts cannot be planned from.
    """
    site = facts.site
    start = facts.start
    inputs = gather_inputs(facts)
    outlook = read_outlook(
        connection, facts, inputs, with_scenarios=request.options.uncertainty == "scenarios"
    )
    # Power that an override withholds from PV is not available to the plan.
    outlook = hold_back_pv(outlook, facts.overrides.get(PV.name), start=start)
    outlook = limit_outlook(outlook, facts.limits, start=start, stated=request.outlook)
    state = complete_state(connection, facts, request)
    orders = list_ordered_blocks(site, facts.overrides, outlook=outlook, state=state, start=start)
    before = inputs.prices.import_prices_before(inputs.horizon.start, days=LAST_WEEK_DAYS)
    surroundings = read_surroundings(
        connection, site, inputs.horizon, prices=inputs.prices, stated=request.surroundings
    )
    assumptions = [
        *list_assumptions(facts, request, inputs.driving),
        *note_limits(facts.limits),
        *doubt_by_last_week(outlook, before, site.currency),
        *doubt_stale_prices(inputs.prices.find_stale(facts.known_at)),
        *note_compared_forecasts(inputs.prices.compare_each(facts.known_at)),
    ]
    return request.model_copy(
        update={
            "site": site,
            "site_id": None,
            "start": start,
            "outlook": outlook,
            "state": state,
            "options": _price_terminal(request.options, inputs, np.array(outlook.import_price)),
            "manual": [*request.manual, *orders, *give_way(facts.blocks, orders)],
            "surroundings": surroundings,
            "assumptions": assumptions,
        }
    )


def _price_terminal(
    options: PlanOptions, inputs: SiteInputs, import_price: FloatArray
) -> PlanOptions:
    """Return options with an automatic terminal value priced by the last week.

    Replays do the same, instead of pricing by the horizon.
    """
    if options.terminal.kind != "automatic":
        return options
    objective = options.objective or inputs.site.objective
    weights = Weights.of(objective, carbon_is_known=inputs.carbon is not None)
    counted = weigh_import(import_price, inputs.carbon, weights)
    paid_price = max(inputs.prices.mean_import_price(inputs.horizon.start), 0.0)
    beside_price = float(np.mean(counted - import_price))
    worth = TERMINAL_SHARE * (paid_price + beside_price)
    return options.model_copy(update={"terminal": Terminal(kind="value", value=worth)})
