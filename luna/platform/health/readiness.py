"""Check the dependencies of a process in parallel.

Each check has a latency and a time-out of two seconds.
"""

import threading
import time
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import Future, wait
from contextlib import contextmanager, suppress
from datetime import timedelta
from pathlib import Path
from typing import Any

import structlog
from prometheus_client import Gauge

from luna.contracts.health import SIGNS_MISSED, Check
from luna.energy.errors import LunaError, MachineError, UnavailableError
from luna.platform.health.probes import PATIENCE, Probe
from luna.platform.telemetry import without_secrets

# Check of a process's own loop.
ALIVE = "heartbeat"
# Check that a worker receives waiting messages.
TAKES = "messages"
# Codes of faults: no answer in time, and an error of the check itself.
SLOW = "slow"
CRASHED = "crashed"

log = structlog.get_logger("luna.health")


class Liveness:
    """The heartbeat of a process's main loop.

    Alive while the last beat is younger than three intervals.

    Args:
        every: interval between beats.
        file: touched at every beat, for external monitors of its age; None: no file.

    Raises:
        MachineError: ``file`` cannot be written.
    """

    def __init__(self, every: timedelta, file: Path | None = None) -> None:
        self.every = every
        self._file = file
        try:
            self._beat()
        except OSError as exc:
            remedy = "Name a file in a folder that Luna can write."
            raise MachineError(
                f"the heartbeat cannot be written: {exc.strerror}",
                field="LUNA_HEARTBEAT_FILE",
                value=str(file),
                remedy=remedy,
            ) from exc

    def beat(self) -> None:
        """Record a turn of the loop."""
        try:
            self._beat()
        except OSError as exc:
            log.warning("heartbeat cannot be written", file=str(self._file), error=str(exc))

    @property
    def age_seconds(self) -> float:
        """Seconds since the last beat."""
        return time.monotonic() - self._beaten_at

    def probe(self) -> str:
        """Return the age of the last beat, in words.

        Raises:
            UnavailableError: it is too old.
        """
        age = f"last beat {self.age_seconds:.1f} s ago"
        if self.age_seconds > SIGNS_MISSED * self.every.total_seconds():
            raise UnavailableError(
                f"the loop stands still, {age}",
                remedy="Restart it if this lasts; what it holds goes to another.",
            )
        return age

    def _beat(self) -> None:
        self._beaten_at = time.monotonic()
        if self._file is not None:
            self._file.touch()


REFRESH = timedelta(seconds=10)
PROBE_THREAD = "probe-"

UP = Gauge(
    "luna_health_dependency_up",
    "Whether a dependency of this process answered at the last look: 1 or 0.",
    ["dependency"],
)
SECONDS = Gauge(
    "luna_health_dependency_seconds",
    "How long a dependency took to answer at the last look.",
    ["dependency"],
)


class Readiness:
    """The last checks of a process's dependencies. Thread-safe.

    Args:
        probes: by name; each returns a detail or raises a LunaError.
        patience: time-out of a probe.
    """

    def __init__(self, probes: Mapping[str, Probe], *, patience: timedelta = PATIENCE) -> None:
        self._probes = probes
        self._patience = patience
        self._looking = threading.Lock()
        self._turned_at: float | None = None
        self.checks: tuple[Check, ...] = ()

    def look(self) -> tuple[Check, ...]:
        """Check every dependency now; store the outcome in ``checks`` and in the metrics."""
        with self._looking:
            self.checks = checks = check_all(self._probes, patience=self._patience)
            for check in checks:
                UP.labels(check.name).set(check.ok)
                SECONDS.labels(check.name).set(check.latency_ms / 1000)
        return checks

    @contextmanager
    def at_rest(self) -> Iterator[bool]:
        """Yield whether no probe is running, not even a late one.

        None starts while the block runs.
        """
        free = self._looking.acquire(blocking=False)
        try:
            names = [thread.name for thread in threading.enumerate()]
            yield free and not any(name.startswith(PROBE_THREAD) for name in names)
        finally:
            if free:
                self._looking.release()

    def watch(self, *, every: timedelta = REFRESH) -> None:
        """Check periodically in a separate thread until the process ends."""
        self._turned_at = time.monotonic()
        threading.Thread(target=self._watch, args=(every,), name="readiness", daemon=True).start()

    def age_seconds(self) -> float:
        """Return how long ago the periodic checks ended last; 0 where none are made."""
        return 0.0 if self._turned_at is None else time.monotonic() - self._turned_at

    def _watch(self, every: timedelta) -> None:
        while True:
            # Where memory is short, no probe may begin: the next one may.
            with suppress(MemoryError, RuntimeError):
                self.look()
                self._turned_at = time.monotonic()
            time.sleep(every.total_seconds())


def check_all(probes: Mapping[str, Probe], *, patience: timedelta = PATIENCE) -> tuple[Check, ...]:
    """Run ``probes`` in parallel and return a check of each.

    A probe without an answer in time has failed; its thread ends by itself.
    """
    running: dict[str, Future[Check]] = {name: Future() for name in probes}
    for name, probe in probes.items():
        threading.Thread(
            target=_check,
            args=(name, probe, running[name]),
            name=f"{PROBE_THREAD}{name}",
            daemon=True,
        ).start()
    seconds = patience.total_seconds()
    wait(running.values(), timeout=seconds)
    checks = []
    for name, future in running.items():
        if future.done():
            checks.append(future.result())
            continue
        checks.append(
            Check(
                name,
                ok=False,
                latency_ms=seconds * 1000,
                detail=f"no answer within {seconds:g} s",
                code=SLOW,
                figures={"seconds": seconds},
            )
        )
    return tuple(checks)


def check_health(name: str, probe: Probe) -> Check:
    """Run and time ``probe``, which returns a detail or raises a LunaError."""
    begun = time.perf_counter()
    code = ""
    figures: dict[str, Any] = {}
    try:
        detail = probe()
    except LunaError as error:
        detail = str(error)
        code = error.reason or error.code
        figures = {name: without_secrets(value) for name, value in error.parameters.items()}
    return Check(
        name,
        ok=not code,
        latency_ms=round((time.perf_counter() - begun) * 1000, 2),
        detail=str(without_secrets(detail)),
        code=code,
        figures=figures,
    )


def not_ready(checks: Iterable[Check]) -> UnavailableError | None:
    """Return the error of a process with failed checks; None where all pass."""
    failed = [check.name for check in checks if not check.ok]
    if not failed:
        return None
    return UnavailableError(
        f"not ready: {', '.join(failed)}", remedy="The checks say what is wrong with each."
    )


def _check(name: str, probe: Probe, outcome: Future[Check]) -> None:
    try:
        outcome.set_result(check_health(name, probe))
    except Exception:  # the edge of a probe: it must neither end its caller nor pass for ready
        log.exception("probe failed", dependency=name)
        outcome.set_result(
            Check(
                name,
                ok=False,
                latency_ms=0.0,
                detail="the probe failed unexpectedly; the log holds the reason",
                code=CRASHED,
            )
        )
