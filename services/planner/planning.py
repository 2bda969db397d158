"""The planner: from a problem to a schedule that physics has checked.

One battery follows the value of its stored energy: the dynamic programme is exact where a slot's cost is convex, and branching makes it so
elsewhere. Everything else goes through the mixed-integer model; with the way of every slot fixed, each battery still gets its value function.
"""

from dataclasses import replace
from time import perf_counter

from services.planner.model.inverters import suits_value
from services.planner.model.solver import Solver
from services.planner.model_plan import plan_by_model
from services.planner.placing.placement import place
from services.planner.plan import Plan, Spread
from services.planner.posing.problem import Problem
from services.planner.price_blocks import plan_in_blocks
from services.planner.value_plan import plan_single, problem_segments


def make_plan(problem: Problem, solver: Solver) -> Plan:
    """Return the least-cost plan: what may be placed first, then what is left for the batteries.

    Where limits contradict each other it is the least-cost compromise.

    Raises:
        SolverError: no plan within the time limit.
        PlanMismatchError: physics does not confirm the plan; a bug, never an answer.
    """
    if problem.places:
        return _plan_around(problem, solver)
    if problem.blocks is not None:
        return plan_in_blocks(problem, solver, make=lambda priced: make_plan(priced, solver))
    begun = perf_counter()
    segments = problem_segments(problem) if _is_single(problem) else None
    built = perf_counter()
    plan = plan_single(problem, segments) if segments is not None and problem.starts_inside else None
    plan = plan or plan_by_model(problem, solver)
    if problem.courses is not None and plan.spread is None:
        reason = "no_value_function" if len(problem.site.batteries) == 1 else "several_batteries"
        plan = replace(plan, spread=Spread(1, problem.courses.weight.size, reasons=(reason,)))
    return replace(plan, build_ms=(built - begun) * 1e3, solve_ms=(perf_counter() - built) * 1e3)


def _plan_around(problem: Problem, solver: Solver) -> Plan:
    """Place what may be placed, then plan the batteries around it."""
    begun = perf_counter()
    placement = place(problem)
    plan = make_plan(placement.remaining(problem), solver)
    costs = replace(plan.costs, wear_cost=plan.costs.wear_cost + placement.wear_cost)
    placed = replace(plan, costs=costs, placement=placement, gap=placement.gap, proven=placement.proven and plan.proven)
    return replace(placed, solve_ms=(perf_counter() - begun) * 1e3 - plan.build_ms)


def _is_single(problem: Problem) -> bool:
    """Return whether the site has one battery whose power depends on nothing but the slot, and whose wear on nothing but its throughput."""
    batteries = problem.site.batteries
    if problem.manual is not None and (problem.pins or problem.burns_on_an_island):
        return False
    if len(batteries) != 1 or batteries[0].wear_by_depth or not suits_value(problem):
        return False
    return batteries[0].min_charge_kw == 0 and (batteries[0].taper_from_soc == 1 or batteries[0].taper_to_share == 1)
