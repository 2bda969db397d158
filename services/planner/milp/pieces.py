"""A plan of a long horizon, found piece by piece: where a search over all of it begins, and what is left of that when time is up.

The relaxed model is the guide. Batteries that cannot charge slowly charge only in slots in which the guide charges; day after day binaries choose among
these, the slots after it are relaxed, and those beyond do what the guide does. What was chosen stays.
Source: relax-and-fix, in Pochet, Wolsey: Production Planning by Mixed Integer Programming, Springer (2006), section 3.6.
"""

from contextlib import suppress
from dataclasses import replace

import numpy as np

from luna.energy.timeline import IndexArray
from services.planner.linear.model import InfeasibleError, LinearModel
from services.planner.milp.directions import BinarySlots, FlowDirections, PlannedFlows
from services.planner.milp.formulation import formulate
from services.planner.milp.solver import Solution, Solver, SolverError
from services.planner.problem.problem import Problem

# Slots of which binaries choose at once, and those after them that are looked ahead to.
PIECE, AHEAD = 96, 48
# How near its optimum a piece is.
_PIECE_GAP = 0.002
# How many times its own share of the time left a piece may take.
_OWN_SHARES = 2.5
_NOTHING_KWH = 1e-7
# Of a solve that its solver's deadline ends.
_LONGEST_S = 60.0


def solve_in_pieces(problem: Problem, choices: BinarySlots, guide: PlannedFlows, solver: Solver, *, elastic: bool, anywhere: bool) -> PlannedFlows:
    """Return flows that physics allows in all slots of which binaries choose, or, where time is up before, in those of the first pieces.

    Args:
        problem: to plan, of more slots than a piece.
        choices: the slots of which binaries choose.
        guide: the flows of the relaxed model.
        solver: that has solved nothing yet.
        elastic: whether limits may be broken at a price.
        anywhere: whether batteries that cannot charge slowly may charge also in slots in which the guide does not.

    Raises:
        InfeasibleError: a piece has no solution; the whole may have one.
        SolverError: time was up before the first.
    """
    ways, count = FlowDirections.of(problem), problem.outlook.timeline.count
    charges = (guide.charge_kwh > _NOTHING_KWH) | ~choices.least | anywhere
    ways = replace(ways, may_charge=ways.may_charge & charges)
    choices = BinarySlots(choices.grid, choices.battery & charges, choices.least & charges)
    built = formulate(problem, ways, choices=choices, elastic=elastic)
    solution = solver.solve(built.model.relaxed(), time_limit_s=problem.left_s)
    # The slot of each column that charges, discharges or chooses; -1 of all others, which follow from these.
    slots = np.full(built.model.cost.size, -1)
    slots[built.batteries[:, :2]] = np.arange(built.batteries.shape[2])
    for columns, where in zip(built.choices, (choices.grid, choices.battery, choices.least), strict=True):
        slots[columns] = np.nonzero(where)[-1]
    with suppress(SolverError):
        for first in range(0, count, PIECE):
            deadline = problem.deadline.share(min(_OWN_SHARES * PIECE / (count - first), 1.0))
            try:
                solution = _solve_piece(built.model, slots, solution, solver.renew(deadline), choose=(first, first + PIECE), until=first + PIECE + AHEAD)
            except InfeasibleError:
                solution = _choose_again(built.model, slots, solution, solver, first=first)
    return built.flows(solution, ways)


def _choose_again(model: LinearModel, slots: IndexArray, chosen: Solution, solver: Solver, *, first: int) -> Solution:
    """Return the solution of a piece to which what was chosen before leaves no way: as much of that as need be is chosen once more, with all the rest in view.

    Raises:
        InfeasibleError: there is none, whatever is chosen.
    """
    for back in range(first - PIECE, 0, -PIECE):
        with suppress(InfeasibleError):
            return _solve_piece(model, slots, chosen, solver.renew(), choose=(back, first + PIECE), until=slots.size)
    return _solve_piece(model, slots, chosen, solver.renew(), choose=(0, first + PIECE), until=slots.size)


def _solve_piece(model: LinearModel, slots: IndexArray, chosen: Solution, solver: Solver, *, choose: tuple[int, int], until: int) -> Solution:
    """Return the solution in which binaries choose in the slots of a piece: what comes before and from ``until`` on does what is ``chosen``."""
    first, end = choose
    fixed = np.flatnonzero((slots >= 0) & ((slots < first) | (slots >= until)))
    relaxed = (slots >= 0) & ((slots < first) | (slots >= end))
    piece = replace(model.fixed(fixed, chosen.column[fixed]), integer=np.where(relaxed, 0, model.integer).astype(np.int32))
    return solver.solve(piece, mip_gap=_PIECE_GAP, time_limit_s=_LONGEST_S, presolve=True)
