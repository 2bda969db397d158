"""The process that keeps data: ``python -m services.backup`` ships the write-ahead log as it is written, and makes, tries and prunes backups in time."""

import argparse
import signal
import sys
import threading
from contextlib import ExitStack

import structlog

from luna.energy.errors import LunaError
from luna.platform.embedded import running
from luna.platform.health import ALIVE, Liveness, Readiness, announce_release, probes_for, serve_health
from luna.platform.settings import load_settings
from luna.platform.telemetry import configure_logging
from services.backup.create import open_work, receiving
from services.backup.keeper import BEAT, Keeper

log = structlog.get_logger("luna.backup")


def main(arguments: list[str] | None = None) -> int:
    """Keep data until SIGTERM or SIGINT."""
    parser = argparse.ArgumentParser(prog="services.backup", description=__doc__)
    parser.add_argument("--health-port", type=int, default=0, help="port that serves /health/live, /health/ready and /metrics; 0: none")
    options = parser.parse_args(arguments)
    settings = load_settings()
    configure_logging("backup", level=settings.log_level)
    announce_release()
    ending = threading.Event()
    for kind in (signal.SIGTERM, signal.SIGINT):
        signal.signal(kind, lambda *_: ending.set())
    with running(settings) as addresses, ExitStack() as stack:
        pulse = Liveness(BEAT, settings.heartbeat_file)
        readiness = Readiness({ALIVE: pulse.probe, **probes_for(("database", "objects"), settings, addresses)})
        if options.health_port:
            stack.enter_context(serve_health(settings.api_host, options.health_port, pulse=pulse, readiness=readiness))
        work = stack.enter_context(open_work(settings, addresses.database_url))
        stack.enter_context(receiving(work))
        Keeper(work, ending).run(pulse)
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except LunaError as error:
        log.error("backups cannot be kept", error=str(error))  # noqa: TRY400 - the message says what to do
        sys.exit(error.exit_code)
