"""Training, issuing and comparing forecasts against the real database."""

import errno
import os
import shutil
from collections.abc import Iterator
from contextlib import closing
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import Connection, Engine

from luna.contracts import EvaluateRequest, IssueRequest, TrainReply, TrainRequest
from luna.contracts.data import DayQuality
from luna.energy.errors import FullError, InvalidInputError, NotFoundError, UnavailableError
from luna.platform.database import (
    forecast_issues,
    forecasts,
    observations,
    quality,
    sites,
    training_runs,
)
from luna.platform.database.training_runs import TrainingRun
from luna.platform.objects import FileObjects, ObjectStore
from luna.platform.queue import Client, RetryableError, TaskContext
from luna.platform.settings import Settings
from services.forecaster import tasks
from services.forecaster.forecast_issue import PART_ORIGINS, issue_forecasts
from services.forecaster.model.artefact import ArtefactError
from services.forecaster.retraining.training import train_site
from services.forecaster.versions.comparison import evaluate_versions
from tests.support.database.object_servers import answer_with, open_server
from tests.support.household.measurements import QUICK, day, describe_site, measure_days
from tests.support.worker.processes import free_port

VERSION = "aurora_v1.0"
pytestmark = pytest.mark.every_database

SITE = describe_site()


@pytest.fixture(scope="module")
def observed(database: Engine) -> Iterator[Connection]:
    """A transaction in which a site has forty days."""
    with database.connect() as connection, closing(connection.begin()):
        sites.save(connection, SITE)
        observations.upsert(connection, "home", measure_days(40))
        yield connection


@pytest.fixture
def home(observed: Connection) -> Iterator[Connection]:
    """The site; what a test writes is rolled back when it ends."""
    savepoint = observed.begin_nested()
    yield observed
    savepoint.rollback()


@pytest.fixture(scope="module")
def model(
    observed: Connection, tmp_path_factory: pytest.TempPathFactory
) -> tuple[TrainReply, Path]:
    """A training on the first thirty days, stored beside the forty, and the folder of its model."""
    folder = tmp_path_factory.mktemp("objects")
    return train_site(
        observed,
        TrainRequest(site_id="home", until=day(30)),
        objects=FileObjects(folder),
        settings=QUICK,
    ), folder


@pytest.fixture
def trained(model: tuple[TrainReply, Path], tmp_path: Path) -> TrainReply:
    """The training; its model lies in ``tmp_path``."""
    shutil.copytree(model[1], tmp_path, dirs_exist_ok=True)
    return model[0]


def test_a_training_leaves_a_model_and_its_run(
    home: Connection, tmp_path: Path, trained: TrainReply
) -> None:
    run = training_runs.latest(home, "home", version=VERSION)
    assert run is not None
    assert (run.run_id, run.data_from, run.data_until, run.seed) == (
        trained.run_id,
        day(0),
        day(30),
        0,
    )
    assert (tmp_path / str(run.artefact_key)).is_file()
    assert trained.days == 30
    assert trained.metrics["load.mae_over_best_baseline"] <= 1


def test_training_twice_on_the_same_data_is_one_run(
    home: Connection, tmp_path: Path, trained: TrainReply
) -> None:
    again = train_site(
        home,
        TrainRequest(site_id="home", until=day(30)),
        objects=FileObjects(tmp_path),
        settings=QUICK,
    )
    assert again.run_id == trained.run_id


@pytest.mark.usefixtures("trained")
def test_what_is_issued_can_be_read_back(home: Connection, tmp_path: Path) -> None:
    issued = issue_forecasts(
        home,
        IssueRequest(site_id="home", at=day(31), to=day(31, hours=6)),
        objects=FileObjects(tmp_path),
    )
    stored = forecasts.read_all(home, "home", version=VERSION, first=day(31), last=day(32))
    assert [forecast.issued_at for forecast in stored] == [
        day(31) + timedelta(hours=hour) for hour in range(7)
    ]
    np.testing.assert_allclose(stored[3].load_kwh.p90, issued.batch.forecast(3).load_kwh.p90)
    assert issued.batch.stage == "young"
    assert issued.reply().slots == 192


def test_an_issue_keeps_what_the_last_hours_did_to_it(
    home: Connection, tmp_path: Path, trained: TrainReply
) -> None:
    issue_forecasts(
        home, IssueRequest(site_id="home", at=day(31, hours=12)), objects=FileObjects(tmp_path)
    )
    (stored,) = forecast_issues.read_all(home, "home", version=VERSION, first=day(31), last=day(32))
    assert stored.run_id == trained.run_id
    assert stored.level is not None
    assert {name: set(level) for name, level in stored.level.items()} == {
        "load": {"hour_deviation", "day_deviation", "next_hour"},
        "pv": {"clearness", "next_hour"},
    }


