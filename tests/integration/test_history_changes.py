"""Changes of the past are told with what was before."""

from datetime import UTC, datetime

import numpy as np
import pytest
from sqlalchemy import Connection

from luna.energy.timeline import SLOT, Timeline
from luna.platform.database import history_changes, observations
from luna.platform.database.history_changes import Rule
from tests.support.database.changed_history import read_changes
from tests.support.database.site import store_site

pytestmark = pytest.mark.every_database

DAY = Timeline(datetime(2024, 1, 1, tzinfo=UTC), SLOT, 4)
HAND = Rule("by hand")


@pytest.fixture(autouse=True)
def _home(connection: Connection) -> None:
    store_site(connection)
    observations.write(
        connection, "home", DAY.starts, {"load_kwh": np.array([1.0, 2.0, np.nan, 4.0])}
    )


def told(connection: Connection) -> list[tuple[str, int, float | None, float | None, str]]:
    changes = read_changes(connection, "home", first=DAY.start, end=DAY.end)
    return [
        (change.series, DAY.index_of(change.slot_start), change.before, change.after, change.rule)
        for change in changes
    ]


def test_a_change_is_stored_with_the_row_that_tells_it(connection: Connection) -> None:
    changed = history_changes.write_observations(
        connection, "home", DAY.starts, {"load_kwh": np.array([1.0, 9.0, 3.0, np.nan])}, rule=HAND
    )
    assert changed == 2
    assert told(connection) == [
        ("load_kwh", 1, 2.0, 9.0, "by hand"),
        ("load_kwh", 2, None, 3.0, "by hand"),
    ]
    assert observations.read(connection, "home", DAY).load_kwh.tolist() == [1.0, 9.0, 3.0, 4.0]


def test_what_was_unknown_is_told_only_by_a_rule_that_fills(connection: Connection) -> None:
    values = {"load_kwh": np.array([1.0, 9.0, 3.0, 4.0])}
    assert (
        history_changes.write_observations(
            connection, "home", DAY.starts, values, rule=Rule("late readings", fills=False)
        )
        == 1
    )
    assert [change[1] for change in told(connection)] == [1]


def test_the_same_values_again_change_and_tell_nothing(connection: Connection) -> None:
    values = {"load_kwh": np.array([1.0, 9.0]), "import_price": np.array([0.1, 0.2])}
    first, second = (
        history_changes.write_observations(connection, "home", DAY.starts[:2], values, rule=HAND)
        for _ in range(2)
    )
    assert (first, second) == (3, 0)


def test_slots_that_were_never_stored_count_as_unknown_before(connection: Connection) -> None:
    later = DAY.starts + np.timedelta64(1, "D")
    assert (
        history_changes.write_observations(
            connection, "home", later[:1], {"soc": np.array([0.5])}, rule=HAND
        )
        == 1
    )


def test_no_slots_change_nothing(connection: Connection) -> None:
    assert (
        history_changes.write_observations(
            connection, "home", DAY.starts[:0], {"soc": np.array([])}, rule=HAND
        )
        == 0
    )


@pytest.mark.parametrize("seed", range(5))
def test_what_was_told_read_backwards_gives_the_original(connection: Connection, seed: int) -> None:
    rng = np.random.default_rng(seed)
    month = Timeline(DAY.start, SLOT, 96)
    original = np.where(rng.random(96) < 0.3, np.nan, rng.integers(0, 5, 96) / 4)
    observations.write(connection, "home", month.starts, {"pv_kwh": original})
    for number in range(8):
        chosen = rng.random(96) < 0.5
        values = np.where(rng.random(96) < 0.3, np.nan, rng.integers(0, 5, 96) / 4)
        history_changes.write_observations(
            connection,
            "home",
            month.starts[chosen],
            {"pv_kwh": values[chosen]},
            rule=Rule(f"rule {number}"),
        )
    now = observations.read(connection, "home", month).pv_kwh
    for change in reversed(read_changes(connection, "home", first=month.start, end=month.end)):
        place = month.index_of(change.slot_start)
        assert now[place] == change.after
        now[place] = np.nan if change.before is None else change.before
    np.testing.assert_array_equal(now, original)
