"""Which version drives the planner, over HTTP."""

from collections.abc import Iterator

import httpx
import pytest
from sqlalchemy import Engine

from luna.platform.database import sites
from luna.platform.database.engine import unit_of_work
from luna.platform.embedded.supervisor import Addresses
from tests.support.gateway.server import serve
from tests.support.household.measurements import describe_site
from tests.support.worker.workers import worker_process

PATH = "/v1/sites/versions_api/forecast-versions"


@pytest.fixture(scope="module")
def api(redis_url: str, database_url: str, database: Engine) -> Iterator[httpx.Client]:
    with unit_of_work(database) as connection:
        sites.save(connection, describe_site(name="versions_api"))
    with (
        worker_process(redis_url, database_url, "services.forecaster.tasks"),
        serve(Addresses(database_url=database_url, redis_url=redis_url)) as client,
    ):
        yield client


def test_a_version_is_read_promoted_and_taken_back(api: httpx.Client) -> None:
    assert api.get(PATH).json()["active_forecast_version"] == "baseline_like_days"
    promoted = api.post(
        f"{PATH}/promote", json={"forecast_version": "seasonal_naive", "reason": "tried out"}
    )
    assert (promoted.status_code, promoted.json()["changed"]) == (200, True), promoted.text
    found = api.get(PATH).json()
    assert (found["active_forecast_version"], found["reason"], len(found["decisions"])) == (
        "seasonal_naive",
        "tried out",
        1,
    )
    assert api.post(f"{PATH}/rollback").json()["forecast_version"] == "baseline_like_days"
    assert api.post(f"{PATH}/rollback").status_code == 409


def test_a_site_or_version_that_is_not_there_is_not_found_and_a_wrong_body_is_refused(
    api: httpx.Client,
) -> None:
    assert api.get("/v1/sites/nowhere/forecast-versions").status_code == 404
    assert api.post(f"{PATH}/promote", json={"forecast_version": "crystal_ball"}).status_code == 404
    assert api.post(f"{PATH}/promote", json={"version": "seasonal_naive"}).status_code == 422