@pytest.mark.usefixtures("trained")
def test_more_origins_than_one_part_hold_are_all_issued(home: Connection, tmp_path: Path) -> None:
    heard: list[int] = []
    request = IssueRequest(site_id="home", at=day(31), to=day(34), every_minutes=15)
    issued = issue_forecasts(
        home,
        request,
        objects=FileObjects(tmp_path),
        progress=lambda done, _total, _label: heard.append(done),
    )
    assert len(issued.batch.issued_at) == 289
    assert heard == [PART_ORIGINS, 289]


def test_a_model_that_knows_the_future_is_not_used(
    home: Connection, tmp_path: Path, trained: TrainReply
) -> None:
    assert trained.days == 30
    assert (
        issue_forecasts(
            home, IssueRequest(site_id="home", at=day(29)), objects=FileObjects(tmp_path)
        ).batch.stage
        == "profile"
    )


@pytest.mark.usefixtures("trained")
def test_a_lost_model_gives_a_forecast_from_the_profile(home: Connection, tmp_path: Path) -> None:
    shutil.rmtree(tmp_path / "aurora")
    issued = issue_forecasts(
        home, IssueRequest(site_id="home", at=day(31)), objects=FileObjects(tmp_path)
    )
    assert issued.batch.stage == "profile"
    assert np.isfinite(issued.batch.load_kwh.p90).all()


@pytest.mark.usefixtures("trained")
def test_a_store_that_is_away_gives_a_forecast_from_the_profile(home: Connection) -> None:
    away = open_server(f"http://127.0.0.1:{free_port()}")
    issued = issue_forecasts(home, IssueRequest(site_id="home", at=day(31)), objects=away)
    assert issued.batch.stage == "profile"
    assert np.isfinite(issued.batch.load_kwh.p90).all()
    assert [
        forecast.issued_at
        for forecast in forecasts.read_all(
            home, "home", version=VERSION, first=day(31), last=day(32)
        )
    ] == [day(31)]


def train_once_more(
    connection: Connection, objects: ObjectStore, kind: type[Exception], words: str
) -> TrainingRun | None:
    """Hold that training to a later day fails in this way; return the latest run afterwards."""
    with pytest.raises(kind, match=words):
        train_site(
            connection, TrainRequest(site_id="home", until=day(35)), objects=objects, settings=QUICK
        )
    return training_runs.latest(connection, "home", version=VERSION)


@pytest.mark.parametrize(
    ("status", "kind", "words"),
    [(503, UnavailableError, "is away"), (507, FullError, "Free some space")],
    ids=["away", "full"],
)
def test_a_training_that_cannot_be_stored_leaves_the_model_before_in_use(
    home: Connection, trained: TrainReply, status: int, kind: type[Exception], words: str
) -> None:
    with answer_with(status) as url:
        latest = train_once_more(home, open_server(url), kind, words)
    assert latest is not None
    assert latest.run_id == trained.run_id


