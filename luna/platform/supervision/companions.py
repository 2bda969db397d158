"""Supervise the processes of ``luna up`` beside the gateway, its companions.

These are workers, beat, executor, recorder and others.

A companion that dies is restarted, one that is no longer needed is ended, and one that reads its
settings only at its start is restarted when they change.
"""

import math
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from luna.platform.supervision.fork_server import ChildProcess, ForkServer

if TYPE_CHECKING:
    from luna.platform.settings import Settings

# Requests that somebody waits for have a worker of their own, which no job can occupy.
PLANNING = ("planner", "forecaster", "ingest", "agent", "notifier")
COMPANIONS = {
    "interactive worker": (
        "luna.platform.queue.worker",
        *PLANNING,
        "--only",
        "interactive",
        "--processes",
        "1",
    ),
    # Uploaded files and notifications wait for no training or replay. Answers of a language model
    # wait for no job, and take longer than a plan may wait.
    "worker": (
        "luna.platform.queue.worker",
        "--only",
        "jobs",
        "--own",
        "1",
        "ingest",
        "notifier",
        "--own",
        "2",
        "rag.interactive",
    ),
    "beat": ("luna.platform.queue.beat",),
    "executor": ("services.executor",),
    "steering": ("services.steering",),
    "ocpp": ("services.ocpp",),
    "recorder": ("services.ingest.live",),
    "home_assistant": ("services.home_assistant",),
    "backup": ("services.backup",),
    "simulated home": ("luna.simulated_home",),
}
# Where memory is short: one worker, and one process for its tasks. A training for one home takes 6
# s; the gateway is not ready once a plan has waited for 15.
ONE_WORKER = {
    "only worker": (
        "luna.platform.queue.worker",
        "--only",
        "jobs",
        "--own",
        "1",
        *(f"{service}.interactive" for service in PLANNING),
        "--own",
        "1",
        "ingest",
        "notifier",
        "--own",
        "2",
        "rag.interactive",
        "--turn-seconds",
        "8",
    )
}
# Processes that read their settings only at their start; a worker reads them for each task.
RESTARTED_ON_CHANGE = ("executor", "steering", "ocpp", "recorder", "home_assistant")
WATCH_SECONDS = 1.0
# From SIGTERM to SIGKILL, for a running task to finish; an interrupted task is done again at the
# next start.
GRACE_SECONDS = 30.0
# Executor and steering hand devices back within five seconds each.
FIRST_SECONDS = 10.0
_POLL_SECONDS = 0.05


def has_one_worker(settings: "Settings") -> bool:
    """Return whether one worker does everything, for want of memory.

    A number of processes in the settings takes precedence.
    """
    from luna.platform.memory import affordable_processes

    return affordable_processes() == 1 and "worker_processes" not in settings.model_fields_set


def choose_companions(settings: "Settings") -> Mapping[str, tuple[str, ...]]:
    """Return the commands of the companions by name."""
    if not has_one_worker(settings):
        return COMPANIONS
    others = {name: command for name, command in COMPANIONS.items() if "worker" not in name}
    return ONE_WORKER | others


# How often the database is read for devices to poll.
LOOK_SECONDS = 15.0


class PolledDevices:
    """Tells whether a site in the database has a sensor on a device that Luna polls.

    While the database is away, its last answer counts.
    """

    def __init__(self, database_url: str) -> None:
        self._database_url = database_url
        self._read_at = -math.inf
        self._has_sensor = False

    def __call__(self) -> bool:
        from luna.energy.devices.commands import PROFILED
        from luna.energy.errors import UnavailableError
        from luna.platform.database import engine, sites

        if time.monotonic() - self._read_at >= LOOK_SECONDS:
            self._read_at = time.monotonic()
            # A new connection for each reading: an open one occupies a server process all the time.
            database = engine.create(self._database_url, application_name="luna-up", pool_size=1)
            try:
                with engine.unit_of_work(database) as connection:
                    self._has_sensor = sites.names_sensor(connection, PROFILED)
            except UnavailableError:
                pass
            finally:
                database.dispose()
        return self._has_sensor


def _is_needed(name: str, settings: "Settings", polls_devices: Callable[[], bool]) -> bool:
    """Return whether a companion has to run with these settings."""
    from luna.contracts.simulated_home import SETUP_FILE

    if name == "home_assistant":
        return bool(settings.mqtt_url) and settings.mqtt_publish != "off"
    if name == "recorder":
        return bool(settings.home_assistant_url or settings.mqtt_url) or polls_devices()
    if name == "ocpp":
        return settings.ocpp_port > 0
    if name == "backup":
        return settings.backup_every is not None
    if name == "simulated home":
        return (settings.data_folder / SETUP_FILE).exists()
    return True


@contextmanager
def fork_servers(settings: "Settings") -> Iterator[Callable[[str], ForkServer]]:
    """Yield the choice of fork server by companion.

    Workers share the imports of their tasks, the others never load them.
    """
    shared = ForkServer("shared", here=True)
    tasks = ForkServer("tasks", parent=shared, alone=has_one_worker(settings))

    def choose_server(companion: str) -> ForkServer:
        return tasks if "worker" in companion else shared

    try:
        yield choose_server
    finally:
        tasks.close()
        shared.close()


