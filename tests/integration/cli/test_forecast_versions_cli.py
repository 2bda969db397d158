"""``luna forecast status``, ``promote`` and ``rollback`` as a script sees them."""

from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import Engine

from luna.platform.database import engine, forecast_scores, sites, training_runs
from luna.platform.database.forecast_scores import ForecastDayScore
from luna.platform.database.training_runs import TrainingRun
from tests.support.command_line.call import Luna
from tests.support.household.measurements import describe_site

SITE = ("--site", "versions_cli", "--json")
UNTIL = datetime(2024, 3, 1, tzinfo=UTC)


@pytest.fixture
def forecast(luna_on_servers: Luna, database: Engine) -> Luna:
    """Runs ``luna forecast`` against a database that holds a site with two trainings, and one day
    of scores.
    """
    with engine.unit_of_work(database) as connection:
        sites.save(connection, describe_site(name="versions_cli"))
        for number in (1, 2):
            run = TrainingRun(
                f"cli_run_{number}",
                "aurora_v1.0",
                UNTIL - timedelta(days=30),
                UNTIL + timedelta(days=number),
                "0",
                0,
                1.5,
            )
            training_runs.save(connection, "versions_cli", run)
        scores = [
            ForecastDayScore(date(2024, 3, 5), version, "load_kwh", 4, 0.03, 0.04, 0.01, 0.8)
            for version in ("aurora_v1.0", "baseline_7_day_avg")
        ]
        forecast_scores.upsert(connection, "versions_cli", scores)
    return lambda *words: luna_on_servers("forecast", *words, *SITE)


def test_a_version_is_promoted_its_training_changed_and_each_taken_back_with_one_command(
    forecast: Luna,
) -> None:
    steps = [
        forecast("promote", "--version", "aurora_v1.0", "--run", "cli_run_1"),
        forecast("promote", "--version", "aurora_v1.0", "--reason", "newer"),
        forecast("rollback"),
        forecast("rollback"),
    ]
    said = [(step.document["forecast_version"], step.document["run_id"]) for step in steps]
    assert said == [
        ("aurora_v1.0", "cli_run_1"),
        ("aurora_v1.0", "cli_run_2"),
        ("aurora_v1.0", "cli_run_1"),
        ("baseline_like_days", None),
    ]
    found = forecast("status").document
    assert (found["active_forecast_version"], found["pinned"]) == ("baseline_like_days", False)
    assert [made["decided_by"] for made in found["decisions"]] == [
        "rollback",
        "rollback",
        "hand",
        "hand",
    ]
    assert [run["run_id"] for run in found["trainings"]] == ["cli_run_2", "cli_run_1"]
    assert found["shadow"][0]["versions"]["aurora_v1.0"]["series"]["load_kwh"][
        "pinball"
    ] == pytest.approx(0.01)
    assert forecast("rollback").problem["reason"] == "nothing-to-go-back-to"


def test_what_is_shown_to_people_names_what_drives_the_planner(
    luna_on_servers: Luna, forecast: Luna
) -> None:
    forecast("promote", "--version", "seasonal_naive")
    shown = luna_on_servers("forecast", "status", "--site", "versions_cli").out
    assert "seasonal_naive drives the planner since" in shown
    assert "promoted by hand" in shown
    assert "Next training: " in shown
