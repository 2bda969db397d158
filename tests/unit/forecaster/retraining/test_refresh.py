"""Which forecasts are due."""

from datetime import timedelta

from services.forecaster.model.aurora import VERSION
from services.forecaster.model.baseline import BASELINES
from services.forecaster.retraining.refresh import list_due
from tests.support.household.measurements import day

DRIVING = "baseline_like_days"
NOW = day(3, 8.4)  # 08:24


def test_all_is_due_where_nothing_was_ever_issued_and_what_drives_the_planner_comes_first() -> None:
    due = list_due(DRIVING, {}, now=NOW)
    assert set(due) == {VERSION, *BASELINES}
    assert next(iter(due)) == DRIVING


def test_what_drives_the_planner_and_aurora_are_issued_on_the_hour_the_others_every_six() -> None:
    due = list_due(DRIVING, {}, now=NOW)
    assert {due[version] for version in (VERSION, DRIVING)} == {day(3, 8)}
    assert {at for version, at in due.items() if version not in (VERSION, DRIVING)} == {day(3, 6)}


def test_what_was_issued_is_not_due_until_its_next_hour() -> None:
    issued = list_due(DRIVING, {}, now=NOW)
    assert list_due(DRIVING, issued, now=NOW + timedelta(minutes=30)) == {}
    assert list_due(DRIVING, issued, now=day(3, 9)) == {DRIVING: day(3, 9), VERSION: day(3, 9)}
    assert set(list_due(DRIVING, issued, now=day(3, 12))) == {VERSION, *BASELINES}
