"""Start the embedded PostgreSQL and Redis of a folder.

They are shared by several processes, and stopped by the last one that leaves.
"""

import atexit
import fcntl
import os
import signal
import subprocess
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from types import TracebackType
from typing import Protocol, Self

import structlog

from luna.energy.errors import InvalidInputError, MachineError
from luna.platform.embedded import process
from luna.platform.embedded.account import (
    PAUSE_SECONDS,
    account_for,
    is_locked,
    make_own_folder,
    make_reachable,
    one_at_a_time,
    open_lock,
    take,
)
from luna.platform.embedded.binaries import find_postgres, find_redis
from luna.platform.embedded.process import (
    Launch,
    ending_in_order,
    explain_failure,
    is_lasting,
    spawn,
    uninterrupted,
)
from luna.platform.embedded.servers import Postgres, Redis
from luna.platform.embedded.state import State, choose_port, load_state, save_state
from luna.platform.private_folders import shut_folders
from luna.platform.retry import RetryPolicy
from luna.platform.settings import Settings

# A live server may take long to recover its data.
ANSWER_SECONDS = 60.0
# One that exits at once is usually blocked by processes of a killed one, which are gone within
# seconds.
RETRY_SECONDS = 20.0
START_RETRY = RetryPolicy(timedelta(seconds=0.25), growth=1)
LOG_TAIL_BYTES = 4_000


class Server(Protocol):
    """A kind of server that can be started in a folder and stopped by signals."""

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
    """A server's lock, locked while it lives, and its log."""

    lock: Path
    log: Path


def _files_of(folder: Path, name: str) -> Files:
    return Files(folder / f"{name}.lock", folder / f"{name}.log")


def _build_server(name: str, state: State) -> Server:
    """Return the server of that name with the executables found on this machine.

    Raises:
        MachineError: there are none.
    """
    home = Path(state.home)
    account = account_for(home / name)
    if name == "postgres":
        return Postgres(make_reachable(find_postgres(), account), home, account, state.password)
    programs, program = find_redis()
    return Redis(make_reachable(programs, account) / program, home, account, state.password)


def bring_up(
    server: Server, folder: Path, state: State
) -> tuple[State, subprocess.Popen[bytes] | None]:
    """Return the state with the server's port, and the process where this call started it.

    Raises:
        MachineError: it does not start or does not answer; with the end of its log and a remedy.
    """
    attempt = _Attempt(server, _files_of(folder, server.name))
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
    raise MachineError(
        f"{server.name} runs and does not answer",
        value=str(attempt.files.lock),
        remedy="End the process whose number stands in this file.",
    )


class _Attempt:
    """One start of a server with its retries."""

    def __init__(self, server: Server, files: Files) -> None:
        self.files = files
        self.child: subprocess.Popen[bytes] | None = None
        self._server = server
        self._log_start = 0
        self._failures = 0

    def spawn(self, lock: int, port: int) -> None:
        self._log_start = self.files.log.stat().st_size if self.files.log.exists() else 0
        self.child = spawn(self._server.launch(port), lock=lock, log=self.files.log)

    def check_failure(self, *, gave_up: bool) -> None:
        """Raise if the last try failed for good, pause before another, or prepare the first."""
        if self.child is None:
            self._server.prepare()
            return
        with self.files.log.open("rb") as log:
            log.seek(max(self._log_start, log.seek(0, os.SEEK_END) - LOG_TAIL_BYTES))
            log_tail = log.read().decode(errors="replace")
        if gave_up or is_lasting(log_tail):
            raise explain_failure(f"{self._server.name} does not start", log_tail, self.files.log)
        self._failures += 1
        time.sleep(START_RETRY.pause(self._failures).total_seconds())


def _remember_port(server: Server, folder: Path, state: State) -> State:
    port = choose_port(state.ports.get(server.name))
    if port == state.ports.get(server.name):
        return state
    state = replace(state, ports={**state.ports, server.name: port})
    save_state(folder, state)
    return state


SERVICES = ("postgres", "redis")
WATCH_SECONDS = 1.0

log = structlog.get_logger("luna.embedded")


@dataclass(frozen=True)
class Addresses:
    """URLs of database and queue, both with their passwords."""

    database_url: str
    redis_url: str


