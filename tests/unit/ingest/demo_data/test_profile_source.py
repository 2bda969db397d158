"""SimBench's year and clock, moved onto the year of the prices."""

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from luna.energy.errors import InvalidInputError
from luna.energy.timeline import SLOT, Timeline, local_dates, local_day, local_days
from services.ingest.demo_data.sources import (
    CLOCK,
    PROFILE_ZONE,
    SHIFT,
    decode_clock,
    fit_to_year,
    scale_to_year,
)

YEAR_2016 = local_days(date(2016, 1, 1), date(2016, 12, 31), PROFILE_ZONE)
YEAR_2023 = local_days(date(2023, 1, 1), date(2023, 12, 31), ZoneInfo("Europe/Amsterdam"))


def clock_of(slots: Timeline) -> list[str]:
    return [instant.astimezone(PROFILE_ZONE).strftime(CLOCK) for instant in slots]


@pytest.mark.parametrize(
    ("day", "slots", "twos"),
    [(date(2016, 3, 27), 92, 0), (date(2016, 7, 1), 96, 4), (date(2016, 10, 30), 100, 8)],
    ids=["skipped hour", "ordinary day", "repeated hour"],
)
def test_reads_the_german_clock_through_its_changes(day: date, slots: int, twos: int) -> None:
    timeline = local_day(day, PROFILE_ZONE)
    labels = clock_of(timeline)
    assert (
        len(labels),
        sum(label.endswith(("02:00", "02:15", "02:30", "02:45")) for label in labels),
    ) == (slots, twos)
    np.testing.assert_array_equal(decode_clock(labels), timeline.starts)


def test_refuses_a_clock_that_jumps() -> None:
    labels = clock_of(local_day(date(2016, 7, 1), PROFILE_ZONE))
    labels[10] = labels[11]
    with pytest.raises(InvalidInputError, match=r"time\[10\]"):
        decode_clock(labels)


def test_weekday_and_clock_of_every_slot_stay_and_the_season_moves_by_three_days_at_most() -> None:
    hours = np.arange(YEAR_2016.count, dtype=np.float64)
    origin = fit_to_year(YEAR_2016.starts, hours, YEAR_2023)
    came_from = [(YEAR_2016.start + int(row) * SLOT).astimezone(PROFILE_ZONE) for row in origin]
    shown = [instant.astimezone(PROFILE_ZONE) for instant in YEAR_2023]
    assert [(then.weekday(), then.time()) for then in came_from] == [
        (now.weekday(), now.time()) for now in shown
    ]
    season = [
        abs(then.timetuple().tm_yday - now.timetuple().tm_yday)
        for then, now in zip(came_from, shown, strict=True)
    ]
    assert max(min(days, 365 - days) for days in season) <= 3


def test_short_and_long_day_of_both_years_fall_on_each_other() -> None:
    lengths = {
        day: local_day(day, PROFILE_ZONE).count for day in (date(2023, 3, 26), date(2023, 10, 29))
    }
    assert lengths == {date(2023, 3, 26): 92, date(2023, 10, 29): 100}
    assert [local_day(day - SHIFT, PROFILE_ZONE).count for day in lengths] == [92, 100]


def test_the_last_day_repeats_the_third_of_january() -> None:
    days = np.array(
        [day.toordinal() for day in local_dates(YEAR_2016, PROFILE_ZONE)], dtype=np.float64
    )
    fitted = fit_to_year(YEAR_2016.starts, days, YEAR_2023)
    assert {date.fromordinal(int(day)) for day in fitted[-96:]} == {date(2016, 1, 3)}
    assert YEAR_2023.start == datetime(2022, 12, 31, 23, tzinfo=UTC)


def test_scaled_energies_sum_to_the_year() -> None:
    assert scale_to_year(np.array([1.0, 3.0]), 4000).tolist() == [1000.0, 3000.0]
