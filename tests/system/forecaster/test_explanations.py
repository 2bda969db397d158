"""Explaining stored forecasts: in the process of a command, and asked over HTTP with a worker
behind it.
"""

import shutil
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import httpx
import numpy as np
import pytest
from sqlalchemy import Connection, Engine

from luna.contracts import IssueRequest, TrainRequest
from luna.contracts.forecast_explanation import ExplainRequest, SeriesExplanation
from luna.contracts.forecast_versions import PromoteRequest
from luna.energy.errors import InvalidInputError, NotFoundError
from luna.platform.database import engine, observations, sites
from luna.platform.embedded.supervisor import Addresses
from luna.platform.objects import FileObjects
from luna.platform.queue import Client
from services.forecaster.explanation.stored_explanations import explain_forecast
from services.forecaster.forecast_issue import issue_forecasts
from services.forecaster.retraining.training import train_site
from services.forecaster.versions.promotion import promote_by_hand
from tests.support.gateway.server import serve
from tests.support.household.measurements import QUICK, day, describe_site, measure_days
from tests.support.words.wording import wording_pattern
from tests.support.worker.workers import wait_for, worker_process

AT = day(31, hours=9)


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> FileObjects:
    return FileObjects(tmp_path_factory.mktemp("objects"))


@pytest.fixture
def home(connection: Connection) -> Connection:
    """A site with forty days, nine of them after the forecast that is explained."""
    sites.save(connection, describe_site())
    observations.upsert(connection, "home", measure_days(40))
    return connection


def assert_adds_up(series: SeriesExplanation) -> None:
    assert series.usual_kw + sum(
        contribution.kw for contribution in series.contributions
    ) == pytest.approx(series.expected_kw, abs=1e-6)


def test_every_slot_of_a_learned_forecast_adds_up(home: Connection, store: FileObjects) -> None:
    train_site(home, TrainRequest(site_id="home", until=day(30)), objects=store, settings=QUICK)
    issued = issue_forecasts(home, IssueRequest(site_id="home", at=AT), objects=store)
    reply = explain_forecast(
        home, ExplainRequest(site_id="home", at=AT + timedelta(hours=2)), objects=store
    )
    assert (reply.issued_at, reply.stage, len(reply.slots)) == (AT, "young", 192)
    for slot in reply.slots:
        assert_adds_up(slot.load)
        assert_adds_up(slot.pv)
    expected = issued.batch.forecast(0).load_kwh.expected
    np.testing.assert_allclose([slot.load.expected_kw for slot in reply.slots], 4 * expected)
    # Nothing was measured or learned since.
    assert "later" not in {
        contribution.code for slot in reply.slots for contribution in slot.load.contributions
    }


def test_a_forecast_whose_model_cannot_be_read_any_more_still_says_what_is_usual(
    home: Connection, tmp_path: Path
) -> None:
    objects = FileObjects(tmp_path)
    train_site(home, TrainRequest(site_id="home", until=day(30)), objects=objects, settings=QUICK)
    issue_forecasts(home, IssueRequest(site_id="home", at=AT), objects=objects)
    shutil.rmtree(tmp_path / "aurora")
    reply = explain_forecast(home, ExplainRequest(site_id="home", at=AT, slot=AT), objects=objects)
    assert [contribution.code for contribution in reply.slots[0].load.contributions] == ["model"]
    assert_adds_up(reply.slots[0].load)


def test_what_was_measured_only_afterwards_is_said_to_be_that(
    home: Connection, store: FileObjects
) -> None:
    issue_forecasts(home, IssueRequest(site_id="home", at=AT), objects=store)
    late = (
        np.datetime64(AT.replace(tzinfo=None), "s") - np.arange(1, 97) * np.timedelta64(15, "m")
    ).astype("datetime64[s]")
    observations.write(home, "home", np.sort(late), {"load_kwh": np.full(96, 2.0)})
    reply = explain_forecast(home, ExplainRequest(site_id="home", at=AT, slot=AT), objects=store)
    assert {contribution.code for contribution in reply.slots[0].load.contributions} == {
        "later",
        "habit",
    }
    assert_adds_up(reply.slots[0].load)


def test_one_slot_is_told_in_the_readers_language_with_what_widens_the_forecast(
    home: Connection, store: FileObjects
) -> None:
    issue_forecasts(home, IssueRequest(site_id="home", at=AT), objects=store)
    slot = AT + timedelta(hours=10, minutes=7)
    reply = explain_forecast(
        home, ExplainRequest(site_id="home", at=AT, slot=slot, language="de"), objects=store
    )
    assert [told.start for told in reply.slots] == [AT + timedelta(hours=10)]
    assert wording_pattern("differences", "slot_above", "de").match(reply.slots[0].load.text)
    assert [contribution.code for contribution in reply.slots[0].load.contributions] == ["habit"]
    assert reply.stage == "profile"
    assert len(reply.conditions) == len(reply.reasons) > 0


