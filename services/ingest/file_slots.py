"""Conversion of accepted rows into quarter-hours; pure.

Duplicates, slot grid, physical limits and resampling.
"""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from luna.energy.observations import SERIES
from luna.energy.plausibility import USUAL_POWER_KW
from luna.energy.resolution import JOIN, SPLIT, kind_of
from luna.energy.row_fault import RowFault
from luna.energy.timeline import SLOT
from services.ingest.plausible_powers import ANY_POWER_KW
from services.ingest.validation import refuse_values

MINUTE = timedelta(minutes=1)


def set_aside_repeats(
    rows: pl.DataFrame, keys: Sequence[str], values: Sequence[str]
) -> tuple[pl.DataFrame, int, pl.DataFrame]:
    """Return the first row of each key, the number of repeats, and contradicting rows.

    The first rows are sorted; only identical repeats are counted; contradicting rows have
    ``fault``.
    """
    # Complete rows come first: they are preferred over those that lost a value.
    whole_first = [pl.col("doubt").is_not_null()] if "doubt" in rows.columns else []
    rows = rows.sort([*keys, *whole_first, "line"])
    if not rows.select(keys).is_duplicated().any():
        return rows, 0, rows.clear().with_columns(pl.lit("").alias("fault"))
    first_line = pl.col("line").first().over(keys)
    same = pl.all_horizontal(
        pl.col(name).eq_missing(pl.col(name).first().over(keys)) for name in values
    )
    marked = rows.with_columns(first_line.alias("first_line"), same.alias("same"))
    repeats = marked.filter(pl.col("line") != pl.col("first_line"))
    line = pl.struct(pl.col("first_line").alias("line"))
    contradiction = pl.struct(
        pl.lit("contradicts_line").alias("code"), line.alias("parameters")
    ).struct.json_encode()
    # A row that lost a value keeps that fault: the missing value is no contradiction.
    fault = pl.coalesce("doubt", contradiction) if "doubt" in rows.columns else contradiction
    contradicting = repeats.filter(~pl.col("same")).with_columns(fault.alias("fault"))
    return (
        rows.filter(marked["line"] == marked["first_line"]),
        int(repeats["same"].sum()),
        contradicting.drop("first_line", "same"),
    )


def set_aside_off_grid(rows: pl.DataFrame, step: timedelta) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return rows on the grid of ``step``, and the others with ``fault``.

    The grid of slots longer than a quarter-hour may start at any quarter-hour, the same all day: in
    some time zones local hours start at half past.
    """
    epoch = pl.col("instant").dt.epoch("us")
    phase = epoch % _microseconds(step)
    usual_phase = pl.lit(0)
    if step > SLOT:
        day = pl.col("instant").dt.date()
        usual_phase = phase.mode().min().over(day)
    is_aligned = epoch % _microseconds(_common_part(step)) == 0
    on_grid = rows.select(is_aligned & (phase == usual_phase)).to_series()
    fault = pl.lit(RowFault.of("off_grid", minutes=step // MINUTE).text)
    off_grid = rows.filter(~on_grid).with_columns(fault.alias("fault"))
    return rows.filter(on_grid), off_grid


def set_aside_impossible(
    rows: pl.DataFrame, limits_kw: Mapping[str, float], step: timedelta
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return rows without values beyond the site's limits, and rows without any value left.

    The former are marked by ``refuse_values``, the latter have ``fault``.
    """
    hours = step / timedelta(hours=1)
    checks = []
    for name, limit_kw in limits_kw.items():
        if name in rows.columns:
            limit_kwh = limit_kw * hours
            fault = RowFault.of(
                "above_site", series=name, limit=round(limit_kwh, 6), minutes=step // MINUTE
            )
            is_above = pl.when(pl.col(name) > limit_kwh)
            check = is_above.then(pl.lit(fault.text)).otherwise(pl.lit(None, pl.String))
            checks.append(check.alias(name))
    if not checks:
        return rows, rows.clear().with_columns(pl.lit("").alias("fault"))
    faults = rows.select(checks)
    plausible = []
    for name in SERIES:
        if name in rows.columns:
            has_value = pl.col(name).is_not_null()
            if name in faults.columns:
                has_value = has_value & faults[name].is_null()
            plausible.append(has_value)
    first_fault = faults.select(pl.coalesce(pl.all()).alias("fault")).to_series()
    judged = rows.with_columns(first_fault)
    has_fault = pl.col("fault").is_not_null()
    is_refused = judged.select(has_fault & ~pl.any_horizontal(plausible)).to_series()
    remaining = rows.filter(~is_refused)
    remaining = refuse_values(remaining, faults.filter(~is_refused), written=remaining)
    return remaining, judged.filter(is_refused)


