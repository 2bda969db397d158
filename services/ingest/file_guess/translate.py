"""The rows of a file in Luna's columns and units, each a slot or gathered into quarter-hours.

Counter readings and powers of any rhythm are gathered batch by batch: each value holds until the
next, a counter rises evenly.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import NamedTuple

import numpy as np
import polars as pl
from numpy.typing import NDArray

from luna.contracts.file_guess import FileLayout, FileReading, Measure, ReadColumn
from luna.energy.refusals import refuse
from luna.energy.timeline import SLOT, SLOT_SECONDS, FloatArray, parse_zone
from services.ingest.file_guess.cells import join_times, read_figures, write_iso
from services.ingest.file_guess.sources import read_frames
from services.ingest.instants import InstantReader
from services.ingest.limited_file import FileLimits

# So much of a quarter-hour must be known; the rest is the error of a clock.
LEAST_COVERAGE = 0.98
# Sources that send changes only may be silent all night.
LONGEST_HOLD = timedelta(hours=12)
MOST_SLOTS = 3_000_000
# A counter that falls by less did not begin again: it was rounded, or its device wavered.
RESET_SHARE = 0.5


@dataclass
class GatheredSeries:
    """One series of a file, gathered into quarter-hours.

    Args:
        measure: counter (kWh), power (kW), interval (kWh per ``step_seconds``) or level.
        step_seconds: between its rows; None: they come when something changes.
    """

    measure: Measure
    step_seconds: float | None
    _first_slot: int = 0
    _energy: FloatArray = field(default_factory=lambda: np.zeros(0))
    _covered: FloatArray = field(default_factory=lambda: np.zeros(0))
    _at: FloatArray = field(default_factory=lambda: np.zeros(0))
    _ends: list[tuple[float, float]] = field(default_factory=list)

    @property
    def hold_seconds(self) -> float:
        """Longest time for which a value holds, or a counter counts as rising evenly."""
        if self.step_seconds is None:
            return LONGEST_HOLD.total_seconds()
        is_fine = self.step_seconds < SLOT_SECONDS / 3
        return max(1.5 * self.step_seconds, SLOT_SECONDS if is_fine else 0.0)

    def add(self, seconds: FloatArray, values: FloatArray) -> None:
        """Add rows in any order.

        Args:
            seconds: instants since 1970.
            values: NaN where unknown.
        """
        # A counter and a level continue over unknown values, a power and an interval do not.
        continues = self.measure in {"counter", "level"}
        known = np.isfinite(values) if continues else np.isfinite(seconds)
        order = np.argsort(seconds[known], kind="stable")
        seconds = seconds[known][order]
        values = values[known][order]
        if not seconds.size:
            return
        seconds, values = self._join_batches(seconds, values)
        if self.measure == "level":
            self._add_levels(seconds, values)
        else:
            self._add_energies(seconds, values)

    def _join_batches(
        self, seconds: FloatArray, values: FloatArray
    ) -> tuple[FloatArray, FloatArray]:
        """Return a batch together with the neighbouring row of the batches before."""
        begin = (seconds[0], values[0])
        end = (seconds[-1], values[-1])
        if self._ends:
            first, last = self._ends
            if seconds[0] >= last[0]:
                seconds = np.concatenate(([last[0]], seconds))
                values = np.concatenate(([last[1]], values))
                begin = first
            elif seconds[-1] <= first[0]:
                seconds = np.concatenate((seconds, [first[0]]))
                values = np.concatenate((values, [first[1]]))
                end = last
            else:
                begin = min(begin, first)
                end = max(end, last)
        self._ends = [begin, end]
        return seconds, values

    def _add_levels(self, seconds: FloatArray, values: FloatArray) -> None:
        # The state at the end of a slot is the last one until then.
        slots = np.ceil(seconds / SLOT_SECONDS).astype(np.int64) - 1
        self._grow(int(slots[0]), int(slots[-1]) + 1)
        places = slots - self._first_slot
        newer = seconds >= self._at[places]
        self._energy[places[newer]] = values[newer]
        self._covered[places[newer]] = SLOT_SECONDS
        self._at[places[newer]] = seconds[newer]

    def _add_energies(self, seconds: FloatArray, values: FloatArray) -> None:
        distances = np.diff(seconds)
        longest = self.hold_seconds
        if self.measure == "interval":
            longest = self.step_seconds or np.inf
        whole = distances <= longest
        if self.measure == "counter":
            rise = np.diff(values)
            is_reset = values[1:] < RESET_SHARE * values[:-1]
            counted = np.where(rise >= 0, rise, np.where(is_reset, values[1:], 0.0))
            lengths = np.where(whole, distances, 0.0)
            energy = np.where(whole, counted, 0.0)
        else:
            lengths = np.where(whole, distances, self.step_seconds or 0.0)
            energy = self._kw(values[:-1]) * lengths / 3600
        self._spread(seconds[:-1], lengths, energy)

    def _kw(self, values: FloatArray) -> FloatArray:
        if self.measure == "power":
            return values
        return values * (3600 / (self.step_seconds or SLOT_SECONDS))

    def _spread(self, begins: FloatArray, lengths: FloatArray, energy: FloatArray) -> None:
        """Add energies to the slots that their intervals cover."""
        valid = np.isfinite(energy) & (lengths > 0)
        begins = begins[valid]
        lengths = lengths[valid]
        energy = energy[valid]
        if not begins.size:
            return
        ends = begins + lengths
        first = int(begins[0] // SLOT_SECONDS)
        last = int(-(-ends[-1] // SLOT_SECONDS))
        self._grow(first, last)
        slots = slice(first - self._first_slot, last - self._first_slot)
        edges = np.arange(first, last + 1) * SLOT_SECONDS
        points = np.column_stack((begins, ends)).ravel()
        for total, part in ((self._energy, energy), (self._covered, lengths)):
            so_far = np.concatenate(([0.0], np.cumsum(part)))
            at_points = np.column_stack((so_far[:-1], so_far[1:])).ravel()
            total[slots] += np.diff(np.interp(edges, points, at_points))

    def _grow(self, first: int, last: int) -> None:
        if not self._energy.size:
            self._first_slot = first
        low = min(first, self._first_slot)
        high = max(last, self._first_slot + self._energy.size)
        if high - low > MOST_SLOTS:
            raise refuse("times-too-far-apart", field="time")
        before = self._first_slot - low
        after = high - self._first_slot - self._energy.size
        if before or after:
            self._energy = np.pad(self._energy, (before, after))
            self._covered = np.pad(self._covered, (before, after))
            self._at = np.pad(self._at, (before, after))
            self._first_slot = low

    def close(self) -> tuple[NDArray[np.int64], FloatArray]:
        """Return the starts (seconds since 1970) and values of all slots, NaN where unknown."""
        if self._ends and self.step_seconds and self.measure in {"power", "interval"}:
            at, value = self._ends[1]
            energy = self._kw(np.array([value])) * self.step_seconds / 3600
            self._spread(np.array([at]), np.array([self.step_seconds]), energy)
        values = np.where(self._covered >= LEAST_COVERAGE * SLOT_SECONDS, self._energy, np.nan)
        if self.measure == "level" and self.step_seconds is None and values.size:
            values = _hold_levels(values)
        return (self._first_slot + np.arange(values.size)) * SLOT_SECONDS, values


def _hold_levels(values: FloatArray) -> FloatArray:
    """Return levels that hold until the next, for a limited time."""
    most = int(LONGEST_HOLD / SLOT)
    places = np.where(np.isfinite(values), np.arange(values.size), -1)
    last = np.maximum.accumulate(places)
    is_held = (last >= 0) & (np.arange(values.size) - last <= most)
    return np.where(is_held, values[np.maximum(last, 0)], np.nan)


HOUR_SECONDS = 3600
# Luna's units per unit of a file.
FACTORS = {"wh": 1e-3, "kwh": 1.0, "mwh": 1e3, "w": 1e-3, "kw": 1.0, "mw": 1e3, "%": 0.01}
CENTS = frozenset({"ct", "p", "öre", "cent", "rp"})
FLOWS = {"grid": ("import_kwh", "export_kwh"), "battery": ("charge_kwh", "discharge_kwh")}
SIGNIFICANT = 12
# Other years come from a clock that was never set.
YEARS = (1980, 2199)


class ColumnPart(NamedTuple):
    """A column's part in a series: all of it, or one side of zero."""

    series: str
    column: ReadColumn
    side: int = 0
    turned: bool = False

    def take(self, values: pl.Series) -> pl.Series:
        """Return the part of the column's values."""
        if self.side:
            return (values * self.side).clip(lower_bound=0.0)
        return -values if self.turned else values


