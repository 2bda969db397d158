"""Multi-node benchmark: throughput by number of nodes, and no lost or duplicated work when a node
is killed, partitioned or paused.

Node 0 runs database, queue, gateway and beat; every other node, a network namespace with half a
processor, runs workers of planner and ingest. A ledger holds everything that the gateway
acknowledged, synced to disk before the next request, and is compared with the database at the end.
Run as ``python -m bench.nodes``; needs root and the program ``ip``. Uploaded files are in one
folder that all nodes share.
"""

import json
import os
import secrets
import subprocess
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import redis
from sqlalchemy import Engine, text

from bench.background import BackgroundThreads
from bench.ledger import Ledger
from bench.namespaces import Network, Node, network
from bench.stack import UNLIMITED, data_folder, owner_headers
from bench.waiting import wait_until
from luna.energy.errors import UnavailableError
from luna.energy.observations import Observations
from luna.energy.outlook import Forecast, Quantiles
from luna.energy.site import parse_site
from luna.energy.timeline import SLOT, Timeline, floor_to
from luna.platform.clock import SystemClock
from luna.platform.database import engine, forecasts, observations, sites
from luna.platform.database.engine import unit_of_work
from luna.platform.database.forecast_activations import DEFAULT_VERSION
from luna.platform.database.migrate import upgrade
from luna.platform.embedded.account import account_for, make_reachable, open_lock, take
from luna.platform.embedded.binaries import find_postgres, find_redis
from luna.platform.embedded.process import end, spawn
from luna.platform.embedded.replacement import CLUSTER
from luna.platform.embedded.servers import Postgres, Redis
from luna.platform.embedded.state import HOST, choose_port
from luna.platform.embedded.supervisor import Addresses
from luna.platform.telemetry import configure_logging

SITE = "shared"
SEED = 1
# Replays have windows of DAYS_EACH days that start on one of REPLAYED_DAYS days; files hold one
# earlier day each.
REPLAYED_DAYS = 12
DAYS_EACH = 3
FIRST_DAY = datetime(2024, 3, 1, tzinfo=UTC)
FIRST_FILE_DAY = datetime(2020, 1, 1, tzinfo=UTC)
PORTS = {"postgres": 5432, "redis": 6379}
# A node's workers: one for interactive requests, one for jobs.
WORKERS = (
    ("planner", "--only", "interactive", "--processes", "1"),
    ("planner", "ingest", "--only", "jobs", "--processes", "2"),
)
START_SECONDS = 180.0
END_SECONDS = 600.0
CPUS = 0.5
PLANNERS = 4
MOST_OPEN = 12
# A trigger records each end of a job in the same transaction.
AUDIT = """
CREATE TABLE bench_ends (job_id text, status text, attempts integer);
CREATE FUNCTION note_end() RETURNS trigger LANGUAGE plpgsql AS
  'BEGIN INSERT INTO bench_ends VALUES (NEW.job_id, NEW.status, NEW.attempts); RETURN NULL; END';
CREATE TRIGGER bench_ends AFTER UPDATE OF status ON jobs FOR EACH ROW
  WHEN (NEW.status IN ('done', 'failed', 'dead')) EXECUTE FUNCTION note_end();
"""
RUNNING_ON = """
SELECT job_id, attempts
FROM jobs
  JOIN pg_locks ON locktype = 'advisory' AND granted AND objsubid = 1
    AND (classid::bigint << 32 | objid::bigint) = hashtextextended(job_id, 0)
  JOIN pg_stat_activity USING (pid)
WHERE status = 'running' AND client_addr = %s
"""
DAYS_OF_FILES = (
    "SELECT round(sum(load_kwh)::numeric, 3)::float FROM slot_observations WHERE slot_start < "
    "%s GROUP BY slot_start::date"
)
# Errors of servers that do not answer yet.
AWAY = (UnavailableError, redis.RedisError, httpx.TransportError)


