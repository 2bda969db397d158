"""Several nodes under load: how much each brings, and that one that dies, is cut off or stands still loses nothing and doubles nothing.

Node 0 has database, queue, gateway and beat; each of the others, a network namespace with half a processor, the workers of planner and ingest. All that the
gateway acknowledged stands in a ledger, on the disk before the next request, and is held against the database at the end.
Run as ``python -m bench.nodes``; needs root and the program ``ip``. Files that are handed over lie in one folder that all nodes see.
"""

import json
import os
import secrets
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import Any

import httpx
import numpy as np
import psycopg
import redis
from sqlalchemy import text

from bench.background import BackgroundThreads
from bench.namespaces import Network, Node, network
from bench.stack import owner_headers
from luna.energy.observations import Observations
from luna.energy.outlook import Forecast, Quantiles
from luna.energy.site import parse_site
from luna.energy.timeline import SLOT, Timeline, floor_to
from luna.platform.clock import SystemClock
from luna.platform.database import engine as engines
from luna.platform.database import forecasts, observations, sites
from luna.platform.database.engine import unit_of_work
from luna.platform.database.forecast_activations import DEFAULT_VERSION
from luna.platform.database.migrate import upgrade
from luna.platform.embedded import Addresses
from luna.platform.embedded.account import account_for, make_reachable, open_lock, take
from luna.platform.embedded.binaries import find_postgres, find_redis
from luna.platform.embedded.process import Launch, end, spawn
from luna.platform.embedded.replacement import CLUSTER
from luna.platform.embedded.servers import Postgres, Redis
from luna.platform.embedded.state import HOST, choose_port
from luna.platform.telemetry import configure_logging

SITE = "shared"
SEED = 1
# The first days of the windows that replays are asked for, and how long a window is; before all of them the days that files bring, one each.
REPLAYED_DAYS, DAYS_EACH = 12, 3
FIRST_DAY = datetime(2024, 3, 1, tzinfo=UTC)
FIRST_FILE_DAY = datetime(2020, 1, 1, tzinfo=UTC)
PORTS = {"postgres": 5432, "redis": 6379}
# A node's workers: one for what somebody waits for, one for jobs.
WORKERS = (("planner", "--only", "interactive", "--processes", "1"), ("planner", "ingest", "--only", "jobs", "--processes", "2"))
START_SECONDS, END_SECONDS = 180.0, 600.0
CPUS = 0.5
PLANNERS, MOST_OPEN = 4, 12
# Each end of a job, noted by the database itself as it is committed.
AUDIT = """
CREATE TABLE bench_ends (job_id text, status text, attempts integer);
CREATE FUNCTION note_end() RETURNS trigger LANGUAGE plpgsql AS
  'BEGIN INSERT INTO bench_ends VALUES (NEW.job_id, NEW.status, NEW.attempts); RETURN NULL; END';
CREATE TRIGGER bench_ends AFTER UPDATE OF status ON jobs FOR EACH ROW
  WHEN (NEW.status IN ('done', 'failed', 'dead')) EXECUTE FUNCTION note_end();
"""
RUNNING_ON = """
SELECT job_id, attempts FROM jobs JOIN pg_locks ON locktype = 'advisory' AND granted AND objsubid = 1
  AND (classid::bigint << 32 | objid::bigint) = hashtextextended(job_id, 0) JOIN pg_stat_activity USING (pid)
WHERE status = 'running' AND client_addr = %s
"""


def measure(*, full: bool = False) -> dict[str, Any]:
    """Return plans and replays by number of nodes, what became of the work of a node that was killed, cut off or paused, and what the ledger says.

    Raises:
        MachineError: this machine or account cannot have network namespaces.
    """
    configure_logging("bench", level="WARNING")
    with cluster(3 if full else 2) as there:
        rates: dict[str, Any] = {}
        for count, node in enumerate(there.nodes, start=1):
            there.start(node)
            there.wait_ready(count * len(WORKERS))
            # Each process has loaded what it needs, and worked once.
            measure_rates(there, seconds=4 * count)
            # Small enough that this machine is none of them's limit.
            node.limit(CPUS)
            rates[str(count)] = measure_rates(there, seconds=15 if full else 4)
        with Callers(there):
            faults = {"killed": kill(there, there.nodes[-1])}
            if full:
                faults["cut"] = disturb(there, there.nodes[0], Node.cut, Node.mend, seconds=20)
                faults["cut_for_long"] = disturb(there, there.nodes[0], Node.cut, Node.mend, seconds=90)
                faults["paused"] = disturb(there, there.nodes[1], Node.pause, Node.resume, seconds=40)
        return {"rates": rates, "faults": faults, "ledger": there.settle()}


