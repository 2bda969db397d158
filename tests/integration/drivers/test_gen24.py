"""What is a GEN24's own: it is found by its name, changes its exponents while it runs, and knows no
numbers while it sleeps.
"""

import math
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from luna.contracts.control import BatterySetpoint
from luna.drivers.device_search import find_devices
from luna.drivers.device_server import serve_registers
from luna.drivers.point_image import RegisterImage
from luna.drivers.profiled_device import ProfiledDevice, reach
from luna.drivers.profiles import list_profiles, load_profile
from luna.drivers.session import InverterSession
from luna.drivers.simulator import SimulatedInverter
from luna.energy.devices.commands import Via
from luna.energy.errors import LunaError

PROFILE = load_profile("fronius_gen24", Path("/nonexistent"))
ASLEEP = ("OutWRte", "ChaState", "WChaMax", "Charging")


class Seconds:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def reach_here(port: int) -> ProfiledDevice:
    return reach(PROFILE, Via(profile=PROFILE.profile, host="127.0.0.1", port=port))


@pytest.fixture
def device() -> SimulatedInverter:
    return SimulatedInverter(PROFILE, now=Seconds())


@pytest.fixture
def session(device: SimulatedInverter) -> Iterator[InverterSession]:
    with serve_registers(device) as server:
        session = InverterSession(reach_here(server.port), now=device.now, look_seconds=1e6)
        yield session
        session.close()


def read(device: SimulatedInverter) -> dict[str, float]:
    with serve_registers(device) as server, closing(reach_here(server.port)) as reader:
        return reader.read()


def rescale(device: SimulatedInverter, exponents: dict[str, float]) -> None:
    image = device.look()
    assert isinstance(image, RegisterImage)
    image.rescale(exponents)


def wait(device: SimulatedInverter, seconds: float) -> None:
    assert isinstance(device.now, Seconds)
    device.now.now += seconds
    device.look()


@pytest.mark.parametrize("name", ["fronius_gen24", "sunspec_12x", "sunspec_7xx"])
def test_a_product_is_found_as_itself_and_any_other_as_what_it_has(name: str) -> None:
    with serve_registers(SimulatedInverter(load_profile(name, Path("/nonexistent")))) as server:
        (found,) = find_devices(["127.0.0.1"], list_profiles(), port=server.port)
    assert found.profile is not None
    assert found.profile.profile == name


def test_another_product_is_named_as_one() -> None:
    generic = SimulatedInverter(load_profile("sunspec_12x", Path("/nonexistent")))
    with (
        serve_registers(generic) as server,
        closing(reach_here(server.port)) as device,
        pytest.raises(LunaError) as other,
    ):
        device.identify()
    assert other.value.reason == "device-other-product"


def test_exponents_that_change_while_it_runs_change_no_number(
    device: SimulatedInverter, session: InverterSession
) -> None:
    setpoint = BatterySetpoint(mode="charge", power_kw=2)
    session.command(setpoint)
    wait(device, 30)
    before = read(device)
    written = len(device.written)
    rescale(device, {"OutWRte": 0, "WChaMax": 1, "ChaState": -1, "Charging": 1, "MinRsvPct": 0})
    after = read(device)
    assert after == pytest.approx(before, abs=5)
    assert after["charge_w"] == pytest.approx(3500, abs=5)
    # It still does as it was told: nobody has to say it again, and nobody takes it for another
    # master.
    session.look()
    assert session.read_back() == setpoint
    assert len(device.written) == written
    session.command(BatterySetpoint(mode="charge", power_kw=3))
    wait(device, 30)
    assert device.power_kw == pytest.approx(4.5, abs=0.01)


def test_asleep_it_knows_no_numbers_and_is_told_none(
    device: SimulatedInverter, session: InverterSession
) -> None:
    session.command(BatterySetpoint(mode="hold"))
    told = len(device.written)
    rescale(device, dict.fromkeys(ASLEEP, math.nan))
    with pytest.raises(LunaError) as unknown:
        session.read_back()
    assert unknown.value.reason == "device-value-unknown"
    readings = read(device)
    assert all(math.isnan(readings[name]) for name in ("soc", "charge_w", "discharge_w", "pv_w"))
    for setpoint in (BatterySetpoint(mode="charge", power_kw=1), BatterySetpoint(mode="save")):
        with pytest.raises(LunaError) as refused:
            session.command(setpoint)
        assert refused.value.reason == "device-value-unknown"
    assert len(device.written) == told
    rescale(device, {"OutWRte": -2, "ChaState": -2, "WChaMax": 0, "Charging": 0})
    device.reboot()
    session.command(BatterySetpoint(mode="save"))
    assert device.mode == "save"