def measure(*, full: bool = False) -> dict[str, Any]:
    """Return the rates of plans and replays by number of nodes, the recovery from each fault of a
    node, and the ledger's audit.

    Raises:
        MachineError: this machine or account cannot have network namespaces.
    """
    configure_logging("bench", level="WARNING")
    with cluster(3 if full else 2) as there:
        rates: dict[str, Any] = {}
        for count, node in enumerate(there.nodes, start=1):
            there.start(node)
            there.wait_ready(count * len(WORKERS))
            # Warm-up of every process.
            measure_rates(there, seconds=4 * count)
            # Low enough that this machine is not the bottleneck.
            node.limit(CPUS)
            rates[str(count)] = measure_rates(there, seconds=15 if full else 4)
        with Callers(there):
            faults = {"killed": kill(there, there.nodes[-1])}
            if full:
                faults["cut"] = disturb(there, there.nodes[0], Node.cut, Node.mend, seconds=20)
                faults["cut_for_long"] = disturb(
                    there, there.nodes[0], Node.cut, Node.mend, seconds=90
                )
                faults["paused"] = disturb(
                    there, there.nodes[1], Node.pause, Node.resume, seconds=40
                )
        return {"rates": rates, "faults": faults, "ledger": there.settle()}


@dataclass
class Cluster:
    """Node 0 with its clients, and the worker nodes."""

    folder: Path
    network: Network
    redis_url: str
    database: Engine
    api: httpx.Client
    ledger: Ledger
    environment: Mapping[str, str]
    _numbers: dict[str, Iterator[int]] = field(
        default_factory=lambda: defaultdict(count), init=False
    )

    @property
    def nodes(self) -> list[Node]:
        """The worker nodes."""
        return self.network.nodes

    def start(self, node: Node, workers: Sequence[Sequence[str]] = WORKERS) -> None:
        """Start a node's workers, each with its command-line options."""
        for words in workers:
            node.run(
                [sys.executable, "-m", "luna.platform.queue.worker", *words],
                self.environment,
                self.folder / f"{node.name}.log",
            )

    def wait_ready(self, workers: int) -> None:
        """Wait for the heartbeats of so many workers."""
        with redis.Redis.from_url(self.redis_url) as queue:
            wait_until(
                lambda: len(list(queue.scan_iter("luna:node:*"))) >= workers,
                seconds=START_SECONDS,
                what=f"{workers} workers live",
            )

    def ask(self, kind: str) -> None:
        """Send one request until it is acknowledged, with the same idempotency key in retries, and
        record the acknowledgement.
        """
        number = next(self._numbers[kind])
        path, request, facts = REQUESTS[kind](number)
        key = {"Idempotency-Key": f"{kind}-{number}"} if "json" in request else {}
        while True:
            try:
                answer = self.api.post(path, headers=key, **request)
            except httpx.TransportError:
                answer = httpx.Response(httpx.codes.SERVICE_UNAVAILABLE)
            if answer.status_code not in {
                httpx.codes.SERVICE_UNAVAILABLE,
                httpx.codes.CONFLICT,
                httpx.codes.TOO_MANY_REQUESTS,
            }:
                break
            time.sleep(0.2)
        name = "plan_id" if kind == "plan" else "job_id"
        self.ledger.acknowledge(kind, **{name: answer.raise_for_status().json()[name]}, **facts)

    def query(self, statement: str, *values: object) -> list[Any]:
        """Return the rows of a query."""
        with unit_of_work(self.database) as connection:
            return list(connection.exec_driver_sql(statement, values))

    def count_open(self) -> int:
        """Return the number of queued and running jobs."""
        return int(
            self.query("SELECT count(*) FROM jobs WHERE status IN ('queued', 'running')")[0][0]
        )

    def wait_ended(self) -> None:
        """Wait until no job is queued or running."""
        wait_until(
            lambda: self.count_open() == 0,
            seconds=END_SECONDS,
            what="an end of all that was accepted",
        )

    def running_on(self, node: Node) -> dict[str, int]:
        """Return the jobs that a node runs, with their attempts."""
        return dict(self.query(RUNNING_ON, node.address))

    def wait_for_work(self, node: Node, *, but: Mapping[str, int] | None = None) -> None:
        """Wait until a node runs a job that is not among ``but``."""
        wait_until(
            lambda: self.running_on(node).keys() - (but or {}),
            seconds=END_SECONDS,
            what=f"another job on {node.name}",
        )

    def not_begun_again(self, running: Mapping[str, int]) -> dict[str, int]:
        """Return the jobs of ``running`` without a new attempt since."""
        now = dict(
            self.query("SELECT job_id, attempts FROM jobs WHERE job_id = ANY(%s)", list(running))
        )
        return {job_id: attempts for job_id, attempts in running.items() if now[job_id] == attempts}

    def settle(self) -> dict[str, Any]:
        """Wait until all accepted work has ended.

        Return the differences between ledger and database.
        """
        self.wait_ended()
        accepted = {kind: self.ledger.read(kind) for kind in REQUESTS}
        ends = Counter(
            job_id for [job_id] in self.query("SELECT job_id FROM bench_ends WHERE status = 'done'")
        )
        plans = [entry["plan_id"] for entry in accepted["plan"]]
        stored = Counter(plan for [plan] in self.query("SELECT plan_id FROM plan_history"))
        days = Counter(
            load_kwh for [load_kwh] in self.query(DAYS_OF_FILES, FIRST_DAY - timedelta(days=365))
        )
        return {
            "accepted": {kind: len(entries) for kind, entries in accepted.items()},
            "lost": sum(
                entry["job_id"] not in ends
                for kind in ("replay", "file")
                for entry in accepted[kind]
            )
            + sum(plan not in stored for plan in plans)
            + len(Counter(entry["load_kwh"] for entry in accepted["file"]) - days),
            "doubled": sum(number > 1 for number in ends.values())
            + len(plans)
            - len(set(plans))
            + sum(number > 1 for number in stored.values()),
            "replay_rows": {
                "expected": DAYS_EACH * len(accepted["replay"]),
                "stored": self.query("SELECT count(*) FROM daily_scores")[0][0],
            },
            "begun_again": self.query("SELECT count(*) FROM jobs WHERE attempts > 1")[0][0],
            # Plans whose response got lost; the caller repeated the request and got another plan.
            "plans_without_caller": sum(stored.values()) - len(plans),
        }


