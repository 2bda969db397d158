"""The slot grid over every clock change of 2015–2035 in five zones: one is half an hour off, one
shifts by half an hour.
"""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from luna.energy.errors import InvalidInputError
from luna.energy.timeline import (
    SLOT,
    STEPS,
    Timeline,
    align,
    floor_to,
    hold_price,
    local_dates,
    local_day,
    local_days,
    local_midnight,
    local_offsets,
    parse_instant,
    parse_zone,
    repeat_last,
    require_utc,
    spread_energy,
)
from luna.platform.clock import FixedClock, SystemClock
from tests.support.suite.depth import draws
from tests.support.suite.tables import each_row

HOUR = timedelta(hours=1)
HALF_HOUR = timedelta(minutes=30)
DAY = timedelta(days=1)
HOURLY_ZONES = ("Europe/Berlin", "Europe/Stockholm", "America/Los_Angeles", "Australia/Adelaide")
HALF_HOURLY_ZONES = ("Australia/Lord_Howe",)
ZONES = HOURLY_ZONES + HALF_HOURLY_ZONES
START = datetime(2024, 2, 1, tzinfo=UTC)

Change = tuple[str, date]


def offset_at_midnight(day: date, zone: ZoneInfo) -> timedelta | None:
    return datetime(day.year, day.month, day.day, tzinfo=zone).utcoffset()


def changes(zones: tuple[str, ...]) -> list[Change]:
    """Every local day of 2015–2035 that begins and ends with different offsets, read from the zone
    itself.
    """
    days = [
        date(2015, 1, 1) + number * DAY
        for number in range((date(2036, 1, 1) - date(2015, 1, 1)).days)
    ]
    return [
        (name, day)
        for name in zones
        for day in days
        if offset_at_midnight(day, ZoneInfo(name)) != offset_at_midnight(day + DAY, ZoneInfo(name))
    ]


def describe(change: Change) -> str:
    return f"{change[0]} {change[1]}"


HOURLY = changes(HOURLY_ZONES)
HALF_HOURLY = changes(HALF_HOURLY_ZONES)
ALL = HOURLY + HALF_HOURLY
every_change = each_row("change", ALL, ids=describe)


def test_each_zone_changes_its_clock_twice_a_year() -> None:
    # 21 years × 2 changes × 5 zones; a shorter list would leave days untested.
    assert len(ALL) == 21 * 2 * 5


@each_row(
    ("zone", "day", "slots"),
    [
        ("Europe/Berlin", date(2024, 3, 31), 92),
        ("Europe/Berlin", date(2024, 10, 27), 100),
        ("Europe/Berlin", date(2024, 6, 1), 96),
        ("Europe/Stockholm", date(2035, 3, 25), 92),
        ("America/Los_Angeles", date(2015, 11, 1), 100),
        ("Australia/Adelaide", date(2024, 10, 6), 92),
        ("Australia/Adelaide", date(2024, 4, 7), 100),
        ("Australia/Darwin", date(2024, 10, 6), 96),
        ("Asia/Kolkata", date(2024, 6, 1), 96),
        ("Australia/Lord_Howe", date(2024, 10, 6), 94),
        ("Australia/Lord_Howe", date(2024, 4, 7), 98),
    ],
)
def test_known_days_have_their_known_length(zone: str, day: date, slots: int) -> None:
    assert local_day(day, ZoneInfo(zone)).count == slots


@every_change
def test_a_day_is_as_long_as_its_clock_change_says(change: Change) -> None:
    zone = ZoneInfo(change[0])
    day = change[1]
    before = offset_at_midnight(day, zone)
    after = offset_at_midnight(day + DAY, zone)
    assert before is not None
    assert after is not None
    assert local_day(day, zone).count == (DAY - (after - before)) // SLOT


@pytest.mark.parametrize(
    ("found", "lengths"), [(HOURLY, {92, 100}), (HALF_HOURLY, {94, 98})], ids=["hour", "half hour"]
)
def test_days_of_a_change_have_two_lengths_only(found: list[Change], lengths: set[int]) -> None:
    assert {local_day(day, ZoneInfo(zone)).count for zone, day in found} == lengths


@every_change
def test_days_around_a_change_join_without_gap_or_overlap(change: Change) -> None:
    zone = ZoneInfo(change[0])
    day = change[1]
    before, changed, after = (local_day(day + shift * DAY, zone) for shift in (-1, 0, 1))
    together = local_days(day - DAY, day + DAY, zone)
    np.testing.assert_array_equal(
        np.concatenate([before.starts, changed.starts, after.starts]), together.starts
    )
    assert (before.end, changed.end) == (changed.start, after.start)
    assert (before.count, after.count) == (96, 96)


