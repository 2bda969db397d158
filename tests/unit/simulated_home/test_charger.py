"""The home's charger and its heater's switch as products: they show what the home does, and their
commands are done by the home.
"""

from dataclasses import replace

import pytest

from bench.fortnight.direct_link import LinkFaults, WriteTimes, link_points
from luna.contracts.device_command import DeviceCommand
from luna.drivers.command_writes import plan_command
from luna.drivers.profile import DeviceProfile
from luna.drivers.profiled_device import ProfiledDevice
from luna.drivers.profiles import list_profiles
from luna.drivers.simulated_battery import BatteryCharge
from luna.energy.errors import UnavailableError
from luna.simulated_home.car import CarState
from luna.simulated_home.charger import HomeCharger
from luna.simulated_home.heater import HeaterState
from luna.simulated_home.house import HomeState
from luna.simulated_home.switch import HomeSwitch

LINKED = {"modbus_tcp", "http"}


def by_kind(kind: str) -> list[object]:
    return [
        pytest.param(profile, id=profile.profile)
        for profile in list_profiles()
        if profile.kind == kind and profile.transport.kind in LINKED and profile.modes
    ]


def read_twice(device: ProfiledDevice) -> None:
    for _ in range(2):
        device.read("car_w")


HOME = HomeState(
    1_800_000_000.0,
    BatteryCharge(3.0),
    car=CarState(20.0, power_kw=4.14, charge_kwh=1000.0),
    heater=HeaterState(power_kw=2.0, used_kwh=1000.0),
)


@pytest.mark.parametrize("profile", by_kind("charge_point"))
def test_a_charger_says_what_the_car_draws_and_offers_what_it_is_commanded(
    profile: DeviceProfile,
) -> None:
    charger = HomeCharger(profile, HOME)
    device = ProfiledDevice(profile, link_points(charger, WriteTimes()), now=charger.now)
    if "car_w" in profile.reads:
        assert device.read("car_w")["car_w"] == pytest.approx(4140, rel=0.01)
    for current_a in (6.0, 10.0):
        command = DeviceCommand("charge", current_a=current_a, power_w=current_a * 3 * 230)
        device.points.write(plan_command(device, command))
        followed = charger.follow(replace(HOME, at=HOME.at + 5)).car
        assert followed is not None
        assert (followed.command.mode, followed.command.current_a) == ("on", current_a)
    device.points.write(plan_command(device, DeviceCommand("stop")))
    stopped = charger.follow(replace(HOME, at=HOME.at + 10)).car
    assert stopped is not None
    assert stopped.command.mode == "off"


@pytest.mark.parametrize("profile", by_kind("switched_load"))
def test_a_switch_is_followed_by_the_heater(profile: DeviceProfile) -> None:
    switch = HomeSwitch(profile, HOME)
    device = ProfiledDevice(profile, link_points(switch, WriteTimes()), now=switch.now)
    for mode in ("on", "off"):
        device.points.write(plan_command(device, DeviceCommand(mode, power_w=2000)))
        heater = switch.follow(replace(HOME, at=HOME.at + 5)).heater
        assert heater is not None
        assert heater.mode == mode


@pytest.mark.parametrize("kind", ["silent", "slow", "garbage"])
def test_a_disturbed_link_gives_no_values_that_are_believed(kind: str) -> None:
    profile = next(profile for profile in list_profiles() if profile.profile == "go_e_charger")
    faults = LinkFaults()
    charger = HomeCharger(profile, HOME)
    points = link_points(charger, WriteTimes(), faults)
    device = ProfiledDevice(profile, points, now=charger.now)
    assert device.read("car_w")["car_w"] == pytest.approx(4140, rel=0.01)
    faults.kind = kind  # type: ignore[assignment]
    with pytest.raises(UnavailableError):
        read_twice(device)
