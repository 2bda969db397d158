"""A battery that Luna speaks to itself, steered: commanded, killed, counted."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from luna.contracts.control import BatterySetpoint
from luna.drivers.control.opening import open_device
from luna.drivers.device_server import RegisterServer, serve_registers
from luna.drivers.profiles import load_profile
from luna.drivers.simulator import SimulatedInverter
from luna.house.steering_targets import TargetFolder
from luna.platform.settings import Settings
from services.steering.__main__ import count_in_files
from tests.integration.executor.test_execution_profile import PROFILE, describe
from tests.support.control.executor import BATTERY, Clock
from tests.support.control.steering import SteeredHome, planned
from tests.support.worker.workers import wait_for

BATTERIES = "batteries"
CHARGE = {"battery": planned(BatterySetpoint(mode="charge", power_kw=3, target_soc=0.8))}
HOLD = {"battery": planned(BatterySetpoint(mode="hold"))}


class Hurried:
    """Seconds that a test can let pass at once."""

    def __init__(self) -> None:
        self.ahead_s = 0.0

    def __call__(self) -> float:
        return time.monotonic() + self.ahead_s


@pytest.fixture
def seconds() -> Hurried:
    return Hurried()


@pytest.fixture
def inverter(seconds: Hurried) -> SimulatedInverter:
    return SimulatedInverter(load_profile(PROFILE, Path("/nonexistent")), now=seconds)


@pytest.fixture
def server(inverter: SimulatedInverter) -> Iterator[RegisterServer]:
    with serve_registers(inverter) as server:
        yield server


@pytest.fixture
def home(tmp_path: Path, server: RegisterServer) -> Iterator[SteeredHome]:
    settings = Settings(data_folder=tmp_path)
    counters = count_in_files(TargetFolder(tmp_path), Clock())
    home = SteeredHome(
        tmp_path,
        lambda control: open_device(settings, control, counters),
        describe(server.port),
        batteries=[BATTERY],
        pv=[{"peak_kw": 8}],
    )
    yield home
    home.stop()


def is_in(home: SteeredHome, inverter: SimulatedInverter, mode: str) -> bool:
    """Let a cycle pass, without a state of charge among what the meters report."""
    home.live(load_kw=0.5, import_kw=0.5)
    return inverter.mode == mode


def test_it_does_what_the_plan_says_by_the_charge_that_it_reports_itself(
    home: SteeredHome, inverter: SimulatedInverter
) -> None:
    home.target(BATTERIES, HOLD)
    wait_for(lambda: is_in(home, inverter, "hold"))
    home.target(BATTERIES, CHARGE)
    wait_for(lambda: is_in(home, inverter, "charge"))
    home.confirm(BATTERIES)


def test_killed_it_leaves_the_battery_to_what_its_profile_says(
    home: SteeredHome, inverter: SimulatedInverter, seconds: Hurried
) -> None:
    home.target(BATTERIES, CHARGE)
    wait_for(lambda: is_in(home, inverter, "charge"))
    reverts = inverter.profile.reverts
    assert reverts is not None
    assert reverts.after_s is not None
    home.stop()
    home.loop.join()
    seconds.ahead_s += reverts.after_s
    inverter.look()
    assert inverter.mode == "self_consumption"