@contextmanager
def companions(
    settings: "Settings", starters: Callable[[str], ForkServer], database_url: str
) -> Iterator["CompanionGroup"]:
    """Keep the needed companions running during the block.

    Its end waits until all their processes have ended.

    A second Ctrl-C interrupts the workers' tasks.
    """
    stop = threading.Event()
    kill_now = threading.Event()
    polls_devices = PolledDevices(database_url)
    commands = choose_companions(settings)
    running = [
        Companion(
            name, command, settings, kill_now, starter=starters(name), polls_devices=polls_devices
        )
        for name, command in commands.items()
    ]
    watches = [
        threading.Thread(target=companion.keep_running, args=(stop,), daemon=True)
        for companion in running
    ]
    for watch in watches:
        watch.start()
    group = CompanionGroup(running)
    try:
        yield group
    finally:
        try:
            # The others carry commands and confirmations until these have handed devices back.
            # The executor first: it would take the devices over from a steering that is away.
            group.end_first("executor")
            group.end_first("steering")
            stop.set()
            _join(watches)
        except (KeyboardInterrupt, SystemExit):
            stop.set()
            kill_now.set()
            _join(watches)


def _join(watches: list[threading.Thread]) -> None:
    for watch in watches:
        watch.join()


class CompanionGroup:
    """The companions that run."""

    def __init__(self, running: "Sequence[Companion]") -> None:
        self._running = running

    def begin_end(self, name: str) -> None:
        """Have a companion end now, ahead of the others.

        It is not started again. Safe in a signal handler.
        """
        for companion in self._running:
            if companion.name == name:
                companion.begin_end()

    def end_first(self, name: str) -> None:
        """Have a companion end now, and wait some seconds for that."""
        self.begin_end(name)
        deadline = time.monotonic() + FIRST_SECONDS
        while time.monotonic() < deadline:
            if not any(
                companion.name == name and companion.is_running for companion in self._running
            ):
                return
            time.sleep(_POLL_SECONDS)


class Companion:
    """One companion and its present process, by the current settings."""

    def __init__(
        self,
        name: str,
        command: Sequence[str],
        settings: "Settings",
        kill_now: threading.Event,
        *,
        starter: ForkServer,
        polls_devices: Callable[[], bool],
    ) -> None:
        self.name = name
        self._is_ending = False
        self._command = command
        self._settings = settings
        self._kill_now = kill_now
        self._starter = starter
        self._polls_devices = polls_devices
        self._stored: bytes | None = None
        self._process: ChildProcess | None = None

    def keep_running(self, stop: threading.Event) -> None:
        import structlog

        while True:
            try:
                self._reconcile()
            except Exception:  # noqa: BLE001
                # An edge: what cannot be done now may be possible a second later.
                # Memory for a fork, or the database, may be back later; a companion that is not
                # watched any more would stay dead.
                structlog.get_logger("luna.up").exception(
                    "process cannot be looked after and is tried again", name=self.name
                )
            if stop.wait(WATCH_SECONDS):
                break
        self._end()

    @property
    def is_running(self) -> bool:
        """Whether its process has not ended."""
        process = self._process
        return process is not None and process.poll() is None

    def begin_end(self) -> None:
        """Have the process end now, and start no other."""
        self._is_ending = True
        process = self._process
        if process is not None:
            process.terminate()

    def _reconcile(self) -> None:
        """Start the process if it is needed and does not run.

        End it if it is not needed or runs with old settings.
        """
        import structlog

        if self._process is not None and self._process.poll() is not None and not self._is_ending:
            structlog.get_logger("luna.up").error(
                "process died and is started again",
                name=self.name,
                exit_code=self._process.returncode,
            )
            self._end()
        changed = self._read_settings()
        needed = not self._is_ending and _is_needed(self.name, self._settings, self._polls_devices)
        if not needed or (changed and self.name in RESTARTED_ON_CHANGE):
            self._end()
        if needed and self._process is None:
            # In a session of its own: Ctrl-C reaches this process alone, which ends the companion
            # after the gateway.
            self._process = self._starter.start(
                ["luna.platform.supervision.parent_watch", *self._command]
            )
            threading.Thread(target=pass_on_log, args=(self._process,), daemon=True).start()

    def _read_settings(self) -> bool:
        import structlog

        from luna.energy.errors import LunaError
        from luna.platform.settings.stored import refresh_settings

        before = self._stored
        try:
            self._settings, self._stored = refresh_settings(self._settings, before or b"")
        except LunaError as error:
            structlog.get_logger("luna.up").error("stored settings are left out", error=str(error))
        return before is not None and before != self._stored

    def _end(self) -> None:
        if self._process is not None:
            _end(self._process, self._kill_now)
            self._process = None


def pass_on_log(process: ChildProcess) -> None:
    """Copy a companion's log to this process's standard error.

    On a terminal for people, and its last lines to the buffer of the log page.
    """
    from luna.platform.telemetry import RECENT_LINES, describe_line

    on_terminal = sys.stderr.isatty()
    # Ending the process closes the pipe that this thread reads: ValueError.
    with suppress(ValueError):
        for line in process.stderr or ():
            text = line.decode("utf-8", "replace").rstrip("\n")
            RECENT_LINES.append(text)
            shown = f"{describe_line(text)}\n".encode() if on_terminal else line
            # On a full disk lines are lost; left unread, they would fill the pipe and block the
            # companion.
            with suppress(OSError):
                sys.stderr.buffer.write(shown)
                sys.stderr.buffer.flush()


def _end(process: ChildProcess, kill_now: threading.Event) -> None:
    with process:
        process.terminate()
        deadline = time.monotonic() + GRACE_SECONDS
        while process.poll() is None and time.monotonic() < deadline and not kill_now.is_set():
            time.sleep(_POLL_SECONDS)
        # The rest of its session: a worker's pool of processes.
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
