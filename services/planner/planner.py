"""The planner: from a problem to a schedule that physics has checked.

One battery follows the value of its stored energy: the dynamic programme is exact where a slot's cost is convex, and choosing its way makes it so
elsewhere. Everything else goes through the mixed-integer model; with the way of every slot fixed, each battery still gets its value function.
A plan always comes: where one step of this ladder finds none in time, or physics does not confirm what it found, the next one makes it.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from zoneinfo import ZoneInfo

import numpy as np

from luna.energy.economics.charges import Blocks, find_charge, list_months
from luna.energy.policy import BatteryPolicy, PlanPolicy
from luna.energy.timeline import FloatArray
from services.planner.dp.plan import Plan, PlanMismatchError, Spread, weigh_flows
from services.planner.dp.planner import plan_single
from services.planner.dp.segments import problem_segments
from services.planner.following import follow_each
from services.planner.milp.battery_constraints import list_constraints, missed_kwh
from services.planner.milp.inverters import suits_value
from services.planner.milp.planner import plan_by_model
from services.planner.milp.schedule_loads import schedule_loads
from services.planner.milp.solver import Solver, SolverError
from services.planner.policy_simulation import simulate_policies
from services.planner.problem.problem import Deadline, Problem, planning_clock_s

_NOTHING_KWH = 1e-6


def plan_in_blocks(problem: Problem, solver: Solver, *, make: Callable[[Problem], Plan]) -> Plan:
    """Return the least-cost plan under a tariff in blocks.

    At the price of the block in which a month ends, a plan that ends there is the best of all: prices rise from block to block. Only where a month
    would end before the block's begin at its price, and beyond it at the one before, it ends just there: the model plans it.

    Args:
        problem: with blocks, and nothing to place.
        solver: kept between calls.
        make: plans a problem without blocks.
    """
    blocks = problem.tariff.charge
    if not isinstance(blocks, Blocks):
        return make(problem)
    timeline = problem.outlook.timeline
    months = list_months(timeline, ZoneInfo(problem.site.timezone))
    first = [blocks.block_of(0.0, first=number == 0) for number in range(len(months))]
    assumed = first.copy()
    while True:
        price = problem.outlook.import_price.copy()
        for slots, block in zip(months, assumed, strict=True):
            price[slots] += blocks.price_above(block)
        plan = make(replace(problem, outlook=replace(problem.outlook, import_price=price), tariff=replace(problem.tariff, charge=None)))
        drawn = [float(plan.flows.import_kwh[slots].sum()) for slots in months]
        ends = [blocks.block_of(energy - _NOTHING_KWH, first=number == 0) for number, energy in enumerate(drawn)]
        begins = [blocks.block_of(energy + _NOTHING_KWH, first=number == 0) for number, energy in enumerate(drawn)]
        if any(begin < block for begin, block in zip(begins, assumed, strict=True)):
            plan = plan_by_model(problem, solver)
            spread = None if problem.uncertainty.courses is None else Spread(1, problem.uncertainty.courses.weight.size, reasons=("no_value_function",))
            return replace(plan, spread=spread)
        if all(end <= block for end, block in zip(ends, assumed, strict=True)):
            return replace(plan, costs=weigh_flows(problem.at_tariff_prices, plan.flows))
        assumed = [block + (end > block) for end, block in zip(ends, assumed, strict=True)]


def show_import_price(plan: Plan) -> FloatArray:
    """Return the import price of each slot, ``(slots,)``: in blocks what its energy costs on the average, where it draws any."""
    price, imported = plan.problem.at_tariff_prices.outlook.import_price, plan.flows.import_kwh
    if find_charge(plan.problem.site.tariff.import_) is None:
        return price
    return np.asarray(np.divide(plan.costs.import_cost, imported, out=price.copy(), where=imported > _NOTHING_KWH))


def decide(problem: Problem, solver: Solver, *, deadline: Deadline | None = None) -> Plan:
    """Return the plan that is answered, executed and replayed: the least-cost plan as followed, with the margins of its problem.

    Never an exception for what a problem asks: ``method`` and ``disagreements`` say how far down the ladder the plan comes from.
    """
    deadline = deadline or problem.deadline
    plan = make_plan(problem, solver, deadline=deadline)
    # What the inverter does alone is always followed: nothing comes after that.
    (followed,) = follow_each([(problem, plan)], deadline=None if plan.method == "self_consumption" else deadline)
    return followed


def decide_each(problems: Sequence[Problem]) -> list[Plan]:
    """Return what is decided of problems, each as if it were alone: how they are followed is worked out together, in less time, and to its end."""
    return follow_each([(problem, make_plan(problem, Solver())) for problem in problems])


# The share of the time left for all that is solved: how a plan is followed, and why, takes time as well.
_SOLVING_SHARE = 0.85


def make_plan(problem: Problem, solver: Solver, *, deadline: Deadline | None = None) -> Plan:
    """Return the least-cost plan: what may be placed first, then what is left for the batteries.

    Where limits contradict each other it is the least-cost compromise; where there is no time left for it, the inverter alone. No solve begins after the
    ``deadline``, which is the problem's own time limit from now where none is given.
    """
    timed = problem.due((deadline or problem.deadline).share(_SOLVING_SHARE))
    try:
        plan = _plan_around(timed, solver) if problem.places else _plan_batteries(timed, solver)
    except SolverError:
        plan = plan_alone(problem)
    # Who plans the same again later has all its time again.
    return replace(plan, problem=plan.problem.due(problem.search.deadline))


def _plan_batteries(problem: Problem, solver: Solver) -> Plan:
    if isinstance(problem.tariff.charge, Blocks):
        return plan_in_blocks(problem, solver, make=lambda priced: _plan_batteries(priced, solver))
    begun = planning_clock_s()
    segments = problem_segments(problem) if dp_is_exact(problem) else None
    built = planning_clock_s()
    plan: Plan | None = None
    disagreements: tuple[str, ...] = ()
    try:
        plan = plan_single(problem, segments) if segments is not None else None
    except PlanMismatchError as error:
        disagreements = (str(error),)
    if plan is None or missed_kwh(problem, plan.flows) > _NOTHING_KWH:
        plan = plan_by_model(problem, solver)
    if problem.uncertainty.courses is not None and plan.spread is None:
        reason = "no_value_function" if len(problem.site.batteries) == 1 else "several_batteries"
        plan = replace(plan, spread=Spread(1, problem.uncertainty.courses.weight.size, reasons=(reason,)))
    took = planning_clock_s() - built
    return replace(plan, build_ms=(built - begun) * 1e3, solve_ms=took * 1e3, disagreements=plan.disagreements + disagreements)


# The share of it for what is placed: the batteries are planned once more around it.
_PLACING_SHARE = 0.6


def _plan_around(problem: Problem, solver: Solver) -> Plan:
    """Place what may be placed, then plan the batteries around it."""
    begun = planning_clock_s()
    placement = schedule_loads(problem.due(problem.deadline.share(_PLACING_SHARE)), solver)
    rest = placement.remaining(problem)
    try:
        plan = _plan_batteries(rest, solver)
    except SolverError:
        plan = plan_alone(rest)
    costs = replace(plan.costs, wear_cost=plan.costs.wear_cost + placement.wear_cost)
    # Of batteries that nothing was found for in time, what the placement was proven to be says nothing.
    gap = None if plan.gap is None else placement.gap
    placed = replace(plan, costs=costs, placement=placement, gap=gap, proven=placement.proven and plan.proven)
    return replace(placed, solve_ms=(planning_clock_s() - begun) * 1e3 - plan.build_ms)


def plan_alone(problem: Problem) -> Plan:
    """Return what inverters make of a problem by themselves: the last step of the ladder, which always holds."""
    slots = problem.outlook.timeline.count
    batteries = [BatteryPolicy.follow_house(battery, slots) for battery in problem.site.batteries]
    policy = PlanPolicy(batteries, problem.curtailment, np.full(slots, np.inf))
    (run,) = simulate_policies(problem, [policy])
    unknown = np.full(run.start_kwh.shape, np.nan)
    flows, costs = run.flows, weigh_flows(problem.at_tariff_prices, run.flows)
    return Plan(problem, run.setpoints, flows, costs, run.start_kwh, unknown, (), gap=None, proven=False, build_ms=0.0, solve_ms=0.0, method="self_consumption")


def dp_is_exact(problem: Problem) -> bool:
    """Return whether the dynamic programme finds the optimum: one battery whose power depends on nothing but the slot, and whose cost on nothing but its flows.

    A constraint that it knows nothing of, but keeps, takes nothing from that.
    """
    if len(problem.site.batteries) != 1 or problem.tariff.charge is not None or problem.pins or problem.burns_on_an_island:
        return False
    return (problem.limits.inverters is None or suits_value(problem)) and all(each.valued == "where_kept" for _, each in list_constraints(problem))
