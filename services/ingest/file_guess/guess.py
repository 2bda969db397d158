"""A file as Luna would read it, from its first and last rows: where its table begins, what its
columns are and why, and what would be stored.

What only its owner knows is asked.
"""

import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path

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
from services.ingest.file_guess.columns import (
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
    """Return how the rows of a sample lie.

    Raises:
        InvalidInputError: there is no table with times and figures in it.
    """
    if sample.form == "json":
        states = read_states(sample.document)
        if states is not None:
            return FileLayout(
                form="states",
                names=list(dict.fromkeys(states.names))[:300],
                name_column="entity",
                value_column="value",
            )
        records = read_records(sample.document)
        if records is None:
            raise refuse("json-without-rows", field=field)
        names = list(dict.fromkeys(name[:200] for row in records[:1000] for name in row))
        return FileLayout(form="records", names=names[:300])
    has_values = []
    for row in sample.head:
        dated = [place for place, cell in enumerate(row) if DATE.match(cell)]
        has_figures = any(
            NUMBER.match(cell) and place not in dated[:1] for place, cell in enumerate(row)
        )
        has_values.append(bool(dated) and (has_figures or len(row) > 2))
    for first, is_first in enumerate(has_values):
        below = zip(
            sample.head[first : first + LOOKED_AT],
            has_values[first : first + LOOKED_AT],
            strict=True,
        )
        following = [is_row for row, is_row in below if any(row)]
        # Above a table may stand one of its own: of two lines, with a time in the second.
        if is_first and all(following[:3]) and sum(following) >= 0.7 * len(following):
            break
    else:
        raise refuse("file-without-table", field=field)
    header = [sample.head[line] for line in _find_header(sample.head, first)]
    names = []
    for place in range(max(len(row) for row in sample.head[first : first + 40])):
        parts = dict.fromkeys(
            row[place].replace("\ufeff", "").strip() for row in header if place < len(row)
        )
        name = own = " ".join(part for part in parts if part)[:190] or f"column {place + 1}"
        number = 2
        # No two columns have the same name.
        while name in names or name == "line":
            name = f"{own} {number}"
            number = number + 1
        names.append(name)
    form = "workbook" if sample.form == "workbook" else "text"
    return FileLayout(
        form=form,
        names=names,
        encoding=sample.encoding,
        separator=sample.separator,
        skipped_lines=first,
        sheet=sample.sheet,
    )


def read_preamble(sample: Sample, layout: FileLayout) -> str:
    """Return what stands above the table and its header."""
    above = sample.head[: layout.skipped_lines]
    begin = _find_header(sample.head, layout.skipped_lines).start if above else 0
    return "\n".join(" ".join(row) for row in above[:begin])


def _find_header(rows: Sequence[Sequence[str]], first: int) -> range:
    """Return the lines above the first row that name its columns: the one before, and above one of
    units those that lie as wide as it.
    """
    width = sum(map(bool, rows[first]))
    above = first - 1
    if above < 0 or not _names(rows[above], 1):
        return range(first, first)
    begin = above
    row = rows[above]
    filled = [cell for cell in row if cell]
    if sum(
        bool(UNIT_CELL.match(cell)) or (bool(UNIT.search(cell)) and len(cell) < 8)
        for cell in filled
    ) >= 0.6 * len(filled):
        # A line of one cell is a title.
        while (
            begin > 0
            and above - begin < MOST_HEADERS
            and _names(rows[begin - 1], max(0.6 * (width - 1), 1))
            and len(rows[begin - 1]) > 1
        ):
            begin -= 1
    return range(begin, first)


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
    """Return what a file seems to be, and what would be stored of it.

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
    long = find_names(frame, layout)
    units = {} if long is None else long[2]
    if long is not None:
        states = read_states(sample.document) if sample.form == "json" and not units else None
        if states is not None:
            units = {name: read_unit(unit) for name, unit in states.units.items()}
        layout = layout.model_copy(update={"name_column": long[0], "value_column": long[1]})
    clock = find_clock(frame, layout, preamble=above, site_zone=timezone, choices=chosen)
    clock_columns = [*clock.time_columns, *clock.end_columns]
    numeric = [layout.value_column or "value"] if layout.name_column else []
    for name in (
        [] if layout.name_column else [name for name in layout.names if name not in clock_columns]
    ):
        cells = frame[name].drop_nulls().head(500)
        if cells.len() and cells.str.contains(FIGURES).sum() >= 0.5 * cells.len():
            numeric.append(name)
    comma, question = find_decimal_comma(frame, numeric, chosen)
    layout = layout.model_copy(update={"decimal_comma": comma})
    context = ColumnContext(
        layout, above, file_name, clock.step_seconds, clock_columns, units, chosen
    )
    guesses, questions = guess_columns(frame, context)
    measures = {column.measure for column in guesses if column.stored_as not in {"nothing", "soc"}}
    if measures <= {"counter"}:
        # A reading has its time, and no interval whose end could be meant.
        clock.questions = [each for each in clock.questions if each.key != "label"]
        clock.label = "start"
    questions = [*clock.questions, *([question] if question else []), *questions]
    columns = [column.to_contract() for column in guesses if column.stored_as != "nothing"]
    whole = bool(columns) and all(each.likely is not None for each in questions)
    reading = (
        FileReading(
            layout=layout,
            time_columns=clock.time_columns,
            day_order=clock.day_order,
            zone=clock.zone,
            label=clock.label,
            step_seconds=clock.step_seconds,
            columns=columns,
        )
        if columns
        else None
    )
    return FileGuess(
        file_name=file_name,
        layout=layout,
        columns=[column.as_guess() for column in guesses],
        reasons=[*_describe_layout(layout), *clock.reasons],
        questions=questions,
        reading=reading if whole else None,
        preview=None
        if reading is None
        else preview(frame, reading, zone=timezone, whole=sample.whole),
    )


def _describe_layout(layout: FileLayout) -> list[GuessReason]:
    reasons = [
        GuessReason(
            code=f"form_{layout.form}",
            figures={
                "sheet": layout.sheet or "",
                "encoding": layout.encoding,
                "separator": {"\t": "tab"}.get(layout.separator, layout.separator),
            },
        )
    ]
    if layout.form == "text" and layout.skipped_lines > 1:
        reasons.append(
            GuessReason(code="lines_above", figures={"count": str(layout.skipped_lines)})
        )
    if layout.decimal_comma:
        reasons.append(GuessReason(code="decimal_comma"))
    if layout.name_column:
        reasons.append(
            GuessReason(code="one_value_per_row", figures={"column": layout.name_column})
        )
    return reasons


def preview(frame: pl.DataFrame, reading: FileReading, *, zone: str, whole: bool) -> FilePreview:
    """Return what would be stored of a frame's rows: the last days as a picture, the months as
    sums; it is made by what stores them.
    """
    rows = list(translate([frame], reading))
    step = (
        reading.step_seconds
        if is_direct(reading) and reading.step_seconds
        else int(SLOT.total_seconds())
    )
    if not rows:
        return FilePreview(
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
    stored = pl.concat(
        [frame.with_columns(as_text(frame["slot_start"]).alias("slot_start")) for frame in rows],
        how="vertical_relaxed",
    )
    names = [name for name in stored.columns if name not in {"line", "slot_start"}]
    starts = stored["slot_start"]
    instants = starts.str.to_datetime(
        "%Y-%m-%dT%H:%M:%S%.6fZ", time_unit="us", strict=False
    ).dt.replace_time_zone("UTC")
    figures = pl.DataFrame(
        [instants.alias("at"), *(read_figures(stored[name], decimal_comma=False) for name in names)]
    )
    dated = figures.drop_nulls("at").unique("at", keep="first").sort("at")
    if not dated.height:
        return FilePreview(
            whole=whole,
            rows=frame.height,
            first=None,
            last=None,
            start=None,
            step_seconds=step,
            series=[],
            totals=[],
            lost=figures.height,
        )
    preview_step = max(step, int(SLOT.total_seconds()))
    first = dated["at"].min()
    last = dated["at"].max()
    assert isinstance(first, datetime)  # noqa: S101 - there is a row
    assert isinstance(last, datetime)  # noqa: S101
    sums = [pl.col(name).sum() if name.endswith("_kwh") else pl.col(name).mean() for name in names]
    known = [pl.col(name).count().alias(f"known {name}") for name in names]
    slots = (
        dated.group_by(pl.col("at").dt.truncate(f"{preview_step}s")).agg(*sums, *known).sort("at")
    )
    recent = slots.select(
        "at", *(pl.when(pl.col(f"known {name}") > 0).then(name).alias(name) for name in names)
    ).filter(pl.col("at") > pl.col("at").max().dt.offset_by(f"-{PREVIEW_DAYS}d"))
    grid = recent.select(
        pl.datetime_range(
            pl.col("at").min(),
            pl.col("at").max(),
            f"{preview_step}s",
            time_zone="UTC",
            time_unit="us",
        ).alias("at")
    )
    picture = grid.join(recent, on="at", how="left", maintain_order="left")
    month = (
        pl.col("at").dt.convert_time_zone(parse_zone(zone).key).dt.strftime("%Y-%m").alias("month")
    )
    months = dated.group_by(month).agg(*sums, *known).sort("month").tail(MOST_MONTHS)
    return FilePreview(
        whole=whole,
        rows=frame.height,
        first=first,
        last=last,
        start=picture["at"][0],
        step_seconds=preview_step,
        series=[PreviewSeries(name=name, values=picture[name].to_list()) for name in names],
        totals=[
            PreviewTotal(month=row["month"], name=name, value=row[name])
            for row in months.iter_rows(named=True)
            for name in names
            if row[f"known {name}"]
        ],
        lost=figures.height - figures.drop_nulls("at").height,
    )
