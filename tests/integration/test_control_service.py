"""What owners ask of devices, from wherever: checked in one place, and a vacation that forecasts
and plans read.
"""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Connection

from luna.energy.errors import InvalidInputError
from luna.energy.site import Site
from luna.energy.timeline import SLOT
from luna.house import control_service
from services.forecaster.inputs.context import read_context
from tests.support.control.inverters import describe
from tests.support.database.site import issue_half_a_kilowatt, plan_stored, store_site

START = datetime(2024, 2, 1, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
BATTERY = {"name": "battery", "capacity_kwh": 10, "charge_limit_kw": 5, "discharge_limit_kw": 5}


@pytest.fixture
def site(connection: Connection) -> Site:
    """A stored site that is controlled, with a rule for vacations and no switch of its own."""
    site = store_site(
        connection, batteries=[BATTERY], strategy={"vacation": {}}, control=describe()
    )
    issue_half_a_kilowatt(connection, "home", START - SLOT)
    return site


def rules(connection: Connection, start: datetime) -> set[str]:
    return {each.rule for each in plan_stored(connection, "home", start).strategy}


def test_vacation_counts_from_the_slot_that_runs_and_ends_when_it_is_taken_back(
    connection: Connection, site: Site
) -> None:
    assert rules(connection, START) == set()
    control_service.switch_vacation(connection, "home", on=True, now=START + timedelta(minutes=7))
    assert control_service.is_on_vacation(connection, "home", now=START + timedelta(minutes=7))
    assert rules(connection, START) == {"vacation"}
    control_service.switch_vacation(connection, "home", on=False, now=START + HOUR)
    assert not control_service.is_on_vacation(connection, "home", now=START + HOUR)
    assert rules(connection, START + HOUR) == set()


def test_a_forecast_learns_of_the_vacation_from_the_same_switch(
    connection: Connection, site: Site
) -> None:
    control_service.switch_vacation(connection, "home", on=True, now=START)
    away = read_context(connection, site, first=START - HOUR, end=START + HOUR).vacation
    assert away.on.tolist() == [1.0]


def test_what_a_site_cannot_do_is_refused_by_name_and_nothing_is_stored(
    connection: Connection, site: Site
) -> None:
    for device, wanted, field in [
        ("pv", {"mode": "off"}, "device"),
        ("batteries", {"mode": "dance"}, "mode"),
        ("batteries", {"mode": "give"}, "mode"),
        ("batteries", {"mode": "charge", "power_kw": -1}, "power_kw"),
    ]:
        with pytest.raises(InvalidInputError) as refused:
            control_service.override(
                connection, "home", device, wanted | {"until": START + HOUR}, now=START
            )
        assert refused.value.field == field
    with pytest.raises(InvalidInputError) as late:
        control_service.override(
            connection, "home", "batteries", {"mode": "hold", "until": START}, now=START
        )
    assert late.value.reason == "time-passed"
    store_site(connection, batteries=[BATTERY])
    with pytest.raises(InvalidInputError) as undescribed:
        control_service.arm(
            connection, "home", now=START, by="somebody", data_folder=Path("/nonexistent")
        )
    assert undescribed.value.reason == "no-control"