# --- requests: by number a path, the request, and the facts for the ledger besides its id ---------


Asking = tuple[str, dict[str, Any], dict[str, Any]]


def _plan(number: int) -> Asking:
    # A state of charge of its own: equal requests of a quarter-hour would share a plan.
    return (
        "/v1/plans",
        {
            "json": {
                "site_id": SITE,
                "state": {"batteries": {"battery": {"soc": number % 9973 / 9973}}},
            }
        },
        {},
    )


def _replay(number: int) -> Asking:
    # A key and a system id of its own: equal windows would be one job.
    first = FIRST_DAY + timedelta(days=number % REPLAYED_DAYS)
    last = first + timedelta(days=DAYS_EACH - 1)
    window = {
        "from_day": f"{first:%F}",
        "to_day": f"{last:%F}",
        "policies": ["mpc_perfect"],
        "every_minutes": 30,
        "explain_loss": False,
        "episodes": None,
    }
    request = {"site_id": SITE, "system_id": f"nodes_{number}", **window}
    return (
        "/v1/jobs",
        {"json": {"task": "planner.replay.run", "key": f"replay-{number}", "request": request}},
        {},
    )


def _file(number: int) -> Asking:
    day = FIRST_FILE_DAY + timedelta(days=number)
    each = round(0.001 * (number + 1), 3)
    rows = "".join(f"{day + slot * SLOT:%FT%TZ},{each}\n" for slot in range(96))
    form = {
        "data": {"kind": "observations", "timezone": "UTC"},
        "files": {"file": ("day.csv", f"slot_start,load_kwh\n{rows}")},
    }
    return f"/v1/sites/{SITE}/uploads", form, {"load_kwh": round(96 * each, 3)}


REQUESTS: dict[str, Callable[[int], Asking]] = {"plan": _plan, "replay": _replay, "file": _file}


class Callers(BackgroundThreads):
    """Background load while a block runs: plans in a closed loop, replays and files so that some
    are always queued.
    """

    def __init__(self, there: Cluster) -> None:
        super().__init__(
            *(partial(self._go_on, kind) for kind in (*["plan"] * PLANNERS, "replay", "file"))
        )
        self._there = there

    def _go_on(self, kind: str) -> None:
        while not self._done.wait(0.1):
            if kind == "plan" or self._there.count_open() < MOST_OPEN:
                self._there.ask(kind)


