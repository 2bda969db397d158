"""Run ``luna up`` for benchmarks, on 127.0.0.1 alone."""

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import httpx
from pydantic import SecretStr
from sqlalchemy import Engine

from bench.control_groups import ControlGroup
from bench.first_run import newcomers_environment
from bench.processes import ProcessTree
from luna.contracts.identity import KeyScope, NewKey, NewUser
from luna.platform.clock import SystemClock
from luna.platform.database import api_keys, engine, migrate, users
from luna.platform.database.engine import unit_of_work
from luna.platform.embedded.supervisor import Addresses, running, start
from luna.platform.own_secrets import open_owner_token
from luna.platform.settings import Settings
from luna.platform.supervision.companions import COMPANIONS, ONE_WORKER
from luna.platform.supervision.fork_server import MODULE as FORK_SERVER
from tests.support.worker.processes import free_port

START_SECONDS = 120.0
LOOK_SECONDS = 0.1
SCOPES: tuple[KeyScope, ...] = ("read", "analyse", "operate", "data", "configure", "administer")
# No outside services, no downloads.
ALONE = {"outside_services": "false", "embedding_download": "false", "log_level": "WARNING"}
FORK_SERVERS = {
    "fork server": (FORK_SERVER, "shared"),
    "workers' fork server": (FORK_SERVER, "tasks"),
}
# Environment variables to drop: Luna's settings; and bytecode caching has to work for warm starts.
OTHERS = ("LUNA_", "PYTHONDONTWRITEBYTECODE")
UNLIMITED = {"requests_per_minute": "100000000", "solves_per_minute": "100000000"}


@dataclass(frozen=True)
class Stack:
    """A running Luna: port, headers with an API key, database, log.

    Its processes by kind, as ``luna up`` names them, ``gateway`` for itself.

    ``answered_s`` is the time in seconds to the gateway's first response, of any status.
    """

    port: int
    headers: Mapping[str, str]
    database: Engine
    processes: ProcessTree
    log: Path
    answered_s: float

    def count_restarts(self) -> int:
        """Return how often a process of ``luna up`` or of a worker died, by the log."""
        lines = self.log.read_text(encoding="utf-8", errors="replace").splitlines()
        return sum(
            "process died and is started again" in line or "WorkerLostError" in line
            for line in lines
        )


@contextmanager
def luna_up(
    folder: Path,
    *,
    headers: Mapping[str, str] | None = None,
    settings: Mapping[str, str] | None = None,
    group: ControlGroup | None = None,
    program: Path | None = None,
) -> Iterator[Stack]:
    """Run ``luna up`` with its data in ``folder`` until the block ends.

    Args:
        folder: an empty one, or that of an earlier run.
        headers: with a key of the earlier run; default: a new key is made.
        settings: of Luna, besides ``ALONE``.
        group: the control group to run in; default: the caller's.
        program: the ``luna`` of another environment; default: this one's.
    """
    port = free_port()
    around = os.environ if program is None else newcomers_environment()
    named = ALONE | {"data_folder": str(folder), "api_port": str(port)} | dict(settings or {})
    own = {f"LUNA_{name.upper()}": value for name, value in named.items()}
    environment = {
        name: value for name, value in around.items() if not name.startswith(OTHERS)
    } | own
    command = (
        [sys.executable, "-c", "from services.cli.main import main; main()", "up"]
        if program is None
        else [str(program), "up"]
    )
    command = command if group is None else group.enter(command)
    path = folder / "up.log"
    with (
        path.open("ab") as log,
        subprocess.Popen(command, env=environment, stdout=log, stderr=log) as process,
    ):
        try:
            answered_s = _await_ready(port, process)
            with running(
                Settings(data_folder=folder, database_url=None, redis_url=None)
            ) as addresses:
                database = engine.create(addresses.database_url, application_name="bench")
                tree = ProcessTree(process.pid, "gateway", COMPANIONS | ONE_WORKER | FORK_SERVERS)
                yield Stack(
                    port,
                    _make_key(database) if headers is None else headers,
                    database,
                    tree,
                    path,
                    answered_s,
                )
                database.dispose()
        finally:
            process.terminate()


def owner_headers(folder: Path) -> dict[str, str]:
    """Return the headers with the owner's token of a gateway without users, whose data are in
    ``folder``.
    """
    return {"Authorization": f"Bearer {open_owner_token(Settings(data_folder=folder))}"}


@contextmanager
def data_folder() -> Iterator[Path]:
    """Yield a temporary folder that embedded servers can use, also under another account."""
    with tempfile.TemporaryDirectory(prefix="luna-bench-") as folder:
        Path(folder).chmod(0o711)
        yield Path(folder)


@contextmanager
def data_servers() -> Iterator[tuple[Addresses, Path]]:
    """Yield new servers with the current schema, and the folder of their data."""
    with data_folder() as folder, start(folder) as servers:
        migrate.upgrade(servers.database_url)
        yield Addresses(database_url=servers.database_url, redis_url=servers.redis_url), folder


def _await_ready(port: int, process: "subprocess.Popen[bytes]") -> float:
    """Wait until the gateway is ready; return the seconds to its first response."""
    began = time.monotonic()
    answered_s = 0.0
    with httpx.Client(trust_env=False) as client:
        while time.monotonic() < began + START_SECONDS and process.poll() is None:
            with suppress(httpx.TransportError):
                ready = client.get(f"http://127.0.0.1:{port}/health/ready").is_success
                answered_s = answered_s or time.monotonic() - began
                if ready:
                    return answered_s
            time.sleep(LOOK_SECONDS)
    raise TimeoutError("Luna did not start")


def _make_key(database: Engine) -> dict[str, str]:
    with unit_of_work(database) as connection:
        # Nobody signs in as this user, so no password hash.
        users.add_first(
            connection,
            NewUser(name="bench", password=SecretStr("never asked for here"), role="admin"),
            password_hash="",
        )
        owner = users.find_credentials(connection, "bench")
        if owner is None:
            raise RuntimeError("the user that was just made is not there")
        made = api_keys.make(
            connection, owner.user_id, NewKey(name="bench", scopes=SCOPES), now=SystemClock().now()
        )
    return {"Authorization": f"Bearer {made.key}"}