class Servers:
    """This process's use of the servers in one folder.

    Invariants: servers live as long as any process uses them; the last ``stop`` returns when no
    process of theirs is left.
    """

    def __init__(self, folder: Path) -> None:
        make_own_folder(folder, holds_servers=True)
        self.folder = folder.resolve()
        self._users: int | None = None
        self._pid = os.getpid()
        self.urls: dict[str, str] = {}
        self._children: dict[str, subprocess.Popen[bytes]] = {}
        self._at_exit = ExitStack()

    @property
    def database_url(self) -> str:
        return self.urls["postgres"]

    @property
    def redis_url(self) -> str:
        return self.urls["redis"]

    def bring_up(self, services: Sequence[str] = SERVICES) -> None:
        """Start the servers that do not run and join those that do.

        Called again, it restarts those that died.

        Raises:
            MachineError: a server cannot run on this machine; names folder and remedy.
        """
        with one_at_a_time(self.folder / "lock"):
            if self._users is None:
                self._users = open_lock(self.folder / "users.lock")
                take(self._users, fcntl.LOCK_SH)
                atexit.register(self.stop)
            state = load_state(self.folder)
            for name in services:
                server = _build_server(name, state)
                state, child = bring_up(server, self.folder, state)
                self.urls[name] = server.url(state.ports[name])
                if child is not None:
                    self._children[name] = child

    @contextmanager
    def restarting(self) -> Iterator[None]:
        """Restart servers that die while the block runs."""
        stop = threading.Event()
        watch = threading.Thread(target=self._watch, args=(stop,), daemon=True)
        watch.start()
        try:
            yield
        finally:
            stop.set()
            watch.join()

    def stop(self) -> None:
        """Leave; stop the servers if no other process uses them."""
        atexit.unregister(self.stop)
        # A forked child inherits its parent's lock: the parent releases it.
        if self._users is None or os.getpid() != self._pid:
            return
        users = self._users
        self._users = None
        try:
            with uninterrupted():
                self._leave(users)
        finally:
            os.close(users)

    def __enter__(self) -> Self:
        self._at_exit.enter_context(ending_in_order())
        self._at_exit.callback(self.stop)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._at_exit.close()

    def _watch(self, stop: threading.Event) -> None:
        while not stop.wait(WATCH_SECONDS):
            dead = [name for name in self.urls if not is_locked(_files_of(self.folder, name).lock)]
            if dead:
                log.warning("server died and is started again", servers=dead)
                try:
                    self.bring_up(dead)
                except MachineError as error:
                    # Tried again at the next look.
                    log.error("server does not come back", error=str(error))  # noqa: TRY400

    def _leave(self, users: int) -> None:
        if not self.folder.exists():
            # Somebody removed the data of running servers, and the locks with it: no other process
            # can stop them.
            for child in self._children.values():
                child.kill()
                child.wait()
            return
        with one_at_a_time(self.folder / "lock"):
            if take(users):
                self._stop_all()

    def _stop_all(self) -> None:
        # Callbacks run in reverse: first the signals, then the wait that reaps this process's
        # children.
        with ExitStack() as stack:
            for child in self._children.values():
                stack.callback(child.wait, timeout=process.STOP_SECONDS)
            for kind in (Postgres, Redis):
                lock = _files_of(self.folder, kind.name).lock
                if is_locked(lock):
                    stack.callback(process.end, lock, kind.stop_signals)


def start(folder: Path, *, services: Sequence[str] = SERVICES) -> Servers:
    """Start the servers of ``folder``, or join them where another process has started them.

    Raises:
        MachineError: a program is missing, the folder cannot be written, the disk is full; names
            the remedy.
    """
    servers = Servers(folder)
    try:
        servers.bring_up(services)
    except BaseException:
        servers.stop()
        raise
    return servers


@contextmanager
def running(settings: Settings, *, keep_alive: bool = False) -> Iterator[Addresses]:
    """Yield the addresses in the settings.

    For those they leave out, of embedded servers that run under ``data_folder`` during the block.

    Args:
        settings: with the addresses, or the folder of the embedded servers.
        keep_alive: restart embedded servers that die meanwhile; for a long-running process.

    Raises:
        InvalidInputError: the queue's address is none of a Redis; the value is not shown, for it
            may hold a password.
        MachineError: as in ``start``.
    """
    configured = {"postgres": settings.database_url, "redis": settings.redis_url}
    urls = {name: url.get_secret_value() for name, url in configured.items() if url is not None}
    if not urls.get("redis", "redis://").startswith(("redis://", "rediss://")):
        raise InvalidInputError(
            "no address of a Redis",
            field="LUNA_REDIS_URL",
            remedy="Write redis://:password@host:6379/0, or rediss:// for TLS.",
        )
    to_start = [name for name in SERVICES if name not in urls]
    shut_folders(settings.data_folder)
    with ending_in_order(), ExitStack() as stack:
        if to_start:
            servers = stack.enter_context(
                start(settings.data_folder / "servers", services=to_start)
            )
            urls |= servers.urls
            if keep_alive:
                stack.enter_context(servers.restarting())
        yield Addresses(database_url=urls["postgres"], redis_url=urls["redis"])
