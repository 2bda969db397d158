"""The rows of a file by how it is read, as rows of Luna's columns in Luna's units."""

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
import polars as pl

from luna.contracts.file_guess import FileLayout, FileReading, ReadColumn
from luna.energy.timeline import parse_zone
from services.ingest.file_guess.cells import join_times, read_figures, write_iso
from services.ingest.file_guess.gather import GatheredSeries
from services.ingest.file_guess.sources import read_frames
from services.ingest.instants import InstantReader
from services.ingest.limited_file import FileLimits

HOUR_SECONDS = 3600
# What one of a unit is in Luna's.
FACTORS = {"wh": 1e-3, "kwh": 1.0, "mwh": 1e3, "w": 1e-3, "kw": 1.0, "mw": 1e3, "%": 0.01}
CENTS = frozenset({"ct", "p", "öre", "cent", "rp"})
FLOWS = {"grid": ("import_kwh", "export_kwh"), "battery": ("charge_kwh", "discharge_kwh")}
SIGNIFICANT = 12
# What lies outside was written by a clock that was never set.
YEARS = (1980, 2199)


class ColumnPart(NamedTuple):
    """What of a column goes into a series: all of it, or what lies on one side of zero."""

    series: str
    column: ReadColumn
    side: int = 0
    turned: bool = False

    def take(self, values: pl.Series) -> pl.Series:
        """Return what of the column's values is its own."""
        return (values * self.side).clip(lower_bound=0.0) if self.side else -values if self.turned else values


def factor_of(unit: str) -> float:
    """Return what one of a unit is in Luna's: kWh, kW, a share, currency per kWh."""
    unit = unit.casefold()
    if "/" not in unit:
        return FACTORS.get(unit, 1.0)
    money, energy = unit.split("/", 1)
    return (0.01 if money in CENTS else 1.0) * (0.001 if energy == "mwh" else 1.0)


def list_parts(reading: FileReading) -> list[ColumnPart]:
    """Return what goes where."""
    parts = []
    for column in reading.columns:
        if column.stored_as in FLOWS:
            forth, back = FLOWS[column.stored_as]
            sign = -1 if column.turned else 1
            parts += [ColumnPart(forth, column, sign), ColumnPart(back, column, -sign)]
        elif column.stored_as not in {"nothing", "time"}:
            parts.append(ColumnPart(column.stored_as, column, turned=column.turned))
    return parts


def is_direct(reading: FileReading) -> bool:
    """Return whether each row of the file is a slot, so that it can be stored as it is."""
    regular = reading.step_seconds is not None and reading.step_seconds % 60 == 0 and HOUR_SECONDS % reading.step_seconds == 0
    return regular and reading.layout.name_column is None and all(part.column.measure != "counter" for part in list_parts(reading))


def read_rows(path: Path, reading: FileReading, limits: FileLimits, *, progress: Callable[[int], None] | None = None) -> Iterator[pl.DataFrame]:
    """Yield the rows of a file with ``line``, ``slot_start`` and Luna's series.

    Args:
        path: where it lies.
        reading: how it is read.
        limits: how much it may hold.
        progress: called with the rows of the file read so far.

    Raises:
        InvalidInputError: the file is not as its layout says, or holds more than the limits let it.
    """
    yield from translate(_count(read_frames(path, reading.layout, limits), progress), reading)


def _count(frames: Iterable[pl.DataFrame], progress: Callable[[int], None] | None) -> Iterator[pl.DataFrame]:
    rows = 0
    for frame in frames:
        rows += frame.height
        if progress:
            progress(rows)
        yield frame


def translate(frames: Iterable[pl.DataFrame], reading: FileReading) -> Iterator[pl.DataFrame]:
    """Yield rows of cells as rows of Luna's columns: each row a slot, or, of counters and of other rhythms, quarter-hours once all are read.

    Invariants: a row whose time cannot be read comes out as it was written.
    """
    clock = InstantReader(parse_zone(reading.zone))
    if is_direct(reading):
        step, parts = reading.step_seconds or HOUR_SECONDS, list_parts(reading)
        for frame in frames:
            rows = drop_blank(frame)
            if not rows.height:
                continue
            instants, written = read_instants(rows, reading, clock)
            starts = instants.dt.offset_by(f"-{step}s") if reading.label == "end" else instants
            series: dict[str, list[pl.Series]] = {}
            for part in parts:
                cells = rows[part.column.name]
                values = part.take(read_values(cells, part.column, reading.layout))
                if part.column.measure == "power":
                    values = (values * (step / HOUR_SECONDS)).round_sig_figs(SIGNIFICANT)
                if (values.is_null() & cells.is_not_null()).any():
                    # Cells that are no numbers stay as text: who judges rows says what is wrong with them.
                    values = pl.select(pl.coalesce(values.cast(pl.String), cells)).to_series()
                series.setdefault(part.series, []).append(values)
            # A time that could not be read stays as it was written: so it is refused with it.
            slot_start = pl.select(pl.coalesce(starts.dt.to_string("%Y-%m-%dT%H:%M:%S%.6fZ"), written).alias("slot_start")).to_series()
            yield pl.DataFrame([rows["line"], slot_start, *(_add_up(each).alias(name) for name, each in series.items())])
        return
    yield from _gather(frames, reading, clock)


