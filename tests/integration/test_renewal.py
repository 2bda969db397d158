"""Models that nobody has to renew: asked for when due, as jobs, one at a time."""

from collections.abc import Iterator
from datetime import datetime, timedelta

import numpy as np
import pytest
from sqlalchemy import Connection, Engine, delete, update

from luna.contracts.forecast import RenewModelsRequest, SiteRenewal
from luna.energy.observations import Observations
from luna.energy.timeline import SLOT, floor_to, parse_zone
from luna.platform.database import forecast_scores, observations, sites, training_runs
from luna.platform.database.engine import unit_of_work
from luna.platform.database.forecast_scores import ForecastDayScore
from luna.platform.database.schema.plans import training_runs as runs_table
from luna.platform.database.schema.series import slot_observations
from luna.platform.database.schema.sites import site_versions
from luna.platform.database.schema.sites import sites as sites_table
from luna.platform.database.schema.work import jobs as jobs_table
from luna.platform.database.training_runs import TrainingRun
from luna.platform.queue import Client
from luna.platform.queue.jobs import submit_job
from services.forecaster.model.aurora import VERSION
from services.forecaster.retraining.renewal import (
    Due,
    RenewalContext,
    assign_turn,
    find_due,
    find_last_turn,
    renew_models,
)
from tests.support.forecasts.faulty_days import change, grow_roof
from tests.support.household.measurements import START, day, describe_site, measure_days

SITE = describe_site()
TURN = find_last_turn(assign_turn("home"), day(110), parse_zone(SITE.timezone))
# Four nights after the weekly one, at the hour in which the site is looked at.
NIGHT = TURN + timedelta(days=4, minutes=10)
TRAINED = TURN + timedelta(minutes=30)
USUAL = measure_days(125)


def store(
    connection: Connection,
    measured: Observations,
    *,
    until: datetime = NIGHT,
    trained_at: datetime | None = TRAINED,
) -> None:
    """Store the site with what it measured until then, and a training that ended at an instant and
    knew all that there was.
    """
    sites.save(connection, SITE)
    known = measured.starts < np.datetime64(until.replace(tzinfo=None), "s")
    observations.upsert(
        connection,
        "home",
        Observations.of(
            measured.starts[known],
            {"load_kwh": measured.load_kwh[known], "pv_kwh": measured.pv_kwh[known]},
        ),
    )
    if trained_at is not None:
        note_training(connection, trained_at)


def note_training(connection: Connection, at: datetime) -> None:
    run = TrainingRun(
        f"run-{at.isoformat()}", VERSION, START, floor_to(at, SLOT), "1", seed=0, train_seconds=1.0
    )
    training_runs.save(connection, "home", run)
    connection.execute(
        update(runs_table).where(runs_table.c.run_id == run.run_id).values(finished_at=at)
    )


def add_heat_pump(measured: Observations) -> Observations:
    """Return the days with 2 kW for an hour every four hours, of late."""
    on = np.arange(len(measured)) % 16 < 4
    return change(
        measured,
        NIGHT - timedelta(days=10),
        NIGHT,
        {"load_kwh": measured.load_kwh + np.where(on, 0.5, 0.0)},
    )


def score_days(connection: Connection, worse: float) -> None:
    """Store Aurora's errors of the last weeks, ``worse`` times as large in the last ten days."""
    noise = np.exp(0.2 * np.random.default_rng(1).standard_normal(75))
    for back in range(1, 75):
        mae = 0.01 * float(noise[back]) * (worse if back <= 10 else 1.0)
        score = ForecastDayScore(
            (NIGHT - timedelta(days=back)).date(), VERSION, "load_kwh", 4, mae, mae, mae, 0.8
        )
        forecast_scores.upsert(connection, "home", [score])


def test_the_first_training_is_due_when_two_weeks_are_known(connection: Connection) -> None:
    sites.save(connection, SITE)
    assert find_due(connection, SITE, now=day(14)) is None
    store(connection, USUAL, until=day(13.9), trained_at=None)
    assert find_due(connection, SITE, now=day(20)) is None
    store(connection, USUAL, until=day(14), trained_at=None)
    assert find_due(connection, SITE, now=day(14)) == Due(
        "schedule", "two weeks are known and nothing was learned"
    )


