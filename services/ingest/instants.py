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
        offset = pl.duration(minutes=pl.col("offset_minutes"))
        stated = (pl.col("local") - offset).dt.replace_time_zone("UTC")
        is_naive = pl.col("offset_minutes").is_null() & ~pl.col("misstated")
        times = times.with_columns(
            stated.alias("instant"),
            pl.lit(value=False).alias("resolved"),
            pl.lit(NAIVE.text).alias("without_offset"),
        )
        if self.zone is not None and times["offset_minutes"].has_nulls():
            local = pl.when(is_naive).then("local")
            times = times.with_columns(
                pl.lit(SKIPPED.text).alias("without_offset"),
                earlier=_to_utc(local, self.zone, "earliest"),
                later=_to_utc(local, self.zone, "latest"),
            )
            twofold = (times["earlier"] != times["later"]).fill_null(value=False)
            is_later = self._count_readings(times["local"], twofold, series)
            clock = pl.when(is_later).then("later").otherwise("earlier")
            times = times.with_columns(
                pl.coalesce("instant", clock).alias("instant"), twofold.alias("resolved")
            )
        is_read_naive = is_naive & pl.col("local").is_not_null()
        self.met_naive |= bool(times.select(is_read_naive.any()).item())
        unread = pl.when(is_read_naive).then("without_offset").otherwise(pl.lit(UNREADABLE.text))
        fault = pl.when(pl.col("instant").is_null()).then(unread)
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


def _to_utc(local: pl.Expr, zone: ZoneInfo, ambiguous: Literal["earliest", "latest"]) -> pl.Expr:
    dated = local.dt.replace_time_zone(zone.key, ambiguous=ambiguous, non_existent="null")
    return dated.dt.convert_time_zone("UTC")


def as_text(cells: pl.Series) -> pl.Series:
    """Return cells as text, typed instants in ISO 8601."""
    if not isinstance(cells.dtype, pl.Datetime):
        return cells.cast(pl.String)
    written = "%Y-%m-%dT%H:%M:%S%.6f"
    if cells.dtype.time_zone is None:
        return cells.dt.to_string(written)
    return cells.dt.convert_time_zone("UTC").dt.to_string(f"{written}Z")


def _split(text: pl.Series) -> pl.DataFrame:
    """Return local time, offset in minutes (null: none), and whether the offset is invalid."""
    names = ["day", "time", "second", "fraction", "offset"]
    parts = _extract(text, WRITTEN, names)
    if parts["day"].has_nulls():
        dated = _extract(text, DAY_FIRST, ["day", "month", "year", "hour", "rest"])
        day = pl.col("day").str.zfill(2)
        month = pl.col("month").str.zfill(2)
        hour = pl.col("hour").str.zfill(2)
        is_short = pl.col("year").str.len_bytes() == 2
        year = pl.when(is_short).then("20" + pl.col("year")).otherwise("year")
        dash = pl.lit("-")
        turned = pl.concat_str(year, dash, month, dash, day, pl.lit("T"), hour, "rest")
        readable = pl.coalesce(dated.select(turned).to_series(), text)
        parts = _extract(pl.select(readable).to_series(), WRITTEN, names)
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
    local = written.str.to_datetime("%Y-%m-%dT%H:%M:%S%.f", time_unit="us", strict=False)
    offset_minutes = offsets.replace_strict(minutes, default=None, return_dtype=pl.Int64)
    split = parts.select(local.alias("local"), offset_minutes.alias("offset_minutes"))
    is_misstated = pl.col("offset_minutes").is_null() & offsets.is_not_null()
    return split.with_columns(is_misstated.alias("misstated"))


def _extract(text: pl.Series, pattern: str, names: list[str]) -> pl.DataFrame:
    """Return the groups of a pattern as named columns, null where it does not match."""
    groups = pl.col("text").str.extract_groups(pattern).struct.rename_fields(names)
    return pl.DataFrame({"text": text}).select(groups).unnest("text")


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
    lengths = distances.rle().struct.unnest()
    longest = lengths.group_by("value").agg(pl.col("len").max()).select("value", "len")
    return Spacing(Counter(dict(counts.iter_rows())), Counter(dict(longest.iter_rows())))


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
    for distance, length in runs.items():
        other = timedelta(seconds=distance)
        if length >= LONG_RUN and other != step:
            raise refuse(
                "file-step-changes", field="slot_start", step=step // MINUTE, other=other // MINUTE
            )
    return step
