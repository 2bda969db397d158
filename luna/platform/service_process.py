"""What every process beside the gateway does: its options, its settings, its signals, its health, and how it ends where it cannot start."""

import argparse
import signal
import sys
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import timedelta
from types import MappingProxyType
from typing import NoReturn

import structlog

from luna.energy.errors import LunaError
from luna.platform.embedded.supervisor import Addresses, running
from luna.platform.health.probes import Probe, probes_for
from luna.platform.health.readiness import ALIVE, Liveness, Readiness
from luna.platform.health.server import announce_release, serve_health
from luna.platform.settings import Settings, load_settings
from luna.platform.telemetry import configure_logging

NO_PROBES: Mapping[str, Probe] = MappingProxyType({})


@dataclass(frozen=True)
class ServiceProcess:
    """A process that runs. What is entered into ``resources`` is given back at its end, the last first, before embedded servers stop."""

    settings: Settings
    addresses: Addresses
    pulse: Liveness
    resources: ExitStack
    health_port: int

    def serve_health(self, needs: Iterable[str], own: Mapping[str, Probe] = NO_PROBES) -> Readiness:
        """Return its readiness, which is served where the command line names a port.

        Args:
            needs: as ``probes_for`` takes them.
            own: probes of this process alone, by name.
        """
        readiness = Readiness({ALIVE: self.pulse.probe, **probes_for(needs, self.settings, self.addresses), **own})
        if self.health_port:
            self.resources.enter_context(serve_health(self.settings.api_host, self.health_port, pulse=self.pulse, readiness=readiness))
        return readiness


def health_parser(module: str, description: str | None) -> argparse.ArgumentParser:
    """Return a parser of the options of ``python -m module``; each has ``--health-port``."""
    parser = argparse.ArgumentParser(prog=module, description=description)
    parser.add_argument("--health-port", type=int, default=0, help="port that serves /health/live, /health/ready and /metrics; 0: none")
    return parser


def end_on_signals() -> threading.Event:
    """Return an event that SIGTERM and SIGINT set from here on."""
    ending = threading.Event()
    for kind in (signal.SIGTERM, signal.SIGINT):
        signal.signal(kind, lambda *_: ending.set())
    return ending


@contextmanager
def service_process(name: str, *, beat: timedelta, health_port: int) -> Iterator[ServiceProcess]:
    """Run a process that logs as ``name`` while the block runs; ``beat`` is how often it says that it lives."""
    settings = load_settings()
    configure_logging(name, level=settings.log_level)
    announce_release()
    with running(settings) as addresses, ExitStack() as resources:
        yield ServiceProcess(settings, addresses, Liveness(beat, settings.heartbeat_file), resources, health_port)


def exit_from(main: Callable[[], int], log: structlog.stdlib.BoundLogger, failure: str) -> NoReturn:
    """End this process as ``main`` returns; a fault that somebody can mend is logged as ``failure``, in one line, and has an exit code of its own."""
    try:
        sys.exit(main())
    except LunaError as error:
        log.error(failure, error=str(error))  # noqa: TRY400 - the message says what to do
        sys.exit(error.exit_code)
