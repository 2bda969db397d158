"""The planner: from a problem to its least-cost plan, and to the policy that follows it.

Flexible loads are scheduled first, together with the batteries, by the mixed-integer model; the
batteries are then planned once more around them: one battery by dynamic programming over the value
of its stored energy, where that is exact, all else by the mixed-integer model. A plan always comes:
where a solver finds none in time, or re-simulation does not confirm what it found, the next one
plans; the last is the inverter alone.
"""

from dataclasses import replace
from zoneinfo import ZoneInfo

import numpy as np

from luna.energy.economics.charges import Blocks, list_months
from luna.energy.physics.limits import BatteryLimits
from luna.energy.policy import BatteryPolicy, PlanPolicy
from services.planner.dp.plan import Plan, PlanMismatchError, Spread, weigh_flows
from services.planner.dp.planner import plan_single
from services.planner.dp.segments import problem_segments
from services.planner.following import follow_plan
from services.planner.linear.model import InfeasibleError
from services.planner.milp.battery_constraints import list_constraints, missed_kwh
from services.planner.milp.inverters import suits_value
from services.planner.milp.planner import plan_by_model
from services.planner.milp.schedule_loads import schedule_loads
from services.planner.milp.slack import dearest_price
from services.planner.milp.solver import Solver, SolverError
from services.planner.policy_simulation import simulate_policies
from services.planner.problem.load_schedule import LoadSchedule
from services.planner.problem.problem import (
    Deadline,
    Problem,
    StorageBounds,
    TerminalRule,
    planning_clock_s,
)

_NOTHING_KWH = 1e-6


def decide(problem: Problem, solver: Solver, *, deadline: Deadline | None = None) -> Plan:
    """Return the least-cost plan with the policy that follows it within the problem's margins.

    Replies, executor and replay use it. No valid problem raises: ``method`` names the solver that
    made the plan, ``disagreements`` what re-simulation did not confirm.
    """
    deadline = deadline or problem.deadline
    plan = make_plan(problem, solver, deadline=deadline)
    if plan.method == "self_consumption":
        # No fallback is left after the inverter alone.
        return follow_plan(problem, plan)
    return follow_plan(problem, plan, deadline=deadline)


# The share of the time left for solving: choosing the policy and explaining the plan take time as
# well.
_SOLVING_SHARE = 0.85


def make_plan(problem: Problem, solver: Solver, *, deadline: Deadline | None = None) -> Plan:
    """Return the least-cost plan: flexible loads first, then the batteries around them.

    Where limits contradict each other it is the least-cost compromise; where no time is left for
    that, the inverter alone. No solve begins after the ``deadline``, by default the problem's own
    time limit from now.
    """
    timed = problem.due((deadline or problem.deadline).share(_SOLVING_SHARE))
    try:
        if problem.schedules_loads:
            plan = _plan_around(timed, solver)
        else:
            plan = _plan_batteries(timed, solver)
    except (InfeasibleError, SolverError):
        plan = plan_alone(problem)
    # A later run of the same problem gets its whole time limit again.
    return replace(plan, problem=plan.problem.due(problem.search.deadline))


# The share of that for flexible loads: the batteries are planned once more around them.
_LOADS_SHARE = 0.5
# The price of a limit of the connection for loads that are scheduled by themselves, in multiples
# of the highest price.
_BEYOND_LIMITS = 10.0


def _plan_around(problem: Problem, solver: Solver) -> Plan:
    """Schedule the flexible loads, then plan the batteries around them."""
    begun_s = planning_clock_s()
    load_schedule = _schedule_loads(problem, solver)
    rest = load_schedule.remaining(problem)
    try:
        plan = _plan_batteries(rest, solver)
    except (InfeasibleError, SolverError):
        plan = plan_alone(rest)
    costs = load_schedule.add_costs(plan.costs)
    # A plan without a gap of its own is the inverter alone: the load schedule's gap proves nothing
    # of it.
    gap = None if plan.gap is None else load_schedule.gap
    combined = replace(
        plan,
        costs=costs,
        load_schedule=load_schedule,
        gap=gap,
        proven=load_schedule.proven and plan.proven,
    )
    return replace(combined, solve_ms=(planning_clock_s() - begun_s) * 1e3 - plan.build_ms)


def _schedule_loads(problem: Problem, solver: Solver) -> LoadSchedule:
    """Return the schedule of the flexible loads together with the batteries.

    Where none is found in time, the schedule by prices alone, which needs hardly any search.
    """
    try:
        return schedule_loads(problem.due(problem.deadline.share(_LOADS_SHARE)), solver)
    except SolverError:
        if not problem.site.batteries or problem.conversion is not None:
            raise
    alone = _price_limits(problem).due(problem.deadline.share(_LOADS_SHARE))
    load_schedule = schedule_loads(alone, solver)
    limit_kwh = np.minimum(load_schedule.import_limit_kwh, problem.import_limit_kwh)
    return replace(load_schedule, import_limit_kwh=limit_kwh, gap=None, proven=False)


def _price_limits(problem: Problem) -> Problem:
    """Return the problem without batteries, and with prices instead of the connection's limits.

    A slot beyond a limit has a price that loads avoid, or seek.
    """
    outlook = problem.outlook
    surplus_kwh = problem.ac_pv_kwh - outlook.load_kwh
    is_beyond = surplus_kwh > problem.export_limit_kwh
    is_short = -surplus_kwh > problem.import_limit_kwh
    dearest = _BEYOND_LIMITS * dearest_price(problem)
    priced = replace(
        outlook,
        import_price=np.where(is_short, dearest, outlook.import_price),
        export_price=np.where(is_beyond, -dearest, outlook.export_price),
    )
    nothing = np.empty(0)
    unlimited = np.array([np.inf])
    limits = replace(
        problem.limits,
        batteries=BatteryLimits.of([]),
        import_limit_kw=unlimited,
        export_limit_kw=unlimited,
    )
    return replace(
        problem,
        site=problem.site.model_copy(update={"batteries": []}),
        outlook=priced,
        stored_kwh=nothing,
        terminal=TerminalRule(nothing, nothing, nothing),
        limits=limits,
        storage=StorageBounds(),
        manual=None,
    )


