"""A charger that Luna speaks to itself, steered: within the quarter-hour it follows the surplus."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from luna.contracts.control import VehicleSetpoint
from luna.drivers.control.opening import open_device
from luna.drivers.device_server import serve_device
from luna.drivers.profiles import load_profile
from luna.drivers.simulated_charge_point import SimulatedChargePoint
from luna.house.steering_targets import TargetFolder
from luna.platform.settings import Settings
from services.steering.__main__ import count_in_files
from tests.support.control.executor import Clock
from tests.support.control.steering import SteeredHome, planned
from tests.support.worker.workers import wait_for

CHARGER = "vehicle:car"


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
def charger(seconds: Hurried) -> SimulatedChargePoint:
    return SimulatedChargePoint(load_profile("keba_p30", Path("/nonexistent")), now=seconds)


@pytest.fixture
def home(tmp_path: Path, charger: SimulatedChargePoint) -> Iterator[SteeredHome]:
    settings = Settings(data_folder=tmp_path)
    counters = count_in_files(TargetFolder(tmp_path), Clock())
    with serve_device(charger) as server:
        via = {"profile": "keba_p30", "host": "127.0.0.1", "port": server.port}
        home = SteeredHome(
            tmp_path,
            lambda control: open_device(settings, control, counters),
            {"by": "profile", "vehicles": [{"vehicle": "car", "via": via}]},
            vehicles=[{"name": "car", "capacity_kwh": 60, "charger": {"phases": [3]}}],
            pv=[{"peak_kw": 12}],
        )
        yield home
        home.stop()


def test_a_charge_is_sent_and_confirmed_and_the_charger_falls_back_once_it_is_killed(
    home: SteeredHome, charger: SimulatedChargePoint, seconds: Hurried
) -> None:
    home.target(CHARGER, {"car": planned(VehicleSetpoint(mode="charge", charge_kw=6.9))})

    def charges() -> bool:
        home.live(load_kw=7.4, import_kw=7.4)
        return charger.offered_a == 10

    wait_for(charges)
    home.confirm(CHARGER)
    home.stop()
    home.loop.join()
    seconds.ahead_s += 121
    charger.look()
    # KEBA's fail-safe current.
    assert charger.offered_a == 6
    home.start()


def test_released_it_is_left_to_itself(home: SteeredHome, charger: SimulatedChargePoint) -> None:
    home.target(CHARGER, {"car": planned(VehicleSetpoint(mode="stop", charge_kw=0))})

    def stops() -> bool:
        home.live(load_kw=0.5, import_kw=0.5)
        return charger.mode == "stop"

    wait_for(stops)
    home.target(CHARGER, {"car": planned(VehicleSetpoint(mode="own", charge_kw=0))}, released=True)

    def is_own() -> bool:
        home.live(load_kw=0.5, import_kw=0.5)
        return charger.mode == "own"

    wait_for(is_own)
