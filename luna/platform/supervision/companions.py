"""What runs beside the gateway: which processes, and that each runs for as long as it is needed.

A companion that dies is started again, one that is not needed any more is ended, and one that reads its settings at its start is started anew when they change.
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

# What somebody waits for has a worker that no job can fill.
PLANNING = ("planner", "forecaster", "ingest", "agent", "notifier")
COMPANIONS = {
    "interactive worker": ("luna.platform.queue.worker", *PLANNING, "--only", "interactive", "--processes", "1"),
    # Files that are handed over and messages to the phone wait for no training or replay; an answer that a language model words waits for no job, and takes
    # longer than a plan may wait.
    "worker": ("luna.platform.queue.worker", "--only", "jobs", "--own", "1", "ingest", "notifier", "--own", "2", "rag.interactive"),
    "beat": ("luna.platform.queue.beat",),
    "executor": ("services.executor",),
    "recorder": ("services.ingest.live",),
    "home_assistant": ("services.home_assistant",),
    "backup": ("services.backup",),
    "simulated home": ("services.simulated_home",),
}
# Where memory is short: one worker, and one process for its tasks. A training for one home takes 6 s; the gateway is not ready once a plan has waited for 15.
ONE_WORKER = {
    "only worker": (
        "luna.platform.queue.worker", "--only", "jobs", "--own", "1", *(f"{service}.interactive" for service in PLANNING),
        "--own", "1", "ingest", "notifier", "--own", "2", "rag.interactive", "--turn-seconds", "8",
    )
}  # fmt: skip
# Processes that read their settings once, at their start; a worker looks at each task.
STARTED_ANEW = ("executor", "recorder", "home_assistant")
WATCH_SECONDS = 1.0
# How often the database is asked whether there are devices to ask.
LOOK_SECONDS = 15.0
PAUSE_SECONDS = 0.05
# What a task under way gets to end by itself; a task that is cut off is done again at the next start.
GRACE_SECONDS = 30.0


def has_one_worker(settings: "Settings") -> bool:
    """Return whether one worker does everything: where memory suffices for one job alone, and no setting names a number."""
    from luna.platform.memory import affordable_processes

    return affordable_processes() == 1 and "worker_processes" not in settings.model_fields_set


def choose_companions(settings: "Settings") -> Mapping[str, tuple[str, ...]]:
    """Return the commands of what runs beside the gateway."""
    if not has_one_worker(settings):
        return COMPANIONS
    return ONE_WORKER | {name: command for name, command in COMPANIONS.items() if "worker" not in name}


class PolledDevices:
    """Whether a site names a sensor of a device that Luna polls itself, read from the database every few seconds; the last answer while it is away."""

    def __init__(self, database_url: str) -> None:
        self._database_url = database_url
        self._looked_at = -math.inf
        self._named = False

    def __call__(self) -> bool:
        from luna.energy.devices.battery import PROFILED
        from luna.energy.errors import UnavailableError
        from luna.platform.database import engine, sites

        if time.monotonic() - self._looked_at >= LOOK_SECONDS:
            self._looked_at = time.monotonic()
            # A connection that is held for this would take more memory than a new one takes time.
            database = engine.create(self._database_url, application_name="luna-up", pool_size=1)
            try:
                with engine.unit_of_work(database) as connection:
                    self._named = sites.names_sensor(connection, PROFILED)
            except UnavailableError:
                pass
            finally:
                database.dispose()
        return self._named


def _is_needed(name: str, settings: "Settings", polls_devices: Callable[[], bool]) -> bool:
    """Return whether a companion has to run: the recorder only where there is something to listen to, what speaks to Home Assistant only where wanted."""
    from luna.platform.simulated_home.files import HomeFiles

    needless = {"home_assistant": not settings.mqtt_url or settings.mqtt_publish == "off"}
    needless["recorder"] = name == "recorder" and not (settings.home_assistant_url or settings.mqtt_url or polls_devices())
    needless["backup"] = settings.backup_every is None
    needless["simulated home"] = not HomeFiles(settings.data_folder).is_there
    return not needless.get(name, False)


@contextmanager
def fork_servers(settings: "Settings") -> Iterator[Callable[[str], ForkServer]]:
    """Yield which fork server starts a companion: workers share what their tasks need, the others never load it."""
    shared = ForkServer("shared", here=True)
    tasks = ForkServer("tasks", parent=shared, alone=has_one_worker(settings))
    try:
        yield lambda name: tasks if "worker" in name else shared
    finally:
        tasks.close()
        shared.close()


@contextmanager
def companions(settings: "Settings", starters: Callable[[str], ForkServer], database_url: str) -> Iterator[None]:
    """Run the companions that are needed, and another one whenever one dies; at the end return when no process of theirs is left.

    A second Ctrl-C cuts the worker's tasks off.
    """
    stop, hurry, polls_devices = threading.Event(), threading.Event(), PolledDevices(database_url)
    commands = choose_companions(settings)
    running = [_Companion(name, command, settings, hurry, starter=starters(name), polls_devices=polls_devices) for name, command in commands.items()]
    watches = [threading.Thread(target=companion.keep_running, args=(stop,), daemon=True) for companion in running]
    for watch in watches:
        watch.start()
    try:
        yield
    finally:
        stop.set()
        try:
            _join(watches)
        except (KeyboardInterrupt, SystemExit):
            hurry.set()
            _join(watches)


def _join(watches: list[threading.Thread]) -> None:
    for watch in watches:
        watch.join()


class _Companion:
    """What runs beside the gateway, by the settings that hold."""

    def __init__(
        self, name: str, command: Sequence[str], settings: "Settings", hurry: threading.Event, *, starter: ForkServer, polls_devices: Callable[[], bool]
    ) -> None:
        self._name, self._command, self._settings, self._hurry, self._starter = name, command, settings, hurry, starter
        self._polls_devices = polls_devices
        self._stored: bytes | None = None
        self._process: ChildProcess | None = None

    def keep_running(self, stop: threading.Event) -> None:
        self.look()
        while not stop.wait(WATCH_SECONDS):
            self.look()
        self._end()

    def look(self) -> None:
        """Start what should run and does not; end what should not, or what runs by settings that were changed."""
        import structlog

        if self._process is not None and self._process.poll() is not None:
            structlog.get_logger("luna.up").error("process died and is started again", name=self._name, exit_code=self._process.returncode)
            self._end()
        changed = self._read_settings()
        needed = _is_needed(self._name, self._settings, self._polls_devices)
        if not needed or (changed and self._name in STARTED_ANEW):
            self._end()
        if needed and self._process is None:
            # In a session of its own: Ctrl-C reaches this process, which ends it after the gateway.
            self._process = self._starter.start(["luna.platform.supervision.parent_watch", *self._command])
            threading.Thread(target=_pass_on, args=(self._process,), daemon=True).start()

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
            _end(self._process, self._hurry)
            self._process = None


def _pass_on(process: ChildProcess) -> None:
    """Write what a companion logs where this process logs, and keep the last of it for the page that shows it."""
    from luna.platform.telemetry import RECENT_LINES

    # It is closed while this reads where the process is ended.
    with suppress(ValueError):
        for line in process.stderr or ():
            RECENT_LINES.append(line.decode("utf-8", "replace").rstrip("\n"))
            # A log on a full disk misses lines; unread they would fill the pipe and stop the companion at its next one.
            with suppress(OSError):
                sys.stderr.buffer.write(line)
                sys.stderr.buffer.flush()


def _end(process: ChildProcess, hurry: threading.Event) -> None:
    with process:
        process.terminate()
        deadline = time.monotonic() + GRACE_SECONDS
        while process.poll() is None and time.monotonic() < deadline and not hurry.is_set():
            time.sleep(PAUSE_SECONDS)
        # What is left of it and its pool.
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
