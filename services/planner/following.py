"""The policy that follows a plan, chosen to stay good when reality deviates.

Load, PV and state of charge may differ from the forecast.

Candidates are the inverter alone, the value of stored energy, and the planned flows with every
deviation left to self-consumption. A plan that gains nothing over the inverter alone, on the
forecast and under recent forecast errors, is left to the inverter.
Source: docs/decisions/0033.
"""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from typing import Self

import numpy as np

from luna.energy.economics.costs import break_even
from luna.energy.physics.mode import CHARGE, EXPORT, BoolArray, Mode
from luna.energy.policy import HIGHEST_SOC, LOWEST_SOC, BatteryPolicy, PlanPolicy, SocThresholds
from luna.energy.timeline import FloatArray
from services.planner.dp.plan import Followed, Plan, value_flows, weigh_flows
from services.planner.dp.planner import (
    choose_curtailment,
    correct_value,
    cost_scenarios,
    find_nights,
    read_policy,
    read_worth,
    terminal_segments,
)
from services.planner.dp.segments import offer_lengths
from services.planner.dp.value import TIE
from services.planner.policy_simulation import (
    LateError,
    Outcome,
    find_breach,
    first_modes,
    simulate_errors,
    simulate_expected,
)
from services.planner.problem.problem import NO_MARGIN, Deadline, Problem, planning_clock_s

# A gain of less than this over a whole plan is none, in currency.
LEAST_GAIN = 1e-4
# The value policy may cost this share of the plan's gain over the inverter alone more than the
# planned flows.
_MOST_LOSS = 0.1
# A gain over the inverter alone counts where its mean over past forecast errors exceeds zero by so
# many standard errors.
_SURE_ERRORS = 2.0
_SAME_KWH = 1e-6
_SAME_COST = 1e-6


def follow_plan(problem: Problem, plan: Plan, *, deadline: Deadline | None = None) -> Plan:
    """Return a least-cost plan of ``problem`` with its policy and the policy's cost.

    Set-points and flows are the policy's on the expected scenario; where its simulation misses the
    ``deadline``, the plan's own. The time that this takes is added to ``solve_ms``.

    Invariants: a policy costs no more over its plan's optimum than the margin allows; without a
    margin it costs the same.
    """
    begun_s = planning_clock_s()
    followed = plan
    with suppress(LateError):
        followed = _choose_policy(plan, deadline)
    costs = weigh_flows(problem.at_tariff_prices, followed.flows)
    if followed.load_schedule is not None:
        costs = followed.load_schedule.add_costs(costs)
    spent_ms = (planning_clock_s() - begun_s) * 1e3
    return replace(followed, costs=costs, solve_ms=followed.solve_ms + spent_ms)


def _choose_policy(plan: Plan, deadline: Deadline | None) -> Plan:
    problem = plan.problem
    batteries = problem.site.batteries
    if not batteries:
        policy = PlanPolicy((), plan.setpoints.curtailment, plan.setpoints.pv_limit_kw)
        return replace(plan, policy=policy)
    planned = _PlannedFlows.of(plan, deadline)
    value = None
    if plan.values and not problem.pins:
        value = planned.simulate(value_policy(plan))
    if problem.following.margin == NO_MARGIN:
        chosen, followed = _choose_exact(planned, value)
    else:
        # A plan over several scenarios may cost more than the inverter alone on the expected one.
        weighs_scenarios = plan.spread is not None and plan.spread.scenarios > 1
        house = None
        if not problem.pins and not (weighs_scenarios and value is not None):
            slots = problem.outlook.timeline.count
            parts = [BatteryPolicy.follow_house(battery, slots) for battery in batteries]
            house = planned.simulate(_bind(plan, parts))
        chosen, followed = _choose_within_margin(planned, value, house)
    if chosen is None:
        return plan
    if followed == "value":
        chosen = _name_trade(planned, chosen)
    return _follow(
        plan,
        chosen,
        followed,
        premium=chosen.cost - planned.cost,
        keeps_modes=followed == "value" and problem.following.switching_price > 0,
    )


