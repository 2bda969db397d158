"""Round the relaxed solution of a model with flexible loads to an integer one.

Loads that are on or off follow one schedule each: the nearest to the relaxed solution, or the
cheapest at its dual prices; where these cost too much, one of the cheapest mixture of schedules.
The binaries left are rounded by the relaxed solution. That takes a few more linear solves from the
last basis, a search takes hundreds.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial

import numpy as np

from luna.energy.physics.mode import BoolArray
from luna.energy.timeline import FloatArray, IndexArray
from services.planner.linear.model import CHOSEN, InfeasibleError, LinearModel
from services.planner.linear.schedules import OnOffSchedule, ScheduleBlock
from services.planner.milp.formulation import Formulation
from services.planner.milp.mixtures import CoupledBlock, mix_schedules
from services.planner.milp.solver import LinearSolution, Solution, Solver, SolverError
from services.planner.problem.problem import SearchLimits

# A binary is rounded up where the relaxed solution has at least this share of what 1 requires, such
# as a charger's least power; tried in this order.
_ROUND_UP_SHARES = (0.3, 0.1, 0.6, 0.2, 0.45, 0.8)


def round_relaxation(
    model: LinearModel,
    blocks: Sequence[ScheduleBlock],
    *,
    search: SearchLimits,
    solver: Solver | None = None,
) -> Solution | None:
    """Return an integer solution with its proven gap, or None if rounding finds none.

    Rounding ends with the first that is good enough.

    Args:
        model: its integer columns are between 0 and 1.
        blocks: on-off loads whose rows tie their own columns alone, rounded as whole schedules.
        search: which solution is good enough.
        solver: unused so far, since its last basis would decide between equal solutions.

    Raises:
        InfeasibleError: not even the relaxed model has a solution.
        SolverError: no time is left even for the relaxed model.
    """
    solver = solver or Solver()
    relaxed = solver.solve(model.relaxed())
    best: Solution | None = None
    rounded_model: LinearModel | None = None
    # Out of time, the best so far is returned.
    with suppress(InfeasibleError, SolverError):
        for fixed in _fix_blocks(model, blocks, relaxed, solver, search=search):
            if best:
                best = best.bounded(fixed.bound, search)
                if best.proven:
                    return best
            if fixed.model is rounded_model:
                continue
            rounded_model = fixed.model
            for share in _ROUND_UP_SHARES:
                rounded = _round_binaries(fixed.model, fixed.relaxed.column, solver, share=share)
                rounded = rounded.bounded(fixed.bound, search)
                if best is None or rounded.objective < best.objective:
                    best = rounded
                if best.proven:
                    return best
    return best


@dataclass(frozen=True, slots=True)
class RoundedSolution:
    """Columns with whole binaries near a relaxed solution.

    ``solution`` is the least-cost one with these binaries, None where it is not known yet.
    """

    column: FloatArray
    solution: Solution | None


def round_once(
    built: Formulation, relaxed: LinearSolution, solver: Solver
) -> RoundedSolution | None:
    """Return the whole binaries nearest to the relaxed ones.

    None if they are infeasible, or not found by the deadline of ``solver``, which found the relaxed
    solution last.
    """
    with suppress(InfeasibleError, SolverError):
        column = relaxed.column
        blocks = built.load_columns.blocks
        if blocks:
            nearest = [block.find_nearest(column[block.on]).on for block in blocks]
            on = np.concatenate([block.on for block in blocks])
            column = _fix_more(solver, on, np.concatenate(nearest))
        binaries = _Binaries.of(built.model)
        fix = partial(_fix_more, solver)
        column, value = _round_in_turn(binaries, column, fix, share=_ROUND_UP_SHARES[0])
        whole = column.copy()
        whole[binaries.columns] = value
        return RoundedSolution(whole, _read_whole(built.model, whole, solver))
    return None


def _read_whole(model: LinearModel, whole: FloatArray, solver: Solver) -> Solution | None:
    """Return the solution solved last with its binaries made ``whole``.

    None where that breaks a row or costs more: then another solution may be cheaper.
    """
    last = solver.keep()
    activity = model.activity(whole)
    misses = np.maximum(model.row_lower - activity, activity - model.row_upper)
    cost = float(model.cost @ whole)
    if misses.max(initial=0.0) > _MISSED_ROW or cost > last.objective + _SAME_COST:
        return None
    return Solution(whole, last.row_dual, cost, gap=np.inf, proven=False)


def _fix_more(solver: Solver, columns: IndexArray, value: FloatArray) -> FloatArray:
    """Fix more columns of the linear model solved last, and return all columns.

    Raises:
        InfeasibleError: nothing satisfies all rows any more, or time was up before that was known.
        SolverError: no time is left.
    """
    left_s = solver.allow(np.inf)
    if solver.fix(columns.astype(np.int32), value, time_limit_s=left_s) == np.inf:
        raise InfeasibleError("the fixed columns contradict the limits")
    return solver.read_columns()


@dataclass(frozen=True, slots=True)
class _FixedBlocks:
    """A model with blocks fixed to schedules, and its relaxed solution.

    ``bound`` is a lower bound on the cost with the blocks free.
    """

    model: LinearModel
    relaxed: Solution
    bound: float


# The share of the time left for mixtures of schedules: binaries are rounded after them.
_MIXING_SHARE = 0.6
# Schedules are good enough when they are within half of what the whole may exceed its bound by; a
# mixture of them within a tenth.
_SCHEDULES_SHARE = 0.5
_MIXED_SHARE = 0.1
# The cost of a slot in which a schedule that follows dual prices differs from the best so far.
_CHANGE_COST = 0.005


def _fix_blocks(
    model: LinearModel,
    blocks: Sequence[ScheduleBlock],
    relaxed: Solution,
    solver: Solver,
    *,
    search: SearchLimits,
) -> Iterator[_FixedBlocks]:
    """Yield the model with every block fixed to a schedule.

    First to the quick ones where these are near enough, then to the best of the mixture too.

    Raises:
        InfeasibleError: a block has no schedule.
    """
    if not blocks:
        yield _FixedBlocks(model, relaxed, relaxed.objective)
        return
    allowed = search.allow(relaxed.objective)
    trials = _ScheduleSearch(model, [CoupledBlock.of(model, block) for block in blocks], solver)
    trials.try_schedules([block.find_nearest(relaxed.column[block.on]) for block in blocks])
    if not trials.is_within(_SCHEDULES_SHARE * allowed, relaxed.objective):
        trials.try_at_prices()
    if trials.best and trials.is_within(_SCHEDULES_SHARE * allowed, relaxed.objective):
        yield _FixedBlocks(*trials.best, relaxed.objective)
    bound = relaxed.objective
    with suppress(SolverError), solver.within(_MIXING_SHARE):
        mixture = mix_schedules(
            model, trials.blocks, relaxed, trials.tried, near=_MIXED_SHARE * allowed, solver=solver
        )
        for schedules in mixture.pick():
            trials.try_schedules(schedules)
        bound = mixture.bound
    if trials.best:
        yield _FixedBlocks(*trials.best, bound)


@dataclass
class _ScheduleSearch:
    """Tries schedules of all blocks.

    ``best`` is the model fixed to the cheapest ones, with its relaxed solution.
    """

    model: LinearModel
    blocks: Sequence[CoupledBlock]
    solver: Solver
    tried: list[Sequence[OnOffSchedule]] = field(default_factory=list)
    best: tuple[LinearModel, Solution] | None = None

    def is_within(self, allowed: float, bound: float) -> bool:
        return self.best is not None and self.best[1].objective - bound <= allowed

    def try_schedules(self, schedules: Sequence[OnOffSchedule]) -> None:
        """Try a schedule of each block.

        ``best`` stays where the rest of the model does not allow them.
        """
        self.tried.append(schedules)
        columns = np.concatenate([coupled.block.on for coupled in self.blocks])
        on = np.concatenate([schedule.on for schedule in schedules])
        fixed = self.model.fixed(columns, on)
        with suppress(InfeasibleError):
            relaxed = self.solver.solve(fixed.relaxed())
            if self.best is None or relaxed.objective < self.best[1].objective:
                self.best = fixed, relaxed

    def try_at_prices(self) -> None:
        """Try the cheapest schedules at the best one's duals, with a cost on every change."""
        if self.best is None:
            return
        _, relaxed = self.best
        schedules = []
        for coupled in self.blocks:
            on = np.round(relaxed.column[coupled.block.on])
            change_cost = _CHANGE_COST * (1.0 - 2.0 * on)
            schedules.append(coupled.find(relaxed.dual, change_cost))
        self.try_schedules(schedules)


