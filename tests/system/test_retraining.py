"""A new training beside the model in use: judged, stored, used where it is not worse."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import Connection, Engine

from luna.contracts.forecast import IssueRequest, TrainingTrigger, TrainReply, TrainRequest
from luna.platform.database import forecast_activations, observations, sites, training_runs
from luna.platform.database.forecast_activations import Activation
from luna.platform.objects import FileObjects
from services.forecaster.forecast_issue import issue_forecasts
from services.forecaster.model.aurora import VERSION, TrainSettings
from services.forecaster.model.baseline import BASELINES
from services.forecaster.retraining.training import stop_at, train_site
from tests.support.forecasts.faulty_days import hold_load
from tests.support.household.measurements import QUICK, day, describe_site, measure_days

# So few rows are no model: what is learned from them speaks from the profile, in bands far too
# wide.
HOPELESS = TrainSettings(rows=100)


@pytest.fixture(scope="module")
def observed(
    database: Engine, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Connection, FileObjects, TrainReply]]:
    """A transaction in which a site has forty days and a model of the first thirty."""
    objects = FileObjects(tmp_path_factory.mktemp("objects"))
    with database.connect() as connection, closing(connection.begin()):
        sites.save(connection, describe_site())
        observations.upsert(connection, "home", measure_days(40))
        yield (
            connection,
            objects,
            train_site(
                connection,
                TrainRequest(site_id="home", until=day(30)),
                objects=objects,
                settings=QUICK,
            ),
        )


@pytest.fixture
def home(observed: tuple[Connection, FileObjects, TrainReply]) -> Iterator[Connection]:
    savepoint = observed[0].begin_nested()
    yield observed[0]
    savepoint.rollback()


@pytest.fixture
def objects(observed: tuple[Connection, FileObjects, TrainReply]) -> FileObjects:
    return observed[1]


@pytest.fixture
def first(observed: tuple[Connection, FileObjects, TrainReply]) -> TrainReply:
    return observed[2]


def retrain(
    connection: Connection,
    objects: FileObjects,
    settings: TrainSettings,
    trigger: TrainingTrigger = "schedule",
) -> TrainReply:
    return train_site(
        connection,
        TrainRequest(site_id="home", trigger=trigger),
        objects=objects,
        settings=settings,
    )


def test_a_model_that_is_not_worse_takes_the_place_and_its_row_says_why(
    home: Connection, objects: FileObjects, first: TrainReply
) -> None:
    train_site(
        home,
        TrainRequest(site_id="home", until=day(31), trigger="force"),
        objects=objects,
        settings=HOPELESS,
    )
    heard: list[tuple[int, int]] = []
    request = TrainRequest(site_id="home", trigger="drift")
    reply = train_site(
        home,
        request,
        objects=objects,
        settings=QUICK,
        progress=lambda done, total, _label: heard.append((done, total)),
    )
    run = training_runs.latest(home, "home", version=VERSION)
    assert run is not None
    assert first.run_id != run.run_id == reply.run_id
    assert (run.trigger, run.accepted) == ("drift", True)
    assert {f"trial.load.{who}.pinball" for who in ("new", "in_use", *BASELINES)} <= set(
        run.metrics
    )
    # Two trainings, one bar.
    assert heard == [(step, len(heard)) for step in range(1, len(heard) + 1)]


def test_a_model_that_is_worse_is_kept_and_not_used(
    home: Connection, objects: FileObjects, first: TrainReply
) -> None:
    reply = retrain(home, objects, HOPELESS)
    assert not reply.accepted
    assert "more than 102%" in reply.verdict
    assert training_runs.load(home, "home", reply.run_id).verdict == reply.verdict
    issued = issue_forecasts(home, IssueRequest(site_id="home", at=day(40)), objects=objects)
    assert issued.run_id == first.run_id


def test_a_forced_training_is_used_whatever_it_is_worth(
    home: Connection, objects: FileObjects
) -> None:
    refused = retrain(home, objects, HOPELESS)
    forced = retrain(home, objects, HOPELESS, trigger="force")
    assert (refused.run_id, refused.accepted, forced.accepted) == (forced.run_id, False, True)
    assert (
        issue_forecasts(home, IssueRequest(site_id="home", at=day(40)), objects=objects).run_id
        == forced.run_id
    )


def test_where_aurora_drives_the_planner_the_new_model_speaks_from_now_on(
    home: Connection, objects: FileObjects, first: TrainReply
) -> None:
    forecast_activations.activate(home, "home", Activation(VERSION, "better", "rule", first.run_id))
    reply = retrain(home, objects, HOPELESS, trigger="force")
    current = forecast_activations.current(home, "home")
    assert current is not None
    assert (current.run_id, current.decided_by, current.evidence["trigger"]) == (
        reply.run_id,
        "training",
        "force",
    )
    # A training that looks back, as an evaluation needs one, does not take the place.
    train_site(
        home, TrainRequest(site_id="home", until=day(25)), objects=objects, settings=HOPELESS
    )
    assert forecast_activations.current(home, "home") == current


def test_in_shadow_nothing_is_activated(home: Connection, objects: FileObjects) -> None:
    assert retrain(home, objects, HOPELESS, trigger="force").accepted
    assert forecast_activations.current(home, "home") is None


def test_standstills_and_readings_from_the_future_are_not_learned(
    connection: Connection, tmp_path: Path
) -> None:
    sites.save(connection, describe_site(name="still"))
    observations.upsert(connection, "still", hold_load(measure_days(20), day(5), day(7)))
    request = stop_at(TrainRequest(site_id="still"), day(18))
    reply = train_site(connection, request, objects=FileObjects(tmp_path), settings=HOPELESS)
    # 18 days before "now", less two days of standstill but for its first six hours, which could be
    # chance.
    assert reply.metrics["known_days"] == pytest.approx(18 - 2 + 23 / 96)
    assert np.isclose(reply.metrics["weather_share"], 0)