@dataclass
class Ledger:
    """What was acknowledged, a line each, on the disk before anything else is asked for."""

    path: Path
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def note(self, kind: str, **facts: object) -> None:
        """Add a line."""
        with self._lock, self.path.open("a", encoding="utf-8") as file:
            file.write(json.dumps({"kind": kind, **facts}) + "\n")
            file.flush()
            os.fsync(file.fileno())

    def read(self, kind: str) -> list[dict[str, Any]]:
        """Return the lines of a kind."""
        lines = map(json.loads, self.path.read_text(encoding="utf-8").splitlines())
        return [line for line in lines if line["kind"] == kind]


@dataclass
class Cluster:
    """Node 0 and the others."""

    folder: Path
    network: Network
    addresses: Addresses
    api: httpx.Client
    ledger: Ledger
    environment: Mapping[str, str]
    _asked: "Counter[str]" = field(default_factory=Counter, init=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, init=False)

    @property
    def nodes(self) -> list[Node]:
        """The others."""
        return self.network.nodes

    def start(self, node: Node, workers: Sequence[Sequence[str]] = WORKERS) -> None:
        """Start a node's workers, each with the options of its command."""
        for words in workers:
            node.run([sys.executable, "-m", "luna.platform.queue.worker", *words], self.environment, self.folder / f"{node.name}.log")

    def wait_ready(self, workers: int) -> None:
        """Wait until so many workers give signs of life."""
        with redis.Redis.from_url(self.addresses.redis_url) as queue:
            _wait(lambda: len(list(queue.scan_iter("luna:node:*"))) >= workers, START_SECONDS, f"{workers} workers live")

    def ask(self, kind: str) -> None:
        """Ask for one piece of work until it is acknowledged, and note that."""
        with self._lock:
            number = self._asked[kind]
            self._asked[kind] += 1
        facts = _REQUESTS[kind](self.api, number)
        self.ledger.note(kind, **facts)

    def query(self, statement: str, *values: object) -> list[tuple[Any, ...]]:
        """Return what the database answers."""
        with psycopg.connect(_plain(self.addresses.database_url)) as connection:
            return connection.execute(statement, values).fetchall()

    def count_open(self) -> int:
        """Return how many jobs wait or run."""
        return int(self.query("SELECT count(*) FROM jobs WHERE status IN ('queued', 'running')")[0][0])

    def running_on(self, node: Node) -> dict[str, int]:
        """Return the jobs that a node runs, with the number of the attempt."""
        return dict(self.query(RUNNING_ON, node.address))

    def not_begun_again(self, held: Mapping[str, int]) -> dict[str, int]:
        """Return those of some jobs that nobody has begun since."""
        now = dict(self.query("SELECT job_id, attempts FROM jobs WHERE job_id = ANY(%s)", list(held)))
        return {job_id: attempts for job_id, attempts in held.items() if now[job_id] == attempts}

    def settle(self) -> dict[str, Any]:
        """Wait until all that was accepted has ended, and return what the ledger and the database disagree about."""
        accepted = {line["job_id"] for kind in ("replay", "file") for line in self.ledger.read(kind)}
        _wait(lambda: self.count_open() == 0, END_SECONDS, "an end of all that was accepted")
        ends = Counter(job_id for job_id, status in self.query("SELECT job_id, status FROM bench_ends") if status == "done")
        plans, stored = [line["plan_id"] for line in self.ledger.read("plan")], Counter(row[0] for row in self.query("SELECT plan_id FROM plan_history"))
        files = {line["job_id"]: line["load_kwh"] for line in self.ledger.read("file")}
        return {
            "accepted": {kind: len(self.ledger.read(kind)) for kind in _REQUESTS},
            "lost": sum(job_id not in ends for job_id in accepted) + sum(plan not in stored for plan in plans) + self._missing(files),
            "doubled": sum(count > 1 for count in ends.values()) + len(plans) - len(set(plans)) + sum(count > 1 for count in stored.values()),
            "replay_rows": self._replay_rows(),
            "begun_again": self.query("SELECT count(*) FROM jobs WHERE attempts > 1")[0][0],
            # Made for a caller whose answer got lost; the caller asked again and has another one.
            "plans_without_caller": sum(stored.values()) - len(plans),
        }

    def _missing(self, files: Mapping[str, float]) -> int:
        """Return of how many files the day is not stored as it was handed over."""
        days = "SELECT round(sum(load_kwh)::numeric, 3)::float FROM slot_observations WHERE slot_start < %s GROUP BY slot_start::date"
        return len(Counter(files.values()) - Counter(row[0] for row in self.query(days, FIRST_DAY - timedelta(days=365))))

    def _replay_rows(self) -> dict[str, int]:
        """Return how many scores the replays had to leave and how many there are."""
        return {"expected": sum(line["scores"] for line in self.ledger.read("replay")), "stored": self.query("SELECT count(*) FROM daily_scores")[0][0]}