def factor_of(unit: str) -> float:
    """Return the factor from a unit to Luna's: kWh, kW, a share, currency per kWh."""
    unit = unit.casefold()
    if "/" not in unit:
        return FACTORS.get(unit, 1.0)
    money, energy = unit.split("/", 1)
    return (0.01 if money in CENTS else 1.0) * (0.001 if energy == "mwh" else 1.0)


def list_parts(reading: FileReading) -> list[ColumnPart]:
    """Return the parts of a file's columns, with the series that each goes into."""
    parts = []
    for column in reading.columns:
        if column.stored_as in FLOWS:
            positive, negative = FLOWS[column.stored_as]
            sign = -1 if column.turned else 1
            parts += [ColumnPart(positive, column, sign), ColumnPart(negative, column, -sign)]
        elif column.stored_as not in {"nothing", "time"}:
            parts.append(ColumnPart(column.stored_as, column, turned=column.turned))
    return parts


def is_direct(reading: FileReading) -> bool:
    """Return whether each row is a slot, so that the file can be stored as it is."""
    step = reading.step_seconds
    if step is None or step % 60 or HOUR_SECONDS % step:
        return False
    if reading.layout.name_column is not None:
        return False
    return all(part.column.measure != "counter" for part in list_parts(reading))


def read_rows(
    path: Path,
    reading: FileReading,
    limits: FileLimits,
    *,
    progress: Callable[[int], None] | None = None,
) -> Iterator[pl.DataFrame]:
    """Yield the rows of a file with ``line``, ``slot_start`` and Luna's series.

    Args:
        path: where it lies.
        reading: how it is read.
        limits: how much it may hold.
        progress: called with the rows of the file read so far.

    Raises:
        InvalidInputError: the file is not as its layout says, or exceeds the limits.
    """
    yield from translate(_count(read_frames(path, reading.layout, limits), progress), reading)


