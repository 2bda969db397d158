"""What a stored site's rules learn of what is going on: switches, weather and prices as they were
known at the plan's start.
"""

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from sqlalchemy import Connection

from luna.contracts.owner import Surroundings
from luna.contracts.plan import PlanReply
from luna.energy.site import parse_site
from luna.energy.timeline import SLOT, Timeline
from luna.platform.database import readings, weather_carbon
from services.planner.service.inputs import read_prices
from services.planner.service.strategy import look_back, read_surroundings
from tests.support.database.site import issue_half_a_kilowatt, plan_stored, store_site

START = datetime(2024, 2, 1, 12, tzinfo=UTC)
SITE = {
    "name": "wary",
    "timezone": "Europe/Berlin",
    "batteries": [{"capacity_kwh": 10, "charge_limit_kw": 5, "discharge_limit_kw": 5}],
    "input_sensors": {
        "vacation_mode": "input_boolean.away",
        "outage_warning": "-binary_sensor.calm",
    },
    "strategy": {"vacation": {}, "outage": {"reserve_soc": 0.7}, "s_index": {}},
}


HOUR = timedelta(hours=1)


@pytest.fixture
def home(connection: Connection) -> Connection:
    """A stored site with a forecast of half a kilowatt."""
    store_site(connection, **SITE)
    issue_half_a_kilowatt(connection, "wary", START - SLOT)
    return connection


def turn(connection: Connection, sensor: str, *, on: bool, at: datetime) -> None:
    key = readings.register(connection, "wary", {sensor: None})[sensor]
    instant = np.array([at.replace(tzinfo=None)], dtype="datetime64[us]")
    readings.upsert(connection, np.array([key], dtype=np.int32), instant, np.array([float(on)]))


def plan(connection: Connection, **around: object) -> PlanReply:
    return plan_stored(connection, "wary", START, surroundings=around)


def rules(reply: PlanReply) -> set[str]:
    return {each.rule for each in reply.strategy}


def test_without_readings_only_what_the_forecast_says_counts(home: Connection) -> None:
    # No sun meets 12 kWh a day: 1.05 + 0.3; the temperature is unknown.
    reply = plan(home)
    assert rules(reply) == {"s_index"}
    assert reply.strategy[0].value == pytest.approx(0.35 * 12 / 10)


def test_switches_hold_as_they_were_turned_last_before_the_start(home: Connection) -> None:
    turn(home, "input_boolean.away", on=True, at=START - 100 * HOUR)
    turn(home, "binary_sensor.calm", on=False, at=START - HOUR)
    turn(home, "binary_sensor.calm", on=True, at=START + timedelta(minutes=1))
    reply = plan(home)
    assert rules(reply) == {"vacation", "outage", "s_index"}
    # Half full at the start, 1.25 × 0.95 kWh more after each slot until the reserve of 7 is there.
    assert [slot.batteries["battery"].soc_end for slot in reply.slots[:2]] == pytest.approx(
        [0.61875, 0.7]
    )


def test_what_the_caller_says_goes_before_what_is_stored(home: Connection) -> None:
    turn(home, "input_boolean.away", on=True, at=START - HOUR)
    assert rules(plan(home, vacation=False)) == {"s_index"}


def test_the_temperature_is_that_of_the_forecast_known_at_the_start(home: Connection) -> None:
    ahead = Timeline(START, SLOT, 192)
    for issued, temperature in ((START - HOUR, -15.0), (START + HOUR, 20.0)):
        issues = np.full(192, np.datetime64(issued.replace(tzinfo=None), "us"))
        weather_carbon.upsert(
            home,
            "weather",
            "wary",
            ahead.starts,
            values={"temperature_c": np.full(192, temperature)},
            issued_at=issues,
        )
    # 1.05 + 0.3 + 0.2 stays within 1.5.
    assert plan(home).strategy[0].value == pytest.approx(0.5 * 12 / 10)


def test_the_last_thirty_days_of_prices_tell_what_is_usual(home: Connection) -> None:
    site = parse_site(SITE | {"strategy": {"price_extremes": {}}})
    around = Timeline(START - look_back(site), SLOT, look_back(site) // SLOT + 192)
    found = read_surroundings(
        home,
        site,
        Timeline(START, SLOT, 192),
        prices=read_prices(home, site, around),
        stated=Surroundings(),
    )
    # The tariff is 0.3 at all times.
    assert found.past_levels == pytest.approx([0.3] * 30)
    assert found.past_spreads == [0.0] * 30
