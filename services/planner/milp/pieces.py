"""Decide the binaries of a long horizon day by day (relax-and-fix).

The result is a start for the search over the whole horizon.

The relaxed model is the guide. A day's charges are rounded; only where the rest then has no
solution do binaries decide them. Once every day is decided, binaries decide one day after another
again, with the others as they are, for as long as there is time.
Source: relax-and-fix and fix-and-optimise, in Pochet, Wolsey: Production Planning by Mixed Integer
Programming, Springer (2006), section 3.6.
"""

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass

import numpy as np

from luna.energy.physics.mode import BoolArray
from services.planner.linear.model import InfeasibleError
from services.planner.milp.directions import (
    BinarySlots,
    FlowDirections,
    PlannedFlows,
    fix_directions,
)
from services.planner.milp.formulation import Formulation, formulate
from services.planner.milp.least_charges import round_charges, spare_room
from services.planner.milp.solver import Solver, SolverError
from services.planner.problem.problem import Problem

# Slots with binaries in a piece, and the slots after them whose flows are open too.
PIECE = 96
AHEAD = 48
# Relative gap of a piece.
_PIECE_GAP = 0.002
# Share of the time left in which a piece may be decided again.
_PIECE_SHARE = 0.5
# How often every piece is decided again, every other time from its middle on, and the relative
# improvement that is worth another time.
_SWEEPS = 4
_WORTHWHILE = 1e-3
_NOTHING_KWH = 1e-7
# Time limit where the solver has no deadline.
_LONGEST_S = 60.0


@dataclass(frozen=True, slots=True)
class Decided:
    """Flows, and the directions that are decided so far."""

    flows: PlannedFlows
    ways: FlowDirections