def _count(
    frames: Iterable[pl.DataFrame], progress: Callable[[int], None] | None
) -> Iterator[pl.DataFrame]:
    rows = 0
    for frame in frames:
        rows += frame.height
        if progress:
            progress(rows)
        yield frame


def translate(frames: Iterable[pl.DataFrame], reading: FileReading) -> Iterator[pl.DataFrame]:
    """Yield rows of cells as rows of Luna's columns.

    Each row is a slot; counters and other rhythms give quarter-hours once all rows are read.

    Invariants: a row whose time cannot be read comes out as it was written.
    """
    clock = InstantReader(parse_zone(reading.zone))
    if not is_direct(reading):
        yield from _gather(frames, reading, clock)
        return
    step = reading.step_seconds or HOUR_SECONDS
    for frame in frames:
        rows = drop_blank(frame)
        if not rows.height:
            continue
        instants, written = read_instants(rows, reading, clock)
        starts = instants.dt.offset_by(f"-{step}s") if reading.label == "end" else instants
        # A time that could not be read stays as it was written, to be rejected with it.
        texts = starts.dt.to_string("%Y-%m-%dT%H:%M:%S%.6fZ")
        slot_start = pl.select(pl.coalesce(texts, written).alias("slot_start")).to_series()
        columns = []
        for name, parts in _read_series(rows, reading, step).items():
            columns.append(_add_parts(parts).alias(name))
        yield pl.DataFrame([rows["line"], slot_start, *columns])


def _read_series(
    rows: pl.DataFrame, reading: FileReading, step_seconds: int
) -> dict[str, list[pl.Series]]:
    """Return the values of the parts of each series; cells that are no numbers stay as text."""
    series: dict[str, list[pl.Series]] = {}
    for part in list_parts(reading):
        cells = rows[part.column.name]
        values = part.take(read_values(cells, part.column, reading.layout))
        if part.column.measure == "power":
            values = (values * (step_seconds / HOUR_SECONDS)).round_sig_figs(SIGNIFICANT)
        if (values.is_null() & cells.is_not_null()).any():
            # The check of the rows names what is wrong with them.
            values = pl.select(pl.coalesce(values.cast(pl.String), cells)).to_series()
        series.setdefault(part.series, []).append(values)
    return series


