"""What holds for the units of any readings, in whatever order they come."""

from datetime import UTC, datetime

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection

from luna.energy.timeline import InstantArray
from luna.energy.units import StatedUnits, UnitHistory, ratio
from luna.platform.database import readings
from tests.support.database.site import store_site
from tests.support.suite.depth import draws

START = datetime(2024, 1, 1, tzinfo=UTC)
with_database = settings(
    max_examples=draws(25),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
UNITS = ("kWh", "Wh", "MWh")
# Minute → its unit, or none said. Batches overlap, interleave, and correct what others said.
batches = st.lists(
    st.dictionaries(st.integers(0, 12), st.sampled_from((*UNITS, None)), min_size=1),
    min_size=1,
    max_size=6,
)


def at(minutes: list[int]) -> InstantArray:
    return np.datetime64(START.replace(tzinfo=None), "us") + np.array(
        minutes, dtype=np.int64
    ) * np.timedelta64(60_000_000, "us")


def add(history: UnitHistory, batch: dict[int, str | None], stored: set[int]) -> UnitHistory:
    following = min((minute for minute in stored if minute > max(batch)), default=max(batch))
    others = [minute for minute in sorted(stored) if min(batch) <= minute <= following]
    return history.with_stated(at(list(batch)), StatedUnits.of(list(batch.values())), at(others))


@settings(max_examples=draws(200))
@given(batches)
def test_each_reading_keeps_the_unit_that_it_said_last(
    batches: list[dict[int, str | None]],
) -> None:
    history = UnitHistory()
    truth: dict[int, str] = {}
    stored: set[int] = set()
    for batch in batches:
        history = add(history, batch, stored)
        stored |= batch.keys()
        truth |= {minute: unit for minute, unit in batch.items() if unit is not None}
    assert {
        minute: history.names[place]
        for minute, place in zip(truth, history.places(at(list(truth))), strict=True)
    } == truth
    assert (np.diff(history.since) > np.timedelta64(0)).all()
    assert all(one != other for one, other in zip(history.names, history.names[1:], strict=False))


@settings(max_examples=draws(100))
@given(
    st.dictionaries(
        st.integers(0, 12), st.tuples(st.sampled_from(UNITS), st.integers(0, 3)), min_size=1
    ),
    st.permutations(range(4)),
)
def test_the_order_in_which_files_come_changes_no_unit(
    said: dict[int, tuple[str, int]], order: list[int]
) -> None:
    files = [
        {minute: unit for minute, (unit, file) in said.items() if file == number}
        for number in range(4)
    ]
    found = []
    for turn in (range(4), order):
        history = UnitHistory()
        stored = set[int]()
        for file in filter(None, (files[number] for number in turn)):
            history = add(history, dict(file), stored)
            stored |= file.keys()
        found.append([history.names[place] for place in history.places(at(list(said)))])
    assert found[0] == found[1] == [unit for unit, _ in said.values()]


@pytest.mark.every_database
@with_database
@given(batches)
def test_stored_readings_are_read_in_one_unit_each_by_its_own(
    connection: Connection, batches: list[dict[int, str | None]]
) -> None:
    truth: dict[int, str] = {}
    with connection.begin_nested() as savepoint:
        store_site(connection, name="read", timezone="UTC")
        key = readings.register(connection, "read", {"meter": None})["meter"]
        for batch in (*batches, batches[-1]):
            said = {minute: unit for minute, unit in batch.items() if unit is not None}
            keys = np.full(len(said), key, dtype=np.int32)
            minutes = list(said)
            readings.upsert(
                connection,
                keys,
                at(minutes),
                np.array(minutes, dtype=np.float64),
                units=StatedUnits.of(list(said.values())),
            )
            truth |= said
        unit = readings.read_units(connection, "read")["meter"].newest()
        instants, values = readings.read(
            connection, "read", "meter", first=START, end=START.replace(year=2025)
        )
        expected = {minute: minute * ratio(name, unit) for minute, name in truth.items()}
        assert instants.tolist() == at(sorted(truth)).tolist()
        np.testing.assert_allclose(values, [expected[minute] for minute in sorted(truth)])
        savepoint.rollback()
