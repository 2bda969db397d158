"""``luna forecast`` as a script sees it: one JSON document on stdout, a problem on stderr."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine

from luna.database import engine, observations, sites
from tests.household import day, describe_site, measure_days

Luna = Callable[..., tuple[int, Any, str]]


@pytest.fixture
def luna(database: Engine, database_url: str, redis_url: str, tmp_path: Path) -> Luna:
    """Runs ``luna forecast`` against a database that holds a site with fifteen days."""
    with engine.unit_of_work(database) as connection:
        sites.save(connection, describe_site(name="forecast_cli"))
        observations.upsert(connection, "forecast_cli", measure_days(15))
    environment = os.environ | {"LUNA_DATABASE_URL": database_url, "LUNA_REDIS_URL": redis_url, "LUNA_DATA_FOLDER": str(tmp_path)}

    def call(*words: str) -> tuple[int, Any, str]:
        command = [str(Path(sys.executable).with_name("luna")), "forecast", *words, "--site", "forecast_cli", "--json"]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120, check=False)
        return done.returncode, json.loads(done.stdout or "null"), done.stderr

    return call


def test_what_was_trained_is_issued_and_compared(luna: Luna) -> None:
    code, trained, problem = luna("train", "--until", day(14).isoformat())
    assert (code, trained["days"]) == (0, 14), problem
    code, issued, problem = luna("issue", "--at", day(14).isoformat(), "--to", day(14, hours=6).isoformat(), "--every", "3h")
    assert code == 0, problem
    assert (len(issued["issued_at"]), issued["stage"], len(issued["forecast"])) == (3, "young", 192)
    assert issued["forecast"][0]["load_p10_kwh"] <= issued["forecast"][0]["load_p50_kwh"] <= issued["forecast"][0]["load_p90_kwh"]
    code, compared, problem = luna("evaluate", "--from", "2024-03-15", "--to", "2024-03-15", "--versions", "seasonal_naive,baseline_7_day_avg")
    assert (code, compared["origins"]) == (0, 4), problem
    assert compared["versions"]["seasonal_naive"]["series"]["load_kwh"]["skill"] == 0


@pytest.mark.parametrize(
    ("words", "named"),
    [
        (("issue", "--at", "2024-03-14T00:00:00Z", "--every", "often"), "--every"),
        (("issue", "--at", "2024-03-14T00:00:00Z", "--version", "crystal_ball"), "forecast_version"),
    ],
    ids=["no duration", "no version"],
)
def test_bad_input_is_named_and_ends_with_two(luna: Luna, words: tuple[str, ...], named: str) -> None:
    code, document, problem = luna(*words)
    assert (code, document) == (2, None)
    assert json.loads(problem.strip().splitlines()[-1])["field"] == named
