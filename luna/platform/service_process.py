"""Start a process other than the gateway.

Options, settings, signals, health, and the exit code where it cannot start.
"""

import argparse
import signal
import sys
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from types import MappingProxyType
from typing import NoReturn

import structlog

from luna.energy.errors import LunaError
from luna.platform.embedded.supervisor import Addresses, running
from luna.platform.health.health_server import announce_release, serve_health
from luna.platform.health.probes import Probe, probes_for
from luna.platform.health.readiness import ALIVE, Liveness, Readiness
from luna.platform.health.stall_watch import STALLED_AFTER, StallWatch
from luna.platform.settings import Settings, load_settings
from luna.platform.telemetry import configure_logging

NO_PROBES: Mapping[str, Probe] = MappingProxyType({})


@dataclass(frozen=True)
class ServiceProcess:
    """A running process.

    ``resources`` are released at its end in reverse order, before embedded servers stop.
    """

    settings: Settings
    addresses: Addresses
    pulse: Liveness
    resources: ExitStack
    health_port: int
    stall_watch: StallWatch

    def serve_health(self, needs: Iterable[str], own: Mapping[str, Probe] = NO_PROBES) -> Readiness:
        """Return the process's readiness, served where the command line names a port.

        Args:
            needs: as for ``probes_for``.
            own: further probes, by name.
        """
        readiness = Readiness(
            {ALIVE: self.pulse.probe, **probes_for(needs, self.settings, self.addresses), **own}
        )
        if self.health_port:
            server = self.resources.enter_context(
                serve_health(
                    self.settings.api_host, self.health_port, pulse=self.pulse, readiness=readiness
                )
            )
            self.stall_watch.add("health", server.age_seconds)
        self.stall_watch.add("readiness", readiness.age_seconds)
        return readiness


def health_parser(module: str, description: str | None) -> argparse.ArgumentParser:
    """Return an argument parser for ``python -m module`` with ``--health-port``."""
    parser = argparse.ArgumentParser(prog=module, description=description)
    parser.add_argument(
        "--health-port",
        type=int,
        default=0,
        help="port that serves /health/live, /health/ready and /metrics; 0: none",
    )
    return parser


def add_stall_option(parser: argparse.ArgumentParser) -> None:
    """Add ``--stall-seconds`` for a process whose loop never takes long over a turn."""
    parser.add_argument(
        "--stall-seconds",
        type=float,
        default=STALLED_AFTER.total_seconds(),
        help="a loop that stands still for so long ends this process, so that another is started",
    )


def end_on_signals() -> threading.Event:
    """Return an event that SIGTERM and SIGINT set from now on."""
    ending = threading.Event()
    for kind in (signal.SIGTERM, signal.SIGINT):
        signal.signal(kind, lambda *_: ending.set())
    return ending


@contextmanager
def service_process(
    name: str, *, beat: timedelta, health_port: int, stall_seconds: float | None = None
) -> Iterator[ServiceProcess]:
    """Run a process that logs as ``name`` while the block runs.

    ``beat`` is its heartbeat's interval.

    A loop that stands still for ``stall_seconds`` ends the process; None: it may take long.
    """
    settings = _prepare(name)
    with (
        running(settings) as addresses,
        _watched(settings, addresses, beat=beat, stall_seconds=stall_seconds) as watched,
    ):
        yield replace(watched, health_port=health_port)


@contextmanager
def serverless_process(
    name: str, *, beat: timedelta, health_port: int, stall_seconds: float | None = None
) -> Iterator[ServiceProcess]:
    """Run a process as ``service_process`` does, without a database and a queue.

    It starts none and waits for none; its addresses are empty.
    """
    settings = _prepare(name)
    nowhere = Addresses(database_url="", redis_url="")
    with _watched(settings, nowhere, beat=beat, stall_seconds=stall_seconds) as watched:
        yield replace(watched, health_port=health_port)


def _prepare(name: str) -> Settings:
    settings = load_settings()
    configure_logging(name, level=settings.log_level)
    announce_release()
    return settings


@contextmanager
def _watched(
    settings: Settings, addresses: Addresses, *, beat: timedelta, stall_seconds: float | None
) -> Iterator[ServiceProcess]:
    """Yield a process whose loop is watched, and release its resources afterwards."""
    with ExitStack() as resources:
        pulse = Liveness(beat, settings.heartbeat_file)
        watch = StallWatch(stalled_after=timedelta(seconds=stall_seconds or 0))
        watch.add("main", lambda: pulse.age_seconds)
        if stall_seconds is not None:
            watch.start()
        resources.callback(watch.stop)
        yield ServiceProcess(settings, addresses, pulse, resources, 0, watch)


def exit_from(main: Callable[[], int], log: structlog.stdlib.BoundLogger, failure: str) -> NoReturn:
    """Exit with the code of ``main``.

    A LunaError is logged as ``failure`` in one line and has its own exit code.
    """
    try:
        sys.exit(main())
    except LunaError as error:
        log.error(failure, error=str(error))  # noqa: TRY400 - the message says what to do
        sys.exit(error.exit_code)
