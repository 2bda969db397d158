"""Plan a request, explain its slots, and compare it with the plans that the request asks for."""

import hashlib
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from functools import partial
from time import perf_counter
from typing import Literal
from uuid import UUID
from zoneinfo import ZoneInfo

from luna.contracts.plan import (
    CheapestReply,
    CompromiseReply,
    CostReply,
    FollowedReply,
    ObjectiveReason,
    ObjectiveReply,
    PlanReply,
    PlanRequest,
    SessionReply,
    UncertaintyReply,
)
from luna.contracts.plan.columns import PlanColumns
from luna.contracts.plan.request_bytes import write_inputs
from luna.energy.economics.charges import peak_cost
from luna.energy.economics.costs import carbon_g, self_sufficiency
from services.planner.compiled import load_common_kernels
from services.planner.devices import PLANNED_KINDS
from services.planner.devices.kind import RelaxedBill
from services.planner.dp.plan import Plan, Spread
from services.planner.linear.model import InfeasibleError
from services.planner.milp.directions import FlowDirections
from services.planner.milp.formulation import formulate
from services.planner.milp.solver import Solver, SolverError
from services.planner.planner import decide
from services.planner.problem.build import build_problem, read_peaks
from services.planner.problem.problem import Deadline, planning_clock_s
from services.planner.reply.devices import (
    missed_blocks,
    missed_demands,
    reply_manual,
)
from services.planner.reply.evidence import Evidence
from services.planner.reply.notes import (
    bound_battery_gap,
    bound_schedule_gap,
    find_compromises,
    find_gap_cost,
    find_objective_value,
    list_notes,
    mark_unproven,
    missed_reserves,
    name_compromise,
)
from services.planner.reply.reasons import explain_evidence
from services.planner.reply.shown_modes import show_modes
from services.planner.reply.slot_columns import (
    list_columns,
    list_curtailment,
    list_setpoints,
    list_thresholds,
)

# The share of the time left for the plan itself where other plans are compared with it.
_OWN_SHARE = 0.6


def plan_request(
    request: PlanRequest,
    *,
    now: datetime,
    solver: Solver,
    inputs_digest: str | None = None,
    clock_s: Callable[[], float] = planning_clock_s,
) -> PlanReply:
    """Return the plan of a complete request.

    ``inputs_digest`` is the request's, where already computed.
    """
    return plan_columns(
        request, now=now, solver=solver, inputs_digest=inputs_digest, clock_s=clock_s
    ).read()


def plan_columns(
    request: PlanRequest,
    *,
    now: datetime,
    solver: Solver,
    inputs_digest: str | None = None,
    clock_s: Callable[[], float] = planning_clock_s,
) -> PlanColumns:
    """Return the plan of a complete request, with its slots as columns.

    The request's time limit, by ``clock_s`` (seconds), covers the plan and all comparisons.
    """
    load_common_kernels()
    deadline = Deadline.within(request.options.time_limit_s, now_s=clock_s)
    problem = build_problem(request)
    own_deadline = deadline
    has_comparisons = request.manual or request.options.price_sessions
    if has_comparisons or not problem.objective.counts_cost_alone:
        own_deadline = deadline.share(_OWN_SHARE)
    plan = decide(problem, solver, deadline=own_deadline)
    reply = answer_columns(plan, request=request, issued_at=now, inputs_digest=inputs_digest)
    return add_comparisons(reply, plan, request, solver, deadline=deadline)


def add_comparisons(
    reply: PlanColumns,
    plan: Plan,
    request: PlanRequest,
    solver: Solver,
    *,
    deadline: Deadline,
) -> PlanColumns:
    """Return a reply with its comparisons.

    The plan is compared with that without the owner's blocks, with other charging deadlines, and
    with the cheapest one. A comparison that misses the ``deadline`` is left out.
    """
    if request.manual:
        free = request.model_copy(update={"manual": []})
        unbound = decide(build_problem(free), solver, deadline=deadline)
        unbound_reply = answer_columns(unbound, request=free, issued_at=reply.head.issued_at).head
        manual = reply_manual((plan, reply.head), (unbound, unbound_reply), request)
        reply = reply.changed(manual=manual)
    if request.options.price_sessions:
        sessions = price_sessions(plan, request, solver, deadline=deadline)
        reply = reply.changed(sessions=sessions)
    if reply.head.objective is None:
        return reply
    beside = compare_cheapest(plan, request, solver, deadline=deadline)
    objective = reply.head.objective.model_copy(update={"beside_cheapest": beside})
    return reply.changed(objective=objective)


