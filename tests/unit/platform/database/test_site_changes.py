"""Which time zones are one clock."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from luna.platform.database.site_changes import is_same_clock
from tests.support.suite.tables import each_row

FIRST = datetime(2024, 1, 1, tzinfo=UTC)
END = datetime(2026, 1, 1, tzinfo=UTC)


@each_row(
    ("one", "other", "expected"),
    [
        ("Europe/Berlin", "Europe/Vienna", True),
        ("Europe/Berlin", "Europe/London", False),
        # In winter they are the same.
        ("Europe/Berlin", "Africa/Lagos", False),
        ("UTC", "Etc/UTC", True),
    ],
)
def test_zones_that_show_the_same_time_all_year_are_one_clock(
    one: str, other: str, expected: bool
) -> None:
    assert is_same_clock(ZoneInfo(one), ZoneInfo(other), first=FIRST, end=END) is expected
