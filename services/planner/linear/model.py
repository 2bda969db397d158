"""Build mixed-integer linear models, block by block of columns and rows, in the sparse row form of
HiGHS.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from luna.energy.errors import LunaError
from luna.energy.physics.mode import BoolArray
from luna.energy.timeline import FloatArray, IndexArray

Indices = NDArray[np.int32]
Term = tuple[Indices, FloatArray | float]


class InfeasibleError(LunaError):
    """The limits contradict each other."""

    title = "Contradicting limits"
    code = "infeasible"


@dataclass(frozen=True, slots=True)
class StartBasis:
    """A triangular starting basis for a solver without one: ``columns`` are basic in place of as
    many ``rows``, each row determining one of them in turn.
    """

    columns: IndexArray
    rows: IndexArray


# Column types of HiGHS: integer, and implied integer (integral wherever the integer ones are).
CHOSEN = 1
IMPLIED = 4


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
        """Return the linear relaxation."""
        return replace(self, integer=np.zeros_like(self.integer))

    def fixed(self, columns: IndexArray | Indices, value: FloatArray) -> "LinearModel":
        """Return the model with ``columns`` fixed to ``value``."""
        lower = np.array(self.lower)
        upper = np.array(self.upper)
        lower[columns] = upper[columns] = value
        return replace(self, lower=lower, upper=upper)

    def part(self, columns: BoolArray, rows: BoolArray) -> "LinearModel":
        """Return the linear model of these columns and rows alone."""
        entry_rows = self.entry_rows()
        entries = np.flatnonzero(rows[entry_rows] & columns[self.index])
        column_place = np.cumsum(columns) - 1
        row_place = np.cumsum(rows) - 1
        starts = np.searchsorted(row_place[entry_rows[entries]], np.arange(rows.sum()))
        start = self.start and StartBasis(
            column_place[self.start.columns], row_place[self.start.rows]
        )
        return LinearModel(
            cost=self.cost[columns],
            lower=self.lower[columns],
            upper=self.upper[columns],
            integer=np.zeros(int(columns.sum()), dtype=np.int32),
            row_lower=self.row_lower[rows],
            row_upper=self.row_upper[rows],
            starts=starts.astype(np.int32),
            index=column_place[self.index[entries]].astype(np.int32),
            value=self.value[entries],
            start=start,
        )

    def with_column(self, cost: float, rows: IndexArray, value: FloatArray) -> "LinearModel":
        """Return the model with one more column, non-negative and continuous, with coefficients
        ``value`` in ``rows`` (ascending).
        """
        ends = np.append(self.starts[1:], self.index.size)[rows]
        return replace(
            self,
            cost=np.append(self.cost, cost),
            lower=np.append(self.lower, 0.0),
            upper=np.append(self.upper, np.inf),
            integer=np.append(self.integer, np.int32(0)),
            starts=(self.starts + np.searchsorted(rows, np.arange(self.starts.size))).astype(
                np.int32
            ),
            index=np.insert(self.index, ends, self.cost.size),
            value=np.insert(self.value, ends, value),
        )

    def entry_rows(self) -> IndexArray:
        """Return each entry's row."""
        return np.repeat(
            np.arange(self.row_lower.size), np.diff(np.append(self.starts, self.index.size))
        )

    def activity(self, column: FloatArray) -> FloatArray:
        """Return every row's value at ``column``."""
        return np.bincount(
            self.entry_rows(),
            weights=self.value * column[self.index],
            minlength=self.row_lower.size,
        ).astype(float)


@dataclass
class ModelBuilder:
    """Collects a model block by block, usually with one column or row per slot."""

    cost: list[FloatArray] = field(default_factory=list)
    lower: list[FloatArray] = field(default_factory=list)
    upper: list[FloatArray] = field(default_factory=list)
    integer: list[NDArray[np.int32]] = field(default_factory=list)
    bounds: list[tuple[FloatArray, FloatArray]] = field(default_factory=list)
    entries: list[tuple[Indices, Indices, FloatArray]] = field(default_factory=list)
    columns: int = 0
    rows: int = 0

    def add_columns(
        self,
        count: int,
        *,
        cost: FloatArray | float,
        upper: FloatArray | float,
        lower: FloatArray | float = 0.0,
        integer: int = 0,
    ) -> Indices:
        """Add ``count`` columns and return their indices."""
        for blocks, values in ((self.cost, cost), (self.lower, lower), (self.upper, upper)):
            blocks.append(np.broadcast_to(np.asarray(values, dtype=float), (count,)))
        self.integer.append(np.full(count, integer, dtype=np.int32))
        self.columns += count
        return np.arange(self.columns - count, self.columns, dtype=np.int32)

    def add_rows(self, lower: FloatArray, upper: FloatArray, terms: Sequence[Term]) -> Indices:
        """Add one row per element of ``lower``.

        A term with fewer columns belongs to the last rows.
        """
        rows = np.arange(self.rows, self.rows + lower.size, dtype=np.int32)
        self.bounds.append((lower, upper))
        for columns, factor in terms:
            self.entries.append(
                (
                    rows[rows.size - columns.size :],
                    columns,
                    np.broadcast_to(np.asarray(factor, dtype=float), columns.shape),
                )
            )
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

    def add_windows(
        self,
        lower: float,
        upper: float,
        columns: Indices,
        edges: tuple[NDArray[np.int64], NDArray[np.int64]],
    ) -> Indices:
        """Add one row per window over neighbouring ``columns``.

        ``edges`` are the windows' first positions and those after their last.
        """
        first, end = edges
        length = end - first
        rows = np.arange(self.rows, self.rows + first.size, dtype=np.int32)
        place = np.arange(length.sum()) - np.repeat(np.cumsum(length) - length - first, length)
        self.bounds.append((np.full(first.size, lower), np.full(first.size, upper)))
        self.add_entries(np.repeat(rows, length), columns[place], 1.0)
        self.rows += first.size
        return rows

    def add_entries(self, rows: Indices, columns: Indices, factor: FloatArray | float) -> None:
        """Add coefficients to existing rows; a row and column may be given once."""
        self.entries.append(
            (rows, columns, np.broadcast_to(np.asarray(factor, dtype=float), columns.shape))
        )

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
