"""What a run knows of its grid."""

import numpy as np
import pytest

from services.edge.clean_share import DAY_SLOTS, YEAR_SLOTS, draw_clean_share
from services.edge.simulation.grid_period import GridPeriod
from tests.support.suite.tables import each_row

YEAR = draw_clean_share("NY")


@each_row("begin", [0, 100, 5 * DAY_SLOTS, 60 * DAY_SLOTS])
def test_what_is_expected_is_what_the_whole_year_expects(begin: int) -> None:
    period = GridPeriod.cut(YEAR, begin, 400)
    expected = YEAR.expect(begin + np.arange(400), 12, step_minutes=30)
    assert period.expect(12, step_minutes=30) == pytest.approx(expected, abs=1e-9)


def test_the_quantile_of_the_last_day_is_a_value_of_the_last_day() -> None:
    period = GridPeriod.cut(YEAR, 60 * DAY_SLOTS, 300)
    quantile = period.recent_quantile(0.7, hours=24)
    # Of 288 values in order, seven tenths (201.6) lie before the one at place 201.
    days = [
        np.sort(YEAR.share[slot - 287 : slot + 1])[201] for slot in 60 * DAY_SLOTS + np.arange(300)
    ]
    assert quantile.tolist() == days


def test_a_period_beyond_the_years_end_begins_earlier() -> None:
    assert GridPeriod.cut(YEAR, YEAR_SLOTS - 10, 100).begin == YEAR_SLOTS - 100


def test_a_period_survives_its_journey_as_plain_values() -> None:
    period = GridPeriod.cut(YEAR, 9000, 30)
    again = GridPeriod.from_json(period.to_json())
    assert (again.location, again.measured, again.begin, again.past) == (
        "NY",
        False,
        9000,
        7 * DAY_SLOTS,
    )
    assert np.array_equal(again.share, period.share)