def solve_in_pieces(
    problem: Problem, choices: BinarySlots, solver: Solver, *, elastic: bool
) -> Iterator[PlannedFlows]:
    """Yield flows whose slots with binaries keep complementarity, then ever better ones.

    The first are relaxed in the last pieces where time ran out.

    Args:
        problem: of more slots than a piece.
        choices: the slots with binaries.
        solver: best the one that solved the relaxed model.
        elastic: whether limits may be broken at a penalty.

    Raises:
        InfeasibleError: a piece has no solution; the whole may have one.
        SolverError: not even the relaxed model was solved in time.
    """
    pieces = _Pieces(problem, choices, solver, elastic=elastic)
    count = problem.outlook.timeline.count
    decided = pieces.relax()
    try:
        for first in range(0, count, PIECE):
            decided = pieces.decide(decided, first)
    except SolverError:
        yield decided.flows
        return
    yield decided.flows
    with suppress(SolverError):
        for sweep in range(_SWEEPS):
            before = decided.flows.objective
            for first in range(sweep % 2 * PIECE // 2, count, PIECE):
                decided = pieces.improve(decided, first)
                yield decided.flows
            if before - decided.flows.objective <= _WORTHWHILE * abs(before):
                return


class _Pieces:
    def __init__(
        self, problem: Problem, choices: BinarySlots, solver: Solver, *, elastic: bool
    ) -> None:
        self._problem = problem
        self._choices = choices
        self._solver = solver
        self._elastic = elastic
        self._count = problem.outlook.timeline.count
        # The slots in which the relaxed model charges.
        self._charges = np.zeros_like(choices.least)

    def relax(self) -> Decided:
        """Return the relaxed model's flows."""
        ways = FlowDirections.of(self._problem)
        flows = self._solve(ways, decided_until=0)
        self._charges = flows.charge_kwh > _NOTHING_KWH
        return Decided(flows, ways)

    def decide(self, decided: Decided, first: int) -> Decided:
        """Return the flows with the directions of one more piece.

        Raises:
            InfeasibleError: there is no solution even with all earlier pieces decided again.
            SolverError: time ran out.
        """
        end = min(first + PIECE, self._count)
        choices = self._within(first, end)
        chosen = self._choose_rounded(choices, decided.flows, range(first, end))
        ways = fix_directions(decided.ways, choices, chosen)
        with suppress(InfeasibleError):
            return Decided(self._solve(ways, decided_until=end), ways)
        return self._search_back(decided, first)

    def improve(self, decided: Decided, first: int) -> Decided:
        """Return the flows with the directions of a piece decided again, if they cost less."""
        try:
            better = self._search(decided, first, first + PIECE, anywhere=False, share=_PIECE_SHARE)
        except InfeasibleError:
            return decided
        return better if better.flows.objective < decided.flows.objective else decided

    def _search_back(self, decided: Decided, first: int) -> Decided:
        """Decide a piece by binaries, in ever wider searches.

        First where its charges are, then anywhere, then together with ever more earlier pieces.
        """
        with suppress(InfeasibleError):
            return self._search(decided, first, first + PIECE, anywhere=False)
        for back in range(first, 0, -PIECE):
            with suppress(InfeasibleError):
                return self._search(decided, back, first + PIECE, anywhere=True)
        return self._search(decided, 0, first + PIECE, anywhere=True)

    def _search(
        self, decided: Decided, first: int, end: int, *, anywhere: bool, share: float = 1.0
    ) -> Decided:
        """Decide the slots from ``first`` to ``end`` by binaries.

        Flows outside them and the ``AHEAD`` slots after them stay as they are. ``anywhere`` says
        whether batteries may also charge in slots in which neither they nor the relaxed model's do.
        """
        flows = decided.flows
        choices = self._within(first, end)
        inside = self._slots(first, end)
        charges = (flows.charge_kwh > _NOTHING_KWH) | self._charges | ~choices.least | anywhere
        free = FlowDirections.of(self._problem)
        ways = FlowDirections(
            may_import=np.where(inside, free.may_import, decided.ways.may_import),
            may_export=np.where(inside, free.may_export, decided.ways.may_export),
            may_charge=np.where(inside, free.may_charge & charges, decided.ways.may_charge),
            may_discharge=np.where(inside, free.may_discharge, decided.ways.may_discharge),
            must_charge=decided.ways.must_charge & ~inside,
        )
        choices = BinarySlots(choices.grid, choices.battery & charges, choices.least & charges)
        built = formulate(self._problem, ways, choices=choices, elastic=self._elastic)
        outside = ~self._slots(first, end + AHEAD)
        unchanged = built.batteries[:, :2][:, :, outside]
        energies = np.stack([flows.charge_kwh, flows.discharge_kwh], axis=1)[:, :, outside]
        model = built.model.fixed(unchanged.ravel(), energies.ravel())
        solver = self._solver.renew(self._problem.deadline.share(share))
        solution = solver.solve(model, mip_gap=_PIECE_GAP, time_limit_s=_LONGEST_S, presolve=True)
        chosen = [solution.column[columns] > 0.5 for columns in built.choices]
        return Decided(built.flows(solution, ways), fix_directions(ways, choices, chosen))

    def _choose_rounded(
        self, choices: BinarySlots, flows: PlannedFlows, slots: range
    ) -> list[BoolArray]:
        """Return a value for every binary: its larger flow, or its rounded charge."""
        imports = flows.import_kwh >= flows.export_kwh
        charges = flows.charge_kwh >= flows.discharge_kwh
        if choices.least.any():
            rounded = round_charges(self._problem, flows, slots)
            charges = np.where(self._choices.least, rounded, charges)
        return [imports[choices.grid], charges[choices.battery], charges[choices.least]]

    def _solve(self, ways: FlowDirections, *, decided_until: int) -> PlannedFlows:
        """Return the flows in these directions.

        Later slots keep room for one more least charge if there is a solution with it.
        """
        built = formulate(self._problem, ways, elastic=self._elastic)
        if decided_until < self._count:
            with suppress(InfeasibleError):
                return self._solve_built(spare_room(self._problem, built, decided_until), ways)
        return self._solve_built(built, ways)

    def _solve_built(self, built: Formulation, ways: FlowDirections) -> PlannedFlows:
        solution = self._solver.solve(built.model, time_limit_s=self._problem.left_s)
        return built.flows(solution, ways)

    def _within(self, first: int, end: int) -> BinarySlots:
        inside = self._slots(first, end)
        choices = self._choices
        return BinarySlots(choices.grid & inside, choices.battery & inside, choices.least & inside)

    def _slots(self, first: int, end: int) -> BoolArray:
        slots = np.arange(self._count)
        return np.asarray((slots >= first) & (slots < end))
