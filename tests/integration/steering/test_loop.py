"""Devices that follow the meters: what they receive for what was measured."""

import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from prometheus_client import REGISTRY

from luna.contracts.control import BatterySetpoint, VehicleSetpoint
from luna.contracts.steering import LimitMessage, SteeringDrop
from luna.drivers.control.home_assistant import HomeAssistantDevice
from luna.drivers.control.units import find_unit
from luna.energy.devices.switched import LoadSetpoint
from luna.energy.site import parse_site
from luna.energy.steering import SteeredDevices
from luna.energy.steering import describe_devices as steered_devices
from luna.platform.addresses import HomeAssistantAccess
from services.steering.slot_targets import THRESHOLDS_HOLD
from tests.support.control.executor import BATTERY, START
from tests.support.control.inverters import (
    BOILER,
    CAR,
    CURRENT,
    DEVICES,
    MODE,
    POWER,
    PV,
    SOC,
    TOKEN,
    Inverter,
    describe,
    describe_devices,
    serve,
)
from tests.support.control.steering import SITE, SteeredHome, planned
from tests.support.worker.workers import wait_for

CHARGER = "vehicle:car"
HEATER = "load:boiler"
SITES_ABOVE = "luna_steering_sites_above_limit"
BATTERIES = "batteries"
SURPLUS = {"car": planned(VehicleSetpoint(mode="charge", charge_kw=7.0), follow="surplus")}
STOP = {"car": planned(VehicleSetpoint(mode="stop", charge_kw=0.0))}
STATES = {CAR: "off", CURRENT: "6", BOILER: "off", PV: "100", SOC: "50", MODE: "Self Use"}


@pytest.fixture
def inverter() -> Iterator[Inverter]:
    with serve(Inverter(STATES | {POWER: "0"})) as inverter:
        yield inverter


def device_of(inverter: Inverter) -> HomeAssistantDevice:
    return HomeAssistantDevice(HomeAssistantAccess(inverter.url, TOKEN))


@pytest.fixture
def home(tmp_path: Path, inverter: Inverter) -> Iterator[SteeredHome]:
    home = SteeredHome(tmp_path, lambda _: device_of(inverter), describe_devices(), **DEVICES)
    yield home
    home.stop()


@pytest.fixture
def battery_home(tmp_path: Path, inverter: Inverter) -> Iterator[SteeredHome]:
    home = SteeredHome(
        tmp_path,
        lambda _: device_of(inverter),
        describe(),
        batteries=[BATTERY],
        pv=[{"peak_kw": 8}],
    )
    yield home
    home.stop()


def describe_devices_of(home: SteeredHome) -> SteeredDevices:
    return steered_devices(parse_site(home.document))


def settle(home: SteeredHome, inverter: Inverter, key: str) -> None:
    """Wait until a unit's last command is in its device."""
    unit = find_unit(parse_site(home.document), parse_site(home.document).control, key)
    assert unit is not None
    writes = unit.render(home.unit(key).commands)
    wait_for(lambda: all(inverter.states[write.to] == write.value for write in writes))


def commanded_kw(home: SteeredHome) -> float:
    """Return the power that the car was told last."""
    setpoint = home.unit(CHARGER).commands["car"]
    assert isinstance(setpoint, VehicleSetpoint)
    return setpoint.charge_kw


def drive(home: SteeredHome, inverter: Inverter, *, pv_kw: float, house_kw: float = 0.5) -> None:
    """Let two seconds pass in which the car takes what its charger was told."""
    units = home.state.units
    car_kw = commanded_kw(home) if CHARGER in units else 0.0
    bought_kw = house_kw + car_kw - pv_kw
    home.live(
        pv_kw=pv_kw,
        load_kw=house_kw,
        import_kw=max(bought_kw, 0.0),
        export_kw=max(-bought_kw, 0.0),
        submetered_kw={"vehicle_kwh": car_kw},
    )
    settle(home, inverter, CHARGER)


def charge_by_sun(home: SteeredHome, inverter: Inverter) -> None:
    """Let the sun give more than the house uses until the car takes it on three phases."""
    for _ in range(300):
        drive(home, inverter, pv_kw=7.0)
        if commanded_kw(home) > 6:
            return
    raise AssertionError("the car does not charge")


def test_the_current_falls_within_five_seconds_of_a_cloud(
    home: SteeredHome, inverter: Inverter
) -> None:
    home.target(CHARGER, SURPLUS)
    charge_by_sun(home, inverter)
    assert inverter.states[CURRENT] == "9"
    cloud_at = home.clock.instant
    while inverter.states[CURRENT] == "9":
        drive(home, inverter, pv_kw=5.0)
    assert home.clock.instant - cloud_at <= timedelta(seconds=5)
    assert (inverter.states[CAR], inverter.states[CURRENT]) == ("on", "6")
    assert home.unit(CHARGER).reason == "follows_surplus"


