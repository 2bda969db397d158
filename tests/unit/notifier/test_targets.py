"""Targets as the settings name them, and quiet hours of a site's own clock."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from luna.energy.errors import InvalidInputError
from luna.platform.settings import Settings
from services.notifier.notification import quiet_until
from services.notifier.targets import open_targets
from tests.support.suite.tables import each_row

BERLIN = ZoneInfo("Europe/Berlin")


@each_row(
    ("text", "said"),
    [
        ("nonsense", "line 1 is no target"),
        ("json://localhost\nsoon=json://localhost", "line 2 names no event"),
        ("nothing://password@here", "line 1 is no URL"),
        ("plan;device=json://localhost", "line 1 is no target"),
    ],
)
def test_a_line_that_is_no_target_is_named_by_its_number_alone(text: str, said: str) -> None:
    with pytest.raises(InvalidInputError, match=said) as refused:
        open_targets(Settings(notify_urls=text))
    assert "password" not in str(refused.value)


def test_lines_comments_and_events_are_read_as_apprise_writes_them() -> None:
    targets = open_targets(
        Settings(notify_urls="# mail\nplan, device=json://a:secret@localhost/?x=1;json://localhost")
    )
    assert [target.events for target in targets] == [
        ("plan", "device"),
        ("plan", "device", "prices", "saving"),
    ]
    assert "secret" not in repr(targets)


def test_faults_of_the_installation_go_to_those_alone_who_ask() -> None:
    targets = open_targets(Settings(notify_urls="system=json://a\nplan,system=json://b\njson://c"))
    assert [target.label for target in targets if "system" in target.events] == [
        "json://a/",
        "json://b/",
    ]


def test_without_targets_there_are_none() -> None:
    assert open_targets(Settings()) == []


@each_row(
    ("now", "until"),
    [
        ("2024-02-01T21:59+01:00", None),
        ("2024-02-01T22:00+01:00", "2024-02-02T07:00+01:00"),
        ("2024-02-02T06:59+01:00", "2024-02-02T07:00+01:00"),
        ("2024-02-02T07:00+01:00", None),
        # The night that is an hour shorter, and the one that is longer.
        ("2024-03-30T23:00+01:00", "2024-03-31T07:00+02:00"),
        ("2024-10-27T02:30+01:00", "2024-10-27T07:00+01:00"),
    ],
)
def test_quiet_hours_are_those_of_the_site(now: str, until: str | None) -> None:
    expected = datetime.fromisoformat(until) if until else None
    assert quiet_until(datetime.fromisoformat(now), "22:00-07:00", BERLIN) == expected


@given(st.integers(0, 20 * 365 * 24 * 60), st.times(), st.times())
def test_quiet_hours_end_within_a_day_and_are_over_then(
    minutes: int, first: object, last: object
) -> None:
    hours = f"{first:%H:%M}-{last:%H:%M}"
    instant = datetime(2015, 1, 1, tzinfo=UTC) + timedelta(minutes=minutes)
    until = quiet_until(instant, hours, BERLIN)
    assert until is None or instant < until <= instant + timedelta(hours=25)


def test_off_is_never() -> None:
    assert quiet_until(datetime(2024, 2, 1, 23, tzinfo=UTC), "off", BERLIN) is None
