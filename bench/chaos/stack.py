"""Run ``luna up`` as an owner does, in a separate folder and on separate ports, and list its
processes by kind.
"""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Self
from urllib.parse import quote

import httpx
import psutil
import psycopg

from bench.waiting import wait_until

START_SECONDS = 400.0
END_SECONDS = 90.0
# A service manager restarts a dead supervisor after this.
RESTART_SECONDS = 2.0
UP = (sys.executable, "-c", "from services.cli.main import main; main()", "up")
# Kind of process by a part of its command line; a child with its parent's command line belongs to a
# pool.
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


class Stack:
    """A Luna in one folder; it runs while the block does.

    Args:
        folder: of its data.
        port: of its gateway.
        settings: further settings of Luna.
        log: its log file, on another disk.
    """

    def __init__(self, folder: Path, port: int, settings: Mapping[str, str], *, log: Path) -> None:
        self.folder = folder
        self.url = f"http://127.0.0.1:{port}"
        self._log = log
        own = {
            f"LUNA_{name.upper()}": value
            for name, value in {
                "data_folder": str(folder),
                "api_port": str(port),
                **settings,
            }.items()
        }
        self._environment = {
            name: value for name, value in os.environ.items() if not name.startswith("LUNA_")
        } | own
        self._supervisor: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.end()

    def start(self) -> None:
        """Start the supervisor and wait until its gateway is ready.

        Raises:
            TimeoutError: it is not ready in time.
        """
        self._spawn()
        wait_until(
            self._is_ready,
            seconds=START_SECONDS,
            what=f"Luna is ready; {self._log} says why",
            despite=(httpx.HTTPError,),
        )

    def start_anew(self, environment: Mapping[str, str]) -> None:
        """Restart everything with ``environment`` added."""
        self.end()
        self._environment |= environment
        self.start()

    def watch(self) -> None:
        """Restart a dead supervisor, as a service manager would."""
        if self._supervisor is not None and self._supervisor.poll() is not None:
            time.sleep(RESTART_SECONDS)
            self._spawn()

    def end(self) -> None:
        """Stop it by SIGINT, as an owner would; kill the processes that are left."""
        if self._supervisor is not None:
            self._supervisor.send_signal(signal.SIGINT)
            with suppress(subprocess.TimeoutExpired):
                self._supervisor.wait(END_SECONDS)
        for process in self.processes():
            with suppress(psutil.NoSuchProcess):
                process.kill()

    def processes(self) -> dict[psutil.Process, str]:
        """Return the processes of this folder and their descendants, each with its kind."""
        every = {
            process.pid: process
            for process in psutil.process_iter(["ppid", "cmdline", "environ", "status"])
        }
        every = {
            pid: process
            for pid, process in every.items()
            if process.info["status"] != psutil.STATUS_ZOMBIE
        }
        lines = {pid: " ".join(process.info["cmdline"] or ()) for pid, process in every.items()}
        own = {
            pid
            for pid, process in every.items()
            if (process.info["environ"] or {}).get("LUNA_DATA_FOLDER") == str(self.folder)
        }
        while (
            children := {pid for pid, process in every.items() if process.info["ppid"] in own} - own
        ):
            own |= children
        found = {}
        for pid in sorted(own):
            if kind := next((kind for words, kind in KINDS.items() if words in lines[pid]), None):
                found[every[pid]] = (
                    f"{kind}{POOLED}" if lines[pid] == lines.get(every[pid].info["ppid"]) else kind
                )
        return found

    @property
    def ports(self) -> dict[str, int]:
        """The ports of PostgreSQL and Redis."""
        ports: dict[str, int] = self._servers()["ports"]
        return ports

    @contextmanager
    def database(self) -> Iterator[psycopg.Connection]:
        """Connect to the database directly, without Luna's code."""
        state = self._servers()
        address = (
            f"postgresql://luna:{quote(state['password'], safe='')}"
            f"@127.0.0.1:{state['ports']['postgres']}/postgres?sslmode=disable"
        )
        with psycopg.connect(
            address, connect_timeout=15, autocommit=True, options="-c statement_timeout=60000"
        ) as connection:
            yield connection

    def _servers(self) -> dict[str, Any]:
        state: dict[str, Any] = json.loads(
            (self.folder / "servers" / "servers.json").read_text(encoding="utf-8")
        )
        return state

    def _is_ready(self) -> bool:
        self.watch()
        return (
            httpx.get(f"{self.url}/health/ready", trust_env=False, timeout=5).status_code
            == httpx.codes.OK
        )

    def _spawn(self) -> None:
        with self._log.open("ab") as log:
            self._supervisor = subprocess.Popen(
                UP,
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
