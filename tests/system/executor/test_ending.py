"""The executor's process ended in order, or beside another: devices are handed back, and one
executor at a time drives a site.
"""

import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy import Engine

from luna.drivers.device_server import serve_registers
from luna.drivers.profiles import load_profile
from luna.drivers.simulator import SimulatedInverter
from luna.energy.site import Site
from luna.platform.database import control, executor_locks
from luna.platform.database.engine import unit_of_work
from services.executor.release import RELEASE_SECONDS
from tests.support.worker.workers import kill, wait_for
from tests.system.executor.test_device_drills import charging, executor

PROFILE = "sungrow_sh"


@pytest.fixture
def inverter() -> SimulatedInverter:
    return SimulatedInverter(load_profile(PROFILE, Path("/nonexistent")))


@contextmanager
def armed_home(database: Engine, inverter: SimulatedInverter) -> Iterator[Site]:
    """An armed site with a plan that has its battery charge."""
    with (
        serve_registers(inverter) as server,
        charging(database, inverter.profile, server.port) as site,
    ):
        yield site


def holder(database: Engine, site: Site) -> str:
    with unit_of_work(database) as connection:
        found = executor_locks.read_executors(connection, site.name).holder
    return "" if found is None else found.name.rpartition(":")[2]


def is_armed(database: Engine, site: Site) -> bool:
    with unit_of_work(database) as connection:
        return control.load(connection, site.name).armed_at is not None


@pytest.mark.parametrize("kind", [signal.SIGINT, signal.SIGTERM], ids=["ctrl-c", "terminate"])
def test_one_that_is_told_to_end_hands_devices_back_and_the_next_goes_on(
    database: Engine,
    database_url: str,
    redis_url: str,
    tmp_path: Path,
    inverter: SimulatedInverter,
    kind: signal.Signals,
) -> None:
    with armed_home(database, inverter) as site:
        with executor(database_url, redis_url, tmp_path) as process:
            wait_for(lambda: inverter.mode == "charge")
            told_at = time.monotonic()
            process.send_signal(kind)
            wait_for(lambda: inverter.mode == "self_consumption")
            assert time.monotonic() - told_at < RELEASE_SECONDS
            assert process.wait(60) == 0
        assert is_armed(database, site)
        assert holder(database, site) == ""
        with executor(database_url, redis_url, tmp_path):
            wait_for(lambda: inverter.mode == "charge")


def test_a_second_one_waits_and_takes_over_when_the_first_dies(
    database: Engine, database_url: str, redis_url: str, tmp_path: Path, inverter: SimulatedInverter
) -> None:
    with (
        armed_home(database, inverter) as site,
        executor(database_url, redis_url, tmp_path) as first,
    ):
        wait_for(lambda: holder(database, site) == str(first.pid))
        with executor(database_url, redis_url, tmp_path) as second:
            wait_for(lambda: inverter.mode == "charge")
            assert holder(database, site) == str(first.pid)
            kill(first)
            wait_for(lambda: holder(database, site) == str(second.pid))