@every_change
def test_every_slot_of_a_day_lies_on_that_local_date(change: Change) -> None:
    zone = ZoneInfo(change[0])
    day = change[1]
    assert set(local_dates(local_day(day, zone), zone)) == {day}
    assert (local_midnight(day, zone) - timedelta(seconds=1)).astimezone(zone).date() == day - DAY


@every_change
def test_offsets_agree_with_the_zone_in_every_slot(change: Change) -> None:
    zone = ZoneInfo(change[0])
    day = change[1]
    timeline = local_days(day - DAY, day + DAY, zone, timedelta(minutes=5))
    expected = [instant.astimezone(zone).utcoffset() for instant in timeline]
    assert local_offsets(timeline.starts, zone).tolist() == expected


@every_change
def test_offsets_agree_where_instants_are_far_apart_and_out_of_order(change: Change) -> None:
    zone = ZoneInfo(change[0])
    midnight = local_midnight(change[1], zone)
    shifts = (timedelta(hours=30), -400 * DAY, timedelta(hours=-1), 4000 * DAY, timedelta(hours=3))
    instants = [midnight + shift for shift in shifts]
    starts = np.array([instant.replace(tzinfo=None) for instant in instants], "datetime64[us]")
    expected = [instant.astimezone(zone).utcoffset() for instant in instants]
    assert local_offsets(starts, zone).tolist() == expected
    assert local_offsets(starts[:0], zone).size == 0


@every_change
@each_row("step", [timedelta(minutes=5), SLOT, HALF_HOUR], ids=str)
def test_shorter_grids_cover_the_same_day(change: Change, step: timedelta) -> None:
    zone = ZoneInfo(change[0])
    day = change[1]
    timeline = local_day(day, zone, step)
    quarters = local_day(day, zone)
    assert (timeline.start, timeline.end) == (quarters.start, quarters.end)
    assert timeline.hours.sum() == pytest.approx(quarters.hours.sum())


@each_row("change", HOURLY, ids=describe)
def test_an_hourly_grid_covers_a_day_whose_clock_moves_by_an_hour(change: Change) -> None:
    zone = ZoneInfo(change[0])
    day = change[1]
    assert local_day(day, zone, HOUR).count in {23, 25}


@each_row("change", HALF_HOURLY, ids=describe)
def test_an_hourly_grid_refuses_a_day_whose_clock_moves_by_half_an_hour(change: Change) -> None:
    with pytest.raises(InvalidInputError) as caught:
        local_day(change[1], ZoneInfo(change[0]), HOUR)
    assert caught.value.reason == "slots-not-whole"
    assert (caught.value.field, caught.value.value) == ("slot_minutes", 60)


@settings(max_examples=draws(80), deadline=None)
@given(st.sampled_from(ZONES), st.dates(date(2015, 1, 1), date(2035, 12, 1)), st.integers(1, 30))
def test_any_run_of_days_is_the_sum_of_its_days(zone: str, first: date, days: int) -> None:
    place = ZoneInfo(zone)
    whole = local_days(first, first + (days - 1) * DAY, place)
    assert whole.count == sum(
        local_day(first + number * DAY, place).count for number in range(days)
    )
    assert local_dates(whole, place)[-1] == first + (days - 1) * DAY


@settings(max_examples=draws(100), deadline=None)
@given(
    st.sampled_from(STEPS),
    st.integers(1, 200),
    st.integers(0, 199),
    st.floats(0, 1, exclude_max=True),
)
def test_the_slot_of_an_instant_is_the_one_that_covers_it(
    step: timedelta, count: int, slot: int, part: float
) -> None:
    timeline = Timeline(START, step, count + slot)
    instant = START + slot * step + timedelta(seconds=int(part * step.total_seconds()))
    assert timeline.index_of(instant) == slot
    assert timeline.index_of(instant.astimezone(ZoneInfo("Australia/Lord_Howe"))) == slot


@pytest.mark.parametrize(
    "instant", [START - timedelta(seconds=1), START + HOUR], ids=["before", "at the end"]
)
def test_an_instant_outside_has_no_slot(instant: datetime) -> None:
    with pytest.raises(InvalidInputError, match="is not between"):
        Timeline(START, SLOT, 4).index_of(instant)


@settings(max_examples=draws(60), deadline=None)
@given(st.sampled_from(STEPS), st.integers(2, 100), st.data())
def test_a_window_holds_the_slots_it_names(
    step: timedelta, count: int, data: st.DataObject
) -> None:
    timeline = Timeline(START, step, count)
    first = data.draw(st.integers(0, count - 1))
    length = data.draw(st.integers(1, count - first))
    window = timeline.window(first, length)
    np.testing.assert_array_equal(window.starts, timeline.starts[first : first + length])
    assert list(window) == list(timeline)[first : first + length]
    assert len(window) == length


