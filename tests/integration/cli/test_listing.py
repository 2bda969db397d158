"""What a terminal lists and shows: sites, their devices and series, plans with their reasons,
forecasts, scores, and jobs that are left to workers.
"""

import json
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path

import numpy as np
import pytest
import yaml
from sqlalchemy import Engine, text

from luna.contracts.job import Job
from luna.energy.outlook import Forecast, Quantiles
from luna.energy.site import parse_site
from luna.energy.timeline import SLOT, Timeline
from luna.platform.database import forecast_issues, forecasts, jobs, observations, sites
from luna.platform.database.engine import unit_of_work
from luna.platform.database.forecast_activations import DEFAULT_VERSION
from luna.platform.database.forecast_issues import ForecastIssue
from luna.platform.database.schema.plans import daily_scores
from tests.support.command_line.call import Luna
from tests.support.control.inverters import describe
from tests.support.household.measurements import describe_site, measure_days
from tests.support.words.wording import wording_pattern

BATTERY = {"capacity_kwh": 10, "charge_limit_kw": 5, "discharge_limit_kw": 5}
SITE = ("--site", "listed")
# Noon in Berlin, in winter.
START = datetime(2024, 2, 1, 11, tzinfo=UTC)


@pytest.fixture
def home(luna_on_servers: Luna, database: Engine) -> Iterator[Luna]:
    """Commands beside a stored site in Berlin with a day of history and a forecast for the next
    two.
    """
    load = Quantiles.exact(np.full(192, 0.1))
    sun = Quantiles.exact(np.zeros(192))
    with unit_of_work(database) as connection:
        sites.save(
            connection,
            describe_site(name="listed", batteries=[BATTERY], control=describe("dry_run")),
        )
        observations.upsert(
            connection, "listed", measure_days(1, start=datetime(2024, 1, 31, 23, tzinfo=UTC))
        )
        forecasts.upsert(
            connection,
            "listed",
            [Forecast(Timeline(START, SLOT, 192), START, DEFAULT_VERSION, load, sun)],
        )
        forecast_issues.upsert(
            connection, "listed", [ForecastIssue(DEFAULT_VERSION, START, "cold", ("no_history",))]
        )
    yield luna_on_servers
    with unit_of_work(database) as connection:
        connection.execute(text("DELETE FROM sites WHERE name = 'listed'"))
        connection.execute(text("DELETE FROM plan_history WHERE site = 'listed'"))
        connection.execute(text("DELETE FROM jobs WHERE request ->> 'site_id' = 'listed'"))


def flat(shown: str) -> str:
    return " ".join(shown.split())


def test_a_site_is_shown_in_the_form_of_its_file(home: Luna) -> None:
    shown = home("site", "show", *SITE)
    assert shown.out.startswith("# listed, version 1, since ")
    again = parse_site(yaml.safe_load(shown.out))
    assert (
        again.model_dump(mode="json", by_alias=True)
        == home("site", "show", *SITE, "--json").document
    )
    assert home("site", "show", "--site", "nowhere").code == 2


def test_devices_are_shown_with_what_they_can_be_told(home: Luna) -> None:
    found = {
        each["name"]: each for each in home("site", "devices", *SITE, "--json").document["devices"]
    }
    assert (
        found["battery"]["kind"],
        found["battery"]["power_kw"],
        found["battery"]["told_as"],
    ) == ("battery", 5, "batteries")
    assert "self_consumption" in flat(home("site", "devices", *SITE).out)


def test_a_site_is_removed_only_when_that_is_meant(home: Luna, database: Engine) -> None:
    refused = home("site", "remove", *SITE)
    assert (refused.code, refused.problem["field"]) == (2, "--yes")
    assert home("site", "remove", *SITE, "--yes", "--json").document == {"removed": "listed"}
    assert home("site", "show", *SITE).code == 2
    with unit_of_work(database) as connection:
        assert connection.scalar(text("SELECT count(*) FROM sites WHERE name = 'listed'")) == 0


def test_an_armed_site_is_not_removed(home: Luna) -> None:
    assert home("control", "arm", *SITE).code == 0
    refused = home("site", "remove", *SITE, "--yes")
    assert (refused.code, refused.problem["status"]) == (1, 409)


def test_plans_are_listed_shown_and_their_reasons_told_by_the_sites_clock(home: Luna) -> None:
    assert "There are no plans" in home("plans", "list", *SITE).out
    planned = home("plan", *SITE, "--start", "2024-02-01 12:00", "--json").document
    (listed,) = home("plans", "list", *SITE, "--json").document["plans"]
    assert (listed["plan_id"], listed["from"], listed["cost"]) == (
        planned["plan_id"],
        "2024-02-01T11:00:00Z",
        pytest.approx(planned["cost"]["total"]),
    )
    assert home("plans", "list", *SITE, "--to", "2024-02-01", "--json").document["plans"] == []
    shown = flat(home("plans", "show", *SITE).out)
    assert "Plan for listed, Europe/Berlin" in shown
    issued = wording_pattern("plan_command", "forecast", issued="2024-02-01 12:00 CET", why="")
    assert issued.search(shown)
    assert (
        home("plans", "show", "--plan", planned["plan_id"], "--json").document["slots"]
        == planned["slots"]
    )
    reasons = home("plans", "reasons", *SITE, "--json").document["reasons"]
    assert (reasons[0]["from"], reasons[0]["text"]) == (
        "2024-02-01T11:00:00Z",
        planned["slots"][0]["reason"]["text"],
    )
    assert "CET" in home("plans", "reasons", "--plan", planned["plan_id"]).out


