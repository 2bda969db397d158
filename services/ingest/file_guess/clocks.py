"""The times of a file: columns, order of day and month, zone, step and label."""

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Literal
from zoneinfo import ZoneInfo

import polars as pl

from luna.contracts.file_guess import DayOrder, FileLayout, FileQuestion, GuessReason, Label
from luna.energy.refusals import refuse
from luna.energy.timeline import parse_zone
from services.ingest.file_guess.cells import (
    MOMENT,
    MOMENT_PARTS,
    join_times,
    split_text,
    unfold,
    write_iso,
)
from services.ingest.file_guess.translate import YEARS
from services.ingest.file_guess.words import END, STANDARD, START, UTC, find, plain
from services.ingest.instants import InstantReader

CLOCK = r"^\s*(?:\d{4}-\d{2}-\d{2}[T ])?\d{1,2}[:h]\d{2}(?:[:.]\d{2})?"
OFFSET = r"(Z|[+-]\d{2}:?\d{2}|[+-]\d{2})$"
MOST_SHARE = 0.8
HOUR = timedelta(hours=1)
DAY_SECONDS = 86_400
# Times farther apart are not those of one meter.
LONGEST_FILE = timedelta(days=30_000)
Kind = Literal["moment", "day", "clock", ""]


@dataclass(slots=True)
class FileClock:
    """The guess of a file's times.

    ``end_columns`` only say when an interval ends.
    """

    time_columns: list[str]
    day_order: DayOrder = "year_first"
    zone: str = "UTC"
    label: Label = "start"
    step_seconds: int | None = None
    end_columns: list[str] = field(default_factory=list)
    reasons: list[GuessReason] = field(default_factory=list)
    questions: list[FileQuestion] = field(default_factory=list)


def find_clock(
    frame: pl.DataFrame,
    layout: FileLayout,
    *,
    preamble: str,
    site_zone: str,
    choices: dict[str, str],
) -> FileClock:
    """Guess a file's times.

    Raises:
        InvalidInputError: it has none, or a row is a whole day.
    """
    clock = FileClock(["time"]) if layout.form == "states" else _find_columns(frame, layout)
    written = join_times(frame, clock.time_columns).drop_nulls()
    _order_days(clock, written, choices)
    iso = write_iso(written, clock.day_order)
    context = f"{preamble} {' '.join(clock.time_columns)}"
    _find_zone(clock, iso, context, site_zone=site_zone, choices=choices)
    _find_step(clock, frame, layout)
    _find_label(clock, iso, choices)
    return clock


def _find_columns(frame: pl.DataFrame, layout: FileLayout) -> FileClock:
    columns: dict[Kind, list[str]] = {"moment": [], "day": [], "clock": [], "": []}
    for name in layout.names:
        columns[_classify(frame[name])].append(name)
    moments = columns["moment"]
    days = columns["day"]
    times = columns["clock"]
    if moments:
        return _take(moments, [[name] for name in moments], days + times)
    if days and times:
        # The clock times may have a day each, or share one.
        pairs = [[days[min(place, len(days) - 1)], name] for place, name in enumerate(times)]
        return _take(times, pairs, days)
    if days:
        raise refuse("rows-are-days", field=days[0], value=str(frame[days[0]][0]))
    raise refuse("no-column-of-times", field="time", value=", ".join(layout.names)[:200])


def _classify(cells: pl.Series) -> Kind:
    text = unfold(cells.cast(pl.String).drop_nulls().head(400))
    if not text.len():
        return ""
    has_day = text.str.contains(MOMENT)
    has_clock = text.str.extract(MOMENT, 4).is_not_null() | text.str.contains("T")
    if has_day.sum() / text.len() >= MOST_SHARE:
        # A workbook's days have a midnight behind them.
        is_midnight = text.str.contains(r"[T ]00:00(:00)?$").all()
        return "moment" if has_clock.any() and not is_midnight else "day"
    return "clock" if text.str.contains(CLOCK).sum() / text.len() >= MOST_SHARE else ""


def _take(names: list[str], columns: list[list[str]], others: list[str]) -> FileClock:
    """Return the clock of the column that says when an interval begins, or of the first one."""
    texts = [plain(name) for name in names]
    chosen = 0
    if len(names) > 1:
        starts = (place for place, text in enumerate(texts) if find(START, text))
        chosen = next(starts, 0)
    clock = FileClock(
        columns[chosen],
        end_columns=[name for name in [*names, *others] if name not in columns[chosen]],
    )
    has_start = find(START, texts[0])
    has_end = find(END, texts[0])
    if len(names) > 1:
        clock.reasons.append(GuessReason(code="label_from_to", figures={"first": names[chosen]}))
    elif has_end and not has_start:
        clock.label = "end"
        clock.reasons.append(GuessReason(code="label_word_end", figures={"word": names[0]}))
    elif has_start and not has_end:
        clock.reasons.append(GuessReason(code="label_word_start", figures={"word": names[0]}))
    return clock