def test_only_the_window_at_the_start_has_begun() -> None:
    timeline = Timeline(START, SLOT, 8, first_step=timedelta(minutes=5))
    assert timeline.window(0, 4).hours.tolist() == pytest.approx([1 / 12, 0.25, 0.25, 0.25])
    assert timeline.window(1, 4).hours.tolist() == [0.25] * 4
    assert timeline.whole().hours.tolist() == [0.25] * 8
    assert timeline.end == START + 2 * HOUR


@settings(max_examples=draws(100), deadline=None)
@given(
    st.sampled_from(STEPS),
    st.integers(1, 12),
    st.integers(1, 60),
    st.tuples(st.integers(-90, 800), st.integers(-90, 800)),
)
def test_what_lies_between_two_instants_is_counted_by_the_minute(
    step: timedelta, count: int, left: int, span: tuple[int, int]
) -> None:
    first_step = min(timedelta(minutes=left), step)
    timeline = Timeline(START, step, count, first_step)
    minute = timedelta(minutes=1)
    begin, end = (START + minutes * minute for minutes in sorted(span))
    spans = [
        (START + slot * step + (slot == 0) * (step - first_step), START + (slot + 1) * step)
        for slot in range(count)
    ]
    lists = [
        [first + each * minute for each in range(int((last - first) / minute))]
        for first, last in spans
    ]
    inside = [[begin <= instant < end for instant in instants] for instants in lists]
    assert timeline.overlap_hours(begin, end).tolist() == pytest.approx(
        [sum(each) / 60 for each in inside]
    )
    assert timeline.within(begin, end).tolist() == [all(each) for each in inside]
    assert timeline.first_from(begin) == sum(instants[0] < begin for instants in lists)
    assert timeline.hours.tolist() == pytest.approx(
        (np.diff(timeline.edges) / np.timedelta64(1, "h")).tolist()
    )


@settings(max_examples=draws(100), deadline=None)
@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=50), st.integers(1, 12))
def test_spreading_energy_keeps_its_sum_and_holding_a_price_keeps_its_mean(
    values: list[float], factor: int
) -> None:
    series = np.array(values)
    spread = spread_energy(series, factor)
    held = hold_price(series, factor)
    assert spread.shape == held.shape == (series.size * factor,)
    np.testing.assert_allclose(
        spread.reshape(-1, factor).sum(axis=1), series, rtol=1e-12, atol=1e-12
    )
    np.testing.assert_array_equal(
        held.reshape(-1, factor), np.broadcast_to(series[:, None], (series.size, factor))
    )
    assert held.mean() == pytest.approx(series.mean(), rel=1e-9, abs=1e-6)


@settings(max_examples=draws(100), deadline=None)
@given(st.integers(1, 60), st.lists(st.integers(-5, 70), unique=True, max_size=40))
def test_aligning_puts_every_value_on_its_slot_and_nan_in_the_gaps(
    count: int, slots: list[int]
) -> None:
    timeline = Timeline(START, SLOT, count)
    places = np.array(sorted(slots), dtype=np.int64)
    starts = timeline.starts[0] + places * np.timedelta64(15, "m")
    aligned = align(starts, places.astype(float), timeline)
    inside = [place for place in places.tolist() if 0 <= place < count]
    assert np.flatnonzero(np.isfinite(aligned)).tolist() == inside
    assert aligned[inside].tolist() == inside


@pytest.mark.parametrize("minutes", [[0, 30, 15], [0, 15, 15]], ids=["unsorted", "doubled"])
def test_aligning_refuses_unsorted_and_doubled_slots(minutes: list[int]) -> None:
    starts = np.datetime64("2024-02-01T00:00:00", "s") + np.array(minutes) * np.timedelta64(1, "m")
    with pytest.raises(InvalidInputError, match="ascending") as caught:
        align(starts, np.ones(3), Timeline(START, SLOT, 4))
    assert (caught.value.field, caught.value.value) == ("slot_start[2]", "2024-02-01T00:15:00")
    assert caught.value.remedy


def test_aligning_refuses_a_value_that_begins_within_a_slot() -> None:
    starts = np.datetime64("2024-02-01T00:00:00", "s") + np.arange(3) * np.timedelta64(5, "m")
    with pytest.raises(InvalidInputError, match="begin") as caught:
        align(starts, np.ones(3), Timeline(START, SLOT, 4))
    assert (caught.value.field, caught.value.value) == ("slot_start[1]", "2024-02-01T00:05:00")


@settings(max_examples=draws(60), deadline=None)
@given(st.integers(1, 300), st.integers(1, 96), st.integers(1, 300))
def test_what_is_not_known_repeats_the_last_period(known: int, period: int, ahead: int) -> None:
    period = min(period, known)
    places = repeat_last(np.arange(known + ahead), known, period=period)
    assert places[:known].tolist() == list(range(known))
    assert places[known:].tolist() == [known - period + slot % period for slot in range(ahead)]


