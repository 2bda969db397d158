"""A device that takes an AC power alone: the session follows roof and house, so that its battery
does what Luna's modes mean.
"""

import math
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from luna.contracts.control import BatterySetpoint
from luna.drivers.device_server import serve_registers
from luna.drivers.mode_emulation import HouseFlows, ac_power_w, mode_of_ac_power
from luna.drivers.profile import DeviceProfile
from luna.drivers.profiled_device import reach
from luna.drivers.profiles import load_profile
from luna.drivers.session import InverterSession
from luna.drivers.simulator import SimulatedInverter
from luna.energy.devices.battery import Mode
from luna.energy.devices.commands import Via
from luna.energy.errors import LunaError

PROFILE = load_profile("sunspec_7xx", Path("/nonexistent"))
POWER = st.floats(min_value=-8000, max_value=8000)


class Home:
    """A clock that stands still until a test moves it, and a house that uses and a roof that gives
    what the test says, kW.
    """

    now = 0.0
    load_kw = 0.5
    pv_kw = 2.0

    def __call__(self) -> float:
        return self.now


@dataclass
class Bench:
    home: Home
    device: SimulatedInverter
    port: int
    session: InverterSession

    def read(self) -> dict[str, float]:
        with closing(
            reach(PROFILE, Via(profile=PROFILE.profile, host="127.0.0.1", port=self.port))
        ) as device:
            return device.read()

    def live(self, seconds: float, *, every_s: float = 5.0) -> None:
        end = self.home.now + seconds
        while self.home.now < end:
            self.home.now += every_s
            if self.home.now % 60 == 0:
                self.session.read_back()
            self.session.look()


@contextmanager
def command(profile: DeviceProfile = PROFILE, *, soc: float = 0.5) -> Iterator[Bench]:
    home = Home()
    device = SimulatedInverter(
        profile, now=home, house=lambda _: (home.load_kw, home.pv_kw), soc=soc
    )
    with serve_registers(device) as server:
        via = Via(profile=profile.profile, host="127.0.0.1", port=server.port)
        session = InverterSession(reach(profile, via), now=home, look_seconds=1e6)
        yield Bench(home, device, server.port, session)
        session.close()


@pytest.mark.parametrize(
    ("mode", "power_kw", "with_surplus_kw", "with_deficit_kw"),
    [
        # Three and a half are left over of four; then one and a half are missing. What flows into
        # the battery:
        ("save", None, 3.5, 0.0),
        ("supply", None, 0.0, -1.5),
        ("hold", None, 0.0, 0.0),
        # A kilowatt is exchanged with the grid: beside the surplus that is stored, beside the load
        # that is served.
        ("charge", 1.0, 4.5, 1.0),
        ("export", 1.0, -1.0, -2.5),
    ],
)
def test_a_mode_means_the_same_while_house_and_roof_change(
    mode: Mode, power_kw: float | None, with_surplus_kw: float, with_deficit_kw: float
) -> None:
    with command() as bench:
        bench.session.command(BatterySetpoint(mode=mode, power_kw=power_kw))
        for load_kw, pv_kw, flows_kw in (
            (0.5, 4.0, with_surplus_kw),
            (2.0, 0.5, with_deficit_kw),
            (0.5, 4.0, with_surplus_kw),
        ):
            bench.home.load_kw = load_kw
            bench.home.pv_kw = pv_kw
            bench.live(30)
            assert bench.device.power_kw == pytest.approx(flows_kw, abs=0.02)
            assert bench.session.read_back() is not None


@pytest.mark.parametrize(
    "setpoint",
    [
        pytest.param(BatterySetpoint(mode="hold"), id="hold", marks=pytest.mark.long),
        pytest.param(BatterySetpoint(mode="charge", power_kw=1), id="charge"),
    ],
)
def test_a_full_battery_throttles_no_roof(setpoint: BatterySetpoint) -> None:
    with command(soc=1.0) as bench:
        bench.session.command(setpoint)
        bench.home.pv_kw = 0.0
        bench.live(60)
        bench.home.pv_kw = 6.0
        bench.live(60)
        assert bench.read()["pv_w"] == pytest.approx(6000, abs=10)
        # It gives no more than a hundredth for that.
        bench.home.pv_kw = 0.0
        bench.live(3600, every_s=60.0)
        assert bench.session.read_soc() > 0.985


def test_without_the_battery_s_own_power_no_power_is_set() -> None:
    with command() as bench:
        bench.device.stuck["Storage"] = math.nan
        with pytest.raises(LunaError) as refused:
            bench.session.command(BatterySetpoint(mode="charge", power_kw=1))
        assert refused.value.reason == "device-value-unknown"
        # It neither stores nor serves where nobody knows what is left over, and that takes a power
        # too.
        with pytest.raises(LunaError):
            bench.session.command(BatterySetpoint(mode="save"))
        assert not bench.device.written


def test_a_device_that_shows_no_meter_is_refused_by_name() -> None:
    assert PROFILE.sunspec is not None
    lengths = {model: length for model, length in PROFILE.sunspec.lengths.items() if model != 203}
    profile = PROFILE.model_copy(
        update={"sunspec": PROFILE.sunspec.model_copy(update={"lengths": lengths})}
    )
    with command(profile) as bench, pytest.raises(LunaError) as refused:
        bench.session.command(BatterySetpoint(mode="charge", power_kw=1))
    assert (refused.value.reason, refused.value.parameters["model"]) == (
        "device-model-missing",
        203,
    )


@given(
    mode=st.sampled_from(["hold", "charge", "export"]),
    power_w=st.floats(min_value=10, max_value=20_000),
    inverter_w=POWER,
    battery_w=POWER,
    grid_w=POWER,
)
def test_an_ac_power_is_what_its_mode_means(
    mode: Mode, power_w: float, inverter_w: float, battery_w: float, grid_w: float
) -> None:
    flows = HouseFlows(inverter_w, battery_w, grid_w)
    set_w = ac_power_w(mode, power_w, math.inf, flows)
    assert mode_of_ac_power(set_w, flows) == mode
    # What it exchanges with the grid then: the power, and what the house leaves over or is short of
    # where the battery does not see to that.
    into_battery_w = flows.idle_w - set_w
    surplus_w = flows.idle_w - flows.load_w
    expected_w = {
        "hold": 0.0,
        "charge": max(surplus_w, 0.0) + power_w,
        "export": min(surplus_w, 0.0) - power_w,
    }
    assert into_battery_w == pytest.approx(expected_w[mode], abs=1e-6)
    # The battery bears two kilowatts.
    assert abs(flows.idle_w - ac_power_w(mode, power_w, 2000.0, flows)) <= 2000.0 + 1e-6
