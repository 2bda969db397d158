"""What is followed of a plan: a policy that stays right when load, sun and state of charge turn out otherwise, and what it makes of the expected course.

Candidates are the inverter alone, the value of stored energy, and the planned flows with everything beside them left to the house. What gains nothing over
the inverter alone, as expected and as forecasts have erred, is left to it.
Source: docs/decisions/0033.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from luna.physics import BoolArray, Flows, IntArray, Mode, SetPoint, SlotActuals, clamp, simulate_slot
from luna.policy import HIGHEST_SOC, LOWEST_SOC, BatteryPolicy, PlanPolicy, SocThresholds
from luna.timeline import FloatArray
from services.planner.dp.plan import Followed, Plan, count_excess, price_flows, value_flows
from services.planner.dp.planner import hold_back, read_worth, terminal_segments
from services.planner.dp.policy import correct_value, cost_courses, find_nights, read_policy, sell_nowhere, walk_policy
from services.planner.dp.segments import offer_lengths, problem_segments
from services.planner.milp.policy import follow_flows, pinned_slots
from services.planner.policy_simulation import find_breach, first_modes, simulate_errors
from services.planner.problem.problem import NO_MARGIN, Problem
from services.planner.problem.scenarios import ScenarioSet

# A gain of less than this over a whole plan is none, in currency.
LEAST_GAIN = 1e-4
# The share of what a plan gains over the inverter alone that its value policy may cost beside the plan's own flows.
_MOST_LOSS = 0.1
# By how many standard errors of its mean over past errors a gain over the inverter alone has to exceed zero.
_SURE = 2.0
_SAME_KWH, _SAME_COST, _NOTHING_KWH = 1e-6, 1e-6, 1e-9


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a policy makes of the expected course: ``cost`` with what is left at the horizon, and ``breach_kwh`` of limits and wishes."""

    policy: PlanPolicy
    setpoints: SetPoint
    flows: Flows
    start_kwh: FloatArray
    cost: float
    breach_kwh: float


def follow_plan(plan: Plan) -> Plan:
    """Return the plan as it is followed: set-points, flows and costs are what its policy makes of the expected course.

    Invariants: of its problem's optimum it keeps back no more than the margin asks for; without a margin it costs the same.
    """
    problem = plan.problem
    if not problem.site.batteries:
        return replace(plan, policy=PlanPolicy((), plan.setpoints.curtailment, plan.setpoints.pv_limit_kw))
    chosen, followed = _choose(plan)
    if chosen is None:
        return plan
    chosen = _name_trade(plan, chosen) if followed == "value" else chosen
    followed_plan = _follow(plan, chosen, followed)
    keeps = followed == "value" and problem.following.switching_price > 0
    return replace(followed_plan, premium=max(chosen.cost - value_flows(problem, plan.flows), 0.0), keeps_modes=keeps)


def follow_instead(plan: Plan, policy: PlanPolicy) -> Plan | None:
    """Return a followed plan with another policy in its place; None where that misses limits or wishes which the plan keeps, or there is no battery.

    Owner, contract and placed devices bind the policy as they bind the plan's own. ``premium`` is what it costs more than ``plan`` on the expected course.
    """
    if not plan.problem.site.batteries:
        return None
    bound = _bind(plan, policy.batteries)
    chosen = _admit(plan, bound, find_breach(plan.problem, plan.flows) + _SAME_KWH)
    if chosen is None:
        return None
    premium = plan.premium + chosen.cost - value_flows(plan.problem, plan.flows)
    return replace(_follow(plan, chosen, "learned"), premium=max(premium, 0.0), keeps_modes=False)


def _follow(plan: Plan, chosen: Outcome, followed: Followed) -> Plan:
    worth = plan.energy_value
    if plan.value is not None:
        lowest = plan.problem.limits.batteries.min_kwh
        worth = read_worth(plan.value.function, (chosen.start_kwh - lowest)[0], (chosen.flows.stored_kwh - lowest)[0])[None, :]
    return replace(
        plan,
        energy_value=worth,
        setpoints=chosen.setpoints,
        flows=chosen.flows,
        start_kwh=chosen.start_kwh,
        costs=price_flows(plan.problem, chosen.flows),
        policy=chosen.policy,
        followed=followed,
    )


