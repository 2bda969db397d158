"""The executor's process killed while it has a battery charge: what the simulator of each product
does then, and after the process is back.
"""

import itertools
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import Engine

from luna.contracts.control import BatterySetpoint
from luna.drivers.device_server import serve_registers
from luna.drivers.profile import DeviceProfile
from luna.drivers.profiles import list_profiles, load_profile
from luna.drivers.simulator import SimulatedInverter
from luna.energy.site import Site
from luna.energy.timeline import SLOT, floor_to
from luna.platform.database import control, device_trials, sites
from luna.platform.database.engine import unit_of_work
from luna.words.pages import page_words
from services.api.pages.planning_view import list_unattended
from services.executor.delivery import VERIFY
from tests.integration.executor.test_safe_commands import write_flash_profile
from tests.support.database.site import stored_site
from tests.support.planning.plans import describe_plan, store_plan
from tests.support.suite.depth import LONG
from tests.support.worker.processes import Process, luna_process
from tests.support.worker.workers import kill, wait_for

BATTERY = {"capacity_kwh": 10, "charge_limit_kw": 5, "discharge_limit_kw": 5}
OVER_MODBUS = {"modbus_tcp", "modbus_rtu_tcp"}
DAY_S = 86_400
_NUMBERS = itertools.count()


class Hurried:
    """Seconds that pass as always, and as many more as a test has jumped over."""

    def __init__(self) -> None:
        self.jumped = 0.0

    def __call__(self) -> float:
        return time.monotonic() + self.jumped


@pytest.fixture
def data_folder(tmp_path: Path) -> Path:
    write_flash_profile(tmp_path)
    return tmp_path


@contextmanager
def charging(database: Engine, profile: DeviceProfile, port: int) -> Iterator[Site]:
    """A stored site that is armed, with a plan that has its battery charge."""
    name = f"drilled-{next(_NUMBERS)}-{time.time_ns()}"
    section = {
        "by": "profile",
        "batteries": [
            {
                "battery": "battery",
                "via": {"profile": profile.profile, "host": "127.0.0.1", "port": port},
            }
        ],
    }
    with stored_site(database, name=name, timezone="UTC", batteries=[BATTERY], control=section):
        now = datetime.now(UTC)
        plan = describe_plan(
            f"{name}-charge", floor_to(now, SLOT), [BatterySetpoint(mode="charge", power_kw=1)] * 8
        )
        with unit_of_work(database) as connection:
            control.arm(connection, name, at=now, by="owner")
            store_plan(connection, name, plan.model_copy(update={"issued_at": now}))
            site = sites.load(connection, name)
            assert site.control is not None
            for via in site.control.vias.values():
                # A product that nobody has verified is commanded after a trial alone.
                device_trials.remember(connection, via, at=now)
        yield site


@contextmanager
def executor(database_url: str, redis_url: str, data_folder: Path) -> Iterator[Process]:
    own = {"database_url": database_url, "redis_url": redis_url, "data_folder": str(data_folder)}
    with luna_process("services.executor", **own) as process:
        yield process


def list_drilled(folder: Path) -> list[DeviceProfile]:
    """Return the inverters over Modbus: in a short run one of each way of falling back."""
    inverters = [
        profile
        for profile in list_profiles(folder)
        if profile.kind == "battery_inverter"
        and profile.modes
        and profile.transport.kind in OVER_MODBUS
    ]
    if LONG:
        return inverters
    first = {fall_back(profile): profile for profile in reversed(inverters)}
    return [load_profile("flash", folder), *first.values()]


def fall_back(profile: DeviceProfile) -> tuple[bool, bool, bool]:
    """Return whether it falls back, whether from all of its modes, and whether it has a
    heartbeat.
    """
    reverts = profile.reverts
    if reverts is None:
        return False, False, False
    return reverts.after_s is not None, not reverts.stays_in, reverts.heartbeat is not None


def test_each_product_does_what_its_profile_says_when_the_executor_is_killed(
    subtests: pytest.Subtests,
    database: Engine,
    database_url: str,
    redis_url: str,
    data_folder: Path,
) -> None:
    inverters = list_drilled(data_folder)
    assert "flash" in {profile.profile for profile in inverters}
    assert len(inverters) >= 5

    drills: list[tuple[DeviceProfile, Hurried, SimulatedInverter]] = []
    # All at once: each start of the executor takes seconds.
    with ExitStack() as homes:
        for profile in inverters:
            clock = Hurried()
            inverter = SimulatedInverter(profile, now=clock)
            server = homes.enter_context(serve_registers(inverter))
            site = homes.enter_context(charging(database, profile, server.port))
            with subtests.test(profile=profile.profile):
                assert is_named_before_arming(site, data_folder) == (fall_back_s(profile) is None)
            drills.append((profile, clock, inverter))
        with executor(database_url, redis_url, data_folder) as process:
            for _, _, inverter in drills:
                wait_for(lambda: inverter.mode == "charge")  # noqa: B023
            kill(process)
        for profile, clock, inverter in drills:
            after_s = fall_back_s(profile)
            with subtests.test(profile=profile.profile):
                clock.jumped += after_s or DAY_S
                inverter.look()
                assert inverter.mode == ("self_consumption" if after_s else "charge")


def fall_back_s(profile: DeviceProfile) -> float | None:
    """Return after how many seconds without a command a product does what it does by itself."""
    return profile.reverts.after_s if profile.reverts else None


def is_named_before_arming(site: Site, data_folder: Path) -> bool:
    """Return whether the page names the battery as one that keeps its last command."""
    words = page_words("planning", "en")
    keeps = words("unattended_keeps", device="battery")
    return keeps in list_unattended(site, data_folder, words=words, language="en")


# It waits half a minute for a command to be read back; in a short run
# tests/integration/executor/test_execution_profile.py begins an executor anew.
@pytest.mark.long
def test_whoever_comes_after_finds_the_command_of_the_slot_and_has_it_done(
    database: Engine, database_url: str, redis_url: str, data_folder: Path
) -> None:
    inverter = SimulatedInverter(load_profile("sunspec_12x", data_folder))
    with serve_registers(inverter) as server, charging(database, inverter.profile, server.port):
        with executor(database_url, redis_url, data_folder) as process:
            wait_for(lambda: inverter.mode == "charge")
            kill(process)
        # The device was without power as well.
        inverter.reboot()
        with executor(database_url, redis_url, data_folder):
            # What was confirmed is read back once a minute.
            wait_for(lambda: inverter.mode == "charge", 2 * VERIFY.total_seconds())
