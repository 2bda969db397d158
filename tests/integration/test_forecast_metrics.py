"""When each site's newest forecast was issued, as Prometheus reads it from the gateway."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import httpx
import pytest
from sqlalchemy import Engine, delete

from luna.platform.database import forecast_issues, sites
from luna.platform.database.engine import unit_of_work
from luna.platform.database.forecast_issues import ForecastIssue
from luna.platform.database.schema.forecasting import forecast_issues as issues_table
from luna.platform.database.schema.sites import sites as sites_table
from luna.platform.embedded.supervisor import Addresses
from tests.support.gateway.server import serve
from tests.support.household.measurements import describe_site

AT = datetime(2026, 11, 20, 13, tzinfo=UTC)
NAMES = ("forecast-home", "forecast-none", "forecast-new")
NAME = "luna_forecaster_newest_forecast_seconds"


@pytest.fixture
def issued(database: Engine) -> Iterator[None]:
    """A site with issues of two versions, and two without any."""
    with unit_of_work(database) as connection:
        for name in NAMES:
            sites.save(connection, describe_site(name=name))
        keys = [sites.key_of(connection, name) for name in NAMES]
        every = [
            ForecastIssue("seasonal_naive", AT - timedelta(hours=1), "profile"),
            ForecastIssue("aurora_v1.0", AT, "young"),
        ]
        forecast_issues.upsert(connection, NAMES[0], every)
    yield
    with unit_of_work(database) as connection:
        connection.execute(delete(issues_table).where(issues_table.c.site_key.in_(keys)))
        connection.execute(delete(sites_table).where(sites_table.c.name.in_(NAMES)))


def read(api: httpx.Client) -> dict[str, float]:
    lines = [
        line.rsplit(" ", 1)
        for line in api.get("/metrics").text.splitlines()
        if line.startswith(f"{NAME}{{")
    ]
    return {name.split('"')[1]: float(value) for name, value in lines}


def test_each_site_says_when_its_newest_forecast_was_issued(
    issued: None, database_url: str, redis_url: str
) -> None:
    with serve(Addresses(database_url=database_url, redis_url=redis_url)) as api:
        found = read(api)
    # Other tests' sites may stand beside them.
    assert [found[name] for name in NAMES] == [AT.timestamp(), 0.0, 0.0]
