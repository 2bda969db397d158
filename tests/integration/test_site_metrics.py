"""How data, forecasts and savings of sites are, as Prometheus reads it from the gateway."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta

import httpx
import pytest
from sqlalchemy import Engine, delete

from luna.contracts.data import DayQuality
from luna.energy.timeline import SLOT
from luna.platform.clock import FixedClock
from luna.platform.database import forecast_scores, quality, site_figures, sites
from luna.platform.database.engine import unit_of_work
from luna.platform.database.forecast_activations import DEFAULT_VERSION
from luna.platform.database.forecast_scores import ForecastDayScore
from luna.platform.database.schema.series import slot_observations
from luna.platform.database.schema.sites import sites as sites_table
from luna.platform.embedded.supervisor import Addresses
from tests.support.gateway.server import serve
from tests.support.household.measurements import describe_site

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
NAME = "watched-home"


def score(day: date, pinball: float) -> ForecastDayScore:
    return ForecastDayScore(
        day,
        DEFAULT_VERSION,
        "load_kwh",
        origins=24,
        mae=0.1,
        rmse=0.2,
        pinball=pinball,
        coverage_80=0.8,
    )


@pytest.fixture
def watched(database: Engine) -> Iterator[None]:
    """A site with a day of data whose meters leave a tenth unexplained, two days that are not
    trusted, and forecasts that got worse.
    """
    with unit_of_work(database) as connection:
        sites.save(connection, describe_site(name=NAME))
        key = sites.key_of(connection, NAME)
        slots = [
            {
                "site_key": key,
                "slot_start": NOW - number * SLOT,
                "load_kwh": 0.5,
                "residual_kwh": (-1) ** number * 0.05,
            }
            for number in range(1, 97)
        ]
        connection.execute(slot_observations.insert(), slots)
        days = [NOW.date() - timedelta(days=number) for number in range(1, 6)]
        quality.save(
            connection,
            NAME,
            [
                DayQuality(day=day, verdict="exclude" if number < 2 else "clean")
                for number, day in enumerate(days)
            ],
        )
        forecast_scores.upsert(
            connection,
            NAME,
            [
                score(days[4], 0.02),
                score(days[3], 0.04),
                score(days[2], 0.03),
                score(days[1], 0.09),
            ],
        )
    yield
    with unit_of_work(database) as connection:
        connection.execute(delete(slot_observations).where(slot_observations.c.site_key == key))
        connection.execute(delete(sites_table).where(sites_table.c.name == NAME))


def read(api: httpx.Client) -> dict[str, float]:
    lines = [
        line.rsplit(" ", 1)
        for line in api.get("/metrics").raise_for_status().text.splitlines()
        if f'site="{NAME}"' in line
    ]
    return {name: float(value) for name, value in lines}


def test_a_site_says_how_its_data_and_forecasts_are(
    watched: None, database_url: str, redis_url: str
) -> None:
    with serve(Addresses(database_url=database_url, redis_url=redis_url), FixedClock(NOW)) as api:
        found = read(api)
    own = f'{{site="{NAME}"}}'
    assert found[f"luna_ingest_newest_observation_seconds{own}"] == (NOW - SLOT).timestamp()
    assert found[f"luna_ingest_balance_residual_ratio{own}"] == pytest.approx(0.1)
    assert found[f"luna_ingest_excluded_days{own}"] == 2
    series = f'{{series="load_kwh",site="{NAME}"}}'
    # The last day's, and the middle one of the three before.
    assert (
        found[f"luna_forecaster_pinball_kwh{series}"],
        found[f"luna_forecaster_usual_pinball_kwh{series}"],
    ) == (0.09, 0.03)
    # Half a kWh in a quarter-hour are two kW.
    assert found[f'luna_site_power_kw{{flow="load",site="{NAME}"}}'] == pytest.approx(2.0)
    # The home has no meter at the grid: what it paid is not known.
    assert not [name for name in found if name.startswith("luna_site_cost_today")]
    # Nothing was replayed, so nothing is known to be saved.
    assert found[f"luna_savings_days{own}"] == 0
    assert not [name for name in found if name.startswith("luna_savings_money")]


def test_a_site_that_is_gone_is_not_told_of_any_more(
    watched: None, database: Engine, database_url: str, redis_url: str
) -> None:
    with serve(Addresses(database_url=database_url, redis_url=redis_url), FixedClock(NOW)) as api:
        assert read(api)
        with unit_of_work(database) as connection:
            connection.execute(
                delete(slot_observations).where(
                    slot_observations.c.site_key == sites.key_of(connection, NAME)
                )
            )
            connection.execute(delete(sites_table).where(sites_table.c.name == NAME))
        assert not [name for name in read(api) if "newest_observation" in name]


def test_of_many_sites_those_with_the_oldest_data_are_shown(
    watched: None, database: Engine
) -> None:
    with unit_of_work(database) as connection:
        everything = site_figures.newest_observations(connection, most=1000)
        fewest = site_figures.newest_observations(connection, most=1)
    assert list(fewest.items()) == list(everything.items())[:1]
    assert everything[NAME] == NOW - SLOT
