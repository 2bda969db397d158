"""The process that acts, killed in the middle of a command, and beside a solve that keeps the
planner busy.
"""

import itertools
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from datetime import UTC, datetime, timedelta

import httpx
import pytest
import redis
from sqlalchemy import Engine

from luna.contracts import PlanRequest
from luna.contracts.control import BatterySetpoint
from luna.contracts.message import interactive_queue_of
from luna.energy.timeline import SLOT, floor_to
from luna.platform.database import control
from luna.platform.database.engine import unit_of_work
from luna.platform.queue import Client
from luna.platform.queue.app import PREFIX
from services.executor.__main__ import ask_plan
from services.executor.watch import AWAITED_LOOK, LOOK
from services.executor.watch import wait_for as pause_before
from tests.support.control.inverters import MODE, POWER, SOC, TOKEN, Inverter, describe, serve
from tests.support.database.site import stored_site
from tests.support.planning.plans import describe_plan, store_plan
from tests.support.worker.processes import Process, free_port, luna_process, says
from tests.support.worker.workers import kill, wait_for

BATTERY = {"capacity_kwh": 10, "charge_limit_kw": 5, "discharge_limit_kw": 5}
_NUMBERS = itertools.count()
Start = Callable[[], tuple[Process, int]]


@pytest.fixture
def inverter() -> Iterator[Inverter]:
    with serve(Inverter({SOC: "50", MODE: "Self Use", POWER: "0"})) as inverter:
        yield inverter


@pytest.fixture
def home(database: Engine) -> Iterator[str]:
    """A stored site that is armed."""
    name = f"acted-{next(_NUMBERS)}-{time.time_ns()}"
    with stored_site(database, name=name, timezone="UTC", batteries=[BATTERY], control=describe()):
        with unit_of_work(database) as connection:
            control.arm(connection, name, at=datetime.now(UTC), by="owner")
        yield name


@pytest.fixture
def start(database_url: str, redis_url: str, inverter: Inverter) -> Iterator[Start]:
    """Starts the process and returns it with the port of its health, once it lives."""
    with ExitStack() as stack:
        own = {
            "database_url": database_url,
            "redis_url": redis_url,
            "home_assistant_url": inverter.url,
            "home_assistant_token": TOKEN,
        }

        def run() -> tuple[Process, int]:
            port = free_port()
            process = stack.enter_context(
                luna_process("services.executor", "--health-port", str(port), **own)
            )
            wait_for(lambda: says(port, "live", 200))
            return process, port

        yield run


def plan(database: Engine, home: str, mode: str) -> None:
    """Store a plan of one mode, issued now."""
    now = datetime.now(UTC)
    told = describe_plan(
        f"{home}-{mode}",
        floor_to(now, SLOT),
        [BatterySetpoint.model_validate({"mode": mode, "power_kw": 1})] * 8,
    )
    with unit_of_work(database) as connection:
        store_plan(connection, home, told.model_copy(update={"issued_at": now}))


def test_a_kill_in_the_middle_of_a_command_brings_the_same_again_and_nothing_else(
    database: Engine, home: str, inverter: Inverter, start: Start
) -> None:
    plan(database, home, "charge")
    inverter.faults.extend(["", "wait"])
    process, _ = start()
    wait_for(lambda: inverter.modes != [])
    kill(process)
    plan(database, home, "export")
    inverter.go_on.set()
    start()
    # A command that came through confirms itself; the decision of a slot stays, whatever is planned
    # since.
    wait_for(lambda: confirmed(database, home))
    told = {
        (floor_to(datetime.fromtimestamp(at, UTC), SLOT), data["option"])
        for at, _, data in inverter.calls
        if "option" in data
    }
    assert len(told) == len({slot for slot, _ in told})


def test_the_process_is_ready_shows_what_it_did_and_ends_when_told(
    database: Engine, home: str, start: Start, redis_url: str
) -> None:
    plan(database, home, "charge")
    process, port = start()
    wait_for(lambda: confirmed(database, home))
    assert says(port, "ready", 200)
    with httpx.Client(trust_env=False) as client:
        metrics = client.get(f"http://127.0.0.1:{port}/metrics").text
    assert f'luna_executor_commands_total{{outcome="confirmed",site_id="{home}"}}' in metrics
    assert f'luna_executor_site_armed{{site_id="{home}"}} 1.0' in metrics
    with closing(Client(redis_url)) as client:
        wait_for(lambda: told(client, home) == [("batteries", "planned", False)])
        process.terminate()
        assert process.wait(60) == 0
        assert client.heartbeats.executor() is None


def told(client: Client, home: str) -> list[tuple[str, str | None, bool]]:
    """What the executor says of its devices: why they were told what they were, and whether they do
    what they do by themselves.
    """
    sign = client.heartbeats.executor()
    sites = {site.site: site.devices for site in sign.sites} if sign else {}
    return [(device.device, device.reason, device.fallback) for device in sites.get(home, ())]


def confirmed(database: Engine, home: str) -> bool:
    with unit_of_work(database) as connection:
        return [
            entry for entry in control.read_log(connection, home, limit=10) if entry.confirmed
        ] != []


@pytest.mark.parametrize(
    ("left", "awaited", "pause"),
    [
        (timedelta(minutes=5), False, LOOK),
        (timedelta(minutes=5), True, AWAITED_LOOK),
        (timedelta(milliseconds=20), False, timedelta(milliseconds=20)),
    ],
    ids=["usually", "awaited", "just before a slot"],
)
def test_no_pause_reaches_beyond_the_start_of_a_slot(
    left: timedelta, awaited: bool, pause: timedelta
) -> None:
    assert pause_before(datetime(2024, 2, 1, 12, tzinfo=UTC) - left, awaited=awaited) == pause


def test_a_plan_that_it_asks_for_stands_behind_no_job(quiet_queue: str) -> None:
    with closing(Client(quiet_queue)) as client, redis.Redis.from_url(quiet_queue) as looker:
        ask_plan(client, "home")
        assert looker.llen(PREFIX + interactive_queue_of(PlanRequest.queue())) == 1