def _order_days(clock: FileClock, written: pl.Series, choices: dict[str, str]) -> None:
    parts = split_text(unfold(written), MOMENT, MOMENT_PARTS)
    ambiguous = parts.filter(pl.col("first").str.len_bytes() <= 2)
    if ambiguous.height < parts.height / 2:
        return
    clock.day_order = "day_first"
    first = ambiguous["first"].cast(pl.Int64)
    second = ambiguous["month"].cast(pl.Int64)
    most_first = first.max()
    most_second = second.max()
    if isinstance(most_first, int) and most_first > 12:
        clock.reasons.append(GuessReason(code="day_first", figures={"day": str(most_first)}))
        return
    if isinstance(most_second, int) and most_second > 12:
        clock.day_order = "month_first"
        clock.reasons.append(GuessReason(code="month_first", figures={"day": str(most_second)}))
        return
    if written.head(20).str.contains(r"^\s*\d{1,2}\.\d").all():
        clock.reasons.append(GuessReason(code="day_first_points"))
        return
    answer = choices.get("day_order")
    dates = list(dict.fromkeys(zip(first.to_list(), second.to_list(), strict=True)))
    order = _order_of_neighbours(dates)
    if order is not None and answer is None:
        clock.day_order = order
        clock.reasons.append(GuessReason(code=f"{order}_in_a_row"))
        return
    clock.day_order = "month_first" if answer == "month_first" else "day_first"
    clock.questions.append(
        FileQuestion(
            key="day_order",
            code="day_order",
            column=clock.time_columns[0],
            choices=["day_first", "month_first"],
            likely=answer,
        )
    )


def _order_of_neighbours(dates: list[tuple[int, int]]) -> DayOrder | None:
    """Return the only order in which dates follow one another day by day."""
    if len(dates) < 3:
        return None
    orders: list[tuple[DayOrder, int]] = [("day_first", 0), ("month_first", 1)]
    possible: list[DayOrder] = []
    for order, day in orders:
        month = 1 - day
        if all(
            one[month] == two[month] and abs(one[day] - two[day]) == 1
            for one, two in pairwise(dates)
        ):
            possible.append(order)
    return possible[0] if len(possible) == 1 else None


def _find_zone(
    clock: FileClock, iso: pl.Series, context: str, *, site_zone: str, choices: dict[str, str]
) -> None:
    clock.zone = site_zone
    offset = iso.str.contains(OFFSET)
    if offset.sum() >= 0.98 * iso.len():
        clock.reasons.append(GuessReason(code="zone_offset", figures={"example": str(iso[0])}))
        return
    standard = _standard_zone(site_zone)
    text = plain(context)
    for pattern, zone in ((UTC, "UTC"), (STANDARD, standard)):
        word = find(pattern, text)
        if word:
            clock.zone = zone
            figures = {"word": word.upper(), "zone": zone}
            clock.reasons.append(GuessReason(code="zone_word", figures=figures))
            return
    changed_on = _follows_summer_time(_read_local(iso), parse_zone(site_zone))
    if changed_on:
        figures = {"zone": site_zone, "day": changed_on}
        clock.reasons.append(GuessReason(code="zone_changes", figures=figures))
        return
    offered = list(dict.fromkeys([standard, "UTC"]))
    if changed_on is None:
        offered = list(dict.fromkeys([site_zone, *offered]))
    else:
        clock.reasons.append(GuessReason(code="zone_stays"))
    answer = choices.get("zone")
    clock.zone = answer if answer in offered else offered[0]
    clock.questions.append(
        FileQuestion(
            key="zone",
            code="zone",
            column=clock.time_columns[0],
            choices=offered,
            likely=clock.zone,
        )
    )


def _standard_zone(site_zone: str) -> str:
    """Return the zone that has the site's standard time all year."""
    zone = parse_zone(site_zone)
    january = datetime(2024, 1, 1, tzinfo=zone).utcoffset() or timedelta()
    july = datetime(2024, 7, 1, tzinfo=zone).utcoffset() or timedelta()
    hours = min(january, july) / HOUR
    if hours == 0 or hours % 1:
        return "UTC"
    # These zones count westward.
    sign = "-" if hours > 0 else "+"
    return f"Etc/GMT{sign}{abs(int(hours))}"


def _read_local(iso: pl.Series) -> pl.Series:
    """Return the file's clock times, without those of a clock that was never set."""
    local = iso.str.to_datetime("%Y-%m-%dT%H:%M:%S", time_unit="us", strict=False).drop_nulls()
    return local.filter(local.dt.year().is_between(*YEARS))


def _follows_summer_time(local: pl.Series, zone: ZoneInfo) -> str | None:
    """Return a day on which the file's clock changed as the zone's does.

    Empty if it did not change then, None if the file has no such day.
    """
    if local.len() < 4:
        return None
    counts = Counter(local.to_list())
    first = min(counts)
    last = max(counts)
    for hour, is_skipped in _clock_changes(first, last, zone):
        before = hour - HOUR
        until = hour + 2 * HOUR
        is_at_end = before <= first <= until or before <= last <= until
        is_after = hour + HOUR in counts or hour + 2 * HOUR in counts
        if is_at_end or before not in counts or not is_after:
            continue
        follows = _skips_hour(counts, hour) if is_skipped else _repeats_hour(counts, hour)
        return hour.date().isoformat() if follows else ""
    return None