def test_a_disk_that_fills_up_while_training_leaves_the_model_before_in_use(
    home: Connection, trained: TrainReply, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_descriptor: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", refuse)
    latest = train_once_more(home, FileObjects(tmp_path), FullError, "Free some space")
    assert latest is not None
    assert latest.run_id == trained.run_id
    assert (
        issue_forecasts(
            home, IssueRequest(site_id="home", at=day(36)), objects=FileObjects(tmp_path)
        ).batch.stage
        == "young"
    )


def test_a_training_task_whose_store_is_away_comes_again(
    home: Connection, database: Engine, redis_url: str
) -> None:
    with answer_with(503) as url:
        work = TaskContext(
            Settings(objects_url=url, objects_secret_key="secret"),
            lambda: database,
            queue=lambda: Client(redis_url),
        )
        work.connection = home
        with pytest.raises(RetryableError, match="it answers 503"):
            tasks.train(TrainRequest(site_id="home"), work)


@pytest.mark.usefixtures("trained")
def test_a_profile_is_not_scored_in_the_name_of_a_lost_model(
    home: Connection, tmp_path: Path
) -> None:
    shutil.rmtree(tmp_path / "aurora")
    request = EvaluateRequest(
        site_id="home", from_day=date(2024, 4, 1), to_day=date(2024, 4, 1), versions=[VERSION]
    )
    with pytest.raises(ArtefactError, match="luna forecast train"):
        evaluate_versions(home, request, objects=FileObjects(tmp_path))


def test_versions_are_compared_on_the_same_origins(connection: Connection, tmp_path: Path) -> None:
    sites.save(connection, describe_site(name="untrained"))
    observations.upsert(connection, "untrained", measure_days(40))
    versions = [VERSION, "seasonal_naive", "baseline_7_day_avg"]
    request = EvaluateRequest(
        site_id="untrained", from_day=date(2024, 4, 1), to_day=date(2024, 4, 5), versions=versions
    )
    reply = evaluate_versions(connection, request, objects=FileObjects(tmp_path))
    assert reply.origins == 20
    assert reply.versions["seasonal_naive"].series["load_kwh"].skill == 0
    assert reply.versions[VERSION].series["load_kwh"].skill > 0
    assert reply.versions[VERSION].train_seconds > 0


def exclude(connection: Connection, first: date, days: int) -> None:
    judged = [
        DayQuality(day=first + timedelta(days=number), verdict="exclude") for number in range(days)
    ]
    quality.save(connection, "home", judged)


def test_a_training_leaves_out_excluded_days_and_keeps_days_never_judged(
    home: Connection, tmp_path: Path
) -> None:
    exclude(home, date(2024, 3, 10), 5)
    quality.save(home, "home", [DayQuality(day=date(2024, 3, 20), verdict="mask_battery")])
    assert (
        train_site(
            home,
            TrainRequest(site_id="home", until=day(30)),
            objects=FileObjects(tmp_path),
            settings=QUICK,
        ).days
        == 25
    )


def test_a_training_on_excluded_days_alone_learns_nothing(home: Connection, tmp_path: Path) -> None:
    exclude(home, date(2024, 3, 1), 31)
    assert (
        train_site(
            home,
            TrainRequest(site_id="home", until=day(30)),
            objects=FileObjects(tmp_path),
            settings=QUICK,
        ).days
        == 0
    )


def test_an_evaluation_does_not_score_excluded_days(home: Connection, tmp_path: Path) -> None:
    request = EvaluateRequest(
        site_id="home",
        from_day=date(2024, 4, 1),
        to_day=date(2024, 4, 3),
        versions=["seasonal_naive"],
    )
    before = (
        evaluate_versions(home, request, objects=FileObjects(tmp_path))
        .versions["seasonal_naive"]
        .series["load_kwh"]
        .mae
    )
    # A meter that ran wild on the day after the last origin, which forecasts still reach: scored,
    # it would drown every other error.
    wild = np.full(96, 50.0)
    starts = (np.datetime64("2024-04-03T22:00") + np.arange(96) * np.timedelta64(15, "m")).astype(
        "datetime64[s]"
    )
    observations.write(home, "home", starts, {"load_kwh": wild})
    assert (
        evaluate_versions(home, request, objects=FileObjects(tmp_path))
        .versions["seasonal_naive"]
        .series["load_kwh"]
        .mae
        > 10 * before
    )
    exclude(home, date(2024, 4, 4), 1)
    assert (
        evaluate_versions(home, request, objects=FileObjects(tmp_path))
        .versions["seasonal_naive"]
        .series["load_kwh"]
        .mae
        < 10 * before
    )


def test_an_evaluation_of_excluded_days_alone_is_refused(home: Connection, tmp_path: Path) -> None:
    exclude(home, date(2024, 3, 31), 6)
    request = EvaluateRequest(
        site_id="home",
        from_day=date(2024, 4, 1),
        to_day=date(2024, 4, 2),
        versions=["seasonal_naive"],
    )
    with pytest.raises(InvalidInputError, match="nothing was measured"):
        evaluate_versions(home, request, objects=FileObjects(tmp_path))


def test_an_unknown_version_is_named_with_those_there_are(home: Connection, tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match="seasonal_naive"):
        issue_forecasts(
            home,
            IssueRequest(site_id="home", at=day(31), forecast_version="oracle"),
            objects=FileObjects(tmp_path),
        )


def test_an_unknown_site_is_not_found(home: Connection, tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match="no such site"):
        train_site(home, TrainRequest(site_id="elsewhere"), objects=FileObjects(tmp_path))


def test_a_site_without_observations_says_what_to_load(
    connection: Connection, tmp_path: Path
) -> None:
    sites.save(connection, describe_site(name="bare"))
    with pytest.raises(InvalidInputError, match="luna data load"):
        train_site(connection, TrainRequest(site_id="bare"), objects=FileObjects(tmp_path))


def test_a_window_without_observations_is_refused(home: Connection, tmp_path: Path) -> None:
    request = EvaluateRequest(
        site_id="home",
        from_day=date(2025, 4, 1),
        to_day=date(2025, 4, 2),
        versions=["seasonal_naive"],
    )
    with pytest.raises(InvalidInputError, match="nothing was measured"):
        evaluate_versions(home, request, objects=FileObjects(tmp_path))