def _plan_batteries(problem: Problem, solver: Solver) -> Plan:
    blocks = _find_lone_blocks(problem)
    if blocks is not None:
        return _plan_in_blocks(problem, blocks, solver)
    begun_s = planning_clock_s()
    segments = problem_segments(problem) if dp_is_exact(problem) else None
    built_s = planning_clock_s()
    plan: Plan | None = None
    disagreements: tuple[str, ...] = ()
    try:
        plan = plan_single(problem, segments) if segments is not None else None
    except PlanMismatchError as error:
        disagreements = (str(error),)
    if plan is None or missed_kwh(problem, plan.flows) > _NOTHING_KWH:
        plan = plan_by_model(problem, solver)
    if problem.uncertainty.scenarios is not None and plan.spread is None:
        reason = "no_value_function" if len(problem.site.batteries) == 1 else "several_batteries"
        left_out = problem.uncertainty.scenarios.weight.size
        plan = replace(plan, spread=Spread(1, left_out, reasons=(reason,)))
    solve_ms = (planning_clock_s() - built_s) * 1e3
    return replace(
        plan,
        build_ms=(built_s - begun_s) * 1e3,
        solve_ms=solve_ms,
        disagreements=plan.disagreements + disagreements,
    )


def dp_is_exact(problem: Problem) -> bool:
    """Return whether the dynamic programme finds the optimum.

    It does for one battery whose power depends on the slot alone, and whose cost on its flows
    alone. A battery constraint outside the programme is no obstacle where it is ``valued``
    "where_kept": the plan stands if it happens to keep it.
    """
    if len(problem.site.batteries) != 1 or problem.tariff.charges:
        return False
    if problem.pins or problem.burns_on_an_island:
        return False
    if problem.limits.inverters is not None and not suits_value(problem):
        return False
    return all(constraint.valued == "where_kept" for _, constraint in list_constraints(problem))


def _find_lone_blocks(problem: Problem) -> Blocks | None:
    """Return the blocks of a price without another charge, in force in every slot, else None."""
    charges = problem.tariff.charges
    if len(charges) != 1 or not isinstance(charges[0], Blocks):
        return None
    blocks = charges[0]
    zone = ZoneInfo(problem.site.timezone)
    return blocks if blocks.holds_throughout(problem.outlook.timeline, zone) else None


def _plan_in_blocks(problem: Problem, blocks: Blocks, solver: Solver) -> Plan:
    """Return the least-cost plan under a block tariff without another charge.

    Its price rises with the energy drawn in the month. Each month is priced at one block, raised
    until the month ends in it: optimal, since prices rise from block to block. Where a month priced
    at a block ends before it begins, and priced at the one before ends beyond that one, the optimum
    ends just at their boundary, and the mixed-integer model plans it.
    """
    timeline = problem.outlook.timeline
    months = list_months(timeline, ZoneInfo(problem.site.timezone))
    assumed = [blocks.block_of(0.0, first=number == 0) for number in range(len(months))]
    while True:
        price = problem.outlook.import_price.copy()
        for slots, block in zip(months, assumed, strict=True):
            price[slots] += blocks.price_above(block)
        priced = replace(
            problem,
            outlook=replace(problem.outlook, import_price=price),
            tariff=replace(problem.tariff, charges=()),
        )
        plan = _plan_batteries(priced, solver)
        ends_before = False
        raised = list(assumed)
        for number, slots in enumerate(months):
            drawn_kwh = float(plan.flows.import_kwh[slots].sum())
            block_above = blocks.block_of(drawn_kwh + _NOTHING_KWH, first=number == 0)
            block_below = blocks.block_of(drawn_kwh - _NOTHING_KWH, first=number == 0)
            ends_before |= block_above < assumed[number]
            if block_below > assumed[number]:
                raised[number] += 1
        if ends_before:
            plan = plan_by_model(problem, solver)
            spread = None
            if problem.uncertainty.scenarios is not None:
                left_out = problem.uncertainty.scenarios.weight.size
                spread = Spread(1, left_out, reasons=("no_value_function",))
            return replace(plan, spread=spread)
        if raised == assumed:
            return replace(plan, costs=weigh_flows(problem.at_tariff_prices, plan.flows))
        assumed = raised


def plan_alone(problem: Problem) -> Plan:
    """Return the plan of inverters in self-consumption, the last fallback, without a solver."""
    slots = problem.outlook.timeline.count
    batteries = [BatteryPolicy.follow_house(battery, slots) for battery in problem.site.batteries]
    policy = PlanPolicy(batteries, problem.curtailment, np.full(slots, np.inf))
    (run,) = simulate_policies(problem, [policy])
    unknown = np.full(run.start_kwh.shape, np.nan)
    flows = run.flows
    costs = weigh_flows(problem.at_tariff_prices, run.flows)
    return Plan(
        problem,
        run.setpoints,
        flows,
        costs,
        run.start_kwh,
        unknown,
        (),
        gap=None,
        proven=False,
        build_ms=0.0,
        solve_ms=0.0,
        method="self_consumption",
    )