# --- what is asked for ----------------------------------------------------------------------------------------------------------------------------


def _ask_plan(api: httpx.Client, number: int) -> dict[str, Any]:
    # No two of the same quarter-hour are the same plan.
    request = {"site_id": SITE, "state": {"batteries": {"battery": {"soc": number % 9973 / 9973}}}}
    return {"plan_id": _insist(lambda: api.post("/v1/plans", json=request, headers=_key("plan", number))).json()["plan_id"]}


def _ask_replay(api: httpx.Client, number: int) -> dict[str, Any]:
    # Of equal windows each is another piece of work, by its name and by where its scores go.
    first = FIRST_DAY + timedelta(days=number % REPLAYED_DAYS)
    last = first + timedelta(days=DAYS_EACH - 1)
    window = {"from_day": f"{first:%F}", "to_day": f"{last:%F}", "policies": ["mpc_perfect"], "every_minutes": 30, "explain_loss": False, "episodes": None}
    request = {"task": "planner.replay.run", "key": f"replay-{number}", "request": {"site_id": SITE, "system_id": f"nodes_{number}", **window}}
    return {"job_id": _insist(lambda: api.post("/v1/jobs", json=request, headers=_key("replay", number))).json()["job_id"], "scores": DAYS_EACH}


def _ask_file(api: httpx.Client, number: int) -> dict[str, Any]:
    day, each = FIRST_FILE_DAY + timedelta(days=number), round(0.001 * (number + 1), 3)
    rows = "".join(f"{day + slot * SLOT:%FT%TZ},{each}\n" for slot in range(96))
    form = {"kind": "observations", "timezone": "UTC"}
    answer = _insist(lambda: api.post(f"/v1/sites/{SITE}/uploads", data=form, files={"file": ("day.csv", f"slot_start,load_kwh\n{rows}")}))
    return {"job_id": answer.json()["job_id"], "load_kwh": round(96 * each, 3)}


_REQUESTS: dict[str, Callable[[httpx.Client, int], dict[str, Any]]] = {"plan": _ask_plan, "replay": _ask_replay, "file": _ask_file}


def _key(kind: str, number: int) -> dict[str, str]:
    return {"Idempotency-Key": f"{kind}-{number}"}


def _insist(ask: Callable[[], httpx.Response]) -> httpx.Response:
    """Return the answer that acknowledges a request; one that got lost or came to nothing is asked for again, by the same key."""
    while True:
        try:
            answer = ask()
        except httpx.TransportError:
            answer = httpx.Response(httpx.codes.SERVICE_UNAVAILABLE)
        if answer.status_code not in {httpx.codes.SERVICE_UNAVAILABLE, httpx.codes.CONFLICT, httpx.codes.TOO_MANY_REQUESTS}:
            return answer.raise_for_status()
        time.sleep(0.2)


class Callers(BackgroundThreads):
    """Asks for plans as fast as they come, and for replays and files so that some always wait, while a block runs."""

    def __init__(self, there: Cluster) -> None:
        super().__init__(*(partial(self._go_on, kind) for kind in (*["plan"] * PLANNERS, "replay", "file")))
        self._there = there

    def _go_on(self, kind: str) -> None:
        while not self._done.wait(0.1):
            if kind == "plan" or self._there.count_open() < MOST_OPEN:
                self._there.ask(kind)


