"""The home's inverter as a product: what is read of it is what the home does, whoever reads."""

from dataclasses import replace

import pytest

from bench.fortnight.direct_link import WriteTimes, link_points
from luna.drivers.profile import DeviceProfile
from luna.drivers.profiled_device import ProfiledDevice
from luna.drivers.profiles import list_profiles
from luna.drivers.simulated_battery import BatteryCharge
from luna.simulated_home.house import HomeState
from luna.simulated_home.inverter import HomeInverter

PRODUCTS = {
    profile.profile: profile for profile in list_profiles() if profile.kind == "battery_inverter"
}


@pytest.mark.parametrize("product", PRODUCTS.values(), ids=list(PRODUCTS))
def test_a_product_says_what_the_home_does(product: DeviceProfile) -> None:
    state = HomeState(1_800_000_000.0, BatteryCharge(3.0, power_kw=2.0), load_kw=0.5, pv_kw=2.5)
    inverter = HomeInverter(product, state)
    device = ProfiledDevice(product, link_points(inverter, WriteTimes()), now=inverter.now)
    first = device.read_battery()
    assert (first.soc, first.flow_kw) == pytest.approx((0.3, 2.0), abs=0.011)
    inverter.follow(replace(state, at=state.at + 60, battery=BatteryCharge(7.0, power_kw=-1.0)))
    second = device.read_battery()
    assert (second.soc, second.flow_kw) == pytest.approx((0.7, -1.0), abs=0.011)
