from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from sqlalchemy import Connection

from luna.contracts.plan import PlanReply, PlanRequest
from luna.database import forecasts, plans, sites
from luna.errors import NotFoundError
from luna.outlook import Forecast, Quantiles
from luna.site import parse_site
from luna.timeline import SLOT, Timeline
from services.planner.jobs import FORECAST_VERSION, plan_and_store
from services.planner.solver import Solver

START = datetime(2024, 2, 1, 12, 15, tzinfo=UTC)
BATTERY = {"capacity_kwh": 10, "charge_limit_kw": 5, "discharge_limit_kw": 5}
TARIFF = {"import": {"kind": "fixed", "price": 0.3}, "export": {"kind": "fixed", "price": 0.07}}


@pytest.fixture
def planned_site(connection: Connection) -> str:
    """A stored site whose only forecast was issued a quarter of an hour before the plan begins."""
    site = parse_site({"name": "planned site", "timezone": "Europe/Berlin", "batteries": [BATTERY], "pv": [{"peak_kw": 6}], "tariff": TARIFF})
    sites.save(connection, site)
    load = Quantiles.exact(np.arange(192.0) / 1000)
    sun = Quantiles.exact(np.zeros(192))
    forecasts.upsert(connection, site.name, [Forecast(Timeline(START - SLOT, SLOT, 192), START - SLOT, FORECAST_VERSION, load, sun)])
    return site.name


def plan_site(connection: Connection, site_id: str, start: datetime = START) -> PlanReply:
    return plan_and_store(PlanRequest(site_id=site_id, start=start), lambda: connection, now=start, solver=Solver())


def test_where_the_forecast_ends_its_last_day_goes_on(connection: Connection, planned_site: str) -> None:
    load = [slot.load_kwh for slot in plan_site(connection, planned_site).slots]
    # The forecast's second slot is the plan's first, so it ends a slot early: the same slot of its last day stands for it.
    assert load == [*(np.arange(1, 192) / 1000).round(6).tolist(), 0.096]


def test_a_plan_asked_for_twice_is_stored_once(connection: Connection, planned_site: str) -> None:
    first, second = plan_site(connection, planned_site), plan_site(connection, planned_site)
    assert first.plan_id == second.plan_id
    assert plans.load(connection, first.plan_id) == first


def test_a_site_without_a_forecast_says_how_to_issue_one(connection: Connection, planned_site: str) -> None:
    with pytest.raises(NotFoundError, match="luna forecast issue"):
        plan_site(connection, planned_site, START - timedelta(days=1))
