"""What holds for any readings of a sensor."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection

from luna.energy.readings import shape_of
from luna.energy.timeline import FloatArray, InstantArray
from luna.platform.database import readings
from luna.platform.database.reading_history import (
    read_increase,
    read_shape,
    read_time_weighted_mean,
)
from tests.support.database.site import store_site
from tests.support.suite.depth import draws

pytestmark = pytest.mark.every_database

START = datetime(2024, 1, 1, tzinfo=UTC)
SECONDS = 7200
EDGES = [START + timedelta(minutes=minutes) for minutes in (0, 15, 30, 60, 120)]
with_database = settings(
    max_examples=draws(25),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
# Second of the two hours → value.
series = st.dictionaries(st.integers(0, SECONDS), st.floats(0, 1e6), min_size=1, max_size=40)


def arrays(series: dict[int, float]) -> tuple[InstantArray, FloatArray]:
    seconds = np.array(sorted(series))
    return np.datetime64(START.replace(tzinfo=None), "us") + seconds * np.timedelta64(
        1_000_000, "us"
    ), np.array([series[second] for second in seconds])


def store(connection: Connection, instants: InstantArray, values: FloatArray) -> None:
    store_site(connection, name="read", timezone="UTC")
    key = readings.register(connection, "read", {"meter": None})["meter"]
    readings.upsert(connection, np.full(values.size, key, dtype=np.int32), instants, values)


@with_database
@given(series)
def test_increases_without_a_reset_add_up_to_last_minus_first(
    connection: Connection, series: dict[int, float]
) -> None:
    instants, values = arrays(series)
    values.sort()
    with connection.begin_nested() as savepoint:
        store(connection, instants, values)
        rise = read_increase(connection, "read", "meter", edges=EDGES)
        # A reading at the very end lies beside the buckets and still says how far the counter rose
        # in the last one.
        assert np.nansum(rise.values) == pytest.approx(values[-1] - values[0], rel=1e-9, abs=1e-6)
        assert ((rise.known > 0) == ~np.isnan(rise.values)).all()
        savepoint.rollback()


@with_database
@given(series)
def test_increases_are_never_negative(connection: Connection, series: dict[int, float]) -> None:
    with connection.begin_nested() as savepoint:
        store(connection, *arrays(series))
        assert not (read_increase(connection, "read", "meter", edges=EDGES).values < -1e-6).any()
        savepoint.rollback()


@with_database
@given(series)
def test_a_mean_over_time_lies_between_lowest_and_highest(
    connection: Connection, series: dict[int, float]
) -> None:
    instants, values = arrays(series)
    with connection.begin_nested() as savepoint:
        store(connection, instants, values)
        mean = read_time_weighted_mean(connection, "read", "meter", edges=EDGES).values
        known = mean[~np.isnan(mean)]
        slack = 1e-9 * values.max() + 1e-6
        assert ((known >= values.min() - slack) & (known <= values.max() + slack)).all()
        savepoint.rollback()


@with_database
@given(series, st.sampled_from(["increase", "mean"]))
def test_finer_buckets_make_up_the_coarser(
    connection: Connection, series: dict[int, float], measure: str
) -> None:
    read = {"increase": read_increase, "mean": read_time_weighted_mean}[measure]
    with connection.begin_nested() as savepoint:
        store(connection, *arrays(series))
        fine, whole = (
            read(connection, "read", "meter", edges=edges) for edges in (EDGES, EDGES[::4])
        )
        seconds = fine.known * np.diff([edge.timestamp() for edge in EDGES])
        weights = {"increase": np.ones(4), "mean": seconds / max(seconds.sum(), 1)}[measure]
        assert np.nan_to_num(whole.values[0]) == pytest.approx(
            np.nansum(fine.values * weights), rel=1e-9, abs=1e-6
        )
        savepoint.rollback()


@with_database
@given(series, st.integers(3, 12))
def test_a_shape_read_is_a_part_of_the_readings(
    connection: Connection, series: dict[int, float], points: int
) -> None:
    instants, values = arrays(series)
    with connection.begin_nested() as savepoint:
        store(connection, instants, values)
        at, shape = read_shape(
            connection, "read", "meter", window=(START, START + timedelta(days=1)), points=points
        )
        assert (
            dict(zip(at.tolist(), shape.tolist(), strict=True)).items()
            <= dict(zip(instants.tolist(), values.tolist(), strict=True)).items()
        )
        assert len(at) == min(points, values.size)
        savepoint.rollback()


@given(st.lists(st.floats(-1e9, 1e9), min_size=1, max_size=400), st.integers(3, 50))
def test_a_shape_keeps_first_and_last_in_order(values: list[float], points: int) -> None:
    instants = np.datetime64("2024-01-01", "us") + np.arange(len(values)) * np.timedelta64(
        60_000_000, "us"
    )
    chosen = shape_of(instants, np.array(values), points)
    assert (chosen[0], chosen[-1]) == (0, len(values) - 1)
    assert (np.diff(chosen) > 0).all()
    assert chosen.size == min(points, len(values))
