"""Parsing of written times into instants, by UTC offset, else by time zone.

The order of rows decides in the hour repeated at a daylight-saving change.

Also the step of a file, from the distances of its instants.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Literal
from zoneinfo import ZoneInfo

import polars as pl

from luna.energy.refusals import refuse
from luna.energy.row_fault import RowFault
from luna.energy.timeline import SLOT

WRITTEN = (
    r"^\s*(\d{4}-\d{2}-\d{2})[T ](\d{2}:\d{2})(:\d{2})?(\.\d+)?\s*(Z|z|[+-]\d{2}(?::?\d{2})?)?\s*$"
)
# Points mean day first; slashes are ambiguous and not read.
DAY_FIRST = r"^\s*(\d{1,2})\.(\d{1,2})\.(\d{2}|\d{4}),?\s+(\d{1,2})(:\d{2}.*)$"
UNREADABLE = RowFault("no_time")
NAIVE = RowFault("no_offset")
SKIPPED = RowFault("skipped")
CHOICES: tuple[Literal["earliest"], Literal["latest"]] = ("earliest", "latest")
FURTHEST_OFFSET = 14 * 60


class InstantReader:
    """Parses the times of one file, batch by batch; ``met_naive``: whether any had no offset.

    An ambiguous local time is resolved by order: its first occurrence is the earlier instant, in a
    file in descending order the later.
    """

    def __init__(self, zone: ZoneInfo | None) -> None:
        self.zone = zone
        self.met_naive = False
        self._readings: Counter[tuple[object, ...]] = Counter()
        self._backwards: bool | None = None

    def read(self, written: pl.Series, *, series: pl.Series | None = None) -> pl.DataFrame:
        """Return the columns ``instant``, ``fault`` and ``resolved``.

        ``instant`` is in UTC, null if unreadable; ``fault`` is null or a ``RowFault`` as text;
        ``resolved`` marks ambiguous times, resolved by order.

        Args:
            written: ISO 8601 text, text with the day first (01.03.2024 14:00), or typed instants.
            series: key of each row where several series share the file's clock.
        """
        times = _split(as_text(written))
        stated = (
            pl.col("local") - pl.duration(minutes=pl.col("offset_minutes"))
        ).dt.replace_time_zone("UTC")
        times = times.with_columns(
            stated.alias("instant"),
            pl.lit(value=False).alias("resolved"),
            pl.lit(NAIVE.text).alias("without_offset"),
        )
        if self.zone is not None and times["offset_minutes"].has_nulls():
            local = pl.when(pl.col("offset_minutes").is_null() & ~pl.col("misstated")).then("local")
            earlier, later = (
                local.dt.replace_time_zone(
                    self.zone.key, ambiguous=choice, non_existent="null"
                ).dt.convert_time_zone("UTC")
                for choice in CHOICES
            )
            times = times.with_columns(
                pl.lit(SKIPPED.text).alias("without_offset"), earlier=earlier, later=later
            )
            twofold = (times["earlier"] != times["later"]).fill_null(value=False)
            clock = (
                pl.when(self._count_readings(times["local"], twofold, series))
                .then("later")
                .otherwise("earlier")
            )
            times = times.with_columns(
                pl.coalesce("instant", clock).alias("instant"), twofold.alias("resolved")
            )
        naive = pl.col("offset_minutes").is_null() & ~pl.col("misstated")
        self.met_naive |= bool(times.select((naive & pl.col("local").is_not_null()).any()).item())
        fault = (
            pl.when(naive & pl.col("local").is_not_null())
            .then("without_offset")
            .otherwise(pl.lit(UNREADABLE.text))
        )
        fault = pl.when(pl.col("instant").is_null()).then(fault)
        return times.select("instant", fault.alias("fault"), "resolved")

    def _count_readings(
        self, local: pl.Series, twofold: pl.Series, series: pl.Series | None
    ) -> pl.Series:
        """Return which ambiguous local times are the later of their two instants."""
        if self._backwards is None and len(local) > 1:
            ordered = local.drop_nulls()
            self._backwards = bool(ordered.len() > 1 and ordered[0] > ordered[-1])
        later = [False] * len(local)
        for row in twofold.arg_true():
            key = (local[row], None if series is None else series[row])
            self._readings[key] += 1
            later[row] = (self._readings[key] > 1) != bool(self._backwards)
        return pl.Series(later, dtype=pl.Boolean)


def as_text(cells: pl.Series) -> pl.Series:
    """Return cells as text, typed instants in ISO 8601."""
    if not isinstance(cells.dtype, pl.Datetime):
        return cells.cast(pl.String)
    written = "%Y-%m-%dT%H:%M:%S%.6f"
    return (
        cells.dt.to_string(written)
        if cells.dtype.time_zone is None
        else cells.dt.convert_time_zone("UTC").dt.to_string(f"{written}Z")
    )


def _split(text: pl.Series) -> pl.DataFrame:
    """Return local time, offset in minutes (null: none), and whether the offset is invalid."""
    parts = _take_apart(text)
    if parts["day"].has_nulls():
        names = ["day", "month", "year", "hour", "rest"]
        dated = (
            pl.DataFrame({"text": text})
            .select(pl.col("text").str.extract_groups(DAY_FIRST).struct.rename_fields(names))
            .unnest("text")
        )
        day, month, hour = (pl.col(name).str.zfill(2) for name in ("day", "month", "hour"))
        year = (
            pl.when(pl.col("year").str.len_bytes() == 2)
            .then("20" + pl.col("year"))
            .otherwise("year")
        )
        turned = dated.select(
            pl.concat_str(year, pl.lit("-"), month, pl.lit("-"), day, pl.lit("T"), hour, "rest")
        ).to_series()
        parts = _take_apart(pl.select(pl.coalesce(turned, text)).to_series())
    written = pl.concat_str(
        "day",
        pl.lit("T"),
        "time",
        pl.col("second").fill_null(":00"),
        pl.col("fraction").fill_null(""),
    )
    offsets = parts["offset"]
    minutes: dict[str, int | None] = {}
    for offset in offsets.unique().drop_nulls():
        digits = "0000" if offset in {"Z", "z"} else offset[1:].replace(":", "").ljust(4, "0")
        distance = int(digits[:2]) * 60 + int(digits[2:])
        if distance > FURTHEST_OFFSET:
            minutes[offset] = None
        elif offset[0] == "-":
            minutes[offset] = -distance
        else:
            minutes[offset] = distance
    return parts.select(
        written.str.to_datetime("%Y-%m-%dT%H:%M:%S%.f", time_unit="us", strict=False).alias(
            "local"
        ),
        offsets.replace_strict(minutes, default=None, return_dtype=pl.Int64).alias(
            "offset_minutes"
        ),
    ).with_columns(
        (pl.col("offset_minutes").is_null() & parts["offset"].is_not_null()).alias("misstated")
    )


def _take_apart(text: pl.Series) -> pl.DataFrame:
    names = ["day", "time", "second", "fraction", "offset"]
    return (
        pl.DataFrame({"text": text})
        .select(pl.col("text").str.extract_groups(WRITTEN).struct.rename_fields(names))
        .unnest("text")
    )


MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
# Gaps leave single other distances; so many in a row are another step.
LONG_RUN = 24


@dataclass(frozen=True, slots=True)
class Spacing:
    """Distances (seconds) between neighbouring starts: number of each, and its longest run."""

    counts: Counter[int] = field(default_factory=Counter)
    runs: Counter[int] = field(default_factory=Counter)


def measure_spacing(instants: pl.Series) -> Spacing:
    """Return the spacing of distinct ascending instants."""
    distances = instants.diff().drop_nulls().dt.total_seconds()
    counts = distances.value_counts()
    runs = pl.DataFrame(distances.rle().struct.unnest()).group_by("value").agg(pl.col("len").max())
    return Spacing(
        Counter(dict(counts.iter_rows())), Counter(dict(runs.select("value", "len").iter_rows()))
    )


def choose_step(spacings: Iterable[Spacing]) -> timedelta:
    """Return the step of a file; a quarter-hour for a single slot.

    Raises:
        InvalidInputError: the step does not divide an hour, or it changes within the file.
    """
    counts: Counter[int] = Counter()
    runs: Counter[int] = Counter()
    for spacing in spacings:
        counts += spacing.counts
        runs |= spacing.runs
    if not counts:
        return SLOT
    step = timedelta(seconds=counts.most_common(1)[0][0])
    if step < MINUTE or step % MINUTE or HOUR % step:
        raise refuse("file-slots", field="slot_start", value=str(step))
    others = [
        timedelta(seconds=distance)
        for distance, length in runs.items()
        if length >= LONG_RUN and timedelta(seconds=distance) != step
    ]
    if others:
        raise refuse(
            "file-step-changes", field="slot_start", step=step // MINUTE, other=others[0] // MINUTE
        )
    return step
