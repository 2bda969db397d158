"""A car at a steered charger with a profile: what it does not draw is noticed, and it is woken."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine

from luna.contracts.control import BatterySetpoint
from luna.contracts.plan.reply import VehicleFlow
from luna.drivers.control.opening import open_device
from luna.drivers.device_server import serve_device
from luna.drivers.profiles import load_profile
from luna.drivers.simulated_charge_point import (
    LEAST_A,
    SimulatedCar,
    SimulatedChargePoint,
)
from luna.drivers.write_limits import uncounted
from luna.energy.car_draw import CarDraw
from luna.platform.database import control
from luna.platform.database.engine import unit_of_work
from luna.platform.settings import Settings
from services.executor.draw_watch import WAKE_PAUSE
from services.executor.steered_device import SteeringLink
from tests.support.control.executor import START, Home
from tests.support.control.inverters import DEVICES
from tests.support.control.steering import SteeringInProcess
from tests.support.planning.plans import describe_plan
from tests.support.worker.workers import wait_for

CHARGER = "vehicle:car"
SECONDS = timedelta(seconds=1)


@dataclass
class SleepingCar(SimulatedCar):
    """A car that draws nothing before its charge was stopped and started anew."""

    was_stopped: bool = False

    def draw_a(self, offered_a: float) -> float:
        self.was_stopped = self.was_stopped or offered_a < LEAST_A
        return super().draw_a(offered_a) if self.was_stopped else 0.0


@pytest.fixture
def charger(tmp_path: Path) -> SimulatedChargePoint:
    return SimulatedChargePoint(load_profile("go_e_charger", tmp_path))


@pytest.fixture
def home(database: Engine, tmp_path: Path, charger: SimulatedChargePoint) -> Iterator[Home]:
    """A site of which no meter counts what goes into the car."""
    settings = Settings(data_folder=tmp_path)
    with serve_device(charger) as server:
        via = {"profile": "go_e_charger", "host": "127.0.0.1", "port": server.port}
        vehicle = {"vehicle": "car", "via": via}
        home = Home(
            database,
            lambda control: open_device(settings, control, uncounted),
            {"by": "profile", "steering": True, "vehicles": [vehicle]},
            steering=SteeringLink(tmp_path),
            batteries=[],
            vehicles=DEVICES["vehicles"],
        )
        home.arm()
        flow = VehicleFlow(charge_kwh=11 / 4, soc_end=0.5)
        plan = describe_plan(home.name, START, [BatterySetpoint(mode="hold")] * 2)
        bought = {"vehicles": {"car": flow}, "import_kwh": 3.0}
        slots = [slot.model_copy(update=bought) for slot in plan.slots]
        home.store(plan.model_copy(update={"slots": slots}))
        yield home
        home.close()


@pytest.fixture
def steering(home: Home, tmp_path: Path) -> Iterator[SteeringInProcess]:
    steering = SteeringInProcess(home, tmp_path)
    steering.start()
    yield steering
    steering.stop()


def look(home: Home, steering: SteeringInProcess, verdict: str) -> None:
    """Let two minutes pass at most, until a verdict is found."""
    for _ in range(24):
        home.turn(3 * SECONDS, CHARGER)
        steering.turn()
        if read_draw(home).verdict == verdict:
            return
    raise AssertionError(read_draw(home))


def read_draw(home: Home) -> CarDraw:
    with unit_of_work(home.database) as connection:
        state = control.load(connection, home.name, CHARGER)
    return state.reports["car"].draw or CarDraw()


def test_a_steered_car_that_sleeps_is_noticed_by_its_charger_and_woken_by_steering(
    home: Home, steering: SteeringInProcess, charger: SimulatedChargePoint
) -> None:
    home.turn(device=CHARGER)
    steering.confirm(CHARGER)
    assert charger.mode == "charge"
    charger.plug(SleepingCar())
    look(home, steering, "waking")
    home.turn(SECONDS, CHARGER)
    steering.turn()
    wait_for(lambda: charger.mode == "stop")
    assert steering.state.units[CHARGER].reason == "wakes_car"
    home.clock.instant += WAKE_PAUSE
    # Also where the executor is away meanwhile.
    steering.turn()
    wait_for(lambda: charger.mode == "charge")
    assert charger.power_kw > 10
    look(home, steering, "as_commanded")
    assert home.asked == []


def test_a_steered_car_that_is_full_is_left_out(
    home: Home, steering: SteeringInProcess, charger: SimulatedChargePoint
) -> None:
    home.turn(device=CHARGER)
    steering.confirm(CHARGER)
    look(home, steering, "as_commanded")
    assert charger.car is not None
    charger.car.stored_kwh = charger.car.capacity_kwh
    look(home, steering, "full")
    assert home.asked == [home.name]
    charger.plug(None)
    home.turn(10 * SECONDS, CHARGER)
    charger.plug(SimulatedCar())
    look(home, steering, "as_commanded")
