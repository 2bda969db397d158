from datetime import date, timedelta

import numpy as np
import pytest

from luna.platform.site_country import find_country
from services.forecaster.inputs.frame import DaysOff
from services.forecaster.inputs.public_holidays import EPOCH, list_holidays
from tests.support.household.measurements import describe_site


def mark(first: date, last: date, **changes: object) -> tuple[list[date], list[date]]:
    """Holidays and bridge days from one day to another, at noon."""
    days = np.arange((first - EPOCH).days, (last - EPOCH).days + 1)
    off = DaysOff.of(days, describe_site(**changes))
    return tuple(
        [EPOCH + timedelta(int(day)) for day in days[marked]]
        for marked in (off.holiday, off.bridge)
    )


def test_holidays_are_those_of_the_time_zones_country() -> None:
    holidays, _ = mark(date(2024, 4, 25), date(2024, 5, 12))
    assert holidays == [date(2024, 5, 1), date(2024, 5, 9)]  # Labour Day, Ascension


def test_a_site_may_name_country_and_region() -> None:
    assert mark(date(2024, 10, 30), date(2024, 11, 2), country="DE", region="BY")[0] == [
        date(2024, 11, 1)
    ]
    assert mark(date(2024, 10, 30), date(2024, 11, 2), country="DE", region="BE")[0] == []
    assert mark(date(2024, 7, 3), date(2024, 7, 5), country="US")[0] == [date(2024, 7, 4)]


def test_a_working_day_between_a_holiday_and_a_weekend_is_a_bridge() -> None:
    # Ascension is a Thursday; Labour Day 2024 was a Wednesday and bridges nothing.
    assert mark(date(2024, 4, 25), date(2024, 5, 12))[1] == [date(2024, 5, 10)]
    # Also where its neighbours are not asked for
    assert mark(date(2024, 5, 10), date(2024, 5, 10))[1] == [date(2024, 5, 10)]


def test_the_turn_of_the_year_is_no_edge() -> None:
    assert mark(date(2024, 12, 31), date(2025, 1, 1))[0] == [date(2025, 1, 1)]


@pytest.mark.parametrize(
    ("zone", "country"), [("Europe/Amsterdam", "NL"), ("America/Los_Angeles", "US"), ("UTC", None)]
)
def test_a_time_zone_is_of_a_country_or_of_none(zone: str, country: str | None) -> None:
    assert find_country(zone) == country


def test_where_country_or_region_are_unknown_there_is_less_to_say_and_no_error() -> None:
    assert list_holidays(None, None, 2024) == list_holidays("QQ", None, 2024) == ()
    assert list_holidays("DE", "XX", 2024) == list_holidays("DE", None, 2024)
