from datetime import timedelta

import numpy as np
import pytest

from luna.energy.errors import InvalidInputError
from luna.energy.resolution import from_quarter_hours, kind_of, quarter_hours
from luna.energy.timeline import SLOT, Timeline, parse_instant
from tests.support.suite.tables import each_row

HOUR = timedelta(hours=1)
START = parse_instant("2024-01-01T00:00:00Z", field="start")


@pytest.mark.parametrize(
    ("kind", "expected"),
    [("energy", [10.0, np.nan]), ("price", [2.5, np.nan]), ("state", [4.0, 8.0])],
    ids=["energy sums", "price averages", "state is the last"],
)
def test_an_hour_of_quarter_hours(kind: str, expected: list[float]) -> None:
    values = np.array([1.0, 2.0, 3.0, 4.0, 5.0, np.nan, 7.0, 8.0])
    np.testing.assert_array_equal(
        from_quarter_hours(values, Timeline(START, HOUR, 2), kind), expected
    )


def test_five_minutes_hold_a_third_of_their_quarter_hour() -> None:
    timeline = Timeline(START + timedelta(minutes=10), timedelta(minutes=5), 2)
    assert quarter_hours(timeline) == Timeline(START, SLOT, 2)
    np.testing.assert_allclose(
        from_quarter_hours(np.array([3.0, 6.0]), timeline, "energy"), [1.0, 2.0]
    )


def test_refuses_quarter_hours_that_begin_between_two() -> None:
    with pytest.raises(InvalidInputError, match="quarter-hour"):
        quarter_hours(Timeline(START + timedelta(minutes=5), SLOT, 2))


@each_row(
    ("series", "kind"),
    [
        ("load_kwh", "energy"),
        ("soc", "state"),
        ("import_price", "price"),
        ("carbon_g_per_kwh", "price"),
        ("temperature_c", "price"),
    ],
)
def test_the_name_of_a_series_says_how_it_changes_its_step(series: str, kind: str) -> None:
    assert kind_of(series) == kind