def _add_parts(parts: list[pl.Series]) -> pl.Series:
    """Return the sum of a series' parts; a missing one counts as zero beside others.

    Of two tariffs only one runs at a time.
    """
    if len(parts) == 1:
        return parts[0]
    columns = []
    for place, values in enumerate(parts):
        columns.append(values.cast(pl.Float64, strict=False).alias(str(place)))
    is_empty = pl.all_horizontal(pl.all().is_null())
    total = pl.when(~is_empty).then(pl.sum_horizontal(pl.all()))
    return pl.DataFrame(columns).select(total).to_series()


def drop_blank(frame: pl.DataFrame) -> pl.DataFrame:
    """Return the rows with any cell that is not empty."""
    cells = pl.exclude("line")
    return frame.filter(pl.any_horizontal(cells.is_not_null() & (cells != "")))


def read_instants(
    frame: pl.DataFrame, reading: FileReading, clock: InstantReader
) -> tuple[pl.Series, pl.Series]:
    """Return the instants of rows, null where unreadable, and their texts with the zone.

    The zone in the text keeps a time from being read in another one.
    """
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


def _gather(
    frames: Iterable[pl.DataFrame], reading: FileReading, clock: InstantReader
) -> Iterator[pl.DataFrame]:
    """Yield the rows with unreadable times, then the quarter-hours of all others."""
    parts = list_parts(reading)
    gathering = [GatheredSeries(part.column.measure, reading.step_seconds) for part in parts]
    step = (reading.step_seconds or 0) if reading.label == "end" else 0
    for frame in frames:
        rows = drop_blank(frame)
        if not rows.height:
            continue
        instants, written = read_instants(rows, reading, clock)
        if instants.has_nulls():
            columns = {}
            for part in parts:
                cells = rows[reading.layout.value_column or part.column.name]
                columns[part.series] = cells.cast(pl.String).alias(part.series)
            unread = [rows["line"], written.alias("slot_start"), *columns.values()]
            yield pl.DataFrame(unread).filter(instants.is_null())
        epochs = instants.dt.epoch("us").cast(pl.Float64) / 1e6
        seconds = epochs.fill_null(np.nan).to_numpy()
        for part, slots in zip(parts, gathering, strict=True):
            chosen = np.isfinite(seconds)
            if reading.layout.name_column:
                is_named = rows[reading.layout.name_column] == part.column.name
                chosen &= is_named.fill_null(value=False).to_numpy()
            cells = rows[reading.layout.value_column or part.column.name].filter(pl.Series(chosen))
            values = part.take(read_values(cells, part.column, reading.layout))
            # A label names the end of an interval, but a counter is read at its time.
            shift = step if slots.measure in {"power", "interval"} else 0
            slots.add(seconds[chosen] - shift, values.fill_null(np.nan).to_numpy())
    yield from _join_gathered(parts, gathering)


def _join_gathered(
    parts: list[ColumnPart], gathering: list[GatheredSeries]
) -> Iterator[pl.DataFrame]:
    """Yield the known slots of all series, with parts of one series added up."""
    series = [slots.close() for slots in gathering]
    filled = [starts for starts, _ in series if starts.size]
    if not filled:
        return
    slot = SLOT_SECONDS
    if filled[0].size > 1:
        slot = int(filled[0][1] - filled[0][0])
    first = min(int(starts[0]) for starts in filled)
    end = max(int(starts[-1]) for starts in filled) + slot
    grid = np.arange(first, end, slot)
    joined: dict[str, np.ndarray] = {}
    for part, (starts, figures) in zip(parts, series, strict=True):
        whole = np.full(grid.size, np.nan)
        if starts.size:
            place = (int(starts[0]) - first) // slot
            whole[place : place + figures.size] = figures
        if part.series in joined:
            whole = joined[part.series] + whole
        joined[part.series] = whole
    columns = {}
    for name, figures in joined.items():
        columns[name] = pl.Series(np.round(figures, 9), nan_to_null=True)
    microseconds = pl.Series("slot_start", grid * 1_000_000, dtype=pl.Int64)
    slot_starts = microseconds.cast(pl.Datetime("us")).dt.replace_time_zone("UTC")
    rows = pl.DataFrame(columns).with_columns(slot_starts)
    known = rows.filter(pl.any_horizontal(pl.exclude("slot_start").is_not_null()))
    if known.height:
        yield known.with_row_index("line", offset=1).select("line", "slot_start", *joined)