def _choose(plan: Plan) -> tuple[Outcome | None, Followed]:
    """Return what is followed, None for the plan as it stands, and what kind of policy that is."""
    problem, best = plan.problem, value_flows(plan.problem, plan.flows)
    most_breach = find_breach(problem, plan.flows) + _SAME_KWH
    value = _admit(plan, value_policy(plan), most_breach) if plan.values and not problem.pins else None
    if problem.following.margin == NO_MARGIN:
        return _pick_exact(plan, value, best, most_breach)
    weighed = value is not None and plan.spread is not None and plan.spread.courses > 1
    # Who plans for courses besides the expected one pays on that one.
    house = None if problem.pins or weighed else _admit(plan, _house_policy(plan), most_breach)
    gain = np.inf if house is None else house.cost - best
    # What only planned flows would gain, a battery of few kilowatts or kinks say, is lost again where load and sun come otherwise.
    if house is not None and (gain <= LEAST_GAIN or (value is not None and house.cost - value.cost <= LEAST_GAIN)):
        return house, "house"
    allowed = _allowed_price(problem) * _throughput_kwh(plan.flows) + (0.0 if house is None else _MOST_LOSS * gain) + LEAST_GAIN
    for kind, candidate in _list_candidates(plan, value, most_breach):
        if candidate is not None and candidate.cost - best <= allowed:
            return (house, "house") if house is not None and _errs_away(plan, (candidate, house)) else (candidate, kind)
    return None, "none"


def _allowed_price(problem: Problem) -> float:
    """Return what a policy may cost more than the plan, per kWh that is charged or discharged: its margin, and what is known to be off in the plan's value."""
    correction = problem.following.value_correction
    off = 0.0 if correction is None else float(np.abs(correction).max(initial=0.0))
    return problem.following.margin.self_consumption_margin + off


def _list_candidates(plan: Plan, value: Outcome | None, most_breach: float) -> Iterator[tuple[Followed, Outcome | None]]:
    """Yield what may be followed beside the house, each made when it is asked for."""
    yield "value", value
    for open_house in (True, False):
        yield "flows", _admit(plan, _flows_policy(plan, open_house=open_house), most_breach)


def _pick_exact(plan: Plan, value: Outcome | None, best: float, most_breach: float) -> tuple[Outcome | None, Followed]:
    """Return the first policy that comes to the plan's own cost, or beyond it to no more than changes of mode have to gain."""
    tolerance = _SAME_COST * (1.0 + abs(best)) + 2.0 * plan.problem.following.switching_price * _throughput_kwh(plan.flows)
    if value is not None and value.cost <= best + tolerance:
        return value, "value"
    for open_house in (True, False):
        flows = _admit(plan, _flows_policy(plan, open_house=open_house), most_breach)
        if flows is not None and flows.cost <= best + tolerance:
            return flows, "flows"
    return None, "none"


def _errs_away(plan: Plan, pair: tuple[Outcome, Outcome]) -> bool:
    """Return whether errors such as forecasts lately made cost all that the first policy gains over the second, or leave it to chance."""
    errors = plan.problem.uncertainty.errors
    if errors is None:
        return False
    costs = _cost_errors(plan, [each.policy for each in pair], errors)
    gains, expected = costs[1] - costs[0], max(1.0 - float(errors.weight.sum()), 0.0)
    gain = float(errors.weight @ gains) + expected * (pair[1].cost - pair[0].cost)
    chance = float(gains.std(ddof=1)) / np.sqrt(gains.size) if gains.size > 1 else 0.0
    return gain <= LEAST_GAIN + _SURE * chance


