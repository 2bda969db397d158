from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from luna.energy.buckets import end_of_page, find_buckets, reduce_buckets, thin
from luna.energy.errors import InvalidInputError
from luna.energy.timeline import local_days
from tests.support.suite.tables import each_row

BERLIN = ZoneInfo("Europe/Berlin")


def test_days_are_local_days_of_92_96_or_100_slots() -> None:
    timeline = local_days(date(2024, 3, 30), date(2024, 4, 1), BERLIN)
    begins = find_buckets(timeline.starts, timedelta(days=1), BERLIN)
    assert np.diff(begins, append=timeline.count).tolist() == [96, 92, 96]
    timeline = local_days(date(2024, 10, 27), date(2024, 10, 28), BERLIN)
    assert find_buckets(timeline.starts, timedelta(days=1), BERLIN).tolist() == [0, 100]


def test_days_of_a_zone_half_an_hour_off_begin_at_its_midnights() -> None:
    adelaide = ZoneInfo("Australia/Adelaide")
    timeline = local_days(date(2024, 10, 5), date(2024, 10, 7), adelaide)
    begins = find_buckets(timeline.starts, timedelta(days=1), adelaide)
    assert np.diff(begins, append=timeline.count).tolist() == [96, 92, 96]
    # Nine and a half hours before midnight in UTC.
    assert timeline.start == datetime(2024, 10, 4, 14, 30, tzinfo=UTC)


@each_row(
    ("aggregate", "expected"),
    [
        ("sum", [10.0, np.nan, np.nan]),
        ("mean", [2.5, 6.0, np.nan]),
        ("min", [1.0, 5.0, np.nan]),
        ("max", [4.0, 7.0, np.nan]),
    ],
)
def test_what_is_unknown_is_never_zero(aggregate: str, expected: list[float]) -> None:
    values = np.array(
        [1.0, 2.0, 3.0, 4.0, 5.0, np.nan, 7.0, np.nan, np.nan, np.nan, np.nan, np.nan]
    )
    reduced, known = reduce_buckets(values, np.array([0, 4, 8]), aggregate)
    np.testing.assert_array_equal(reduced, expected)
    assert known.tolist() == [1.0, 0.5, 0.0]


def test_a_thinned_curve_keeps_its_extremes_and_its_gaps() -> None:
    values = np.sin(np.arange(10_000) / 50)
    values[[17, 8_123]] = [9.0, -9.0]
    values[4_000:4_003] = np.nan
    kept = values[thin(values, 60)]
    assert kept.size <= 60
    assert (np.nanmax(kept), np.nanmin(kept)) == (9.0, -9.0)
    assert np.isnan(kept).sum() == 1


def test_a_stretch_of_which_nothing_is_known_stays_a_gap() -> None:
    values = np.concatenate([np.ones(50), np.full(50, np.nan)])
    assert np.isnan(values[thin(values, 6)]).tolist() == [False, True]


def test_a_short_curve_is_kept_whole_and_two_points_are_no_curve() -> None:
    assert thin(np.array([1.0, np.nan, 3.0]), 3).tolist() == [0, 1, 2]
    with pytest.raises(InvalidInputError, match="points"):
        thin(np.ones(10), 2)


@each_row(
    ("resolution", "most", "expected"),
    [
        ("15m", 3, "2024-03-30T13:00"),
        ("1h", 2, "2024-03-30T14:00"),
        ("1d", 2, "2024-03-31T22:00"),
        ("1d", 9, "2024-04-02T12:20"),
    ],
)
def test_a_page_ends_with_a_bucket_or_with_the_window(
    resolution: str, most: int, expected: str
) -> None:
    # On 31 March 2024 the local day ends at 22:00 UTC.
    first = datetime(2024, 3, 30, 12, 20, tzinfo=UTC)
    end = end_of_page(
        first, datetime(2024, 4, 2, 12, 20, tzinfo=UTC), resolution, zone=BERLIN, most=most
    )
    assert end.strftime("%Y-%m-%dT%H:%M") == expected