@dataclass(frozen=True, slots=True)
class _PlannedFlows:
    """A plan's own flows, with which its policies are compared until the ``deadline``.

    ``breach_kwh`` is the energy by which they miss limits and targets.
    """

    plan: Plan
    cost: float
    breach_kwh: float
    throughput_kwh: float
    deadline: Deadline | None

    @classmethod
    def of(cls, plan: Plan, deadline: Deadline | None = None) -> Self:
        flows = plan.flows
        return cls(
            plan,
            cost=value_flows(plan.problem, flows),
            breach_kwh=find_breach(plan.problem, flows),
            throughput_kwh=float((flows.charge_kwh + flows.discharge_kwh).sum()),
            deadline=deadline,
        )

    def simulate(self, policy: PlanPolicy) -> Outcome | None:
        """Return a policy's outcome; None where it misses more of limits and targets."""
        outcome = simulate_expected(self.plan, policy, deadline=self.deadline)
        return outcome if outcome.breach_kwh <= self.breach_kwh + _SAME_KWH else None


def follow_instead(plan: Plan, policy: PlanPolicy) -> Plan | None:
    """Return a followed plan with another policy instead.

    None where that misses limits or targets by more than the plan, or there is no battery. Owner,
    contract and flexible loads bind the policy as they bind the plan's own. ``premium`` is its
    extra cost over ``plan`` on the expected scenario.
    """
    if not plan.problem.site.batteries:
        return None
    planned = _PlannedFlows.of(plan)
    chosen = planned.simulate(_bind(plan, policy.batteries))
    if chosen is None:
        return None
    instead = _follow(plan, chosen, "learned", premium=plan.premium + chosen.cost - planned.cost)
    return replace(instead, costs=weigh_flows(plan.problem.at_tariff_prices, chosen.flows))


def _follow(
    plan: Plan, chosen: Outcome, followed: Followed, *, premium: float, keeps_modes: bool = False
) -> Plan:
    worth = plan.energy_value
    if plan.value is not None:
        lowest = plan.problem.limits.batteries.min_kwh
        worth = read_worth(
            plan.value.function,
            (chosen.start_kwh - lowest)[0],
            (chosen.flows.stored_kwh - lowest)[0],
        )[None, :]
    return replace(
        plan,
        energy_value=worth,
        setpoints=chosen.setpoints,
        flows=chosen.flows,
        start_kwh=chosen.start_kwh,
        policy=chosen.policy,
        followed=followed,
        premium=max(premium, 0.0),
        keeps_modes=keeps_modes,
    )


def _choose_exact(planned: _PlannedFlows, value: Outcome | None) -> tuple[Outcome | None, Followed]:
    """Return the first policy that costs the same as the plan, and its kind.

    It may cost more by no more than what changes of mode have to gain.
    """
    switching_price = planned.plan.problem.following.switching_price
    allowed = (
        planned.cost
        + _SAME_COST * (1.0 + abs(planned.cost))
        + 2.0 * switching_price * planned.throughput_kwh
    )
    if value is not None and value.cost <= allowed:
        return value, "value"
    return _try_flows(planned, allowed)


def _choose_within_margin(
    planned: _PlannedFlows, value: Outcome | None, house: Outcome | None
) -> tuple[Outcome | None, Followed]:
    """Return the outcome to follow, None for the plan's own set-points, and the kind of policy.

    ``value`` is the outcome of the plan's value policy, ``house`` that of the inverter alone; None
    where there is none.
    """
    plan = planned.plan
    problem = plan.problem
    gain = np.inf if house is None else house.cost - planned.cost
    # A gain that only the planned flows reach, as with a battery of little power, is lost again
    # when load and PV deviate.
    if house is not None:
        value_gain = np.inf if value is None else house.cost - value.cost
        if min(gain, value_gain) <= LEAST_GAIN:
            return house, "house"
    # A policy may cost more per kWh of throughput by its margin, and by the learned correction of
    # the plan's value.
    correction = problem.following.value_correction
    most_correction = 0.0 if correction is None else float(np.abs(correction).max(initial=0.0))
    price = problem.following.margin.self_consumption_margin + most_correction
    allowed = planned.cost + price * planned.throughput_kwh
    if house is not None:
        allowed += _MOST_LOSS * gain
    allowed += LEAST_GAIN
    if value is not None and value.cost <= allowed:
        chosen: Outcome | None = value
        followed: Followed = "value"
    else:
        chosen, followed = _try_flows(planned, allowed)
    if house is not None and chosen is not None and _errs_away(plan, chosen, house):
        return house, "house"
    return chosen, followed


