"""A grid operator's limit: from the table through the executor and steering to the car."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine

from luna.contracts.operator_limits import NewLimit
from luna.drivers.control.home_assistant import HomeAssistantDevice
from luna.platform.addresses import HomeAssistantAccess
from luna.platform.database import operator_limits
from luna.platform.database.engine import unit_of_work
from services.executor.steered_device import SteeringLink
from services.executor.watch import LOOK
from tests.integration.executor.test_execution_devices import planned
from tests.integration.steering.test_executor_side import STEERED, Seconds, SteeringInProcess
from tests.support.control.executor import Home
from tests.support.control.inverters import (
    BOILER,
    CAR,
    CURRENT,
    DEVICES,
    PV,
    TOKEN,
    Inverter,
    serve,
)
from tests.support.control.steering_process import CHARGER
from tests.support.worker.workers import wait_for

DIMMED_SECONDS = 10.0
# § 14a leaves a single device 4.2 kW: 16 A on one phase are 3.68 kW, 6 A on three 4.14 kW.
DIMMED_CURRENTS = {"16", "6"}


@pytest.fixture
def inverter() -> Iterator[Inverter]:
    with serve(Inverter({CAR: "off", CURRENT: "6", BOILER: "off", PV: "100"})) as inverter:
        yield inverter


@pytest.fixture
def home(database: Engine, tmp_path: Path, inverter: Inverter) -> Iterator[Home]:
    home = Home(
        database,
        lambda _: HomeAssistantDevice(HomeAssistantAccess(inverter.url, TOKEN)),
        STEERED,
        steering=SteeringLink(tmp_path, seconds=Seconds()),
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


def charge(home: Home) -> None:
    """Store a plan that buys 11 kW for the car."""
    plan = planned(home, car_kw=[11.0, 11.0])
    slots = [slot.model_copy(update={"import_kwh": 3.0}) for slot in plan.slots]
    home.store(plan.model_copy(update={"slots": slots}))


def test_a_limit_dims_a_steered_car_within_ten_seconds(
    home: Home, steering: SteeringInProcess, inverter: Inverter
) -> None:
    charge(home)
    home.turn(device=CHARGER)
    steering.turn()
    wait_for(lambda: (inverter.states[CAR], inverter.states[CURRENT]) == ("on", "15"))
    limited_at = home.clock.now()
    with unit_of_work(home.database) as connection:
        new = NewLimit.model_validate({"scope": "devices", "import_kw": 4.2})
        operator_limits.store(connection, home.name, new, source="api", now=limited_at)
    began = time.monotonic()
    # The executor's watch looks, then the next cycle of steering comes.
    home.turn(LOOK, device=CHARGER)
    steering.turn()
    wait_for(lambda: inverter.states[CURRENT] in DIMMED_CURRENTS)
    passed_s = (home.clock.now() - limited_at).total_seconds() + time.monotonic() - began
    assert passed_s < DIMMED_SECONDS
    assert inverter.states[CAR] == "on"
    assert steering.state.units[CHARGER].reason == "operator_limit"
