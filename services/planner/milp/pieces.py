"""Relax-and-fix for long horizons: solve the binaries day by day, as a start for the search over
the whole horizon.

The relaxed model is the guide. Batteries with a least charging power charge only in slots in which
the guide does. Each piece has binaries in one day, relaxes the ``AHEAD`` slots after it, and fixes
later slots to the guide and earlier ones to their solution.
Source: relax-and-fix, in Pochet, Wolsey: Production Planning by Mixed Integer Programming, Springer
(2006), section 3.6.
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

# Slots with binaries in a piece, and the relaxed ones after them.
PIECE, AHEAD = 96, 48
# Relative gap of a piece.
_PIECE_GAP = 0.002
# Multiple of its own share of the time left that a piece may take.
_OWN_SHARES = 2.5
_NOTHING_KWH = 1e-7
# Time limit where the solver has no deadline.
_LONGEST_S = 60.0


def solve_in_pieces(
    problem: Problem,
    choices: BinarySlots,
    guide: PlannedFlows,
    solver: Solver,
    *,
    elastic: bool,
    anywhere: bool,
) -> PlannedFlows:
    """Return flows without complementarity violations in all slots with binaries, or in those of
    the first pieces where time ran out.

    Args:
        problem: of more slots than a piece.
        choices: the slots with binaries.
        guide: the flows of the relaxed model.
        solver: fresh.
        elastic: whether limits may be broken at a penalty.
        anywhere: whether batteries with a least power may also charge in slots in which the guide
            does not.

    Raises:
        InfeasibleError: a piece has no solution; the whole may have one.
        SolverError: not even the relaxed model was solved in time.
    """
    ways, count = FlowDirections.of(problem), problem.outlook.timeline.count
    charges = (guide.charge_kwh > _NOTHING_KWH) | ~choices.least | anywhere
    ways = replace(ways, may_charge=ways.may_charge & charges)
    choices = BinarySlots(choices.grid, choices.battery & charges, choices.least & charges)
    built = formulate(problem, ways, choices=choices, elastic=elastic)
    solution = solver.solve(built.model.relaxed(), time_limit_s=problem.left_s)
    # The slot of each charge, discharge and binary column; -1 for all others, which follow from
    # these.
    slots = np.full(built.model.cost.size, -1)
    slots[built.batteries[:, :2]] = np.arange(built.batteries.shape[2])
    for columns, where in zip(
        built.choices, (choices.grid, choices.battery, choices.least), strict=True
    ):
        slots[columns] = np.nonzero(where)[-1]
    with suppress(SolverError):
        for first in range(0, count, PIECE):
            deadline = problem.deadline.share(min(_OWN_SHARES * PIECE / (count - first), 1.0))
            try:
                solution = _solve_piece(
                    built.model,
                    slots,
                    solution,
                    solver.renew(deadline),
                    choose=(first, first + PIECE),
                    until=first + PIECE + AHEAD,
                )
            except InfeasibleError:
                solution = _choose_again(built.model, slots, solution, solver, first=first)
    return built.flows(solution, ways)


def _choose_again(
    model: LinearModel, slots: IndexArray, chosen: Solution, solver: Solver, *, first: int
) -> Solution:
    """Solve a piece that earlier pieces made infeasible: reopen ever more of them, with all later
    slots relaxed.

    Raises:
        InfeasibleError: there is no solution even with all reopened.
    """
    for back in range(first - PIECE, 0, -PIECE):
        with suppress(InfeasibleError):
            return _solve_piece(
                model, slots, chosen, solver.renew(), choose=(back, first + PIECE), until=slots.size
            )
    return _solve_piece(
        model, slots, chosen, solver.renew(), choose=(0, first + PIECE), until=slots.size
    )


def _solve_piece(
    model: LinearModel,
    slots: IndexArray,
    chosen: Solution,
    solver: Solver,
    *,
    choose: tuple[int, int],
    until: int,
) -> Solution:
    """Return the solution with binaries in the slots ``choose``.

    Earlier ones, and those from ``until`` on, are fixed to ``chosen``.
    """
    first, end = choose
    fixed = np.flatnonzero((slots >= 0) & ((slots < first) | (slots >= until)))
    relaxed = (slots >= 0) & ((slots < first) | (slots >= end))
    piece = replace(
        model.fixed(fixed, chosen.column[fixed]),
        integer=np.where(relaxed, 0, model.integer).astype(np.int32),
    )
    return solver.solve(piece, mip_gap=_PIECE_GAP, time_limit_s=_LONGEST_S, presolve=True)