def measure_rates(there: Cluster, *, seconds: float) -> dict[str, float]:
    """Return plans a second, asked for by several callers at once, and then replays of a day a minute."""
    plans, replays = int(PLANNERS * seconds), int(2 * seconds)
    begun = time.perf_counter()
    with ThreadPoolExecutor(PLANNERS) as pool:
        list(pool.map(there.ask, ["plan"] * plans))
    planned = time.perf_counter()
    for _ in range(replays):
        there.ask("replay")
    _wait(lambda: there.count_open() == 0, END_SECONDS, "an end of all replays")
    return {"plans_per_s": plans / (planned - begun), "replays_per_minute": 60 * replays / (time.perf_counter() - planned)}


# --- what happens to nodes ------------------------------------------------------------------------------------------------------------------------


def kill(there: Cluster, node: Node) -> dict[str, float]:
    """Kill a node in the middle of jobs; return how many it ran, and the seconds until the first and the last of them were begun by others."""
    _wait_for_work(there, node)
    node.kill()
    begun, taken = time.monotonic(), list[float]()
    # Nobody closed its connections, so the database still counts them as its own.
    waiting = held = there.running_on(node)
    while waiting and time.monotonic() < begun + END_SECONDS:
        time.sleep(0.2)
        still = there.not_begun_again(waiting)
        taken += [time.monotonic() - begun] * (len(waiting) - len(still))
        waiting = still
    return {"jobs": len(held), "first_taken_s": min(taken, default=np.inf), "last_taken_s": np.inf if waiting else max(taken, default=np.inf)}


def disturb(there: Cluster, node: Node, begin: Callable[[Node], None], end: Callable[[Node], None], *, seconds: float) -> dict[str, float]:
    """Let a node be gone for a while in the middle of jobs; return how many it ran, how many of them were begun again, and when it was at work again."""
    _wait_for_work(there, node)
    begin(node)
    held = there.running_on(node)
    time.sleep(seconds)
    begun_again = len(held) - len(there.not_begun_again(held))
    end(node)
    back = time.monotonic()
    _wait_for_work(there, node, but=held)
    return {"jobs": len(held), "begun_again": begun_again, "at_work_again_s": time.monotonic() - back}


def _wait_for_work(there: Cluster, node: Node, *, but: Mapping[str, int] = MappingProxyType({})) -> None:
    _wait(lambda: bool(there.running_on(node).keys() - but), END_SECONDS, f"another job on {node.name}")


# --- node 0 ---------------------------------------------------------------------------------------------------------------------------------------


@contextmanager
def cluster(nodes: int, *, resend_seconds: float = 60) -> Iterator[Cluster]:
    """Run node 0, and lay the network to others that have no workers yet.

    Raises:
        MachineError: this machine or account cannot have network namespaces.
    """
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="luna-nodes-")))
        folder.chmod(0o711)
        net = stack.enter_context(network(nodes))
        addresses = stack.enter_context(_servers(folder / "servers", net.host))
        upgrade(addresses.database_url)
        _furnish(addresses)
        port = choose_port(None)
        environment = {name: value for name, value in os.environ.items() if not name.startswith("LUNA_")} | {
            "LUNA_DATABASE_URL": addresses.database_url,
            "LUNA_REDIS_URL": addresses.redis_url,
            "LUNA_DATA_FOLDER": str(folder / "data"),
            "LUNA_API_PORT": str(port),
            "LUNA_REQUESTS_PER_MINUTE": "1000000",
            "LUNA_SOLVES_PER_MINUTE": "1000000",
            "LUNA_LOG_LEVEL": "WARNING",
        }
        for module, *options in (["services.api"], ["luna.platform.queue.beat", "--resend-seconds", str(resend_seconds)]):
            stack.enter_context(_running([sys.executable, "-m", module, *options], environment, folder / f"{module}.log"))
        api = stack.enter_context(httpx.Client(base_url=f"http://{HOST}:{port}", headers=owner_headers(folder / "data"), timeout=30, trust_env=False))
        _wait(lambda: _answers(api), START_SECONDS, "the gateway answers")
        yield Cluster(folder, net, addresses, api, Ledger(folder / "ledger.jsonl"), environment)