@each_row("step", STEPS, ids=str)
def test_a_grid_of_every_allowed_step_begins_and_ends_where_it_says(step: timedelta) -> None:
    timeline = Timeline(START, step, 10)
    assert timeline.starts[0] == np.datetime64("2024-02-01T00:00:00")
    assert timeline.starts[-1] == np.datetime64((timeline.end - step).replace(tzinfo=None))
    assert [floor_to(instant + step / 2, step) for instant in timeline] == list(timeline)


def test_a_start_in_local_time_is_kept_in_utc() -> None:
    timeline = Timeline(datetime(2024, 7, 1, tzinfo=ZoneInfo("Europe/Berlin")), SLOT, 1)
    assert (timeline.start, timeline.start.tzinfo) == (datetime(2024, 6, 30, 22, tzinfo=UTC), UTC)


@each_row(
    ("start", "step", "count", "field"),
    [
        (datetime(2024, 2, 1), SLOT, 4, "start"),  # noqa: DTZ001
        (datetime(2024, 2, 1, 0, 7, tzinfo=UTC), SLOT, 4, "start"),
        (datetime(2024, 2, 1, 0, 0, 0, 1, tzinfo=UTC), SLOT, 4, "start"),
        (START, timedelta(minutes=10), 4, "slot_minutes"),
        (START, timedelta(0), 4, "slot_minutes"),
        (START, SLOT, 0, "slots"),
    ],
    ids=["naive", "off the grid", "a microsecond", "ten minutes", "no length", "no slots"],
)
def test_a_wrong_timeline_is_refused_by_field(
    start: datetime, step: timedelta, count: int, field: str
) -> None:
    with pytest.raises(InvalidInputError) as caught:
        Timeline(start, step, count)
    assert caught.value.field == field


@pytest.mark.parametrize(
    "rest", [timedelta(0), timedelta(minutes=16)], ids=["nothing left", "longer than a slot"]
)
def test_what_remains_of_the_first_slot_lies_within_it(rest: timedelta) -> None:
    with pytest.raises(InvalidInputError) as caught:
        Timeline(START, SLOT, 4, first_step=rest)
    assert caught.value.field == "first_slot_minutes"


def test_a_naive_instant_is_refused_with_field_value_and_remedy() -> None:
    with pytest.raises(InvalidInputError, match="no offset") as caught:
        require_utc(datetime(2024, 2, 1), field="start")  # noqa: DTZ001
    assert (caught.value.field, caught.value.value) == ("start", "2024-02-01T00:00:00")
    assert caught.value.remedy
    with pytest.raises(InvalidInputError, match="no offset"):
        Timeline(START, SLOT, 4).index_of(datetime(2024, 2, 1))  # noqa: DTZ001


@each_row(
    ("text", "zone", "expected"),
    [
        ("2024-07-01T00:00:00Z", None, datetime(2024, 7, 1, tzinfo=UTC)),
        ("2024-07-01T00:00:00+02:00", None, datetime(2024, 6, 30, 22, tzinfo=UTC)),
        ("2024-07-01 00:00", "Europe/Berlin", datetime(2024, 6, 30, 22, tzinfo=UTC)),
        ("2024-07-01T00:00:00Z", "Europe/Berlin", datetime(2024, 7, 1, tzinfo=UTC)),
    ],
    ids=["UTC", "offset", "zone decides", "offset outranks the zone"],
)
def test_text_names_an_instant(text: str, zone: str | None, expected: datetime) -> None:
    assert parse_instant(text, field="at", zone=zone and ZoneInfo(zone)) == expected  # type: ignore[arg-type]


@each_row(
    "text",
    [
        "",
        "yesterday",
        "2024-02-30T00:00:00Z",
        "2024-02-01T00:00:00",
        "0001-01-01T00:00:00+14:00",
        "9999-12-31T23:59:59-12:00",
    ],
)
def test_text_that_names_no_instant_is_refused_by_field(text: str) -> None:
    with pytest.raises(InvalidInputError) as caught:
        parse_instant(text, field="at")
    assert caught.value.field == "at"


@each_row(
    "name",
    [
        "",
        "Europe",
        "Mars/Phobos",
        "../etc/passwd",
        "a\0b",
        "Europe/Berlin/x",
        "Europe/Berlin\n",
        "a" * 300,
    ],
)
def test_a_name_of_no_zone_is_refused_with_its_remedy(name: str) -> None:
    with pytest.raises(InvalidInputError, match="Europe/Berlin") as caught:
        parse_zone(name)
    assert (caught.value.field, caught.value.value) == ("timezone", name)


def test_clocks_tell_utc() -> None:
    assert SystemClock().now().tzinfo is UTC
    assert FixedClock(START).now() == START