def drop_blank(frame: pl.DataFrame) -> pl.DataFrame:
    """Return the rows in which anything stands."""
    return frame.filter(pl.any_horizontal(pl.exclude("line").is_not_null() & (pl.exclude("line") != "")))


def read_instants(frame: pl.DataFrame, reading: FileReading, clock: InstantReader) -> tuple[pl.Series, pl.Series]:
    """Return the instants of rows, null where there is none, and what was written, with its clock: so nobody reads it by another one."""
    written = write_iso(join_times(frame, reading.time_columns), reading.day_order)
    belongs = frame[reading.layout.name_column] if reading.layout.name_column else None
    instants = clock.read(written, series=belongs)["instant"]
    possible = pl.select(pl.when(instants.dt.year().is_between(*YEARS)).then(instants)).to_series()
    return possible, written + f" ({reading.zone})"


def read_values(cells: pl.Series, column: ReadColumn, layout: FileLayout) -> pl.Series:
    """Return the cells of a column as numbers in Luna's unit."""
    figures = read_figures(cells, decimal_comma=layout.decimal_comma)
    factor = factor_of(column.unit)
    return figures if factor == 1.0 else (figures * factor).round_sig_figs(SIGNIFICANT)


def _add_up(parts: list[pl.Series]) -> pl.Series:
    """Return the sum of parts, of which one that says nothing counts as zero: of two tariffs only one runs."""
    if len(parts) == 1:
        return parts[0]
    figures = pl.DataFrame([part.cast(pl.Float64, strict=False).alias(str(place)) for place, part in enumerate(parts)])
    nothing = pl.all_horizontal(pl.all().is_null())
    return figures.select(pl.when(~nothing).then(pl.sum_horizontal(pl.all()))).to_series()


def _gather(frames: Iterable[pl.DataFrame], reading: FileReading, clock: InstantReader) -> Iterator[pl.DataFrame]:
    parts = list_parts(reading)
    gathering = [GatheredSeries(part.column.measure, reading.step_seconds) for part in parts]
    step = (reading.step_seconds or 0) if reading.label == "end" else 0
    for frame in frames:
        rows = drop_blank(frame)
        if not rows.height:
            continue
        instants, written = read_instants(rows, reading, clock)
        if instants.has_nulls():
            # Rows with their cells as text under the series that they belong to.
            columns = {part.series: rows[reading.layout.value_column or part.column.name].cast(pl.String).alias(part.series) for part in parts}
            yield pl.DataFrame([rows["line"], written.alias("slot_start"), *columns.values()]).filter(instants.is_null())
        seconds = (instants.dt.epoch("us").cast(pl.Float64) / 1e6).fill_null(np.nan).to_numpy()
        for part, slots in zip(parts, gathering, strict=True):
            there = np.isfinite(seconds)
            if reading.layout.name_column:
                there &= (rows[reading.layout.name_column] == part.column.name).fill_null(value=False).to_numpy()
            cells = rows[reading.layout.value_column or part.column.name].filter(pl.Series(there))
            values = part.take(read_values(cells, part.column, reading.layout)).fill_null(np.nan).to_numpy()
            # A counter is read at its time, whatever an interval's time may be.
            slots.add(seconds[there] - (step if slots.measure in {"power", "interval"} else 0), values)
    series = [slots.close() for slots in gathering]
    filled = [starts for starts, _ in series if starts.size]
    if not filled:
        return
    slot = int(filled[0][1] - filled[0][0]) if filled[0].size > 1 else 900
    first, end = min(int(starts[0]) for starts in filled), max(int(starts[-1]) for starts in filled) + slot
    grid = np.arange(first, end, slot)
    joined: dict[str, np.ndarray] = {}
    for part, (starts, figures) in zip(parts, series, strict=True):
        whole = np.full(grid.size, np.nan)
        if starts.size:
            place = (int(starts[0]) - first) // slot
            whole[place : place + figures.size] = figures
        joined[part.series] = joined[part.series] + whole if part.series in joined else whole
    slot_starts = pl.Series("slot_start", grid * 1_000_000, dtype=pl.Int64).cast(pl.Datetime("us")).dt.replace_time_zone("UTC")
    rows = pl.DataFrame({name: pl.Series(np.round(figures, 9), nan_to_null=True) for name, figures in joined.items()}).with_columns(slot_starts)
    known = rows.filter(pl.any_horizontal(pl.exclude("slot_start").is_not_null()))
    if known.height:
        yield known.with_row_index("line", offset=1).select("line", "slot_start", *joined)
