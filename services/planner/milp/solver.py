"""HiGHS behind one function: a model of named blocks in, a solution out."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import highspy
import numpy as np
from numpy.typing import NDArray

from luna.energy.errors import LunaError
from luna.energy.timeline import FloatArray, IndexArray
from luna.platform.tracing import span
from services.planner.deadline import Deadline

Indices = NDArray[np.int32]
Term = tuple[Indices, FloatArray | float]
INFINITE = highspy.kHighsInf
MORE_TIME = "Raise options.time_limit_s or shorten the horizon."
_STATUS = (highspy.HighsBasisStatus.kLower, highspy.HighsBasisStatus.kBasic)


class SolverError(LunaError):
    """The solver ended without a usable answer; a model that Luna builds always has one."""

    title, code = "The solver found no answer", "solver"


class InfeasibleError(LunaError):
    """The limits contradict each other."""

    title, code = "Contradicting limits", "infeasible"


@dataclass(frozen=True, slots=True)
class StartBasis:
    """Where a solver begins that knows nothing yet: as many ``columns`` as ``rows``, of which the rows tell the columns one by one."""

    columns: IndexArray
    rows: IndexArray


@dataclass(frozen=True, slots=True)
class LinearModel:
    """A mixed-integer linear model in the sparse row form that HiGHS reads."""

    cost: FloatArray
    lower: FloatArray
    upper: FloatArray
    integer: NDArray[np.int32]
    row_lower: FloatArray
    row_upper: FloatArray
    starts: Indices
    index: Indices
    value: FloatArray
    start: StartBasis | None = None

    def relaxed(self) -> "LinearModel":
        """Return the model with its integer columns let go."""
        return replace(self, integer=np.zeros_like(self.integer))

    def fixed(self, columns: IndexArray | Indices, value: FloatArray) -> "LinearModel":
        """Return the model with columns held at values."""
        lower, upper = np.array(self.lower), np.array(self.upper)
        lower[columns] = upper[columns] = value
        return replace(self, lower=lower, upper=upper)

    def with_column(self, cost: float, rows: IndexArray, value: FloatArray) -> "LinearModel":
        """Return the model with one more column, anything from nought on, that stands in ``rows``, in their order."""
        ends = np.append(self.starts[1:], self.index.size)[rows]
        return replace(
            self,
            cost=np.append(self.cost, cost),
            lower=np.append(self.lower, 0.0),
            upper=np.append(self.upper, INFINITE),
            integer=np.append(self.integer, np.int32(0)),
            starts=(self.starts + np.searchsorted(rows, np.arange(self.starts.size))).astype(np.int32),
            index=np.insert(self.index, ends, self.cost.size),
            value=np.insert(self.value, ends, value),
        )

    def entry_rows(self) -> IndexArray:
        """Return the row that each entry stands in."""
        return np.repeat(np.arange(self.row_lower.size), np.diff(np.append(self.starts, self.index.size)))

    def activity(self, column: FloatArray) -> FloatArray:
        """Return what every row adds up to."""
        return np.bincount(self.entry_rows(), weights=self.value * column[self.index], minlength=self.row_lower.size).astype(float)


@dataclass(frozen=True, slots=True)
class Solution:
    """Values of the columns, duals of the rows (0 for mixed-integer models), objective and proven relative gap."""

    column: FloatArray
    dual: FloatArray
    objective: float
    gap: float
    proven: bool


@dataclass
class ModelBuilder:
    """Collects a model block by block: one column or row per slot in each."""

    cost: list[FloatArray] = field(default_factory=list)
    lower: list[FloatArray] = field(default_factory=list)
    upper: list[FloatArray] = field(default_factory=list)
    integer: list[NDArray[np.int32]] = field(default_factory=list)
    bounds: list[tuple[FloatArray, FloatArray]] = field(default_factory=list)
    entries: list[tuple[Indices, Indices, FloatArray]] = field(default_factory=list)
    columns: int = 0
    rows: int = 0

    def add_columns(
        self, count: int, *, cost: FloatArray | float, upper: FloatArray | float, lower: FloatArray | float = 0.0, integer: bool = False
    ) -> Indices:
        """Add ``count`` columns and return their indices."""
        for blocks, values in ((self.cost, cost), (self.lower, lower), (self.upper, upper)):
            blocks.append(np.broadcast_to(np.asarray(values, dtype=float), (count,)))
        self.integer.append(np.full(count, integer, dtype=np.int32))
        self.columns += count
        return np.arange(self.columns - count, self.columns, dtype=np.int32)

    def add_rows(self, lower: FloatArray, upper: FloatArray, terms: Sequence[Term]) -> Indices:
        """Add one row per element of ``lower``; a term with fewer columns belongs to the last rows."""
        rows = np.arange(self.rows, self.rows + lower.size, dtype=np.int32)
        self.bounds.append((lower, upper))
        for columns, factor in terms:
            self.entries.append((rows[rows.size - columns.size :], columns, np.broadcast_to(np.asarray(factor, dtype=float), columns.shape)))
        self.rows += lower.size
        return rows

    def add_sum(self, lower: float, upper: float, terms: Sequence[Term]) -> Indices:
        """Add one row over all columns of all terms."""
        row = np.array([self.rows], dtype=np.int32)
        self.bounds.append((np.array([lower]), np.array([upper])))
        for columns, factor in terms:
            self.add_entries(np.broadcast_to(row, columns.shape), columns, factor)
        self.rows += 1
        return row

    def add_windows(self, lower: float, upper: float, columns: Indices, edges: tuple[NDArray[np.int64], NDArray[np.int64]]) -> Indices:
        """Add one row per window over neighbouring ``columns``; ``edges`` are the windows' first places and those after their last."""
        first, end = edges
        length = end - first
        rows = np.arange(self.rows, self.rows + first.size, dtype=np.int32)
        place = np.arange(length.sum()) - np.repeat(np.cumsum(length) - length - first, length)
        self.bounds.append((np.full(first.size, lower), np.full(first.size, upper)))
        self.add_entries(np.repeat(rows, length), columns[place], 1.0)
        self.rows += first.size
        return rows

    def add_entries(self, rows: Indices, columns: Indices, factor: FloatArray | float) -> None:
        """Add coefficients to rows that are there; a row and a column meet once."""
        self.entries.append((rows, columns, np.broadcast_to(np.asarray(factor, dtype=float), columns.shape)))

    def build(self, start: StartBasis | None = None) -> LinearModel:
        """Return the model collected so far."""
        row, column, value = (np.concatenate(parts) for parts in zip(*self.entries, strict=True))
        order = np.argsort(row, kind="stable")
        starts = np.searchsorted(row[order], np.arange(self.rows)).astype(np.int32)
        lower, upper = (np.concatenate(parts) for parts in zip(*self.bounds, strict=True))
        return LinearModel(
            cost=np.concatenate(self.cost),
            lower=np.concatenate(self.lower),
            upper=np.concatenate(self.upper),
            integer=np.concatenate(self.integer),
            row_lower=lower,
            row_upper=upper,
            starts=starts,
            index=column[order],
            value=value[order],
            start=start,
        )


