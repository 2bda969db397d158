"""A central system in the test's own loop, and Luna's side of its socket."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from luna.contracts.charge_points import (
    ChargePointAnswer,
    ChargePointRequest,
    SeenChargePoint,
)
from luna.drivers.charge_point_channel import serve_charge_points
from luna.drivers.ocpp_points import OcppPoints
from luna.drivers.points import PointValue
from luna.drivers.profile import DeviceProfile
from luna.drivers.transports import OcppTransport
from luna.energy.devices.commands import Via
from luna.platform.clock import SystemClock
from services.ocpp import server
from services.ocpp.central_system import CentralSystem
from services.ocpp.records import RecordFolder

BOOT_SECONDS = 0.1
PATIENCE_SECONDS = 5.0


@dataclass
class Central:
    """A central system that listens.

    Attributes:
        seconds: of its clock that never goes back.
    """

    system: CentralSystem
    port: int
    data_folder: Path
    seconds: "Seconds"
    opened: list[OcppPoints] = field(default_factory=list)

    def list(self) -> dict[str, SeenChargePoint]:
        return {point.identity: point for point in self.system.list_points()}

    def reach(self, identity: str, **traits: Any) -> "Reached":
        """Return a charge point's points, as a site has them; closed with the central system."""
        reached = Reached(make_points(identity, self.data_folder, **traits))
        self.opened.append(reached.points)
        return reached


@dataclass
class Seconds:
    """A clock that never goes back, and that a test moves ahead."""

    ahead: float = 0.0

    def __call__(self) -> float:
        return asyncio.get_running_loop().time() + self.ahead


@dataclass
class Reached:
    """``OcppPoints`` in a thread, as Luna's other processes use them."""

    points: OcppPoints
    written: list[PointValue] = field(default_factory=list)

    async def write(self, **values: float) -> None:
        self.written = [PointValue(name, value) for name, value in values.items()]
        await asyncio.to_thread(self.points.write, self.written)

    async def holds(self) -> bool:
        return all(await asyncio.to_thread(self.points.hold, self.written))

    async def read(self, *names: str) -> dict[str, float]:
        return await asyncio.to_thread(self.points.read, names)


@asynccontextmanager
async def central_system(data_folder: Path) -> AsyncIterator[Central]:
    """Yield a central system at a free port, with its socket."""
    seconds = Seconds()
    system = CentralSystem(
        RecordFolder(data_folder), SystemClock(), seconds=seconds, boot_seconds=BOOT_SECONDS
    )
    system.load()
    loop = asyncio.get_running_loop()

    def answer(request: ChargePointRequest) -> ChargePointAnswer:
        return asyncio.run_coroutine_threadsafe(system.answer(request), loop).result(10)

    async with server.serve_charge_points(
        system, "127.0.0.1", 0, data_folder=data_folder
    ) as listening:
        port = next(iter(listening.sockets)).getsockname()[1]
        with serve_charge_points(data_folder, answer):
            central = Central(system, port, data_folder, seconds)
            try:
                yield central
            finally:
                for points in central.opened:
                    points.close()


READ = (
    "power_w", "energy_kwh", "session_kwh", "current_a", "offered_a", "phases", "car_state",
    "connected", "soc",
)  # fmt: skip
WRITTEN = ("current_a", "phases", "power_w", "charging", "own")


def make_points(identity: str, data_folder: Path, **traits: Any) -> OcppPoints:
    """Return the points of a charge point; ``set_`` begins the name of what is commanded."""
    points: dict[str, dict[str, Any]] = {}
    for name in READ:
        points[name] = {"at": "state", "field": name, "unit": "kWh" if "kwh" in name else "W"}
    for name in WRITTEN:
        points[f"set_{name}"] = {
            "at": "state", "field": f"limit.{name}", "write_to": "limit", "persistence": "volatile",
        }  # fmt: skip
    profile = DeviceProfile.model_validate(
        {
            "profile": "tested",
            "title": "Tested",
            "kind": "meter",
            "covers": [{"brand": "Raw", "models": "One"}],
            "transport": {"kind": "ocpp"} | traits,
            "points": points,
            "reads": {"import_w": ["power_w"]},
            "evidence": [{"kind": "simulator", "source": "a test"}],
        }
    )
    transport = profile.transport
    assert isinstance(transport, OcppTransport)
    via = Via(profile=profile.profile, host=identity)
    return OcppPoints(profile, transport, via, data_folder)


def run_with_central(test: Callable[[Central], Awaitable[None]], data_folder: Path) -> None:
    """Run a test in a loop of its own, in which a central system listens."""

    async def with_central() -> None:
        async with central_system(data_folder) as central:
            await test(central)

    asyncio.run(with_central())


async def wait_until(condition: Callable[[], bool]) -> None:
    """Return once a condition holds."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while not condition():  # noqa: ASYNC110 - the peer has no event to wait for
            await asyncio.sleep(0.01)
