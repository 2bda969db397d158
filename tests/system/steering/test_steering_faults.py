"""What the steering process does beside a planner, alone, on a full disk, and killed.

Its own figures say whether a cycle came late.
"""

import multiprocessing
import os
import subprocess
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, closing, contextmanager, suppress
from multiprocessing.synchronize import Event
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from luna.contracts.control import BatterySetpoint, VehicleSetpoint
from luna.contracts.steering import DeviceTarget, SteeringTarget
from luna.drivers.device_server import serve_registers
from luna.drivers.profiles import load_profile
from luna.drivers.simulator import SimulatedInverter
from luna.energy.devices.battery import BATTERIES
from luna.energy.devices.switched import LoadSetpoint
from luna.house.steering_channel import SteeringClient
from luna.house.steering_targets import TargetFolder
from services.planner.milp.planner import plan_by_model
from services.planner.milp.solver import Solver
from tests.integration.executor.test_execution_profile import PROFILE
from tests.integration.executor.test_execution_profile import describe as describe_profiled
from tests.support.control.executor import BATTERY
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
from tests.support.control.steering_process import (
    CHARGER,
    ask,
    compose_target,
    count_cycles,
    measure,
    read_car_kw,
)
from tests.support.planning.problems import draw_problem, limit_time
from tests.support.worker.processes import free_port, luna_process
from tests.support.worker.workers import Worker, kill, wait_for

SITE = "steered"
HEATER = "load:boiler"
NOWHERE = {
    "database_url": "postgresql://luna@127.0.0.1:1/luna",
    "redis_url": "redis://127.0.0.1:1/0",
}
# Of a loop that keeps a limit.
REACTION_SECONDS = 10.0
BACK_SECONDS = 10.0
CYCLES = 5
CHARGE = DeviceTarget(setpoint=VehicleSetpoint(mode="charge", charge_kw=11.0))


@pytest.fixture
def inverter() -> Iterator[Inverter]:
    with serve(Inverter({CAR: "off", CURRENT: "6", BOILER: "off", PV: "100"})) as inverter:
        yield inverter


@pytest.fixture
def port() -> int:
    return free_port()


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 256 KB, which root alone can mount."""
    if os.geteuid() != 0:
        pytest.skip("a disk of its own can be mounted by root alone")
    folder = tmp_path / "disk"
    folder.mkdir()
    subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=256k,mode=700", "tmpfs", folder], check=True
    )
    yield folder
    subprocess.run(["umount", "-l", folder], check=True)


def start(
    folder: Path, inverter: Inverter, port: int, **settings: str
) -> AbstractContextManager[Worker]:
    return luna_process(
        "services.steering",
        "--health-port",
        str(port),
        data_folder=str(folder),
        home_assistant_url=inverter.url,
        home_assistant_token=TOKEN,
        **settings,
    )


def describe_site(**parts: Any) -> dict[str, Any]:
    section = describe_devices() | {"steering": True}
    return {"name": SITE, "timezone": "Europe/Berlin", "control": section} | DEVICES | parts


def heat(mode: str) -> SteeringTarget:
    setpoint = LoadSetpoint.model_validate({"mode": mode})
    target = DeviceTarget(setpoint=setpoint)
    return compose_target(describe_site(), HEATER, "boiler", target, name=f"heater {mode}")


def live(client: SteeringClient, *, house_kw: float = 0.5) -> float:
    """Let the car take what it was told; return the connection's import."""
    state = measure(client, SITE, house_kw=house_kw)
    car_kw = read_car_kw(state)
    measure(client, SITE, house_kw=house_kw, car_kw=car_kw)
    return house_kw + car_kw


def is_in(client: SteeringClient, inverter: Inverter, entity: str, value: str) -> bool:
    """Let the meters speak; return whether an entity has a value."""
    live(client)
    return inverter.states[entity] == value


def await_cycles(client: SteeringClient, port: int) -> int:
    """Wait for further cycles, and return how many came late since the start."""
    begun, _ = count_cycles(port)

    def is_over() -> bool:
        live(client)
        return count_cycles(port)[0] >= begun + CYCLES

    wait_for(is_over)
    return count_cycles(port)[1]


def solve_hard_problem(begun: Event) -> None:
    problem = limit_time(draw_problem(np.random.default_rng(7), batteries=3, slots=192), 60.0)
    begun.set()
    while True:
        plan_by_model(problem, Solver())