# Fixing some binaries makes others fractional: after so many rounds all are fixed at once.
_ROUNDS = 6
_INTEGRALITY_TOLERANCE = 1e-6
# The solver's own tolerance of rows, and a difference in cost that is none.
_MISSED_ROW = 1e-7
_SAME_COST = 1e-9


@dataclass(frozen=True, slots=True)
class _WholeBinaries:
    """Whole values of binary columns, and the relaxed model with most of them fixed."""

    columns: IndexArray
    value: FloatArray
    model: LinearModel


def _round_binaries(
    model: LinearModel, column: FloatArray, solver: Solver, *, share: float
) -> Solution:
    """Return the solution with every binary fixed to a whole value.

    Raises:
        InfeasibleError: the whole values contradict each other.
    """
    rounded = _choose_binaries(model, column, solver, share=share)
    return solver.solve(rounded.model.fixed(rounded.columns, rounded.value))


def _choose_binaries(
    model: LinearModel, column: FloatArray, solver: Solver, *, share: float
) -> _WholeBinaries:
    """Return whole values of all binaries.

    Those are fixed first that are fractional in the relaxed solution ``column``.

    Raises:
        InfeasibleError: the whole values contradict each other.
    """
    binaries = _Binaries.of(model)
    fixed = model.relaxed()

    def fix(columns: IndexArray, whole: FloatArray) -> FloatArray:
        nonlocal fixed
        fixed = fixed.fixed(columns, whole)
        return solver.solve(fixed).column

    _, value = _round_in_turn(binaries, column, fix, share=share)
    return _WholeBinaries(binaries.columns, value, fixed)


