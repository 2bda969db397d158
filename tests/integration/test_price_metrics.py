"""Until when prices are known, as Prometheus reads it from the gateway."""

from collections.abc import Iterator
from datetime import UTC, datetime

import httpx
import numpy as np
import pytest
from sqlalchemy import Engine, delete

from luna.energy.site import parse_site
from luna.energy.timeline import SLOT, Timeline
from luna.platform.database import prices, sites
from luna.platform.database.engine import unit_of_work
from luna.platform.database.schema.series import market_prices
from luna.platform.database.schema.sites import sites as sites_table
from luna.platform.embedded.supervisor import Addresses
from tests.support.gateway.server import serve

DAY = Timeline(datetime(2026, 11, 19, 23, tzinfo=UTC), SLOT, 96)
NAME = "luna_ingest_prices_known_until_seconds"


def spot(market: str) -> dict[str, str]:
    return {"kind": "spot", "market": market}


def describe(tariff: dict[str, object]) -> dict[str, object]:
    return {"name": "metered-home", "timezone": "Europe/Berlin", "tariff": tariff}


@pytest.fixture
def known(database: Engine) -> Iterator[None]:
    """A site that buys in one market, sells in another, and left a third; prices of the first."""
    with unit_of_work(database) as connection:
        sites.save(connection, parse_site(describe({"import": spot("left")})))
        sites.save(
            connection, parse_site(describe({"import": spot("bought"), "export": spot("sold")}))
        )
        prices.upsert(
            connection,
            "bought",
            starts=DAY.starts,
            price=np.ones(96),
            currency="EUR",
            published_at=DAY.start,
        )
    yield
    with unit_of_work(database) as connection:
        connection.execute(delete(market_prices).where(market_prices.c.market == "bought"))
        connection.execute(delete(sites_table).where(sites_table.c.name == "metered-home"))


def read(api: httpx.Client) -> dict[str, float]:
    lines = [
        line.rsplit(" ", 1)
        for line in api.get("/metrics").text.splitlines()
        if line.startswith(f"{NAME}{{")
    ]
    return {name.split('"')[1]: float(value) for name, value in lines}


def test_each_market_of_a_tariff_is_known_until_its_last_price_ends(
    known: None, database_url: str, redis_url: str
) -> None:
    with serve(Addresses(database_url=database_url, redis_url=redis_url)) as api:
        until = read(api)
    # Other tests' sites may name markets too.
    assert (until["bought"], until["sold"]) == (DAY.end.timestamp(), 0.0)
    assert "left" not in until


def test_where_nothing_is_fetched_nothing_is_said(
    known: None, database_url: str, redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LUNA_OUTSIDE_SERVICES", "false")
    with serve(Addresses(database_url=database_url, redis_url=redis_url)) as api:
        assert read(api) == {}