def _try_flows(planned: _PlannedFlows, allowed: float) -> tuple[Outcome | None, Followed]:
    """Return the outcome of following the planned flows, if it costs at most ``allowed``.

    Deviations are left to self-consumption where that costs no more either.
    """
    batteries = range(len(planned.plan.problem.site.batteries))
    for open_house in (True, False):
        parts = [follow_flows(planned.plan, index, open_house=open_house) for index in batteries]
        flows = planned.simulate(_bind(planned.plan, parts))
        if flows is not None and flows.cost <= allowed:
            return flows, "flows"
    return None, "none"


def _errs_away(plan: Plan, chosen: Outcome, house: Outcome) -> bool:
    """Return whether recent forecast errors undo the gain over the inverter alone.

    A gain that is not significant counts as lost.
    """
    problem = plan.problem
    errors = problem.uncertainty.errors
    if errors is None:
        return False
    value = plan.value
    policies = [chosen.policy, house.policy]
    if value is None:
        costs = simulate_errors(problem, policies, errors)
    else:
        # Costs up to a constant that both policies share.
        offered = offer_lengths(problem, errors, value.direction)
        terminal = terminal_segments(problem)
        mode = int(first_modes(problem)[0, 0])
        start = float(problem.stored_kwh[0])
        costs_of_policies = []
        for policy in policies:
            battery = policy.batteries[0]
            costs_of_policies.append(
                cost_scenarios(battery, offered, start, terminal=terminal, mode=mode)
            )
        costs = np.array(costs_of_policies)
    gains = costs[1] - costs[0]
    expected_weight = max(1.0 - float(errors.weight.sum()), 0.0)
    mean_gain = float(errors.weight @ gains) + expected_weight * (house.cost - chosen.cost)
    standard_error = 0.0
    if gains.size > 1:
        standard_error = float(gains.std(ddof=1)) / np.sqrt(gains.size)
    return mean_gain <= LEAST_GAIN + _SURE_ERRORS * standard_error


def value_policy(plan: Plan) -> PlanPolicy:
    """Return the policy by the value of stored energy; each battery has a value function."""
    problem = plan.problem
    following = problem.following
    night = find_nights(problem.outlook.pv_kwh, problem.outlook.timeline.hours)
    parts = []
    for value, battery in zip(plan.values, problem.site.batteries, strict=True):
        corrected = value
        if following.value_correction is not None:
            corrected = correct_value(value, following.value_correction)
        policy = read_policy(
            corrected,
            battery,
            night=night,
            margin=following.margin,
            switching_price=following.switching_price,
        )
        parts.append(policy)
    return _bind(plan, parts)


def _name_trade(planned: _PlannedFlows, outcome: Outcome) -> Outcome:
    """Return the outcome with batteries selling or buying only in runs that trade energy.

    In other runs the house alone does what is planned. Fuller than planned a battery still sells
    down to there, emptier it buys up to there.
    """
    plan = planned.plan
    flows = outcome.flows
    modes = outcome.setpoints.mode
    bought = np.minimum(flows.charge_kwh, flows.import_kwh)
    sold = np.minimum(flows.discharge_kwh, flows.export_kwh)
    buys_not = _idle_runs(modes == CHARGE, bought) & (flows.charge_kwh > _SAME_KWH)
    sells_not = _idle_runs(modes == EXPORT, sold) & (flows.discharge_kwh > _SAME_KWH)
    if not (buys_not.any() or sells_not.any()):
        return outcome

    def keep_level(level: SocThresholds, index: int) -> SocThresholds:
        start = outcome.start_kwh[index] / plan.problem.site.batteries[index].capacity_kwh
        buy = np.where(buys_not[index], np.minimum(level.buy, start), level.buy)
        sell = np.where(sells_not[index], np.maximum(level.sell, start), level.sell)
        return replace(level, buy=buy, sell=sell)

    policy = outcome.policy.bound(keep_level)
    again = simulate_expected(plan, policy, deadline=planned.deadline)
    costs_no_more = again.cost <= outcome.cost + _SAME_COST
    misses_no_more = again.breach_kwh <= outcome.breach_kwh + _SAME_KWH
    return again if costs_no_more and misses_no_more else outcome