def test_which_plan_is_meant_must_be_said(home: Luna) -> None:
    assert home("plans", "show").problem["field"] == "--plan"
    assert home("plans", "show", *SITE).problem["status"] == 404
    assert home("plans", "reasons", "--plan", "nothing").code == 2


def test_series_are_listed_with_when_they_are_known(home: Luna) -> None:
    found = {
        each["series"]: each for each in home("data", "series", *SITE, "--json").document["series"]
    }
    assert found["load_kwh"] == {
        "series": "load_kwh",
        "unit": "kWh",
        "first": "2024-01-31T23:00:00Z",
        "end": "2024-02-01T23:00:00Z",
    }
    assert "load_kwh kWh 2024-02-01 00:00 CET 2024-02-02 00:00 CET" in flat(
        home("data", "series", *SITE).out
    )


def test_forecasts_are_listed_the_newest_first(home: Luna) -> None:
    (found,) = home("forecast", "list", *SITE, "--json").document["forecasts"]
    assert (found["issued_at"], found["stage"], found["reasons"]) == (
        "2024-02-01T11:00:00Z",
        "cold",
        ["no_history"],
    )
    assert (
        home("forecast", "list", *SITE, "--to", "2024-02-01 12:00", "--json").document["forecasts"]
        == []
    )
    assert (
        "2024-02-01 12:00 CET" in home("forecast", "list", *SITE, "--from", "2024-02-01 12:00").out
    )


def test_scores_are_listed_by_day(home: Luna, database: Engine) -> None:
    assert "There are no scores" in home("scores", *SITE).out
    with unit_of_work(database) as connection:
        row = {
            "site_key": sites.key_of(connection, "listed"),
            "system_id": "simulation",
            "policy": "mpc",
            "currency": "EUR",
        }
        days = [
            row | {"day": date(2024, 2, day), "cost": 1.5, "stored_gain": 0.2, "value_gain": 0.1}
            for day in (1, 2)
        ]
        connection.execute(daily_scores.insert(), days)
    found = home("scores", *SITE, "--from", "2024-02-02", "--json").document["scores"]
    assert [(each["day"], each["policy"], each["cost"]) for each in found] == [
        ("2024-02-02", "mpc", 1.5)
    ]
    assert "2024-02-01 Luna €1.50" in flat(home("scores", *SITE, "--to", "2024-02-01").out)


def test_work_is_left_to_workers_by_the_sites_clock(
    home: Luna, database: Engine, tmp_path: Path
) -> None:
    file = tmp_path / "request.json"
    file.write_text(json.dumps({"site_id": "listed", "at": "2024-02-01 12:00"}), encoding="utf-8")
    job = home(
        "jobs", "submit", "forecaster.forecast.issue", "--request", str(file), "--json"
    ).document
    assert (job["status"], job["request"]["at"]) == ("queued", "2024-02-01T11:00:00Z")
    with unit_of_work(database) as connection:
        jobs.finish(
            connection,
            Job.model_validate(jobs.begin(connection, job["job_id"])),
            status="done",
            reply="{}",
        )
    watched = home("jobs", "watch", job["job_id"], "--json")
    assert (watched.code, watched.document["status"]) == (0, "done")


def test_a_job_that_ended_badly_ends_its_watch_with_a_failure(home: Luna, tmp_path: Path) -> None:
    file = tmp_path / "request.json"
    file.write_text(json.dumps({"site_id": "listed"}), encoding="utf-8")
    job = home(
        "jobs", "submit", "forecaster.model.train", "--request", str(file), "--json"
    ).document
    assert home("jobs", "cancel", job["job_id"]).code == 0
    watched = home("jobs", "watch", job["job_id"])
    assert (watched.code, "cancelled" in watched.out) == (1, True)


@pytest.mark.parametrize(
    ("task", "document", "field"),
    [
        ("planner.nothing.do", {}, "TASK"),
        ("queue.jobs.resend", {}, "TASK"),
        ("planner.replay.run", {"site_id": "listed"}, "request.from_day"),
        ("planner.replay.run", {"site_id": "nowhere"}, "site"),
        ("planner.replay.run", {"kind": 1}, "request.site_id"),
    ],
    ids=["no task", "not for callers", "incomplete", "unknown site", "no site"],
)
def test_work_that_cannot_be_accepted_is_refused(
    home: Luna, tmp_path: Path, task: str, document: dict[str, object], field: str
) -> None:
    file = tmp_path / "request.json"
    file.write_text(json.dumps(document), encoding="utf-8")
    said = home("jobs", "submit", task, "--request", str(file))
    assert (said.code, said.problem["field"]) == (2, field)


def test_a_site_of_the_same_name_shows_what_changes_before_it_is_stored(
    home: Luna, tmp_path: Path
) -> None:
    stored = yaml.safe_load(home("site", "show", *SITE).out)
    file = tmp_path / "site.yaml"
    file.write_text(
        yaml.safe_dump(stored | {"batteries": [stored["batteries"][0] | {"capacity_kwh": 12}]}),
        encoding="utf-8",
    )
    added = home("site", "add", "--file", str(file), "--yes", "--json")
    assert added.code == 0
    assert json.loads(added.out)["differences"] == [
        {"field": "batteries.battery.capacity_kwh", "before": 10.0, "after": 12.0}
    ]
    again = home("site", "add", "--file", str(file))
    assert (again.code, "changes" in again.err) == (0, False)