def _cost_errors(plan: Plan, policies: Sequence[PlanPolicy], errors: ScenarioSet) -> FloatArray:
    """Return what policies cost on each of the courses, ``(policies, courses)``, up to what all of them cost alike."""
    problem, value = plan.problem, plan.value
    if value is None:
        return simulate_errors(problem, policies, errors)
    offered = offer_lengths(problem, errors, value.direction)
    terminal, mode, start = terminal_segments(problem), int(first_modes(problem)[0, 0]), float(problem.stored_kwh[0])
    return np.array([cost_courses(each.batteries[0], offered, start, terminal=terminal, mode=mode) for each in policies])


def _throughput_kwh(flows: Flows) -> float:
    return float((flows.charge_kwh + flows.discharge_kwh).sum())


def value_policy(plan: Plan) -> PlanPolicy:
    """Return what the value of stored energy says of any state of charge, of a plan that knows that of each battery."""
    problem, outlook, following = plan.problem, plan.problem.outlook, plan.problem.following
    night = find_nights(outlook.pv_kwh, outlook.timeline.hours)
    values = [correct_value(value, following.value_correction) for value in plan.values]
    parts = [
        read_policy(value, battery, night=night, margin=following.margin, switching_price=following.switching_price)
        for value, battery in zip(values, problem.site.batteries, strict=True)
    ]
    return _bind(plan, parts)


def _name_trade(plan: Plan, outcome: Outcome) -> Outcome:
    """Return the same with batteries told to sell, or to buy, where they do: a run of slots in which the house alone does what is planned is none of trade.

    Fuller than planned a battery still sells down to there, emptier it buys up to there.
    """
    flows, modes = outcome.flows, outcome.setpoints.mode
    bought, sold = np.minimum(flows.charge_kwh, flows.import_kwh), np.minimum(flows.discharge_kwh, flows.export_kwh)
    buys_not = _idle_runs(modes == Mode.CHARGE, bought) & (flows.charge_kwh > _SAME_KWH)
    sells_not = _idle_runs(modes == Mode.EXPORT, sold) & (flows.discharge_kwh > _SAME_KWH)
    if not (buys_not.any() or sells_not.any()):
        return outcome

    def named(level: SocThresholds, index: int) -> SocThresholds:
        start = outcome.start_kwh[index] / plan.problem.site.batteries[index].capacity_kwh
        buy = np.where(buys_not[index], np.minimum(level.buy, start), level.buy)
        return replace(level, buy=buy, sell=np.where(sells_not[index], np.maximum(level.sell, start), level.sell)).rounded()

    parts = [replace(part, keep=named(part.keep, index), begin=named(part.begin, index)) for index, part in enumerate(outcome.policy.batteries)]
    again = meet_course(plan, replace(outcome.policy, batteries=parts))
    return again if again.cost <= outcome.cost + _SAME_COST and again.breach_kwh <= outcome.breach_kwh + _SAME_KWH else outcome


def _idle_runs(trades: BoolArray, energy_kwh: FloatArray) -> BoolArray:
    """Return the slots of runs that trade nothing, shape ``(batteries, slots)`` as both arrays."""
    edges = np.diff(trades, axis=1, prepend=False)
    run = np.cumsum(edges, axis=1) + np.arange(trades.shape[0])[:, None] * (trades.shape[1] + 1)
    traded = np.bincount(run.ravel(), weights=energy_kwh.ravel(), minlength=int(run.max(initial=0)) + 1)
    return np.asarray(trades & (traded[run] <= _SAME_KWH))


def _house_policy(plan: Plan) -> PlanPolicy:
    problem, slots = plan.problem, plan.problem.outlook.timeline.count
    return _bind(plan, [BatteryPolicy.follow_house(battery, slots) for battery in problem.site.batteries])


def _flows_policy(plan: Plan, *, open_house: bool) -> PlanPolicy:
    return _bind(plan, [follow_flows(plan, index, open_house=open_house) for index, _ in enumerate(plan.problem.site.batteries)])


