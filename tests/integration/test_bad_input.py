"""Each thing that can be wrong with the input gives a forecast all the same: wider, and saying
why.
"""

import gzip
import hashlib
import json
import shutil
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import Connection, Engine, delete, update

from luna.contracts.forecast import IssueRequest, TrainRequest
from luna.energy.observations import Observations
from luna.energy.outlook import PARTS
from luna.energy.timeline import SLOT, Timeline
from luna.platform.database import forecast_issues, observations, sites, weather_carbon
from luna.platform.database.schema.plans import training_runs
from luna.platform.database.schema.series import slot_observations, weather
from luna.platform.objects import FileObjects
from services.forecaster.forecast_issue import issue_forecasts
from services.forecaster.forecaster import Batch
from services.forecaster.model.aurora import VERSION
from services.forecaster.retraining.training import train_site
from tests.support.database.object_servers import open_server
from tests.support.forecasts.faulty_days import change, grow_roof, hold_load
from tests.support.household.measurements import QUICK, describe_site, measure_days
from tests.support.worker.processes import free_port

BEGIN = datetime(2024, 5, 10, tzinfo=UTC)  # no clock changes between here and the end
SITE = describe_site()
MEASURED = measure_days(40, start=BEGIN)
AT = BEGIN + timedelta(days=40)
UNKNOWN = np.nan


def on(number: float) -> datetime:
    """Return an instant ``number`` days after the first measured slot."""
    return BEGIN + timedelta(days=number)


@pytest.fixture(scope="module")
def observed(
    database: Engine, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Connection, Path]]:
    """A transaction in which a site has weather and a model that learned from it and from thirty
    days, and the folder of the model.
    """
    folder = tmp_path_factory.mktemp("objects")
    with database.connect() as connection, closing(connection.begin()):
        sites.save(connection, SITE)
        observations.upsert(connection, "home", MEASURED)
        store_weather(connection)
        train_site(
            connection,
            TrainRequest(site_id="home", until=on(30)),
            objects=FileObjects(folder),
            settings=QUICK,
        )
        yield connection, folder


def store_weather(connection: Connection) -> None:
    """Store what was measured until the forecast is issued, and what was forecast for three days
    then and a day before.
    """

    def store(ahead: Timeline, issued_at: datetime | None) -> None:
        values = {
            "temperature_c": np.full(ahead.count, 15.0),
            "cloud_fraction": np.full(ahead.count, 0.5),
        }
        issued = (
            None
            if issued_at is None
            else np.full(ahead.count, np.datetime64(issued_at.replace(tzinfo=None), "us"))
        )
        weather_carbon.upsert(
            connection, "weather", "home", ahead.starts, values=values, issued_at=issued
        )

    store(Timeline(BEGIN, SLOT, 40 * 96), None)
    for issued_at in (on(39), AT):
        store(Timeline(issued_at, SLOT, 3 * 96), issued_at)


@pytest.fixture
def home(observed: tuple[Connection, Path], tmp_path: Path) -> Iterator[tuple[Connection, Path]]:
    """The site and a copy of its model; what a test does to them is undone when it ends."""
    connection, folder = observed
    shutil.copytree(folder, tmp_path, dirs_exist_ok=True)
    savepoint = connection.begin_nested()
    yield connection, tmp_path
    savepoint.rollback()


def measure(history: Observations) -> Callable[[Connection, Path], None]:
    """Return what makes ``history`` all that the site measured."""

    def spoil(connection: Connection, _folder: Path) -> None:
        connection.execute(delete(slot_observations))
        observations.upsert(connection, "home", history)

    return spoil


def date_a_reading_ahead(connection: Connection, _folder: Path) -> None:
    observations.upsert(
        connection,
        "home",
        Observations.of(
            Timeline(AT + timedelta(days=400), SLOT, 1).starts, {"load_kwh": np.array([7.0])}
        ),
    )


def lose_weather(connection: Connection, _folder: Path) -> None:
    connection.execute(delete(weather).where(weather.c.slot_start >= AT))


def delay_weather(connection: Connection, _folder: Path) -> None:
    connection.execute(delete(weather).where(weather.c.issued_at > AT - timedelta(days=1)))


def damage_model(_connection: Connection, folder: Path) -> None:
    (model,) = (folder / "aurora").glob("*.json.gz")
    model.write_bytes(model.read_bytes()[:-50])


