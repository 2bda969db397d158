"""Scenarios beside a stored forecast, against the real database: what they rest on, what they may
not know, and how they are read again.
"""

from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import Connection, Engine

from luna.contracts.forecast_explanation import IssueScenariosRequest
from luna.energy.economics.prices import publication_times
from luna.energy.errors import NotFoundError
from luna.energy.outlook import Forecast, Scenarios
from luna.energy.timeline import SLOT, Timeline, parse_zone
from luna.platform.database import forecast_scenarios, forecasts, observations, prices, sites
from luna.platform.objects import FileObjects
from services.forecaster.scenarios.joint_scenarios import issue_requested
from tests.support.forecasts.scenarios import SLOTS, describe_forecast, describe_prices
from tests.support.household.measurements import day, describe_site, measure_days

pytestmark = pytest.mark.every_database

VERSION = "baseline_7_day_median"
NAME = "spotty"
SITE = describe_site(name=NAME, tariff={"import": {"kind": "spot", "market": "NL"}})
AT = day(60, 10)
HORIZON = Timeline(AT, SLOT, SLOTS)


@pytest.fixture(scope="module")
def observed(database: Engine) -> Iterator[Connection]:
    """A transaction in which a site has sixty days and more, prices, and daily forecasts of the
    last three weeks.
    """
    with database.connect() as connection, closing(connection.begin()):
        sites.save(connection, SITE)
        observations.upsert(connection, NAME, measure_days(63))
        store_prices(connection, Timeline(day(0), SLOT, 96 * 64))
        rng = np.random.default_rng(1)
        forecasts.upsert(connection, NAME, [describe_named(rng, back) for back in range(21)])
        yield connection


@pytest.fixture
def home(observed: Connection) -> Iterator[Connection]:
    """The site; what a test writes is rolled back when it ends."""
    savepoint = observed.begin_nested()
    yield observed
    savepoint.rollback()


def describe_named(rng: np.random.Generator, back: int) -> Forecast:
    return replace(describe_forecast(rng, AT - timedelta(days=back)), version=VERSION)


def store_prices(connection: Connection, timeline: Timeline) -> None:
    known = publication_times(timeline.starts, parse_zone(SITE.timezone))
    prices.upsert(
        connection,
        "NL",
        starts=timeline.starts,
        price=describe_prices(timeline),
        currency="EUR",
        published_at=known,
    )


def issue(connection: Connection, folder: Path, **changes: object) -> Scenarios:
    request = IssueScenariosRequest.model_validate(
        {"site_id": NAME, "at": AT, "forecast_version": VERSION} | changes
    )
    return issue_requested(connection, request, objects=FileObjects(folder)).scenarios


def assert_same(one: Scenarios, other: Scenarios) -> None:
    for mine, theirs in (
        (one.load_kwh, other.load_kwh),
        (one.pv_kwh, other.pv_kwh),
        (one.spot_price["NL"], other.spot_price["NL"]),
    ):
        np.testing.assert_array_equal(mine, theirs)


def test_what_was_made_is_read_again(home: Connection, tmp_path: Path) -> None:
    made = issue(home, tmp_path)
    read = forecast_scenarios.read(home, NAME, HORIZON, version=VERSION, known_at=AT)
    assert read is not None
    assert (read.timeline, read.issued_at, read.reasons, read.probability.size) == (
        HORIZON,
        AT,
        (),
        10,
    )
    np.testing.assert_allclose(read.probability, made.probability, atol=1e-6)
    np.testing.assert_allclose(read.load_kwh, made.load_kwh, atol=5e-5)
    np.testing.assert_allclose(read.pv_kwh, made.pv_kwh, atol=5e-5)
    np.testing.assert_allclose(read.spot_price["NL"], made.spot_price["NL"], atol=5e-6)


def test_made_twice_they_are_the_same_and_stored_once(home: Connection, tmp_path: Path) -> None:
    assert_same(issue(home, tmp_path), issue(home, tmp_path))
    assert issue(home, tmp_path, count=3).probability.size == 3
    read = forecast_scenarios.read(home, NAME, HORIZON, version=VERSION, known_at=AT)
    assert read is not None
    assert read.probability.size == 3


def test_a_later_start_reads_what_remains_of_the_horizon(home: Connection, tmp_path: Path) -> None:
    made = issue(home, tmp_path)
    later = Timeline(AT + 8 * SLOT, SLOT, SLOTS)
    read = forecast_scenarios.read(home, NAME, later, version=VERSION, known_at=AT + 8 * SLOT)
    assert read is not None
    np.testing.assert_allclose(read.load_kwh[:, :-8], made.load_kwh[:, 8:], atol=5e-5)
    assert np.isnan(read.load_kwh[:, -8:]).all()


def test_what_is_not_issued_yet_or_long_over_is_not_read(home: Connection, tmp_path: Path) -> None:
    issue(home, tmp_path)
    assert forecast_scenarios.read(home, NAME, HORIZON, version=VERSION, known_at=AT - SLOT) is None
    over = Timeline(AT + timedelta(days=3), SLOT, SLOTS)
    assert forecast_scenarios.read(home, NAME, over, version=VERSION, known_at=over.start) is None


def test_nothing_known_after_the_forecast_changes_them(home: Connection, tmp_path: Path) -> None:
    before = issue(home, tmp_path)
    ahead = Timeline(AT, SLOT, 96)
    observations.write(home, NAME, ahead.starts, {"load_kwh": np.full(96, 9.0)})
    tomorrow = Timeline(AT + timedelta(days=1), SLOT, 96)
    prices.upsert(
        home,
        "NL",
        starts=tomorrow.starts,
        price=np.full(96, 5.0),
        currency="EUR",
        published_at=AT + timedelta(minutes=1),
    )
    assert_same(before, issue(home, tmp_path))


def test_prices_are_certain_until_midnight_and_courses_after_it(
    home: Connection, tmp_path: Path
) -> None:
    spread = np.ptp(issue(home, tmp_path).spot_price["NL"], axis=0)
    # Asked at 10:00 UTC, before tomorrow's are published: Berlin's midnight is 22:00 UTC.
    assert (spread[:48] == 0).all()
    assert (spread[48:] > 0).all()


def test_a_version_without_stored_forecasts_is_asked_what_it_would_have_said(
    home: Connection, tmp_path: Path
) -> None:
    rng = np.random.default_rng(1)
    forecasts.upsert(home, NAME, [describe_forecast(rng, AT)])
    assert issue(home, tmp_path, forecast_version="aurora_v1.0").reasons == ()


def test_without_a_forecast_in_the_hour_before_the_remedy_is_named(
    home: Connection, tmp_path: Path
) -> None:
    with pytest.raises(NotFoundError, match="luna forecast issue"):
        issue(home, tmp_path, at=AT + timedelta(hours=1))


def test_a_site_of_two_days_without_a_market_gets_a_usual_persistence(
    home: Connection, tmp_path: Path
) -> None:
    sites.save(home, describe_site(name="fresh"))
    observations.upsert(home, "fresh", measure_days(2, start=day(58)))
    forecasts.upsert(home, "fresh", [describe_forecast(np.random.default_rng(1), AT)])
    made = issue(home, tmp_path, site_id="fresh", forecast_version="aurora_v1.0")
    assert (made.reasons, made.spot_price) == (("few_error_paths",), {})
