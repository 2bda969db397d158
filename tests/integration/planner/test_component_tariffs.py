"""A stored home whose price has several components: hours that are billed by their mean, a fee that
changes at midnight, and feed-in that stops while the market is below zero.
"""

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from sqlalchemy import Connection

from luna.contracts.plan import PlanReply, PlanRequest
from luna.energy.economics.prices import price_slots
from luna.energy.outlook import Forecast, Quantiles
from luna.energy.site import parse_site
from luna.energy.timeline import SLOT, Timeline, parse_zone
from luna.platform.database import forecasts, prices, sites
from luna.platform.database.forecast_activations import DEFAULT_VERSION
from services.planner.milp.solver import Solver
from services.planner.service.plans import plan_and_store

DAY = timedelta(days=1)
MIDNIGHT = datetime(2026, 12, 31, tzinfo=UTC)
# The hour has begun half an hour ago.
START = MIDNIGHT + timedelta(hours=10, minutes=30)
FEE_BEFORE = {"kind": "fixed", "name": "grid fee", "price": 0.10, "valid_to": "2027-01-01"}
FEE_AFTER = {"kind": "fixed", "name": "grid fee", "price": 0.30, "valid_from": "2027-01-01"}
SITE = {
    "name": "components",
    "timezone": "UTC",
    "batteries": [{"capacity_kwh": 10, "charge_limit_kw": 5, "discharge_limit_kw": 5}],
    "tariff": {
        "import": {
            "kind": "components",
            "components": [
                {"kind": "spot", "name": "energy", "market": "NO1", "billing_minutes": 60},
                FEE_BEFORE,
                FEE_AFTER,
            ],
        },
        "export": {
            "kind": "components",
            "components": [
                {"kind": "fixed", "name": "feed-in", "price": 0.05, "zero_below_spot": "NO1"}
            ],
        },
    },
}
# Each hour's quarters; its mean is the second.
QUARTERS = np.array([0.00, 0.08, 0.10, 0.14])
MEAN = 0.08


@pytest.fixture
def home(connection: Connection) -> Connection:
    sites.save(connection, parse_site(SITE))
    days = Timeline(MIDNIGHT - DAY, SLOT, 3 * 96)
    price = np.tile(QUARTERS, days.count // 4)
    # 11:15 is below zero.
    price[96 + 45] = -0.02
    prices.upsert(
        connection,
        "NO1",
        starts=days.starts,
        price=price,
        currency="EUR",
        published_at=MIDNIGHT - 2 * DAY,
    )
    horizon = Timeline(START, SLOT, 192)
    load = Quantiles.exact(np.full(192, 0.1))
    sun = Quantiles.exact(np.zeros(192))
    issued = Forecast(horizon, START, DEFAULT_VERSION, load, sun)
    forecasts.upsert(connection, "components", [issued])
    return connection


def make_plan(connection: Connection) -> PlanReply:
    request = PlanRequest(site_id="components", start=START)
    return plan_and_store(request, lambda: connection, now=START, solver=Solver())


def test_a_plan_pays_whole_hours_from_its_first_half_hour_on(home: Connection) -> None:
    slots = make_plan(home).slots
    bought = [round(slot.import_price, 6) for slot in slots]
    # The mean of 10:00 to 11:00 counts the quarter-hours before the plan.
    assert bought[:2] == [MEAN + 0.10] * 2
    # 0.00, −0.02, 0.10 and 0.14 are 0.055 on average.
    assert bought[2:6] == [0.155] * 4
    # From midnight, 54 quarter-hours after 10:30, the new fee holds.
    assert bought[53:55] == [MEAN + 0.10, MEAN + 0.30]
    sold = [slot.export_price for slot in slots[:6]]
    assert sold == [0.05, 0.05, 0.05, 0.0, 0.05, 0.05]


def test_the_battery_is_filled_before_the_dearer_fee_begins(home: Connection) -> None:
    reply = make_plan(home)
    soc = reply.slots[53].batteries["battery"].soc_end
    assert soc > 0.9


def test_prices_that_are_read_within_an_hour_know_its_mean(home: Connection) -> None:
    site = parse_site(SITE)
    within = Timeline(MIDNIGHT + timedelta(hours=3, minutes=45), SLOT, 1)
    spot = prices.read_tariff(home, site, within)
    bought, _ = price_slots(site.tariff, within, zone=parse_zone("UTC"), spot=spot)
    assert bought.round(9).tolist() == [MEAN + 0.10]
