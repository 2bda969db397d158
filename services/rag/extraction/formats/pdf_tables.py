"""Tables among the lines of a page: rows of short cells that stand below each other."""

from dataclasses import dataclass
from statistics import median

from services.rag.extraction.formats.pdf_lines import PdfLine, Segment

_LEAST_ROWS = 2
# Cells are short; columns of running text are not.
_MOST_WORDS_PER_CELL = 8
# Rows of one table stand no further apart, in sizes of their letters.
_ROW_GAP = 3.5
_WRAP_GAP = 1.35
_BESIDE_GAP = 0.9


@dataclass(frozen=True)
class Table:
    """A table: one line per row, cells between bars."""

    text: str


@dataclass
class _Row:
    cells: list[Segment]
    lines: list[int]
    baseline: float

    @property
    def size(self) -> float:
        return self.cells[0].size


def tables_of(lines: list[PdfLine]) -> dict[int, Table | bool]:
    """Return which lines are parts of tables: the first line of a table by its index with the table, its other lines with False."""
    tables: dict[int, Table | bool] = {}
    for rows in _runs(_rows(lines)):
        columns = _columns(rows)
        if len(columns) < 2 or len(rows) < _LEAST_ROWS or _is_running_text(rows):
            continue
        members = sorted(index for row in rows for index in row.lines)
        tables |= dict.fromkeys(members, False)
        tables[members[0]] = Table("\n".join(" | ".join(cells) for cells in _cells(rows, columns)))
    return tables


def _rows(lines: list[PdfLine]) -> list[_Row]:
    """Return lines by height, from above; those of the same height are one row."""
    rows: list[_Row] = []
    for index, line in sorted(enumerate(lines), key=lambda pair: -pair[1].baseline):
        if rows and abs(rows[-1].baseline - line.baseline) < 0.4 * line.size:
            rows[-1].cells.extend(line.segments)
            rows[-1].lines.append(index)
        else:
            rows.append(_Row(list(line.segments), [index], line.baseline))
    for row in rows:
        row.cells.sort(key=lambda cell: cell.left)
    return rows


def _runs(rows: list[_Row]) -> list[list[_Row]]:
    """Return runs of rows with several cells each, or the rest of a cell above."""
    runs: list[list[_Row]] = [[]]
    for row in rows:
        run = runs[-1]
        near = bool(run) and run[-1].baseline - row.baseline <= _ROW_GAP * max(row.size, run[-1].size)
        if (len(row.cells) >= 2 and (near or not run)) or (near and _is_rest(row, run)):
            run.append(row)
        else:
            runs.append([row] if len(row.cells) >= 2 else [])
    return runs


def _is_rest(row: _Row, run: list[_Row]) -> bool:
    above = run[-1]
    is_tight = above.baseline - row.baseline <= _WRAP_GAP * row.size
    return _is_beside(above, row) or (is_tight and all(any(abs(cell.left - other.left) < row.size for other in above.cells[1:]) for cell in row.cells))


def _is_beside(above: _Row, row: _Row) -> bool:
    """Whether two lines are closer than lines can be: a cell in the middle of its row beside one of two lines."""
    return above.baseline - row.baseline <= _BESIDE_GAP * row.size


def _columns(rows: list[_Row]) -> list[tuple[float, float]]:
    """Return the columns' extents: cells that overlap are of one column."""
    columns: list[tuple[float, float]] = []
    for left, right in sorted((cell.left, max(cell.right, cell.left)) for row in rows for cell in row.cells):
        if columns and left <= columns[-1][1]:
            columns[-1] = (columns[-1][0], max(columns[-1][1], right))
        else:
            columns.append((left, right))
    return columns


def _is_running_text(rows: list[_Row]) -> bool:
    words = [len(cell.text.split()) for row in rows for cell in row.cells]
    # The longest column counts: beside a table's descriptions stand figures.
    shortest = [min(len(cell.text.split()) for cell in row.cells) for row in rows if len(row.cells) >= 2]
    return median(words) > _MOST_WORDS_PER_CELL or median(shortest) > _MOST_WORDS_PER_CELL / 2


def _cells(rows: list[_Row], columns: list[tuple[float, float]]) -> list[list[str]]:
    table: list[list[str]] = []
    for before, row in zip([None, *rows], rows, strict=False):
        cells = [" ".join(cell.text for cell in row.cells if left <= cell.left <= right) for left, right in columns]
        if before is not None and (_is_beside(before, row) or (not cells[0] and before.baseline - row.baseline <= _WRAP_GAP * row.size)):
            table[-1] = [f"{above} {cell}".strip() for above, cell in zip(table[-1], cells, strict=True)]
        else:
            table.append(cells)
    return table
