"""Whatever is asked, and whatever was refreshed: an answer from rollups is that from the
quarter-hours.
"""

from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, text

from luna.energy.buckets import find_width
from luna.energy.series_query import SeriesQuery, reduce_series
from luna.energy.timeline import SLOT, Timeline, parse_zone
from luna.platform.database import observations, rollups
from luna.platform.database.history import query_series
from tests.support.database.site import store_site
from tests.support.suite.depth import draws
from tests.support.suite.tables import each_row

pytestmark = pytest.mark.every_database

# Clocks go forward in Berlin on the second of these days, and by half an hour back at Lord Howe a
# week later.
START = datetime(2024, 3, 30, tzinfo=UTC)
DAYS = 10
STORED = Timeline(START, SLOT, DAYS * 96)
ZONES = ("Europe/Berlin", "UTC", "Asia/Kolkata", "Australia/Lord_Howe")

questions = st.fixed_dictionaries(
    {
        "series": st.sampled_from(["load_kwh", "export_kwh", "soc", "import_price"]),
        "resolution": st.sampled_from(["30m", "1h", "1d"]),
        "aggregate": st.sampled_from(["sum", "mean", "min", "max"]),
        "points": st.none() | st.integers(3, 40),
    }
)
windows = st.tuples(st.integers(-96, DAYS * 96), st.integers(1, DAYS * 96))


def store(connection: Connection, seed: int, first: int = 0) -> dict[str, Any]:
    """Store values with gaps of all lengths from place ``first`` on.

    Return the series as written.
    """
    rng = np.random.default_rng(seed)
    starts = STORED.starts[first:]
    series = {}
    for name in ("load_kwh", "export_kwh", "soc", "import_price"):
        series[name] = rng.random(starts.size)
        series[name][np.repeat(rng.random(starts.size // 8 + 1) < 0.3, 8)[: starts.size]] = np.nan
    connection.execute(
        text("DELETE FROM slot_observations WHERE slot_start >= :first"),
        {"first": START + first * SLOT},
    )
    observations.write(connection, "rolled", starts, series)
    return series


def written(connection: Connection, zone: str, seed: int) -> dict[str, Any]:
    """Store ten days of a site, refresh, then write the last four of them anew: what is marked and
    what is not lie side by side.
    """
    store_site(connection, name="rolled", timezone=zone)
    series = store(connection, seed)
    rollups.refresh_batch(connection)
    fresh = store(connection, seed + 1, 6 * 96)
    return {name: np.concatenate([series[name][: 6 * 96], fresh[name]]) for name in series}


@settings(
    max_examples=draws(40),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(zone=st.sampled_from(ZONES), seed=st.integers(0, 1000), question=questions, window=windows)
def test_rollups_answer_as_quarter_hours_do(
    connection: Connection, zone: str, seed: int, question: dict[str, Any], window: tuple[int, int]
) -> None:
    with connection.begin_nested() as undone:
        series = written(connection, zone, seed)
        timeline = Timeline(START + window[0] * SLOT, SLOT, window[1])
        query = SeriesQuery(first=timeline.start, end=timeline.end, **question)
        found = query_series(connection, "rolled", query)
        undone.rollback()
    stored = dict(zip(STORED.starts.tolist(), series[query.series].tolist(), strict=True))
    expected = reduce_series(
        query,
        timeline,
        np.array([stored.get(start, np.nan) for start in timeline.starts.tolist()]),
        zone,
    )
    assert found.starts.tolist() == expected.starts.tolist()
    np.testing.assert_array_equal(found.known, expected.known)
    np.testing.assert_allclose(found.values, expected.values, rtol=1e-12)


@each_row(
    ("zone", "resolution", "width"),
    [
        ("UTC", "1d", timedelta(days=1)),
        ("Europe/Berlin", "1d", timedelta(hours=1)),
        ("Asia/Kolkata", "1d", None),
        ("Asia/Kolkata", "1h", timedelta(hours=1)),
    ],
)
def test_days_come_from_days_hours_or_quarter_hours_as_the_zone_allows(
    zone: str, resolution: str, width: timedelta | None
) -> None:
    assert find_width(STORED, resolution, parse_zone(zone)) == width
    assert find_width(STORED, "30m", parse_zone(zone)) is None
    assert find_width(Timeline(START, SLOT, 3), resolution, parse_zone(zone)) is None