@contextmanager
def _servers(folder: Path, host: str) -> Iterator[Addresses]:
    """Run the embedded database and queue where other nodes reach them, by password."""
    folder.mkdir(mode=0o711)
    account, password = account_for(folder / "postgres"), secrets.token_urlsafe(24)
    programs, program = find_redis()
    database = Postgres(make_reachable(find_postgres(), account), folder, account, password)
    queue = Redis(make_reachable(programs, account) / program, folder, account, password)
    addresses = Addresses(*(server.url(PORTS[server.name]).replace(HOST, host) for server in (database, queue)))
    with ExitStack() as stack:
        for server in (database, queue):
            server.prepare()
            lock = folder / f"{server.name}.lock"
            launch = server.launch(PORTS[server.name])
            # What is said last holds.
            if server is database:
                (folder / CLUSTER / "pg_hba.conf").write_text(f"host all all {host}/24 scram-sha-256\n", encoding="utf-8")
                launch.command.extend(["-c", f"listen_addresses={host}", "-c", "max_connections=100"])
            else:
                launch = replace(launch, standard_input=launch.standard_input + f"bind {host}\n".encode())
            _spawn(launch, lock, folder / f"{server.name}.log")
            stack.callback(end, lock, server.stop_signals)
        _wait(lambda: _is_up(addresses), START_SECONDS, "database and queue answer")
        yield addresses


def _spawn(launch: Launch, path: Path, log: Path) -> None:
    lock = open_lock(path)
    take(lock)
    spawn(launch, lock=lock, log=log)
    # From here on the server alone holds it.
    os.close(lock)


@contextmanager
def _running(words: list[str], environment: Mapping[str, str], log: Path) -> Iterator[None]:
    with log.open("wb") as output:
        process = subprocess.Popen(words, env=dict(environment), stdin=subprocess.DEVNULL, stdout=output, stderr=output)
    try:
        yield
    finally:
        process.terminate()
        process.wait(timeout=30)


def _furnish(addresses: Addresses) -> None:
    """Store a site with a forecast of now and recorded days, and have the database note how jobs end."""
    rng, now = np.random.default_rng(SEED), floor_to(SystemClock().now(), SLOT)
    tariff = {
        "import": {"kind": "time_of_use", "default": 0.3, "bands": [{"from": "00:00", "to": "05:00", "price": 0.15}]},
        "export": {"kind": "fixed", "price": 0.07},
    }
    battery = {"name": "battery", "capacity_kwh": 10, "charge_limit_kw": 5, "discharge_limit_kw": 5}
    past, ahead = Timeline(FIRST_DAY, SLOT, (REPLAYED_DAYS + DAYS_EACH + 2) * 96), Timeline(now, SLOT, 96 * 2 + 16)
    pool = engines.create(addresses.database_url)
    with unit_of_work(pool) as connection:
        sites.save(connection, parse_site({"name": SITE, "timezone": "UTC", "batteries": [battery], "pv": [{"peak_kw": 6}], "tariff": tariff}))
        seen = {"load_kwh": rng.gamma(4, 0.05, past.count), "pv_kwh": rng.uniform(0, 0.6, past.count)}
        observations.upsert(connection, SITE, Observations.of(past.starts, seen))
        told = Forecast(ahead, now, DEFAULT_VERSION, Quantiles.exact(rng.gamma(4, 0.05, ahead.count)), Quantiles.exact(rng.uniform(0, 0.6, ahead.count)))
        forecasts.upsert(connection, SITE, [told])
        connection.execute(text(AUDIT))
    pool.dispose()


def _is_up(addresses: Addresses) -> bool:
    try:
        psycopg.connect(_plain(addresses.database_url), connect_timeout=2).close()
        with redis.Redis.from_url(addresses.redis_url) as queue:
            return bool(queue.ping())
    except (psycopg.OperationalError, redis.RedisError):
        return False


def _answers(api: httpx.Client) -> bool:
    try:
        return api.get("/health/live").is_success
    except httpx.TransportError:
        return False


def _plain(url: str) -> str:
    return url.replace("+psycopg", "", 1)


def _wait(condition: Callable[[], bool], seconds: float, what: str) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError(f"not within {seconds:g} s: {what}")
        time.sleep(0.1)


if __name__ == "__main__":
    print(json.dumps(measure(full="--full" in sys.argv), indent=2))
