"""Why not otherwise: the alternative is held to, the rest is planned anew, and both are priced over the whole horizon."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from zoneinfo import ZoneInfo

from luna.contracts.manual import ManualBlock
from luna.contracts.plan import CompromiseReply, PlanRequest
from luna.contracts.why_not import Alternative, WhyNotReply
from luna.errors import InvalidInputError
from luna.wording import Language, Numbers, limit
from luna.wording.alternatives import say_alternative
from services.planner.alternatives.changes import compare_costs, list_changes
from services.planner.alternatives.deviation import Deviation, depart
from services.planner.alternatives.otherwise import find_battery, find_slots, limits_at_work, require_allowed, require_happens, tell_otherwise
from services.planner.answer.reply import answer
from services.planner.model.solver import Solver
from services.planner.plan import Plan
from services.planner.planning import decide
from services.planner.posing.problem import pose

# What an owner's block calls what is asked of a vehicle or a load.
_VEHICLE, _LOAD = {"charge": "charge", "hold": "no_charge"}, {"on": "on", "off": "off"}


@dataclass(frozen=True, slots=True)
class Pair:
    """A plan and the one with the alternative; ``by_value`` is its cost by the value of stored energy, ``limits`` are those at work, as codes."""

    before: Plan
    after: Plan
    by_value: float | None = None
    limits: tuple[str, ...] = ()


def ask_why_not(inputs: PlanRequest, alternative: Alternative, *, solver: Solver, language: Language) -> WhyNotReply:
    """Return what an alternative to the plan of ``inputs`` costs, and which slots change.

    Of a battery, what comes before stays as planned and what is placed stays placed, so that the answer agrees with a slot's ``cost_of_opposite``.
    A vehicle's or load's alternative is a block that everything else is planned around, what comes before it too.

    Raises:
        InvalidInputError: the alternative lies outside the plan, names no device, or a limit forbids it.
        SolverError: no plan for what comes after.
    """
    plan = _plan(inputs, solver)
    slots = find_slots(alternative, plan.problem.outlook.timeline)
    words = _blocks_of(inputs, alternative)
    pair = _depart(plan, alternative, slots, solver) if words is None else _plan_around(plan, _ask_block(inputs, alternative, slots, words), solver)
    return _reply(pair, inputs, alternative, slots=slots, language=language)


def _plan(inputs: PlanRequest, solver: Solver) -> Plan:
    """Return the plan of a request; under a tariff in blocks its problem keeps them, and not the price of the block in which the plan ends."""
    posed = pose(inputs)
    plan = decide(posed, solver)
    if posed.blocks is None:
        return plan
    outlook = replace(plan.problem.outlook, import_price=posed.outlook.import_price)
    return replace(plan, problem=replace(plan.problem, outlook=outlook, blocks=posed.blocks))


def _depart(plan: Plan, alternative: Alternative, slots: tuple[int, int], solver: Solver) -> Pair:
    """Let a battery depart from the plan."""
    index = find_battery(alternative, plan.problem.site)
    require_allowed(alternative, plan.problem.site.batteries[index])
    deviation = depart(plan, tell_otherwise(plan, alternative, index=index, slots=slots), slots[0], solver)
    require_happens(alternative, deviation, index)
    return Pair(plan, deviation.after, _rounded(deviation), tuple(limits_at_work(deviation)))


def _blocks_of(inputs: PlanRequest, alternative: Alternative) -> dict[str, str] | None:
    """Return what blocks call a vehicle's or load's modes; None where a battery is meant."""
    site = inputs.site
    if site is None or alternative.device in [None, *(battery.name for battery in site.batteries)]:
        return None
    if alternative.device in [vehicle.name for vehicle in site.vehicles]:
        return _VEHICLE
    return _LOAD if alternative.device in [load.name for load in site.loads] else None


def _ask_block(inputs: PlanRequest, alternative: Alternative, slots: tuple[int, int], words: dict[str, str]) -> PlanRequest:
    """Return the request with the alternative as a block."""
    if alternative.mode not in words:
        known = ", ".join(words)
        raise InvalidInputError("is no mode of this device", field="alternative.mode", value=alternative.mode, remedy=f"Choose from: {known}.")
    timeline = pose(inputs).outlook.timeline
    begin, end = (timeline.start + slot * timeline.step for slot in slots)
    block = {"device": alternative.device, "action": words[alternative.mode], "from": begin, "to": end, "power_kw": alternative.power_kw}
    return inputs.model_copy(update={"manual": [*inputs.manual, ManualBlock.model_validate(block)]})


def _plan_around(plan: Plan, asked: PlanRequest, solver: Solver) -> Pair:
    try:
        problem = pose(asked)
    except InvalidInputError as exc:
        raise InvalidInputError(f"impossible: {exc.message}", field="alternative", value=exc.value, remedy=exc.remedy) from exc
    return Pair(plan, decide(problem, solver))


def _reply(pair: Pair, inputs: PlanRequest, alternative: Alternative, *, slots: tuple[int, int], language: Language) -> WhyNotReply:
    site, starts = pair.before.problem.site, list(pair.before.problem.outlook.timeline)
    before, after = (answer(plan, request=inputs, issued_at=starts[0]) for plan in (pair.before, pair.after))
    cost, changes = compare_costs(before, after, stored=missing_worth(pair.before, pair.after)), list_changes(before, after)
    others = sorted({each.start for each in changes} - set(starts[slice(*slots)]))
    numbers = Numbers(language, ZoneInfo(site.timezone), site.currency)
    device = alternative.device or site.batteries[0].name
    return WhyNotReply(
        plan_id=before.plan_id,
        alternative=alternative,
        cost=cost,
        cost_by_value=pair.by_value,
        changes=changes,
        binding=[limit(code, language=language) for code in pair.limits],
        compromises=newly_missed(before.compromises, after.compromises),
        text=say_alternative(alternative.mode, device=device, start=starts[slots[0]], cost=cost.total, others=others, numbers=numbers),
        currency=site.currency,
        timezone=site.timezone,
        slot_minutes=before.slot_minutes,
    )


def missing_worth(before: Plan, after: Plan) -> float:
    """Return what the energy is worth that the second plan leaves less in the same batteries at the horizon."""
    missing = before.flows.stored_kwh[:, -1] - after.flows.stored_kwh[:, -1]
    return float((before.problem.paid.terminal.value * missing).sum())


def newly_missed(before: Sequence[CompromiseReply], after: Sequence[CompromiseReply]) -> list[CompromiseReply]:
    """Return what the second plan misses that the first does not."""
    known = {(each.constraint, each.shortfall) for each in before}
    return [each for each in after if (each.constraint, each.shortfall) not in known]


def _rounded(deviation: Deviation) -> float | None:
    return None if deviation.cost_by_value is None else round(deviation.cost_by_value, 6)