class Solver:
    """A HiGHS instance that keeps its model: when only costs and bounds change, it starts from the last basis."""

    def __init__(self, deadline: Deadline | None = None) -> None:
        self._model: LinearModel | None = None
        self._deadline = deadline

    def renew(self, deadline: Deadline | None = None) -> "Solver":
        """Return a solver of the same kind that has solved nothing yet; none of its solves goes on beyond the deadline, or else beyond this one's."""
        return type(self)(deadline or self._deadline)

    @contextmanager
    def within(self, share: float) -> Iterator[None]:
        """Let no solve go on beyond this share of the time left while the block runs."""
        before = self._deadline
        self._deadline = None if before is None else before.share(share)
        try:
            yield
        finally:
            self._deadline = before

    def allow(self, time_limit_s: float) -> float:
        """Return how long a solve may take that was to take no longer than this, seconds.

        Raises:
            SolverError: no time is left.
        """
        allowed = time_limit_s if self._deadline is None else min(time_limit_s, self._deadline.left_s)
        if allowed <= 0:
            raise SolverError("no time left", remedy=MORE_TIME)
        return allowed

    @cached_property
    def _highs(self) -> Any:
        # Most plans need none.
        highs: Any = highspy.Highs()  # type: ignore[no-untyped-call]  # its stubs lack half of its methods
        # Devex prices (1) take as many steps as steepest edges from no basis, each a seventh cheaper.
        for option, setting in (("output_flag", False), ("threads", 1), ("random_seed", 0), ("simplex_dual_edge_weight_strategy", 1)):
            highs.setOptionValue(option, setting)
        return highs

    def solve(
        self, model: LinearModel, *, mip_gap: float = 0.0, time_limit_s: float = 10.0, start: FloatArray | None = None, presolve: bool = False
    ) -> Solution:
        """Return the least-cost solution; ``start`` holds the columns of a whole one that is known already.

        ``presolve`` pays where most columns are fixed.

        Raises:
            InfeasibleError: no column values satisfy all rows.
            SolverError: the time limit passed before any solution was found, or the solver failed.
        """
        allowed = self.allow(time_limit_s)
        self._highs.setOptionValue("presolve", "on" if presolve else "off")
        self._highs.setOptionValue("mip_rel_gap", mip_gap)
        self._highs.setOptionValue("mip_abs_gap", 0.0 if mip_gap == 0 else 1e-6)
        self._highs.setOptionValue("time_limit", self._highs.getRunTime() + allowed)
        self._load(model)
        if start is not None:
            known = highspy.HighsSolution()
            known.col_value = start.tolist()
            self._highs.setSolution(known)
        with span("solver.run", columns=model.cost.size, rows=model.row_lower.size, integers=int(model.integer.sum())):
            self._highs.run()
        return self._read(model)

    def add_column(self, cost: float, rows: IndexArray, value: FloatArray) -> LinearModel:
        """Return the linear model that was solved last with one more column (``LinearModel.with_column``); its next solve begins from the last basis."""
        if self._model is None:
            raise ValueError("a column is added to a model that was solved")
        self._model = self._model.with_column(cost, rows, value)
        self._highs.addCol(cost, 0.0, INFINITE, rows.size, rows.astype(np.int32), value)
        return self._model

    def _load(self, model: LinearModel) -> None:
        kept = self._model
        if kept is not None and _same_structure(kept, model):
            self._change(kept, model)
        else:
            _pass_model(self._highs, model)
        self._model = model

    def _change(self, kept: LinearModel, model: LinearModel) -> None:
        """Tell the solver what differs, and nothing else: most solves after the first fix a few columns."""
        cost = _differ((kept.cost, model.cost))
        if cost.size:
            self._highs.changeColsCost(cost.size, cost, model.cost[cost])
        columns = _differ((kept.lower, model.lower), (kept.upper, model.upper))
        if columns.size:
            self._highs.changeColsBounds(columns.size, columns, model.lower[columns], model.upper[columns])
        rows = _differ((kept.row_lower, model.row_lower), (kept.row_upper, model.row_upper))
        if rows.size:
            self._highs.changeRowsBounds(rows.size, rows, model.row_lower[rows], model.row_upper[rows])

    def _read(self, model: LinearModel) -> Solution:
        status, info = self._highs.getModelStatus(), self._highs.getInfo()
        if status in (highspy.HighsModelStatus.kInfeasible, highspy.HighsModelStatus.kUnboundedOrInfeasible):
            raise InfeasibleError("the limits contradict each other")
        # A linear solve that ended half-way is allowed, but no answer: it may be where it began.
        ended = status == highspy.HighsModelStatus.kTimeLimit and not model.integer.any()
        if ended or info.primal_solution_status != highspy.SolutionStatus.kSolutionStatusFeasible:
            raise SolverError(f"no solution: {self._highs.modelStatusToString(status)}", remedy=MORE_TIME)
        found = self._highs.getSolution()
        gap = float(info.mip_gap) if model.integer.any() else 0.0
        return Solution(np.array(found.col_value), np.array(found.row_dual), info.objective_function_value, gap, status == highspy.HighsModelStatus.kOptimal)