def _clock_changes(first: datetime, last: datetime, zone: ZoneInfo) -> list[tuple[datetime, bool]]:
    """Return the local hours that a zone skips (true) or repeats (false)."""
    changes = []
    midnight = first.replace(hour=0, minute=0, second=0, microsecond=0)
    while midnight <= last and last - first <= LONGEST_FILE:
        next_midnight = midnight + timedelta(days=1)
        offset = midnight.replace(tzinfo=zone).utcoffset() or timedelta()
        next_offset = next_midnight.replace(tzinfo=zone).utcoffset() or timedelta()
        if offset != next_offset:
            hour = _find_changed_hour(midnight, zone)
            if hour is not None:
                changes.append((hour, next_offset > offset))
        midnight = next_midnight
    return changes


def _find_changed_hour(midnight: datetime, zone: ZoneInfo) -> datetime | None:
    for step in range(24):
        hour = midnight + timedelta(hours=step)
        early = hour.replace(tzinfo=zone, fold=0).utcoffset()
        late = hour.replace(tzinfo=zone, fold=1).utcoffset()
        if early != late:
            return hour
    return None


def _skips_hour(counts: "Counter[datetime]", hour: datetime) -> bool:
    """Return whether an hour has hardly any rows."""
    instants = [hour + timedelta(minutes=minute) for minute in range(0, 60, 5)]
    usual = sum(counts[instant - HOUR] > 0 for instant in instants)
    filled = sum(counts[instant] > 0 for instant in instants)
    # A single row may be a stray one, or the end of the interval before if the hour after it has
    # no beginning.
    is_filled = 2 * filled >= usual and (usual > 1 or counts[hour + HOUR] > 0)
    return not is_filled


def _repeats_hour(counts: "Counter[datetime]", hour: datetime) -> bool:
    """Return whether an hour has more rows of one time than the hour before.

    Several meters in one file have several rows of each time.
    """
    for minute in range(0, 60, 5):
        instant = hour + timedelta(minutes=minute)
        if counts[instant] > counts[instant - HOUR] > 0:
            return True
    return False


def _find_step(clock: FileClock, frame: pl.DataFrame, layout: FileLayout) -> None:
    names = frame[layout.name_column] if layout.name_column else None
    written = write_iso(join_times(frame, clock.time_columns), clock.day_order)
    instants = InstantReader(parse_zone(clock.zone)).read(written, series=names)["instant"]
    series = pl.Series([""] * frame.height) if names is None else names
    rows = pl.DataFrame({"instant": instants, "name": series}).drop_nulls("instant")
    if not rows.height:
        raise refuse(
            "no-time-readable",
            field=clock.time_columns[0],
            value=str(frame[clock.time_columns[0]][0]),
        )
    seconds = pl.col("instant").diff().over("name").dt.total_seconds()
    sorted_rows = rows.unique(["name", "instant"]).sort("name", "instant")
    distances = sorted_rows.select(seconds.alias("seconds")).to_series().drop_nulls()
    distances = distances.filter(distances > 0)
    if not distances.len():
        clock.step_seconds = None if layout.name_column else 900
        return
    step = distances.mode().min()
    share = (distances == step).sum() / distances.len()
    if not isinstance(step, int):
        return
    if step >= DAY_SECONDS - 3600 and share > 0.5 and not layout.name_column:
        raise refuse("rows-are-days", field=clock.time_columns[0])
    clock.step_seconds = step if share >= (0.9 if layout.name_column else 0.6) else None


def _find_label(clock: FileClock, iso: pl.Series, choices: dict[str, str]) -> None:
    has_label = any(reason.code.startswith("label") for reason in clock.reasons)
    if has_label or clock.step_seconds is None:
        return
    local = _read_local(iso.str.slice(0, 19))
    first = local.min()
    last = local.max()
    step = timedelta(seconds=clock.step_seconds)
    if isinstance(first, datetime) and isinstance(last, datetime):
        if _is_midnight(first) and _is_midnight(last + step):
            figures = {"first": f"{first:%H:%M}", "last": f"{last:%H:%M}"}
            clock.reasons.append(GuessReason(code="label_day_start", figures=figures))
            return
        if _is_midnight(first - step) and _is_midnight(last):
            clock.label = "end"
            figures = {"first": f"{first:%H:%M}"}
            clock.reasons.append(GuessReason(code="label_day_end", figures=figures))
            return
    if clock.step_seconds >= 600:
        clock.label = "end" if choices.get("label") == "end" else "start"
        clock.questions.append(
            FileQuestion(
                key="label",
                code="label",
                column=clock.time_columns[0],
                choices=["start", "end"],
                likely=clock.label,
            )
        )


def _is_midnight(moment: datetime) -> bool:
    return moment.hour == moment.minute == moment.second == 0
