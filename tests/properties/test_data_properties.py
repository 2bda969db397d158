"""What holds for any file: no row is lost, no energy appears, and twice is once."""

from datetime import UTC, datetime, timedelta

import numpy as np
import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection

from luna.energy.observations import Observations
from luna.energy.timeline import SLOT, Timeline
from luna.platform.database import copy, observations
from services.ingest.file_schema import KINDS
from services.ingest.file_slots import set_aside_repeats, to_quarter_hours
from services.ingest.instants import InstantReader
from services.ingest.validation import judge
from tests.support.database.site import store_site
from tests.support.suite.depth import draws

pytestmark = pytest.mark.every_database

START = datetime(2024, 1, 1, tzinfo=UTC)
energies = st.one_of(st.none(), st.floats(0, 100))


@given(st.lists(st.tuples(st.text(max_size=30), st.text(max_size=8)), min_size=1, max_size=30))
def test_every_row_is_either_accepted_or_rejected(cells: list[tuple[str, str]]) -> None:
    rows = pl.DataFrame(
        cells, schema={"slot_start": pl.String, "load_kwh": pl.String}, orient="row"
    ).with_row_index("line")
    verdict = judge(rows, KINDS["observations"], InstantReader(None))
    assert sorted([*verdict.accepted["line"], *verdict.rejected["line"]]) == list(range(len(cells)))
    assert verdict.rejected["fault"].null_count() == 0
    assert verdict.accepted["instant"].null_count() == 0


@given(
    st.sampled_from([1, 5, 10, 15, 20, 30, 60]),
    st.lists(st.floats(0, 100), min_size=4, max_size=4),
    st.integers(0, 23),
)
def test_a_change_of_step_keeps_the_energy(
    step_minutes: int, hourly: list[float], hour: int
) -> None:
    step = timedelta(minutes=step_minutes)
    count = timedelta(hours=4) // step
    instants = pl.Series(
        "instant",
        [START + timedelta(hours=hour) + slot * step for slot in range(count)],
        dtype=pl.Datetime("us", "UTC"),
    )
    values = np.resize(hourly, count)
    quarters = to_quarter_hours(
        pl.DataFrame([instants, pl.Series("load_kwh", values)]), step, keys=[], values=["load_kwh"]
    )
    assert quarters.height == 16
    assert quarters["load_kwh"].sum() == pytest.approx(values.sum(), abs=1e-9)


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 1)), max_size=30))
def test_repeats_are_kept_counted_or_set_aside(cells: list[tuple[int, int]]) -> None:
    rows = pl.DataFrame(
        {
            "line": range(len(cells)),
            "instant": pl.Series(
                [START + slot * SLOT for slot, _ in cells], dtype=pl.Datetime("us", "UTC")
            ),
            "load_kwh": pl.Series([float(value) for _, value in cells], dtype=pl.Float64),
        }
    )
    kept, identical, contradicting = set_aside_repeats(rows, ["instant"], ["load_kwh"])
    assert kept.height + identical + contradicting.height == len(cells)
    assert kept["instant"].is_unique().all()
    assert kept["instant"].is_sorted()


@settings(
    max_examples=draws(25),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(st.lists(st.tuples(energies, energies), min_size=1, max_size=20))
def test_writing_twice_is_writing_once(
    connection: Connection, values: list[tuple[float | None, float | None]]
) -> None:
    timeline = Timeline(START, SLOT, len(values))
    load, pv = np.array(values, dtype=np.float64).T
    with connection.begin_nested() as savepoint:
        store_site(connection, name="twice", timezone="UTC")
        written = Observations.of(timeline.starts, {"load_kwh": load, "pv_kwh": pv})
        observations.upsert(connection, "twice", written)
        assert observations.upsert(connection, "twice", written) == 0
        read = observations.read(connection, "twice", timeline)
        np.testing.assert_array_equal(read.load_kwh, load)
        np.testing.assert_array_equal(read.pv_kwh, pv)
        savepoint.rollback()


@given(st.lists(energies, max_size=50))
def test_a_null_costs_its_length_and_nothing_else(values: list[float | None]) -> None:
    column = np.array(values, dtype=np.float64)
    size = sum(
        len(part)
        for part in copy.encode({"load_kwh": column, "key": np.arange(column.size, dtype=np.int64)})
    )
    assert size == column.size * (2 + 4 + 8 + 4 + 8) - 8 * int(np.isnan(column).sum())
