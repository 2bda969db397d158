"""The executor of a steered site: it hands over targets, and writes only without steering."""

from collections.abc import Iterator, Sequence
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine

from luna.contracts.control import BatterySetpoint
from luna.drivers.control.home_assistant import HomeAssistantDevice
from luna.drivers.control.opening import open_device
from luna.drivers.device_server import serve_registers
from luna.drivers.folder_lock import FolderLock
from luna.drivers.profiles import load_profile
from luna.drivers.simulator import SimulatedInverter
from luna.drivers.write_limits import uncounted
from luna.energy.devices.battery import BATTERIES
from luna.house.steering_channel import (
    PROCESS_LOCK,
)
from luna.platform.addresses import HomeAssistantAccess
from luna.platform.database import control
from luna.platform.database.engine import unit_of_work
from luna.platform.settings import Settings
from services.executor.delivery import RESEND
from services.executor.steered_device import TAKEOVER_SECONDS, SteeringLink
from tests.integration.executor.test_execution_devices import planned
from tests.integration.executor.test_execution_profile import PROFILE, describe
from tests.support.control.executor import Home
from tests.support.control.inverters import (
    BOILER,
    CAR,
    CURRENT,
    DEVICES,
    PV,
    TOKEN,
    Inverter,
    describe_devices,
    serve,
)
from tests.support.control.steering import SteeringInProcess
from tests.support.worker.workers import wait_for

HEATER = "load:boiler"
STEERED = describe_devices() | {"steering": True}


@pytest.fixture
def inverter() -> Iterator[Inverter]:
    with serve(Inverter({CAR: "off", CURRENT: "6", BOILER: "off", PV: "100"})) as inverter:
        yield inverter


