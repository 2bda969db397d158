"""Instants as people are told them: by a clock with the name of its offset."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from luna.words import say_instant
from tests.support.suite.tables import each_row

BERLIN = ZoneInfo("Europe/Berlin")


@each_row(
    ("instant", "zone", "said"),
    [
        (datetime(2024, 2, 1, 13, tzinfo=UTC), BERLIN, "2024-02-01 14:00 CET"),
        (datetime(2024, 7, 1, 22, 30, tzinfo=UTC), BERLIN, "2024-07-02 00:30 CEST"),
        (datetime(2024, 2, 1, 13, tzinfo=UTC), UTC, "2024-02-01 13:00 UTC"),
        # Half an hour is what Lord Howe's clock moves by.
        (
            datetime(2024, 7, 1, 13, tzinfo=UTC),
            ZoneInfo("Australia/Lord_Howe"),
            "2024-07-01 23:30 +1030",
        ),
    ],
)
def test_an_instant_is_told_by_the_clock_of_its_zone(
    instant: datetime, zone: ZoneInfo, said: str
) -> None:
    assert say_instant(instant, zone) == said


def test_the_hour_that_comes_twice_is_told_apart_and_the_one_that_is_skipped_never_comes() -> None:
    autumn = datetime(2024, 10, 27, 0, 30, tzinfo=UTC)
    spring = datetime(2024, 3, 31, 0, 45, tzinfo=UTC)
    assert [say_instant(autumn + timedelta(hours=hours), BERLIN) for hours in range(2)] == [
        "2024-10-27 02:30 CEST",
        "2024-10-27 02:30 CET",
    ]
    assert [say_instant(spring + timedelta(minutes=15 * part), BERLIN) for part in range(2)] == [
        "2024-03-31 01:45 CET",
        "2024-03-31 03:00 CEST",
    ]


def test_seconds_are_told_where_they_matter() -> None:
    assert (
        say_instant(datetime(2024, 2, 1, 13, 0, 7, tzinfo=UTC), BERLIN, seconds=True)
        == "2024-02-01 14:00:07 CET"
    )
