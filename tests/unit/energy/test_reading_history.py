"""Where buckets of readings begin, and what is refused."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from luna.energy.buckets import cut
from luna.energy.errors import InvalidInputError
from luna.energy.reading_history import ReadingQuery
from tests.support.suite.tables import each_row

BERLIN = ZoneInfo("Europe/Berlin")
START = datetime(2024, 3, 30, 12, 20, tzinfo=UTC)


def test_buckets_begin_on_the_resolution_and_end_with_the_window() -> None:
    edges = cut(START, START + timedelta(hours=2), "1h", BERLIN)
    assert [edge.strftime("%H:%M") for edge in edges] == ["12:20", "13:00", "14:00", "14:20"]


def test_a_window_within_one_bucket_is_one() -> None:
    assert cut(START, START + timedelta(minutes=5), "1h", BERLIN) == [
        START,
        START + timedelta(minutes=5),
    ]


def test_days_are_the_sites_own() -> None:
    # On 31 March 2024 clocks go forward: the day from 23:00 to 22:00 UTC has 23 hours.
    edges = cut(START, START + timedelta(days=2), "1d", BERLIN)
    assert [edge.strftime("%d %H:%M") for edge in edges] == [
        "30 12:20",
        "30 23:00",
        "31 22:00",
        "01 12:20",
    ]


def test_more_buckets_than_anyone_reads_are_refused() -> None:
    with pytest.raises(InvalidInputError, match="resolution"):
        cut(START, START + timedelta(days=2000), "15m", BERLIN)


@each_row(
    ("options", "field"),
    [
        ({"aggregate": "sum"}, "aggregate"),
        ({"aggregate": "increase", "resolution": "2h"}, "resolution"),
        ({"resolution": "1h"}, "resolution"),
        ({"aggregate": "shape", "resolution": "1h"}, "resolution"),
        ({"aggregate": "increase", "points": 10}, "points"),
        ({"end": START}, "to"),
    ],
)
def test_a_query_that_makes_no_sense_names_its_field(
    options: dict[str, object], field: str
) -> None:
    with pytest.raises(InvalidInputError) as caught:
        ReadingQuery(
            **{"sensor": "meter", "first": START, "end": START + timedelta(hours=1)} | options
        )  # type: ignore[arg-type]
    assert caught.value.field == field
    assert caught.value.remedy
