"""A guess of how to read a file: its table, the meaning of its columns, and a preview.

Only the first and last rows are read. What the file does not tell is asked.
"""

import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import polars as pl

from luna.contracts.file_guess import (
    FileGuess,
    FileLayout,
    FilePreview,
    FileReading,
    GuessReason,
    PreviewSeries,
    PreviewTotal,
)
from luna.energy.refusals import refuse
from luna.energy.timeline import SLOT, parse_zone
from services.ingest.file_guess.cells import read_figures
from services.ingest.file_guess.clocks import find_clock
from services.ingest.file_guess.file_columns import (
    ColumnContext,
    find_decimal_comma,
    find_names,
    guess_columns,
)
from services.ingest.file_guess.sources import (
    Sample,
    read_records,
    read_sample,
    read_states,
    sample_frame,
)
from services.ingest.file_guess.translate import drop_blank, is_direct, translate
from services.ingest.file_guess.words import UNIT, read_unit
from services.ingest.instants import as_text
from services.ingest.limited_file import FileLimits

DATE = re.compile(
    r"^\s*\d{1,4}[./-]\d{1,2}[./-]\d{1,4}(?!\d)|^\s*(19|20)\d{6}(?!\d)|^\s*\d{10}(\d{3})?"
    r"\s*$|^\s*\d{1,2}[ -][A-Za-z]{3,9}\.?[ -]\d{2,4}"
)
NUMBER = re.compile(r"^\s*[+-]?[\d\s.,'’\u00a0\u202f]*\d\s*(kWh|Wh|W|kW|%|€)?\s*$")
UNIT_CELL = re.compile(
    r"^[\[(]?\s*(dd|tt|yyyy|jjjj|hh|kwh|wh|mwh|kw|w|%|-|v|a|°c|utc|local)\b.*", re.IGNORECASE
)
MOST_HEADERS = 6
LOOKED_AT = 12


def find_layout(sample: Sample, *, field: str) -> FileLayout:
    """Return the layout of a sample's rows.

    Raises:
        InvalidInputError: there is no table with times and figures in it.
    """
    if sample.form == "json":
        return _json_layout(sample.document, field=field)
    first = _find_first_row(sample.head)
    if first is None:
        raise refuse("file-without-table", field=field)
    header = [sample.head[line] for line in _find_header(sample.head, first)]
    width = max(len(row) for row in sample.head[first : first + 40])
    names: list[str] = []
    for place in range(width):
        names.append(_column_name(header, place, names))
    return FileLayout(
        form="workbook" if sample.form == "workbook" else "text",
        names=names,
        encoding=sample.encoding,
        separator=sample.separator,
        skipped_lines=first,
        sheet=sample.sheet,
    )


def _json_layout(document: Any, *, field: str) -> FileLayout:
    states = read_states(document)
    if states is not None:
        return FileLayout(
            form="states",
            names=list(dict.fromkeys(states.names))[:300],
            name_column="entity",
            value_column="value",
        )
    records = read_records(document)
    if records is None:
        raise refuse("json-without-rows", field=field)
    names: dict[str, None] = {}
    for row in records[:1000]:
        names.update(dict.fromkeys(name[:200] for name in row))
    return FileLayout(form="records", names=list(names)[:300])


def _find_first_row(rows: Sequence[Sequence[str]]) -> int | None:
    """Return the first row of the table."""
    has_values = [_has_values(row) for row in rows]
    for first, is_first in enumerate(has_values):
        below = slice(first, first + LOOKED_AT)
        following = []
        for row, is_row in zip(rows[below], has_values[below], strict=True):
            if any(row):
                following.append(is_row)
        # Above it may stand a smaller table of two lines, with a time in the second.
        if is_first and all(following[:3]) and sum(following) >= 0.7 * len(following):
            return first
    return None


def _has_values(row: Sequence[str]) -> bool:
    """Return whether a row has a time and figures."""
    dated = [place for place, cell in enumerate(row) if DATE.match(cell)]
    if not dated:
        return False
    others = [cell for place, cell in enumerate(row) if place != dated[0]]
    return len(row) > 2 or any(NUMBER.match(cell) for cell in others)


def _column_name(header: Sequence[Sequence[str]], place: int, taken: Sequence[str]) -> str:
    """Return a column's name from the lines of the header, unlike all names before it."""
    cells = [row[place] for row in header if place < len(row)]
    parts = dict.fromkeys(cell.replace("\ufeff", "").strip() for cell in cells)
    own = " ".join(part for part in parts if part)[:190] or f"column {place + 1}"
    name = own
    number = 2
    while name in taken or name == "line":
        name = f"{own} {number}"
        number += 1
    return name


def read_preamble(sample: Sample, layout: FileLayout) -> str:
    """Return the text above the table and its header."""
    above = sample.head[: layout.skipped_lines]
    begin = _find_header(sample.head, layout.skipped_lines).start if above else 0
    return "\n".join(" ".join(row) for row in above[:begin])


