"""Build mixed-integer linear models in the sparse row form of HiGHS.

Columns and rows are added in blocks. A block of rows has a name, by which an infeasible model says
what contradicts what.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from luna.energy.errors import LunaError
from luna.energy.physics.mode import BoolArray
from luna.energy.timeline import FloatArray, IndexArray

Indices = NDArray[np.int32]
Term = tuple[Indices, FloatArray | float]


@dataclass(frozen=True, slots=True)
class RowBlock:
    """The name of neighbouring rows of a model, usually one per slot."""

    name: str
    first: int
    count: int


class InfeasibleError(LunaError):
    """The limits contradict each other.

    ``model`` is the one without a solution. ``failing_rows`` are the parts of its blocks of rows
    that contradict each other, once somebody has looked for them.
    """

    title = "Contradicting limits"
    code = "infeasible"

    def __init__(self, message: str, *, model: "LinearModel | None" = None) -> None:
        super().__init__(message)
        self.model = model
        self.failing_rows: tuple[RowBlock, ...] = ()


@dataclass(frozen=True, slots=True)
class StartBasis:
    """A triangular starting basis for a solver without one.

    ``columns`` are basic in place of as many ``rows``; each row determines one of them in turn.
    """

    columns: IndexArray
    rows: IndexArray


# Column types of HiGHS: integer, and implied integer (integral wherever the integer ones are).
CHOSEN = 1
IMPLIED = 4


@dataclass(frozen=True, slots=True)
class LinearModel:
    """A mixed-integer linear model in the sparse row form that HiGHS reads.

    ``entry_row`` is each entry's row, ``index`` its column.
    """

    cost: FloatArray
    lower: FloatArray
    upper: FloatArray
    integer: NDArray[np.int32]
    row_lower: FloatArray
    row_upper: FloatArray
    starts: Indices
    entry_row: IndexArray
    index: Indices
    value: FloatArray
    start: StartBasis | None = None
    row_blocks: tuple[RowBlock, ...] = ()

    def relaxed(self) -> "LinearModel":
        """Return the linear relaxation."""
        return replace(self, integer=np.zeros_like(self.integer))

    def fixed(self, columns: IndexArray | Indices, value: FloatArray) -> "LinearModel":
        """Return the model with ``columns`` fixed to ``value``."""
        lower = np.array(self.lower)
        upper = np.array(self.upper)
        lower[columns] = value
        upper[columns] = value
        return replace(self, lower=lower, upper=upper)

    def part(self, columns: BoolArray, rows: BoolArray) -> "LinearModel":
        """Return the linear model of these columns and rows alone."""
        entries = np.flatnonzero(rows[self.entry_row] & columns[self.index])
        column_place = np.cumsum(columns) - 1
        row_place = np.cumsum(rows) - 1
        entry_row = row_place[self.entry_row[entries]]
        starts = np.searchsorted(entry_row, np.arange(rows.sum()))
        start = None
        if self.start is not None:
            start = StartBasis(column_place[self.start.columns], row_place[self.start.rows])
        return LinearModel(
            cost=self.cost[columns],
            lower=self.lower[columns],
            upper=self.upper[columns],
            integer=np.zeros(int(columns.sum()), dtype=np.int32),
            row_lower=self.row_lower[rows],
            row_upper=self.row_upper[rows],
            starts=starts.astype(np.int32),
            entry_row=entry_row,
            index=column_place[self.index[entries]].astype(np.int32),
            value=self.value[entries],
            start=start,
        )

    def with_column(self, cost: float, rows: IndexArray, value: FloatArray) -> "LinearModel":
        """Return the model with one more column, non-negative and continuous.

        ``value`` are its coefficients in ``rows``, which are ascending.
        """
        ends = np.append(self.starts[1:], self.index.size)[rows]
        entries_before = np.searchsorted(rows, np.arange(self.starts.size))
        return replace(
            self,
            cost=np.append(self.cost, cost),
            lower=np.append(self.lower, 0.0),
            upper=np.append(self.upper, np.inf),
            integer=np.append(self.integer, np.int32(0)),
            starts=(self.starts + entries_before).astype(np.int32),
            entry_row=np.insert(self.entry_row, ends, rows),
            index=np.insert(self.index, ends, self.cost.size),
            value=np.insert(self.value, ends, value),
        )

    def column_entries(
        self, columns: IndexArray | Indices, rows: BoolArray
    ) -> tuple[IndexArray, IndexArray, FloatArray]:
        """Return the entries of ``columns`` in these rows: row, place among them, coefficient."""
        place = np.full(self.cost.size, -1)
        place[columns] = np.arange(columns.size)
        where = np.flatnonzero((place[self.index] >= 0) & rows[self.entry_row])
        return self.entry_row[where], place[self.index[where]], self.value[where]

    def rows_with(self, columns: BoolArray) -> BoolArray:
        """Return the mask of rows with an entry in any of these columns."""
        found = np.zeros(self.row_lower.size, dtype=bool)
        found[self.entry_row[columns[self.index]]] = True
        return found

    def activity(self, column: FloatArray) -> FloatArray:
        """Return every row's value at ``column``."""
        return np.bincount(
            self.entry_row,
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
    row_blocks: list[RowBlock] = field(default_factory=list)
    _section: str = ""

    @contextmanager
    def section(self, name: str) -> Iterator[None]:
        """Name the rows that are added meanwhile, in front of their own names."""
        outer = self._section
        self._section = f"{outer}: {name}" if outer else name
        try:
            yield
        finally:
            self._section = outer

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
            blocks.append(_repeat(values, (count,)))
        self.integer.append(np.full(count, integer, dtype=np.int32))
        self.columns += count
        return np.arange(self.columns - count, self.columns, dtype=np.int32)

    def upper_of(self, columns: Indices) -> FloatArray:
        """Return the upper bounds of columns."""
        return np.asarray(np.concatenate(self.upper)[columns])

    def add_rows(
        self, lower: FloatArray, upper: FloatArray, terms: Sequence[Term], *, name: str = ""
    ) -> Indices:
        """Add one row per element of ``lower``.

        A term with fewer columns belongs to the last rows.
        """
        rows = self._begin_rows(name, lower.size)
        self.bounds.append((lower, upper))
        for columns, factor in terms:
            self.entries.append(
                (
                    rows[rows.size - columns.size :],
                    columns,
                    _repeat(factor, columns.shape),
                )
            )
        return rows

    def add_sum(
        self, lower: float, upper: float, terms: Sequence[Term], *, name: str = ""
    ) -> Indices:
        """Add one row over all columns of all terms."""
        row = self._begin_rows(name, 1)
        self.bounds.append((np.array([lower]), np.array([upper])))
        for columns, factor in terms:
            self.add_entries(np.broadcast_to(row, columns.shape), columns, factor)
        return row

    def add_windows(
        self,
        lower: float,
        upper: float,
        columns: Indices,
        edges: tuple[NDArray[np.int64], NDArray[np.int64]],
        *,
        name: str = "",
    ) -> Indices:
        """Add one row per window over neighbouring ``columns``.

        ``edges`` are the windows' first positions and those after their last.
        """
        first, end = edges
        length = end - first
        rows = self._begin_rows(name, first.size)
        place = np.arange(length.sum()) - np.repeat(np.cumsum(length) - length - first, length)
        self.bounds.append((np.full(first.size, lower), np.full(first.size, upper)))
        self.add_entries(np.repeat(rows, length), columns[place], 1.0)
        return rows

    def _begin_rows(self, name: str, count: int) -> Indices:
        """Name the next rows, and return their indices."""
        first = self.rows
        self.rows += count
        full_name = ": ".join(part for part in (self._section, name) if part)
        self.row_blocks.append(RowBlock(full_name, first, count))
        return np.arange(first, self.rows, dtype=np.int32)

    def add_entries(self, rows: Indices, columns: Indices, factor: FloatArray | float) -> None:
        """Add coefficients to existing rows; a row and column may be given once."""
        self.entries.append((rows, columns, _repeat(factor, columns.shape)))

    def build(self, start: StartBasis | None = None) -> LinearModel:
        """Return the model collected so far."""
        row, column, value = (np.concatenate(parts) for parts in zip(*self.entries, strict=True))
        row_lower, row_upper = (np.concatenate(parts) for parts in zip(*self.bounds, strict=True))
        order = np.argsort(row, kind="stable")
        entry_row = row[order].astype(np.intp)
        starts = np.searchsorted(entry_row, np.arange(self.rows))
        return LinearModel(
            cost=np.concatenate(self.cost),
            lower=np.concatenate(self.lower),
            upper=np.concatenate(self.upper),
            integer=np.concatenate(self.integer),
            row_lower=row_lower,
            row_upper=row_upper,
            starts=starts.astype(np.int32),
            entry_row=entry_row,
            index=column[order],
            value=value[order],
            start=start,
            row_blocks=tuple(self.row_blocks),
        )


def _repeat(values: FloatArray | float, shape: tuple[int, ...]) -> FloatArray:
    """Return an array of a shape; ``np.broadcast_to`` takes five times as long."""
    array = np.asarray(values, dtype=float)
    return array if array.shape == shape else np.full(shape, array)
