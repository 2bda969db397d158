"""The year that goes on for ever."""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from luna.energy.timeline import SLOT, Timeline, local_days, local_offsets
from luna.simulated_home.recorded_year import RecordedYear

ZONE = ZoneInfo("Europe/Amsterdam")
SLOTS = local_days(date(2023, 1, 1), date(2023, 12, 31), ZONE)


@pytest.fixture(scope="module")
def year() -> RecordedYear:
    # Each quarter-hour holds what the clock showed, in quarter-hours since Sunday, 1 January 2023.
    shown = (
        (SLOTS.starts + local_offsets(SLOTS.starts, ZONE)) - np.datetime64("2023-01-01", "s")
    ) / np.timedelta64(SLOT)
    return RecordedYear.of(SLOTS.starts, ZONE, load_kwh=shown, pv_kwh=shown, price=shown)


def test_each_slot_keeps_weekday_time_of_day_and_season(year: RecordedYear) -> None:
    for day in (
        datetime(2026, 11, 25, 22, 45, tzinfo=UTC),
        datetime(2027, 3, 28, 12, tzinfo=UTC),
        datetime(2028, 2, 29, 0, tzinfo=UTC),
    ):
        lived = Timeline(day, SLOT, 192)
        recorded = year.load_kwh[year.rows_of(lived.starts)]
        local = [instant.astimezone(ZONE) for instant in lived]
        assert recorded % (96 * 7) == pytest.approx(
            [((each.weekday() + 1) % 7) * 96 + each.hour * 4 + each.minute // 15 for each in local]
        )
        days_off = (recorded[0] // 96 - (local[0].timetuple().tm_yday - 1) + 182) % 364 - 182
        assert abs(days_off) <= 6


def test_the_hour_that_the_clock_skipped_repeats_the_one_before(year: RecordedYear) -> None:
    # On 26 March 2023 the clock went from 2:00 to 3:00; 364 days later, 24 March 2024, it did not.
    skipped = Timeline(datetime(2024, 3, 24, 1, tzinfo=UTC), SLOT, 4)
    assert np.isfinite(year.load_kwh[year.rows_of(skipped.starts)]).all()
    before = year.load_kwh[year.rows_of(np.array([np.datetime64("2024-03-24T00:45:00", "s")]))]
    assert (year.load_kwh[year.rows_of(skipped.starts)] == before).all()


def test_it_is_read_as_it_was_written(year: RecordedYear, tmp_path: Path) -> None:
    year.save(tmp_path / "year.npz")
    again = RecordedYear.load(tmp_path / "year.npz")
    starts = Timeline(datetime(2026, 6, 1, tzinfo=UTC), SLOT, int(timedelta(days=30) / SLOT)).starts
    assert (again.price[again.rows_of(starts)] == year.price[year.rows_of(starts)]).all()
