"""Which units of armed sites are turned: read for all sites at once, parsed where a configuration
is new.
"""

from typing import Any

import pytest
from sqlalchemy import Connection, insert

from luna.contracts.control import BatterySetpoint
from luna.energy.devices.battery import BATTERIES
from luna.energy.site import parse_site
from luna.platform.database import control, site_removal, sites
from luna.platform.database.schema.sites import site_versions
from services.executor.watch import SiteUnits, describe_sites, list_due_units
from tests.support.control.executor import BATTERY, START
from tests.support.control.inverters import DEVICES, describe, describe_devices
from tests.support.planning.plans import describe_plan, store_plan

HOME = "units at home"
OTHER = "units elsewhere"
ALL = [BATTERIES, "vehicle:car", "load:boiler", "pv"]


def store(connection: Connection, name: str, section: dict[str, Any], **parts: Any) -> None:
    sites.save(
        connection,
        parse_site(
            {"name": name, "timezone": "Europe/Berlin", "batteries": [BATTERY], "control": section}
            | parts
        ),
    )
    control.arm(connection, name, at=START, by="owner")


def store_with_devices(connection: Connection, name: str) -> None:
    store(connection, name, describe() | describe_devices(), **DEVICES)


def turned(connection: Connection, units: SiteUnits, name: str) -> list[str]:
    return [key for site, key in list_due_units(connection, units) if site == name]


@pytest.fixture
def units(connection: Connection) -> SiteUnits:
    store(connection, HOME, describe())
    store_with_devices(connection, OTHER)
    units = SiteUnits()
    assert (turned(connection, units, HOME), turned(connection, units, OTHER)) == ([BATTERIES], ALL)
    return units


def test_a_changed_configuration_is_turned_at_the_next_look(
    connection: Connection, units: SiteUnits
) -> None:
    store_with_devices(connection, HOME)
    assert turned(connection, units, HOME) == ALL


def test_a_site_that_was_removed_and_added_again_is_another(
    connection: Connection, units: SiteUnits
) -> None:
    control.disarm(connection, HOME)
    site_removal.remove(connection, HOME)
    assert turned(connection, units, HOME) == []
    store_with_devices(connection, HOME)
    assert turned(connection, units, HOME) == ALL


def test_a_site_that_cannot_be_read_is_turned_as_it_was_last_read_and_so_are_the_others(
    connection: Connection, units: SiteUnits
) -> None:
    connection.execute(
        insert(site_versions).values(
            site_key=sites.key_of(connection, HOME), version=2, configuration={"name": HOME}
        )
    )
    assert (turned(connection, units, HOME), turned(connection, units, OTHER)) == ([BATTERIES], ALL)
    assert [
        [device.device for device in site.devices]
        for site in describe_sites(connection, units)
        if site.site == HOME
    ] == [[BATTERIES]]


def test_each_site_is_described_with_its_last_plan(
    connection: Connection, units: SiteUnits
) -> None:
    plan = describe_plan("units-plan", START, [BatterySetpoint(mode="hold")])
    store_plan(connection, OTHER, plan)
    described = {site.site: site for site in describe_sites(connection, units)}
    assert (described[HOME].plan_issued_at, described[OTHER].plan_issued_at) == (
        None,
        plan.issued_at,
    )
    assert [device.device for device in described[OTHER].devices] == ALL
