"""Instants by a clock, of any zone and any time."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from luna.energy.errors import InvalidInputError
from luna.energy.timeline import local_midnight, parse_instant

ZONES = (
    "Europe/Berlin",
    "America/St_Johns",
    "Australia/Adelaide",
    "Australia/Lord_Howe",
    "Asia/Beirut",
    "America/Havana",
    "Asia/Kathmandu",
    "Pacific/Apia",
    "UTC",
)
FIRST = datetime(2000, 1, 1, tzinfo=UTC)
instants = st.integers(0, 37 * 365 * 1440).map(lambda minutes: FIRST + timedelta(minutes=minutes))
zones = st.sampled_from(ZONES).map(ZoneInfo)


def comes_once(instant: datetime, zone: ZoneInfo) -> bool:
    """Return whether no other instant within a day has the same time of the clock."""
    shown = instant.astimezone(zone).replace(tzinfo=None)
    around = (instant + timedelta(minutes=minutes) for minutes in range(-180, 181, 15) if minutes)
    return all(other.astimezone(zone).replace(tzinfo=None) != shown for other in around)


@given(instants, zones)
def test_what_the_clock_shows_is_read_back_or_refused_where_it_shows_it_twice(
    instant: datetime, zone: ZoneInfo
) -> None:
    local = instant.astimezone(zone)
    assert parse_instant(local.isoformat(), field="at", zone=zone) == instant
    written = f"{local:%Y-%m-%d %H:%M}"
    if comes_once(instant, zone):
        assert parse_instant(written, field="at", zone=zone) == instant
    else:
        with pytest.raises(InvalidInputError, match="twice") as caught:
            parse_instant(written, field="at", zone=zone)
        assert local.isoformat() in str(caught.value.remedy)


@given(instants, zones)
def test_a_day_begins_no_later_than_any_of_its_times_and_just_after_the_day_before(
    instant: datetime, zone: ZoneInfo
) -> None:
    day = instant.astimezone(zone).date()
    begin = parse_instant(day.isoformat(), field="at", zone=zone)
    assert begin == local_midnight(day, zone) <= instant
    assert begin.astimezone(zone).date() == day
    assert (begin - timedelta(microseconds=1)).astimezone(zone).date() < day
