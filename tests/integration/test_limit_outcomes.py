"""What came of an operator's limit: read from plan, commands and meters, then kept with it."""

from datetime import timedelta

import pytest
from sqlalchemy import Connection

from luna.energy.limit_outcome import LimitedDevice
from luna.energy.site import Site
from luna.house.limit_outcomes import SETTLED_AFTER, read_outcome, settle_outcomes
from luna.platform.database import operator_limits
from tests.support.control.dimmed_evening import (
    ALLOWED_KW,
    BEGIN,
    END,
    HOME,
    LESS_KWH,
    PLANNED_KW,
    demand_limit,
    follow_limit,
    plan_charging,
)
from tests.support.database.site import store_site

NAME = "dimmed"
LATER = END + SETTLED_AFTER + timedelta(minutes=1)


@pytest.fixture
def site(connection: Connection) -> Site:
    return store_site(connection, name=NAME, **HOME)


def test_a_car_that_was_planned_to_charge_drew_less_and_the_meter_says_how_much(
    connection: Connection, site: Site
) -> None:
    plan_charging(connection, NAME)
    stored = demand_limit(connection, NAME)
    follow_limit(connection, NAME)
    outcome = read_outcome(connection, site, stored, now=LATER)
    assert outcome is not None
    # 1.15 kWh in the third quarter-hour; the first, of 8 kW, had begun before the limit.
    assert outcome.highest_import_kw == 4.6
    car = LimitedDevice(
        device="car", planned_kw=PLANNED_KW, allowed_kw=ALLOWED_KW, less_kwh=round(LESS_KWH, 3)
    )
    assert outcome.devices == (car,)


def test_a_plan_that_knows_the_limit_is_not_what_it_is_compared_with(
    connection: Connection, site: Site
) -> None:
    stored = demand_limit(connection, NAME)
    follow_limit(connection, NAME)
    outcome = read_outcome(connection, site, stored, now=LATER)
    assert outcome is not None
    assert outcome.devices == ()


def test_what_an_owner_asked_for_is_not_the_limit_s_doing(
    connection: Connection, site: Site
) -> None:
    plan_charging(connection, NAME)
    stored = demand_limit(connection, NAME)
    follow_limit(connection, NAME, decided_by="owner", requested_kw=ALLOWED_KW)
    own = read_outcome(connection, site, stored, now=LATER)
    follow_limit(connection, NAME, decided_by="owner")
    dimmed = read_outcome(connection, site, stored, now=LATER)
    assert own is not None
    assert dimmed is not None
    assert own.devices == ()
    assert [device.device for device in dimmed.devices] == ["car"]


def test_a_limit_that_has_not_begun_or_never_held_has_no_outcome(
    connection: Connection, site: Site
) -> None:
    ahead = demand_limit(connection, NAME, start=BEGIN + timedelta(hours=1))
    assert read_outcome(connection, site, ahead, now=BEGIN) is None
    withdrawn = operator_limits.release(connection, NAME, ahead.limit_id, now=BEGIN)
    assert read_outcome(connection, site, withdrawn, now=LATER) is None
    assert settle_outcomes(connection, site, now=LATER) == 0


def test_what_came_of_a_limit_is_stored_once_it_is_over_and_measured(
    connection: Connection, site: Site
) -> None:
    plan_charging(connection, NAME)
    stored = demand_limit(connection, NAME)
    follow_limit(connection, NAME)
    assert settle_outcomes(connection, site, now=END + timedelta(minutes=5)) == 0
    expected = read_outcome(connection, site, stored, now=LATER)
    assert settle_outcomes(connection, site, now=LATER) == 1
    assert settle_outcomes(connection, site, now=LATER) == 0
    (kept,) = operator_limits.read_history(connection, NAME)
    assert kept.summary == expected