def find_unusual(
    rows: pl.DataFrame, limits_kw: Mapping[str, float], step: timedelta
) -> tuple[str, float] | None:
    """Return a series with unusually large values, and the median of its positive ones, kWh.

    Only series without a limit of the site count. Unusual is a median above the usual power of
    small sites.
    """
    hours = step / timedelta(hours=1)
    for name, limit_kw in limits_kw.items():
        if name not in rows.columns or limit_kw < ANY_POWER_KW:
            continue
        median_kwh = rows.filter(pl.col(name) > 0)[name].median()
        if isinstance(median_kwh, float) and median_kwh > USUAL_POWER_KW * hours:
            return name, median_kwh
    return None


def to_quarter_hours(
    rows: pl.DataFrame, step: timedelta, *, keys: Sequence[str], values: Sequence[str]
) -> pl.DataFrame:
    """Resample slots of ``step`` to quarter-hours.

    Energies keep their sum, prices their value, a state of charge is at the end of its slot. A
    quarter-hour with a missing part is unknown; one without any value is left out.

    Args:
        rows: ``instant``, ``keys`` and ``values``; each instant and key once, on the grid.
    """
    if step == SLOT:
        return rows.select("instant", *keys, *values)
    part = _common_part(step)
    rows = rows.sort([*keys, "instant"])
    parts_per_row = step // part
    starts = pl.col("instant") + pl.Series(np.tile(np.arange(parts_per_row), rows.height)) * part
    split = []
    for name in values:
        split_values = SPLIT[kind_of(name)](_floats(rows[name]), parts_per_row)
        split.append(_series(name, split_values))
    repeated_rows = pl.Series(np.arange(rows.height).repeat(parts_per_row))
    slots = rows.select("instant", *keys)[repeated_rows].with_columns(starts, *split)
    if part < SLOT:
        slots = _join_parts(slots, part, keys=keys, values=values)
    return slots.filter(pl.any_horizontal(pl.col(name).is_not_null() for name in values))


def _join_parts(
    parts: pl.DataFrame, part: timedelta, *, keys: Sequence[str], values: Sequence[str]
) -> pl.DataFrame:
    """Return the quarter-hours of sorted parts shorter than these; missing parts count as NaN."""
    parts_per_slot = SLOT // part
    slot = pl.col("instant").dt.truncate("15m")
    place = (pl.col("instant").dt.epoch("us") % _microseconds(SLOT)) // _microseconds(part)
    marked = parts.with_columns(slot.alias("slot"), place.alias("place"))
    marked = marked.with_columns(pl.struct("slot", *keys).rle_id().alias("row"))
    row = marked["row"].to_numpy().astype(np.int64)
    cells = row * parts_per_slot + marked["place"].to_numpy().astype(np.int64)
    firsts = marked.unique("row", keep="first", maintain_order=True)
    joined = []
    for name in values:
        padded = np.full(firsts.height * parts_per_slot, np.nan)
        padded[cells] = _floats(parts[name])
        joined.append(_series(name, JOIN[kind_of(name)](padded, parts_per_slot)))
    return firsts.select(pl.col("slot").alias("instant"), *keys).with_columns(joined)


def _common_part(step: timedelta) -> timedelta:
    return int(np.gcd(step // MINUTE, SLOT // MINUTE)) * MINUTE


def _microseconds(duration: timedelta) -> int:
    return duration // timedelta(microseconds=1)


def _floats(column: pl.Series) -> NDArray[np.float64]:
    return column.cast(pl.Float64).fill_null(np.nan).to_numpy()


def _series(name: str, values: NDArray[Any]) -> pl.Series:
    return pl.Series(name, values, nan_to_null=True)
