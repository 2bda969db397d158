"""How long the sun still shines at a steered site."""

import math
from datetime import UTC, date, datetime

import pytest

from luna.energy.site import Site, parse_site
from services.steering.sun_left import SunLeft

DAY = date(2026, 6, 21)
NOON = datetime(2026, 6, 21, 12, tzinfo=UTC)
BERLIN = {"latitude": 52.52, "longitude": 13.41}
SVALBARD = {"latitude": 78.2, "longitude": 15.6}


def make_site(**parts: object) -> Site:
    return parse_site({"name": "home", "timezone": "Europe/Berlin"} | parts)


def test_the_sun_is_left_until_it_sets_and_unknown_without_a_location() -> None:
    sun = SunLeft()
    site = make_site(location=BERLIN)
    # It sets at 19:33 UTC.
    assert sun.find_hours_left(site, DAY, NOON) == pytest.approx(7.55, abs=0.1)
    assert sun.find_hours_left(site, DAY, NOON.replace(hour=21)) == 0.0
    assert math.isnan(sun.find_hours_left(make_site(), DAY, NOON))


def test_a_polar_day_ends_with_the_day_and_a_polar_night_has_no_sun() -> None:
    site = make_site(location=SVALBARD)
    assert SunLeft().find_hours_left(site, DAY, NOON) == pytest.approx(10.0, abs=0.1)
    winter = NOON.replace(month=12)
    assert SunLeft().find_hours_left(site, winter.date(), winter) == 0.0
