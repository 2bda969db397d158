"""Replays of days for which nobody issued forecasts then: whoever asks, they are issued first."""

from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import date, timedelta
from typing import Any

import numpy as np
import pytest
from sqlalchemy import Connection, Engine, text

from luna.contracts.job import Job
from luna.contracts.replay import ReplayRequest
from luna.energy.observations import Observations
from luna.energy.site import parse_site
from luna.energy.timeline import local_days, parse_zone
from luna.house.missing_forecasts import find_missing_issues, list_missing_issues
from luna.platform.database import forecasts, jobs, observations, sites
from luna.platform.database.engine import unit_of_work
from luna.platform.database.forecast_activations import DEFAULT_VERSION
from luna.platform.queue import Client
from luna.platform.queue.jobs import submit_job
from tests.support.database.databases import remove_site
from tests.support.database.site import issue_half_a_kilowatt
from tests.support.worker.workers import wait_for, worker_process

VERSION = DEFAULT_VERSION
ZONE = parse_zone("Europe/Berlin")
# The last of the days has 23 hours; a fortnight before it is recorded.
FIRST = date(2024, 3, 30)
LAST = date(2024, 3, 31)
PAST = local_days(FIRST - timedelta(days=14), LAST, ZONE)
WINDOW = local_days(FIRST, LAST, ZONE)
HOURS = 24 + 23
TARIFF = {"import": {"kind": "fixed", "price": 0.3}, "export": {"kind": "fixed", "price": 0.07}}
BATTERY = {"capacity_kwh": 6, "charge_limit_kw": 3, "discharge_limit_kw": 3}
SITE = parse_site(
    {
        "name": "unforeseen",
        "timezone": "Europe/Berlin",
        "batteries": [BATTERY],
        "pv": [{"peak_kw": 4}],
        "tariff": TARIFF,
    }
)


@pytest.fixture
def recorded(database: Engine) -> Iterator[Engine]:
    """A site with a recorded fortnight and two days, and no forecast of any of it."""
    rng = np.random.default_rng(5)
    with unit_of_work(database) as connection:
        sites.save(connection, SITE)
        series = {
            "load_kwh": rng.gamma(4, 0.05, PAST.count),
            "pv_kwh": rng.uniform(0, 0.4, PAST.count),
        }
        observations.upsert(connection, SITE.name, Observations.of(PAST.starts, series))
    yield database
    remove_site(database, SITE.name)
    with unit_of_work(database) as connection:
        connection.execute(text("DELETE FROM jobs"))


def ask(**changes: Any) -> ReplayRequest:
    return ReplayRequest(
        site_id=SITE.name,
        from_day=FIRST,
        **{"to_day": LAST, "policies": ["mpc"], "forecast_version": VERSION} | changes,
    )


def look_at(database: Engine, job: Job) -> Job:
    with unit_of_work(database) as connection:
        return jobs.load(connection, job.job_id)


def has_ended(database: Engine, job: Job) -> Callable[[], bool]:
    return lambda: look_at(database, job).finished_at is not None


def test_a_replay_as_a_job_has_its_forecasts_issued_first_and_is_one_attempt(
    recorded: Engine, database_url: str, redis_url: str
) -> None:
    services = "services.planner.tasks", "services.forecaster.tasks"
    with closing(Client(redis_url)) as client, worker_process(redis_url, database_url, *services):
        wait_for(lambda: client.is_served(ReplayRequest))
        job = submit_job(recorded, client, ask())
        wait_for(has_ended(recorded, job))
    ended = look_at(recorded, job)
    assert (ended.status, ended.attempts) == ("done", 1)
    with unit_of_work(recorded) as connection:
        assert (
            len(
                forecasts.read_instants(
                    connection, SITE.name, version=VERSION, first=WINDOW.start, last=WINDOW.end
                )
            )
            == HOURS
        )


def test_a_replay_whose_forecasts_cannot_be_issued_says_why(
    recorded: Engine, database_url: str, redis_url: str
) -> None:
    services = "services.planner.tasks", "services.forecaster.tasks"
    with closing(Client(redis_url)) as client, worker_process(redis_url, database_url, *services):
        wait_for(lambda: client.is_served(ReplayRequest))
        job = submit_job(recorded, client, ask(forecast_version="never_heard_of"))
        wait_for(has_ended(recorded, job))
    ended = look_at(recorded, job)
    assert ended.status == "failed"
    assert "no such forecast version" in str(ended.error)


def test_where_nobody_issues_forecasts_a_replay_says_what_it_lacks(
    recorded: Engine, database_url: str, redis_url: str
) -> None:
    with (
        closing(Client(redis_url)) as client,
        worker_process(redis_url, database_url, "services.planner.tasks"),
    ):
        job = submit_job(recorded, client, ask())
        wait_for(has_ended(recorded, job))
    assert "there are no forecasts for the window" in str(look_at(recorded, job).error)


@pytest.fixture
def there(recorded: Engine) -> Iterator[Connection]:
    with unit_of_work(recorded) as connection:
        yield connection


def test_an_issue_in_the_step_before_serves_and_only_the_others_are_missing(
    there: Connection,
) -> None:
    # Half an hour before the first re-planning, and at the third one.
    for issued_at in (WINDOW.start - timedelta(minutes=30), WINDOW.start + timedelta(hours=2)):
        issue_half_a_kilowatt(there, SITE.name, issued_at)
    missing = find_missing_issues(there, ask())
    assert missing is not None
    instants = list_missing_issues(there, missing)
    assert instants[:2] == [WINDOW.start + timedelta(hours=hour) for hour in (1, 3)]
    assert len(instants) == HOURS - 2


def test_nothing_is_issued_for_days_that_are_not_recorded(there: Connection) -> None:
    assert find_missing_issues(there, ask(to_day=LAST + timedelta(days=1))) is None