def replace_model(connection: Connection, folder: Path) -> None:
    """Put a model of a format that is not spoken any more in the place of the one there is."""
    packed = gzip.compress(json.dumps({"format": 0}).encode())
    key = f"aurora/{hashlib.sha256(packed).hexdigest()}.json.gz"
    (folder / key).write_bytes(packed)
    connection.execute(update(training_runs).values(artefact_key=key))


def issue(connection: Connection, folder: Path) -> Batch:
    return issue_forecasts(
        connection, IssueRequest(site_id="home", at=AT), objects=FileObjects(folder), now=AT
    ).batch


def width(batch: Batch) -> float:
    return float(sum((series.p90 - series.p10).sum() for series in (batch.load_kwh, batch.pv_kwh)))


@pytest.fixture(scope="module")
def usual(observed: tuple[Connection, Path]) -> Batch:
    """The forecast from good input."""
    connection, folder = observed
    savepoint = connection.begin_nested()
    batch = issue(connection, folder)
    savepoint.rollback()
    return batch


def test_with_good_input_nothing_is_said(usual: Batch) -> None:
    assert usual.reasons == [()]


@pytest.mark.parametrize(
    ("spoil", "reasons"),
    [
        pytest.param(
            measure(change(MEASURED, on(36), on(39.5), {"load_kwh": UNKNOWN, "pv_kwh": UNKNOWN})),
            ("load_gaps", "pv_gaps"),
            id="gaps",
        ),
        pytest.param(
            measure(hold_load(MEASURED, on(39.2), AT)), ("load_frozen",), id="frozen sensor"
        ),
        pytest.param(
            measure(grow_roof(MEASURED, on(31), 1.6)),
            ("roof_exceeds_peak", "roof_grown"),
            id="new array half-way",
        ),
        pytest.param(
            measure(change(MEASURED, on(0), on(38), {"load_kwh": UNKNOWN, "pv_kwh": UNKNOWN})),
            ("short_history",),
            id="two days",
        ),
        pytest.param(measure(hold_load(MEASURED, on(0), AT)), ("load_constant",), id="constant"),
        pytest.param(date_a_reading_ahead, ("future_reading",), id="reading from the future"),
        pytest.param(lose_weather, ("weather_missing",), id="no weather"),
        pytest.param(delay_weather, ("weather_late",), id="late weather"),
        pytest.param(damage_model, ("model_unusable",), id="damaged model"),
        pytest.param(replace_model, ("model_unusable",), id="model of another version"),
    ],
)
def test_what_is_wrong_widens_the_forecast_which_says_so(
    home: tuple[Connection, Path],
    usual: Batch,
    spoil: Callable[[Connection, Path], None],
    reasons: tuple[str],
) -> None:
    spoil(*home)
    spoilt = issue(*home)
    assert spoilt.reasons == [reasons]
    assert all(
        np.isfinite(getattr(series, part)).all()
        for series in (spoilt.load_kwh, spoilt.pv_kwh)
        for part in PARTS
    )
    assert width(spoilt) > width(usual)
    (stored,) = forecast_issues.read_all(home[0], "home", version=VERSION, first=AT, last=AT)
    assert stored.reasons == reasons


def test_a_store_that_is_away_is_said_too(home: tuple[Connection, Path]) -> None:
    away = open_server(f"http://127.0.0.1:{free_port()}")
    assert issue_forecasts(
        home[0], IssueRequest(site_id="home", at=AT), objects=away, now=AT
    ).batch.reasons == [("model_away",)]


@pytest.mark.parametrize("hour", [0, 1, 12])
def test_forecasts_over_both_changes_of_the_clock_in_a_year_are_whole(
    connection: Connection, tmp_path: Path, hour: int
) -> None:
    sites.save(connection, describe_site(name="year"))
    observations.upsert(connection, "year", measure_days(365, site=SITE))
    for day in (datetime(2024, 3, 31, hour, tzinfo=UTC), datetime(2024, 10, 27, hour, tzinfo=UTC)):
        batch = issue_forecasts(
            connection,
            IssueRequest(site_id="year", at=day - timedelta(days=1)),
            objects=FileObjects(tmp_path),
        ).batch
        assert "clock_change" in batch.reasons[0]
        assert np.isfinite(batch.load_kwh.p90).all()
        assert batch.load_kwh.p90.shape == (1, 192)


def test_the_run_whose_model_spoke_is_noted(home: tuple[Connection, Path]) -> None:
    issue(*home)
    (stored,) = forecast_issues.read_all(home[0], "home", version=VERSION, first=AT, last=AT)
    assert str(stored.run_id).startswith(f"{VERSION}.home.")
