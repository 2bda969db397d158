from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from luna.energy.outlook import Forecast, Quantiles
from luna.energy.timeline import SLOT, Timeline
from services.forecaster.versions.shadow import LOOK_BACK_DAYS, describe_day, find_missing, list_due

BERLIN = ZoneInfo("Europe/Berlin")


@pytest.mark.parametrize(
    ("day", "hours", "slots"),
    # Summer time began on 31 March 2024 and ended on 27 October: local midnights at 23 and 22 h, at
    # 22 and 22 h, at 22 and 23 h of UTC.
    [
        (date(2024, 3, 31), [0, 6, 12, 18], 92),
        (date(2024, 7, 1), [0, 6, 12, 18], 96),
        (date(2024, 10, 27), [0, 6, 12, 18], 100),
    ],
    ids=["23 hours", "24 hours", "25 hours"],
)
def test_a_local_day_is_judged_at_the_instants_at_which_every_version_is_issued(
    day: date, hours: list[int], slots: int
) -> None:
    shadow = describe_day(day, BERLIN)
    assert [origin.hour for origin in shadow.origins] == hours
    assert shadow.issues[0] == shadow.origins[0] - timedelta(hours=6)
    assert (shadow.window.count, shadow.reach.count) == (slots, slots + 192)


def test_a_day_that_begins_with_an_issue_needs_none_from_before() -> None:
    shadow = describe_day(date(2024, 7, 1), ZoneInfo("UTC"))
    assert shadow.issues == shadow.origins


def test_days_are_due_when_48_hours_have_passed_unless_scored_or_excluded_and_for_five_weeks() -> (
    None
):
    today = date(2024, 7, 10)
    scored = {date(2024, 7, 6): {"a", "b"}, date(2024, 7, 5): {"a"}}
    due = list_due(today, scored, ["a", "b"], [date(2024, 7, 4)])
    assert due[-3:] == [date(2024, 7, 3), date(2024, 7, 5), date(2024, 7, 7)]
    assert (len(due), due[0]) == (
        LOOK_BACK_DAYS - 2,
        date(2024, 7, 7) - timedelta(days=LOOK_BACK_DAYS - 1),
    )


def test_what_was_issued_within_the_hour_before_counts() -> None:
    noon = datetime(2024, 7, 1, 12, tzinfo=UTC)
    flat = Quantiles.exact(np.zeros(192))
    issued = [
        Forecast(Timeline(at, SLOT, 192), at, "a", flat, flat)
        for at in (noon - timedelta(minutes=45), noon + timedelta(minutes=15))
    ]
    origins = [noon, noon + timedelta(hours=2)]
    assert find_missing(origins, issued, near=timedelta(hours=1)) == [noon + timedelta(hours=2)]