def _idle_runs(trades: BoolArray, energy_kwh: FloatArray) -> BoolArray:
    """Return the slots of runs that trade nothing, ``(batteries, slots)`` as both arrays."""
    edges = trades.copy()
    edges[:, 1:] ^= trades[:, :-1]
    # No battery's runs share a number with another one's.
    batteries, slots = trades.shape
    first_run = np.arange(batteries)[:, None] * (slots + 1)
    run = first_run + np.cumsum(edges, axis=1)
    runs = int(run.max(initial=0)) + 1
    traded = np.bincount(run.ravel(), weights=energy_kwh.ravel(), minlength=runs)
    return np.asarray(trades & (traded[run] <= _SAME_KWH))


def _bind(plan: Plan, parts: Sequence[BatteryPolicy]) -> PlanPolicy:
    """Return the policies of all batteries, bound by owner, contract and scheduled devices."""
    problem = plan.problem
    if problem.following.margin == NO_MARGIN:
        curtailment = plan.setpoints.curtailment
        limit = plan.setpoints.pv_limit_kw
    else:
        # By prices and contract alone: a limit made of expected flows would take sun from a load
        # that turns out higher.
        curtailment = choose_curtailment(problem, exports=plan.flows.export_kwh > 0)
        limit = np.full(problem.outlook.timeline.count, np.inf)
    return PlanPolicy(parts, curtailment, limit).bound(partial(_bound, plan=plan))


def _bound(level: SocThresholds, index: int, *, plan: Plan) -> SocThresholds:
    problem = plan.problem
    battery = plan.problem.site.batteries[index]
    manual = plan.problem.manual
    # Where nothing may be fed in, nothing is sold, and surplus is stored as long as that beats
    # curtailing it.
    no_export = problem.export_limit_kwh <= 0
    store = np.where(no_export, np.maximum(level.store, level.spill), level.store)
    level = replace(level, store=store, sell=np.where(no_export, HIGHEST_SOC, level.sell))
    if problem.storage.reserve_kwh is not None:
        reserve_soc = problem.storage.reserve_kwh[index] / battery.capacity_kwh
        level = replace(level, serve=np.maximum(level.serve, reserve_soc))
    if problem.storage.give_limit_kwh is not None:
        # An inverter controls by the meter and knows no charger: what it discharges goes into the
        # car as soon as the house takes less.
        spared = np.isfinite(problem.storage.give_limit_kwh)
        serve = np.where(spared, HIGHEST_SOC, level.serve)
        sell = np.where(spared, HIGHEST_SOC, level.sell)
        level = replace(level, serve=serve, sell=sell)
    # Last, for the owner's blocks come before a reserve and before a car that is not to be fed
    # (docs/decisions/0025).
    if manual is not None:
        charge = manual.may_charge[index]
        discharge = manual.may_discharge[index]
        serves_all = manual.no_import & ~pinned_slots(problem, index)
        serve = np.where(serves_all, battery.min_soc, level.serve)
        level = SocThresholds(
            buy=np.where(charge, level.buy, LOWEST_SOC),
            store=np.where(charge, level.store, LOWEST_SOC),
            spill=np.where(charge, level.spill, LOWEST_SOC),
            serve=np.where(discharge, serve, HIGHEST_SOC),
            sell=np.where(discharge, level.sell, HIGHEST_SOC),
        )
    return level


