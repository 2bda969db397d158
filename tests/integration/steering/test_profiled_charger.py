"""A charger that Luna speaks to itself, steered: within the quarter-hour it follows the surplus."""

import time
from collections.abc import Iterator
from contextlib import closing
from itertools import pairwise
from pathlib import Path

import pytest

from luna.contracts.control import VehicleSetpoint
from luna.drivers.control.opening import open_device
from luna.drivers.control.profile_texts import PHASES_KEPT
from luna.drivers.device_server import serve_device
from luna.drivers.profiles import load_profile
from luna.drivers.simulated_charge_point import SimulatedChargePoint
from luna.energy.devices.commands import CAR_OF
from luna.house.steering_channel import serve_steering
from luna.house.steering_targets import TargetFolder
from luna.platform.settings import Settings
from services.executor.steered_device import SteeredDevice, SteeringLink
from services.steering.__main__ import count_in_files
from tests.support.control.executor import Clock
from tests.support.control.steering import SITE, SteeredHome, planned
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
def profile() -> str:
    return "keba_p30"


@pytest.fixture
def charger(seconds: Hurried, profile: str) -> SimulatedChargePoint:
    return SimulatedChargePoint(load_profile(profile, Path("/nonexistent")), now=seconds)


@pytest.fixture
def home(tmp_path: Path, charger: SimulatedChargePoint, profile: str) -> Iterator[SteeredHome]:
    settings = Settings(data_folder=tmp_path)
    counters = count_in_files(TargetFolder(tmp_path), Clock())
    with serve_device(charger) as server:
        via = {"profile": profile, "host": "127.0.0.1", "port": server.port}
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


def test_one_that_refuses_its_phases_is_said_while_it_is_steered(
    home: SteeredHome, charger: SimulatedChargePoint
) -> None:
    # It has no contactor, and its site one phase.
    charger.stuck["phases"] = 1
    target = home.target(CHARGER, {"car": planned(VehicleSetpoint(mode="charge", charge_kw=6.9))})

    def is_known() -> bool:
        home.live(load_kw=7.4, import_kw=7.4)
        return home.unit(CHARGER).keeps_phases is not None

    wait_for(is_known)
    # The executor reads the car by a connection of its own, which commands nothing.
    place = f"profile:{CHARGER}{CAR_OF}"
    device = SteeredDevice(
        (SITE, CHARGER), home.open_device, SteeringLink(home.data_folder), {place}
    )
    with serve_steering(home.data_folder, home.loop.answer), closing(device):
        device.hand_over(target, [], is_settled=False)
        assert f"{PHASES_KEPT}=1" in device.read([place])[place].split()


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


@pytest.mark.parametrize("profile", ["go_e_charger"])
def test_currents_that_wear_a_charger_out_are_rationed_and_a_stop_is_not(
    home: SteeredHome, charger: SimulatedChargePoint
) -> None:
    home.target(
        CHARGER, {"car": planned(VehicleSetpoint(mode="charge", charge_kw=11), follow="surplus")}
    )

    def live(pv_kw: float) -> float:
        """Let a cycle follow the sun; return the current once the charger has it."""
        car_kw = charger.power_kw
        net_kw = 0.5 + car_kw - pv_kw
        home.live(
            pv_kw=pv_kw,
            load_kw=0.5,
            import_kw=max(net_kw, 0.0),
            export_kw=max(-net_kw, 0.0),
            submetered_kw={"vehicle_kwh": car_kw},
        )
        setpoint = home.unit(CHARGER).commands["car"]
        assert isinstance(setpoint, VehicleSetpoint)
        wait_for(lambda: charger.power_kw == pytest.approx(setpoint.charge_kw))
        return setpoint.charge_kw

    for _ in range(60):
        live(9.0)
    assert charger.power_kw > 8
    powers_kw = [live(6.0 if cycle // 6 % 2 else 10.0) for cycle in range(150)]
    changes = sum(before != now for before, now in pairwise(powers_kw))
    # In five minutes of clouds, the sun came or went 25 times.
    assert 1 <= changes <= 6
    assert min(powers_kw) > 0
    home.target(CHARGER, {"car": planned(VehicleSetpoint(mode="stop", charge_kw=0))})
    assert live(10.0) == 0