def measure_rates(there: Cluster, *, seconds: float) -> dict[str, float]:
    """Return plans per second from concurrent callers, then replays (of ``DAYS_EACH`` days) per
    minute.
    """
    plans = int(PLANNERS * seconds)
    replays = int(2 * seconds)
    begun = time.perf_counter()
    with ThreadPoolExecutor(PLANNERS) as pool:
        list(pool.map(there.ask, ["plan"] * plans))
    planned = time.perf_counter()
    for _ in range(replays):
        there.ask("replay")
    there.wait_ended()
    return {
        "plans_per_s": plans / (planned - begun),
        "replays_per_minute": 60 * replays / (time.perf_counter() - planned),
    }


# --- faults of nodes ------------------------------------------------------------------------------


def kill(there: Cluster, node: Node) -> dict[str, float]:
    """Kill a node that runs jobs.

    Return their number, and the seconds until other nodes began the first and the last of them
    again.
    """
    there.wait_for_work(node)
    node.kill()
    begun = time.monotonic()
    taken: list[float] = []
    # Its connections were not closed, so the database still holds the jobs' locks.
    waiting = running = there.running_on(node)
    while waiting and time.monotonic() < begun + END_SECONDS:
        time.sleep(0.2)
        still = there.not_begun_again(waiting)
        taken += [time.monotonic() - begun] * (len(waiting) - len(still))
        waiting = still
    return {
        "jobs": len(running),
        "first_taken_s": min(taken, default=np.inf),
        "last_taken_s": np.inf if waiting else max(taken, default=np.inf),
    }


def disturb(
    there: Cluster,
    node: Node,
    begin: Callable[[Node], None],
    end: Callable[[Node], None],
    *,
    seconds: float,
) -> dict[str, float]:
    """Take away a node that runs jobs for some seconds.

    Return the number of its jobs, of those begun again elsewhere, and the seconds to its next job.
    """
    there.wait_for_work(node)
    begin(node)
    running = there.running_on(node)
    time.sleep(seconds)
    begun_again = len(running) - len(there.not_begun_again(running))
    end(node)
    back = time.monotonic()
    there.wait_for_work(node, but=running)
    return {
        "jobs": len(running),
        "begun_again": begun_again,
        "at_work_again_s": time.monotonic() - back,
    }


# --- node 0 ---------------------------------------------------------------------------------------


@contextmanager
def cluster(nodes: int, *, resend_seconds: float = 60) -> Iterator[Cluster]:
    """Run node 0 and the network of worker nodes, which have no workers yet.

    Raises:
        MachineError: this machine or account cannot have network namespaces.
    """
    with ExitStack() as stack:
        folder = stack.enter_context(data_folder())
        net = stack.enter_context(network(nodes))
        addresses = stack.enter_context(_servers(folder / "servers", net.host))
        database = engine.create(addresses.database_url, application_name="bench")
        stack.callback(database.dispose)
        wait_until(
            lambda: _answer(database, addresses.redis_url),
            seconds=START_SECONDS,
            what="database and queue answer",
            despite=AWAY,
        )
        upgrade(addresses.database_url)
        _furnish(database)
        port = choose_port(None)
        data = {
            "database_url": addresses.database_url,
            "redis_url": addresses.redis_url,
            "data_folder": str(folder / "data"),
        }
        own = {
            f"LUNA_{name.upper()}": value
            for name, value in (
                data | UNLIMITED | {"api_port": str(port), "log_level": "WARNING"}
            ).items()
        }
        environment = {
            name: value for name, value in os.environ.items() if not name.startswith("LUNA_")
        } | own
        for module, *options in (
            ["services.api"],
            ["luna.platform.queue.beat", "--resend-seconds", str(resend_seconds)],
        ):
            log = stack.enter_context((folder / f"{module}.log").open("wb"))
            words = [sys.executable, "-m", module, *options]
            process = stack.enter_context(
                subprocess.Popen(
                    words, env=environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log
                )
            )
            stack.callback(process.terminate)
        api = stack.enter_context(
            httpx.Client(
                base_url=f"http://{HOST}:{port}",
                headers=owner_headers(folder / "data"),
                timeout=30,
                trust_env=False,
            )
        )
        wait_until(
            lambda: api.get("/health/live").is_success,
            seconds=START_SECONDS,
            what="the gateway answers",
            despite=AWAY,
        )
        ledger = Ledger(folder / "ledger.jsonl")
        stack.callback(ledger.close)
        yield Cluster(folder, net, addresses.redis_url, database, api, ledger, environment)