def compare_cheapest(
    plan: Plan, request: PlanRequest, solver: Solver, *, deadline: Deadline
) -> CheapestReply | None:
    """Return the plan's differences from the cheapest one.

    None where flexible loads would take as long again and it was not requested, or where either
    plan missed the ``deadline``.
    """
    problem = plan.problem.at_tariff_prices
    problem = replace(problem, following=replace(problem.following, switching_price=0.0))
    if problem.schedules_loads and not request.options.compare_cheapest:
        return None
    cheapest = decide(problem, solver, deadline=deadline)
    if "self_consumption" in (plan.method, cheapest.method):
        return None
    weighed = reply_cost(plan, request)
    least = reply_cost(cheapest, request)
    more_left_kwh = plan.flows.stored_kwh[:, -1] - cheapest.flows.stored_kwh[:, -1]
    terminal_worth = float((problem.terminal.value * more_left_kwh).sum())
    saved_g = None
    if weighed.carbon_g is not None and least.carbon_g is not None:
        saved_g = _round_sum(least.carbon_g - weighed.carbon_g)
    imported = float((cheapest.flows.import_kwh - plan.flows.import_kwh).sum())
    return CheapestReply(
        cost=_round_sum(weighed.total - least.total - terminal_worth),
        carbon_g=saved_g,
        import_kwh=_round_sum(imported),
    )


def price_sessions(
    plan: Plan, request: PlanRequest, solver: Solver, *, deadline: Deadline
) -> list[SessionReply]:
    """Return the cost of each charging deadline of a session with a target.

    Those not priced by the planner's own ``deadline`` are left out.

    Costs are of the linear relaxation, without a device's least power: one linear solve each, and
    cents are not lost in a mixed-integer gap. Energy beyond a target has no value in them.
    """
    if plan.load_schedule is None:
        return []
    timed = solver.renew(deadline)
    relax = partial(_relax, solver=timed)
    priced: list[SessionReply] = []
    with suppress(SolverError):
        for kind in PLANNED_KINDS:
            if kind.price_sessions:
                # One by one: those priced before the deadline stay.
                for session in kind.price_sessions(request, plan.load_schedule.loads, relax):
                    priced.append(session)  # noqa: PERF402
    return priced


def _relax(request: PlanRequest, *, solver: Solver) -> RelaxedBill:
    """Return the bill of a request's linear relaxation, and the energy that demands miss."""
    problem = build_problem(request).at_tariff_prices
    try:
        built = formulate(problem, FlowDirections.of(problem))
        solution = solver.solve(built.model.relaxed(), time_limit_s=problem.search.time_limit_s)
    except InfeasibleError:
        built = formulate(problem, FlowDirections.of(problem), elastic=True)
        solution = solver.solve(built.model.relaxed(), time_limit_s=problem.search.time_limit_s)
    slack = 0.0
    missing_kwh: dict[str, float] = {}
    for demand, load in zip(problem.demands, built.load_columns.loads, strict=True):
        if load.storage:
            columns = load.storage.missing
            slack += float(built.model.cost[columns] @ solution.column[columns])
            missing_kwh[demand.name] = float(solution.column[columns].sum())
    return RelaxedBill(solution.objective - slack, missing_kwh)


def answer(
    plan: Plan, *, request: PlanRequest, issued_at: datetime, inputs_digest: str | None = None
) -> PlanReply:
    """Return the plan as a reply, every slot with its reason in the requested language.

    Energies are rounded to 1e-6 kWh.
    """
    columns = answer_columns(
        plan, request=request, issued_at=issued_at, inputs_digest=inputs_digest
    )
    return columns.read()


