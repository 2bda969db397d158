"""Solve linear and mixed-integer models with HiGHS."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import highspy
import numpy as np

from luna.energy.errors import LunaError
from luna.energy.timeline import FloatArray, IndexArray
from luna.platform.tracing import span
from services.planner.linear.model import Indices, InfeasibleError, LinearModel, StartBasis
from services.planner.problem.problem import Deadline, SearchLimits

MORE_TIME = "Raise options.time_limit_s or shorten the horizon."
# The share of the allowed gap by which a better solution is cheaper: rounding must not make a proof
# that there is none fail.
_CLEARLY_WITHIN = 0.999
_LOWER = highspy.HighsBasisStatus.kLower
_BASIC = highspy.HighsBasisStatus.kBasic


class SolverError(LunaError):
    """The solver ended without a usable solution, or no time was left for it."""

    title = "The solver found no answer"
    code = "solver"


@dataclass(frozen=True, slots=True)
class Solution:
    """Values of the columns, duals of the rows, objective and proven relative gap.

    Duals are 0 for mixed-integer models.
    """

    column: FloatArray
    dual: FloatArray
    objective: float
    gap: float
    proven: bool

    @property
    def bound(self) -> float:
        """The lower bound on the cost that its gap proves."""
        return lower_bound(self.objective, self.gap)

    def bounded(self, bound: float, search: SearchLimits) -> "Solution":
        """Return the same solution with its gap to a lower bound on the cost."""
        above = self.objective - bound
        gap = relative_gap(self.objective, bound)
        return replace(self, gap=gap, proven=above <= search.allow(self.objective))


def relative_gap(cost: float, bound: float) -> float:
    """Return by how much a cost exceeds a lower bound, relative to the cost."""
    return max(cost - bound, 0.0) / max(abs(cost), 1e-9)


def lower_bound(cost: float, gap: float) -> float:
    """Return the lower bound on a cost that its ``relative_gap`` proves."""
    return cost - gap * abs(cost)


@dataclass(frozen=True, slots=True)
class LinearSolution:
    """A linear solution: columns with their reduced costs, the rows' duals, and the objective."""

    column: FloatArray
    reduced_cost: FloatArray
    dual: FloatArray
    objective: float


@dataclass(frozen=True, slots=True)
class KeptSolution:
    """A linear solution as HiGHS returns it: reading a column takes longer than keeping all."""

    solution: Any
    objective: float

    @property
    def row_dual(self) -> FloatArray:
        """The rows' duals."""
        return np.array(self.solution.row_dual, dtype=float)

    def read(self) -> LinearSolution:
        """Return the whole solution."""
        columns = np.array(self.solution.col_value, dtype=float)
        reduced_cost = np.array(self.solution.col_dual, dtype=float)
        return LinearSolution(columns, reduced_cost, self.row_dual, self.objective)


