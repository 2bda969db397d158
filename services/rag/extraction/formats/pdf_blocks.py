"""Lines of pages become paragraphs, headings, lists and tables: rows of short cells that stand below each other."""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import median

from services.rag.extraction.formats.pdf_lines import PdfLine, Segment
from services.rag.extraction.model import DocumentBlock

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
        # The columns' extents: cells that overlap are of one column.
        columns: list[tuple[float, float]] = []
        for left, right in sorted((cell.left, max(cell.right, cell.left)) for row in rows for cell in row.cells):
            if columns and left <= columns[-1][1]:
                columns[-1] = (columns[-1][0], max(columns[-1][1], right))
            else:
                columns.append((left, right))
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


_HEADING_RATIO = 1.15
_HEADING_WORDS = 20
_MOST_LEVELS = 6
_ITEM = re.compile(r"(?:[-•▪‣·∙●○–*]|\d{1,2}[.)]|[a-z]\))\s+\S|[•▪‣●○]\S")
_BROKEN = re.compile(r"[^\W\d_]-$")


def blocks_of(pages: Sequence[list[PdfLine]]) -> list[DocumentBlock]:
    """Return the blocks of a document's pages.

    Args:
        pages: the lines of each page in reading order.
    """
    levels = _levels(pages)
    return [block for number, lines in enumerate(pages, 1) for block in _page(lines, number, levels)]


def _levels(pages: Sequence[list[PdfLine]]) -> dict[float, int]:
    """Return the level of each size of letters that is a heading's: clearly larger than most text is."""
    letters: Counter[float] = Counter()
    for line in (line for page in pages for line in page):
        letters[_rounded(line.size)] += len(line.text)
    if not letters:
        return {}
    body = letters.most_common(1)[0][0]
    larger = sorted((size for size in letters if size >= _HEADING_RATIO * body), reverse=True)
    return {size: min(level, _MOST_LEVELS) for level, size in enumerate(larger, 1)}


def _rounded(size: float) -> float:
    return round(2 * size) / 2


def _page(lines: list[PdfLine], number: int, levels: dict[float, int]) -> Iterator[DocumentBlock]:
    tables = tables_of(lines)
    gaps = [before.baseline - after.baseline for before, after in pairwise(lines) if 0 < before.baseline - after.baseline < 4 * after.size]
    spacing = median(gaps) if gaps else 0.0
    gathered: list[PdfLine] = []
    for index, line in enumerate(lines):
        table = tables.get(index)
        if gathered and (table is not None or _is_break(gathered[-1], line, spacing)):
            yield _paragraph(gathered, number, levels)
            gathered = []
        if isinstance(table, Table):
            yield DocumentBlock("table", table.text, number)
        elif table is None:
            gathered.append(line)
    if gathered:
        yield _paragraph(gathered, number, levels)


def _is_break(before: PdfLine, after: PdfLine, spacing: float) -> bool:
    gap = before.baseline - after.baseline
    changes_size = abs(before.size - after.size) > 0.1 * max(before.size, after.size)
    return changes_size or gap > 1.3 * max(spacing, after.size) or gap < -after.size or (_is_list(before) != _is_list(after) and _is_list(after))


def _is_list(line: PdfLine) -> bool:
    return bool(_ITEM.match(line.text))


def _paragraph(lines: list[PdfLine], number: int, levels: dict[float, int]) -> DocumentBlock:
    if _is_list(lines[0]):
        items: list[list[PdfLine]] = []
        for line in lines:
            if _is_list(line) or not items:
                items.append([])
            items[-1].append(line)
        return DocumentBlock("list", "\n".join(_flowing(item) for item in items), number)
    text = _flowing(lines)
    level = levels.get(_rounded(lines[0].size))
    if level and len(text.split()) <= _HEADING_WORDS and any(letter.isalpha() for letter in text):
        return DocumentBlock("heading", text, number, level)
    return DocumentBlock("text", text, number)


def _flowing(lines: list[PdfLine]) -> str:
    """Return lines as running text; a word that is broken at a line's end is one word again."""
    words: list[str] = []
    for text in (line.text for line in lines):
        if words and _BROKEN.search(words[-1][-2:]) and text[:1].islower():
            text = words.pop()[:-1] + text  # noqa: PLW2901 - a line goes on in the next one
        words.append(text)
    return " ".join(words)
