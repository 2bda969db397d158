"""The loop of the executor at the start of a slot, while the planner is in the middle of a solve
and nobody answers who asks for a plan.
"""

import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine

from luna.contracts.control import BatterySetpoint
from luna.contracts.plan import PlanRequest
from luna.drivers.control.home_assistant import HomeAssistantDevice
from luna.energy.timeline import SLOT
from luna.platform.addresses import HomeAssistantAccess
from luna.platform.database.engine import unit_of_work
from luna.platform.health.readiness import Liveness
from services.executor.control_step import Executor
from services.executor.target import DeviceConnections
from services.executor.watch import AWAITED_LOOK, LOOK, Watch
from services.planner.linear.model import LinearModel
from services.planner.milp.solver import Solution, Solver
from services.planner.service.plans import plan_and_store
from tests.support.control.executor import BATTERY, START, Clock, Home
from tests.support.control.inverters import MODE, POWER, SOC, TOKEN, Inverter, describe, serve
from tests.support.database.site import issue_half_a_kilowatt
from tests.support.planning.plans import describe_plan

CHARGE = BatterySetpoint(mode="charge", power_kw=3, target_soc=0.8)
EXPORT = BatterySetpoint(mode="export", power_kw=2, target_soc=0.2)
# Twelve seconds before the slot: looks every five seconds from then on would meet it three seconds
# late.
LEAD = timedelta(seconds=12)
IN_TIME = timedelta(seconds=2)
TARIFF = {"import": {"kind": "fixed", "price": 0.3}, "export": {"kind": "fixed", "price": 0.1}}


@dataclass
class TimedInverter(Inverter):
    """Notes the instant of every command by the clock of the test."""

    clock: Clock = field(default_factory=Clock)
    told: list[datetime] = field(default_factory=list)

    def call(self, service: str, data: dict[str, Any]) -> int:
        self.told.append(self.clock.now())
        return super().call(service, data)


class BusySolver(Solver):
    """Begins, and comes to no end before the test lets it."""

    def __init__(self) -> None:
        super().__init__()
        self.begun, self.go_on = threading.Event(), threading.Event()

    def solve(self, model: LinearModel, **options: Any) -> Solution:
        self.begun.set()
        self.go_on.wait(60)
        return super().solve(model, **options)


class Ending(threading.Event):
    """Skips the pauses between looks by moving the clock.

    While a turn is under way time passes as it does.
    """

    def __init__(self, clock: Clock, done: Callable[[], bool]) -> None:
        super().__init__()
        self._clock = clock
        self._done = done

    def wait(self, timeout: float | None = None) -> bool:
        pause = LOOK if timeout is None else timedelta(seconds=timeout)
        under_way = pause == AWAITED_LOOK
        time.sleep(0.01 * under_way)
        self._clock.instant += timedelta(seconds=0.01) if under_way else pause
        if self._done():
            self.set()
        return self.is_set()


@pytest.fixture
def inverter() -> Iterator[TimedInverter]:
    inverter = TimedInverter({SOC: "50", MODE: "Self Use", POWER: "0"})
    with serve(inverter):
        yield inverter


@pytest.fixture
def home(database: Engine, inverter: TimedInverter) -> Iterator[Home]:
    batteries = [BATTERY, BATTERY | {"name": "second", "min_charge_kw": 1.0}]
    home = Home(
        database,
        lambda _: HomeAssistantDevice(HomeAssistantAccess(inverter.url, TOKEN)),
        describe(),
        batteries=batteries,
        tariff=TARIFF,
    )
    inverter.clock = home.clock
    home.arm()
    yield home
    home.close()


def solve(home: Home, solver: Solver) -> None:
    """Plan the stored site in a transaction of its own, as the planner's worker does."""
    with unit_of_work(home.database) as connection:
        issue_half_a_kilowatt(connection, home.name, START)
        plan_and_store(
            PlanRequest(site_id=home.name, start=START),
            lambda: connection,
            now=START,
            solver=solver,
        )


def wait(event: threading.Event) -> None:
    event.wait(60)


def test_a_command_is_sent_within_two_seconds_of_its_slot_s_start_while_the_planner_solves(
    home: Home, inverter: TimedInverter
) -> None:
    begins = START + SLOT
    plan = describe_plan(f"{home.name}-before", START - 3 * SLOT, [CHARGE] * 4 + [EXPORT] * 4)
    # An hour old by the slot's start, so that a new one is asked for in that turn; until then it is
    # not.
    home.store(plan.model_copy(update={"issued_at": begins - timedelta(hours=1)}))
    home.turn()
    home.clock.instant = begins - LEAD
    solver = BusySolver()
    nobody_answers = threading.Event()
    planner = threading.Thread(target=solve, args=(home, solver))
    planner.start()
    assert solver.begun.wait(30)
    still_solving: list[bool] = []

    def is_done() -> bool:
        if "Force Discharge" in inverter.modes or home.clock.now() > begins + SLOT / 2:
            still_solving.append(planner.is_alive())
            nobody_answers.set()
        return nobody_answers.is_set()

    executor = Executor(
        home.database,
        DeviceConnections(home.open_device, data_folder=Path("/nonexistent")),
        lambda _: wait(nobody_answers),
        clock=home.clock,
        plan_max_age=timedelta(hours=3),
        read_flow=lambda _: None,
    )
    Watch(home.database, executor, clock=home.clock).run(
        Liveness(timedelta(seconds=5)), ending=Ending(home.clock, is_done)
    )
    solver.go_on.set()
    planner.join()
    assert still_solving == [True]
    # At its end it hands the inverter back.
    assert inverter.modes == ["Force Charge", "Force Discharge", "Self Use"]
    first = next(at for at in inverter.told if at >= begins - LEAD)
    assert timedelta(0) <= first - begins <= IN_TIME
