from datetime import date, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from luna.timeline import local_days
from services.ingest.querying import find_buckets, reduce_buckets

BERLIN = ZoneInfo("Europe/Berlin")


def test_days_are_local_days_of_92_96_or_100_slots() -> None:
    timeline = local_days(date(2024, 3, 30), date(2024, 4, 1), BERLIN)
    begins = find_buckets(timeline.starts, timedelta(days=1), BERLIN)
    assert np.diff(begins, append=timeline.count).tolist() == [96, 92, 96]
    timeline = local_days(date(2024, 10, 27), date(2024, 10, 28), BERLIN)
    assert find_buckets(timeline.starts, timedelta(days=1), BERLIN).tolist() == [0, 100]


@pytest.mark.parametrize(
    ("aggregate", "expected"),
    [("sum", [10.0, np.nan, np.nan]), ("mean", [2.5, 6.0, np.nan]), ("min", [1.0, 5.0, np.nan]), ("max", [4.0, 7.0, np.nan])],
)
def test_what_is_unknown_is_never_zero(aggregate: str, expected: list[float]) -> None:
    values = np.array([1.0, 2.0, 3.0, 4.0, 5.0, np.nan, 7.0, np.nan, np.nan, np.nan, np.nan, np.nan])
    reduced, known = reduce_buckets(values, np.array([0, 4, 8]), aggregate)
    np.testing.assert_array_equal(reduced, expected)
    assert known.tolist() == [1.0, 0.5, 0.0]