def test_what_drives_the_plan_is_explained_unless_another_version_is_named(
    home: Connection, store: FileObjects
) -> None:
    issue_forecasts(home, IssueRequest(site_id="home", at=AT), objects=store)
    issue_forecasts(
        home,
        IssueRequest(site_id="home", at=AT, forecast_version="baseline_like_days"),
        objects=store,
    )
    usual = explain_forecast(home, ExplainRequest(site_id="home", at=AT, slot=AT), objects=store)
    named = explain_forecast(
        home,
        ExplainRequest(site_id="home", at=AT, slot=AT, forecast_version="aurora_v1.0"),
        objects=store,
    )
    assert (usual.forecast_version, named.forecast_version) == ("baseline_like_days", "aurora_v1.0")


def test_where_what_drives_the_plan_issued_nothing_aurora_is_explained(
    home: Connection, store: FileObjects
) -> None:
    issue_forecasts(home, IssueRequest(site_id="home", at=AT), objects=store)
    promote_by_hand(home, PromoteRequest(site_id="home", forecast_version="seasonal_naive"))
    assert (
        explain_forecast(
            home, ExplainRequest(site_id="home", at=AT, slot=AT), objects=store
        ).forecast_version
        == "aurora_v1.0"
    )


def test_a_slot_outside_the_forecast_is_refused_with_those_inside(
    home: Connection, store: FileObjects
) -> None:
    issue_forecasts(home, IssueRequest(site_id="home", at=AT), objects=store)
    with pytest.raises(InvalidInputError, match="to before"):
        explain_forecast(
            home,
            ExplainRequest(site_id="home", at=AT, slot=AT + timedelta(hours=48)),
            objects=store,
        )


def test_where_no_forecast_stood_the_remedy_names_the_command(
    home: Connection, store: FileObjects
) -> None:
    issue_forecasts(home, IssueRequest(site_id="home", at=AT), objects=store)
    with pytest.raises(NotFoundError, match="luna forecast issue --site home"):
        explain_forecast(
            home, ExplainRequest(site_id="home", at=AT - timedelta(minutes=1)), objects=store
        )


@pytest.fixture(scope="module")
def api(redis_url: str, database: Engine, database_url: str) -> Iterator[httpx.Client]:
    """The gateway with a forecaster's worker, and a site for which a baseline was issued."""
    with engine.unit_of_work(database) as connection:
        sites.save(connection, describe_site(name="explained"))
        observations.upsert(connection, "explained", measure_days(15))
        issue_forecasts(
            connection,
            IssueRequest(site_id="explained", at=day(14), forecast_version="seasonal_naive"),
            objects=FileObjects(Path()),
        )
    client = Client(redis_url)
    with (
        worker_process(redis_url, database_url, "services.forecaster.tasks"),
        serve(Addresses(database_url=database_url, redis_url=redis_url)) as gateway,
    ):
        wait_for(
            lambda: any("forecaster" in queues for queues in client.heartbeats.workers().values())
        )
        yield gateway
    client.close()


def test_the_gateway_answers_with_the_explanation(api: httpx.Client) -> None:
    question = {
        "at": day(14).isoformat(),
        "slot": day(14, hours=19).isoformat(),
        "version": "seasonal_naive",
        "language": "en",
    }
    answer = api.get("/v1/sites/explained/forecasts/explanation", params=question)
    assert answer.status_code == 200, answer.text
    slot = answer.json()["slots"][0]["load"]
    assert [contribution["code"] for contribution in slot["contributions"]] == ["days"]
    assert slot["usual_kw"] + slot["contributions"][0]["kw"] == pytest.approx(
        slot["expected_kw"], abs=1e-6
    )


@pytest.mark.parametrize(
    ("site", "changes", "status", "field"),
    [
        ("elsewhere", {}, 404, "site"),
        ("explained", {"at": "2024-03-31 02:30"}, 422, "at"),
        ("explained", {"language": "fr"}, 422, "language"),
    ],
    ids=["no such site", "a time that the clock skips", "no such language"],
)
def test_a_wrong_question_is_refused_by_name(
    api: httpx.Client, *, site: str, changes: dict[str, str], status: int, field: str
) -> None:
    answer = api.get(
        f"/v1/sites/{site}/forecasts/explanation", params={"at": day(14).isoformat()} | changes
    )
    assert (answer.status_code, answer.headers["content-type"]) == (
        status,
        "application/problem+json",
    )
    assert field in answer.json()["field"]
