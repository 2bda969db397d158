"""``luna up`` as an owner runs it, in a folder and on ports of its own; its processes as the kernel lists them."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import httpx
import psycopg

START_SECONDS = 400.0
END_SECONDS = 90.0
# What an owner's service manager does with a supervisor that died.
RESTART_SECONDS = 2.0
UP = (sys.executable, "-c", "from services.cli.main import main; main()", "up")
# What a command line holds, and what its process is called here; a child with its parent's command line is one of a pool.
KINDS = {
    "services.cli.main": "supervisor with gateway",
    "luna.platform.queue.worker planner": "worker for plans",
    "luna.platform.queue.worker rag": "worker for knowledge",
    "luna.platform.queue.worker ingest": "worker for files",
    "luna.platform.queue.worker --only jobs": "worker for jobs",
    "luna.platform.queue.beat": "beat",
    "services.executor": "executor",
    "services.ingest.live": "recorder",
    "services.home_assistant": "home_assistant",
    "services.backup": "backup",
    "pg_receivewal": "receiver of the write-ahead log",
    "postgres: ": "PostgreSQL, a process of it",
    "postgres -D": "PostgreSQL",
    "redis-server": "Redis",
    "valkey-server": "Redis",
}
POOLED = ", a process of it"


@dataclass(frozen=True, slots=True)
class Process:
    """A process of the stack."""

    pid: int
    kind: str


class Stack:
    """The stack of one folder. ``restarts`` counts how often its supervisor was started again.

    Args:
        folder: of its data.
        port: of its gateway.
        settings: ``LUNA_…`` of the supervisor.
        log: where it logs, on another disk.
    """

    def __init__(self, folder: Path, port: int, settings: Mapping[str, str], *, log: Path) -> None:
        self.folder, self.url = folder, f"http://127.0.0.1:{port}"
        self.restarts = 0
        self._log = log
        own = {"LUNA_DATA_FOLDER": str(folder), "LUNA_API_PORT": str(port), **settings}
        self._environment = {name: value for name, value in os.environ.items() if not name.startswith("LUNA_")} | own
        self._supervisor: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start the supervisor and wait until its gateway is ready.

        Raises:
            RuntimeError: it is not ready in time.
        """
        self._spawn()
        deadline = time.monotonic() + START_SECONDS
        while not self.answers("ready"):
            if time.monotonic() > deadline:
                raise RuntimeError(f"Luna is not ready after {START_SECONDS:g} s; {self._log} says why")
            self.watch()
            time.sleep(0.2)

    def start_anew(self, environment: Mapping[str, str]) -> None:
        """End everything and start it again with ``environment`` beside its own."""
        self.end()
        self._environment |= environment
        self.start()

    def watch(self) -> None:
        """Start the supervisor again where it died, as a service manager would."""
        if self._supervisor is not None and self._supervisor.poll() is not None:
            time.sleep(RESTART_SECONDS)
            self.restarts += 1
            self._spawn()

    def end(self) -> None:
        """End it as an owner would, and whatever is left of it at once."""
        if self._supervisor is not None:
            self._supervisor.send_signal(signal.SIGINT)
            with suppress(subprocess.TimeoutExpired):
                self._supervisor.wait(END_SECONDS)
        for process in self.processes():
            with suppress(ProcessLookupError):
                os.kill(process.pid, signal.SIGKILL)

    def answers(self, question: str) -> bool:
        """Whether the gateway says that it is ``live`` or ``ready``."""
        with httpx.Client(trust_env=False, timeout=5) as client, suppress(httpx.HTTPError):
            return client.get(f"{self.url}/health/{question}").status_code == httpx.codes.OK
        return False

    def processes(self) -> list[Process]:
        """Return the processes that were started with this folder, and their children."""
        parents, lines = _read_table()
        marker = f"LUNA_DATA_FOLDER={self.folder}".encode()
        own = {pid for pid in lines if marker in _read_environment(pid)}
        while children := {pid for pid, parent in parents.items() if parent in own} - own:
            own |= children
        return [Process(pid, kind) for pid in sorted(own) if (kind := _name_kind(lines[pid], lines.get(parents[pid], ""))) is not None]

    @property
    def kinds(self) -> set[str]:
        """What runs."""
        return {process.kind for process in self.processes()}

    @property
    def ports(self) -> dict[str, int]:
        """On which ports PostgreSQL and Redis listen."""
        state: dict[str, dict[str, int]] = json.loads((self.folder / "servers" / "servers.json").read_text(encoding="utf-8"))
        return state["ports"]

    @contextmanager
    def database(self) -> Iterator[psycopg.Connection]:
        """Open the database past the product."""
        state = json.loads((self.folder / "servers" / "servers.json").read_text(encoding="utf-8"))
        address = f"postgresql://luna:{quote(state['password'], safe='')}@127.0.0.1:{state['ports']['postgres']}/postgres?sslmode=disable"
        with psycopg.connect(address, connect_timeout=15, autocommit=True, options="-c statement_timeout=60000") as connection:
            yield connection

    def _spawn(self) -> None:
        with self._log.open("ab") as log:
            self._supervisor = subprocess.Popen(UP, env=self._environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True)


def _read_table() -> tuple[dict[int, int], dict[int, str]]:
    """Return parent and command line of each process that is no zombie."""
    parents: dict[int, int] = {}
    lines: dict[int, str] = {}
    for folder in Path("/proc").iterdir():
        if not folder.name.isdecimal():
            continue
        with suppress(OSError):
            state, parent = (folder / "stat").read_text().rpartition(")")[2].split()[:2]
            line = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
            if state != "Z":
                parents[int(folder.name)], lines[int(folder.name)] = int(parent), line
    return parents, lines


def _read_environment(pid: int) -> bytes:
    try:
        return Path(f"/proc/{pid}/environ").read_bytes()
    except OSError:
        return b""


def _name_kind(line: str, parent: str) -> str | None:
    kind = next((kind for words, kind in KINDS.items() if words in line), None)
    return f"{kind}{POOLED}" if kind is not None and line == parent else kind