def _round_in_turn(
    binaries: "_Binaries",
    column: FloatArray,
    fix: Callable[[IndexArray, FloatArray], FloatArray],
    *,
    share: float,
) -> tuple[FloatArray, FloatArray]:
    """Return the relaxed columns with most binaries fixed, and whole values of all binaries.

    Those are fixed first that are fractional in ``column``. ``fix`` fixes more binaries and returns
    the columns of the relaxed solution.
    """
    fractional, value = binaries.round(column, share=share)
    for _ in range(_ROUNDS):
        if not fractional.any():
            break
        # Binaries at 1 stay there, or fixing the fractional ones would only undo others.
        chosen = fractional | (value > 0)
        column = fix(binaries.columns[chosen], value[chosen])
        fractional, value = binaries.round(column, share=share)
    return column, value


@dataclass(frozen=True, slots=True)
class _Binaries:
    """The binary columns of a model, and their entries.

    An entry has a row, a position in ``columns``, and a coefficient.
    """

    model: LinearModel
    columns: IndexArray
    row: IndexArray
    position: IndexArray
    factor: FloatArray

    @classmethod
    def of(cls, model: LinearModel) -> "_Binaries":
        chosen = model.integer == CHOSEN
        columns = np.flatnonzero(chosen)
        entries = np.flatnonzero(chosen[model.index] & (model.value != 0))
        return cls(
            model,
            columns,
            model.entry_row[entries],
            np.searchsorted(columns, model.index[entries]),
            model.value[entries],
        )

    def round(self, column: FloatArray, *, share: float) -> tuple[BoolArray, FloatArray]:
        """Return a mask of binaries that break a row either way, and whole values of all.

        A fractional binary that fits one way with all else unchanged costs nothing and takes that
        value.
        """
        value = column[self.columns]
        activity = self.model.activity(column)[self.row]
        missed_on = self._miss_rows(activity + self.factor * (1.0 - value[self.position]))
        missed_off = self._miss_rows(activity - self.factor * value[self.position])
        fractional = np.abs(value - np.round(value)) > _INTEGRALITY_TOLERANCE
        fits_on = missed_on <= _INTEGRALITY_TOLERANCE
        fits_off = missed_off <= _INTEGRALITY_TOLERANCE
        either = np.where(fits_off, 0.0, missed_on <= 1.0 - share)
        whole = np.where(fits_on, 1.0, either)
        return fractional & ~fits_on & ~fits_off, np.where(fractional, whole, np.round(value))

    def _miss_rows(self, moved: FloatArray) -> FloatArray:
        """Return each binary's miss of its worst row if its entries' rows have ``moved``.

        That is relative to its coefficient there.
        """
        below = self.model.row_lower[self.row] - moved
        above = moved - self.model.row_upper[self.row]
        missed = np.maximum(below, above) / np.abs(self.factor)
        worst = np.zeros(self.columns.size)
        np.maximum.at(worst, self.position, missed)
        return worst
