"""A file as Luna would read it, from its first and last rows: what its columns are, why, what only its owner knows, and what would be stored."""

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path

import polars as pl

from luna.contracts.file_guess import FileGuess, FileLayout, FilePreview, FileReading, GuessReason, PreviewSeries, PreviewTotal
from luna.energy.refusals import refuse
from luna.energy.timeline import SLOT, parse_zone
from services.ingest.file_guess.cells import read_figures
from services.ingest.file_guess.clocks import find_clock
from services.ingest.file_guess.columns import ColumnContext, find_decimal_comma, find_names, guess_columns
from services.ingest.file_guess.layout import find_layout, read_preamble
from services.ingest.file_guess.sources import read_sample, read_states, sample_frame
from services.ingest.file_guess.translate import drop_blank, is_direct, translate
from services.ingest.file_guess.words import read_unit
from services.ingest.instants import as_text
from services.ingest.limited_file import FileLimits

PREVIEW_DAYS = 7
MOST_MONTHS = 36
FIGURES = r"^[+-]?[\d\s.,'’\u00a0]*\d\s*(kWh|Wh|kW|W|%|€)?$"


def guess_file(path: Path, *, file_name: str, timezone: str, choices: Mapping[str, str] | None = None, limits: FileLimits | None = None) -> FileGuess:
    """Return what a file seems to be, and what would be stored of it.

    Args:
        path: where it lies.
        file_name: what its owner calls it; it may say what the file is about.
        timezone: of the site.
        choices: what a person chose, by the keys of the questions; also ``column:NAME``, ``measure:NAME``.
        limits: how much it may hold.

    Raises:
        InvalidInputError: it is no file of times and figures; says what it is instead.
    """
    limits, chosen = limits or FileLimits(), dict(choices or {})
    sample = read_sample(path, limits)
    layout = find_layout(sample, field=file_name)
    above, frame = read_preamble(sample, layout), drop_blank(sample_frame(sample, layout))
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
    for name in [] if layout.name_column else [name for name in layout.names if name not in clock_columns]:
        cells = frame[name].drop_nulls().head(500)
        if cells.len() and cells.str.contains(FIGURES).sum() >= 0.5 * cells.len():
            numeric.append(name)
    comma, question = find_decimal_comma(frame, numeric, chosen)
    layout = layout.model_copy(update={"decimal_comma": comma})
    context = ColumnContext(layout, above, file_name, clock.step_seconds, clock_columns, units, chosen)
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
        preview=None if reading is None else preview(frame, reading, zone=timezone, whole=sample.whole),
    )


def _describe_layout(layout: FileLayout) -> list[GuessReason]:
    reasons = [
        GuessReason(
            code=f"form_{layout.form}",
            figures={"sheet": layout.sheet or "", "encoding": layout.encoding, "separator": {"\t": "tab"}.get(layout.separator, layout.separator)},
        )
    ]
    if layout.form == "text" and layout.skipped_lines > 1:
        reasons.append(GuessReason(code="lines_above", figures={"count": str(layout.skipped_lines)}))
    if layout.decimal_comma:
        reasons.append(GuessReason(code="decimal_comma"))
    if layout.name_column:
        reasons.append(GuessReason(code="one_value_per_row", figures={"column": layout.name_column}))
    return reasons


def preview(frame: pl.DataFrame, reading: FileReading, *, zone: str, whole: bool) -> FilePreview:
    """Return what would be stored of a frame's rows: the last days as a picture, the months as sums; it is made by what stores them."""
    rows = list(translate([frame], reading))
    step = reading.step_seconds if is_direct(reading) and reading.step_seconds else int(SLOT.total_seconds())
    if not rows:
        return FilePreview(whole=whole, rows=frame.height, first=None, last=None, start=None, step_seconds=step, series=[], totals=[], lost=frame.height)
    stored = pl.concat([frame.with_columns(as_text(frame["slot_start"]).alias("slot_start")) for frame in rows], how="vertical_relaxed")
    names = [name for name in stored.columns if name not in {"line", "slot_start"}]
    starts = stored["slot_start"]
    instants = starts.str.to_datetime("%Y-%m-%dT%H:%M:%S%.6fZ", time_unit="us", strict=False).dt.replace_time_zone("UTC")
    figures = pl.DataFrame([instants.alias("at"), *(read_figures(stored[name], decimal_comma=False) for name in names)])
    dated = figures.drop_nulls("at").unique("at", keep="first").sort("at")
    if not dated.height:
        return FilePreview(whole=whole, rows=frame.height, first=None, last=None, start=None, step_seconds=step, series=[], totals=[], lost=figures.height)
    preview_step = max(step, int(SLOT.total_seconds()))
    first, last = dated["at"].min(), dated["at"].max()
    assert isinstance(first, datetime)  # noqa: S101 - there is a row
    assert isinstance(last, datetime)  # noqa: S101
    sums = [pl.col(name).sum() if name.endswith("_kwh") else pl.col(name).mean() for name in names]
    known = [pl.col(name).count().alias(f"known {name}") for name in names]
    slots = dated.group_by(pl.col("at").dt.truncate(f"{preview_step}s")).agg(*sums, *known).sort("at")
    recent = slots.select("at", *(pl.when(pl.col(f"known {name}") > 0).then(name).alias(name) for name in names)).filter(
        pl.col("at") > pl.col("at").max().dt.offset_by(f"-{PREVIEW_DAYS}d")
    )
    grid = recent.select(pl.datetime_range(pl.col("at").min(), pl.col("at").max(), f"{preview_step}s", time_zone="UTC", time_unit="us").alias("at"))
    picture = grid.join(recent, on="at", how="left", maintain_order="left")
    month = pl.col("at").dt.convert_time_zone(parse_zone(zone).key).dt.strftime("%Y-%m").alias("month")
    months = dated.group_by(month).agg(*sums, *known).sort("month").tail(MOST_MONTHS)
    return FilePreview(
        whole=whole,
        rows=frame.height,
        first=first,
        last=last,
        start=picture["at"][0],
        step_seconds=preview_step,
        series=[PreviewSeries(name=name, values=picture[name].to_list()) for name in names],
        totals=[PreviewTotal(month=row["month"], name=name, value=row[name]) for row in months.iter_rows(named=True) for name in names if row[f"known {name}"]],
        lost=figures.height - figures.drop_nulls("at").height,
    )
