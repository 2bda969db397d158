"""What a plan costs, what counted in it beside money, and what that costs compared with the cheapest plan."""

from dataclasses import replace
from zoneinfo import ZoneInfo

from luna.contracts.plan import CheapestReply, CompromiseReply, CostReply, ObjectiveReason, ObjectiveReply, PlanRequest
from luna.economics import carbon_g, peak_cost
from luna.weighing import COST_ALONE, Weights, self_sufficiency
from luna.wording import Language
from services.planner.answer.compromise import name_compromise
from services.planner.model.solver import Solver
from services.planner.plan import Plan
from services.planner.planning import decide
from services.planner.posing.peaks import read_peaks
from services.planner.posing.problem import objective_of


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


def compare_cheapest(plan: Plan, request: PlanRequest, solver: Solver) -> CheapestReply | None:
    """Return how the plan differs from the cheapest one; None where cost alone counts, or where it would take as long again and was not asked for."""
    paid = replace(plan.problem.paid, switching_price=0.0)
    if reply_objective(plan, request) is None or (paid.places and not request.options.compare_cheapest):
        return None
    cheapest = decide(paid, solver)
    weighed, least = reply_cost(plan, request), reply_cost(cheapest, request)
    left = float((paid.terminal.value * (plan.flows.stored_kwh[:, -1] - cheapest.flows.stored_kwh[:, -1])).sum())
    saved = None if weighed.carbon_g is None or least.carbon_g is None else least.carbon_g - weighed.carbon_g
    imported = float((cheapest.flows.import_kwh - plan.flows.import_kwh).sum())
    return CheapestReply(
        cost=_round_off(weighed.total - least.total - left), carbon_g=None if saved is None else _round_off(saved), import_kwh=_round_off(imported)
    )
