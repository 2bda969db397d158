"""How the rows of a file lie in it: where its table begins, what its columns are called. Pure."""

import re
from collections.abc import Sequence

from luna.contracts.file_guess import FileLayout
from luna.energy.refusals import refuse
from services.ingest.file_guess.sources import Sample, read_records, read_states
from services.ingest.file_guess.words import UNIT

DATE = re.compile(r"^\s*\d{1,4}[./-]\d{1,2}[./-]\d{1,4}(?!\d)|^\s*(19|20)\d{6}(?!\d)|^\s*\d{10}(\d{3})?\s*$|^\s*\d{1,2}[ -][A-Za-z]{3,9}\.?[ -]\d{2,4}")
CLOCK = re.compile(r"^\s*\d{1,2}[:h]\d{2}")
NUMBER = re.compile(r"^\s*[+-]?[\d\s.,'’\u00a0\u202f]*\d\s*(kWh|Wh|W|kW|%|€)?\s*$")
UNIT_CELL = re.compile(r"^[\[(]?\s*(dd|tt|yyyy|jjjj|hh|kwh|wh|mwh|kw|w|%|-|v|a|°c|utc|local)\b.*", re.IGNORECASE)
MOST_HEADERS = 6
LOOKED_AT = 12


def find_layout(sample: Sample, *, field: str) -> FileLayout:
    """Return how the rows of a sample lie.

    Raises:
        InvalidInputError: there is no table with times and figures in it.
    """
    if sample.form == "json":
        states = read_states(sample.document)
        if states is not None:
            return FileLayout(form="states", names=list(dict.fromkeys(states.names))[:300], name_column="entity", value_column="value")
        records = read_records(sample.document)
        if records is None:
            raise refuse("json-without-rows", field=field)
        names = list(dict.fromkeys(name[:200] for row in records[:1000] for name in row))
        return FileLayout(form="records", names=names[:300])
    has_values = []
    for row in sample.head:
        dated = [place for place, cell in enumerate(row) if DATE.match(cell)]
        has_figures = any(NUMBER.match(cell) and place not in dated[:1] for place, cell in enumerate(row))
        has_values.append(bool(dated) and (has_figures or len(row) > 2))
    for first, is_first in enumerate(has_values):
        below = zip(sample.head[first : first + LOOKED_AT], has_values[first : first + LOOKED_AT], strict=True)
        following = [is_row for row, is_row in below if any(row)]
        # Above a table may stand one of its own: of two lines, with a time in the second.
        if is_first and all(following[:3]) and sum(following) >= 0.7 * len(following):
            break
    else:
        raise refuse("file-without-table", field=field)
    header = [sample.head[line] for line in _find_header(sample.head, first)]
    names = []
    for place in range(max(len(row) for row in sample.head[first : first + 40])):
        parts = dict.fromkeys(row[place].replace("\ufeff", "").strip() for row in header if place < len(row))
        name = own = " ".join(part for part in parts if part)[:190] or f"column {place + 1}"
        number = 2
        # No two columns have the same name.
        while name in names or name == "line":
            name, number = f"{own} {number}", number + 1
        names.append(name)
    form = "workbook" if sample.form == "workbook" else "text"
    return FileLayout(form=form, names=names, encoding=sample.encoding, separator=sample.separator, skipped_lines=first, sheet=sample.sheet)


def read_preamble(sample: Sample, layout: FileLayout) -> str:
    """Return what stands above the table and its header."""
    above = sample.head[: layout.skipped_lines]
    begin = _find_header(sample.head, layout.skipped_lines).start if above else 0
    return "\n".join(" ".join(row) for row in above[:begin])


def _find_header(rows: Sequence[Sequence[str]], first: int) -> range:
    """Return the lines above the first row that name its columns: the one before, and above one of units those that lie as wide as it."""
    width = sum(map(bool, rows[first]))
    above = first - 1
    if above < 0 or not _names(rows[above], 1):
        return range(first, first)
    begin = above
    row = rows[above]
    filled = [cell for cell in row if cell]
    if sum(bool(UNIT_CELL.match(cell)) or (bool(UNIT.search(cell)) and len(cell) < 8) for cell in filled) >= 0.6 * len(filled):
        # A line of one cell is a title.
        while begin > 0 and above - begin < MOST_HEADERS and _names(rows[begin - 1], max(0.6 * (width - 1), 1)) and len(rows[begin - 1]) > 1:
            begin -= 1
    return range(begin, first)


def _names(row: Sequence[str], fewest: float) -> bool:
    filled = [cell for cell in row if cell]
    return len(filled) >= fewest and not any(DATE.match(cell) for cell in filled)
