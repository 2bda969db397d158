"""The latest plan of a site, asked for with a key of its own, beside a bare FastAPI application in
the same run; one process each.

Run as ``python -m bench.gateway``.
"""

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import numpy as np
from pydantic import SecretStr

from bench.cases import SEED, draw_case
from bench.http_load import Load, drive
from bench.stack import data_servers
from luna.contracts.identity import NewKey, NewUser
from luna.contracts.plan import PlanRequest
from luna.contracts.plan.request_bytes import write_inputs
from luna.platform.database import api_keys, engine, plans, sites, users
from luna.platform.database.engine import unit_of_work
from luna.platform.embedded.supervisor import Addresses
from luna.platform.telemetry import configure_logging
from services.planner.milp.solver import Solver
from services.planner.reply.reply import plan_columns

ROUNDS = 7
SITE = "benched"
LATEST = f"/v1/sites/{SITE}/plans/latest"
# As browsers and the libraries of programs say by themselves.
TAKES = {"Accept-Encoding": "gzip, deflate"}
HELLO = ("uvicorn", "bench.hello:app", "--log-level", "error", "--no-access-log")
GATEWAY = ("services.api",)
START_SECONDS = 60


def measure() -> dict[str, Any]:
    """Return requests a second and the 95th percentile of both, their ratio round by round, and the
    gateway's memory.
    """
    configure_logging("bench", level="WARNING")
    with data_servers() as (addresses, folder):
        headers = _prepare(addresses)
        with (
            serving(GATEWAY, addresses, str(folder)) as (gateway, process),
            serving(HELLO, addresses, str(folder)) as (hello, _),
        ):
            return _race(gateway, hello, headers) | {"gateway_mb": resident_mb(process)}


def _race(gateway: int, hello: int, headers: dict[str, str]) -> dict[str, Any]:
    loads: dict[str, list[Load]] = {"latest_plan": [], "not_modified": [], "hello": []}
    tag = (
        httpx.get(f"http://127.0.0.1:{gateway}{LATEST}", headers=headers)
        .raise_for_status()
        .headers["ETag"]
    )
    for _ in range(ROUNDS + 1):
        loads["hello"].append(drive(hello, "/"))
        loads["latest_plan"].append(drive(gateway, LATEST, headers))
        loads["not_modified"].append(
            drive(gateway, LATEST, headers | {"If-None-Match": tag}, status=304)
        )
    # A first round that does not count warms up.
    counted = {name: found[1:] for name, found in loads.items()}
    rates = {
        name: np.array([load.requests_per_s for load in found]) for name, found in counted.items()
    }
    figures: dict[str, Any] = {name: _median(found) for name, found in counted.items()}
    ratios = {
        f"{name}_ratio": float(np.median(rates[name] / rates["hello"]))
        for name in ("latest_plan", "not_modified")
    }
    return figures | ratios


def _median(loads: list[Load]) -> dict[str, float]:
    names = asdict(loads[0])
    return {name: float(np.median([getattr(load, name) for load in loads])) for name in names}


def _prepare(addresses: Addresses) -> dict[str, str]:
    """Store a site with a plan of 48 hours, and return what a caller says to be let in."""
    request = PlanRequest.model_validate(draw_case(np.random.default_rng(SEED), name=SITE, dip=0.0))
    plan = plan_columns(request, now=datetime.now(UTC), solver=Solver())
    inputs = write_inputs(request)
    pool = engine.create(addresses.database_url, application_name="bench")
    with unit_of_work(pool) as connection:
        sites.save(connection, request.site)
        plans.write(
            connection, [plans.PlanRow.of(plan, site_id=SITE, inputs_digest="bench", inputs=inputs)]
        )
        # Who nobody signs in as needs no password.
        users.add_first(
            connection,
            NewUser(name="bench", password=SecretStr("never asked for here"), role="admin"),
            password_hash="",
        )
        owner = users.find_credentials(connection, "bench")
        made = (
            api_keys.make(
                connection,
                owner.user_id,
                NewKey(name="bench", scopes=("read",)),
                now=datetime.now(UTC),
            )
            if owner
            else None
        )
    pool.dispose()
    return TAKES | ({"Authorization": f"Bearer {made.key}"} if made else {})


@contextmanager
def serving(
    module: tuple[str, ...], addresses: Addresses, folder: str
) -> Iterator[tuple[int, "subprocess.Popen[bytes]"]]:
    """Run a server as a process of its own; yield its port and the process."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    named = {
        "LUNA_DATABASE_URL": addresses.database_url,
        "LUNA_REDIS_URL": addresses.redis_url,
        "LUNA_DATA_FOLDER": folder,
        "LUNA_API_PORT": str(port),
    }
    command = [sys.executable, "-m", *module, *(("--port", str(port)) if module is HELLO else ())]
    process = subprocess.Popen(
        command,
        env=os.environ
        | named
        | {"LUNA_LOG_LEVEL": "WARNING", "LUNA_REQUESTS_PER_MINUTE": "10000000"},
        stderr=subprocess.DEVNULL,
    )
    try:
        _await(port)
        yield port, process
    finally:
        process.terminate()
        process.wait(timeout=30)


def resident_mb(process: "subprocess.Popen[bytes]") -> float:
    """Return how much memory a process has to itself and shared."""
    status = Path(f"/proc/{process.pid}/status").read_text(encoding="ascii")
    return int(status.partition("VmRSS:")[2].split()[0]) / 1024


def _await(port: int) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        try:
            httpx.get(f"http://127.0.0.1:{port}/health/live")
        except httpx.TransportError:
            time.sleep(0.1)
        else:
            return
    raise TimeoutError("the server did not start")


if __name__ == "__main__":
    print(json.dumps(measure(), indent=2))
