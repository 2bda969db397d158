"""Brings one server up: joins it where it runs, starts it where it does not, and waits until it answers."""

import os
import signal
import subprocess
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

from luna.embedded.account import account_for, make_reachable
from luna.embedded.binaries import find_postgres, find_redis
from luna.embedded.locks import PAUSE_SECONDS, open_lock, take
from luna.embedded.postgres import Postgres
from luna.embedded.process import Launch, explain_failure, is_lasting, spawn
from luna.embedded.redis import Redis
from luna.embedded.state import State, choose_port, save_state
from luna.errors import MachineError

# A server that lives may recover for long; one that keeps dying (the remains of a killed one are in its way) gets less time.
ANSWER_SECONDS = 60.0
RETRY_SECONDS = 20.0
RETRY_PAUSE_SECONDS = 0.25
LOG_TAIL_BYTES = 4_000


class Server(Protocol):
    """What starting and stopping need to know about a server."""

    @property
    def name(self) -> str: ...
    @property
    def stop_signals(self) -> tuple[signal.Signals, ...]: ...
    def prepare(self) -> None: ...
    def launch(self, port: int) -> Launch: ...
    def answers(self, port: int) -> bool: ...
    def url(self, port: int) -> str: ...


@dataclass(frozen=True)
class Files:
    """A server's files beside its data."""

    lock: Path
    log: Path


def files_of(folder: Path, name: str) -> Files:
    return Files(folder / f"{name}.lock", folder / f"{name}.log")


def build_server(name: str, state: State) -> Server:
    """Return the server of that name with the programs of this machine.

    Raises:
        MachineError: the programs are nowhere.
    """
    home = Path(state.home)
    account = account_for(home / name)
    if name == "postgres":
        return Postgres(make_reachable(find_postgres(), account), home, account, state.password)
    programs, program = find_redis()
    return Redis(make_reachable(programs, account) / program, home, account, state.password)


def bring_up(server: Server, folder: Path, state: State) -> tuple[State, subprocess.Popen[bytes] | None]:
    """Return the state with the server's port, and the process where this call started it.

    Raises:
        MachineError: it does not start or does not answer; its last words and the remedy.
    """
    attempt = Attempt(server, files_of(folder, server.name))
    started = time.monotonic()
    while time.monotonic() < started + ANSWER_SECONDS:
        lock = open_lock(attempt.files.lock)
        try:
            if is_dead := take(lock):
                attempt.check_failure(gave_up=time.monotonic() > started + RETRY_SECONDS)
                state = _remember_port(server, folder, state)
                attempt.spawn(lock, state.ports[server.name])
        finally:
            os.close(lock)
        if not is_dead and server.answers(state.ports.get(server.name, 0)):
            return state, attempt.child
        time.sleep(PAUSE_SECONDS)
    raise MachineError(f"{server.name} runs and does not answer", value=str(attempt.files.lock), remedy="End the process whose number stands in this file.")


class Attempt:
    """The tries of one start."""

    def __init__(self, server: Server, files: Files) -> None:
        self.files = files
        self.child: subprocess.Popen[bytes] | None = None
        self._server = server
        self._log_start = 0

    def spawn(self, lock: int, port: int) -> None:
        self._log_start = self.files.log.stat().st_size if self.files.log.exists() else 0
        self.child = spawn(self._server.launch(port), lock=lock, log=self.files.log)

    def check_failure(self, *, gave_up: bool) -> None:
        """Raise where the last try failed for good, pause where another try may help, or prepare the first try."""
        if self.child is None:
            self._server.prepare()
            return
        words = self._last_words()
        if gave_up or is_lasting(words):
            raise explain_failure(f"{self._server.name} does not start", words, self.files.log)
        time.sleep(RETRY_PAUSE_SECONDS)

    def _last_words(self) -> str:
        with self.files.log.open("rb") as log:
            log.seek(max(self._log_start, log.seek(0, os.SEEK_END) - LOG_TAIL_BYTES))
            return log.read().decode(errors="replace")


def _remember_port(server: Server, folder: Path, state: State) -> State:
    port = choose_port(state.ports.get(server.name))
    if port == state.ports.get(server.name):
        return state
    state = replace(state, ports={**state.ports, server.name: port})
    save_state(folder, state)
    return state
