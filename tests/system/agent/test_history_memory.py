"""The memory of what agents learn from and are measured on, by the number of days."""

from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Connection, Engine

from luna.contracts.forecast import IssueRequest
from luna.energy.timeline import local_midnight
from luna.platform.database.engine import unit_of_work
from luna.platform.objects import FileObjects
from services.agent.training_history import read_history
from services.forecaster.forecast_issue import issue_forecasts
from tests.support.forecasts.evaluated_home import FIRST, SITE, ZONE, evaluated_home
from tests.support.metrics.memory import measure_peak_mb

# What is of one day more: its 24 forecasts, 75 kB, and its measurements. Whole they are 600 kB.
SHORT_DAYS = 20
LONG_DAYS = 40
MOST_MB_MORE = 6.0


@pytest.fixture(scope="module")
def home(database: Engine) -> Iterator[Engine]:
    with evaluated_home(database):
        yield database


def day(number: int) -> date:
    return FIRST + timedelta(days=number)


def read(connection: Connection, days: int) -> int:
    until = local_midnight(day(days), ZONE)
    return len(read_history(connection, SITE.name, until=until).scene.forecasts.forecasts)


def measure_more_mb(home: Engine) -> float:
    """Return by how much more memory is held at most while twice as many days are read."""
    with unit_of_work(home) as connection:
        # What is loaded once, and stays.
        read(connection, SHORT_DAYS)
        short = measure_peak_mb(lambda: read(connection, SHORT_DAYS))
        long = measure_peak_mb(lambda: read(connection, LONG_DAYS))
    return long - short


def test_twice_as_many_days_need_little_more_memory_where_forecasts_are_made_anew(
    home: Engine,
) -> None:
    assert measure_more_mb(home) < MOST_MB_MORE


def test_twice_as_many_days_need_little_more_memory_where_forecasts_are_stored(
    home: Engine, tmp_path: Path
) -> None:
    first, last = (local_midnight(day(number), ZONE) for number in (0, LONG_DAYS))
    with unit_of_work(home) as connection:
        request = IssueRequest(
            site_id=SITE.name,
            at=first,
            to=last,
            every_minutes=60,
            forecast_version="baseline_7_day_avg",
        )
        issue_forecasts(connection, request, objects=FileObjects(tmp_path))
    assert measure_more_mb(home) < MOST_MB_MORE
