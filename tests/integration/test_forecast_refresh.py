"""Forecasts that nobody asks for: issued when due, once, for every site."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import Engine, delete

from luna.contracts.forecast import IssueRequest, RefreshForecastsReply, RefreshForecastsRequest
from luna.contracts.job import Job
from luna.energy.outlook import PARTS
from luna.energy.timeline import SLOT, Timeline
from luna.platform.database import (
    forecast_issues,
    forecast_scenarios,
    forecasts,
    observations,
    sites,
    weather_carbon,
)
from luna.platform.database.engine import unit_of_work
from luna.platform.database.forecast_activations import DEFAULT_VERSION
from luna.platform.database.schema.forecasting import forecast_issues as issues_table
from luna.platform.database.schema.forecasting import forecast_scenarios as scenarios_table
from luna.platform.database.schema.series import slot_forecasts, slot_observations, weather
from luna.platform.database.schema.sites import site_versions
from luna.platform.database.schema.sites import sites as sites_table
from luna.platform.objects import FileObjects
from services.forecaster.forecast_issue import issue_forecasts, read_surroundings
from services.forecaster.inputs.frame import number_slot
from services.forecaster.model.aurora import VERSION
from services.forecaster.model.baseline import BASELINES
from services.forecaster.retraining.refresh import ForecastBatches, refresh_forecasts
from tests.support.household.measurements import day, describe_site, measure_days

NAMES = ("measured", "new", "wrong")
NOW = day(9, 7.1)


@pytest.fixture
def three_sites(database: Engine) -> Iterator[Engine]:
    """A site with nine days, one without any, and one whose configuration was lost."""
    with unit_of_work(database) as connection:
        for name in NAMES:
            sites.save(connection, describe_site(name=name))
        keys = [sites.key_of(connection, name) for name in NAMES]
        observations.upsert(connection, "measured", measure_days(9))
        connection.execute(delete(site_versions).where(site_versions.c.site_key == keys[2]))
    yield database
    with unit_of_work(database) as connection:
        for table in (issues_table, scenarios_table, slot_forecasts, slot_observations):
            connection.execute(delete(table).where(table.c.site_key.in_(keys)))
        connection.execute(delete(weather).where(weather.c.place == "measured"))
        connection.execute(delete(sites_table).where(sites_table.c.name.in_(NAMES)))


def refresh(
    engine: Engine, folder: Path, now: datetime = NOW
) -> dict[str, list[tuple[str, datetime]]]:
    reply = ask(engine, folder, now)
    return {
        site.site_id: [(issue.forecast_version, issue.issued_at) for issue in site.issued]
        for site in reply.sites
        if site.site_id in NAMES
    }


def ask(engine: Engine, folder: Path, now: datetime = NOW) -> RefreshForecastsReply:
    return refresh_all(
        engine, RefreshForecastsRequest(), folder, now=now, spread=ForecastBatches(1000, ask_nobody)
    )


def refresh_all(
    engine: Engine,
    request: RefreshForecastsRequest,
    folder: Path,
    *,
    now: datetime,
    spread: ForecastBatches,
) -> RefreshForecastsReply:
    with unit_of_work(engine) as connection:
        return refresh_forecasts(
            connection, request, objects=FileObjects(folder), now=now, spread=spread
        )


def ask_nobody(request: RefreshForecastsRequest, key: str) -> Job:
    pytest.fail(f"one task does it all, and {key} was asked for: {request}")


def test_forecasts_of_many_sites_are_issued_by_jobs_side_by_side(
    three_sites: Engine, tmp_path: Path
) -> None:
    asked: dict[str, list[str]] = {}

    def ask(request: RefreshForecastsRequest, key: str) -> Job:
        asked[key] = request.site_ids
        return Job(
            job_id=key,
            task=request.task,
            key=key,
            status="queued",
            attempts=0,
            submitted_at=NOW,
            request={},
            trace_id="",
        )

    reply = refresh_all(
        three_sites, RefreshForecastsRequest(), tmp_path, now=NOW, spread=ForecastBatches(1, ask)
    )
    parts = [part for part in asked.values() if part[0] in NAMES]
    assert (parts, [site.site_id for site in reply.sites if site.site_id in NAMES]) == (
        [["measured"], ["new"]],
        ["wrong"],
    )
    requests = [RefreshForecastsRequest(site_ids=part) for part in parts]
    issued = [
        refresh_all(three_sites, request, tmp_path, now=NOW, spread=ForecastBatches(1, ask))
        for request in requests
    ]
    assert [{issue.forecast_version for issue in each.sites[0].issued} for each in issued] == [
        {VERSION, *BASELINES}
    ] * 2


def check_that_each_is_issued_alike_alone(three_sites: Engine, tmp_path: Path) -> None:
    """Each forecast is the one that its version issues alone."""
    versions = (VERSION, *BASELINES)
    objects = FileObjects(tmp_path)
    with unit_of_work(three_sites) as connection:
        kept = {
            version: forecasts.read_all(
                connection, "measured", version=version, first=day(9), last=NOW
            )
            for version in versions
        }
        reasons = {
            version: forecast_issues.read_all(
                connection, "measured", version=version, first=day(9), last=NOW
            )
            for version in versions
        }
        for version, (together,) in kept.items():
            request = IssueRequest(
                site_id="measured", at=together.issued_at, forecast_version=version
            )
            (alone,) = issue_forecasts(connection, request, objects=objects, now=NOW).batch
            for series in ("load_kwh", "pv_kwh"):
                assert all(
                    np.array_equal(
                        getattr(getattr(together, series), part),
                        getattr(getattr(alone, series), part),
                    )
                    for part in PARTS
                )
            assert (
                forecast_issues.read_all(
                    connection, "measured", version=version, first=day(9), last=NOW
                )
                == reasons[version]
            )


def check_scenarios(three_sites: Engine) -> None:
    """What drives the planner has scenarios beside it."""
    ahead = Timeline(day(9, 7), SLOT, 192)
    with unit_of_work(three_sites) as connection:
        found = {
            version: forecast_scenarios.read(
                connection, "measured", ahead, version=version, known_at=NOW
            )
            for version in (VERSION, DEFAULT_VERSION)
        }
    assert found[VERSION] is None
    assert found[DEFAULT_VERSION] is not None
    assert found[DEFAULT_VERSION].reasons == ("few_error_paths",)


def test_every_site_gets_every_version_and_each_row_says_what_it_rests_on(
    three_sites: Engine, tmp_path: Path
) -> None:
    issued = refresh(three_sites, tmp_path)
    assert (
        {version for version, _ in issued["measured"]}
        == {version for version, _ in issued["new"]}
        == {VERSION, *BASELINES}
    )
    with unit_of_work(three_sites) as connection:
        (known,) = forecast_issues.read_all(
            connection, "measured", version=VERSION, first=day(9), last=NOW
        )
        (cold,) = forecast_issues.read_all(
            connection, "new", version=VERSION, first=day(9), last=NOW
        )
        stored = forecasts.read_all(connection, "measured", version=VERSION, first=day(9), last=NOW)
    assert (known.issued_at, known.stage, known.reasons) == (
        day(9, 7),
        "profile",
        ("short_history",),
    )
    assert (cold.stage, cold.reasons) == ("cold", ("no_history", "load_assumed"))
    assert [forecast.issued_at for forecast in stored] == [day(9, 7)]
    check_that_each_is_issued_alike_alone(three_sites, tmp_path)
    check_scenarios(three_sites)


def test_asking_again_within_the_hour_changes_nothing_and_the_next_hour_asks_for_what_is_due(
    three_sites: Engine, tmp_path: Path
) -> None:
    refresh(three_sites, tmp_path)
    assert refresh(three_sites, tmp_path, NOW + timedelta(minutes=45)) == {
        name: [] for name in NAMES
    }
    assert set(refresh(three_sites, tmp_path, NOW + timedelta(hours=1))["measured"]) == {
        (VERSION, day(9, 8)),
        (DEFAULT_VERSION, day(9, 8)),
    }


def test_weather_that_is_back_after_days_is_in_a_forecast_of_its_own_at_once(
    three_sites: Engine, tmp_path: Path
) -> None:
    back = day(9, 7.2)
    tomorrow = Timeline(day(10), SLOT, 96)
    expect(three_sites, tomorrow, cloudless=0.1, issued_at=day(6, 7))
    assert set(refresh(three_sites, tmp_path)["measured"]) >= {(VERSION, day(9, 7))}
    expect(three_sites, tomorrow, cloudless=0.9, issued_at=back)
    assert set(refresh(three_sites, tmp_path, back + timedelta(seconds=30))["measured"]) == {
        (VERSION, back),
        (DEFAULT_VERSION, back),
    }
    assert refresh(three_sites, tmp_path, day(9, 7.9))["measured"] == []
    with unit_of_work(three_sites) as connection:
        site = sites.load(connection, "measured")
        for at, cloudless in ((back - timedelta(seconds=1), 0.1), (back, 0.9)):
            known = read_surroundings(connection, site, [at]).weather
            slots = np.array([number_slot(start) for start in tomorrow])
            assert set(known.at(slots, np.full(slots.size, number_slot(at)))["cloud_fraction"]) == {
                1 - cloudless
            }


def test_weather_that_comes_every_hour_adds_no_forecast(
    three_sites: Engine, tmp_path: Path
) -> None:
    tomorrow = Timeline(day(10), SLOT, 96)
    for hour in (6.5, 7.05):
        expect(three_sites, tomorrow, cloudless=hour / 10, issued_at=day(9, hour))
    assert {at for _, at in refresh(three_sites, tmp_path)["measured"]} == {day(9, 7), day(9, 6)}


def expect(engine: Engine, timeline: Timeline, *, cloudless: float, issued_at: datetime) -> None:
    issued = np.full(timeline.count, np.datetime64(issued_at.replace(tzinfo=None), "us"))
    values = {"cloud_fraction": np.full(timeline.count, 1 - cloudless)}
    with unit_of_work(engine) as connection:
        weather_carbon.upsert(
            connection, "weather", "measured", timeline.starts, values=values, issued_at=issued
        )


def test_a_site_that_fails_is_named_and_the_others_have_their_forecasts(
    three_sites: Engine, tmp_path: Path
) -> None:
    found = {site.site_id: site for site in ask(three_sites, tmp_path).sites}
    assert found["wrong"].issued == []
    assert "not set up" in found["wrong"].faults[0]
    assert found["measured"].faults == found["new"].faults == []
