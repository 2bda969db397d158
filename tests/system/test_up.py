"""`luna up` as a process of its own: what it runs, and that nothing of it remains."""

import http.client
import itertools
import json
import os
import re
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import httpx
import pytest
from sqlalchemy import text

from luna.contracts.control import Override
from luna.drivers.device_server import serve_registers
from luna.drivers.profiles import load_profile
from luna.drivers.simulator import SimulatedInverter
from luna.energy.site import parse_site
from luna.energy.timeline import local_instant
from luna.platform.clock import CLOCK_VARIABLE, move_clock
from luna.platform.database import control, engine, migrate, sites
from luna.platform.embedded.account import is_locked
from luna.platform.embedded.supervisor import Servers, start
from luna.platform.queue import Client
from luna.platform.queue.services import SERVICES
from luna.platform.settings import Settings
from luna.platform.settings.stored import store_settings
from services.executor.release import RELEASE_SECONDS
from tests.support.browser.page import PATIENCE_MS
from tests.support.worker.processes import free_port

if TYPE_CHECKING:
    from playwright.sync_api import Browser

# All of Luna starts in it also on a machine that is busy with much else.
PATIENCE_SECONDS = 180
LOOK_SECONDS = 0.1
# As many callers keep an idle connection for five.
IDLE_SECONDS = 6
BERLIN = ZoneInfo("Europe/Berlin")
LIVED: dict[str, Any] = {
    "name": "lived",
    "timezone": BERLIN.key,
    "batteries": [
        {"name": "battery", "capacity_kwh": 10, "charge_limit_kw": 5, "discharge_limit_kw": 5}
    ],
    "vehicles": [{"name": "car", "capacity_kwh": 60, "charge_limit_kw": 11}],
    "tariff": {
        "import": {
            "kind": "time_of_use",
            "default": 0.35,
            "bands": [{"from": "23:00", "to": "05:00", "price": 0.18}],
        }
    },
}


# A source that is configured and not there: the process that listens runs.
BROKER_AWAY = {"LUNA_MQTT_URL": "mqtt://127.0.0.1:9"}


@pytest.fixture(scope="module")
def environment(kept_folder: Path) -> dict[str, str]:
    own = {
        "LUNA_DATA_FOLDER": str(kept_folder.parent),
        "LUNA_API_PORT": str(free_port()),
        "LUNA_WORKER_PROCESSES": "1",
        "LUNA_OUTSIDE_SERVICES": "false",
    }
    clock = kept_folder.parent / "clock"
    clock.write_text("0", encoding="ascii")
    own[CLOCK_VARIABLE] = str(clock)
    return {name: value for name, value in os.environ.items() if not name.startswith("LUNA_")} | own


@dataclass(frozen=True)
class RunningLuna:
    """A live `luna up`, and a connection over which it was asked once, at ``asked_at`` of the
    monotonic clock.
    """

    process: subprocess.Popen[bytes]
    connection: http.client.HTTPConnection
    asked_at: float


class SharedLuna:
    """The one `luna up` of the tests that do not end it, or end it last."""

    def __init__(self, environment: dict[str, str]) -> None:
        self._environment = environment
        self._running = ExitStack()
        self._luna: RunningLuna | None = None

    def start(self) -> RunningLuna:
        """Return the one that runs, or start it."""
        if self._luna is None or self._luna.process.poll() is not None:
            self.end()
            process = self._running.enter_context(luna_up(self._environment))
            connection = self._running.enter_context(
                closing(
                    http.client.HTTPConnection("127.0.0.1", int(self._environment["LUNA_API_PORT"]))
                )
            )
            assert is_live(connection)
            self._luna = RunningLuna(process, connection, time.monotonic())
        return self._luna

    def end(self) -> None:
        """End the one that runs, if any."""
        if self._luna is not None:
            self._luna.process.terminate()
            self._luna = None
        self._running.close()