def answer_columns(
    plan: Plan, *, request: PlanRequest, issued_at: datetime, inputs_digest: str | None = None
) -> PlanColumns:
    """Return the plan as a reply, with its slots as columns."""
    begun_s = perf_counter()
    if inputs_digest is None:
        inputs_digest = digest(write_inputs(request))
    evidence = Evidence(plan, request.manual)
    explained = explain_evidence(evidence)
    modes = show_modes(evidence, explained)
    slots = list_columns(evidence, request, explained, modes)
    objective = reply_objective(plan)
    compromises = _list_compromises(plan, request, objective)
    explain_ms = (perf_counter() - begun_s) * 1e3
    timing_ms = {
        "build": round(plan.build_ms, 3),
        "solve": round(plan.solve_ms, 3),
        "explain": round(explain_ms, 3),
    }
    site = plan.problem.site
    step = plan.problem.outlook.timeline.step
    outlook = request.outlook
    followed = FollowedReply(
        method=plan.method,
        policy=plan.followed,
        premium=round(plan.premium, 6),
        disagreements=list(plan.disagreements),
    )
    status: Literal["optimal", "feasible", "compromised"] = "optimal" if plan.proven else "feasible"
    if compromises:
        status = "compromised"
    head = PlanReply(
        # The same inputs are the same plan: a request delivered twice stores one row
        plan_id=str(UUID(inputs_digest[:32])),
        status=status,
        gap=None if plan.gap is None else round(plan.gap, 9) + 0.0,
        gap_cost=find_gap_cost(plan),
        objective_value=find_objective_value(plan),
        cost=reply_cost(plan, request),
        timing_ms=timing_ms,
        compromises=compromises,
        notes=list_notes(plan, request),
        slots=[],
        setpoints=list_setpoints(plan),
        thresholds=list_thresholds(plan),
        followed=followed,
        pv=list_curtailment(plan),
        site=site.name,
        timezone=site.timezone,
        currency=site.currency,
        slot_minutes=int(step.total_seconds() // 60),
        issued_at=issued_at,
        prices_known_until=outlook.prices_known_until if outlook else None,
        price_spans=outlook.price_spans if outlook else [],
        forecast=outlook.forecast if outlook else None,
        uncertainty=None if request.options.uncertainty == "point" else _describe_uncertainty(plan),
        objective=objective,
        strategy=list(plan.problem.applied_rules),
    )
    return PlanColumns(head, slots)


def _list_compromises(
    plan: Plan, request: PlanRequest, objective: ObjectiveReply | None
) -> list[CompromiseReply]:
    """Return the limits and demands that a plan misses, those of batteries first."""
    language = request.options.language
    compromises = find_compromises(plan, language)
    if objective is not None and "no_carbon_intensity" in objective.reasons:
        price = objective.carbon_price_per_kg
        compromises.append(name_compromise("carbon_unknown", language, price=price))
    if request.manual:
        compromises += missed_blocks(plan, request.manual, language)
    compromises += missed_reserves(plan, language)
    if compromises:
        compromises = mark_unproven(compromises, bound_battery_gap(plan))
    if plan.load_schedule is not None:
        compromises += mark_unproven(missed_demands(plan, request), bound_schedule_gap(plan))
    return compromises


def _describe_uncertainty(plan: Plan) -> UncertaintyReply:
    spread = plan.spread or Spread(1, 0, reasons=("no_scenarios",))
    return UncertaintyReply(
        scenarios=spread.scenarios,
        left_out=spread.left_out,
        risk=plan.problem.uncertainty.risk,
        premium=round(spread.premium, 6),
        reasons=list(spread.reasons),
    )


def digest(inputs: bytes) -> str:
    """Return the SHA-256 digest of a plan's inputs, which ``write_inputs`` writes."""
    return hashlib.sha256(inputs).hexdigest()


def reply_cost(plan: Plan, request: PlanRequest) -> CostReply:
    """Return the cost at tariff prices, with carbon emissions and self-sufficiency."""
    site = plan.problem.site
    outlook = plan.problem.outlook
    imported = plan.flows.import_kwh
    month_peaks = read_peaks(site, request.state)
    zone = ZoneInfo(site.timezone)
    peak = peak_cost(imported, outlook.timeline, month_peaks, zone=zone)
    costs = plan.costs
    emitted_g = None
    if outlook.carbon_g_per_kwh is not None:
        emitted_g = _round_sum(carbon_g(imported, outlook.carbon_g_per_kwh))
    share = self_sufficiency(imported, outlook.load_kwh)
    return CostReply(
        total=_round_sum(float(costs.total.sum()) + peak),
        import_=_round_sum(float(costs.import_cost.sum())),
        export=_round_sum(float(costs.export_cost.sum())),
        wear=_round_sum(float(costs.wear_cost.sum())),
        peak=_round_sum(peak),
        devices=_round_sum(costs.device_total),
        carbon_g=emitted_g,
        self_sufficiency=None if share is None else _round_sum(share),
    )


def _round_sum(value: float) -> float:
    """Return a sum rounded to 1e-9, without negative zero."""
    return round(value, 9) + 0.0


def reply_objective(plan: Plan) -> ObjectiveReply | None:
    """Return the objective's weights besides cost; None where cost alone counts."""
    objective = plan.problem.objective
    if objective.counts_cost_alone and not objective.switching_price:
        return None
    reasons: list[ObjectiveReason] = []
    if objective.carbon_price_per_kg and plan.problem.outlook.carbon_g_per_kwh is None:
        reasons.append("no_carbon_intensity")
    if objective.switching_price and plan.problem.site.batteries and not plan.keeps_modes:
        reasons.append("switching_not_heeded")
    return ObjectiveReply(
        carbon_price_per_kg=objective.carbon_price_per_kg,
        self_sufficiency_price=objective.self_sufficiency_price,
        wear_factor=objective.wear_factor,
        switching_price=objective.switching_price,
        reasons=reasons,
    )
