"""Declare a site's past: building, judging and repairing its quarter-hours.

Its readings can be read anew and be compared with their source.
"""

from collections import Counter
from collections.abc import Iterator
from datetime import date, timedelta
from typing import Annotated

from pydantic import Field

from luna.contracts.data import (
    BackfillReply,
    BackfillRequest,
    BuildSlotsReply,
    BuildSlotsRequest,
    DayQuality,
    JudgeQualityReply,
    JudgeQualityRequest,
)
from luna.contracts.history_care import (
    DayComparison,
    FindGapsRequest,
    FirstDay,
    LastDay,
    RepairReply,
    RepairRequest,
    SeriesGap,
    VerifyRequest,
)
from luna.contracts.message import Message
from luna.energy.series_query import require_window
from luna.energy.timeline import Day, Instant
from luna.house.capability import (
    CapabilityCall,
    ReplyTable,
    SiteName,
    TerminalForm,
    TextTable,
    capability,
)
from luna.platform.database import quality, sites
from luna.platform.paging import Cursor, Limit, cut_page, read_text
from luna.words import Numbers, say_instant
from luna.words.quality import say_day_fault

LONGEST = timedelta(days=3_660)
_NOUN = "history"
_PATH = "/v1/sites/{site_id}"
_DAYS = {"from_day": "from", "to_day": "to"}
FromDay = Annotated[
    Day | None, Field(description="the first local day; default: the first one recorded")
]
ToDay = Annotated[
    Day | None, Field(description="the last local day, included; default: the last one recorded")
]
Begin = Annotated[
    Instant,
    Field(alias="from", description="start, in the site's time zone"),
]
End = Annotated[Instant, Field(alias="to", description="the end, not included")]


class HistoryWindow(Message):
    """The time that is meant."""

    from_: Annotated[
        Instant,
        Field(alias="from", description="start, in the site's time zone"),
    ]
    to: Annotated[Instant, Field(description="the end, not included")]


class SlotsOrder(HistoryWindow):
    """The quarter-hours to build."""

    accept: Annotated[
        bool,
        Field(
            description=(
                "also replace known days that change much: by a factor, in sign, or by half"
            )
        ),
    ] = False


class QualityList(Message):
    """Days that were judged, in order; days that never were are left out."""

    days: Annotated[list[DayQuality], Field(description="each with its verdict and the causes")]
    cursor: Annotated[str | None, Field(description="of the next page; null: this is the last")]


class HistoryDays(Message):
    """The local days that are meant."""

    from_day: FirstDay
    to_day: LastDay


class RepairOrder(HistoryDays):
    """Days to repair."""

    dry_run: Annotated[bool, Field(description="show the changes without making them")] = False


def _show_built(reply: BuildSlotsReply, _: Numbers) -> Iterator[str | TextTable]:
    rows = []
    for name, series in reply.series.items():
        counts = (series.known, series.interpolated, series.filled, sum(series.rejected.values()))
        rows.append([name, *(f"{count:,}" for count in counts)])
    yield TextTable(
        ("series", "known", "interpolated", "filled to the meter's total", "readings refused"), rows
    )
    yield (
        f"{reply.slots_written:,} quarter-hours new or changed, {reply.slots_withdrawn:,} "
        f"values withdrawn, {reply.quarantined:,} entries in quarantine."
    )
    for name, series in reply.series.items():
        yield from (f"  {name}: {count:,} × {reason}" for reason, count in series.rejected.items())
    if reply.missing_sensors:
        yield (
            f"Nothing was ever heard of {', '.join(reply.missing_sensors)}: check the names "
            "under input_sensors."
        )


_VERDICT = ("day", "verdict", "reasons")


def _describe_day(day: DayQuality, _: Numbers) -> list[str]:
    return [
        day.day.isoformat(),
        day.verdict,
        "\n".join(say_day_fault(fault) for fault in day.faults),
    ]