# Flows below this are none.
_NO_FLOW_KWH = 1e-7


def follow_flows(plan: Plan, index: int, *, open_house: bool) -> BatteryPolicy:
    """Return what one battery follows for the plan's flows to come about.

    Every bound is the planned state of charge at the end of the slot. Where the plan leaves nothing
    to sell or to buy, storing and serving are bounded by nothing but what a stored kWh is worth: on
    the expected scenario that changes nothing.

    Args:
        plan: that physics has settled.
        index: of the battery.
        open_house: whether surplus and load beyond the expected ones are met.
    """
    problem = plan.problem
    flows = plan.flows
    battery = plan.problem.site.batteries[index]
    end = flows.stored_kwh[index] / battery.capacity_kwh
    mode = plan.setpoints.mode[index]
    charges = flows.charge_kwh[index] > _NO_FLOW_KWH
    discharges = flows.discharge_kwh[index] > _NO_FLOW_KWH
    buys = charges & (mode == Mode.CHARGE)
    sells = discharges & (mode == Mode.EXPORT)
    stores, spills, serves = pay_house(plan, index)
    is_open = open_house & ~pinned_slots(problem, index)
    no_surplus = flows.export_kwh + flows.curtailed_kwh <= _NO_FLOW_KWH
    no_deficit = flows.import_kwh <= _NO_FLOW_KWH
    stores_any = is_open & stores & no_surplus & ~buys
    spills_any = is_open & spills & ~buys
    serves_any = is_open & serves & no_deficit & ~sells
    charge_up_to = np.where(charges, end, LOWEST_SOC)
    discharge_down_to = np.where(discharges, end, HIGHEST_SOC)
    level = SocThresholds(
        buy=np.where(buys, end, LOWEST_SOC),
        store=np.where(stores_any, battery.max_soc, charge_up_to),
        spill=np.where(spills_any, battery.max_soc, charge_up_to),
        serve=np.where(serves_any, battery.min_soc, discharge_down_to),
        sell=np.where(sells, end, HIGHEST_SOC),
    ).rounded()
    never = np.zeros(end.shape, dtype=bool)
    power_kw = plan.setpoints.power_kw[index]
    charge_kw = np.where(mode == CHARGE, power_kw, battery.charge_limit_kw)
    discharge_kw = np.where(mode == EXPORT, power_kw, battery.discharge_limit_kw)
    return BatteryPolicy(battery, level, level, never, charge_kw, discharge_kw)


def pay_house(plan: Plan, index: int) -> tuple[BoolArray, BoolArray, BoolArray]:
    """Return the slots in which storing, storing curtailed PV, and serving pay, each ``(slots,)``.

    The value of a stored kWh decides, with the margin toward the house; where it is unknown, all
    pay.
    """
    problem = plan.problem
    battery = plan.problem.site.batteries[index]
    outlook = problem.outlook
    worth = plan.energy_value[index]
    margin = problem.following.margin.self_consumption_margin + TIE
    earned = outlook.export_price
    if problem.site.curtailable:
        earned = np.maximum(earned, 0.0)
    levels = break_even(
        outlook.import_price,
        earned,
        charge_efficiency=battery.charge_efficiency,
        discharge_efficiency=battery.discharge_efficiency,
        wear_price=battery.wear_price,
    )
    unknown = ~np.isfinite(worth)
    stores = worth >= levels.store - margin
    spills = worth >= levels.spill - margin
    serves = worth <= levels.serve + margin
    return unknown | stores, unknown | spills, unknown | serves


def pinned_slots(problem: Problem, index: int) -> BoolArray:
    """Return the slots in which an owner's block says what a battery does, shape ``(slots,)``."""
    manual = problem.manual
    if manual is None:
        return np.zeros(problem.outlook.timeline.count, dtype=bool)
    return np.asarray(
        np.isfinite(manual.charge_kwh[index]) | np.isfinite(manual.discharge_kwh[index])
    )