def _bind(plan: Plan, parts: Sequence[BatteryPolicy]) -> PlanPolicy:
    """Return the policies of all batteries within what owner, contract and placed devices leave open, and how PV is held back."""
    problem = plan.problem
    if problem.following.margin == NO_MARGIN:
        held_back, limit = plan.setpoints.curtailment, plan.setpoints.pv_limit_kw
    else:
        # What prices and contract say: a limit made of expected flows would take sun from a load that turns out higher.
        held_back, limit = hold_back(problem, exports=plan.flows.export_kwh > 0), np.full(problem.outlook.timeline.count, np.inf)
    bound = [replace(part, keep=_bound(plan, index, part.keep), begin=_bound(plan, index, part.begin)) for index, part in enumerate(parts)]
    return PlanPolicy(bound, held_back, limit)


def _bound(plan: Plan, index: int, level: SocThresholds) -> SocThresholds:
    problem, battery, manual = plan.problem, plan.problem.site.batteries[index], plan.problem.manual
    level = sell_nowhere(level, problem.export_limit_kwh <= 0)
    if problem.storage.reserve_kwh is not None:
        level = replace(level, serve=np.maximum(level.serve, problem.storage.reserve_kwh[index] / battery.capacity_kwh))
    if problem.storage.give_limit_kwh is not None:
        # An inverter sees the meter and knows no vehicle: what it gives the house goes into the vehicle as soon as the house takes less.
        spared = np.isfinite(problem.storage.give_limit_kwh)
        level = replace(level, serve=np.where(spared, HIGHEST_SOC, level.serve), sell=np.where(spared, HIGHEST_SOC, level.sell))
    if manual is not None:
        charge, discharge = manual.may_charge[index], manual.may_discharge[index]
        serve = np.where(manual.no_import & ~pinned_slots(problem, index), battery.min_soc, level.serve)
        level = replace(level, serve=np.where(discharge, serve, HIGHEST_SOC), sell=np.where(discharge, level.sell, HIGHEST_SOC))
        level = replace(level, **{name: np.where(charge, getattr(level, name), LOWEST_SOC) for name in ("buy", "store", "spill")})
    return level.rounded()


def _admit(plan: Plan, policy: PlanPolicy, most_breach: float) -> Outcome | None:
    """Return what a policy makes of the expected course; None where it misses limits or wishes that the plan keeps."""
    outcome = meet_course(plan, policy)
    return outcome if outcome.breach_kwh <= most_breach else None


def meet_course(plan: Plan, policy: PlanPolicy) -> Outcome:
    """Return what a policy makes of the expected course, from the state that the batteries are really in."""
    problem, outlook, limits = plan.problem, plan.problem.outlook, plan.limits
    starts, modes = _guess(plan, policy)
    first, capacity = first_modes(problem), problem.limits.batteries.capacity_kwh
    # Each round settles at least one slot more for good, where guesses are right all of them.
    for _ in range(outlook.timeline.count + 1):
        before = np.concatenate([first, modes[:, :-1]], axis=1)
        setpoints = clamp(policy.read(slice(None), starts / capacity, before), starts, limits)
        flows = simulate_slot(setpoints, starts, SlotActuals(outlook.load_kwh, outlook.pv_kwh, outlook.timeline.hours), limits=limits)
        again = np.concatenate([problem.stored_kwh[:, None], flows.stored_kwh[:, :-1]], axis=1)
        agree = np.abs(again - starts).max(initial=0.0) <= _NOTHING_KWH and np.array_equal(setpoints.mode, modes)
        starts, modes = again, setpoints.mode
        if agree:
            break
    flows = flows if limits is problem.limits else count_excess(problem, flows)
    return Outcome(policy, setpoints, flows, starts, value_flows(problem, flows), find_breach(problem, flows))


def _guess(plan: Plan, policy: PlanPolicy) -> tuple[FloatArray, IntArray]:
    """Return stored energy at the start of each slot and its mode, as far as that is quickly told."""
    problem, value = plan.problem, plan.value
    if value is None:
        return plan.start_kwh, plan.setpoints.mode
    start = float(problem.stored_kwh[0])
    # Ways that were fixed for slots bind the plan, not what a policy meets.
    segments = value.segments if value.direction is None else problem_segments(problem)
    path, modes = walk_policy(policy.batteries[0], segments, start, mode=int(first_modes(problem)[0, 0]))
    begins: FloatArray = np.append(start, path[:-1])
    return begins[None, :], modes[None, :]