def _find_header(rows: Sequence[Sequence[str]], first: int) -> range:
    """Return the lines above the first row that name its columns.

    It is the line before; if that has units, also those above it that are as wide as the table.
    """
    width = sum(map(bool, rows[first]))
    above = first - 1
    if above < 0 or not _names(rows[above], 1):
        return range(first, first)
    filled = [cell for cell in rows[above] if cell]
    units = sum(_is_unit(cell) for cell in filled)
    if units < 0.6 * len(filled):
        return range(above, first)
    begin = above
    while begin > 0 and above - begin < MOST_HEADERS:
        # A line of one cell is a title.
        line = rows[begin - 1]
        if len(line) <= 1 or not _names(line, max(0.6 * (width - 1), 1)):
            break
        begin -= 1
    return range(begin, first)


def _is_unit(cell: str) -> bool:
    if UNIT_CELL.match(cell):
        return True
    return len(cell) < 8 and UNIT.search(cell) is not None


def _names(row: Sequence[str], fewest: float) -> bool:
    filled = [cell for cell in row if cell]
    return len(filled) >= fewest and not any(DATE.match(cell) for cell in filled)


PREVIEW_DAYS = 7
MOST_MONTHS = 36
FIGURES = r"^[+-]?[\d\s.,'’\u00a0]*\d\s*(kWh|Wh|kW|W|%|€)?$"


def guess_file(
    path: Path,
    *,
    file_name: str,
    timezone: str,
    choices: Mapping[str, str] | None = None,
    limits: FileLimits | None = None,
) -> FileGuess:
    """Guess how to read a file, and preview what would be stored of it.

    Args:
        path: where it lies.
        file_name: what its owner calls it; it may say what the file is about.
        timezone: of the site.
        choices: what a person chose, by the keys of the questions; also ``column:NAME``,
            ``measure:NAME``.
        limits: how much it may hold.

    Raises:
        InvalidInputError: it is no file of times and figures; says what it is instead.
    """
    limits = limits or FileLimits()
    chosen = dict(choices or {})
    sample = read_sample(path, limits)
    layout = find_layout(sample, field=file_name)
    above = read_preamble(sample, layout)
    frame = drop_blank(sample_frame(sample, layout))
    if not frame.height:
        raise refuse("file-without-rows", field=file_name)
    layout, units = _find_series(sample, frame, layout)
    clock = find_clock(frame, layout, preamble=above, site_zone=timezone, choices=chosen)
    clock_columns = [*clock.time_columns, *clock.end_columns]
    numeric = _numeric_columns(frame, layout, clock_columns)
    comma, comma_question = find_decimal_comma(frame, numeric, chosen)
    layout = layout.model_copy(update={"decimal_comma": comma})
    context = ColumnContext(
        layout=layout,
        above=above,
        file_name=file_name,
        step_seconds=clock.step_seconds,
        clock_columns=clock_columns,
        units=units,
        choices=chosen,
    )
    guesses, column_questions = guess_columns(frame, context)
    measures = {column.measure for column in guesses if column.stored_as not in {"nothing", "soc"}}
    if measures <= {"counter"}:
        # A reading has an instant, not an interval whose end could be meant.
        clock.questions = [question for question in clock.questions if question.key != "label"]
        clock.label = "start"
    questions = list(clock.questions)
    if comma_question is not None:
        questions.append(comma_question)
    questions += column_questions
    columns = [column.to_contract() for column in guesses if column.stored_as != "nothing"]
    reading = None
    shown = None
    if columns:
        reading = FileReading(
            layout=layout,
            time_columns=clock.time_columns,
            day_order=clock.day_order,
            zone=clock.zone,
            label=clock.label,
            step_seconds=clock.step_seconds,
            columns=columns,
        )
        shown = preview(frame, reading, zone=timezone, whole=sample.whole)
    is_answered = all(question.likely is not None for question in questions)
    return FileGuess(
        file_name=file_name,
        layout=layout,
        columns=[column.as_guess() for column in guesses],
        reasons=[*_describe_layout(layout), *clock.reasons],
        questions=questions,
        reading=reading if is_answered else None,
        preview=shown,
    )


def _find_series(
    sample: Sample, frame: pl.DataFrame, layout: FileLayout
) -> tuple[FileLayout, dict[str, str]]:
    """Return the layout with the columns of names and values, and the units by name."""
    long = find_names(frame, layout)
    if long is None:
        return layout, {}
    names, values, units = long
    if sample.form == "json" and not units:
        states = read_states(sample.document)
        if states is not None:
            units = {name: read_unit(unit) for name, unit in states.units.items()}
    return layout.model_copy(update={"name_column": names, "value_column": values}), units


def _numeric_columns(
    frame: pl.DataFrame, layout: FileLayout, clock_columns: Sequence[str]
) -> list[str]:
    if layout.name_column:
        return [layout.value_column or "value"]
    numeric = []
    for name in layout.names:
        if name in clock_columns:
            continue
        cells = frame[name].drop_nulls().head(500)
        if cells.len() and cells.str.contains(FIGURES).sum() >= 0.5 * cells.len():
            numeric.append(name)
    return numeric


