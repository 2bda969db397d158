"""What each kind of unit does with what an operator's limit leaves to it."""

from typing import Any

import pytest

from luna.contracts.control import BatterySetpoint, PvSetpoint, Setpoint, VehicleSetpoint
from luna.drivers.control.units import list_units
from luna.drivers.control.units.unit import Controllable, UnitLimit
from luna.energy.devices.switched import LoadSetpoint
from luna.energy.site import parse_site
from tests.support.control.inverters import DEVICES, describe, describe_devices

BATTERY = {"capacity_kwh": 10, "charge_limit_kw": 5, "discharge_limit_kw": 5, "min_charge_kw": 0.5}
FULL = {"battery": 0.5, "car": 0.5}


def find(key: str, **changes: Any) -> Controllable:
    """Return a unit of a home with a battery, a car, a boiler and PV of 8 kW."""
    section = describe_devices() | {"batteries": describe()["batteries"]} | changes
    document = {"name": "home", "timezone": "UTC", "batteries": [BATTERY], "control": section}
    site = parse_site(document | DEVICES)
    return list_units(site, site.control)[key]


def dim(unit: Controllable, setpoint: Setpoint, limit: UnitLimit) -> tuple[str, float | None]:
    """Return mode and power of what is left of a set-point; not for batteries."""
    (name,) = unit.make_safe({}, FULL)
    safe = unit.make_safe({name: setpoint}, FULL, limit)[name].model_dump()
    power_kw = safe.get("charge_kw", safe.get("limit_kw", safe.get("power_kw")))
    return safe["mode"], power_kw


@pytest.mark.parametrize(
    ("left_kw", "mode", "power_kw"),
    [(11.0, "own", 0.0), (4.2, "charge", 4.2), (1.0, "stop", 0.0)],
)
def test_a_charger_that_decides_for_itself_gets_a_commanded_power(
    left_kw: float, mode: str, power_kw: float
) -> None:
    [car] = describe_devices()["vehicles"]
    unit = find("vehicle:car", vehicles=[car | {"modes": car["modes"] | {"own": "auto"}}])
    own = VehicleSetpoint(mode="own", charge_kw=0.0)
    assert unit.list_requests({"car": own})[0].power_kw == 11.0
    limit = UnitLimit(import_kw={"car": left_kw})
    assert dim(unit, own, limit) == (mode, power_kw)


def test_a_charger_that_takes_no_power_is_all_or_nothing() -> None:
    [car] = describe_devices()["vehicles"]
    unit = find("vehicle:car", vehicles=[car | {"writes": car["writes"][1:]}])
    charge = VehicleSetpoint(mode="charge", charge_kw=2.0)
    # Once on, it charges with what it likes.
    [request] = unit.list_requests({"car": charge})
    assert (request.power_kw, request.ranges) == (11.0, ((11.0, 11.0),))
    assert dim(unit, charge, UnitLimit(import_kw={"car": 4.2})) == ("stop", 0.0)
    assert dim(unit, charge, UnitLimit(import_kw={"car": 11.0})) == ("charge", 2.0)


def test_a_switched_device_is_off_where_its_power_does_not_fit() -> None:
    unit = find("load:boiler")
    on = LoadSetpoint(mode="on")
    assert dim(unit, on, UnitLimit(import_kw={"boiler": 3.0}))[0] == "on"
    assert dim(unit, on, UnitLimit(import_kw={"boiler": 2.9}))[0] == "off"
    # Without commands its thermostat may switch it on.
    own = LoadSetpoint(mode="own")
    assert unit.list_requests({"boiler": own})[0].power_kw == 3.0
    assert dim(unit, own, UnitLimit(import_kw={"boiler": 0.0}))[0] == "off"


@pytest.mark.parametrize(
    ("left_kw", "mode", "power_kw"),
    [(5.0, "charge", 5.0), (1.2, "charge", 1.2), (0.0, "self_consumption", 5.0)],
)
def test_a_battery_buys_what_is_left_and_at_least_serves_the_house(
    left_kw: float, mode: str, power_kw: float
) -> None:
    unit = find("batteries")
    charge = BatterySetpoint(mode="charge", power_kw=5.0)
    safe = unit.make_safe({"battery": charge}, FULL, UnitLimit(import_kw={"battery": left_kw}))
    battery = safe["battery"]
    assert isinstance(battery, BatterySetpoint)
    assert (battery.mode, battery.power_kw) == (mode, power_kw)


def test_a_battery_in_its_own_mode_asks_for_nothing_and_is_left_in_it() -> None:
    unit = find("batteries")
    own = BatterySetpoint(mode="self_consumption")
    assert unit.list_requests({"battery": own})[0].power_kw == 0.0
    safe = unit.make_safe({"battery": own}, FULL, UnitLimit({"battery": 0.0}, export_kw=0.0))
    assert safe["battery"].mode == "self_consumption"


FREE = PvSetpoint(mode="free", limit_kw=None)
ALL = {"free": "f", "limit": "l", "no_export": "n", "off": "o"}


@pytest.mark.parametrize(
    ("modes", "limit", "told"),
    [
        (("free", "limit", "no_export", "off"), UnitLimit(export_kw=8.0), ("free", None)),
        (("free", "limit", "no_export", "off"), UnitLimit(export_kw=2.0), ("limit", 2.0)),
        (("free", "limit"), UnitLimit(export_kw=2.0, own_use_kw=1.5), ("limit", 3.5)),
        # Nothing may be fed in: the inverter itself keeps what the house uses.
        (("free", "limit", "no_export", "off"), UnitLimit(export_kw=0.0), ("no_export", None)),
        (("free", "limit"), UnitLimit(export_kw=0.0), ("limit", 0.0)),
        (("free", "no_export", "off"), UnitLimit(export_kw=2.0), ("no_export", None)),
        (("free", "off"), UnitLimit(export_kw=2.0), ("off", None)),
    ],
)
def test_pv_is_held_back_as_mildly_as_its_inverter_can(
    modes: tuple[str, ...], limit: UnitLimit, told: tuple[str, float | None]
) -> None:
    pv = describe_devices()["pv"] | {"modes": {mode: ALL[mode] for mode in modes}}
    assert dim(find("pv", pv=pv), FREE, limit) == told


def test_what_a_plan_holds_back_further_stays_held_back() -> None:
    unit = find("pv")
    planned = PvSetpoint(mode="limit", limit_kw=1.0)
    assert dim(unit, planned, UnitLimit(export_kw=2.0)) == ("limit", 1.0)
    assert dim(unit, PvSetpoint(mode="off", limit_kw=None), UnitLimit(export_kw=2.0))[0] == "off"