@contextmanager
def busy_planners() -> Iterator[None]:
    """Have a planner solve on each of the machine's processors."""
    context = multiprocessing.get_context("spawn")
    begun = [context.Event() for _ in range(os.cpu_count() or 1)]
    planners = [
        context.Process(target=solve_hard_problem, args=(event,), daemon=True) for event in begun
    ]
    for planner in planners:
        planner.start()
    try:
        for event in begun:
            assert event.wait(60)
        yield
        assert all(planner.is_alive() for planner in planners)
    finally:
        for planner in planners:
            planner.kill()
            planner.join()


def test_a_connection_is_kept_while_the_planner_solves_and_all_others_are_away(
    tmp_path: Path, inverter: Inverter, port: int
) -> None:
    site = describe_site(grid={"import_limit_kw": 17.0})
    TargetFolder(tmp_path).store(compose_target(site, CHARGER, "car", CHARGE))
    with (
        start(tmp_path, inverter, port, **NOWHERE),
        closing(SteeringClient(tmp_path, patience_s=5.0)) as client,
        busy_planners(),
    ):
        wait_for(lambda: is_in(client, inverter, CURRENT, "15"))
        late = count_cycles(port)[1]
        # An oven and a heater start: 6 kW are left.
        began = time.monotonic()
        wait_for(lambda: live(client, house_kw=11.0) <= 17.0 and inverter.states[CURRENT] != "15")
        assert time.monotonic() - began < REACTION_SECONDS
        assert inverter.states[CAR] == "on"
        assert await_cycles(client, port) == late


def fill(disk: Path) -> Path:
    filler = disk / "filler"
    with suppress(OSError), filler.open("wb", buffering=0) as file:
        while file.write(b"x" * 4096):
            pass
    return filler


def test_a_full_disk_costs_no_cycle_and_what_it_refused_is_kept_later(
    small_disk: Path, inverter: Inverter, port: int
) -> None:
    with closing(SteeringClient(small_disk, patience_s=5.0)) as client:
        with start(small_disk, inverter, port) as process:
            wait_for(lambda: ask(client, heat("on")) is not None)
            wait_for(lambda: is_in(client, inverter, BOILER, "on"))
            filler = fill(small_disk)
            assert ask(client, heat("off")) is not None
            wait_for(lambda: is_in(client, inverter, BOILER, "off"))
            assert await_cycles(client, port) == 0
            filler.unlink()
            # The executor hands the same target over again.
            assert ask(client, heat("off")) is not None
            kill(process)
            process.wait(timeout=60)
        inverter.states[BOILER] = "on"
        with start(small_disk, inverter, port):
            wait_for(lambda: is_in(client, inverter, BOILER, "off"))


class Hurried:
    """Seconds that a test can let pass at once."""

    def __init__(self) -> None:
        self.ahead_s = 0.0

    def __call__(self) -> float:
        return time.monotonic() + self.ahead_s


def test_killed_it_leaves_a_battery_to_its_profile_and_is_soon_back(
    tmp_path: Path, inverter: Inverter, port: int
) -> None:
    seconds = Hurried()
    battery = SimulatedInverter(load_profile(PROFILE, Path("/nonexistent")), now=seconds)
    charge = DeviceTarget(setpoint=BatterySetpoint(mode="charge", power_kw=3, target_soc=0.8))
    with (
        serve_registers(battery) as registers,
        closing(SteeringClient(tmp_path, patience_s=5.0)) as client,
    ):
        section = describe_profiled(registers.port) | {"steering": True}
        site = {"name": SITE, "timezone": "Europe/Berlin", "control": section}
        site |= {"batteries": [BATTERY], "pv": [{"peak_kw": 8}]}
        target = compose_target(site, BATTERIES, "battery", charge)

        def charges() -> bool:
            measure(client, SITE)
            return battery.mode == "charge"

        with start(tmp_path, inverter, port) as process:
            wait_for(lambda: ask(client, target) is not None)
            wait_for(charges)
            kill(process)
            process.wait(timeout=60)
        battery.look()
        assert battery.mode == "charge"
        reverts = battery.profile.reverts
        assert reverts is not None
        assert reverts.after_s is not None
        seconds.ahead_s += reverts.after_s
        battery.look()
        assert battery.mode == "self_consumption"
        began = time.monotonic()
        with start(tmp_path, inverter, port):
            wait_for(charges)
            assert time.monotonic() - began < BACK_SECONDS
