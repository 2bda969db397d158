"""Which forecasts a replay lets the planner see."""

from datetime import date

import pytest
from sqlalchemy import Connection

from luna.contracts.replay import ReplayRequest
from luna.energy.site import Forecasting, parse_site
from luna.platform.database import forecast_activations, sites
from luna.platform.database.forecast_activations import DEFAULT_VERSION, Activation
from services.cli.replay import name_version

MEDIAN, NAIVE = "baseline_7_day_median", "seasonal_naive"


def name_of(connection: Connection, *, pinned: str | None = None, asked: str | None = None) -> str | None:
    site = parse_site({"name": "replayed site", "timezone": "UTC"}).model_copy(update={"forecasting": Forecasting(active_forecast_version=pinned)})
    sites.save(connection, site)
    request = ReplayRequest(site_id=site.name, from_day=date(2024, 2, 1), to_day=date(2024, 2, 2), forecast_version=asked)
    return name_version(connection, request).forecast_version


def test_where_nothing_was_decided_what_drives_the_planner_is_replayed(connection: Connection) -> None:
    assert name_of(connection) == DEFAULT_VERSION


def test_what_was_promoted_is_replayed(connection: Connection) -> None:
    name_of(connection)
    forecast_activations.activate(connection, "replayed site", Activation(MEDIAN, "said so", "hand"))
    assert name_of(connection) == MEDIAN


@pytest.mark.parametrize(("asked", "replayed"), [(None, MEDIAN), (NAIVE, NAIVE)], ids=["pinned", "asked for"])
def test_what_is_pinned_is_replayed_unless_another_is_asked_for(connection: Connection, asked: str | None, replayed: str) -> None:
    assert name_of(connection, pinned=MEDIAN, asked=asked) == replayed