@pytest.fixture(scope="module")
def shared(environment: dict[str, str]) -> Iterator[SharedLuna]:
    store_small_site(environment)
    shared = SharedLuna(environment)
    yield shared
    shared.end()


@pytest.fixture
def luna(shared: SharedLuna) -> RunningLuna:
    return shared.start()


def store_small_site(environment: dict[str, str]) -> None:
    with start(
        Path(environment["LUNA_DATA_FOLDER"]) / "servers", services=("postgres",)
    ) as servers:
        migrate.upgrade(servers.database_url)
        pool = engine.create(servers.database_url)
        with engine.unit_of_work(pool) as connection:
            sites.save(connection, parse_site({"name": "small", "timezone": "Europe/Berlin"}))
        pool.dispose()


def is_live(connection: http.client.HTTPConnection) -> bool:
    connection.request("GET", "/health/live")
    answer = connection.getresponse()
    return (answer.status, bool(answer.read())) == (200, True)


def command(*arguments: str) -> list[str]:
    return [sys.executable, "-c", "from services.cli.main import main; main()", *arguments]


@contextmanager
def luna_up(environment: dict[str, str]) -> Iterator[subprocess.Popen[bytes]]:
    """Luna with a live gateway; its worker may still be starting."""
    log = Path(environment["LUNA_DATA_FOLDER"]) / "up.log"
    with (
        log.open("w") as output,
        subprocess.Popen(command("up"), env=environment, stderr=output) as process,
    ):
        try:
            wait_until(
                lambda: ask(environment, "live") == httpx.codes.OK or process.poll() is not None
            )
            assert process.returncode is None, log.read_text()
            yield process
        except BaseException:
            process.terminate()
            raise


def ask(environment: dict[str, str], question: str) -> int:
    # A proxy of this machine's has no business between Luna and its test.
    # Plain HTTP, asked again and again.
    with httpx.Client(trust_env=False, verify=False) as client:  # noqa: S501
        try:
            return client.get(
                f"http://127.0.0.1:{environment['LUNA_API_PORT']}/health/{question}"
            ).status_code
        except httpx.TransportError:
            return 0