def _show_judged(reply: JudgeQualityReply, numbers: Numbers) -> Iterator[str | TextTable]:
    days = [day for site in reply.sites for day in site.days]
    yield TextTable(_VERDICT, [_describe_day(day, numbers) for day in days], words=_VERDICT[1:])
    verdicts = Counter(day.verdict for day in days)
    yield ", ".join(f"{count} {verdict}" for verdict, count in verdicts.most_common())


def _describe_gap(gap: SeriesGap, numbers: Numbers) -> list[str]:
    return [
        gap.series,
        say_instant(gap.first, numbers.zone),
        say_instant(gap.last, numbers.zone),
        str(gap.slots),
    ]


def _show_repairs(reply: RepairReply, _: Numbers) -> Iterator[str | TextTable]:
    if not reply.repairs:
        yield "There is nothing to repair."
        return
    rows = [
        [repair.series, repair.day.isoformat(), repair.rule, str(repair.slots)]
        for repair in reply.repairs
    ]
    yield TextTable(("series", "day", "rule", "slots"), rows, words=("day", "rule"))
    if reply.dry_run:
        yield "Nothing was changed: without --dry-run it is."


def _show_backfill(reply: BackfillReply, numbers: Numbers) -> Iterator[str | TextTable]:
    rows = []
    for sensor in reply.sensors:
        counts = (sensor.readings, sensor.unknown, sensor.rows_written)
        rows.append([sensor.sensor, sensor.role, *(f"{count:,}" for count in counts)])
    yield TextTable(
        ("sensor", "role", "readings", "unknown", "new or changed"), rows, words=("role",)
    )
    if reply.left_out:
        yield (
            "Without a past in Home Assistant, being none of its sensors: "
            f"{', '.join(reply.left_out)}."
        )
    slots = reply.slots
    span = (
        f"Built from {say_instant(slots.first, numbers.zone)} to "
        f"{say_instant(slots.end, numbers.zone)}"
    )
    yield (
        f"{span}: {slots.slots_written:,} quarter-hours new or changed, {slots.quarantined:,} "
        "entries in quarantine."
    )
    for day in slots.kept:
        sentence = (
            f"{day.day}: {day.series} was {day.before_kwh:.2f} kWh and would be "
            f"{day.after_kwh:.2f} kWh; the stored day stays."
        )
        yield f"{sentence} Where the new one is right: luna data slots --accept."


def _describe_comparison(day: DayComparison, _: Numbers) -> list[str]:
    share = "–" if day.difference_share is None else f"{day.difference_share:+.1%}"
    energies = f"{day.source_kwh:.2f}", f"{day.stored_kwh:.2f}", f"{day.difference_kwh:+.2f}"
    return [
        day.day.isoformat(),
        day.series,
        *energies,
        share,
        f"{day.hours}/{day.day_hours}",
        "beyond" if day.beyond_tolerance else "",
    ]


@capability(
    "POST",
    f"{_PATH}/slots",
    command="data slots",
    shown=_show_built,
    noun=_NOUN,
    scope="data",
    status=202,
)
def build_slots(call: CapabilityCall, site_id: SiteName, window: SlotsOrder) -> BuildSlotsRequest:
    """Build quarter-hours.

    Build quarter-hours from stored readings as a job; it can be repeated.
    """
    require_window(window.from_, window.to, longest=LONGEST)
    sites.key_of(call.connection, site_id)
    return BuildSlotsRequest(
        site_id=site_id, first=window.from_, end=window.to, accept=window.accept
    )


@capability(
    "GET",
    f"{_PATH}/quality",
    noun=_NOUN,
    scope="read",
    command="data verdicts",
    shown=ReplyTable(
        _VERDICT,
        _describe_day,
        "days",
        words=_VERDICT[1:],
        none="No days are checked yet: run luna data quality --site {site_id}.",
    ),
    terminal=TerminalForm(options=_DAYS),
)
def read_quality(
    call: CapabilityCall,
    site_id: SiteName,
    *,
    from_day: FromDay = None,
    to_day: ToDay = None,
    limit: Limit = 100,
    cursor: Cursor = None,
) -> QualityList:
    """List the quality of days.

    Return each local day's verdict: clean, mask_battery (ignore the battery) or exclude (ignore the
    day), and why.
    """
    after = read_text(cursor)
    judged = quality.read(
        call.connection, site_id, from_day or date(1800, 1, 1), to_day or date(3000, 1, 1)
    )
    following_days = [day for day in judged if after is None or day.day.isoformat() > after]
    page, following = cut_page(following_days, limit=limit, key=lambda day: (day.day.isoformat(),))
    return QualityList(days=page, cursor=following)


