"""What the times of a file are: their columns, the order of day and month, the clock they stand on,
the step, and which end of an interval they name.
"""

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import islice, pairwise
from typing import Literal
from zoneinfo import ZoneInfo

import polars as pl

from luna.contracts.file_guess import DayOrder, FileLayout, FileQuestion, GuessReason, Label
from luna.energy.refusals import refuse
from luna.energy.timeline import parse_zone
from services.ingest.file_guess.cells import MOMENT, join_times, unfold, write_iso
from services.ingest.file_guess.translate import YEARS
from services.ingest.file_guess.words import END, STANDARD, START, UTC, find, plain
from services.ingest.instants import InstantReader

CLOCK = r"^\s*(?:\d{4}-\d{2}-\d{2}[T ])?\d{1,2}[:h]\d{2}(?:[:.]\d{2})?"
OFFSET = r"(Z|[+-]\d{2}:?\d{2}|[+-]\d{2})$"
MOST_SHARE = 0.8
HOUR = timedelta(hours=1)
DAY_SECONDS = 86_400
# What lies farther apart are no times of one meter.
LONGEST_FILE = timedelta(days=30_000)
Kind = Literal["moment", "day", "clock", ""]


@dataclass(slots=True)
class FileClock:
    """The guess of a file's times.

    ``end_columns`` are those that only say when an interval ends.
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
    """Return what a file's times are.

    Raises:
        InvalidInputError: it has none, or a row is a whole day.
    """
    if layout.form == "states":
        clock = FileClock(["time"])
    else:
        kinds = {name: _classify(frame[name]) for name in layout.names}
        moments, days, times = (
            [name for name, kind in kinds.items() if kind == target]
            for target in ("moment", "day", "clock")
        )
        if moments:
            clock = _take(moments, [[name] for name in moments], days + times)
        elif days and times:
            clock = _take(
                times,
                [[days[min(place, len(days) - 1)], name] for place, name in enumerate(times)],
                days,
            )
        elif days:
            raise refuse("rows-are-days", field=days[0], value=str(frame[days[0]][0]))
        else:
            raise refuse("no-column-of-times", field="time", value=", ".join(layout.names)[:200])
    written = join_times(frame, clock.time_columns).drop_nulls()
    _order_days(clock, written, choices)
    iso = write_iso(written, clock.day_order)
    _find_zone(
        clock,
        iso,
        f"{preamble} {' '.join(clock.time_columns)}",
        site_zone=site_zone,
        choices=choices,
    )
    _find_step(clock, frame, layout)
    _find_label(clock, iso, choices)
    return clock


def _classify(cells: pl.Series) -> Kind:
    text = unfold(cells.cast(pl.String).drop_nulls().head(400))
    if not text.len():
        return ""
    parts = pl.DataFrame({"text": text}).select(
        pl.col("text").str.contains(MOMENT).alias("day"),
        (
            pl.col("text").str.extract(MOMENT, 4).is_not_null() | pl.col("text").str.contains("T")
        ).alias("clock"),
    )
    dated = parts["day"].sum() / text.len()
    if dated >= MOST_SHARE:
        # A workbook's days have a midnight behind them.
        timed = parts["clock"].any() and not text.str.contains(r"[T ]00:00(:00)?$").all()
        return "moment" if timed else "day"
    return "clock" if text.str.contains(CLOCK).sum() / text.len() >= MOST_SHARE else ""


def _take(names: list[str], columns: list[list[str]], others: list[str]) -> FileClock:
    """Return the clock of the first column of times.

    Of two the first says where an interval begins.
    """
    texts = [plain(name) for name in names]
    chosen = (
        next(
            (
                place
                for place, text in enumerate(texts)
                if find(START, text) and not (find(END, text) and not find(START, text))
            ),
            0,
        )
        if len(names) > 1
        else 0
    )
    clock = FileClock(
        columns[chosen],
        end_columns=[name for name in [*names, *others] if name not in columns[chosen]],
    )
    if len(names) > 1:
        clock.reasons.append(GuessReason(code="label_from_to", figures={"first": names[chosen]}))
    elif find(END, texts[0]) and not find(START, texts[0]):
        clock.label = "end"
        clock.reasons.append(GuessReason(code="label_word_end", figures={"word": names[0]}))
    elif find(START, texts[0]) and not find(END, texts[0]):
        clock.reasons.append(GuessReason(code="label_word_start", figures={"word": names[0]}))
    return clock


def _order_days(clock: FileClock, written: pl.Series, choices: dict[str, str]) -> None:
    parts = (
        pl.DataFrame({"text": unfold(written)})
        .select(
            pl.col("text")
            .str.extract_groups(MOMENT)
            .struct.rename_fields(
                ["first", "month", "last", "hour", "minute", "second", "half", "offset"]
            )
            .alias("parts")
        )
        .unnest("parts")
    )
    ambiguous = parts.filter(pl.col("first").str.len_bytes() <= 2)
    if ambiguous.height < parts.height / 2:
        return
    clock.day_order = "day_first"
    first, second = (ambiguous[name].cast(pl.Int64) for name in ("first", "month"))
    greatest = first.max(), second.max()
    answer = choices.get("day_order")
    if isinstance(greatest[0], int) and greatest[0] > 12:
        clock.reasons.append(GuessReason(code="day_first", figures={"day": str(greatest[0])}))
    elif isinstance(greatest[1], int) and greatest[1] > 12:
        clock.day_order = "month_first"
        clock.reasons.append(GuessReason(code="month_first", figures={"day": str(greatest[1])}))
    elif written.head(20).str.contains(r"^\s*\d{1,2}\.\d").all():
        clock.reasons.append(GuessReason(code="day_first_points"))
    else:
        # The order in which the dates follow one another day by day, where one alone does.
        pairs = list(dict.fromkeys(zip(first.to_list(), second.to_list(), strict=True)))
        orders: list[tuple[DayOrder, int]] = [("day_first", 0), ("month_first", 1)]
        following = [
            order
            for order, place in orders
            if len(pairs) > 2
            and all(
                one[1 - place] == two[1 - place] and abs(one[place] - two[place]) == 1
                for one, two in pairwise(pairs)
            )
        ]
        if len(following) == 1 and answer is None:
            clock.day_order = following[0]
            clock.reasons.append(GuessReason(code=f"{following[0]}_in_a_row"))
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


def _find_zone(
    clock: FileClock, iso: pl.Series, context: str, *, site_zone: str, choices: dict[str, str]
) -> None:
    clock.zone = site_zone
    offset = iso.str.contains(OFFSET)
    if offset.sum() >= 0.98 * iso.len():
        clock.reasons.append(GuessReason(code="zone_offset", figures={"example": str(iso[0])}))
        return
    # The site's standard time all year.
    january, july = (
        datetime(2024, month, 1, tzinfo=parse_zone(site_zone)).utcoffset() or timedelta()
        for month in (1, 7)
    )
    hours = min(january, july) / HOUR
    standard = (
        "UTC" if hours == 0 or hours % 1 else f"Etc/GMT{'-' if hours > 0 else '+'}{abs(int(hours))}"
    )
    text = plain(context)
    if word := find(UTC, text):
        clock.zone = "UTC"
        clock.reasons.append(
            GuessReason(code="zone_word", figures={"word": word.upper(), "zone": "UTC"})
        )
        return
    if word := find(STANDARD, text):
        clock.zone = standard
        clock.reasons.append(
            GuessReason(code="zone_word", figures={"word": word.upper(), "zone": standard})
        )
        return
    local = _read_local(iso)
    follows = _follows_summer_time(local, parse_zone(site_zone))
    if follows:
        clock.reasons.append(
            GuessReason(code="zone_changes", figures={"zone": site_zone, "day": follows})
        )
        return
    offered = list(dict.fromkeys(([site_zone] if follows is None else []) + [standard, "UTC"]))
    if follows is not None:
        clock.reasons.append(GuessReason(code="zone_stays"))
    chosen = choices.get("zone") if choices.get("zone") in offered else None
    clock.zone = chosen or offered[0]
    clock.questions.append(
        FileQuestion(
            key="zone",
            code="zone",
            column=clock.time_columns[0],
            choices=offered,
            likely=clock.zone,
        )
    )


def _read_local(iso: pl.Series) -> pl.Series:
    """Return what the clock of the file showed, without what no clock that was set can have
    shown.
    """
    local = iso.str.to_datetime("%Y-%m-%dT%H:%M:%S", time_unit="us", strict=False).drop_nulls()
    return local.filter(local.dt.year().is_between(*YEARS))


def _follows_summer_time(local: pl.Series, zone: ZoneInfo) -> str | None:
    """Return a day on which the clock changed in the file as it does in the zone, empty where it
    went on, None where the file has no such day.
    """
    if local.len() < 4:
        return None
    counts = Counter(local.to_list())
    first = min(counts)
    last = max(counts)
    # The local hours that the zone skips (1) or repeats (-1) meanwhile.
    changes: list[tuple[datetime, int]] = []
    midnight = first.replace(hour=0, minute=0, second=0, microsecond=0)
    while midnight <= last and last - first <= LONGEST_FILE:
        one, other = (
            moment.replace(tzinfo=zone).utcoffset() or timedelta()
            for moment in (midnight, midnight + timedelta(days=1))
        )
        hours = [midnight + timedelta(hours=step) for step in range(24)] if one != other else []
        odd_hours = (
            each
            for each in hours
            if each.replace(tzinfo=zone, fold=0).utcoffset()
            != each.replace(tzinfo=zone, fold=1).utcoffset()
        )
        changes += [(hour, 1 if other > one else -1) for hour in islice(odd_hours, 1)]
        midnight += timedelta(days=1)
    for day, shift in changes:
        odd = [day + timedelta(minutes=minute) for minute in range(0, 60, 5)]
        before, after = (day - HOUR + timedelta(minutes=minute) for minute in (0, 120))
        if (
            not any(before <= instant <= after + HOUR for instant in (first, last))
            and before in counts
            and (day + HOUR in counts or day + 2 * HOUR in counts)
        ):
            if shift > 0:
                # One row alone may be a stray one, or the end of what was before, where the hour
                # after it has no beginning.
                usual = sum(counts[instant - HOUR] > 0 for instant in odd)
                stays = 2 * sum(counts[instant] > 0 for instant in odd) >= usual and (
                    usual > 1 or counts[day + HOUR] > 0
                )
                return "" if stays else day.date().isoformat()
            # In a file with several rows of one time, each of another meter, an hour that is
            # repeated has more of them.
            return (
                day.date().isoformat()
                if any(counts[instant] > counts[instant - HOUR] > 0 for instant in odd)
                else ""
            )
    return None


def _find_step(clock: FileClock, frame: pl.DataFrame, layout: FileLayout) -> None:
    instants = InstantReader(parse_zone(clock.zone)).read(
        write_iso(join_times(frame, clock.time_columns), clock.day_order),
        series=frame[layout.name_column] if layout.name_column else None,
    )["instant"]
    rows = pl.DataFrame(
        {
            "instant": instants,
            "name": frame[layout.name_column]
            if layout.name_column
            else pl.Series([""] * frame.height),
        }
    ).drop_nulls("instant")
    if not rows.height:
        raise refuse(
            "no-time-readable",
            field=clock.time_columns[0],
            value=str(frame[clock.time_columns[0]][0]),
        )
    distances = (
        rows.unique(["name", "instant"])
        .sort("name", "instant")
        .select(pl.col("instant").diff().over("name").dt.total_seconds().alias("seconds"))
        .to_series()
        .drop_nulls()
    )
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
    if (
        any(reason.code.startswith("label") for reason in clock.reasons)
        or clock.step_seconds is None
    ):
        return
    local = _read_local(iso.str.slice(0, 19))
    first = local.min()
    last = local.max()
    step = timedelta(seconds=clock.step_seconds)
    if isinstance(first, datetime) and isinstance(last, datetime):
        if _is_midnight(first) and _is_midnight(last + step):
            clock.reasons.append(
                GuessReason(
                    code="label_day_start",
                    figures={"first": f"{first:%H:%M}", "last": f"{last:%H:%M}"},
                )
            )
            return
        if _is_midnight(first - step) and _is_midnight(last):
            clock.label = "end"
            clock.reasons.append(
                GuessReason(code="label_day_end", figures={"first": f"{first:%H:%M}"})
            )
            return
    if clock.step_seconds >= 600:
        answer = choices.get("label")
        clock.label = "end" if answer == "end" else "start"
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