def test_a_training_that_came_too_early_to_learn_anything_is_made_up_for_when_two_weeks_are_known(
    connection: Connection,
) -> None:
    store(connection, USUAL, until=day(14), trained_at=None)
    early = TrainingRun(
        "early", VERSION, START, day(3), "1", seed=0, train_seconds=1.0, metrics={"known_days": 3.0}
    )
    training_runs.save(connection, "home", early)
    assert find_due(connection, SITE, now=day(14)) == Due(
        "schedule", "two weeks are known and nothing was learned"
    )


def test_a_record_of_another_year_is_not_trained(connection: Connection) -> None:
    store(connection, USUAL, until=day(40), trained_at=None)
    assert find_due(connection, SITE, now=day(53)) is not None
    assert find_due(connection, SITE, now=day(55)) is None


def test_readings_from_the_future_make_no_two_weeks(connection: Connection) -> None:
    store(
        connection,
        change(USUAL, day(1), day(15), {"load_kwh": np.nan, "pv_kwh": np.nan}),
        until=day(16),
        trained_at=None,
    )
    assert find_due(connection, SITE, now=day(10)) is None


def test_every_week_the_site_has_its_turn_but_not_without_new_data(connection: Connection) -> None:
    store(connection, USUAL, until=TURN, trained_at=TURN - timedelta(days=5))
    assert find_due(connection, SITE, now=TURN - timedelta(minutes=1)) is None
    assert find_due(connection, SITE, now=TURN + timedelta(hours=9)) == Due(
        "schedule", "its weekly turn has come"
    )
    note_training(connection, TURN + timedelta(hours=9))
    assert find_due(connection, SITE, now=TURN + timedelta(hours=10)) is None
    assert find_due(connection, SITE, now=TURN + timedelta(days=8)) is None


def test_where_nothing_has_changed_nothing_is_due(connection: Connection) -> None:
    store(connection, USUAL)
    score_days(connection, worse=1.0)
    assert find_due(connection, SITE, now=NIGHT) is None


def test_a_heat_pump_is_a_reason_in_the_night_once_the_last_training_has_rested(
    connection: Connection,
) -> None:
    store(connection, add_heat_pump(USUAL))
    due = find_due(connection, SITE, now=NIGHT)
    assert due is not None
    assert due.trigger == "drift"
    assert due.reason.startswith("load_shape")
    assert find_due(connection, SITE, now=NIGHT + timedelta(hours=2)) is None
    note_training(connection, NIGHT - timedelta(days=2))
    assert find_due(connection, SITE, now=NIGHT) is None


def test_a_new_array_is_a_reason(connection: Connection) -> None:
    store(connection, grow_roof(USUAL, TRAINED, 4.0))
    due = find_due(connection, SITE, now=NIGHT)
    assert due is not None
    assert "times as much" in due.reason


def test_forecasts_that_miss_for_days_are_a_reason(connection: Connection) -> None:
    store(connection, USUAL)
    score_days(connection, worse=3.0)
    due = find_due(connection, SITE, now=NIGHT)
    assert due is not None
    assert due.reason.startswith("load_error")


@pytest.fixture
def two_sites(database: Engine) -> Iterator[Engine]:
    """A site whose first training is due, and one whose configuration was lost."""
    names = ("due", "lost")
    with unit_of_work(database) as connection:
        for name in names:
            sites.save(connection, describe_site(name=name))
        keys = [sites.key_of(connection, name) for name in names]
        observations.upsert(connection, "due", measure_days(15))
        connection.execute(delete(site_versions).where(site_versions.c.site_key == keys[1]))
    yield database
    with unit_of_work(database) as connection:
        connection.execute(delete(slot_observations).where(slot_observations.c.site_key.in_(keys)))
        connection.execute(delete(jobs_table).where(jobs_table.c.task == "forecaster.model.train"))
        connection.execute(delete(sites_table).where(sites_table.c.name.in_(names)))


def test_what_is_due_is_asked_for_as_one_job_and_a_site_that_fails_stops_no_other(
    two_sites: Engine, redis_url: str
) -> None:
    client = Client(redis_url)

    def renew() -> dict[str, SiteRenewal]:
        context = RenewalContext(two_sites, lambda request: submit_job(two_sites, client, request))
        return {
            site.site_id: site
            for site in renew_models(context, RenewModelsRequest(), now=day(16)).sites
        }

    first = renew()
    again = renew()
    client.close()
    assert (first["due"].trigger, first["due"].fault) == ("schedule", None)
    assert first["due"].job_id == again["due"].job_id
    assert "not set up" in str(first["lost"].fault)