@capability(
    "POST",
    f"{_PATH}/quality",
    command="data quality",
    shown=_show_judged,
    terminal=TerminalForm(options=_DAYS),
    noun=_NOUN,
    scope="data",
    status=202,
)
def judge_quality(
    call: CapabilityCall, site_id: SiteName, days: HistoryDays
) -> JudgeQualityRequest:
    """Check the quality of days.

    Check local days again as a job. Training and scores leave excluded days out.
    """
    sites.key_of(call.connection, site_id)
    return JudgeQualityRequest(site_id=site_id, from_day=days.from_day, to_day=days.to_day)


@capability(
    "GET",
    f"{_PATH}/gaps",
    noun=_NOUN,
    scope="read",
    command="data gaps",
    shown=ReplyTable(
        ("series", "first", "last", "slots"),
        _describe_gap,
        "gaps",
        words=("first", "last"),
        none="There are no gaps.",
    ),
)
def list_gaps(
    _: CapabilityCall,
    site_id: SiteName,
    *,
    first: Begin,
    end: End,
    limit: Limit = 100,
    cursor: Cursor = None,
) -> FindGapsRequest:
    """List gaps.

    Return the periods in which a series of the site is unknown.
    """
    require_window(first, end, longest=LONGEST)
    return FindGapsRequest(site_id=site_id, first=first, end=end, limit=limit, cursor=cursor)


@capability(
    "POST",
    f"{_PATH}/repairs",
    command="data repair",
    shown=_show_repairs,
    terminal=TerminalForm(options=_DAYS),
    noun=_NOUN,
    scope="data",
    status=202,
)
def repair_data(call: CapabilityCall, site_id: SiteName, order: RepairOrder) -> RepairRequest:
    """Repair recorded data.

    Replace zero prices that stand for missing ones, and fill short gaps, as a job. The old values
    are kept.
    """
    sites.key_of(call.connection, site_id)
    return RepairRequest(site_id=site_id, **dict(order))


@capability(
    "POST",
    f"{_PATH}/backfills",
    command="data backfill",
    shown=_show_backfill,
    noun=_NOUN,
    scope="data",
    status=202,
)
def backfill(call: CapabilityCall, site_id: SiteName, window: HistoryWindow) -> BackfillRequest:
    """Import history from Home Assistant.

    Read past values of the site's sensors from Home Assistant as a job and build the quarter-hours.
    An interrupted import continues.
    """
    require_window(window.from_, window.to, longest=LONGEST)
    sites.key_of(call.connection, site_id)
    return BackfillRequest(site_id=site_id, first=window.from_, end=window.to)


@capability(
    "POST",
    f"{_PATH}/verifications",
    command="data verify",
    shown=ReplyTable(
        ("day", "series", "source", "stored", "kWh", "%", "hours", ""),
        _describe_comparison,
        "days",
        words=("series", ""),
    ),
    terminal=TerminalForm(options=_DAYS),
    noun=_NOUN,
    scope="data",
    status=202,
)
def verify_data(call: CapabilityCall, site_id: SiteName, days: HistoryDays) -> VerifyRequest:
    """Compare recorded data with Home Assistant.

    Compare the quarter-hours with Home Assistant's statistics as a job, by local day.
    """
    sites.key_of(call.connection, site_id)
    return VerifyRequest(site_id=site_id, from_day=days.from_day, to_day=days.to_day)


CAPABILITIES = (
    build_slots,
    read_quality,
    judge_quality,
    list_gaps,
    repair_data,
    backfill,
    verify_data,
)