def test_the_same_command_is_sent_once(home: SteeredHome, inverter: Inverter) -> None:
    home.target(HEATER, {"boiler": planned(LoadSetpoint(mode="on"))})
    for _ in range(5):
        home.live(load_kw=3.0, import_kw=3.0)
        home.confirm(HEATER)
    assert inverter.states[BOILER] == "on"
    assert len(inverter.calls) == 1


def test_what_somebody_else_changed_is_sent_again(home: SteeredHome, inverter: Inverter) -> None:
    home.target(HEATER, {"boiler": planned(LoadSetpoint(mode="on"))})
    home.live(load_kw=3.0, import_kw=3.0)
    home.confirm(HEATER)
    inverter.states[BOILER] = "off"
    for _ in range(31):
        home.live(load_kw=0.2, import_kw=0.2)
    wait_for(lambda: inverter.states[BOILER] == "on")


def test_without_a_target_nothing_is_sent(home: SteeredHome, inverter: Inverter) -> None:
    for _ in range(10):
        home.live(pv_kw=7.0, export_kw=7.0)
    assert home.state.units == {}
    assert inverter.calls == []


def test_a_stale_meter_is_said_and_the_car_stops(home: SteeredHome, inverter: Inverter) -> None:
    home.target(CHARGER, SURPLUS)
    charge_by_sun(home, inverter)
    home.silent(14)
    assert not home.state.stale
    home.silent(2)
    assert home.state.stale
    assert home.unit(CHARGER).reason == "meter_stale"
    wait_for(lambda: inverter.states[CAR] == "off")


def test_meters_that_never_spoke_are_stale_after_the_start(
    home: SteeredHome, inverter: Inverter
) -> None:
    home.target(HEATER, {"boiler": planned(LoadSetpoint(mode="on"))})
    home.silent(14)
    assert home.state.units == {}
    home.silent(2)
    assert home.state.stale


def test_a_restarted_one_goes_on_by_what_is_on_its_disk(
    home: SteeredHome, inverter: Inverter
) -> None:
    target = home.target(HEATER, {"boiler": planned(LoadSetpoint(mode="on"))})
    home.live(load_kw=0.2, import_kw=0.2)
    home.confirm(HEATER)
    home.stop()
    inverter.states[BOILER] = "off"
    home.start()
    home.live(load_kw=0.2, import_kw=0.2)
    state = home.confirm(HEATER)
    assert state.target_id == target.target_id
    assert inverter.states[BOILER] == "on"


def test_a_restart_does_not_begin_the_days_starts_anew(
    home: SteeredHome, inverter: Inverter
) -> None:
    home.target(CHARGER, SURPLUS)
    most = describe_devices_of(home).vehicles["car"].most_starts
    starts = 0
    for _ in range(most + 1):
        if not is_started(home, inverter, pv_kw=7.0):
            break
        starts += 1
        home.target(CHARGER, STOP)
        drive(home, inverter, pv_kw=0.0)
        home.stop()
        home.loop.join()
        home.start()
        home.target(CHARGER, SURPLUS)
    assert starts == most


def test_a_restart_beside_a_charging_car_goes_on_as_it_was(
    home: SteeredHome, inverter: Inverter
) -> None:
    home.target(CHARGER, SURPLUS)
    charge_by_sun(home, inverter)
    before = home.unit(CHARGER).commands["car"]
    charged_kw = commanded_kw(home)
    home.stop()
    home.loop.join()
    home.start()
    for _ in range(5):
        drive_at(home, charged_kw, pv_kw=7.0)
        assert home.unit(CHARGER).commands["car"] == before


def drive_at(home: SteeredHome, car_kw: float, *, pv_kw: float, house_kw: float = 0.5) -> None:
    """Let a cycle see a car that charges with a power and has no meter."""
    load_kw = house_kw + car_kw
    bought_kw = load_kw - pv_kw
    home.live(
        load_kw=load_kw, pv_kw=pv_kw, import_kw=max(bought_kw, 0.0), export_kw=max(-bought_kw, 0.0)
    )


def is_started(home: SteeredHome, inverter: Inverter, *, pv_kw: float) -> bool:
    """Return whether the car charges within eight minutes of sun."""
    for _ in range(240):
        drive(home, inverter, pv_kw=pv_kw)
        if home.unit(CHARGER).commands["car"].mode == "charge":
            return True
    return False


def test_it_goes_on_by_the_plan_ahead_then_by_the_last_slot_then_as_without_luna(
    battery_home: SteeredHome, inverter: Inverter
) -> None:
    home = battery_home
    charge = {"battery": planned(BatterySetpoint(mode="charge", power_kw=3.0))}
    hold = {"battery": planned(BatterySetpoint(mode="hold"))}
    home.target(BATTERIES, charge, hold)
    modes = []
    end = timedelta(minutes=30)
    for after in (timedelta(0), timedelta(minutes=20), end, end + THRESHOLDS_HOLD):
        home.clock.instant = START + after
        for _ in range(3):
            home.live(load_kw=0.5, import_kw=0.5, soc=0.5)
        settle(home, inverter, BATTERIES)
        modes.append(home.unit(BATTERIES).commands["battery"].mode)
    assert modes == ["charge", "hold", "hold", "self_consumption"]