@dataclass(eq=False)
class Solver:
    """A HiGHS instance that keeps its model, and starts from the last basis if it can.

    It can where only costs and bounds change. ``deadline`` bounds every solve of a whole model;
    ``resolve`` has a time limit of its own.
    """

    deadline: Deadline | None = None
    _model: LinearModel | None = field(default=None, init=False)

    def renew(self, deadline: Deadline | None = None) -> "Solver":
        """Return a fresh solver of the same class, by default with the same deadline."""
        return type(self)(deadline or self.deadline)

    @contextmanager
    def within(self, share: float) -> Iterator[None]:
        """Bound the solves within the block to this share of the time left."""
        before = self.deadline
        self.deadline = None if before is None else before.share(share)
        try:
            yield
        finally:
            self.deadline = before

    def allow(self, time_limit_s: float) -> float:
        """Return the time limit, shortened to the deadline, seconds.

        Raises:
            SolverError: no time is left.
        """
        allowed = time_limit_s if self.deadline is None else min(time_limit_s, self.deadline.left_s)
        if allowed <= 0:
            raise SolverError("no time left", remedy=MORE_TIME)
        return allowed

    @cached_property
    def _highs(self) -> Any:
        # Its stubs lack half of its methods.
        highs: Any = highspy.Highs()  # type: ignore[no-untyped-call]
        options = {
            "output_flag": False,
            "threads": 1,
            "random_seed": 0,
            # Without a basis, Devex pricing (1) takes as many iterations as steepest edge, each a
            # seventh cheaper.
            "simplex_dual_edge_weight_strategy": 1,
        }
        for option, setting in options.items():
            highs.setOptionValue(option, setting)
        return highs

    def solve(
        self,
        model: LinearModel,
        *,
        mip_gap: float = 0.0,
        gap_cost: float = 0.0,
        time_limit_s: float = 10.0,
        start: FloatArray | None = None,
        presolve: bool = False,
    ) -> Solution:
        """Return the least-cost solution, or one near it.

        It exceeds the least cost by at most ``mip_gap`` of its own, or by ``gap_cost``. ``start``
        holds the columns of a feasible integer solution. ``presolve`` pays where most columns are
        fixed.

        Raises:
            InfeasibleError: no column values satisfy all rows.
            SolverError: the time limit passed before any solution was found, or the solver failed.
        """
        self._highs.setOptionValue("presolve", "on" if presolve else "off")
        self._highs.setOptionValue("mip_rel_gap", mip_gap)
        self._highs.setOptionValue("mip_abs_gap", max(gap_cost, 0.0 if mip_gap == 0 else 1e-6))
        self._run(model, time_limit_s, start)
        return self._read(model)

    def improve(
        self, model: LinearModel, start: Solution, search: SearchLimits, *, time_limit_s: float
    ) -> Solution:
        """Return a better solution than the start, or the start with a smaller gap.

        The start is proven as soon as no solution is cheaper by more than the allowed gap, so only
        such solutions are searched for.

        Raises:
            SolverError: the time limit passed before the start was taken over, or the solver
                failed.
        """
        below = start.objective - _CLEARLY_WITHIN * search.allow(start.objective)
        self._highs.setOptionValue("objective_bound", below)
        try:
            found = self.solve(
                model,
                mip_gap=search.mip_gap,
                gap_cost=search.gap_cost,
                time_limit_s=time_limit_s,
                start=start.column,
            )
        finally:
            # Linear solves end at that bound, too.
            self._highs.setOptionValue("objective_bound", np.inf)
        if found.proven:
            return replace(found, gap=max(found.gap, relative_gap(found.objective, below)))
        # At the time limit its bound may be weaker than the start's.
        return found.bounded(max(min(found.bound, below), start.bound), search)

    def solve_relaxed(self, model: LinearModel, *, time_limit_s: float = 10.0) -> LinearSolution:
        """Return the solution of a model's linear relaxation with its reduced costs.

        Raises:
            InfeasibleError: no column values satisfy all rows.
            SolverError: the time limit passed before, or the solver failed.
        """
        relaxed = model.relaxed()
        self._highs.setOptionValue("presolve", "off")
        self._run(relaxed, time_limit_s, None)
        self._require_solution(relaxed)
        return self.read_linear()

    def _run(self, model: LinearModel, time_limit_s: float, start: FloatArray | None) -> None:
        """Load a model and solve it."""
        allowed = self.allow(time_limit_s)
        self._highs.setOptionValue("time_limit", self._highs.getRunTime() + allowed)
        self._load(model)
        if start is not None:
            start_solution = highspy.HighsSolution()
            start_solution.col_value = start.tolist()
            self._highs.setSolution(start_solution)
        with span(
            "solver.run",
            columns=model.cost.size,
            rows=model.row_lower.size,
            integers=int(model.integer.sum()),
        ):
            self._highs.run()

    def add_column(self, cost: float, rows: IndexArray, value: FloatArray) -> LinearModel:
        """Add a column to the linear model solved last (``LinearModel.with_column``) and return it.

        Its next solve starts from the last basis.
        """
        if self._model is None:
            raise ValueError("a column is added to a model that was solved")
        self._model = self._model.with_column(cost, rows, value)
        self._highs.addCol(cost, 0.0, np.inf, rows.size, rows.astype(np.int32), value)
        return self._model

    def fix(
        self, columns: Indices, value: FloatArray, *, time_limit_s: float = float("inf")
    ) -> float:
        """Fix columns of the linear model solved last and ``resolve`` it."""
        self._model = None
        self._highs.changeColsBounds(columns.size, columns, value, value)
        return self.resolve(time_limit_s=time_limit_s)

    def bind(
        self,
        model: LinearModel,
        columns: tuple[Indices, FloatArray, FloatArray],
        rows: tuple[Indices, FloatArray, FloatArray],
    ) -> None:
        """Bound some columns and rows of a linear model, which is loaded the first time.

        Both are indices with their lower and upper bounds.
        """
        if self._model is not model:
            self._highs.setOptionValue("presolve", "off")
            self._load(model)
        self._highs.changeColsBounds(columns[0].size, *columns)
        self._highs.changeRowsBounds(rows[0].size, *rows)

    def resolve(self, *, time_limit_s: float = float("inf")) -> float:
        """Solve the changed model from the last basis, and return its objective.

        It is infinite where there is no solution, or none within the time limit.
        """
        self._highs.setOptionValue("time_limit", self._highs.getRunTime() + time_limit_s)
        self._highs.run()
        if self._highs.getModelStatus() != highspy.HighsModelStatus.kOptimal:
            return np.inf
        return float(self._highs.getInfo().objective_function_value)

    def read_columns(self) -> FloatArray:
        """Return the columns of the last solution of a linear model."""
        return np.array(self._highs.getSolution().col_value, dtype=float)

    def read_linear(self) -> LinearSolution:
        """Return the last solution of a linear model with its reduced costs."""
        return self.keep().read()

    def keep(self) -> KeptSolution:
        """Return the last solution of a linear model, to be read later."""
        objective = float(self._highs.getInfo().objective_function_value)
        return KeptSolution(self._highs.getSolution(), objective)

    def find_conflict(self, model: LinearModel) -> IndexArray:
        """Return the rows of an irreducible set without a solution, ascending.

        Bounds of columns belong to such a set too. Of the relaxed model: empty where that has a
        solution.
        """
        strategy = highspy.IisStrategy
        by_solves = int(strategy.kIisStrategyFromLp) + int(strategy.kIisStrategyIrreducible)
        self._highs.setOptionValue("iis_strategy", by_solves)
        self._load(model.relaxed())
        self._highs.run()
        _, conflict = self._highs.getIis()
        return np.array(sorted(conflict.row_index_), dtype=np.intp)

    def _load(self, model: LinearModel) -> None:
        loaded = self._model
        if loaded is not None and _same_structure(loaded, model):
            self._change(loaded, model)
        else:
            row_wise = 2
            minimise = 1
            self._highs.passModel(
                model.cost.size,
                model.row_lower.size,
                model.value.size,
                row_wise,
                minimise,
                0.0,
                model.cost,
                model.lower,
                model.upper,
                model.row_lower,
                model.row_upper,
                model.starts,
                model.index,
                model.value,
                model.integer,
            )
            if model.start is not None and not model.integer.any():
                self._begin_at(model, model.start)
        self._model = model

    def _begin_at(self, model: LinearModel, start: StartBasis) -> None:
        column_status = np.full(model.cost.size, _LOWER, dtype=object)
        row_status = np.full(model.row_lower.size, _BASIC, dtype=object)
        column_status[start.columns] = _BASIC
        row_status[start.rows] = _LOWER
        basis = highspy.HighsBasis()
        basis.col_status = column_status.tolist()
        basis.row_status = row_status.tolist()
        basis.valid = True
        # HiGHS would factorise a basis of unknown origin to see that it is one.
        basis.alien = False
        self._highs.setBasis(basis)

    def _change(self, loaded: LinearModel, model: LinearModel) -> None:
        """Pass HiGHS the differences alone: most later solves only fix a few columns."""
        cost = _differ((loaded.cost, model.cost))
        if cost.size:
            self._highs.changeColsCost(cost.size, cost, model.cost[cost])
        columns = _differ((loaded.lower, model.lower), (loaded.upper, model.upper))
        if columns.size:
            self._highs.changeColsBounds(
                columns.size, columns, model.lower[columns], model.upper[columns]
            )
        rows = _differ((loaded.row_lower, model.row_lower), (loaded.row_upper, model.row_upper))
        if rows.size:
            self._highs.changeRowsBounds(
                rows.size, rows, model.row_lower[rows], model.row_upper[rows]
            )

    def _require_solution(self, model: LinearModel) -> None:
        """Raise an error unless the last run found a solution of the model."""
        status = self._highs.getModelStatus()
        infeasible = (
            highspy.HighsModelStatus.kInfeasible,
            highspy.HighsModelStatus.kUnboundedOrInfeasible,
        )
        if status in infeasible:
            raise InfeasibleError("the limits contradict each other", model=model)
        # A linear solve stopped by the time limit may still be at its start: its column values are
        # no solution.
        ended = status == highspy.HighsModelStatus.kTimeLimit and not model.integer.any()
        found = self._highs.getInfo().primal_solution_status
        if ended or found != highspy.SolutionStatus.kSolutionStatusFeasible:
            raise SolverError(
                f"no solution: {self._highs.modelStatusToString(status)}", remedy=MORE_TIME
            )

    def _read(self, model: LinearModel) -> Solution:
        self._require_solution(model)
        info = self._highs.getInfo()
        result = self._highs.getSolution()
        gap = float(info.mip_gap) if model.integer.any() else 0.0
        return Solution(
            np.array(result.col_value, dtype=float),
            np.array(result.row_dual, dtype=float),
            info.objective_function_value,
            gap,
            self._highs.getModelStatus() == highspy.HighsModelStatus.kOptimal,
        )


def _differ(*pairs: tuple[FloatArray, FloatArray]) -> Indices:
    return np.flatnonzero(np.any([one != other for one, other in pairs], axis=0)).astype(np.int32)


def _same_structure(one: LinearModel, other: LinearModel) -> bool:
    # Warm starts are for linear models: their basis stays valid when costs and bounds change.
    if one.integer.any() or other.integer.any():
        return False
    has_same_entries = (
        np.array_equal(one.starts, other.starts)
        and np.array_equal(one.index, other.index)
        and np.array_equal(one.value, other.value)
    )
    return has_same_entries and one.cost.size == other.cost.size