def _describe_layout(layout: FileLayout) -> list[GuessReason]:
    figures = {
        "sheet": layout.sheet or "",
        "encoding": layout.encoding,
        "separator": "tab" if layout.separator == "\t" else layout.separator,
    }
    reasons = [GuessReason(code=f"form_{layout.form}", figures=figures)]
    if layout.form == "text" and layout.skipped_lines > 1:
        count = str(layout.skipped_lines)
        reasons.append(GuessReason(code="lines_above", figures={"count": count}))
    if layout.decimal_comma:
        reasons.append(GuessReason(code="decimal_comma"))
    if layout.name_column:
        figures = {"column": layout.name_column}
        reasons.append(GuessReason(code="one_value_per_row", figures=figures))
    return reasons


def preview(frame: pl.DataFrame, reading: FileReading, *, zone: str, whole: bool) -> FilePreview:
    """Return what would be stored of a frame's rows: the last days, and the months' sums.

    The rows are translated by the same code that stores them.
    """
    slot_seconds = int(SLOT.total_seconds())
    step = slot_seconds
    if is_direct(reading) and reading.step_seconds:
        step = reading.step_seconds
    nothing = FilePreview(
        whole=whole,
        rows=frame.height,
        first=None,
        last=None,
        start=None,
        step_seconds=step,
        series=[],
        totals=[],
        lost=frame.height,
    )
    rows = list(translate([frame], reading))
    if not rows:
        return nothing
    figures, names = _read_stored(rows)
    dated = figures.drop_nulls("at").unique("at", keep="first").sort("at")
    if not dated.height:
        return nothing.model_copy(update={"lost": figures.height})
    preview_step = max(step, slot_seconds)
    first = dated["at"].min()
    last = dated["at"].max()
    assert isinstance(first, datetime)  # noqa: S101 - there is a row
    assert isinstance(last, datetime)  # noqa: S101
    picture = _recent_slots(dated, names, preview_step)
    return FilePreview(
        whole=whole,
        rows=frame.height,
        first=first,
        last=last,
        start=picture["at"][0],
        step_seconds=preview_step,
        series=[PreviewSeries(name=name, values=picture[name].to_list()) for name in names],
        totals=_monthly_totals(dated, names, zone),
        lost=figures.height - figures.drop_nulls("at").height,
    )


def _read_stored(rows: Sequence[pl.DataFrame]) -> tuple[pl.DataFrame, list[str]]:
    """Return the instants (``at``) and figures of translated rows, and the names of the series."""
    texts = [frame.with_columns(as_text(frame["slot_start"]).alias("slot_start")) for frame in rows]
    stored = pl.concat(texts, how="vertical_relaxed")
    instants = stored["slot_start"].str.to_datetime(
        "%Y-%m-%dT%H:%M:%S%.6fZ", time_unit="us", strict=False
    )
    columns = [instants.dt.replace_time_zone("UTC").alias("at")]
    names = [name for name in stored.columns if name not in {"line", "slot_start"}]
    columns += [read_figures(stored[name], decimal_comma=False) for name in names]
    return pl.DataFrame(columns), names


def _totals(names: Sequence[str]) -> list[pl.Expr]:
    """Return sums of energies, means of the others, and the numbers of known values."""
    totals = []
    for name in names:
        column = pl.col(name)
        totals.append(column.sum() if name.endswith("_kwh") else column.mean())
        totals.append(column.count().alias(f"known {name}"))
    return totals


def _recent_slots(dated: pl.DataFrame, names: Sequence[str], step_seconds: int) -> pl.DataFrame:
    """Return the slots of the last days without gaps, null where unknown."""
    step = f"{step_seconds}s"
    slots = dated.group_by(pl.col("at").dt.truncate(step)).agg(*_totals(names)).sort("at")
    known = [pl.when(pl.col(f"known {name}") > 0).then(name).alias(name) for name in names]
    earliest = pl.col("at").max().dt.offset_by(f"-{PREVIEW_DAYS}d")
    recent = slots.select("at", *known).filter(pl.col("at") > earliest)
    at = pl.col("at")
    grid = recent.select(
        pl.datetime_range(at.min(), at.max(), step, time_zone="UTC", time_unit="us").alias("at")
    )
    return grid.join(recent, on="at", how="left", maintain_order="left")


def _monthly_totals(dated: pl.DataFrame, names: Sequence[str], zone: str) -> list[PreviewTotal]:
    local = pl.col("at").dt.convert_time_zone(parse_zone(zone).key)
    month = local.dt.strftime("%Y-%m").alias("month")
    months = dated.group_by(month).agg(*_totals(names)).sort("month").tail(MOST_MONTHS)
    totals = []
    for row in months.iter_rows(named=True):
        known = [name for name in names if row[f"known {name}"]]
        totals += [PreviewTotal(month=row["month"], name=name, value=row[name]) for name in known]
    return totals