def test_a_unit_that_is_handed_back_is_told_once_and_then_left_alone(
    home: SteeredHome, inverter: Inverter
) -> None:
    home.target(HEATER, {"boiler": planned(LoadSetpoint(mode="off"))})
    home.live(load_kw=0.2, import_kw=0.2)
    home.confirm(HEATER)
    home.target(HEATER, {"boiler": planned(LoadSetpoint(mode="on"))}, released=True)
    home.live(load_kw=0.2, import_kw=0.2)
    wait_for(lambda: inverter.states[BOILER] == "on")
    home.confirm(HEATER)
    home.live()
    inverter.states[BOILER] = "off"
    home.stop()
    home.start()
    calls = len(inverter.calls)
    for _ in range(30):
        home.live(load_kw=0.2, import_kw=0.2)
    assert len(inverter.calls) == calls


def test_a_unit_that_is_left_to_another_sender_is_commanded_no_more(
    home: SteeredHome, inverter: Inverter
) -> None:
    home.target(HEATER, {"boiler": planned(LoadSetpoint(mode="on"))})
    home.live(load_kw=0.2, import_kw=0.2)
    home.confirm(HEATER)
    drop = SteeringDrop(site_id=SITE, unit=HEATER)
    wait_for(lambda: home.loop.answer(drop).fault is None)
    inverter.states[BOILER] = "off"
    calls = len(inverter.calls)
    home.live(after_s=60, load_kw=0.2, import_kw=0.2)
    assert home.state.units == {}
    assert len(inverter.calls) == calls


def test_an_operators_limit_dims_a_car_in_watts(home: SteeredHome, inverter: Inverter) -> None:
    power = {"car": planned(VehicleSetpoint(mode="charge", charge_kw=11.0))}
    home.target(CHARGER, power)
    drive(home, inverter, pv_kw=0.0)
    assert inverter.states[CURRENT] == "15"
    limit = LimitMessage(
        limit_id="1",
        start=home.clock.instant,
        end=None,
        import_kw=4.2,
        export_kw=None,
        scope="devices",
        source="api",
    )
    home.target(CHARGER, power, limits=(limit,))
    drive(home, inverter, pv_kw=0.0)
    assert inverter.states[CAR] == "on"
    assert home.unit(CHARGER).reason == "operator_limit"
    # 16 A on one phase are 3.68 kW, 6 A on three 4.14 kW.
    assert commanded_kw(home) in {3.68, 4.14}
    assert REGISTRY.get_sample_value(SITES_ABOVE) == 1.0
    drive(home, inverter, pv_kw=0.0)
    assert REGISTRY.get_sample_value(SITES_ABOVE) == 0.0


def test_a_device_that_hangs_delays_no_other_and_no_cycle(
    home: SteeredHome, inverter: Inverter
) -> None:
    inverter.faults.append("wait")
    home.target(HEATER, {"boiler": planned(LoadSetpoint(mode="on"))})
    home.live(load_kw=0.2, import_kw=0.2)
    wait_for(lambda: len(inverter.calls) == 1)
    home.target(CHARGER, {"car": planned(VehicleSetpoint(mode="charge", charge_kw=7.0))})
    for _ in range(3):
        began = time.monotonic()
        home.live(load_kw=0.2, import_kw=0.2)
        assert time.monotonic() - began < 1
    wait_for(lambda: inverter.states[CAR] == "on")
    assert not home.unit(HEATER).confirmed
    inverter.go_on.set()
    home.confirm(HEATER)


def test_everything_is_handed_back_at_the_end(
    battery_home: SteeredHome, inverter: Inverter
) -> None:
    home = battery_home
    home.target(BATTERIES, {"battery": planned(BatterySetpoint(mode="hold"))})
    home.live(load_kw=0.2, import_kw=0.2, soc=0.5)
    home.confirm(BATTERIES)
    assert home.loop.hand_back() == []
    assert inverter.states[MODE] == "Self Use"


def test_nothing_is_sent_while_another_process_commands(
    home: SteeredHome, inverter: Inverter
) -> None:
    home.stop()
    other = type(home.sender)(home.data_folder, "sender.lock")
    assert other.take()
    home.start()
    home.target(HEATER, {"boiler": planned(LoadSetpoint(mode="on"))})
    home.live(load_kw=0.2, import_kw=0.2)
    assert not home.state.sends
    assert inverter.calls == []
    other.release()
    home.live(load_kw=0.2, import_kw=0.2)
    assert home.state.sends
    home.confirm(HEATER)