@contextmanager
def _servers(folder: Path, host: str) -> Iterator[Addresses]:
    """Run the embedded database and queue on the bridge's address, with passwords."""
    folder.mkdir(mode=0o711)
    account = account_for(folder / "postgres")
    password = secrets.token_urlsafe(24)
    programs, program = find_redis()
    database = Postgres(make_reachable(find_postgres(), account), folder, account, password)
    queue = Redis(make_reachable(programs, account) / program, folder, account, password)
    for server in (database, queue):
        server.prepare()
    (folder / CLUSTER / "pg_hba.conf").write_text(
        f"host all all {host}/24 scram-sha-256\n", encoding="utf-8"
    )
    of_database, of_queue = (server.launch(PORTS[server.name]) for server in (database, queue))
    # The last of repeated options counts.
    of_database.command.extend(["-c", f"listen_addresses={host}", "-c", "max_connections=100"])
    of_queue = replace(of_queue, standard_input=of_queue.standard_input + f"bind {host}\n".encode())
    with ExitStack() as stack:
        for server, launch in ((database, of_database), (queue, of_queue)):
            lock = open_lock(folder / f"{server.name}.lock")
            take(lock)
            spawn(launch, lock=lock, log=folder / f"{server.name}.log")
            # The server inherited the lock and alone holds it now.
            os.close(lock)
            stack.callback(end, folder / f"{server.name}.lock", server.stop_signals)
        yield Addresses(
            *(server.url(PORTS[server.name]).replace(HOST, host) for server in (database, queue))
        )


def _answer(database: Engine, redis_url: str) -> bool:
    with unit_of_work(database), redis.Redis.from_url(redis_url) as queue:
        return bool(queue.ping())


def _furnish(database: Engine) -> None:
    """Store a site with a current forecast and recorded days, and create the trigger on jobs."""
    rng = np.random.default_rng(SEED)
    now = floor_to(SystemClock().now(), SLOT)
    tariff = {
        "import": {
            "kind": "time_of_use",
            "default": 0.3,
            "bands": [{"from": "00:00", "to": "05:00", "price": 0.15}],
        },
        "export": {"kind": "fixed", "price": 0.07},
    }
    battery = {"name": "battery", "capacity_kwh": 10, "charge_limit_kw": 5, "discharge_limit_kw": 5}
    past = Timeline(FIRST_DAY, SLOT, (REPLAYED_DAYS + DAYS_EACH + 2) * 96)
    ahead = Timeline(now, SLOT, 96 * 2 + 16)
    with unit_of_work(database) as connection:
        sites.save(
            connection,
            parse_site(
                {
                    "name": SITE,
                    "timezone": "UTC",
                    "batteries": [battery],
                    "pv": [{"peak_kw": 6}],
                    "tariff": tariff,
                }
            ),
        )
        recorded = {
            "load_kwh": rng.gamma(4, 0.05, past.count),
            "pv_kwh": rng.uniform(0, 0.6, past.count),
        }
        observations.upsert(connection, SITE, Observations.of(past.starts, recorded))
        forecast = Forecast(
            ahead,
            now,
            DEFAULT_VERSION,
            Quantiles.exact(rng.gamma(4, 0.05, ahead.count)),
            Quantiles.exact(rng.uniform(0, 0.6, ahead.count)),
        )
        forecasts.upsert(connection, SITE, [forecast])
        connection.execute(text(AUDIT))


if __name__ == "__main__":
    print(json.dumps(measure(full="--full" in sys.argv), indent=2))
