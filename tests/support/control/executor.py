"""A stored site and the executor that follows its plans; the clock is the test's."""

import itertools
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import Engine

from luna.contracts.control import BatterySetpoint, ControlEntry, Override
from luna.contracts.live_flow import LiveFlow
from luna.contracts.plan import PlanReply
from luna.drivers.control.device import Device
from luna.energy.devices.battery import BATTERIES
from luna.energy.site import Site, parse_site
from luna.energy.site.control import Control
from luna.platform.database import control, sites
from luna.platform.database.engine import unit_of_work
from services.executor.control_step import Executor
from services.executor.steered_device import SteeringLink
from services.executor.target import DeviceConnections
from tests.support.database.databases import remove_site
from tests.support.planning.plans import describe_plan, store_plan

START = datetime(2024, 2, 1, 12, tzinfo=UTC)
BATTERY = {"capacity_kwh": 10, "min_soc": 0.1, "charge_limit_kw": 5, "discharge_limit_kw": 5}
_NUMBERS = itertools.count()


class Clock:
    """Stands still until a test moves it."""

    def __init__(self) -> None:
        self.instant = START

    def now(self) -> datetime:
        return self.instant


class Home:
    """A stored site, armed since long, with an executor that can be started anew."""

    def __init__(
        self,
        database: Engine,
        open_device: Callable[[Control], Device],
        section: dict[str, Any],
        *,
        steering: SteeringLink | None = None,
        **parts: Any,
    ) -> None:
        self.database = database
        self.steering = steering
        self.open_device = open_device
        self.parts = parts
        self.name = f"controlled-{next(_NUMBERS)}-{time.time_ns()}"
        self.clock = Clock()
        self.asked: list[str] = []
        # What the meters say now, by site.
        self.flows: dict[str, LiveFlow] = {}
        self._executors: list[Executor] = []
        self.configure(section)
        self.start()

    def site(self, section: dict[str, Any] | None) -> Site:
        return parse_site(
            {
                "name": self.name,
                "timezone": "Europe/Berlin",
                "batteries": [BATTERY],
                "control": section,
            }
            | self.parts
        )

    def configure(self, section: dict[str, Any] | None) -> None:
        """Store the site with another section ``control``; None: without one."""
        with unit_of_work(self.database) as connection:
            sites.save(connection, self.site(section))

    def start(self) -> None:
        """Start an executor that knows nothing of those before."""
        executor = Executor(
            self.database,
            DeviceConnections(self.open_device, self.steering, data_folder=Path("/nonexistent")),
            self.asked.append,
            clock=self.clock,
            plan_max_age=timedelta(hours=3),
            read_flow=self.flows.get,
        )
        self._executors.append(executor)

    def close(self) -> None:
        for executor in self._executors:
            executor.close()
        # Another test's executor would follow it.
        remove_site(self.database, self.name)

    def turn(self, after: timedelta = timedelta(0), device: str = BATTERIES) -> bool:
        self.clock.instant += after
        return self._executors[-1].turn(self.name, device)

    @property
    def executor(self) -> Executor:
        return self._executors[-1]

    def hand_back(self, device: str = BATTERIES) -> bool:
        return self.executor.hand_back(self.name, device)

    def arm(self) -> None:
        with unit_of_work(self.database) as connection:
            control.arm(connection, self.name, at=START - timedelta(days=1), by="owner")

    def disarm(self) -> None:
        with unit_of_work(self.database) as connection:
            control.disarm(connection, self.name)

    def override(self, wanted: Override | None, device: str = BATTERIES) -> None:
        with unit_of_work(self.database) as connection:
            control.override(connection, self.name, wanted, device=device)

    def plan(self, *setpoints: BatterySetpoint, at: datetime = START, soc: float = 0.5) -> str:
        return self.store(describe_plan(f"{self.name}-{next(_NUMBERS)}", at, setpoints, soc=soc))

    def store(self, plan: PlanReply) -> str:
        with unit_of_work(self.database) as connection:
            store_plan(connection, self.name, plan)
        return plan.plan_id

    @property
    def log(self) -> list[ControlEntry]:
        with unit_of_work(self.database) as connection:
            return list(reversed(control.read_log(connection, self.name, limit=100)))

    @property
    def outcomes(self) -> list[tuple[str, str, bool]]:
        return [
            (entry.reason, entry.allowed["battery"]["mode"], entry.confirmed is not None)
            for entry in self.log
        ]
