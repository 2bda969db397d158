"""Why not otherwise: the alternative is held to, the rest is planned anew, and both are priced over the whole horizon."""

from zoneinfo import ZoneInfo

from luna.contracts.plan import CompromiseReply, PlanReply, PlanRequest
from luna.contracts.why_not import Alternative, WhyNotReply
from luna.wording import Language, Numbers, limit
from luna.wording.alternatives import say_alternative
from services.planner.alternatives.changes import compare_costs, list_changes
from services.planner.alternatives.deviation import Deviation, depart
from services.planner.alternatives.otherwise import find_battery, find_slots, limits_at_work, require_allowed, require_happens, tell_otherwise
from services.planner.planning import make_plan
from services.planner.problem import pose
from services.planner.reply import answer
from services.planner.solver import Solver


def ask_why_not(inputs: PlanRequest, alternative: Alternative, *, solver: Solver, language: Language) -> WhyNotReply:
    """Return what an alternative to the plan of ``inputs`` costs, and which slots change.

    What comes before a battery's alternative stays as planned, so that the answer agrees with a slot's ``cost_of_opposite``; what was placed stays placed.

    Raises:
        InvalidInputError: the alternative lies outside the plan, names no device, or a limit forbids it.
        SolverError: no plan for what comes after.
    """
    plan = make_plan(pose(inputs), solver)
    site = plan.problem.site
    slots, index = find_slots(alternative, plan.problem.outlook.timeline), find_battery(alternative, site)
    require_allowed(alternative, site.batteries[index])
    deviation = depart(plan, tell_otherwise(plan, alternative, index=index, slots=slots), slots[0], solver)
    require_happens(alternative, deviation, index)
    before, after = (answer(each, request=inputs, issued_at=plan.problem.outlook.timeline.start) for each in (deviation.before, deviation.after))
    device = site.batteries[index].name
    cost = compare_costs(before, after, stored=_missing_worth(deviation))
    changes = list_changes(before, after)
    others = [each.start for each in changes if each.start not in {slot.start for slot in before.slots[slice(*slots)]}]
    numbers = Numbers(language, ZoneInfo(site.timezone), site.currency)
    start = before.slots[slots[0]].start
    return WhyNotReply(
        plan_id=before.plan_id,
        alternative=alternative,
        cost=cost,
        cost_by_value=_rounded(deviation.cost_by_value),
        changes=changes,
        binding=[limit(code, language=language) for code in limits_at_work(deviation)],
        compromises=_newly_missed(before, after),
        text=say_alternative(alternative.mode, device=device, start=start, cost=cost.total, others=list(dict.fromkeys(others)), numbers=numbers),
        currency=site.currency,
        timezone=site.timezone,
    )


def _missing_worth(deviation: Deviation) -> float:
    """Return what the energy is worth that the alternative leaves less at the horizon."""
    paid = deviation.before.problem.paid
    missing = deviation.before.flows.stored_kwh[:, -1] - deviation.after.flows.stored_kwh[:, -1]
    return float((paid.terminal.value * missing).sum())


def _newly_missed(before: PlanReply, after: PlanReply) -> list[CompromiseReply]:
    known = {(each.constraint, each.shortfall) for each in before.compromises}
    return [each for each in after.compromises if (each.constraint, each.shortfall) not in known]


def _rounded(cost: float | None) -> float | None:
    return None if cost is None else round(cost, 6)