class Seconds:
    """A clock that never goes back, with that of the test."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def seconds() -> Seconds:
    return Seconds()


@pytest.fixture
def home(database: Engine, tmp_path: Path, inverter: Inverter, seconds: Seconds) -> Iterator[Home]:
    home = Home(
        database,
        lambda _: HomeAssistantDevice(HomeAssistantAccess(inverter.url, TOKEN)),
        STEERED,
        steering=SteeringLink(tmp_path, seconds=seconds),
        **DEVICES,
    )
    home.arm()
    yield home
    home.close()


@pytest.fixture
def steering(home: Home, tmp_path: Path) -> Iterator[SteeringInProcess]:
    steering = SteeringInProcess(home, tmp_path)
    steering.start()
    yield steering
    steering.stop()


def heat(home: Home, running: Sequence[bool]) -> None:
    home.store(planned(home, boiler=running))


def test_steering_sends_what_was_decided_and_the_log_has_it_confirmed(
    home: Home, steering: SteeringInProcess, inverter: Inverter
) -> None:
    heat(home, [True])
    assert home.turn(device=HEATER)
    assert inverter.calls == []
    steering.confirm(HEATER)
    assert inverter.states[BOILER] == "on"
    assert not home.turn(device=HEATER)
    [entry] = home.log
    assert (entry.reason, entry.confirmed is not None) == ("planned", True)
    assert len(inverter.calls) == 1


def test_the_plan_ahead_is_followed_while_the_executor_is_away(
    home: Home, steering: SteeringInProcess, inverter: Inverter
) -> None:
    heat(home, [True, True, True, False])
    home.turn(device=HEATER)
    steering.confirm(HEATER)
    home.clock.instant += timedelta(minutes=46)
    steering.turn()
    wait_for(lambda: inverter.states[BOILER] == "off")


def test_a_disarmed_site_is_handed_back_by_steering(
    home: Home, steering: SteeringInProcess, inverter: Inverter
) -> None:
    heat(home, [False])
    home.turn(device=HEATER)
    steering.confirm(HEATER)
    home.disarm()
    home.turn(device=HEATER)
    steering.turn()
    # A water heater without a rule of its own is switched on.
    wait_for(lambda: inverter.states[BOILER] == "on")
    wait_for(lambda: not home.turn(device=HEATER))
    assert home.log[-1].reason == "disarmed"


def test_nothing_is_written_beside_a_steering_that_lives_and_does_not_answer(
    home: Home, inverter: Inverter, tmp_path: Path, seconds: Seconds
) -> None:
    heat(home, [True])
    hangs = FolderLock(tmp_path, PROCESS_LOCK)
    assert hangs.take()
    for _ in range(3):
        seconds.now += TAKEOVER_SECONDS
        assert home.turn(RESEND.pause(1), device=HEATER)
    assert inverter.calls == []
    hangs.release()


def test_without_steering_the_executor_commands_until_it_is_back(
    home: Home, inverter: Inverter, tmp_path: Path, seconds: Seconds
) -> None:
    heat(home, [True])
    home.turn(device=HEATER)
    assert inverter.calls == []
    seconds.now += TAKEOVER_SECONDS
    home.turn(RESEND.pause(1), device=HEATER)
    assert inverter.states[BOILER] == "on"
    assert len(inverter.calls) == 1
    steering = SteeringInProcess(home, tmp_path)
    steering.start()
    steering.turn()
    assert not steering.state.sends
    home.turn(device=HEATER)
    steering.confirm(HEATER)
    assert steering.state.sends
    steering.stop()


def test_a_steering_that_dies_for_good_is_replaced_within_the_slot(
    home: Home, inverter: Inverter, tmp_path: Path, seconds: Seconds
) -> None:
    heat(home, [True])
    steering = SteeringInProcess(home, tmp_path)
    steering.start()
    home.turn(device=HEATER)
    steering.confirm(HEATER)
    home.turn(device=HEATER)
    steering.stop()
    inverter.states[BOILER] = "off"
    for _ in range(2):
        home.turn(timedelta(seconds=5), device=HEATER)
    assert inverter.states[BOILER] == "off"
    seconds.now += TAKEOVER_SECONDS
    home.turn(timedelta(seconds=5), device=HEATER)
    assert inverter.states[BOILER] == "on"


def test_a_site_that_is_steered_no_longer_is_left_to_the_executor(
    home: Home, steering: SteeringInProcess, inverter: Inverter
) -> None:
    heat(home, [True, True, False])
    home.turn(device=HEATER)
    steering.confirm(HEATER)
    home.configure(describe_devices())
    home.start()
    home.turn(timedelta(minutes=31), device=HEATER)
    assert inverter.states[BOILER] == "off"
    inverter.states[BOILER] = "on"
    calls = len(inverter.calls)
    steering.turn()
    assert steering.state.units == {}
    assert len(inverter.calls) == calls


def test_an_executor_that_ends_leaves_devices_to_steering(
    home: Home, steering: SteeringInProcess, inverter: Inverter
) -> None:
    heat(home, [False])
    home.turn(device=HEATER)
    steering.confirm(HEATER)
    assert home.hand_back(HEATER)
    steering.turn()
    assert steering.state.units[HEATER].commands["boiler"].mode == "off"


def test_a_steered_battery_with_a_profile_reports_its_charge(
    database: Engine, tmp_path: Path
) -> None:
    inverter = SimulatedInverter(load_profile(PROFILE, tmp_path), soc=0.7)
    settings = Settings(data_folder=tmp_path)
    with serve_registers(inverter) as server:
        home = Home(
            database,
            lambda control: open_device(settings, control, uncounted),
            describe(server.port) | {"steering": True},
            steering=SteeringLink(tmp_path),
        )
        with closing(home):
            home.arm()
            home.plan(BatterySetpoint(mode="hold"))
            home.turn()
            with unit_of_work(database) as connection:
                decision = control.load(connection, home.name, BATTERIES).decision
    assert decision is not None
    assert decision.measured_soc == {"battery": pytest.approx(0.7, abs=0.01)}
