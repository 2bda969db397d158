"""Mix whole schedules of on/off loads by column generation (Dantzig-Wolfe).

Convex combinations of whole schedules are a tighter relaxation than a share per slot.
Schedules with negative reduced cost at the last duals are added in turn; the remaining reduced
costs give a lower bound on every integer solution.
Source: Dantzig, Wolfe: Decomposition Principle for Linear Programs, Operations Research 8 (1960),
101–111.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from luna.energy.physics.mode import BoolArray
from luna.energy.timeline import FloatArray, IndexArray
from services.planner.linear.model import LinearModel, StartBasis
from services.planner.linear.schedules import OnOffSchedule, ScheduleBlock
from services.planner.milp.solver import Solution, Solver

# Shares below this are rounding errors of the solver.
_NO_SHARE = 1e-6
# Most rounds of added schedules.
_TURNS = 30
# Cost of each block's relaxed schedule, in multiples of the objective: it only keeps the first
# solve feasible.
_DEAR = 10.0


@dataclass(frozen=True, slots=True)
class CoupledBlock:
    """A block, and the row, slot and coefficient of its on/off columns in rows outside it."""

    block: ScheduleBlock
    row: IndexArray
    slot: IndexArray
    factor: FloatArray

    @classmethod
    def of(cls, model: LinearModel, block: ScheduleBlock) -> "CoupledBlock":
        rows = model.entry_row
        first = int(block.on[0])
        outside = (rows < block.rows.start) | (rows >= block.rows.stop)
        switches = (model.index >= first) & (model.index < first + block.on.size)
        where = np.flatnonzero(outside & switches)
        slot = model.index[where].astype(np.intp) - first
        return cls(block, rows[where], slot, model.value[where])

    def worth(self, dual: FloatArray) -> FloatArray:
        """Return the value of being on in each slot at the outside rows' duals."""
        weights = self.factor * dual[self.row]
        worth = np.bincount(self.slot, weights=weights, minlength=self.block.on.size)
        return worth.astype(float)

    def use(self, on: FloatArray, rows: int) -> FloatArray:
        """Return what ``on`` (0–1 per slot) adds to each of the model's ``rows``."""
        weights = self.factor * on[self.slot]
        return np.bincount(self.row, weights=weights, minlength=rows).astype(float)

    def find(self, dual: FloatArray, beside: FloatArray) -> OnOffSchedule:
        """Return the cheapest schedule at the outside rows' duals.

        Being on costs ``beside`` more, ``(slots,)``.
        """
        return self.block.schedules.find(beside - self.worth(dual))


@dataclass(frozen=True, slots=True)
class Mixture:
    """Each block's schedules, the largest share first, and a lower bound on every cost."""

    schedules: tuple[tuple[OnOffSchedule, ...], ...]
    bound: float

    def pick(self) -> Iterator[tuple[OnOffSchedule, ...]]:
        """Yield one schedule of each block: those with the largest shares first.

        A block with fewer schedules than others repeats its last one.
        """
        # A block has none if the rest of the model allows none of the found ones.
        if not all(self.schedules):
            return
        for place in range(max(map(len, self.schedules))):
            yield tuple(found[min(place, len(found) - 1)] for found in self.schedules)


def mix_schedules(
    model: LinearModel,
    blocks: Sequence[CoupledBlock],
    relaxed: Solution,
    initial: Sequence[Sequence[OnOffSchedule]],
    *,
    near: float = 0.0,
    solver: Solver | None = None,
) -> Mixture:
    """Return the cheapest mixture of schedules, or one that is ``near`` its bound.

    Args:
        model: its integer columns are relaxed outside the blocks.
        blocks: of the model.
        relaxed: the solution of the relaxed model.
        initial: schedules to begin with, one of each block in each.
        near: by how much it may exceed its bound, in the site's currency.
        solver: gives the class and deadline of the solver.

    Raises:
        InfeasibleError: a block has no schedule.
    """
    mixing = _Mixing(model, blocks, relaxed, initial, solver=(solver or Solver()).renew())
    bound = relaxed.objective
    for _ in range(_TURNS):
        solution, cheapest, gain = mixing.solve()
        bound = max(bound, solution.objective - gain)
        if solution.objective - bound <= near:
            break
        mixing.add(cheapest)
    return Mixture(mixing.read(solution), bound)