def wait_until(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not holds():
        assert time.monotonic() < deadline, "did not happen in time"
        time.sleep(LOOK_SECONDS)


def processes(environment: dict[str, str]) -> list[str]:
    """The processes of Luna that were started with this environment, and the servers that live."""
    folder = Path(environment["LUNA_DATA_FOLDER"])
    listing = subprocess.run(
        ["ps", "eaxww", "-o", "pid,command"], check=True, capture_output=True, text=True
    ).stdout
    servers = [lock.name for lock in folder.glob("servers/*s.lock") if is_locked(lock)]
    return servers + [line for line in listing.splitlines() if f"LUNA_DATA_FOLDER={folder}" in line]


def companions(environment: dict[str, str], module: str) -> list[int]:
    return [int(line.split()[0]) for line in processes(environment) if module in line]


def kill_and_await_others(environment: dict[str, str], *modules: str) -> None:
    """Kill a process of each module, and return when each has another one."""
    killed = {}
    for module in modules:
        # One that is configured starts once its file was read.
        wait_until(lambda: companions(environment, module) != [])  # noqa: B023
        killed[module] = companions(environment, module)[0]
    for process in killed.values():
        os.kill(process, signal.SIGKILL)
    for module, process in killed.items():
        wait_until(lambda: process not in companions(environment, module) != [])  # noqa: B023


def test_the_link_that_is_shown_opens_the_page_once_and_being_here_opens_nothing(
    luna: RunningLuna, environment: dict[str, str]
) -> None:
    folder = Path(environment["LUNA_DATA_FOLDER"])
    said = (folder / "up.log").read_text()
    kept = folder / "identity" / "link_address"
    # The log may be read by others, and is kept.
    assert "code=" not in said
    assert str(kept) in said.replace("\n", "")
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    link = kept.read_text().strip()
    address = f"http://127.0.0.1:{environment['LUNA_API_PORT']}"
    with httpx.Client(trust_env=False, timeout=PATIENCE_SECONDS, follow_redirects=True) as browser:
        assert browser.get(f"{address}/v1/sites").status_code == 401
        assert browser.get(link).status_code == 200
        assert browser.get(f"{address}/v1/sites").status_code == 200
        assert browser.get(link).status_code == 410
    said = subprocess.run(
        command("open", "--no-browser", "--json"),
        env=environment,
        check=True,
        capture_output=True,
        text=True,
    )
    with client_of(environment) as program:
        assert program.get("/v1/sites").status_code == 200
        opened = program.get(json.loads(said.stdout)["url"], headers={"Authorization": ""})
        assert opened.status_code == 303


def test_a_second_luna_in_the_folder_names_the_first_and_leaves_it_alone(
    luna: RunningLuna, environment: dict[str, str]
) -> None:
    before = processes(environment)
    other = environment | {"LUNA_API_PORT": str(free_port())}
    refused = subprocess.run(command("up"), env=other, check=False, capture_output=True, text=True)
    assert refused.returncode == 1
    assert (
        f"process {luna.process.pid} at http://127.0.0.1:{environment['LUNA_API_PORT']}"
        in refused.stderr
    )
    assert luna.process.poll() is None
    assert [
        line for line in processes(environment) if f"LUNA_API_PORT={other['LUNA_API_PORT']}" in line
    ] == []
    assert before != []


def test_a_site_whose_devices_luna_asks_itself_is_recorded_without_any_other_source(
    luna: RunningLuna, environment: dict[str, str]
) -> None:
    assert luna.process.poll() is None
    assert companions(environment, "services.ingest.live") == []
    with (
        serve_registers(
            SimulatedInverter(load_profile("sunspec_12x", Path("/nonexistent")))
        ) as server,
        client_of(environment) as client,
    ):
        sensor = f"profile:sunspec_12x@127.0.0.1:{server.port}#soc"
        client.post(
            "/v1/sites", json=LIVED | {"name": "asked", "input_sensors": {"battery_soc": sensor}}
        ).raise_for_status()
        wait_until(lambda: sensor in client.get("/v1/sites/asked/series").text)
        client.delete("/v1/sites/asked").raise_for_status()


def test_a_site_gets_its_forecast_and_can_be_planned_without_anybody_asking_for_one(
    luna: RunningLuna, environment: dict[str, str]
) -> None:
    wait_until(lambda: newest_forecast(environment, "small") > 0)
    with client_of(environment) as client:
        planned = client.post("/plan", json={"site_id": "small"})
    assert planned.status_code == httpx.codes.OK, planned.text
    assert len(planned.json()["slots"]) == 192


def test_a_connection_stays_open_for_longer_than_callers_keep_it(luna: RunningLuna) -> None:
    """Who keeps it for five seconds, as many do, would else send a request into a connection that
    is just being closed.
    """
    time.sleep(max(0.0, luna.asked_at + IDLE_SECONDS - time.monotonic()))
    first = luna.connection.sock
    assert is_live(luna.connection)
    # Where it had been closed, another one would have been opened.
    assert luna.connection.sock is first


def test_plans_are_made_and_files_stored_while_long_jobs_hold_every_process_of_jobs(
    luna: RunningLuna, environment: dict[str, str]
) -> None:
    with start(Path(environment["LUNA_DATA_FOLDER"]) / "servers") as servers:
        wait_until(lambda: ask(environment, "ready") == httpx.codes.OK)
        pool = engine.create(servers.database_url)
        with client_of(environment) as client, pool.begin() as connection:
            client.post(
                "/v1/sites", json={"name": "home", "timezone": "Europe/Berlin"}
            ).raise_for_status()
            # Behind what a new site and beat's start ask for: held up by the lock it would hold up
            # file and plan.
            wait_until(lambda: newest_forecast(environment, "home") > 0)
            store_file(client, minute=0)
            await_empty_queues(servers)
            # Whoever reads history waits until this ends; who reads it now, a training of a start
            # among them, may take longer than Luna waits for a lock.
            patience = text("SELECT set_config('lock_timeout', :seconds, true)")
            connection.execute(patience, {"seconds": f"{PATIENCE_SECONDS}s"})
            connection.execute(text("LOCK TABLE slot_observations IN ACCESS EXCLUSIVE MODE"))
            until = [f"2023-09-{day:02}T00:00:00Z" for day in range(1, 4)]
            jobs = [
                client.post(
                    "/v1/jobs",
                    json={
                        "task": "forecaster.model.train",
                        "request": {"site_id": "home", "until": each},
                    },
                ).json()
                for each in until
            ]
            # One process, for LUNA_WORKER_PROCESSES says so: one job holds it, the others wait.
            wait_until(
                lambda: (
                    [
                        client.get(f"/v1/jobs/{job['job_id']}").json()["status"] for job in jobs
                    ].count("running")
                    == 1
                )
            )
            request = json.loads(Path("examples/plan_request.json").read_text(encoding="utf-8"))
            # What else reads history waits for ten seconds, and a plan may wait behind it.
            wait_until(lambda: client.post("/plan", json=request).status_code == httpx.codes.OK)
            assert ask(environment, "ready") == httpx.codes.OK
            store_file(client, minute=1)
            ended = [client.delete(f"/v1/jobs/{job['job_id']}").json()["status"] for job in jobs]
        pool.dispose()
    assert ended == ["cancelled"] * 3
    assert luna.process.poll() is None


def test_the_next_day_is_planned_by_the_same_processes(
    luna: RunningLuna, environment: dict[str, str]
) -> None:
    morning = tomorrow_at_ten()
    with client_of(environment) as client:
        client.post("/v1/sites", json=LIVED).raise_for_status()
        wait_until(lambda: client.get("/v1/sites/lived/plans/latest").status_code == httpx.codes.OK)
        assert issued_at(client) < morning
        put_clock_forward(environment, to=morning)
        wait_until(lambda: issued_at(client) >= morning)
        assert issued_at(client) < morning + timedelta(minutes=5)
        # Nobody measured anything meanwhile, and nothing stands in its place.
        assert find_measured(client) == set()
        put_clock_right(environment)
        # What holds now is planned as before.
        wait_until(lambda: issued_at(client) < morning)


def test_a_source_that_a_page_stores_is_listened_to_without_a_restart(
    luna: RunningLuna, environment: dict[str, str]
) -> None:
    settings = Settings(data_folder=Path(environment["LUNA_DATA_FOLDER"]))
    # The one of the site whose devices were asked ends meanwhile.
    wait_until(lambda: companions(environment, "services.ingest.live") == [])
    wait_until(lambda: companions(environment, "services.executor") != [])
    [executor, *_] = companions(environment, "services.executor")
    store_settings(settings, {"mqtt_url": "mqtt://127.0.0.1:9"})
    wait_until(lambda: companions(environment, "services.ingest.live") != [])
    wait_until(lambda: executor not in companions(environment, "services.executor") != [])
    store_settings(settings, {"mqtt_url": None})
    wait_until(lambda: companions(environment, "services.ingest.live") == [])


# As a household sees it: what an open page and the assistant say.
@pytest.mark.long
def test_the_next_day_is_lived_by_the_same_processes(
    luna: RunningLuna, environment: dict[str, str], browser: "Browser"
) -> None:
    from playwright.sync_api import expect

    token = subprocess.run(
        command("open", "--no-browser", "--json"),
        env=environment,
        check=True,
        capture_output=True,
        text=True,
    )
    morning = tomorrow_at_ten()
    with client_of(environment) as client, closing(browser.new_context(locale="en-GB")) as context:
        client.post("/v1/sites", json=LIVED).raise_for_status()
        wait_until(lambda: client.get("/v1/sites/lived/plans/latest").status_code == httpx.codes.OK)
        context.set_default_timeout(PATIENCE_MS)
        home = context.new_page()
        planning = context.new_page()
        home.goto(json.loads(token.stdout)["url"])
        for page, name in ((home, "home"), (planning, "planning")):
            page.goto(f"{client.base_url}/ui/sites/lived/{name}")
        for day in planning.locator("input[name=days]").all():
            day.check()
        planning.fill("input[name=arrival]", "40")
        planning.get_by_role("button", name="Save departure").click()
        expect(home.locator(".hero .steps")).to_contain_text("Car charges")
        put_clock_forward(environment, to=morning)
        wait_until(lambda: issued_at(client) >= morning)
        planned = client.get("/v1/sites/lived/plans/latest").json()
        assert issued_at(client) < morning + timedelta(minutes=5)
        # What the open page says is of the new day, and so is what is asked.
        charged = [
            slot["start"] for slot in planned["slots"] if slot["vehicles"]["car"]["charge_kwh"] > 0
        ]
        begins = datetime.fromisoformat(charged[0]).astimezone(BERLIN)
        expect(home.locator(".hero .steps li", has_text="Car charges")).to_contain_text(
            f"{begins:%H:%M}"
        )
        expect(home.locator(".hero")).not_to_contain_text("No valid plan")
        answer = client.post(
            "/v1/tools/house_now", json={"site_id": "lived", "arguments": {}}
        ).json()
        assert (
            f"Car takes {sum_kwh(planned):.1f} kWh from {begins:%a %-d %b}, {begins:%H:%M}"
            in answer["text"].replace("\u00a0", " ")
        )
        put_clock_right(environment)
        wait_until(lambda: issued_at(client) < morning)


# The last that uses the one that the tests before share: the next one kills it.
def test_everything_runs_and_what_dies_comes_back(
    luna: RunningLuna, environment: dict[str, str]
) -> None:
    wait_until(lambda: ask(environment, "ready") == httpx.codes.OK)
    kill_and_await_others(
        environment, "luna.platform.queue.worker", "luna.platform.queue.beat", "services.executor"
    )
    # What they are forked from is not needed for it.
    for server in companions(environment, "luna.platform.supervision.fork_server"):
        os.kill(server, signal.SIGKILL)
    kill_and_await_others(environment, "luna.platform.queue.worker", "services.executor")
    assert companions(environment, "services.ingest.live") == []
    assert luna.process.poll() is None


def test_after_a_kill_the_next_start_listens_to_a_configured_source_and_ctrl_c_ends_it_all(
    shared: SharedLuna, luna: RunningLuna, environment: dict[str, str]
) -> None:
    luna.process.kill()
    shared.end()
    inverter = SimulatedInverter(load_profile("sungrow_sh", Path("/nonexistent")))
    with luna_up(environment | BROKER_AWAY) as again, serve_registers(inverter) as server:
        wait_until(lambda: ask(environment, "ready") == httpx.codes.OK)
        kill_and_await_others(environment, "services.ingest.live")
        have_charged(environment, server.port)
        wait_until(lambda: inverter.mode == "charge")
        told_at = time.monotonic()
        again.send_signal(signal.SIGINT)
        wait_until(lambda: inverter.mode == "self_consumption")
        assert time.monotonic() - told_at < RELEASE_SECONDS
        assert again.wait(PATIENCE_SECONDS) == 0
    assert processes(environment) == []


@pytest.mark.long
def test_a_start_that_is_ended_at_once_leaves_nothing(environment: dict[str, str]) -> None:
    with luna_up(environment | BROKER_AWAY) as luna:
        # It listens, and its worker still starts.
        wait_until(lambda: companions(environment, "services.ingest.live") != [])
        luna.send_signal(signal.SIGTERM)
    wait_until(lambda: processes(environment) == [])


def have_charged(environment: dict[str, str], port: int) -> None:
    """Store an armed site whose owner has the battery at this port charge."""
    via = {"profile": "sungrow_sh", "host": "127.0.0.1", "port": port}
    section = {"by": "profile", "batteries": [{"battery": "battery", "via": via}]}
    site = parse_site(LIVED | {"name": "charged", "vehicles": [], "control": section})
    now = datetime.now(UTC)
    with start(Path(environment["LUNA_DATA_FOLDER"]) / "servers") as servers:
        pool = engine.create(servers.database_url)
        with engine.unit_of_work(pool) as connection:
            sites.save(connection, site)
            control.arm(connection, site.name, at=now, by="owner")
            control.override(
                connection,
                site.name,
                Override(mode="charge", power_kw=2, until=now + timedelta(hours=1)),
            )
        pool.dispose()


def client_of(environment: dict[str, str]) -> httpx.Client:
    token = (Path(environment["LUNA_DATA_FOLDER"]) / "identity" / "owner_token").read_text(
        encoding="ascii"
    )
    headers = {"Authorization": f"Bearer {token}"}
    return httpx.Client(
        base_url=f"http://127.0.0.1:{environment['LUNA_API_PORT']}",
        headers=headers,
        trust_env=False,
        timeout=PATIENCE_SECONDS,
    )


def tomorrow_at_ten() -> datetime:
    """Return a morning, whatever the hour is now: the cheap hours, in which the car charges, are
    still to come.
    """
    return local_instant(datetime.now(BERLIN).date() + timedelta(days=1), "10:00", BERLIN)


def put_clock_forward(environment: dict[str, str], *, to: datetime) -> None:
    move_clock(Path(environment[CLOCK_VARIABLE]), to - datetime.now(UTC))


def put_clock_right(environment: dict[str, str]) -> None:
    move_clock(Path(environment[CLOCK_VARIABLE]), timedelta())


def find_measured(client: httpx.Client) -> set[str]:
    """Return which series of measurements the lived site has."""
    listed = client.get("/v1/sites/lived/series", params={"limit": 500}).json()["series"]
    return {each["series"] for each in listed} & {
        "load_kwh",
        "import_kwh",
        "export_kwh",
        "vehicle_kwh",
        "soc",
    }


def issued_at(client: httpx.Client) -> datetime:
    return datetime.fromisoformat(client.get("/v1/sites/lived/plans/latest").json()["issued_at"])


def sum_kwh(plan: dict[str, Any]) -> float:
    """What the car is charged with in its next session: until it is away."""
    there = [slot["vehicles"]["car"] for slot in plan["slots"]]
    first = next(place for place, flow in enumerate(there) if flow["reason"])
    session = itertools.takewhile(lambda flow: flow["reason"] is not None, there[first:])
    return sum(flow["charge_kwh"] for flow in session)


def await_empty_queues(servers: Servers) -> None:
    """Wait until what beat asks for at a start is done: held up by a lock, each of a dozen tasks
    would hold the process of jobs for ten seconds.
    """
    with closing(Client(servers.redis_url)) as queue:
        wait_until(lambda: all(queue.tasks.waiting(service) == 0 for service in SERVICES))


def store_file(client: httpx.Client, *, minute: int) -> None:
    """Hand over a reading of a minute, and wait until it is stored."""
    file = f"instant,sensor,value,unit\n2020-01-01T00:{minute:02}:00Z,sensor.load,1,kWh\n"
    job = client.post(
        "/v1/sites/home/uploads", files={"file": ("minute.csv", file)}, data={"kind": "readings"}
    ).json()
    wait_until(lambda: client.get(f"/v1/jobs/{job['job_id']}").json()["status"] == "done")


def newest_forecast(environment: dict[str, str], site: str) -> float:
    """Return when a site's newest forecast was issued, Unix time.

    0 where none was, or nobody says so yet.
    """
    with httpx.Client(trust_env=False, timeout=PATIENCE_SECONDS) as client:
        metrics = client.get(f"http://127.0.0.1:{environment['LUNA_API_PORT']}/metrics").text
    found = re.search(
        rf'^luna_forecaster_newest_forecast_seconds{{site="{site}"}} (\S+)$', metrics, re.MULTILINE
    )
    return float(found[1]) if found else 0.0
