"""The country that a time zone is named after."""

import pytest

from luna.energy.zone_country import find_country, is_southern_zone


@pytest.mark.parametrize(
    ("zone", "country"),
    [
        ("Europe/Amsterdam", "NL"),
        ("America/Los_Angeles", "US"),
        ("America/Toronto", "CA"),
        ("Australia/Adelaide", "AU"),
        ("UTC", None),
    ],
)
def test_a_time_zone_is_of_a_country_or_of_none(zone: str, country: str | None) -> None:
    assert find_country(zone) == country


@pytest.mark.parametrize(
    ("zone", "southern"),
    [
        ("Australia/Sydney", True),
        ("Africa/Johannesburg", True),
        ("America/Sao_Paulo", True),
        ("America/New_York", False),
        ("Asia/Kolkata", False),
        ("UTC", False),
    ],
)
def test_a_time_zone_lies_where_its_place_does(zone: str, *, southern: bool) -> None:
    assert is_southern_zone(zone) == southern
