"""What a plan costs, in the words of the outward interface: in all, by objective, and by charging session."""

from contextlib import suppress
from dataclasses import replace
from functools import partial
from zoneinfo import ZoneInfo

from luna.contracts.plan import CheapestReply, CompromiseReply, CostReply, ObjectiveReason, ObjectiveReply, PlanRequest, SessionReply
from luna.energy.economics import COST_ALONE, Weights, carbon_g, peak_cost, self_sufficiency
from luna.words import Language
from services.planner.deadline import Deadline
from services.planner.devices import PLANNED_KINDS
from services.planner.devices.kind import RelaxedBill
from services.planner.dp.plan import Plan
from services.planner.linear.model import InfeasibleError
from services.planner.milp.directions import FlowDirections
from services.planner.milp.formulation import formulate
from services.planner.milp.solver import Solver, SolverError
from services.planner.planner import decide
from services.planner.problem.build import build_problem, objective_of, read_peaks
from services.planner.reply.compromises import name_compromise


def reply_cost(plan: Plan, request: PlanRequest) -> CostReply:
    """Return what is really paid, with carbon and self-sufficiency beside."""
    site, timeline, flows = plan.problem.site, plan.problem.outlook.timeline, plan.flows
    peak = peak_cost(flows.import_kwh, timeline, read_peaks(site, request.state), zone=ZoneInfo(site.timezone))
    carbon = plan.problem.outlook.carbon_g_per_kwh
    costs, share = plan.costs, self_sufficiency(flows.import_kwh, plan.problem.outlook.load_kwh)
    return CostReply(
        total=_round_off(float(costs.total.sum()) + peak),
        import_=_round_off(float(costs.import_cost.sum())),
        export=_round_off(float(costs.export_cost.sum())),
        wear=_round_off(float(costs.wear_cost.sum())),
        peak=_round_off(peak),
        carbon_g=None if carbon is None else _round_off(carbon_g(flows.import_kwh, carbon)),
        self_sufficiency=None if share is None else _round_off(share),
    )


def _round_off(value: float) -> float:
    """Return a sum without what additions leave of nothing, and without a minus before zero."""
    return round(value, 9) + 0.0


def reply_objective(plan: Plan, request: PlanRequest) -> ObjectiveReply | None:
    """Return what counted beside money; None where nothing did."""
    objective = objective_of(request)
    if Weights.of(objective) == COST_ALONE and not objective.switching_price:
        return None
    unknown = bool(objective.carbon_price_per_kg) and plan.problem.outlook.carbon_g_per_kwh is None
    loose = bool(objective.switching_price) and bool(plan.problem.site.batteries) and not plan.keeps_modes
    reasons: dict[ObjectiveReason, bool] = {"no_carbon_intensity": unknown, "switching_not_heeded": loose}
    return ObjectiveReply(
        carbon_price_per_kg=objective.carbon_price_per_kg,
        self_sufficiency_price=objective.self_sufficiency_price,
        wear_factor=objective.wear_factor,
        switching_price=objective.switching_price,
        reasons=[reason for reason, holds in reasons.items() if holds],
    )


def missed_weights(objective: ObjectiveReply | None, language: Language) -> list[CompromiseReply]:
    """Return what was to count and could not."""
    if objective is None or "no_carbon_intensity" not in objective.reasons:
        return []
    return [name_compromise("carbon_unknown", language, price=objective.carbon_price_per_kg)]


def compare_cheapest(plan: Plan, request: PlanRequest, solver: Solver, *, deadline: Deadline | None = None) -> CheapestReply | None:
    """Return how the plan differs from the cheapest one.

    None where cost alone counts, where it would take as long again and was not asked for, or where by the ``deadline`` either was not found.
    """
    paid = plan.problem.paid
    paid = replace(paid, following=replace(paid.following, switching_price=0.0))
    if reply_objective(plan, request) is None or (paid.places and not request.options.compare_cheapest):
        return None
    cheapest = decide(paid, solver, deadline=deadline)
    if "self_consumption" in (plan.method, cheapest.method):
        return None
    weighed, least = reply_cost(plan, request), reply_cost(cheapest, request)
    left = float((paid.terminal.value * (plan.flows.stored_kwh[:, -1] - cheapest.flows.stored_kwh[:, -1])).sum())
    saved = None if weighed.carbon_g is None or least.carbon_g is None else least.carbon_g - weighed.carbon_g
    imported = float((cheapest.flows.import_kwh - plan.flows.import_kwh).sum())
    return CheapestReply(
        cost=_round_off(weighed.total - least.total - left), carbon_g=None if saved is None else _round_off(saved), import_kwh=_round_off(imported)
    )


def price_sessions(plan: Plan, request: PlanRequest, solver: Solver, *, deadline: Deadline | None = None) -> list[SessionReply]:
    """Return what the deadline of every session with a target costs; those for which no time is left by the planner's own ``deadline`` are left out.

    All costs are those of the relaxed model, in which a device's least power is no limit: each takes one linear solve, and differences of cents are
    not lost in the gap that a placement is proven to. Energy beyond a target is worth nothing in them.
    """
    if plan.placement is None:
        return []
    timed = solver.renew(deadline or Deadline.within(request.options.time_limit_s))
    priced: list[SessionReply] = []
    with suppress(SolverError):
        for kind in PLANNED_KINDS:
            if kind.price_sessions:
                # One by one: what is priced when time is up stays.
                for each in kind.price_sessions(request, plan.placement.loads, partial(_relax, solver=timed)):
                    priced.append(each)  # noqa: PERF402
    return priced


def _relax(request: PlanRequest, *, solver: Solver) -> RelaxedBill:
    problem = build_problem(request).paid
    try:
        built = formulate(problem, FlowDirections.of(problem))
        solution = solver.solve(built.model.relaxed(), time_limit_s=problem.search.time_limit_s)
    except InfeasibleError:
        built = formulate(problem, FlowDirections.of(problem), elastic=True)
        solution = solver.solve(built.model.relaxed(), time_limit_s=problem.search.time_limit_s)
    lacking = {demand.name: each.storage.missing for demand, each in zip(problem.demands, built.placed.loads, strict=True) if each.storage}
    slack = sum(float(built.model.cost[columns] @ solution.column[columns]) for columns in lacking.values())
    return RelaxedBill(solution.objective - slack, {name: float(solution.column[columns].sum()) for name, columns in lacking.items()})