class _Mixing:
    """The master problem: a column per schedule replaces the blocks of the model.

    A last row per block says that its shares add up to one.
    """

    def __init__(
        self,
        model: LinearModel,
        blocks: Sequence[CoupledBlock],
        relaxed: Solution,
        initial: Sequence[Sequence[OnOffSchedule]],
        *,
        solver: Solver,
    ) -> None:
        self._blocks = blocks
        self._solver = solver
        self._outside, rest = _leave_out(model, blocks)
        # Each model row's index in the master problem.
        self._place = np.cumsum(self._outside) - 1
        self._rows = int(self._outside.sum())
        # The first column of a whole schedule, and each such column's block and schedule.
        self._first = rest.cost.size + len(blocks)
        self._mixed: list[tuple[int, OnOffSchedule]] = []
        for place, coupled in enumerate(blocks):
            columns = coupled.block.columns
            own_cost = float(model.cost[columns] @ relaxed.column[columns])
            cost = own_cost + _DEAR * (1.0 + abs(relaxed.objective))
            schedule = OnOffSchedule(relaxed.column[coupled.block.on], cost)
            rest = rest.with_column(*self._column(place, schedule))
        shares = np.arange(len(blocks))
        start = None
        if rest.start is not None:
            start = StartBasis(
                np.append(rest.start.columns, self._first - len(blocks) + shares),
                np.append(rest.start.rows, self._rows + shares),
            )
        for schedules in initial:
            for place, schedule in enumerate(schedules):
                rest = rest.with_column(*self._column(place, schedule))
                self._mixed.append((place, schedule))
        self._model = replace(rest, start=start)

    def add(self, schedules: Sequence[OnOffSchedule]) -> None:
        """Add a schedule of each block as a column."""
        for place, schedule in enumerate(schedules):
            self._model = self._solver.add_column(*self._column(place, schedule))
            self._mixed.append((place, schedule))

    def solve(self) -> tuple[Solution, list[OnOffSchedule], float]:
        """Return the master's solution, the cheapest schedules at its duals, and their gain.

        All schedules together could lower the cost by at most that gain.
        """
        solution = self._solver.solve(self._model)
        dual = np.zeros(self._outside.size)
        dual[self._outside] = solution.dual[: self._rows]
        cheapest = []
        costs = []
        for coupled in self._blocks:
            worth = coupled.worth(dual)
            schedule = coupled.block.schedules.find(-worth)
            cheapest.append(schedule)
            costs.append(schedule.cost - worth @ schedule.on)
        gain = float(solution.dual[self._rows :].sum() - sum(costs))
        return solution, cheapest, gain

    def read(self, solution: Solution) -> tuple[tuple[OnOffSchedule, ...], ...]:
        """Return each block's schedules with a share in the solution, the largest first."""
        shares = solution.column[self._first :]
        found: list[list[OnOffSchedule]] = [[] for _ in self._blocks]
        for column in np.argsort(-shares, kind="stable").tolist():
            if shares[column] > _NO_SHARE:
                place, schedule = self._mixed[column]
                found[place].append(schedule)
        return tuple(tuple(schedules) for schedules in found)

    def _column(self, place: int, schedule: OnOffSchedule) -> tuple[float, IndexArray, FloatArray]:
        """Return a schedule's column: cost, rows and coefficients."""
        use = self._blocks[place].use(schedule.on, self._outside.size)
        rows = np.flatnonzero(use)
        return (
            schedule.cost,
            np.append(self._place[rows], self._rows + place),
            np.append(use[rows], 1.0),
        )


def _leave_out(model: LinearModel, blocks: Sequence[CoupledBlock]) -> tuple[BoolArray, LinearModel]:
    """Return the mask of rows outside all blocks, and their relaxed model.

    The model has an added last row per block.
    """
    rows = np.ones(model.row_lower.size, dtype=bool)
    columns = np.ones(model.cost.size, dtype=bool)
    for coupled in blocks:
        rows[coupled.block.rows] = False
        columns[coupled.block.columns] = False
    rest = model.part(columns, rows)
    ones = np.ones(len(blocks))
    # The added rows have no entries yet.
    ends = np.full(len(blocks), rest.index.size, dtype=np.int32)
    return rows, replace(
        rest,
        row_lower=np.append(rest.row_lower, ones),
        row_upper=np.append(rest.row_upper, ones),
        starts=np.append(rest.starts, ends),
    )