def _differ(*pairs: tuple[FloatArray, FloatArray]) -> Indices:
    return np.flatnonzero(np.any([one != other for one, other in pairs], axis=0)).astype(np.int32)


def _same_structure(one: LinearModel, other: LinearModel) -> bool:
    # Warm starts are for linear models: their basis stays valid whatever costs and bounds become.
    linear = not one.integer.any() and not other.integer.any()
    return (
        linear and all(np.array_equal(getattr(one, name), getattr(other, name)) for name in ("starts", "index", "value")) and one.cost.size == other.cost.size
    )


def _pass_model(highs: Any, model: LinearModel) -> None:
    row_wise, minimise = 2, 1
    highs.passModel(
        model.cost.size, model.row_lower.size, model.value.size, row_wise, minimise, 0.0,
        model.cost, model.lower, model.upper, model.row_lower, model.row_upper,
        model.starts, model.index, model.value, model.integer,
    )  # fmt: skip
    if model.start is not None and not model.integer.any():
        highs.setBasis(_write_basis(model, model.start))


def _write_basis(model: LinearModel, start: StartBasis) -> Any:
    columns, rows = np.zeros(model.cost.size, dtype=np.intp), np.ones(model.row_lower.size, dtype=np.intp)
    columns[start.columns], rows[start.rows] = 1, 0
    basis = highspy.HighsBasis()
    basis.col_status, basis.row_status = ([_STATUS[basic] for basic in each.tolist()] for each in (columns, rows))
    basis.valid = True
    return basis
