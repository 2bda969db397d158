"""When a site's turn to be trained comes."""

from collections import Counter
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from services.forecaster.retraining.renewal import (
    NIGHT_HOURS,
    TrainingSlot,
    assign_turn,
    find_last_turn,
    is_looked_at,
    is_weekly_due,
)
from tests.support.suite.tables import each_row

BERLIN = ZoneInfo("Europe/Berlin")
WEDNESDAY_AT_FOUR = TrainingSlot(2, 4)


def test_turns_are_spread_over_the_nights_of_the_week_and_stay() -> None:
    turns = Counter(assign_turn(f"home-{number}") for number in range(2100))
    assert len(turns) == 7 * len(NIGHT_HOURS)
    # 100 each on average; a fair draw of 2100 stays within four deviations of 10.
    assert 60 < min(turns.values()) <= max(turns.values()) < 140
    assert assign_turn("home-1") == assign_turn("home-1")


@each_row(
    ("now", "expected"),
    [
        (datetime(2026, 11, 20, 12, tzinfo=UTC), datetime(2026, 11, 18, 3, tzinfo=UTC)),
        (datetime(2026, 11, 18, 3, tzinfo=UTC), datetime(2026, 11, 18, 3, tzinfo=UTC)),
        (datetime(2026, 11, 18, 2, 59, tzinfo=UTC), datetime(2026, 11, 11, 3, tzinfo=UTC)),
        # On 25 October the clock went back: the turn before was at four in summer time.
        (datetime(2026, 10, 27, 12, tzinfo=UTC), datetime(2026, 10, 21, 2, tzinfo=UTC)),
    ],
    ids=["Friday", "on the minute", "a minute before", "before the clock changed"],
)
def test_the_last_turn_is_by_the_clock_of_the_site(now: datetime, expected: datetime) -> None:
    assert find_last_turn(WEDNESDAY_AT_FOUR, now, BERLIN) == expected


def test_a_week_brings_one_training_however_often_beat_asks() -> None:
    trained_at = datetime(2026, 11, 1, tzinfo=UTC)
    trained = []
    for hour in range(14 * 24):
        now = datetime(2026, 11, 2, tzinfo=UTC) + timedelta(hours=hour)
        due = is_weekly_due(WEDNESDAY_AT_FOUR, trained_at, now, BERLIN)
        trained += [now] * due
        trained_at = max([trained_at, *trained])
    assert trained == [datetime(2026, 11, 4, 3, tzinfo=UTC), datetime(2026, 11, 11, 3, tzinfo=UTC)]


def test_a_site_is_looked_at_once_a_night() -> None:
    hours = [
        hour
        for hour in range(24)
        if is_looked_at(WEDNESDAY_AT_FOUR, datetime(2026, 11, 20, hour, 30, tzinfo=UTC), BERLIN)
    ]
    assert hours == [3]
