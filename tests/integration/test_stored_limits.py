"""Limits of grid operators: stored once, changed by name, released, and kept for two years."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Connection

from luna.contracts.operator_limits import FARTHEST, NewLimit
from luna.energy.errors import InvalidInputError, NotFoundError
from luna.energy.limit_outcome import LimitOutcome
from luna.energy.operator_limits import find_in_force
from luna.platform.database import control, operator_limits, plan_causes, pulse, retention
from luna.platform.settings import Settings
from tests.support.database.site import store_site

NOW = datetime(2026, 1, 15, 17, 3, tzinfo=UTC)
HOUR = timedelta(hours=1)
NAME = "dimmed"


@pytest.fixture
def home(connection: Connection) -> Connection:
    """A stored site of which nothing has changed since its plan."""
    store_site(connection, name=NAME, timezone="Europe/Berlin")
    plan_causes.forget(connection, plan_causes.read(connection, [NAME]))
    return connection


def store(
    connection: Connection, *, now: datetime = NOW, source: str = "api", **fields: Any
) -> str:
    stored = operator_limits.store(connection, NAME, NewLimit(**fields), source=source, now=now)
    return stored.limit_id


def causes(connection: Connection) -> set[str]:
    return {kind for _, kind in plan_causes.read(connection, [NAME])}


def test_a_limit_holds_until_it_is_released(home: Connection) -> None:
    name = store(home, import_kw=4.2, scope="devices")
    later = NOW + HOUR
    force = find_in_force(operator_limits.list_in_force(home, NAME, later), later)
    assert force is not None
    assert (force.devices_import_kw, force.since, force.sources) == (4.2, NOW, ("api",))
    released = operator_limits.release(home, NAME, name, now=later)
    assert released.end == later
    assert operator_limits.list_in_force(home, NAME, later) == []
    again = operator_limits.release(home, NAME, name, now=later + HOUR)
    assert again == released
    assert operator_limits.read_standing(home, NAME, now=later) == []
    assert operator_limits.read_history(home, NAME) == [released]


def test_storing_and_releasing_has_the_site_planned_anew(home: Connection) -> None:
    name = store(home, import_kw=4.2)
    assert causes(home) == {"limit"}
    # Also where sites are planned only while they are armed.
    assert NAME in control.list_planned(home, "armed")
    plan_causes.forget(home, plan_causes.read(home, [NAME]))
    store(home, import_kw=4.2)
    assert causes(home) == set()
    operator_limits.release(home, NAME, name, now=NOW)
    assert causes(home) == {"limit"}


def test_the_same_limit_sent_twice_is_one(home: Connection) -> None:
    end = NOW + 2 * HOUR
    first = store(home, start=NOW, end=end, import_kw=4.2)
    minute = timedelta(minutes=1)
    assert store(home, start=NOW, end=end, import_kw=4.2) == first
    # Sent again while it holds, as retained messages are.
    assert store(home, end=end, import_kw=4.2, now=NOW + minute) == first
    assert store(home, end=end, import_kw=4.2, source="mqtt") != first
    assert store(home, end=end, import_kw=5.0) != first
    assert len(operator_limits.read_standing(home, NAME, now=NOW)) == 3


def test_a_limit_of_the_same_name_is_changed(home: Connection) -> None:
    store(home, limit_id="event-7", import_kw=4.2)
    later = NOW + HOUR
    store(home, limit_id="event-7", import_kw=2.0, end=later + HOUR, now=later)
    (changed,) = operator_limits.read_history(home, NAME)
    assert (changed.start, changed.end, changed.import_kw) == (NOW, later + HOUR, 2.0)


def test_a_limit_that_has_not_begun_never_holds_once_released(home: Connection) -> None:
    begin = NOW + HOUR
    name = store(home, start=begin, end=begin + HOUR, export_kw=0.0)
    operator_limits.release(home, NAME, name, now=NOW)
    assert operator_limits.list_between(home, NAME, NOW, begin + 2 * HOUR) == []
    assert operator_limits.read_standing(home, NAME, now=NOW) == []


def test_limits_between_two_instants_are_half_open(home: Connection) -> None:
    store(home, start=NOW, end=NOW + HOUR, import_kw=4.2)
    assert operator_limits.list_between(home, NAME, NOW - HOUR, NOW) == []
    assert len(operator_limits.list_between(home, NAME, NOW - HOUR, NOW + HOUR)) == 1
    assert len(operator_limits.list_between(home, NAME, NOW + HOUR - SECOND, NOW + 2 * HOUR)) == 1
    assert operator_limits.list_between(home, NAME, NOW + HOUR, NOW + 2 * HOUR) == []


SECOND = timedelta(seconds=1)


def test_a_start_in_the_past_counts_as_now(home: Connection) -> None:
    store(home, start=NOW - HOUR, import_kw=4.2)
    (stored,) = operator_limits.read_standing(home, NAME, now=NOW)
    assert stored.start == NOW


def test_what_was_done_is_kept(home: Connection) -> None:
    name = store(home, import_kw=4.2)
    operator_limits.acknowledge(home, NAME, name, at=NOW + 3 * SECOND)
    operator_limits.acknowledge(home, NAME, name, at=NOW + HOUR)
    outcome = LimitOutcome(highest_import_kw=4.1)
    operator_limits.summarise(home, NAME, name, outcome)
    (stored,) = operator_limits.read_history(home, NAME)
    assert stored.acknowledged_at == NOW + 3 * SECOND
    assert stored.summary == outcome


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"end": NOW - SECOND}, "time-passed"),
        ({"end": NOW}, "time-passed"),
        ({"start": NOW + FARTHEST + HOUR}, "limit-far-ahead"),
        ({"end": NOW + FARTHEST + HOUR}, "limit-far-ahead"),
    ],
    ids=["over", "ends now", "begins too late", "ends too late"],
)
def test_a_limit_at_a_wrong_time_is_refused(
    home: Connection, fields: dict[str, Any], reason: str
) -> None:
    with pytest.raises(InvalidInputError) as refused:
        store(home, import_kw=4.2, **fields)
    assert refused.value.reason == reason
    assert operator_limits.read_history(home, NAME) == []


def test_a_limit_that_does_not_exist_cannot_be_released(home: Connection) -> None:
    with pytest.raises(NotFoundError) as refused:
        operator_limits.release(home, NAME, "never", now=NOW)
    assert refused.value.reason == "not-found"


def test_a_new_limit_changes_what_pages_show(home: Connection) -> None:
    before = pulse.read(home, NAME)
    name = store(home, import_kw=4.2)
    limited = pulse.read(home, NAME)
    assert limited["control"] != before["control"]
    operator_limits.release(home, NAME, name, now=NOW + HOUR)
    assert pulse.read(home, NAME)["control"] != limited["control"]


def test_limits_are_kept_for_two_years_after_their_end(home: Connection) -> None:
    open_end = store(home, import_kw=1.0)
    short = store(home, import_kw=2.0, end=NOW + HOUR)
    ages = {
        table: age
        for table, age in retention.retention_ages(Settings()).items()
        if table == "operator_limits"
    }
    two_years = NOW + timedelta(days=730)
    retention.delete_old(home, ages, now=two_years)
    kept = {limit.limit_id for limit in operator_limits.read_history(home, NAME)}
    assert kept == {open_end, short}
    retention.delete_old(home, ages, now=two_years + timedelta(days=3))
    assert [limit.limit_id for limit in operator_limits.read_history(home, NAME)] == [open_end]
