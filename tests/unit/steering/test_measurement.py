"""What the loop takes from a site's live flow."""

import math
from datetime import timedelta
from typing import Any

import pytest

from luna.contracts.live_flow import LiveFlow
from luna.energy.steering import (
    LiveCommands,
    LiveMeasurement,
    LoadCommand,
    SteeredBattery,
    SteeredDevices,
    SteeredLoad,
    SteeredVehicle,
    VehicleCommand,
)
from services.steering.measurement import Moment, measure
from tests.support.control.executor import START

MOMENT = Moment(START, 1000.0, START.date())
POWERS = ("import_kw", "export_kw", "pv_kw", "charge_kw", "discharge_kw", "load_kw")


def read(devices: SteeredDevices, commands: LiveCommands | None, **flow: Any) -> LiveMeasurement:
    at = {"at": START - timedelta(seconds=3)}
    live = LiveFlow.model_validate(dict.fromkeys(POWERS, 0.0) | at | flow)
    return measure(live, devices, commands, socs={"a": 0.3}, writes_left={"car0": 7}, moment=MOMENT)


def charging(*powers_kw: float) -> LiveCommands:
    commands = {}
    for place, power_kw in enumerate(powers_kw):
        commands[f"car{place}"] = VehicleCommand("charge", power_kw, 3, 10.0, "follows_surplus")
    return LiveCommands(vehicles=commands)


CARS = SteeredDevices(vehicles={"car0": SteeredVehicle(), "car1": SteeredVehicle()})


def test_a_flow_is_as_old_as_its_oldest_value() -> None:
    measured = read(SteeredDevices(), None, import_kw=1.0, load_kw=1.0)
    assert measured.at_s - measured.read_at_s == 3.0
    assert (measured.import_kw, measured.house_kw) == (1.0, 1.0)


def test_without_a_flow_the_measurement_is_stale() -> None:
    devices = SteeredDevices(batteries={"a": SteeredBattery(10, 5, 5)})
    measured = measure(None, devices, None, socs={"a": 0.3}, writes_left={"car0": 7}, moment=MOMENT)
    assert measured.read_at_s == -math.inf
    assert measured.batteries["a"].soc == 0.3


def test_metered_cars_share_their_meter_by_what_they_were_told() -> None:
    measured = read(CARS, charging(6.0, 2.0), load_kw=0.5, submetered_kw={"vehicle_kwh": 4.0})
    assert [measured.vehicles[name].kw for name in ("car0", "car1")] == [3.0, 1.0]
    assert measured.house_kw == 0.5


@pytest.mark.parametrize(
    ("load_kw", "car_kw", "house_kw"), [(4.5, 4.0, 0.5), (1.0, 0.0, 1.0), (3.0, 3.0, 0.0)]
)
def test_a_car_without_a_meter_takes_its_command_where_the_house_may(
    load_kw: float, car_kw: float, house_kw: float
) -> None:
    devices = SteeredDevices(vehicles={"car0": SteeredVehicle()})
    measured = read(devices, charging(4.0), load_kw=load_kw)
    assert measured.vehicles["car0"].kw == car_kw
    assert measured.house_kw == house_kw


def test_a_load_that_is_on_is_no_part_of_the_house() -> None:
    devices = SteeredDevices(loads={"boiler": SteeredLoad(3.0)})
    commands = LiveCommands(loads={"boiler": LoadCommand("on", "as_planned")})
    measured = read(devices, commands, load_kw=3.5)
    assert (measured.loads_kw["boiler"], measured.house_kw) == (3.0, 0.5)


def test_batteries_without_meters_share_their_sum_by_capacity() -> None:
    devices = SteeredDevices(
        batteries={"a": SteeredBattery(10, 5, 5), "b": SteeredBattery(5, 5, 5)}
    )
    measured = read(devices, None, discharge_kw=3.0, battery_socs={"b": 0.6})
    assert [measured.batteries[name].charge_kw for name in "ab"] == [-2.0, -1.0]
    assert [measured.batteries[name].soc for name in "ab"] == [0.3, 0.6]


def test_currents_of_the_phases_come_from_their_powers() -> None:
    measured = read(SteeredDevices(), None, phases_kw=[2.3, -0.46, 0.0])
    assert measured.phase_a == pytest.approx((10.0, -2.0, 0.0))


def test_a_car_is_measured_with_what_is_left_of_its_chargers_writes() -> None:
    measured = read(CARS, None, load_kw=1.0)
    assert measured.vehicles["car0"].writes_left == 7
    assert measured.vehicles["car1"].writes_left == math.inf
